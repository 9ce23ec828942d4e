//! Detection of handlers that take the guard of another handler.
//!
//! The types that carry policies can be named. A function without an attribute could therefore take
//! the guard of another one, and no audit would find it. Every function has a type of its own, which
//! the policy of a handler states.

use std::any::{TypeId, type_name};

use crate::guard::Declared;

/// A handler that takes a guard of another handler's policy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Borrower {
    /// The name of the function, for messages.
    pub(crate) handler: &'static str,
    pub(crate) owner: &'static str,
}

impl Borrower {
    /// Returns a borrower if the guard of `H` is for another handler. The guard of a generic handler
    /// has no certain owner.
    pub(crate) fn find<H: 'static, P: Declared>() -> Option<Self> {
        let is_borrowed = P::handler_type().is_some_and(|owner| owner != TypeId::of::<H>());
        is_borrowed.then_some(Self {
            handler: type_name::<H>(),
            owner: P::LOCATION.handler(),
        })
    }
}
