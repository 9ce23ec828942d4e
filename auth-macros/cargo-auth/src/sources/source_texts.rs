//! The source texts of routers and services, through variables.

use std::collections::BTreeMap;
use std::rc::Rc;

use syn::{Expr, Pat};

use super::expressions::{names_in, path_of, variable};
use super::routing::SERVICE_METHODS;
use super::text::{as_written, named};

/// The methods of plain routers that add routes, beside those of services. These are compared on their
/// own.
const ADDS_ROUTES: [&str; 4] = ["merge", "nest", "route", "route_with_tsr"];

/// The source texts of the variables of a function.
#[derive(Clone, Default)]
pub(super) struct SourceTexts(BTreeMap<String, Rc<str>>);

impl SourceTexts {
    /// Returns the text of a router or a service, without the routes that are added to the router.
    /// The code of a handler has no text.
    pub(super) fn of(&self, expression: &Expr) -> String {
        match expression {
            Expr::Async(_) | Expr::Closure(_) => String::new(),
            Expr::Await(inner) => self.of(&inner.base) + ".await",
            Expr::MethodCall(call) => {
                let text = self.of(&call.receiver);
                match named(&call.method).as_str() {
                    name if ADDS_ROUTES.contains(&name) || SERVICE_METHODS.contains(&name) => text,
                    name => text + &format!(".{name}({})", as_written(&call.args)),
                }
            }
            Expr::Paren(inner) => self.of(&inner.expr),
            Expr::Path(_) => {
                let path = path_of(expression).unwrap_or_default();
                let known = path.first().filter(|_| path.len() == 1);
                let known = known.and_then(|name| self.0.get(name));
                known.map_or_else(|| as_written(expression), ToString::to_string)
            }
            Expr::Try(inner) => self.of(&inner.expr) + "?",
            other => as_written(other),
        }
    }

    /// Records the variables of a pattern, which have the text of their value.
    pub(super) fn bind(&mut self, pattern: &Pat, value: Option<&Expr>) {
        let text: Option<(String, Rc<str>)> = match (variable(pattern), value) {
            (Some(name), Some(value)) => Some((name, self.of(value).into())),
            _ => None,
        };
        let mut names = Vec::new();
        names_in(pattern, &mut names);
        for name in names {
            self.0.remove(&name);
        }
        self.0.extend(text);
    }
}
