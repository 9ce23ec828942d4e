//! Session cookies, and their protection against requests of other sites.

use auth_runtime::schemes::Sessions;
use auth_runtime::{Caller, Identity, ProtectedRouter};

use super::requests::Sent;
use super::service::{Subject, router_of, service};
use crate::Target;

pub(super) const SESSION: &str = "c2Vzc2lvbi1vZi1hbm4";

pub(super) const TARGET: Target = Target {
    name: "sessions",
    cost: 1,
    dictionary: &[
        "cookie: ",
        "sid=",
        "__Host-sid=",
        "%73id=",
        SESSION,
        "sid=c2Vzc2lvbi1vZi1hbm4; ",
        "sid=down; ",
        "sid=cart; ",
        "; ",
        "sec-fetch-site: same-origin",
        "sec-fetch-site: cross-site",
        "sec-fetch-site: none",
        "sec-fetch-mode: navigate",
        "sec-fetch-dest: document",
        "origin: https://shop.example",
        "origin: null",
        "host: shop.example",
        "upgrade: websocket",
        "connection: upgrade",
        "accept: text/html",
        "POST ",
        "GET ",
    ],
    start: || service(Cookies),
};

pub(super) fn sessions() -> Sessions {
    let sessions = Sessions::look_up(|value: String| async move {
        match value.as_str() {
            SESSION => Caller::known(Identity::new("ann")),
            "down" => Caller::unverifiable(),
            "cart" => Caller::Anonymous,
            _ => Caller::rejected(),
        }
    });
    let sessions = sessions.cookie("sid").login_page("/login");
    sessions.build().expect("a cookie")
}

/// Returns whether a request has the cookie of the session.
pub(super) fn has_session(sent: &Sent) -> bool {
    let lines = sent.fields.get_all("cookie").iter();
    let texts = lines.map(|line| String::from_utf8_lossy(line.as_bytes()));
    let mut texts = texts.collect::<Vec<_>>().into_iter();
    texts.any(|line| {
        line.split(';').any(|pair| {
            let named = pair.split_once('=');
            named.is_some_and(|(name, value)| name.trim() == "sid" && value.trim() == SESSION)
        })
    })
}

struct Cookies;

impl Subject for Cookies {
    fn router(&self) -> ProtectedRouter {
        router_of(sessions())
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        let changes_state = sent.method == "POST";
        let other_site = matches!(
            sent.only("sec-fetch-site"),
            Some("cross-site" | "same-site")
        );
        has_session(sent) && !(changes_state && other_site)
    }
}
