//! The vocabulary that names are looked up in, and the messages for those that it lacks.

use crate::declared::Vocabulary;
use crate::suggest::nearest;
use crate::values::bare;

/// The vocabulary that resolves names.
#[derive(Clone, Copy)]
pub(crate) struct Resolver<'v> {
    /// `None` if the crate has no vocabulary: every scope, role and permission is accepted then.
    pub(crate) vocabulary: Option<&'v Vocabulary>,
    /// The file name for messages; empty in that file itself.
    pub(crate) shown: &'v str,
}

impl Resolver<'_> {
    /// Returns the message for an undeclared name of that kind, with the likely intended name.
    pub(crate) fn undeclared(&self, kind: &str, name: &str) -> String {
        let declared = self.vocabulary.map(Vocabulary::names).unwrap_or_default();
        let same_kind = declared.iter().find(|(other, _)| *other == kind);
        let names = same_kind.map_or(&[][..], |(_, names)| names.as_slice());
        let mut others = declared.iter().filter(|(other, _)| *other != kind);
        let elsewhere = others.find(|(_, names)| names.contains(&name));
        // The schema declares actions and types as well.
        let schema = self.vocabulary.and_then(|own| own.schema.as_ref());
        let schema = schema.filter(|_| matches!(kind, "action" | "resource"));
        if let Some(schema) = schema.filter(|own| kind == "action" && own.groups.contains(name)) {
            return format!(
                "the action `{name}` applies to no type in {}\n\
                 help: name another action, or add `appliesTo` to it",
                schema.path
            );
        }
        let place = match (self.shown, schema) {
            ("", None) => String::new(),
            ("", Some(schema)) => format!(" in {}", schema.path),
            (file, None) => format!(" in {file}"),
            (file, Some(schema)) => format!(" in {file} or {}", schema.path),
        };
        // A type without its namespace.
        let is_last = |other: &&&str| {
            other
                .rsplit_once("::")
                .is_some_and(|(_, last)| last == name)
        };
        let mut in_namespaces = names.iter().filter(is_last);
        let in_namespace = in_namespaces.next().copied();
        let meant = nearest(name, names).or(in_namespace.filter(|_| kind == "resource"));
        let advice = match (meant, elsewhere) {
            (_, Some(("action", _))) => {
                format!("an action of that name is declared: write `can = {name:?}`")
            }
            (_, Some(("resource", _))) => {
                format!("a type of objects has that name: write `on = \"{name}::{{id}}\"`")
            }
            (_, Some((other, _))) => {
                format!("a {other} of that name is declared: write `{other} = {name:?}`")
            }
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, None) => {
                let declare = match schema {
                    Some(schema) => format!("declare it in `{}`", schema.path),
                    None => declare(kind, name, self.shown.is_empty()),
                };
                match names {
                    [] => declare,
                    names if names.len() <= 8 => {
                        format!("use `{}`, or {declare}", names.join("`, `"))
                    }
                    _ => format!("use a declared {kind}, or {declare}"),
                }
            }
        };
        format!("the {kind} `{name}` is not declared{place}\nhelp: {advice}")
    }
}

/// Returns the instructions to declare a name of that kind.
fn declare(kind: &str, name: &str, is_in_file: bool) -> String {
    let key = bare(name);
    let verb = if is_in_file { "declare" } else { "add" };
    match kind {
        "policy" => format!("{verb} `[policies.{key}]`"),
        "network" => {
            format!("{verb} `{key} = \"10.0.0.0/8\"` with its addresses below `[networks]`")
        }
        _ => format!("{verb} `{key} = \"...\"` with a description below `[{kind}s]`"),
    }
}
