//! Callers of claims, without a signed token, for tests.

use std::time::UNIX_EPOCH;

use auth_runtime_core::Caller;
use serde_json::{Map, Value, json};

use super::issuer_name::IssuerName;
use super::rules::TokenRules;
use super::{Claims, Jwt};

#[cfg(not(any(debug_assertions, auth_testing_in_release)))]
compile_error!(
    "the feature `testing` of `auth-runtime` makes callers of unsigned claims, and this build has no \
     debug assertions: move the feature to `[dev-dependencies]`"
);

impl Jwt {
    /// The caller of a valid token with these claims, by the rules of the issuer that they name: its claim
    /// names, conditions and revocations. Nothing is signed. Requires the feature `testing`, which must not be
    /// part of a release.
    ///
    /// Absent claims that a token needs are added: `iss`, `aud` and `exp`, and those of RFC 9068. Without
    /// `iss`, the issuer is the first one.
    ///
    /// ```
    /// use auth_runtime::Identity;
    /// # fn test(jwt: auth_runtime::schemes::Jwt) {
    /// // jwt: the verifier of the service, with `.roles_claim("groups")`.
    /// let caller = jwt.caller_of(serde_json::json!({ "sub": "ann", "groups": ["editor"] }));
    /// assert!(caller.identity().is_some_and(|ann| ann.has_role("editor")));
    /// # }
    /// ```
    pub fn caller_of(&self, claims: impl Into<Value>) -> Caller {
        let claims = match claims.into() {
            Value::Object(claims) => Claims(claims),
            _ => return Caller::rejected(),
        };
        let mut issuers = self.0.iter();
        let named = issuers.clone().find(|own| own.rules.issuer.is_of(&claims));
        let issuer = named.or_else(|| issuers.next().filter(|_| claims.issuer().is_none()));
        let Some(issuer) = issuer else {
            return Caller::rejected();
        };
        let accepted = issuer.rules.accept(issuer.rules.complete(claims));
        match accepted.and_then(|claims| issuer.rules.identify(claims)) {
            Ok(identity) => issuer.unless_revoked(identity),
            Err(rejection) => Caller::Rejected(rejection),
        }
    }
}

impl TokenRules {
    /// Adds absent claims that the tokens of this issuer have.
    fn complete(&self, claims: Claims) -> Claims {
        let now = self.clock.now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let mut all = Map::new();
        if let IssuerName::One(name) = &self.issuer {
            all.insert("iss".to_owned(), json!(**name));
        }
        match (self.audiences.first(), self.clients.first()) {
            (Some(audience), _) => all.insert("aud".to_owned(), json!(audience)),
            (None, Some(client)) => all.insert("client_id".to_owned(), json!(client)),
            (None, None) => None,
        };
        all.insert("exp".to_owned(), json!(now + 3600));
        if self.access_tokens_only {
            all.insert("iat".to_owned(), json!(now));
            for name in ["aud", "client_id", "jti"] {
                all.entry(name).or_insert_with(|| json!("test"));
            }
        }
        all.extend(claims.0);
        Claims(all)
    }
}
