//! Which handlers a guarded router accepts.

use axum::handler::Layered;

use crate::guard::{Declared, Guard};

/// A handler that carries a policy: its first parameter is a [`Guard`] that `#[requires]` or
/// `#[public]` completed.
///
/// Implemented for such functions and closures with up to 15 extractors behind the guard, and for
/// what `handler.layer(…)` makes of them. It is not meant to be implemented otherwise.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access policy",
    label = "a `GuardedRouter` accepts only handlers that carry a policy",
    note = "add `#[requires(...)]` above the handler to say who may call it, or \
            `#[public(reason = \"...\")]` if everybody may"
)]
pub trait GuardedHandler<T> {
    /// The type that carries the policy.
    type Policy: Declared;
}

macro_rules! guarded_functions {
    ($($extractor:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<Function, Output, Via, Policy, $($extractor),*>
            GuardedHandler<(Via, Guard<Policy>, $($extractor,)*)> for Function
        where
            Function: FnOnce(Guard<Policy>, $($extractor),*) -> Output,
            Policy: Declared,
        {
            type Policy = Policy;
        }
    };
}

guarded_functions!();
guarded_functions!(A);
guarded_functions!(A B);
guarded_functions!(A B C);
guarded_functions!(A B C D);
guarded_functions!(A B C D E);
guarded_functions!(A B C D E F);
guarded_functions!(A B C D E F G);
guarded_functions!(A B C D E F G H);
guarded_functions!(A B C D E F G H I);
guarded_functions!(A B C D E F G H I J);
guarded_functions!(A B C D E F G H I J K);
guarded_functions!(A B C D E F G H I J K L);
guarded_functions!(A B C D E F G H I J K L M);
guarded_functions!(A B C D E F G H I J K L M N);
guarded_functions!(A B C D E F G H I J K L M N O);

#[diagnostic::do_not_recommend]
impl<L, H, T, S> GuardedHandler<T> for Layered<L, H, T, S>
where
    H: GuardedHandler<T>,
{
    type Policy = H::Policy;
}
