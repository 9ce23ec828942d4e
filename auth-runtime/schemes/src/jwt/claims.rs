//! What a verified token says, and what of it is granted.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_runtime_core::Identity;
use serde::Deserialize;
use serde_json::{Map, Value};

/// All claims of a verified token: an extension of the [`Identity`] that it names.
///
/// ```
/// use auth_runtime::{Guard, requires};
/// use auth_runtime::schemes::Claims;
///
/// #[requires(authenticated)]
/// async fn email(guard: Guard) -> String {
///     let claims = guard.identity().extension::<Claims>();
///     let email = claims.and_then(|claims| claims.get("email")?.as_str());
///     email.unwrap_or("unknown").to_owned()
/// }
/// ```
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Claims(Map<String, Value>);

/// Which claims grant what.
pub(crate) struct ClaimNames {
    pub(crate) subject: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: String,
    pub(crate) permissions: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            subject: "sub".to_owned(),
            scopes: vec!["scope".to_owned(), "scp".to_owned()],
            roles: "roles".to_owned(),
            permissions: "permissions".to_owned(),
        }
    }
}

impl ClaimNames {
    /// Returns whether a name is empty, for example because a variable of the environment is not set.
    pub(crate) fn has_empty(&self) -> bool {
        let single = [&self.subject, &self.roles, &self.permissions];
        single.into_iter().chain(&self.scopes).any(String::is_empty)
    }
}

impl Claims {
    /// The claim of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The identity of the subject claim; `None` if the token has none, or one that is not a name.
    ///
    /// A client identifier never stands in for the subject, or all users of one client would be the same
    /// caller. A client that calls for itself is the `sub` of its token (RFC 9068 §2.2 and §5).
    ///
    /// `clock_skew` is how far the issuer's clock may be off.
    pub(crate) fn into_identity(
        self,
        names: &ClaimNames,
        clock_skew: Duration,
        issuer: Option<Arc<str>>,
    ) -> Option<Identity> {
        let subject = self.get(&names.subject).and_then(Value::as_str);
        let subject = subject.filter(|subject| !subject.is_empty())?;
        let scopes = names.scopes.iter().flat_map(|name| self.words(name));
        let identity = Identity::new(subject)
            .with_scopes(scopes)
            .with_roles(self.strings(&names.roles))
            .with_permissions(self.strings(&names.permissions))
            .with_amr(self.strings("amr"))
            .with_clock_skew(clock_skew)
            .with_extension(self.clone());
        let identity = match self.get("acr").and_then(Value::as_str) {
            Some(acr) => identity.with_acr(acr),
            None => identity,
        };
        let identity = match issuer {
            Some(issuer) => identity.with_issuer(issuer),
            None => identity,
        };
        Some(match self.auth_time() {
            Some(time) => identity.with_auth_time(time),
            None => identity,
        })
    }

    /// Whether these are the claims of an ID token, a refresh token, a logout token or another security
    /// event, by their own account (RFC 8725 §3.11).
    pub(crate) fn are_of_another_kind(&self) -> bool {
        let is_access = match self.get("token_use") {
            None | Some(Value::Null) => true,
            Some(kind) => names_one_of(kind, &["access", "access_token"]),
        };
        let kind = self.get("typ");
        let is_other = kind.is_some_and(|kind| names_one_of(kind, &OTHER_KINDS));
        !is_access || is_other || OTHER_CLAIMS.iter().any(|name| self.get(name).is_some())
    }

    /// The issuer that is named.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.get("iss").and_then(Value::as_str)
    }

    /// The time at which the token was issued.
    #[cfg(feature = "jwks")]
    pub(super) fn issued(&self) -> Option<SystemTime> {
        self.time("iat")
    }

    fn auth_time(&self) -> Option<SystemTime> {
        self.time("auth_time")
    }

    /// When the token expires.
    #[cfg(feature = "token-cache")]
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.time("exp")
    }

    /// From when on the token is good.
    #[cfg(feature = "introspection")]
    pub(crate) fn begins(&self) -> Option<SystemTime> {
        self.time("nbf")
    }

    /// A number of seconds since 1970 (RFC 7519 §2); what is none, or beyond all clocks, counts as
    /// not there.
    fn time(&self, name: &str) -> Option<SystemTime> {
        let seconds = self.get(name)?.as_f64()?;
        let since = Duration::try_from_secs_f64(seconds).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    }

    /// An array of strings, or the words of one string.
    fn words(&self, name: &str) -> Vec<&str> {
        match self.get(name) {
            Some(Value::String(words)) => {
                words.split(' ').filter(|word| !word.is_empty()).collect()
            }
            _ => self.strings(name),
        }
    }

    /// An array of strings, or one string.
    pub(crate) fn strings(&self, name: &str) -> Vec<&str> {
        match self.get(name) {
            Some(Value::String(string)) => vec![string],
            Some(Value::Array(members)) => members.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// The tokens of Keycloak that are not access tokens, by the claim `typ`.
const OTHER_KINDS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];

/// The claims of security events (RFC 8417 §2.2), such as logout tokens, and the hashes that only ID
/// tokens have (OpenID Connect Core §3.3.2.11).
const OTHER_CLAIMS: [&str; 3] = ["events", "at_hash", "c_hash"];

fn names_one_of(value: &Value, names: &[&str]) -> bool {
    let value = value.as_str();
    value.is_some_and(|value| names.iter().any(|name| name.eq_ignore_ascii_case(value)))
}

/// The claims of a token of which nothing is verified yet: to find its issuer by, and for nothing else.
pub(super) fn unverified(token: &str) -> Option<Claims> {
    let token = jsonwebtoken::dangerous::insecure_decode::<Claims>(token);
    token.ok().map(|token| token.claims)
}

impl fmt::Debug for Claims {
    /// Names only: what they say is about a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
