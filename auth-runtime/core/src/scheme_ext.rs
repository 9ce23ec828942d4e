//! Methods of all schemes.

mod forward;
mod with_application;
mod with_user;

use std::fmt;

pub use self::with_application::WithApplication;
pub use self::with_user::WithUser;
use crate::identity::Identity;
use crate::scheme::Scheme;

/// Methods that add to the identities of a scheme: the service's own user, or the application that the user
/// works with.
///
/// An identity can have users of several types. A handler can take only the type that the last call for its
/// scheme declares.
pub trait SchemeExt: Scheme + Sized {
    /// Loads the service's own user for each identity of this scheme, for example from a database.
    ///
    /// `load` receives a clone of `state` and the identity of verified credentials. It returns the identity,
    /// to which it can add grants, and the user. Grants of the credentials stay, unless it removes them, such as by
    /// [`Identity::without_roles`]. The type of the user need not be `Clone`.
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
    ///     // In place of the roles of the credentials, which the user may have lost since.
    ///     let identity = identity.without_roles();
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

    /// Requires the credentials of an application beside those of the user: an API key beside a token, as
    /// supabase-js and the clients of Azure API Management send them.
    ///
    /// Both are verified for each request with credentials of this scheme. The caller is the user, and
    /// [`Identity::application`] is the identity of the application. It grants nothing by itself: a check of a
    /// policy can read it.
    ///
    /// ```
    /// use auth_runtime::schemes::{ApiKeys, Bearer, SchemeExt};
    /// use auth_runtime::{Guard, Identity, ProtectionSpace, requires};
    ///
    /// #[requires(scope = "notes:read")]
    /// async fn notes(guard: Guard) -> String {
    ///     let application = guard.identity().application().map(Identity::subject);
    ///     format!("for {} by {application:?}", guard.identity().subject())
    /// }
    ///
    /// fn space(tokens: Bearer) -> Result<ProtectionSpace, Box<dyn std::error::Error>> {
    ///     let keys = ApiKeys::builder()
    ///         .field("apikey")
    ///         .key("a-long-random-key-of-the-web-app", Identity::new("web-app"))
    ///         .build()?;
    ///     let scheme = tokens.with_application(keys);
    ///     Ok(ProtectionSpace::builder().realm("api").scheme(scheme).build()?)
    /// }
    /// ```
    ///
    /// | credentials of the user | of the application | caller, and the status if a policy requires one |
    /// |---|---|---|
    /// | absent | any | anonymous: 401, challenges of both |
    /// | rejected | any | rejected: 401, challenges of both, the error with that of the user |
    /// | valid | absent | rejected ([`NoApplication`](crate::Rejection::NoApplication)): 401, challenge of the application |
    /// | valid | rejected | rejected ([`InvalidApplication`](crate::Rejection::InvalidApplication)): 401, challenge of the application |
    /// | valid | verifier unavailable | unverifiable: 503 |
    /// | valid | twice | 400 |
    /// | valid | valid | known |
    /// | the same as those of the application | any | anonymous: a visitor, see below |
    ///
    /// The response to rejected credentials of the user does not depend on those of the application, so that a
    /// caller without a user cannot test keys.
    ///
    /// supabase-js sends its key in both places while no user is logged in. Such a request has no user, so the caller
    /// is anonymous. A handler for such visitors is public, with an optional identity. It does not require the key,
    /// which protects nothing if every browser receives it.
    ///
    /// A public handler without `identity = optional` ignores both. Credentials of the application that stand beside
    /// those of the user are not ambiguous, even if the space accepts their scheme also by itself, for example for the
    /// routes with `schemes("ApiKey")`.
    ///
    /// The scheme of the application has a challenge, and reads a place of its own: a field, the query or a
    /// subprotocol. Otherwise [`build`](crate::ProtectionSpaceBuilder::build) returns an error. The fields
    /// and the further challenges of that scheme are not sent.
    fn with_application(self, application: impl Scheme) -> WithApplication<Self> {
        WithApplication::new(self, Box::new(application))
    }
}

impl<S: Scheme> SchemeExt for S {}
