//! Schemes that provide a user of the service.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::caller::Caller;
use crate::challenge::{Challenge, ChallengeError};
use crate::identity::Identity;
use crate::scheme::{ChallengeContext, Credentials, Scheme, Source};
use crate::user_type::UserType;
use crate::verification::Verification;

/// Methods that add the service's own user to the identities of a scheme.
///
/// An identity can have users of several types. A handler can take only the type that the last call for its
/// scheme declares.
pub trait SchemeExt: Scheme + Sized {
    /// Loads the service's own user for each identity of this scheme, for example from a database.
    ///
    /// `load` receives a clone of `state` and the identity of verified credentials. It returns the identity,
    /// to which it can add grants, and the user. The type of the user need not be `Clone`.
    ///
    /// - `Ok(None)`: the user no longer exists. The credentials are rejected: 401.
    /// - `Err(…)`: the user cannot be loaded. The error is logged, and the response is 503.
    ///
    /// Handlers take the user as a `CurrentUser`, checks of policies and rules about objects find it by
    /// [`Identity::user`]. It is loaded for each request with credentials of the scheme, before the policy is
    /// evaluated, also if a token cache remembers the token; a service that wants to load it less often
    /// caches it in `load`.
    ///
    /// Other methods of the scheme come first, since this one returns another type.
    ///
    /// ```
    /// use auth_runtime::Identity;
    /// use auth_runtime::schemes::{Bearer, Scheme, SchemeExt};
    ///
    /// # #[derive(Clone)] struct Db;
    /// # impl Db { async fn find(&self, _: &str) -> Result<Option<User>, std::io::Error> { Ok(None) } }
    /// struct User {
    ///     roles: Vec<String>,
    /// }
    ///
    /// async fn load(db: Db, identity: Identity) -> Result<Option<(Identity, User)>, std::io::Error> {
    ///     let user = db.find(identity.subject()).await?;
    ///     Ok(user.map(|user| (identity.with_roles(user.roles.clone()), user)))
    /// }
    ///
    /// fn scheme(tokens: Bearer, db: Db) -> impl Scheme {
    ///     tokens.with_user(db, load)
    /// }
    /// ```
    fn with_user<T, U, E, F>(
        self,
        state: T,
        load: impl Fn(T, Identity) -> F + Send + Sync + 'static,
    ) -> WithUser<Self>
    where
        T: Clone + Send + Sync + 'static,
        U: Send + Sync + 'static,
        E: fmt::Display,
        F: Future<Output = Result<Option<(Identity, U)>, E>> + Send + 'static,
    {
        WithUser::loaded(self, state, load)
    }

    /// Declares that the verifier of this scheme adds a user of the type `U` to every identity, by
    /// [`Identity::with_user`], so that handlers can take it as a parameter.
    ///
    /// If an identity has none, the error is logged, and the response is 503.
    ///
    /// ```
    /// use auth_runtime::{Caller, Identity};
    /// use auth_runtime::schemes::{Bearer, SchemeExt};
    ///
    /// struct User {
    ///     name: String,
    /// }
    /// # async fn find(_: &str) -> Option<User> { None }
    ///
    /// /// Finds the user of an opaque token.
    /// async fn look_up(token: String) -> Caller {
    ///     match find(&token).await {
    ///         Some(user) => Caller::known(Identity::new(&*user.name).with_user(user)),
    ///         None => Caller::rejected(),
    ///     }
    /// }
    ///
    /// let scheme = Bearer::new(look_up).requires_user::<User>();
    /// ```
    fn requires_user<U: Send + Sync + 'static>(self) -> WithUser<Self> {
        WithUser::required::<U>(self)
    }
}

impl<S: Scheme> SchemeExt for S {}

/// A scheme that provides a user of the service with every identity. Created by
/// [`SchemeExt::with_user`] and [`SchemeExt::requires_user`].
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
                verification.and_then_async(move |identity| {
                    let loaded = load(state, identity);
                    async move {
                        match loaded.await {
                            Ok(Some((identity, user))) => Caller::known(identity.with_user(user)),
                            Ok(None) => Caller::rejected(),
                            Err(error) => {
                                tracing::error!(%error, "the user of a caller cannot be loaded");
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
                verification.and_then(move |caller| match caller {
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
    fn name(&self) -> &str {
        self.scheme.name()
    }

    fn sources(&self) -> Vec<Source> {
        self.scheme.sources()
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        (self.complete)(self.scheme.verify(credentials))
    }

    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        self.scheme.challenge(context)
    }

    fn further_challenges(&self, context: &ChallengeContext<'_>) -> Vec<Challenge> {
        self.scheme.further_challenges(context)
    }

    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        self.scheme.fields(context)
    }

    fn granted_fields(&self, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        self.scheme.granted_fields(headers)
    }

    fn triggers_browser_prompt(&self) -> bool {
        self.scheme.triggers_browser_prompt()
    }

    fn has_challenge(&self) -> bool {
        self.scheme.has_challenge()
    }

    fn format(&self) -> Option<&str> {
        self.scheme.format()
    }

    fn constrains_sender(&self) -> bool {
        self.scheme.constrains_sender()
    }

    fn signs_body(&self) -> bool {
        self.scheme.signs_body()
    }

    fn is_oauth(&self) -> bool {
        self.scheme.is_oauth()
    }

    fn supports_step_up(&self) -> bool {
        self.scheme.supports_step_up()
    }

    fn login_page(&self) -> Option<&str> {
        self.scheme.login_page()
    }

    fn provides_user(&self, user: UserType) -> bool {
        self.user == user
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
