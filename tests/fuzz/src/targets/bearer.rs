//! Bearer tokens in `Authorization`, in the query and in a form (RFC 6750 §2), of an opaque verifier.

use auth_runtime::schemes::Bearer;
use auth_runtime::{Caller, Identity, ProtectedRouter};

use super::requests::Sent;
use super::service::{Subject, router_of, service};
use crate::Target;

pub(super) const TOKEN: &str = "vF9dft4qmTcNbZiXGVOa7p.of-the-fuzzer~_+/==";
/// The same in a query or in a form.
const ENCODED: &str = "vF9dft4qmTcNbZiXGVOa7p.of-the-fuzzer~_%2B%2F%3D%3D";

pub(super) const TARGET: Target = Target {
    name: "bearer",
    cost: 1,
    dictionary: &[
        "authorization: ",
        "Bearer ",
        "bearer ",
        "DPoP ",
        "Basic YW5uOnNlY3JldA==",
        TOKEN,
        ENCODED,
        "access_token=",
        "content-type: application/x-www-form-urlencoded",
        "content-type: application/json",
        "&access_token=",
        "access%5Ftoken=",
        "down",
        "POST ",
        "GET ",
        "HEAD ",
    ],
    start: || service(Tokens),
};

pub(super) fn bearer() -> Bearer {
    let bearer = Bearer::new(|token: String| async move {
        match token.as_str() {
            TOKEN => Caller::known(Identity::new("ann")),
            "down" => Caller::unverifiable(),
            _ => Caller::rejected(),
        }
    });
    bearer.accept_query().accept_form()
}

/// Returns whether the token is anywhere in a request, also percent-encoded.
pub(super) fn has_token(sent: &Sent) -> bool {
    let query = sent.uri.query().unwrap_or_default();
    let decoded = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace('+', " ");
        let bytes = percent_encoding::percent_decode_str(&text).collect::<Vec<_>>();
        String::from_utf8_lossy(&bytes).contains(TOKEN)
    };
    sent.contains(TOKEN) || decoded(query.as_bytes()) || decoded(&sent.body)
}

struct Tokens;

impl Subject for Tokens {
    fn router(&self) -> ProtectedRouter {
        router_of(bearer())
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        has_token(sent) && sent.fields.get_all("authorization").iter().count() < 2
    }
}
