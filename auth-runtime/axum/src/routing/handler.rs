//! Handlers that a guarded router accepts.

use std::future::Future;
use std::pin::Pin;

use auth_runtime_core::adapter::UserType;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};

use crate::exchange::Handling;
use crate::exchange::response::BoxedResponse;
use crate::guard::{Declared, Guard};
use crate::routing::extract::{FromGranted, FromGrantedRequest};

/// A function with a [`Guard`] as its first parameter, which `#[requires]` or `#[public]`
/// completed: a handler with a policy.
///
/// `T` is the tuple of its parameters.
#[diagnostic::on_unimplemented(
    message = "handler has no access policy [AUTH0036]",
    label = "neither `#[requires(...)]` nor `#[public(...)]` is written above it",
    note = "write `#[auth_runtime::requires(authenticated)]` above the `async fn`, or a narrower \
            requirement; a public handler has `#[auth_runtime::public(reason = \"...\")]`",
    note = "a closure, or a handler of another crate, cannot have an attribute: call it in an \
            `async fn` that has one, or let a closure take the `Guard` of a unit struct with a policy"
)]
pub trait TakesGuard<T>: Clone + Send + Sync + 'static {
    /// The type with the policy.
    type Policy: Declared;
}

/// The parameters of a handler with a policy: a [`Guard`], and up to 16 extractors behind it.
///
/// With [`TakesGuard`] the counterpart of axum's [`Handler`](axum::handler::Handler), for the handler `H`
/// of a router with the state `S`. The guard is an argument, so the proof of one request is never stored
/// where another request could take it. Extractors run after the decision: axum's, and those that need the
/// caller ([`FromIdentity`](super::FromIdentity)). `M` has a marker for the kind of each extractor. Sealed: no other
/// type can implement it.
///
/// A layer goes around the route, since an argument cannot pass through a layer: write
/// `get(handler).layer(…)`.
// A trait of the parameters and not of the handler: the compiler reports the bound of which it knows most, and
// for a handler without a guard that has to be `TakesGuard`.
#[diagnostic::on_unimplemented(
    message = "a parameter of this handler is not an extractor, or its return type is not a \
               response",
    note = "each parameter after the guard implements `FromRequestParts` or `FromIdentity`, and \
            the last one may implement `FromRequest`, for the state of the router",
    note = "a `FromIdentity` parameter, such as `Identity` or `CurrentUser`, needs a policy that grants \
            known callers only, such as `#[requires(authenticated)]`; an `Option` of it needs \
            `#[public(reason = \"...\", identity = optional)]`",
    note = "the guard is the first parameter, written `guard: Guard`: within another type, such as `Option`, or \
            under another name, the attribute does not recognize it",
    note = "the handler is an `async fn` whose future is `Send`, and whose return type implements `IntoResponse`",
    note = "`#[axum::debug_handler]` below the attribute of the policy names the parameter that is not an \
            extractor of axum, or the value that is not `Send`; it reports each `FromIdentity` parameter too"
)]
pub trait GuardedParameters<H: TakesGuard<Self>, S, M>: Sized + 'static {
    /// Calls the handler with its guard, and with the values that its extractors find in the request.
    #[doc(hidden)]
    fn call(
        handler: H,
        guard: Guard<H::Policy>,
        request: Request,
        state: S,
        handling: Handling,
    ) -> Pin<Box<dyn Future<Output = Response> + Send>>;

    /// The users of the service that the parameters need.
    #[doc(hidden)]
    fn needed_users() -> Vec<UserType>;
}

#[diagnostic::do_not_recommend]
impl<H, F, P> TakesGuard<(Guard<P>,)> for H
where
    H: FnOnce(Guard<P>) -> F + Clone + Send + Sync + 'static,
    P: Declared,
{
    type Policy = P;
}

#[diagnostic::do_not_recommend]
impl<H, F, P, S> GuardedParameters<H, S, ()> for (Guard<P>,)
where
    H: FnOnce(Guard<P>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: IntoResponse> + Send,
    P: Declared,
{
    fn call(handler: H, guard: Guard<P>, _: Request, _: S, handling: Handling) -> BoxedResponse {
        Box::pin(async move {
            let response = handler(guard).await.into_response();
            handling.end(response).await
        })
    }

    fn needed_users() -> Vec<UserType> {
        Vec::new()
    }
}

/// Implements the traits for functions with a guard, some parameters and a last parameter. Each
/// parameter is given by the names of its type and of its marker.
macro_rules! guarded_handler {
    ($($part:ident $via:ident,)* | $last:ident) => {
        #[diagnostic::do_not_recommend]
        impl<H, F, P, $($part,)* $last> TakesGuard<(Guard<P>, $($part,)* $last)> for H
        where
            H: FnOnce(Guard<P>, $($part,)* $last) -> F + Clone + Send + Sync + 'static,
            P: Declared,
        {
            type Policy = P;
        }

        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "an argument is named as its type")]
        #[allow(unused_mut, reason = "a last parameter alone takes the whole request")]
        impl<H, F, P, S, $($part, $via,)* $last, Via>
            GuardedParameters<H, S, ($($via,)* Via,)> for (Guard<P>, $($part,)* $last)
        where
            H: FnOnce(Guard<P>, $($part,)* $last) -> F + Clone + Send + Sync + 'static,
            F: Future<Output: IntoResponse> + Send,
            P: Declared,
            S: Send + Sync + 'static,
            $($part: FromGranted<P, S, $via> + Send + 'static,)*
            $last: FromGrantedRequest<P, S, Via> + Send + 'static,
        {
            fn call(
                handler: H,
                guard: Guard<P>,
                request: Request,
                state: S,
                handling: Handling,
            ) -> BoxedResponse {
                Box::pin(async move {
                    let (mut head, body) = request.into_parts();
                    let response = 'response: {
                        $(
                            let $part = match $part::from_granted(&guard, &mut head, &state).await {
                                Ok(part) => part,
                                Err(rejection) => break 'response rejection,
                            };
                        )*
                        let request = Request::from_parts(head, body);
                        let $last = match $last::from_granted_request(&guard, request, &state).await {
                            Ok(last) => last,
                            Err(rejection) => break 'response rejection,
                        };
                        handler(guard, $($part,)* $last).await.into_response()
                    };
                    handling.end(response).await
                })
            }

            fn needed_users() -> Vec<UserType> {
                let needed = [$($part::needed_user(),)* $last::needed_user()];
                needed.into_iter().flatten().collect()
            }
        }
    };
}

guarded_handler!(| Last);
guarded_handler!(A1 V1, | Last);
guarded_handler!(A1 V1, A2 V2, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, A4 V4, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, A9 V9, | Last);
guarded_handler!(A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, A9 V9, A10 V10, | Last);
guarded_handler!(
    A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, A9 V9, A10 V10, A11 V11, | Last
);
guarded_handler!(
    A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, A9 V9, A10 V10, A11 V11, A12 V12,
    | Last
);
guarded_handler!(
    A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, A9 V9, A10 V10, A11 V11, A12 V12,
    A13 V13, | Last
);
guarded_handler!(
    A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, A9 V9, A10 V10, A11 V11, A12 V12,
    A13 V13, A14 V14, | Last
);
guarded_handler!(
    A1 V1, A2 V2, A3 V3, A4 V4, A5 V5, A6 V6, A7 V7, A8 V8, A9 V9, A10 V10, A11 V11, A12 V12,
    A13 V13, A14 V14, A15 V15, | Last
);
