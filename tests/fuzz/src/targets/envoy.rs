//! `X-Forwarded-Client-Cert`, the field of Envoy. Each input is also sent as the elements of earlier proxies, before
//! an element of the own proxy.

use auth_runtime::schemes::{CertificateSource, MutualTls, PeerCertificate};
use auth_runtime::{Caller, Identity, ProtectedRouter};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::proxy_identity::is_of_proxy;
use super::requests::{Sent, fill};
use super::service::{Answer, SHOWN, Service, Subject, router_of, service};
use crate::{Check, Target};

const FIELD: &str = "x-forwarded-client-cert";
/// The maximum length of the field.
const MAX_FIELD: usize = 16 * 1024;
/// In place of DER.
const CERTIFICATE: &[u8] = b"the certificate of ann, in DER";
/// An element of the own proxy.
const OWN: &str = "By=spiffe://shop.example/api;\
                   Hash=0101010101010101010101010101010101010101010101010101010101010101;\
                   Subject=\"O=A\\, B,CN=own\";URI=spiffe://shop.example/own";
const OWN_NAMES: &str =
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE O=A\\, B,CN=own spiffe://shop.example/own";

pub(super) const TARGET: Target = Target {
    name: "envoy",
    cost: 2,
    dictionary: &[
        "@peer: 10.0.0.7:4711",
        "@peer: 10.0.0.8:4711",
        "x-forwarded-client-cert: ",
        "Hash=abababababababababababababababababababababababababababababababab",
        "Hash={hash}",
        "Cert=\"{pem}\"",
        "Subject=\"CN=ann\"",
        "Subject=\"O=A\\, B\"",
        "URI=spiffe://shop.example/ann",
        "DNS=ann.example",
        "By=spiffe://shop.example/api",
        "Chain=\"x\"",
        "hash=",
        "URI=",
        ";",
        ",",
        "\"",
        "\\\"",
        "\\",
        "=",
        " ",
    ],
    start,
};

fn start() -> Check {
    let mut check = service(Envoy);
    let service = Service::new(Envoy.router());
    Box::new(move |input| {
        let outcome = check(input);
        let Some(sent) = Sent::parse(&filled(input), SHOWN) else {
            return outcome;
        };
        let Some(field) = sent.only(FIELD) else {
            return outcome;
        };
        let respond = |field: &str| {
            let mut sent = sent.clone();
            sent.fields
                .insert(FIELD, field.parse().expect("a field value"));
            service.respond(sent.to_request())
        };
        let answer = respond(field);
        // Earlier elements and unknown keys change nothing, unless the line is too long or has no end.
        if field.len() + 16 < MAX_FIELD {
            for with_ignored in [format!("By=a,{field}"), format!("{field};Later=x")] {
                let other = respond(&with_ignored);
                assert_eq!(answer.status, other.status, "{with_ignored}");
                assert_eq!(answer.body, other.body, "{with_ignored}");
            }
        }
        // The element of the own proxy is the last one.
        let forwarded = respond(&format!("{field},{OWN}"));
        if forwarded.status == 200 && sent.method != "HEAD" {
            assert_eq!(forwarded.body, OWN_NAMES.as_bytes(), "{field}");
        }
        outcome
    })
}

fn filled(input: &[u8]) -> Vec<u8> {
    let certificate = PeerCertificate::new(CERTIFICATE);
    let hash = URL_SAFE_NO_PAD.decode(certificate.thumbprint());
    let hash: String = hash
        .expect("a hash")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let der = STANDARD.encode(CERTIFICATE).replace('=', "%3D");
    let pem = format!("-----BEGIN%20CERTIFICATE-----%0A{der}%0A-----END%20CERTIFICATE-----%0A");
    fill(input, &[("hash", &hash), ("pem", &pem)])
}

struct Envoy;

impl Subject for Envoy {
    fn router(&self) -> ProtectedRouter {
        let proxies = ["10.0.0.7/32".parse().expect("a network")];
        let source = CertificateSource::x_forwarded_client_cert(proxies).expect("a proxy");
        router_of(MutualTls::new(source, async |certificate| {
            let subject = certificate.forwarded_subject().map(str::to_owned);
            let names = [
                vec![certificate.thumbprint().to_owned()],
                Vec::from_iter(subject),
            ];
            let names = names.concat().into_iter().chain(certificate.uris());
            let names: Vec<_> = names.chain(certificate.dns_names()).collect();
            Caller::known(Identity::new(names.join(" ")))
        }))
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        filled(input)
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        is_of_proxy(sent) && sent.only(FIELD).is_some_and(|field| names(field).is_some())
    }

    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        let names = sent.only(FIELD).and_then(names).expect("names");
        if sent.method != "HEAD" {
            assert_eq!(String::from_utf8_lossy(&answer.body), names);
        }
    }
}

/// The hash and the names of the last element. It expects a well-formed line.
fn names(field: &str) -> Option<String> {
    let element = split(field, ',').pop()?;
    let (mut hash, mut certificate, mut subject) = (None, None, None);
    let (mut uris, mut dns_names) = (Vec::new(), Vec::new());
    for pair in split(element, ';') {
        let (key, value) = pair.split_once('=')?;
        let value = value.trim();
        let unquoted = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let value = unquoted.unwrap_or(value);
        if value.is_empty() {
            continue;
        }
        match key.trim() {
            key if key.eq_ignore_ascii_case("hash") => hash = Some(value),
            key if key.eq_ignore_ascii_case("cert") => certificate = Some(value),
            key if key.eq_ignore_ascii_case("subject") => subject = Some(value),
            key if key.eq_ignore_ascii_case("uri") => uris.push(value),
            key if key.eq_ignore_ascii_case("dns") => dns_names.push(value),
            _ => {}
        }
    }
    if let Some(certificate) = certificate {
        let text = percent_encoding::percent_decode_str(certificate).decode_utf8_lossy();
        let lines = text.lines().filter(|line| !line.contains("-----"));
        let letters: String = lines.flat_map(str::split_whitespace).collect();
        let der = STANDARD.decode(letters).ok()?;
        // It has no names.
        return Some(PeerCertificate::new(der).thumbprint().to_owned());
    }
    let hash = hash.filter(|hash| hash.len() == 64)?;
    let bytes = (0..32).map(|at| u8::from_str_radix(hash.get(2 * at..2 * at + 2)?, 16).ok());
    let hash = URL_SAFE_NO_PAD.encode(bytes.collect::<Option<Vec<_>>>()?);
    let names = [hash.as_str()].into_iter().chain(subject);
    let names: Vec<_> = names.chain(uris).chain(dns_names).collect();
    Some(names.join(" "))
}

/// Splits a text outside its quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(|letter| {
        let is_end = letter == at && !is_quoted;
        if letter == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = letter == '\\' && is_quoted && !is_escaped;
        is_end
    })
    .collect()
}
