//! Caveats of relationships.

use std::time::{Duration, SystemTime};

use auth_runtime::Identity;
use auth_runtime::objects::{DecisionPoint, Evaluation, EvaluationRequest, Permitted, Resource};
use http::Method;

use crate::process::Server;
use crate::writes::relationship;

const SCHEMA: &str = r#"
definition user {}

caveat from_network(ip ipaddress, network string) { ip.in_cidr(network) }
caveat with_role(roles list<string>, role string) { role in roles }
caveat with_scope(scopes list<string>, scope string) { scope in scopes }
caveat with_permission(permissions list<string>, grant string) { grant in permissions }
caveat until(time timestamp, end timestamp) { time < end }
caveat after_login(auth_time timestamp, begin timestamp) { auth_time > begin }
caveat with_login(acr string, amr list<string>) { acr == "urn:strong" && "otp" in amr }
caveat of_issuer(issuer string, trusted string) { issuer == trusted }
caveat of_request(method string, path string) { method == "POST" && path == "/reports" }
caveat on_device(device string) { device == "tv" }

definition document {
    relation reader: user with from_network | user with with_role | user with with_scope | user with with_permission | user with until | user with after_login | user with with_login | user with of_issuer | user with of_request | user with on_device
    permission read = reader
}
"#;

#[tokio::test]
async fn parameters_are_those_of_the_request() {
    let server = Server::start();
    server.write_schema(SCHEMA).await;
    let caveats: [(&str, &[(&str, &str)]); 10] = [
        ("from_network", &[("network", "192.0.2.0/24")]),
        ("with_role", &[("role", "editor")]),
        ("with_scope", &[("scope", "documents:read")]),
        ("with_permission", &[("grant", "reports")]),
        ("until", &[("end", "2030-01-01T00:00:00Z")]),
        ("after_login", &[("begin", "2029-12-31T00:00:00Z")]),
        ("with_login", &[]),
        ("of_issuer", &[("trusted", "https://login.example")]),
        ("of_request", &[]),
        ("on_device", &[]),
    ];
    let relationships = caveats.map(|(name, context)| {
        relationship(&format!("document:{name}#reader@user:ann")).with_caveat(name, context)
    });
    server.write(&relationships).await;
    let new_year = SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000);
    let strong = Identity::new("ann")
        .with_roles(["admin", "editor"])
        .with_scopes(["documents:read"])
        .with_permissions(["reports"])
        .with_acr("urn:strong")
        .with_amr(["pwd", "otp"])
        .with_issuer("https://login.example")
        .with_auth_time(new_year - Duration::from_secs(60));
    let weak = Identity::new("ann")
        .with_roles(["reader"])
        .with_acr("urn:weak")
        .with_amr(["pwd"])
        .with_issuer("https://other.example")
        .with_auth_time(new_year - Duration::from_secs(200_000));
    let bare = Identity::new("ann");
    let inside = Some([192, 0, 2, 7].into());
    let outside = Some([198, 51, 100, 7].into());
    let second = Duration::from_secs(1);
    let all = &caveats.map(|(name, _)| name)[..9];
    for (name, identity, address, time, method, path, expected) in [
        (
            "all",
            &strong,
            inside,
            new_year - second,
            Method::POST,
            "/reports",
            all,
        ),
        (
            "other address",
            &strong,
            outside,
            new_year - second,
            Method::POST,
            "/reports",
            &all[1..],
        ),
        (
            "no address",
            &strong,
            None,
            new_year - second,
            Method::POST,
            "/reports",
            &all[1..],
        ),
        (
            "other request",
            &strong,
            None,
            new_year - second,
            Method::POST,
            "/report",
            &all[1..8],
        ),
        (
            "weak caller",
            &weak,
            inside,
            new_year - second,
            Method::GET,
            "/reports",
            &["from_network", "until"][..],
        ),
        (
            "late",
            &weak,
            inside,
            new_year,
            Method::GET,
            "/",
            &["from_network"][..],
        ),
        (
            "nothing is known",
            &bare,
            None,
            new_year,
            Method::GET,
            "/",
            &[][..],
        ),
    ] {
        let engine = server.engine().build().unwrap();
        let evaluations =
            caveats.map(|(name, _)| Evaluation::new("read", Resource::new("Document", name)));
        let mut request = EvaluationRequest::new(identity, &evaluations);
        request.address = address;
        request.time = time;
        request.method = &method;
        request.path = path;
        let decided = engine.evaluate(request).await.unwrap();
        let allowed = caveats
            .iter()
            .zip(decided)
            .filter(|(_, decision)| decision.is_allowed());
        let allowed: Vec<_> = allowed.map(|((name, _), _)| *name).collect();
        assert_eq!(allowed, expected, "{name}");
        request.evaluations = &[];
        let Permitted::Ids(listed) = engine.permitted("read", "Document", request).await.unwrap()
        else {
            panic!("no ids");
        };
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{name}");
    }
}

/// A server refuses longer contexts, also for a schema without caveats.
#[tokio::test]
async fn long_context_is_left_out() {
    let server = Server::start();
    server.write_schema(SCHEMA).await;
    let by_role =
        relationship("document:role#reader@user:ann").with_caveat("with_role", &[("role", "r1")]);
    let by_time = relationship("document:time#reader@user:ann")
        .with_caveat("until", &[("end", "9999-01-01T00:00:00Z")]);
    server.write(&[by_role, by_time]).await;
    let engine = server.engine().build().unwrap();
    let evaluations =
        ["role", "time"].map(|id| Evaluation::new("read", Resource::new("Document", id)));
    for (number, expected) in [(2, [true, true]), (5000, [false, true])] {
        let ann = Identity::new("ann").with_roles((0..number).map(|number| format!("r{number}")));
        let decided = crate::decide(&engine, &ann, &evaluations).await;
        assert_eq!(decided, Ok(expected.to_vec()), "{number}");
    }
}
