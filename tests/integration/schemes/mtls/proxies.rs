//! The certificate that a proxy hands on in a field (RFC 9440, and the fields of nginx and others).

use auth_runtime::policy::IpNet;
use auth_runtime::schemes::TrustedProxiesError;
use auth_tests::App;

use super::*;

/// Sends the lines of a proxy at this address.
async fn status_from(app: &impl App, address: Option<&str>, lines: &Lines) -> u16 {
    let mut request = Request::get("/bound").body(Body::empty()).unwrap();
    if let Some(address) = address {
        let address: SocketAddr = address.parse().expect("an address");
        request.extensions_mut().insert(address);
    }
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value).expect("a field value");
        request.headers_mut().append(*name, value);
    }
    app.clone()
        .oneshot(request)
        .await
        .unwrap()
        .status()
        .as_u16()
}

pub(super) fn networks(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(super) const PROXY: &str = "10.0.0.7:4711";

#[tokio::test]
async fn only_trusted_proxies_are_believed() {
    let clients = Clients::new();
    let proxies = networks(&["10.0.0.7/32", "192.0.2.0/24", "2001:db8::7/128"]);
    let app = app(CertificateSource::client_cert(proxies).unwrap());
    let field = format!(":{}:", STANDARD.encode(clients.own.der()));
    let mut lines = bearer(bound_token(&clients.own));
    lines.push(("client-cert", field.into_bytes()));
    for (address, status) in [
        (Some("10.0.0.7:4711"), 200),
        (Some("10.0.0.7:1"), 200),
        (Some("192.0.2.200:1"), 200),
        (Some("[2001:db8::7]:1"), 200),
        // The form of an IPv4 address on a dual-stack socket.
        (Some("[::ffff:10.0.0.7]:1"), 200),
        (Some("10.0.0.8:4711"), 401),
        (Some("127.0.0.1:4711"), 401),
        (Some("[2001:db8::8]:1"), 401),
        (None, 401),
    ] {
        assert_eq!(
            status_from(&app, address, &lines).await,
            status,
            "{address:?}"
        );
    }
    lines.push(("x-forwarded-for", b"10.0.0.7".to_vec()));
    lines.push(("forwarded", b"for=10.0.0.7".to_vec()));
    let from_elsewhere = status_from(&app, Some("10.0.0.8:4711"), &lines).await;
    assert_eq!(from_elsewhere, 401, "addresses in fields");
}

#[tokio::test]
async fn client_cert_is_one_byte_sequence() {
    let clients = Clients::new();
    let app = app(CertificateSource::client_cert(networks(&["10.0.0.7/32"])).unwrap());
    let own = STANDARD.encode(clients.own.der());
    let other = STANDARD.encode(clients.other.der());
    let unpadded = own.trim_end_matches('=');
    let token = bound_token(&clients.own);
    for (name, fields, status) in [
        ("one", vec![format!(":{own}:")], 200),
        ("space around", vec![format!("  :{own}: ")], 200),
        ("without padding", vec![format!(":{unpadded}:")], 200),
        ("none", vec![], 401),
        ("of another", vec![format!(":{other}:")], 401),
        ("empty", vec![String::new()], 401),
        ("an empty sequence", vec!["::".to_owned()], 401),
        ("one colon", vec![":".to_owned()], 401),
        ("no colons", vec![own.clone()], 401),
        ("not closed", vec![format!(":{own}")], 401),
        (
            "the same twice",
            vec![format!(":{own}:"), format!(":{own}:")],
            401,
        ),
        ("two", vec![format!(":{own}:"), format!(":{other}:")], 401),
        (
            "two, the other way",
            vec![format!(":{other}:"), format!(":{own}:")],
            401,
        ),
        ("two on a line", vec![format!(":{own}:, :{other}:")], 401),
        ("a parameter", vec![format!(":{own}:;a=1")], 401),
        ("a space inside", vec![format!(": {own}:")], 401),
        ("no base64", vec![format!(":{own}*:")], 401),
        (
            "base64 for URLs",
            vec![format!(":{}:", own.replace(['+', '/'], "_"))],
            401,
        ),
        ("as nginx writes it", vec![escaped_pem(&clients.own)], 401),
        (
            "beyond all measure",
            vec![format!(":{}:", own.repeat(40))],
            401,
        ),
        ("no text", vec![format!(":{own}:\u{e9}")], 401),
    ] {
        if name == "base64 for URLs" && !own.contains(['+', '/']) {
            continue;
        }
        let mut lines = bearer(&token);
        let fields = fields.into_iter().map(String::into_bytes);
        lines.extend(fields.map(|value| ("client-cert", value)));
        assert_eq!(
            status_from(&app, Some(PROXY), &lines).await,
            status,
            "{name}"
        );
    }
}

/// An issuer that does not know the client's certificate may have hashed an empty one.
#[tokio::test]
async fn empty_fields_hold_no_certificate() {
    let token = token(json!({ "x5t#S256": PeerCertificate::new([]).thumbprint() }));
    let proxies = || networks(&["10.0.0.7/32"]);
    let empty_pem = escaped("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
    for (certificate, field, value) in [
        (
            CertificateSource::client_cert(proxies()),
            "client-cert",
            "::",
        ),
        (
            CertificateSource::ssl_client_cert(proxies()),
            "ssl-client-cert",
            &empty_pem,
        ),
    ] {
        let app = app(certificate.unwrap());
        let mut lines = bearer(&token);
        lines.push((field, value.as_bytes().to_vec()));
        assert_eq!(status_from(&app, Some(PROXY), &lines).await, 401, "{field}");
    }
}

/// Escapes like nginx: everything except letters, digits and `-._~`.
pub(super) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

pub(super) fn pem(certificate: &Certified) -> String {
    let encoded = STANDARD.encode(certificate.der());
    let lines = encoded.as_bytes().chunks(64);
    let lines: Vec<_> = lines
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

pub(super) fn escaped_pem(certificate: &Certified) -> String {
    escaped(&pem(certificate))
}

#[tokio::test]
async fn ssl_client_cert_is_one_pem() {
    let clients = Clients::new();
    let app = app(CertificateSource::ssl_client_cert(networks(&["10.0.0.7/32"])).unwrap());
    let own = pem(&clients.own);
    let other = pem(&clients.other);
    let token = bound_token(&clients.own);
    for (name, fields, status) in [
        ("one", vec![escaped(&own)], 200),
        (
            "other line ends",
            vec![escaped(&own.replace('\n', "\r\n"))],
            200,
        ),
        ("none", vec![], 401),
        ("of another", vec![escaped(&other)], 401),
        ("empty", vec![String::new()], 401),
        ("twice", vec![escaped(&own), escaped(&own)], 401),
        ("a chain", vec![escaped(&format!("{own}{other}"))], 401),
        (
            "text before it",
            vec![escaped(&format!("subject=x\n{own}"))],
            401,
        ),
        ("text behind it", vec![escaped(&format!("{own}x"))], 401),
        (
            "a key",
            vec![escaped(&own.replace("CERTIFICATE", "PUBLIC KEY"))],
            401,
        ),
        (
            "nothing in it",
            vec![escaped(
                "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            )],
            401,
        ),
        (
            "an escape cut off",
            vec![format!("{}%", escaped(&own))],
            401,
        ),
        ("not UTF-8", vec![format!("{}%FF", escaped(&own))], 401),
        (
            "beyond all measure",
            vec![escaped(&own.replacen('\n', &"\n".repeat(6000), 1))],
            401,
        ),
        (
            "as RFC 9440 wants it",
            vec![format!(":{}:", STANDARD.encode(clients.own.der()))],
            401,
        ),
    ] {
        let mut lines = bearer(&token);
        let fields = fields.into_iter().map(String::into_bytes);
        lines.extend(fields.map(|value| ("ssl-client-cert", value)));
        assert_eq!(
            status_from(&app, Some(PROXY), &lines).await,
            status,
            "{name}"
        );
        let wrong_place: Lines = lines
            .into_iter()
            .map(|(name, value)| {
                (
                    if name == "ssl-client-cert" {
                        "client-cert"
                    } else {
                        name
                    },
                    value,
                )
            })
            .collect();
        let elsewhere = status_from(&app, Some(PROXY), &wrong_place).await;
        assert_eq!(elsewhere, 401, "{name}: in the other field");
    }
}

/// `+`, `=` and `/` are not escaped.
#[tokio::test]
async fn load_balancers_of_aws_send_leaf() {
    const FIELD: &str = "x-amzn-mtls-clientcert-leaf";
    let has_plus = |clients: &Clients| pem(&clients.own).contains('+');
    let clients = std::iter::repeat_with(Clients::new).find(has_plus);
    let clients = clients.expect("the iterator has no end");
    let source = CertificateSource::x_amzn_mtls_clientcert_leaf(networks(&["10.0.0.0/24"]));
    let app = app(source.unwrap());
    let escaped_by_aws = |text: &str| {
        let unescaped = [("%2B", "+"), ("%3D", "="), ("%2F", "/")];
        let text = escaped(text);
        unescaped
            .iter()
            .fold(text, |text, (code, byte)| text.replace(code, byte))
    };
    let own = pem(&clients.own);
    let other = pem(&clients.other);
    let token = bound_token(&clients.own);
    for (name, field, values, status) in [
        ("the leaf", FIELD, vec![escaped_by_aws(&own)], 200),
        ("all escaped", FIELD, vec![escaped(&own)], 200),
        ("none", FIELD, vec![], 401),
        ("of another", FIELD, vec![escaped_by_aws(&other)], 401),
        ("twice", FIELD, vec![escaped_by_aws(&own); 2], 401),
        (
            "a chain",
            FIELD,
            vec![escaped_by_aws(&format!("{own}{other}"))],
            401,
        ),
        (
            "not verified",
            "x-amzn-mtls-clientcert",
            vec![escaped_by_aws(&own)],
            401,
        ),
        (
            "of nginx",
            "ssl-client-cert",
            vec![escaped_by_aws(&own)],
            401,
        ),
    ] {
        let mut lines = bearer(&token);
        lines.extend(values.into_iter().map(|value| (field, value.into_bytes())));
        let from_balancer = status_from(&app, Some(PROXY), &lines).await;
        assert_eq!(from_balancer, status, "{name}");
        let from_elsewhere = status_from(&app, Some("10.0.1.7:1"), &lines).await;
        assert_eq!(from_elsewhere, 401, "{name}");
    }
}

#[tokio::test]
async fn certificate_of_proxy_is_ignored() {
    let clients = Clients::new();
    let app = app(CertificateSource::client_cert(networks(&["127.0.0.1/32"])).unwrap());
    let address = tls::serve(app, &clients.authority).await;
    let of_proxy = &clients.other;
    let field = format!("client-cert: :{}:\r\n", STANDARD.encode(clients.own.der()));
    for (token, field, status) in [
        (bound_token(&clients.own), field.as_str(), 200),
        (bound_token(of_proxy), field.as_str(), 401),
        (bound_token(of_proxy), "", 401),
    ] {
        let fields = format!("authorization: Bearer {token}\r\n{field}");
        let answer = ask(address, &clients, Some(of_proxy), "/bound", &fields).await;
        assert_eq!(answer.0, status);
    }
}

#[test]
fn proxies_are_named_by_address() {
    let constructors: [fn(Vec<IpNet>) -> _; 4] = [
        |proxies| CertificateSource::client_cert(proxies),
        |proxies| CertificateSource::x_forwarded_client_cert(proxies),
        |proxies| CertificateSource::x_amzn_mtls_clientcert_leaf(proxies),
        |proxies| CertificateSource::ssl_client_cert(proxies),
    ];
    for from in constructors {
        assert_eq!(from(vec![]), Err(TrustedProxiesError::NoProxy));
        for everybody in ["0.0.0.0/0", "::/0"] {
            let error = from(networks(&["10.0.0.7/32", everybody])).unwrap_err();
            let network = everybody.parse().unwrap();
            assert_eq!(error, TrustedProxiesError::EveryAddress(network));
            assert!(error.to_string().contains(everybody), "{error}");
        }
        assert!(from(networks(&["10.0.0.0/8"])).is_ok());
    }
}

/// A client that is not a proxy can write each field, and its own certificate does not count either.
#[tokio::test]
async fn fields_of_other_peers_lack_certificates() {
    let clients = Clients::new();
    let own = clients.own.der();
    let proxies = || networks(&["10.0.0.7/32"]);
    let digest = Sha256::digest(own);
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    for (source, field, value) in [
        (
            CertificateSource::client_cert(proxies()),
            "client-cert",
            format!(":{}:", STANDARD.encode(own)),
        ),
        (
            CertificateSource::ssl_client_cert(proxies()),
            "ssl-client-cert",
            escaped_pem(&clients.own),
        ),
        (
            CertificateSource::x_amzn_mtls_clientcert_leaf(proxies()),
            "x-amzn-mtls-clientcert-leaf",
            escaped_pem(&clients.own),
        ),
        (
            CertificateSource::x_forwarded_client_cert(proxies()),
            "x-forwarded-client-cert",
            format!("Hash={hash}"),
        ),
    ] {
        let app = app(source.unwrap());
        for (peer, has_field, status) in [
            ("10.0.0.7:1", true, 200),
            ("10.0.0.7:1", false, 401),
            ("10.0.0.8:1", true, 401),
            ("10.0.0.8:1", false, 401),
        ] {
            let token = format!("Bearer {}", bound_token(&clients.own));
            let mut request = Request::get("/bound").header("authorization", token);
            if has_field {
                request = request.header(field, &value);
            }
            let mut request = request.body(Body::empty()).unwrap();
            let address: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(address);
            request.extensions_mut().insert(PeerCertificate::new(own));
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{field} from {peer}");
        }
    }
}

/// A layer behind the decision that changes the field changes the decision.
#[tokio::test]
async fn a_replaced_certificate_is_verified_anew() {
    #[requires(sender_constrained, hide_as = 404)]
    async fn hidden() {}

    type Write = fn(&Certified) -> String;

    let clients = Clients::new();
    let proxies = || networks(&["10.0.0.7/32"]);
    let sequence = |certificate: &Certified| format!(":{}:", STANDARD.encode(certificate.der()));
    let element = |certificate: &Certified| {
        let digest = Sha256::digest(certificate.der());
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        format!("Hash={}", digits.collect::<String>())
    };
    let written: [(_, _, Write); 3] = [
        (
            CertificateSource::client_cert(proxies()),
            "client-cert",
            sequence,
        ),
        (
            CertificateSource::ssl_client_cert(proxies()),
            "ssl-client-cert",
            escaped_pem,
        ),
        (
            CertificateSource::x_forwarded_client_cert(proxies()),
            "x-forwarded-client-cert",
            element,
        ),
    ];
    for (source, field, write) in written {
        let source = source.unwrap();
        for (replaced, expected) in [("x-other", 200), (field, 404)] {
            let other = HeaderValue::try_from(write(&clients.other)).unwrap();
            let replace = axum::middleware::map_request(move |mut request: Request| {
                request.headers_mut().insert(replaced, other.clone());
                std::future::ready(request)
            });
            let scheme = Bearer::jwt(rsa_verifier()).client_certificate(source.clone());
            let app = GuardedRouter::new()
                .route("/bound", get(hidden).layer(replace))
                .protect(space(scheme))
                .unwrap();
            let mut lines = bearer(bound_token(&clients.own));
            lines.push((field, write(&clients.own).into_bytes()));
            assert_eq!(
                status_from(&app, Some(PROXY), &lines).await,
                expected,
                "{replaced}"
            );
        }
    }
}
