//! `X-Forwarded-Client-Cert`, the field of Envoy.

use auth_runtime::schemes::MutualTls;

use super::credentials::status_from;
use super::proxies::{PROXY, escaped_pem, networks};
use super::*;

#[requires(authenticated)]
async fn subject() {}

const WORKLOAD: &str = "spiffe://shop.example/ns/orders/sa/api";

/// Accepts one workload, by its name.
fn app() -> ProtectedRouter {
    let source = CertificateSource::x_forwarded_client_cert(networks(&["10.0.0.7/32"]));
    let scheme = MutualTls::new(
        source.expect("a proxy"),
        async |certificate| match certificate.spiffe_id("shop.example") {
            Some(id) if id == WORKLOAD => Caller::known(Identity::new(id)),
            _ => Caller::rejected(),
        },
    );
    let routes = GuardedRouter::new().route("/subject", get(subject));
    routes.protect(space(scheme)).expect("routes")
}

fn hash(certificate: &Certified) -> String {
    let digest = Sha256::digest(certificate.der());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_last_element_counts() {
    let app = app();
    let hash = "a".repeat(64);
    let own = format!(
        "By=spiffe://shop.example/api;Hash={hash};Subject=\"O=A\\, B,CN=api\";URI={WORKLOAD}"
    );
    let other = format!("Hash={hash};URI=spiffe://shop.example/other");
    let own_of_length = |length| {
        let begin = format!("{own};By=");
        format!("{begin:a<length$}")
    };
    for (name, value, status) in [
        ("one", own.clone(), 200),
        (
            "keys in another case",
            own.replace("Hash", "HASH").replace("URI", "uri"),
            200,
        ),
        ("quoted", format!("Hash=\"{hash}\";URI=\"{WORKLOAD}\""), 200),
        ("empty names", format!("{own};DNS="), 200),
        ("unknown keys", format!("{own};Later=x"), 200),
        ("the last of two", format!("{other},{own}"), 200),
        (
            "the last of two, with a space",
            format!("{other}, {own}"),
            200,
        ),
        ("another is the last", format!("{own},{other}"), 401),
        (
            "a quoted element in a name",
            format!("Hash={hash};Subject=\"a,{own}\""),
            401,
        ),
        ("another workload", other.clone(), 401),
        ("two names", format!("{own};URI={WORKLOAD}"), 401),
        ("no hash", format!("URI={WORKLOAD}"), 401),
        ("two hashes", format!("{own};Hash={hash}"), 401),
        ("a short hash", own.replace(&hash, "aa"), 401),
        ("not a hash", own.replace(&hash, &"x".repeat(64)), 401),
        ("an open quote", format!("{own};Subject=\"a"), 401),
        ("an empty element", format!("{own},"), 401),
        (
            "an earlier element that is not well-formed",
            format!("x,{own}"),
            401,
        ),
        ("empty", String::new(), 401),
        ("64 names", format!("{own}{}", ";DNS=a".repeat(63)), 200),
        ("65 names", format!("{own}{}", ";DNS=a".repeat(64)), 401),
        ("two subjects", format!("{own};Subject=\"CN=b\""), 401),
        ("16 KiB", own_of_length(16 << 10), 200),
        ("longer than 16 KiB", own_of_length((16 << 10) + 1), 401),
    ] {
        let lines = [("x-forwarded-client-cert", value)];
        assert_eq!(status_from(&app, PROXY, &lines).await, status, "{name}");
        assert_eq!(
            status_from(&app, "10.0.0.8:1", &lines).await,
            401,
            "{name}: no proxy"
        );
    }
    let twice = ["x-forwarded-client-cert"; 2].map(|name| (name, own.clone()));
    assert_eq!(status_from(&app, PROXY, &twice).await, 401);
}

#[tokio::test]
async fn names_are_those_of_element() {
    let source = CertificateSource::x_forwarded_client_cert(networks(&["10.0.0.7/32"]));
    let scheme = MutualTls::new(source.expect("a proxy"), async |certificate| {
        let names = [certificate.uris(), certificate.dns_names()].concat();
        let subject = certificate.forwarded_subject().unwrap_or("no subject");
        let seen = format!("{subject} | {}", names.join(" "));
        match seen.as_str() {
            r"O=A\, B,CN=api | spiffe://shop.example/x a.example *.b.example" => {
                Caller::known(Identity::new(seen))
            }
            _ => Caller::rejected(),
        }
    });
    let routes = GuardedRouter::new().route("/subject", get(subject));
    let app = routes.protect(space(scheme)).expect("routes");
    let names = "DNS=a.example;URI=spiffe://shop.example/x;DNS=*.b.example";
    for (subject, status) in [
        (r#"Subject="O=A\, B,CN=api";"#, 200),
        (r#"Subject="O=A\, B,CN=web";"#, 401),
        (r#"Subject="";"#, 401),
        ("", 401),
    ] {
        let value = format!("Hash={};{subject}{names}", "a".repeat(64));
        let lines = [("x-forwarded-client-cert", value)];
        assert_eq!(status_from(&app, PROXY, &lines).await, status, "{subject}");
    }
}

#[tokio::test]
async fn certificates_agree_with_their_hash() {
    let clients = Clients::new();
    let workload = clients.authority.certify_uris(&[WORKLOAD]);
    let app = app();
    let (pem, digest) = (escaped_pem(&workload), hash(&workload));
    for (name, value, status) in [
        ("both", format!("Hash={digest};Cert=\"{pem}\""), 200),
        ("the certificate only", format!("Cert=\"{pem}\""), 200),
        // The names of the certificate are its own.
        (
            "another name beside it",
            format!("Cert=\"{pem}\";URI=spiffe://shop.example/x"),
            200,
        ),
        (
            "the name only beside it",
            format!("Cert=\"{}\";URI={WORKLOAD}", escaped_pem(&clients.other)),
            401,
        ),
        (
            "the hash of another",
            format!("Hash={};Cert=\"{pem}\"", hash(&clients.other)),
            401,
        ),
        ("twice", format!("Cert=\"{pem}\";Cert=\"{pem}\""), 401),
        ("no PEM", "Cert=\"x\"".to_owned(), 401),
        (
            "no PEM beside a hash and a name",
            format!("Hash={digest};Cert=\"x\";URI={WORKLOAD}"),
            401,
        ),
        ("the chain instead", format!("Chain=\"{pem}\""), 401),
    ] {
        let lines = [("x-forwarded-client-cert", value)];
        assert_eq!(status_from(&app, PROXY, &lines).await, status, "{name}");
    }
}

/// The hash is enough for a token that is bound to the certificate.
#[tokio::test]
async fn tokens_are_bound_to_the_hash() {
    let clients = Clients::new();
    let source = CertificateSource::x_forwarded_client_cert(networks(&["10.0.0.7/32"]));
    let bearer = Bearer::jwt(rsa_verifier()).client_certificate(source.expect("a proxy"));
    let routes = GuardedRouter::new().route("/subject", get(bound));
    let app = routes.protect(space(bearer)).expect("routes");
    for (certificate, status) in [(&clients.own, 200), (&clients.other, 401)] {
        let lines = [
            (
                "x-forwarded-client-cert",
                format!("Hash={}", hash(certificate)),
            ),
            (
                "authorization",
                format!("Bearer {}", bound_token(&clients.own)),
            ),
        ];
        assert_eq!(status_from(&app, PROXY, &lines).await, status);
    }
}
