//! The identity that a proxy names.

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::ProxyIdentity;

use super::requests::Sent;
use super::service::{Answer, Subject, router_of, service};
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "proxy_identity",
    cost: 1,
    dictionary: &[
        "@peer: 10.0.0.7:4711",
        "@peer: [::ffff:10.0.0.7]:1",
        "@peer: 10.0.0.8:1",
        "remote-user: ",
        "remote_user: ",
        "remote-groups: ",
        "ann",
        "staff, admin",
        "ünal",
        "(null)",
        "{http.reverse_proxy.header.Remote-User}",
    ],
    start: || service(Proxy),
};

pub(super) fn proxy() -> ProxyIdentity {
    let address = "10.0.0.7/32".parse().expect("a network");
    let proxy = ProxyIdentity::builder([address]).roles_field("Remote-Groups");
    proxy.build().expect("a proxy")
}

/// Returns whether the peer is the proxy.
pub(super) fn is_of_proxy(sent: &Sent) -> bool {
    let peer = sent.peer.map(|peer| peer.ip().to_canonical().to_string());
    peer.as_deref() == Some("10.0.0.7")
}

struct Proxy;

impl Subject for Proxy {
    fn router(&self) -> ProtectedRouter {
        router_of(proxy())
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        let lines: Vec<_> = sent.fields.get_all("remote-user").iter().collect();
        let groups = sent.fields.get_all("remote-groups").iter().count();
        let [line] = lines.as_slice() else {
            return false;
        };
        let is_unset = ["", "(null)"]
            .map(str::as_bytes)
            .contains(&line.as_bytes().trim_ascii())
            || line.as_bytes().trim_ascii().starts_with(b"{http.");
        is_of_proxy(sent) && !is_unset && groups < 2
    }

    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        if sent.method == "HEAD" {
            return;
        }
        let named = sent.fields["remote-user"].as_bytes();
        let name = std::str::from_utf8(named).expect("UTF-8");
        assert_eq!(answer.body, name.trim().as_bytes());
        assert!(!name.contains(char::is_control), "{name:?}");
    }
}
