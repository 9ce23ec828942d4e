//! Which handlers a guarded router accepts.

use crate::guard::{Declared, Guard};

/// The parameters of a handler that carries a policy: the first is a [`Guard`] that `#[requires]`
/// or `#[public]` completed.
///
/// `Self` is what axum's [`Handler`](axum::handler::Handler) has for its `T`: a tuple of up to 16
/// parameters behind a marker. Not meant to be implemented otherwise.
#[diagnostic::on_unimplemented(
    message = "this handler says nothing of who may call it [AUTH0036]",
    label = "neither `#[requires(...)]` nor `#[public(...)]` stands on it",
    note = "write `#[requires(...)]` above the handler to say who may call it, or \
            `#[public(reason = \"...\")]` if everybody may",
    note = "an attribute cannot stand on a closure: move it into an `async fn`, or let it take the \
            `Guard` of a unit struct with a policy"
)]
pub trait GuardedParameters<H> {
    /// The type that carries the policy.
    type Policy: Declared;
}

/// The first parameter of such a handler.
///
/// A trait of its own, since the compiler must not conclude from it what the first parameter is:
/// it would then complain that the handler takes another one, and not that it has no policy.
pub trait FirstParameter<H> {
    /// The type that carries the policy.
    type Policy: Declared;
}

#[diagnostic::do_not_recommend]
impl<H, P: Declared> FirstParameter<H> for Guard<P> {
    type Policy = P;
}

/// axum's stand-in for the parameters of a function without any.
#[diagnostic::do_not_recommend]
impl<H, Nothing: FirstParameter<H>> GuardedParameters<H> for (Nothing,) {
    type Policy = Nothing::Policy;
}

macro_rules! guarded_parameters {
    ($($extractor:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<H, Via, First, $($extractor),*> GuardedParameters<H>
            for (Via, First, $($extractor,)*)
        where
            First: FirstParameter<H>,
        {
            type Policy = First::Policy;
        }
    };
}

guarded_parameters!();
guarded_parameters!(A);
guarded_parameters!(A B);
guarded_parameters!(A B C);
guarded_parameters!(A B C D);
guarded_parameters!(A B C D E);
guarded_parameters!(A B C D E F);
guarded_parameters!(A B C D E F G);
guarded_parameters!(A B C D E F G I);
guarded_parameters!(A B C D E F G I J);
guarded_parameters!(A B C D E F G I J K);
guarded_parameters!(A B C D E F G I J K L);
guarded_parameters!(A B C D E F G I J K L M);
guarded_parameters!(A B C D E F G I J K L M N);
guarded_parameters!(A B C D E F G I J K L M N O);
guarded_parameters!(A B C D E F G I J K L M N O P);
