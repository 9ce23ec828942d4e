//! An identity, as it is kept in a session.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::caller::Caller;
use crate::identity::Identity;

/// What was granted to somebody who logged in. What is not there is left out, since a session is copied
/// some times for each request. Whole seconds, since that is enough for what is asked of
/// the time of a login.
#[derive(Deserialize, Serialize)]
pub(super) struct Login {
    subject: String,
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

impl Login {
    /// Where it is kept.
    pub(super) const KEY: &str = "auth-runtime.login";

    /// A login of this moment, unless the identity knows better.
    pub(super) fn now(identity: &Identity) -> Self {
        let owned = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
        let time = identity.auth_time().unwrap_or_else(SystemTime::now);
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            subject: identity.subject().to_owned(),
            scopes: owned(&mut identity.scopes()),
            roles: owned(&mut identity.roles()),
            permissions: owned(&mut identity.permissions()),
            acr: identity.acr().map(str::to_owned),
            amr: owned(&mut identity.amr()),
            auth_time: since_1970.as_secs(),
            clock_skew: identity.clock_skew().as_secs(),
        }
    }

    /// Whether what was kept is a login of `identity`.
    pub(super) fn is_of(identity: &Identity, kept: Value) -> bool {
        let login = serde_json::from_value::<Self>(kept);
        login.is_ok_and(|login| login.subject == identity.subject())
    }

    /// Whom what was kept says to be logged in; nobody, if something else was put there.
    pub(super) fn caller(kept: Value) -> Caller {
        let login = serde_json::from_value::<Self>(kept).ok();
        let identity = login.and_then(Self::into_identity);
        identity.map_or(Caller::rejected(), Caller::known)
    }

    /// `None` if the time is none that there can be.
    fn into_identity(self) -> Option<Identity> {
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(self.auth_time))?;
        let identity = Identity::new(self.subject)
            .with_scopes(self.scopes)
            .with_roles(self.roles)
            .with_permissions(self.permissions)
            .with_amr(self.amr)
            .with_auth_time(time)
            .with_clock_skew(Duration::from_secs(self.clock_skew));
        Some(match self.acr {
            Some(acr) => identity.with_acr(acr),
            None => identity,
        })
    }
}
