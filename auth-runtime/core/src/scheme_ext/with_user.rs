//! Schemes that provide a user of the service.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::forward::forward_to_scheme;
use crate::caller::Caller;
use crate::challenge::{Challenge, ChallengeError};
use crate::identity::Identity;
use crate::scheme::user_type::UserType;
use crate::scheme::verification::Verification;
use crate::scheme::{ChallengeContext, Credentials, Scheme, Source};

/// A scheme that provides a user of the service with every identity. Created by
/// [`SchemeExt::with_user`](crate::SchemeExt::with_user) and
/// [`SchemeExt::requires_user`](crate::SchemeExt::requires_user).
pub struct WithUser<S> {
    scheme: S,
    user: UserType,
    complete: Complete,
}

/// Adds the user to a verified caller, or asserts that it has one.
type Complete = Box<dyn Fn(Verification) -> Verification + Send + Sync>;

impl<S: Scheme> WithUser<S> {
    pub(crate) fn loaded<T, U, E, F>(
        scheme: S,
        state: T,
        load: impl Fn(T, Identity) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
        U: Send + Sync + 'static,
        E: fmt::Display,
        F: Future<Output = Result<Option<(Identity, U)>, E>> + Send + 'static,
    {
        let load = Arc::new(load);
        Self {
            scheme,
            user: UserType::of::<U>(),
            complete: Box::new(move |verification| {
                let (state, load) = (state.clone(), Arc::clone(&load));
                verification.and_then_if_known(move |identity| {
                    let loaded = load(state, identity);
                    async move {
                        match loaded.await {
                            Ok(Some((identity, user))) => Caller::known(identity.with_user(user)),
                            Ok(None) => Caller::rejected(),
                            Err(error) => {
                                // With the causes of an error of `anyhow`.
                                let error = format_args!("{error:#}");
                                tracing::error!(error, "the user of a caller cannot be loaded");
                                Caller::unverifiable()
                            }
                        }
                    }
                })
            }),
        }
    }

    pub(crate) fn required<U: Send + Sync + 'static>(scheme: S) -> Self {
        let user = UserType::of::<U>();
        Self {
            scheme,
            user,
            complete: Box::new(move |verification| {
                verification.map(move |caller| match caller {
                    Caller::Known(identity) if identity.user::<U>().is_none() => {
                        tracing::error!(
                            "an identity has no `{}`, which its scheme requires; add it with \
                             `Identity::with_user`",
                            user.name(),
                        );
                        Caller::unverifiable()
                    }
                    caller => caller,
                })
            }),
        }
    }
}

impl<S: Scheme> Scheme for WithUser<S> {
    forward_to_scheme!();

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        (self.complete)(credentials.verify_by(&self.scheme))
    }

    fn provides_user(&self, user: UserType) -> bool {
        self.user == user
    }

    fn application(&self) -> Option<&dyn Scheme> {
        self.scheme.application()
    }
}

impl<S: fmt::Debug> fmt::Debug for WithUser<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithUser")
            .field("scheme", &self.scheme)
            .field("user", &self.user.name())
            .finish_non_exhaustive()
    }
}
