//! All schemes together: the choice between credentials, and ambiguous ones.

use auth_runtime::{ProtectedRouter, ProtectionSpace, UnknownPaths};

use super::requests::Sent;
use super::service::{Subject, router, service};
use super::{api_key, basic, bearer, proxy_identity, sessions};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "credentials",
    cost: 1,
    dictionary: &[
        "authorization: ",
        "Bearer ",
        "Basic YW5uOnNlY3JldA==",
        "Basic Og==",
        bearer::TOKEN,
        "access_token=",
        "cookie: sid=",
        sessions::SESSION,
        "x-api-key: ",
        api_key::KEY,
        "@peer: 10.0.0.7:4711",
        "remote-user: ann",
        "sec-fetch-site: cross-site",
        "sec-fetch-mode: cors",
        "content-type: application/x-www-form-urlencoded",
        "accept: text/html",
        "accept: application/json",
        "down",
    ],
    start,
};

fn start() -> Check {
    let kinds = [UnknownPaths::NotFound, UnknownPaths::Challenge];
    let mut checks = kinds.map(|unknown_paths| service(All { unknown_paths }));
    Box::new(move |input| Outcome::of_all(checks.each_mut().map(|check| check(input))))
}

struct All {
    unknown_paths: UnknownPaths,
}

impl Subject for All {
    fn router(&self) -> ProtectedRouter {
        let space = ProtectionSpace::builder()
            .realm("fuzz")
            .unknown_paths(self.unknown_paths)
            .scheme(bearer::bearer())
            .scheme(basic::basic())
            .scheme(api_key::keys())
            .scheme(proxy_identity::proxy())
            .scheme(sessions::sessions());
        router(space.build().expect("a space"))
    }

    /// One kind of credentials is valid, and no field of explicit ones occurs twice.
    fn may_be_granted(&self, sent: &Sent) -> bool {
        let lines = |name| sent.fields.get_all(name).iter().count();
        let is_valid = bearer::has_token(sent)
            || basic::has_login(sent)
            || sent.only("x-api-key") == Some(api_key::KEY)
            || (proxy_identity::is_of_proxy(sent) && lines("remote-user") == 1)
            || sessions::has_session(sent);
        is_valid && lines("authorization") < 2 && lines("x-api-key") < 2
    }
}
