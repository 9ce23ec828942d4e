//! The service's own user, as a parameter of handlers.

use std::any::type_name;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use auth_runtime_core::Identity;
use auth_runtime_core::adapter::UserType;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::routing::FromIdentity;

/// The service's own user, which the scheme of the caller loaded. The type need not be `Clone`.
///
/// A handler takes it as a parameter if its policy requires a known caller. Each scheme that the policy
/// accepts has to provide users of this type, by [`SchemeExt`](auth_runtime_core::SchemeExt); otherwise
/// [`protect`](crate::GuardedRouter::protect) returns an error. On a public handler it does not compile,
/// unless the handler takes an `Option<CurrentUser<…>>` and has `identity = optional`.
///
/// ```
/// use std::io;
///
/// use auth_runtime::routing::get;
/// use auth_runtime::schemes::{Bearer, SchemeExt};
/// use auth_runtime::{
///     CurrentUser, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, requires,
/// };
///
/// # #[derive(Clone)] struct Db;
/// # impl Db { async fn find(&self, _: &str) -> io::Result<Option<User>> { Ok(None) } }
/// struct User {
///     email: String,
///     roles: Vec<String>,
/// }
///
/// async fn load(db: Db, identity: Identity) -> io::Result<Option<(Identity, User)>> {
///     let user = db.find(identity.subject()).await?;
///     // In place of the roles of the credentials, which the user may have lost since.
///     let identity = identity.without_roles();
///     Ok(user.map(|user| (identity.with_roles(user.roles.clone()), user)))
/// }
///
/// #[requires(role = "editor")]
/// async fn profile(CurrentUser(user): CurrentUser<User>) -> String {
///     format!("mail goes to {}", user.email)
/// }
///
/// fn app(tokens: Bearer, db: Db) -> Result<ProtectedRouter, Box<dyn std::error::Error>> {
///     let space = ProtectionSpace::builder()
///         .realm("api")
///         .scheme(tokens.with_user(db, load))
///         .build()?;
///     Ok(GuardedRouter::new().route("/profile", get(profile)).protect(space)?)
/// }
/// ```
pub struct CurrentUser<U>(pub Arc<U>);

impl<S: Sync, U: Send + Sync + 'static> FromIdentity<S> for CurrentUser<U> {
    type Rejection = MissingUser;

    async fn from_identity(identity: &Identity, _: &mut Parts, _: &S) -> Result<Self, MissingUser> {
        let user = identity.user().cloned().map(Self);
        user.ok_or(MissingUser(type_name::<U>()))
    }

    fn needed_user() -> Option<UserType> {
        Some(UserType::of::<U>())
    }
}

impl<U> Deref for CurrentUser<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

impl<U> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Omits the user, since its data may be personal.
impl<U> fmt::Debug for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurrentUser")
    }
}

/// The identity has no user of this type: a test set an identity without one. The response is 500, and the
/// type is logged.
///
/// Schemes that declare their user always provide it.
#[derive(Clone, Copy, Debug)]
pub struct MissingUser(&'static str);

impl fmt::Display for MissingUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an identity has no `{}`, which its handler takes",
            self.0
        )
    }
}

impl std::error::Error for MissingUser {}

impl IntoResponse for MissingUser {
    fn into_response(self) -> Response {
        tracing::error!("{self}; a test adds it with `Identity::with_user`");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
