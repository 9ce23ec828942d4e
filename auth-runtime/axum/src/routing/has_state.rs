//! Routers that can be protected.

use crate::routing::router::GuardedRouter;

/// A router with the state of its handlers: a [`GuardedRouter`] that [`with_state`](GuardedRouter::with_state)
/// returned, or one without a state.
///
/// [`GuardedRouter::protect`] requires it.
// A trait, since the compiler has no advice about a method that another type of state has.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no value for its state",
    label = "`.with_state(...)` is missing before this call",
    note = "its handlers extract a state: provide the value once, by `.with_state(...)` on the whole \
            router"
)]
pub trait HasState: Into<GuardedRouter> {}

impl HasState for GuardedRouter {}
