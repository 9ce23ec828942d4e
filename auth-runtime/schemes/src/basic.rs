//! User name and password (RFC 7617).

use std::fmt;
use std::future::Future;

use auth_runtime_core::{
    Caller, Challenge, ChallengeContext, ChallengeError, Credentials, Rejection, Scheme,
    Verification,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::password::Password;

/// `Authorization: Basic …` (RFC 7617), with names and passwords in UTF-8.
///
/// ```
/// use auth_runtime::Caller;
/// use auth_runtime::schemes::{Basic, Password};
///
/// /// Asks the service's own directory.
/// async fn log_in(user: String, password: Password) -> Caller {
///     # let _ = (user, password.as_str());
///     Caller::unverifiable()
/// }
/// let scheme = Basic::new(log_in);
/// ```
///
/// # Browsers
///
/// A browser that has asked its user for the password adds it to every later request to the origin,
/// also to those that pages of other sites cause. A service with users in browsers rejects such
/// requests by a layer, such as `tower-http`'s `CsrfLayer`, or uses `Sessions`, which rejects them
/// itself.
pub struct Basic {
    verify: Box<VerifyPassword>,
    accepts_latin1: bool,
}

type VerifyPassword = dyn Fn(&Credentials<'_>, String, Password) -> Verification + Send + Sync;

impl Basic {
    /// Creates a scheme that verifies logins with `verify`.
    ///
    /// It has to take as long for an unknown user as for a wrong password, or it discloses the names
    /// of users. It returns [`Caller::Unverifiable`] if its data source is unavailable. The number of
    /// calls at a time is not limited here.
    pub fn new<F>(verify: impl Fn(String, Password) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output: Into<Caller>> + Send + 'static,
    {
        Self {
            verify: Box::new(move |_, user, password| {
                Verification::pending(verify(user, password))
            }),
            accepts_latin1: false,
        }
    }

    /// Reads credentials that are not valid UTF-8 as ISO 8859-1, as some clients send them in spite of the
    /// challenge (RFC 7617 §2). Default: they are malformed.
    pub fn accept_latin1(mut self) -> Self {
        self.accepts_latin1 = true;
        self
    }

    /// Creates a scheme that verifies passwords against Argon2 hashes.
    #[cfg(feature = "argon2")]
    pub fn password_hashes(hashes: crate::PasswordHashes) -> Self {
        Self {
            verify: Box::new(move |credentials, user, password| {
                hashes.verify(user, password, credentials.client())
            }),
            accepts_latin1: false,
        }
    }
}

impl Scheme for Basic {
    fn name(&self) -> &str {
        "Basic"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        match user_and_password(credentials.value(), self.accepts_latin1) {
            Some((user, password)) => (self.verify)(credentials, user, password),
            None => Verification::done(Caller::Rejected(Rejection::Malformed)),
        }
    }

    /// Returns a challenge with no parameters but these two (RFC 7617 §2).
    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        Challenge::builder("Basic")
            .quoted("realm", context.realm().unwrap_or_default())
            .quoted("charset", "UTF-8")
            .constant()
            .build()
    }

    fn triggers_browser_prompt(&self) -> bool {
        true
    }
}

/// Splits the credentials. The name ends at the first colon. Neither part has control characters
/// (RFC 7617 §2).
fn user_and_password(credentials: &str, accepts_latin1: bool) -> Option<(String, Password)> {
    let bytes = Zeroizing::new(STANDARD.decode(credentials).ok()?);
    let latin1: Zeroizing<String>;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(_) if accepts_latin1 => {
            latin1 = Zeroizing::new(bytes.iter().copied().map(char::from).collect());
            &latin1
        }
        Err(_) => return None,
    };
    let (user, password) = text.split_once(':')?;
    let is_clean = !text.chars().any(char::is_control);
    is_clean.then(|| (user.to_owned(), Password::from(password.to_owned())))
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Basic")
    }
}
