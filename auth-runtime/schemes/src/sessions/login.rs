//! The login that a session holds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime_core::{Caller, Identity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The grants of a logged-in user. A session holds them as one text in JSON, without absent values, since
/// stores and `tower-sessions` copy a session several times for each request. The login time is in whole
/// seconds, which is sufficient for `max_age`.
#[derive(Deserialize, Serialize)]
pub(super) struct SessionLogin {
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
    auth_time: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    clock_skew: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}

impl SessionLogin {
    /// The key in the session.
    pub(super) const KEY: &str = "auth-runtime.login";

    /// Creates a login with the time of the identity, or else the present time.
    pub(super) fn now(identity: &Identity) -> Self {
        let owned = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
        let time = identity.auth_time().unwrap_or_else(SystemTime::now);
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            subject: identity.subject().to_owned(),
            issuer: identity.issuer().map(str::to_owned),
            scopes: owned(&mut identity.scopes()),
            roles: owned(&mut identity.roles()),
            permissions: owned(&mut identity.permissions()),
            acr: identity.acr().map(str::to_owned),
            amr: owned(&mut identity.amr()),
            auth_time: since_1970.as_secs(),
            clock_skew: identity.clock_skew().as_secs(),
        }
    }

    /// Returns the value to keep.
    pub(super) fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_string(self).map(Value::String)
    }

    /// Returns `None` if the kept value is not a login.
    fn from_value(kept: &Value) -> Option<Self> {
        serde_json::from_str(kept.as_str()?).ok()
    }

    /// Returns whether the kept value is a login of `identity`.
    pub(super) fn is_of(identity: &Identity, kept: &Value) -> bool {
        Self::from_value(kept).is_some_and(|login| {
            login.subject == identity.subject() && login.issuer.as_deref() == identity.issuer()
        })
    }

    /// Returns the caller of the kept value. It is rejected if the value is not a login.
    pub(super) fn caller(kept: &Value) -> Caller {
        let identity = Self::from_value(kept).and_then(Self::into_identity);
        identity.map_or(Caller::rejected(), Caller::known)
    }

    /// Returns `None` if the time is out of range.
    fn into_identity(self) -> Option<Identity> {
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(self.auth_time))?;
        let identity = Identity::new(self.subject)
            .with_scopes(self.scopes)
            .with_roles(self.roles)
            .with_permissions(self.permissions)
            .with_amr(self.amr)
            .with_auth_time(time)
            .with_clock_skew(Duration::from_secs(self.clock_skew));
        let identity = match self.issuer {
            Some(issuer) => identity.with_issuer(issuer),
            None => identity,
        };
        Some(match self.acr {
            Some(acr) => identity.with_acr(acr),
            None => identity,
        })
    }
}
