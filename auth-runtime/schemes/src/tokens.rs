//! Tokens of the service, under a name of its own.

use std::fmt;
use std::future::Future;

use auth_runtime_core::{Caller, Credentials, Scheme, Verification};

/// `Authorization: NAME …`: tokens that the service looks up, under a name of its own, such as `Token`.
///
/// ```
/// use auth_runtime::schemes::Tokens;
/// use auth_runtime::{Caller, Identity, ProtectionSpace};
///
/// /// Asks the service's own database.
/// async fn look_up(token: String) -> Caller {
///     match token.as_str() {
///         "a-token-of-ann" => Caller::known(Identity::new("ann").with_roles(["editor"])),
///         _ => Caller::rejected(),
///     }
/// }
///
/// // `Authorization: Token a-token-of-ann`
/// let scheme = Tokens::new("Token", look_up);
/// let space = ProtectionSpace::builder().realm("api").scheme(scheme).build()?;
/// # Ok::<(), auth_runtime::SpaceError>(())
/// ```
///
/// The challenge is the name with the realm. A policy names the scheme in quotes: `schemes("Token")`.
/// Tokens with a registered name have schemes of their own, such as [`Bearer`](crate::Bearer).
pub struct Tokens {
    name: String,
    verify: Box<dyn Fn(String) -> Verification + Send + Sync>,
}

impl Tokens {
    /// Creates a scheme. The builder of the space rejects a name that is not a token (RFC 9110 §11.1).
    ///
    /// `verify` receives the credentials behind the name: visible ASCII and spaces, of at most
    /// [`ProtectionSpace::MAX_CREDENTIALS`](auth_runtime_core::ProtectionSpace::MAX_CREDENTIALS) bytes. It
    /// should look a token up by its hash, so that neither the time of the look-up nor a leaked table
    /// reveals tokens. If its data source is unavailable, it returns [`Caller::Unverifiable`].
    pub fn new<F>(
        name: impl Into<String>,
        verify: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: Into<Caller>> + Send + 'static,
    {
        Self {
            name: name.into(),
            verify: Box::new(move |token| Verification::pending(verify(token))),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tokens").field(&self.name).finish()
    }
}

impl Scheme for Tokens {
    fn name(&self) -> &str {
        &self.name
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        (self.verify)(credentials.value().to_owned())
    }
}
