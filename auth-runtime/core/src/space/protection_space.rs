//! The protection space, as services use it.

use std::fmt;
use std::sync::Arc;

use auth_runtime_policy::Policy;
use bytes::Bytes;
use http::request::Parts;

use super::authorization::Route;
use super::{MAX_CREDENTIALS, Space};
use crate::caller::Caller;
use crate::head::Head;
use crate::service_function::Surroundings;

/// The realm, its accepted schemes, and the responses to denied requests (RFC 9110 §11.5).
///
/// Cloning is cheap. A service builds it once, at start:
///
/// ```
/// use auth_runtime::{Identity, ProtectionSpace};
/// use auth_runtime::schemes::ApiKeys;
///
/// let keys = ApiKeys::builder()
///     .key("a-long-random-key-of-the-billing-job", Identity::new("billing"))
///     .build()?;
/// let space = ProtectionSpace::builder().realm("api").scheme(keys).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ProtectionSpace(pub(super) Arc<Space>);

impl ProtectionSpace {
    /// The longest credentials that are read, in bytes. The response to longer ones in a field other than `Cookie` is
    /// 431, and longer ones in other places are malformed.
    pub const MAX_CREDENTIALS: usize = MAX_CREDENTIALS;

    /// The longest body that is read before authentication by default, in bytes: a form, if a scheme accepts
    /// tokens in forms, or a body that the credentials [sign](crate::Scheme::signs_body). The response to a
    /// longer or incomplete one is 400, without a call of the handler.
    ///
    /// Bodies are read on hidden and unknown paths, and on other paths if the policy accepts such a
    /// scheme. [`max_body`](crate::ProtectionSpaceBuilder::max_body) sets another length.
    pub const MAX_BODY: usize = 1024 * 1024;

    /// The greatest value of [`max_body`](crate::ProtectionSpaceBuilder::max_body), in bytes.
    pub(super) const LONGEST_BODY: usize = 64 * 1024 * 1024;

    /// The maximum number of evaluations in one call of the decision point.
    pub const MAX_EVALUATIONS: usize = 10_000;

    /// The settings and their values, sorted by name.
    ///
    /// ```
    /// # use auth_runtime::{Caller, ProtectionSpace};
    /// # use auth_runtime::schemes::Bearer;
    /// # let bearer = Bearer::new(async |_| Caller::rejected());
    /// let builder = ProtectionSpace::builder().realm("registry").scheme(bearer);
    /// let space = builder.setting("open_registry", true).build()?;
    /// assert_eq!(space.settings().collect::<Vec<_>>(), [("open_registry", true)]);
    /// # Ok::<(), auth_runtime::SpaceError>(())
    /// ```
    pub fn settings(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.settings.iter()
    }

    /// Authorizes a request without a web framework. For axum, `Guard` and
    /// `GuardedRouter` do this.
    ///
    /// The body is not read, so tokens in forms are not found. The functions of a policy belong to its handler, so a
    /// requirement that depends on one, such as a `check`, counts as failed.
    ///
    /// ```
    /// use auth_runtime::{Caller, Identity, Policy, ProtectionSpace, Requirement};
    /// use auth_runtime::schemes::Bearer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bearer = Bearer::new(async |_token| Caller::known(Identity::new("ann")));
    /// let space = ProtectionSpace::builder().realm("api").scheme(bearer).build()?;
    /// let policy = Policy::requires(Requirement::authenticated());
    ///
    /// let (head, _) = http::Request::get("/").body(())?.into_parts();
    /// let denied = space.authorize(&policy, &head).await.unwrap_err();
    /// assert_eq!(denied.status(), 401);
    /// assert_eq!(denied.headers()["www-authenticate"], "Bearer realm=\"api\"");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The response to return in place of the handler's. The response of a concealed denial is the
    /// space's own response for unknown paths. It is indistinguishable only if the service responds
    /// in the same way on all unknown paths.
    pub async fn authorize(
        &self,
        policy: &Policy,
        head: &Parts,
    ) -> Result<Caller, http::Response<Bytes>> {
        let route = Route {
            policy,
            functions: &[],
            location: None,
            uses_guard: false,
            constants: None,
            is_unknown_path: false,
        };
        let surroundings = Surroundings {
            head: Head::from(head),
            parameters: Some(&[]),
            state: &(),
        };
        let space = self.for_adapters();
        let (authentication, _) = space.authorize_route(route, surroundings, None).await?;
        let caller = space.caller_for(policy, &authentication);
        Ok(caller.cloned().unwrap_or(Caller::Anonymous))
    }

    /// The space as adapters and audits use it. Semantic versioning does not cover the methods of [`Space`].
    ///
    /// ```
    /// # use auth_runtime::{Caller, ProtectionSpace};
    /// # use auth_runtime::schemes::Bearer;
    /// # let bearer = Bearer::new(async |_| Caller::rejected());
    /// let space = ProtectionSpace::builder().realm("api").scheme(bearer).build()?;
    /// assert!(!space.for_adapters().challenges_unknown_paths());
    /// # Ok::<(), auth_runtime::SpaceError>(())
    /// ```
    pub fn for_adapters(&self) -> &Arc<Space> {
        &self.0
    }
}

impl fmt::Debug for ProtectionSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
