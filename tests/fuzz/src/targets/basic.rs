//! Basic (RFC 7617).

use auth_runtime::schemes::Basic;
use auth_runtime::{Caller, Identity, ProtectedRouter};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::requests::Sent;
use super::service::{Subject, router_of, service};
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "basic",
    cost: 1,
    dictionary: &[
        "authorization: ",
        "Basic ",
        "YW5uOnNlY3JldA==",
        "YW5uOg==",
        "Og==",
        "=",
        "proxy-authorization: ",
        "sec-fetch-mode: cors",
        "sec-fetch-mode: navigate",
        "accept: text/html",
    ],
    start: || service(Logins),
};

/// Accepts `ann` with the password `secret`.
pub(super) fn basic() -> Basic {
    Basic::new(|user, password| async move {
        match (user.as_str(), password.as_str()) {
            ("ann", "secret") => Caller::known(Identity::new("ann")),
            ("down", _) => Caller::unverifiable(),
            _ => Caller::rejected(),
        }
    })
}

/// Returns whether a request has this login, in any padding.
pub(super) fn has_login(sent: &Sent) -> bool {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let Some((scheme, token)) = sent.credentials() else {
        return false;
    };
    let decoded = GeneralPurpose::new(&STANDARD, lenient).decode(token.trim());
    scheme.eq_ignore_ascii_case("basic") && decoded.is_ok_and(|login| login == b"ann:secret")
}

struct Logins;

impl Subject for Logins {
    fn router(&self) -> ProtectedRouter {
        router_of(basic())
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        has_login(sent)
    }
}
