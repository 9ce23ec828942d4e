//! The claims of a verified token, and its grants.

use std::fmt;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_runtime_core::Identity;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::rejected_token::RejectedToken;

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
#[derive(Clone)]
pub struct Claims(pub(super) Map<String, Value>);

/// The place of a claim: its name, or the names that lead to it through objects.
///
/// Dots and slashes in a name have no special meaning, since some issuers name claims by URLs.
///
/// ```
/// use auth_runtime::schemes::ClaimPath;
///
/// let auth0 = ClaimPath::from("https://shop.example/roles");
/// let keycloak = ClaimPath::from(["realm_access", "roles"]);
/// // An object with a key for each role.
/// let zitadel = ClaimPath::from("urn:zitadel:iam:org:project:roles").keys();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    names: Vec<String>,
    is_of_keys: bool,
}

impl ClaimPath {
    /// Takes the keys of the object at this place, in place of an array of strings.
    #[must_use]
    pub fn keys(self) -> Self {
        Self {
            is_of_keys: true,
            ..self
        }
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() || self.names.iter().any(String::is_empty)
    }
}

impl From<&str> for ClaimPath {
    fn from(name: &str) -> Self {
        Self::from([name])
    }
}

impl From<String> for ClaimPath {
    fn from(name: String) -> Self {
        Self::from([&*name])
    }
}

impl<const N: usize> From<[&str; N]> for ClaimPath {
    fn from(names: [&str; N]) -> Self {
        Self {
            names: names.map(str::to_owned).to_vec(),
            is_of_keys: false,
        }
    }
}

/// The claims that identify a caller and grant something.
pub(crate) struct ClaimNames {
    pub(crate) subject: ClaimPath,
    pub(crate) scopes: Vec<ClaimPath>,
    /// A text that is put before each scope.
    pub(crate) scope_prefix: Option<String>,
    pub(crate) roles: Vec<ClaimPath>,
    pub(crate) permissions: Vec<ClaimPath>,
}

impl ClaimNames {
    /// Without roles and permissions.
    pub(crate) fn new() -> Self {
        Self {
            subject: "sub".into(),
            scopes: vec!["scope".into(), "scp".into()],
            scope_prefix: None,
            roles: Vec::new(),
            permissions: Vec::new(),
        }
    }

    /// The same with the default claims for roles and permissions, if none were given.
    pub(crate) fn or_default(mut self) -> Self {
        if self.roles.is_empty() {
            self.roles.push("roles".into());
        }
        if self.permissions.is_empty() {
            self.permissions.push("permissions".into());
        }
        self
    }

    /// Returns whether a name is empty, for example because a variable of the environment is not set.
    pub(crate) fn has_empty(&self) -> bool {
        let lists = [&self.scopes, &self.roles, &self.permissions];
        let mut paths = lists.into_iter().flatten().chain([&self.subject]);
        paths.any(ClaimPath::is_empty)
    }
}

impl Claims {
    /// The claim of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The claim at a place.
    pub fn at(&self, path: &ClaimPath) -> Option<&Value> {
        let (first, others) = path.names.split_first()?;
        let mut value = self.get(first)?;
        for name in others {
            value = value.as_object()?.get(name)?;
        }
        Some(value)
    }

    /// The names at these places. With `in_words`, a string has several, separated by spaces.
    fn names_at<'c>(
        &'c self,
        paths: &'c [ClaimPath],
        in_words: bool,
    ) -> impl Iterator<Item = &'c str> {
        let values = paths.iter().filter_map(|path| Some((self.at(path)?, path)));
        values.flat_map(move |(value, path)| {
            let (keys, words, others) = match value {
                value if path.is_of_keys => (value.as_object(), "", None),
                Value::String(words) if in_words => (None, words.as_str(), None),
                value => (None, "", Some(value)),
            };
            let keys = keys.into_iter().flatten().map(|(key, _)| key.as_str());
            let words = words.split(' ').filter(|word| !word.is_empty());
            keys.chain(words)
                .chain(others.into_iter().flat_map(strings))
        })
    }

    /// The identity of the subject claim; `None` if the token has none, or one that is not a name.
    ///
    /// A client identifier never replaces the subject. Otherwise all users of one client would be the same
    /// caller. A client that acts for itself is the `sub` of its token (RFC 9068 §2.2 and §5).
    ///
    /// `clock_skew` is how far the issuer's clock may be off.
    pub(crate) fn into_identity(
        self,
        names: &ClaimNames,
        clock_skew: Duration,
        issuer: Option<Arc<str>>,
    ) -> Option<Identity> {
        let subject = self.at(&names.subject).and_then(Value::as_str);
        let subject = subject.filter(|subject| !subject.is_empty())?;
        let scopes = self.names_at(&names.scopes, true);
        let identity = Identity::new(subject);
        let identity = match &names.scope_prefix {
            None => identity.with_scopes(scopes),
            Some(prefix) => identity.with_scopes(scopes.map(|scope| format!("{prefix}{scope}"))),
        };
        let identity = identity
            .with_roles(self.names_at(&names.roles, false))
            .with_permissions(self.names_at(&names.permissions, false));
        Some(self.complete(identity, clock_skew, issuer))
    }

    /// Adds the data that do not depend on the service: the issuer, method and time of the login,
    /// the time from which the token is rejected, and the claims.
    pub(crate) fn complete(
        self,
        identity: Identity,
        clock_skew: Duration,
        issuer: Option<Arc<str>>,
    ) -> Identity {
        let amr = self.get("amr").into_iter().flat_map(strings);
        let mut identity = identity.with_amr(amr).with_clock_skew(clock_skew);
        if let Some(acr) = self.get("acr").and_then(Value::as_str) {
            identity = identity.with_acr(acr);
        }
        if let Some(issuer) = issuer {
            identity = identity.with_issuer(issuer);
        }
        if let Some(time) = self.auth_time() {
            identity = identity.with_auth_time(time);
        }
        let end = self.expiry().and_then(|time| time.checked_add(clock_skew));
        if let Some(end) = end {
            let earlier = identity.expiry().map_or(end, |own| own.min(end));
            identity = identity.with_expiry(earlier);
        }
        identity.with_extension(self)
    }

    /// Returns whether these are the claims of an ID token, a refresh token, a logout token or
    /// another security event (RFC 8725 §3.11).
    pub(crate) fn are_of_another_kind(&self) -> bool {
        let is_access = self.is_absent_or("token_use", &["access", "access_token"]);
        let kind = self.get("typ");
        let is_other = kind.is_some_and(|kind| names_one_of(kind, &OTHER_KINDS));
        !is_access || is_other || OTHER_CLAIMS.iter().any(|name| self.get(name).is_some())
    }

    /// Returns whether a claim is absent or `null`, or has one of these names in any letter case.
    pub(crate) fn is_absent_or(&self, claim: &str, names: &[&str]) -> bool {
        match self.get(claim) {
            None | Some(Value::Null) => true,
            Some(value) => names_one_of(value, names),
        }
    }

    /// Returns whether a claim is one of these values, or an array with one of them.
    pub(crate) fn has_one_of(&self, claim: &str, values: &[String]) -> bool {
        let mut own = self.get(claim).into_iter().flat_map(strings);
        own.any(|own| values.iter().any(|value| value == own))
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

    /// The time from which on the token is expired.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.time("exp")
    }

    /// Checks `exp` and `nbf` where they are present (RFC 7519 §4.1.4, §4.1.5). `clock_skew` is how far
    /// the issuer's clock may be off.
    pub(crate) fn check_times(
        &self,
        now: SystemTime,
        clock_skew: Duration,
    ) -> Result<(), RejectedToken> {
        if self.get("exp").is_some() {
            let expiry = self.expiry();
            let expiry = expiry.ok_or(RejectedToken::invalid("its `exp` is not a time"))?;
            if expiry.checked_add(clock_skew).is_none_or(|end| end <= now) {
                return Err(RejectedToken::EXPIRED);
            }
        }
        if self.get("nbf").is_some() {
            let begin = self.time("nbf");
            let begin = begin.ok_or(RejectedToken::invalid("its `nbf` is not a time"))?;
            if begin > now + clock_skew {
                return Err(RejectedToken::invalid("its `nbf` is in the future"));
            }
        }
        Ok(())
    }

    /// Returns a number of seconds since 1970 (RFC 7519 §2). `None` for another value, or one
    /// beyond the range of the clock.
    fn time(&self, name: &str) -> Option<SystemTime> {
        let seconds = self.get(name)?.as_f64()?;
        let distance = Duration::try_from_secs_f64(seconds.abs()).ok()?;
        if seconds < 0.0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        }
    }
}

/// One string, or those of an array.
fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let members = match value {
        Value::Array(members) => members,
        _ => slice::from_ref(value),
    };
    members.iter().filter_map(Value::as_str)
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

impl<'de> Deserialize<'de> for Claims {
    /// Claims with one name twice are an error (RFC 7519 §4).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueNames;

        impl<'de> Visitor<'de> for UniqueNames {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the claims")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Claims, M::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = members.next_entry()? {
                    if claims.insert(name, value).is_some() {
                        return Err(M::Error::custom("a claim twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }

        deserializer.deserialize_map(UniqueNames)
    }
}

impl fmt::Debug for Claims {
    /// Writes the names only, since the values are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
