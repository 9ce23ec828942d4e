//! Signed links.

use std::time::Duration;

use auth_runtime::schemes::SignedUrls;
use auth_runtime::{Identity, ProtectedRouter, ProtectionSpace};
use http::Method;

use super::basic::basic;
use super::requests::{Sent, fill};
use super::service::{SHOWN, Service, Subject, clock, router, service};
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "signed_urls",
    cost: 1,
    dictionary: &[
        "{link}",
        "?secret_link=",
        "&secret_link=",
        "secret%5Flink=",
        "&page=2",
        "POST ",
        "HEAD ",
        "2026-11.",
        "Basic YW5uOnNlY3JldA==",
        "authorization: ",
    ],
    start: || service(Links::new()),
};

struct Links {
    urls: SignedUrls,
    /// The query of a link to the visible path.
    query: String,
}

impl Links {
    fn new() -> Self {
        let key = b"the key of this month: 32 bytes!";
        let urls = SignedUrls::builder().key("2026-11", key).clock(clock());
        let urls = urls.build().expect("a key");
        let identity = Identity::new("ann").with_scopes(["files:read"]);
        let link = urls.sign(&Method::GET, SHOWN, Duration::from_secs(900), &identity);
        let link = link.expect("a link");
        let query = link.strip_prefix(SHOWN).expect("a query").to_owned();
        Self { urls, query }
    }
}

impl Subject for Links {
    fn router(&self) -> ProtectedRouter {
        let space = ProtectionSpace::builder()
            .realm("fuzz")
            .clock(clock())
            .scheme(self.urls.clone())
            .scheme(basic());
        router(space.build().expect("a space"))
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        fill(input, &[("link", &self.query)])
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        let is_signed = sent.uri == format!("{SHOWN}{}", self.query).as_str()
            && (sent.method == Method::GET || sent.method == Method::HEAD);
        let has_login = super::basic::has_login(sent);
        is_signed || has_login
    }
}
