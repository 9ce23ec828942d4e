//! Detection of handlers that take the guard of another handler.
//!
//! The types that carry policies can be named. A function without an attribute could therefore take
//! the guard of another one, and would appear in no audit. The type system cannot distinguish two
//! functions of the same signature; their type names can.

use std::any::type_name;

use crate::guard::Declared;

/// The prefix that `#[requires]` adds to the name of a handler.
const CARRIER: &str = "policy_of_";

/// A handler that takes a guard of another handler's policy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Borrower {
    pub(crate) handler: &'static str,
    pub(crate) owner: &'static str,
}

impl Borrower {
    /// Returns a borrower if the guard of `H` is for another handler.
    pub(crate) fn find<H, P: Declared>() -> Option<Self> {
        let handler = innermost(type_name::<H>());
        let is_own = if P::OF_HANDLER {
            is_carrier_of(type_name::<P>(), handler)
        } else {
            is_closure(handler)
        };
        (!is_own).then_some(Self {
            handler,
            owner: P::LOCATION.handler(),
        })
    }
}

/// Returns whether `carrier` belongs to `handler`: both are in the same scope, and only the handler
/// can be generic.
fn is_carrier_of(carrier: &str, handler: &str) -> bool {
    let Some((path, last)) = carrier.rsplit_once("::") else {
        return false;
    };
    let name = last.strip_prefix(CARRIER);
    let own = handler
        .strip_prefix(path)
        .and_then(|handler| handler.strip_prefix("::"));
    match (name, own) {
        (Some(name), Some(own)) => own
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('<')),
        _ => false,
    }
}

fn is_closure(handler: &str) -> bool {
    handler.ends_with("::{{closure}}")
}

/// The handler inside the layers of axum's `Handler::layer`.
fn innermost(name: &'static str) -> &'static str {
    let arguments = name
        .strip_prefix("axum::handler::Layered<")
        .and_then(|arguments| arguments.strip_suffix('>'));
    match arguments.and_then(second) {
        Some(inner) => innermost(inner),
        None => name,
    }
}

/// The second of several generic arguments.
fn second(arguments: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut start = None;
    let mut before = ' ';
    for (at, letter) in arguments.char_indices() {
        match letter {
            '<' | '(' | '[' | '{' => depth += 1,
            // The arrow in the type of a function closes nothing.
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => match start {
                None => start = Some(at + 1),
                Some(start) => return arguments.get(start..at).map(str::trim),
            },
            _ => {}
        }
        before = letter;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carrier_is_for_the_handler_beside_it() {
        for (carrier, handler, is_own) in [
            ("a::policy_of_list", "a::list", true),
            ("a::policy_of_list", "a::list<alloc::vec::Vec<u8>>", true),
            (
                "<a::B<_> as a::C>::d::policy_of_list",
                "<a::B<_> as a::C>::d::list",
                true,
            ),
            ("a::policy_of_list", "a::lists", false),
            ("a::policy_of_list", "a::b::list", false),
            ("a::b::policy_of_list", "a::list", false),
            ("a::policy_of_list", "a::list::{{closure}}", false),
            ("a::policy_of_list", "a::list::list", false),
            ("a::policy_of_list", "b::list", false),
            ("a::Files", "a::Files", false),
        ] {
            assert_eq!(
                is_carrier_of(carrier, handler),
                is_own,
                "{carrier} {handler}"
            );
        }
    }

    #[test]
    fn layers_are_seen_through() {
        for (name, inner) in [
            ("a::list", "a::list"),
            ("axum::handler::Layered<L, a::list, (M, G), S>", "a::list"),
            (
                "axum::handler::Layered<L<fn(u8) -> (u8, u8), [u8; 2]>, a::list<B, C>, (M, G), S>",
                "a::list<B, C>",
            ),
            (
                "axum::handler::Layered<L, axum::handler::Layered<K, a::list, T, S>, T, S>",
                "a::list",
            ),
        ] {
            assert_eq!(innermost(name), inner);
        }
    }
}
