//! The log of each scheme, with credentials that it accepts, rejects and cannot verify.

use std::collections::BTreeSet;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::events::Outcome;
use auth_runtime::routing::post;
use auth_runtime::schemes::{
    CertificateSource, Digest as DigestScheme, DigestAlgorithm, DigestSecret, MutualTls, Password,
    PeerCertificate, ProxyIdentity, Scheme, SchemeExt, Sessions, SignedUrls, Tokens, Webhooks,
};
use auth_runtime::{Caller, ProtectedRouter};
use auth_tests::BoxedApp;
use auth_tests::digest::Login;
use auth_tests::proof::ProofKey;
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, request};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::*;

const BODY: &str = "a body";
const PROXY: &str = "10.0.0.7:4711";

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_no_scheme_are_logged() {
    listen();
    let mut sent = Requests::default();
    send_tokens(&mut sent).await;
    send_proofs(&mut sent).await;
    send_keys(&mut sent).await;
    send_passwords(&mut sent).await;
    send_answers_of_digest(&mut sent).await;
    send_sessions(&mut sent).await;
    send_signatures(&mut sent).await;
    send_identities_of_connections(&mut sent).await;

    let mut missing = scheme_names().await;
    let accepted = sent.accepted.lock().expect("nobody panics");
    missing.retain(|name| !accepted.contains(name));
    assert!(missing.is_empty(), "no accepted request of {missing:?}");
    let events = [
        "for another target than that of the request",
        "the session store is not available",
        "a request has a session's cookie and no session",
        "a request has a session's cookie and no `alloc::string::String`",
        "the certificate of a client cannot be parsed",
        "a proxy sent a client certificate that cannot be read",
        "is ignored: that is not the address of a proxy",
        "the hash of a user cannot be looked up",
        "the hash of a user that was looked up is not of the form",
    ];
    assert_log(&events, &sent.secrets);
}

/// Returns the names of the schemes of the crate.
async fn scheme_names() -> BTreeSet<String> {
    let app = GuardedRouter::new().route("/", get(page));
    let app = app.protect(auth_runtime::testing::space());
    let request = Request::get("/").body(Body::empty()).expect("a request");
    let response = app.expect("in order").oneshot(request).await;
    let response = response.expect("infallible");
    let challenges = response.headers().get_all("www-authenticate").iter();
    let names = challenges.map(|line| {
        let line = line.to_str().expect("ASCII");
        line.split(' ').next().expect("a name").to_owned()
    });
    // The only one without a challenge.
    names.chain(["SignedUrl".to_owned()]).collect()
}

#[requires(authenticated)]
async fn page() {}

fn ann() -> Identity {
    Identity::new("ann")
}

fn rejected() -> String {
    format!("not-{MARKER}")
}

fn unverifiable() -> String {
    format!("down-{MARKER}")
}

/// Returns the caller with this secret.
fn caller_of(secret: &str) -> Caller {
    match secret {
        MARKER => Caller::known(ann()),
        _ if secret.starts_with("down") => Caller::unverifiable(),
        _ => Caller::rejected(),
    }
}

/// Secrets, and the response to each.
fn secrets() -> [(String, u16); 3] {
    [
        (MARKER.to_owned(), 200),
        (rejected(), 401),
        (unverifiable(), 503),
    ]
}

fn jwt() -> Jwt {
    let key = JwtKey::hs256(MARKER).expect("it is long enough");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    jwt.build().expect("in order")
}

fn get_page() -> request::Builder {
    Request::get("/page")
}

fn authorized(value: String) -> request::Builder {
    get_page().header("authorization", value)
}

/// The requests that were sent.
#[derive(Default)]
struct Requests {
    secrets: Vec<String>,
    /// The schemes of granted requests.
    accepted: Arc<Mutex<BTreeSet<String>>>,
}

impl Requests {
    /// A page behind this scheme. Basic is beside a scheme without a challenge.
    fn app(&self, scheme: impl Scheme) -> ProtectedRouter {
        let accepted = Arc::clone(&self.accepted);
        let has_challenge = scheme.has_challenge();
        let mut space = ProtectionSpace::builder().realm("lab").scheme(scheme);
        if !has_challenge {
            space = space.scheme(Basic::new(async |_, _| Caller::rejected()));
        }
        let space = space.trace_subjects(true).audit(move |record| {
            if record.outcome() == Outcome::Granted {
                let mut accepted = accepted.lock().expect("nobody panics");
                accepted.extend(record.scheme().map(str::to_owned));
            }
        });
        GuardedRouter::new()
            .route("/page", get(page).merge(post(page)))
            .protect(space.build().expect("in order"))
            .expect("in order")
    }

    /// Keeps the forms of a secret, which the log must not contain.
    fn keep(&mut self, secret: &str) {
        self.secrets.extend(traces_of(secret));
    }

    fn keep_token(&mut self, token: &str) {
        self.secrets.extend(parts_of(token));
    }

    /// Sends a request, and returns the fields of the response.
    async fn send(&self, app: &impl App, request: request::Builder, status: u16) -> HeaderMap {
        let request = request.body(Body::from(BODY)).expect("a request");
        let sent = format!("{} {:?}", request.uri(), request.headers());
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{sent}");
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        let text = format!("{:?} {}", head.headers, String::from_utf8_lossy(&body));
        assert_eq!(leaks(&text, &self.secrets), Vec::<String>::new(), "{sent}");
        head.headers
    }

    /// Sends a request whose target and fields have a secret that was kept.
    async fn send_secret(&self, app: &impl App, request: request::Builder, status: u16) {
        let fields = request.headers_ref().expect("a valid request");
        let sent = format!("{:?} {fields:?}", request.uri_ref());
        assert!(!leaks(&sent, &self.secrets).is_empty(), "{sent}");
        self.send(app, request, status).await;
    }
}

async fn send_tokens(sent: &mut Requests) {
    let token = signed(json!({}));
    sent.keep_token(&token);
    let forged = format!("{token}A");
    let bearer = sent.app(Bearer::jwt(jwt()));
    let carried = jwt().in_field("x-token").build().expect("in order");
    let carried = sent.app(carried);
    for (token, status) in [(&token, 200), (&forged, 401)] {
        let request = authorized(format!("Bearer {token}"));
        sent.send_secret(&bearer, request, status).await;
        let request = get_page().header("x-token", token);
        sent.send_secret(&carried, request, status).await;
    }
    let twice = authorized(format!("Bearer {token}"));
    let twice = twice.header("authorization", format!("Bearer {token}"));
    sent.send_secret(&bearer, twice, 400).await;

    let own = Tokens::new("Token", async |token: String| caller_of(&token));
    let own = sent.app(own);
    for (secret, status) in secrets() {
        sent.keep(&secret);
        let request = authorized(format!("Token {secret}"));
        sent.send_secret(&own, request, status).await;
    }
}

async fn send_proofs(sent: &mut Requests) {
    let dpop = Dpop::jwt(jwt()).origin(AUDIENCE).build();
    let app = sent.app(dpop.expect("in order"));
    let key = ProofKey::new();
    let token = signed(json!({ "cnf": { "jkt": key.thumbprint() } }));
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(since.expect("after 1970").as_secs()).expect("a time");
    let url = format!("{AUDIENCE}/page");
    let proof = key.prove("GET", &url, &token, now);
    let other = key.prove("POST", &url, &token, now);
    for secret in [&token, &proof, &other] {
        sent.keep_token(secret);
    }
    for (proof, status) in [(&proof, 200), (&proof, 401), (&other, 401)] {
        let request = authorized(format!("DPoP {token}")).header("dpop", proof);
        sent.send_secret(&app, request, status).await;
    }
}

async fn send_keys(sent: &mut Requests) {
    let look_up = ApiKeys::look_up(async |key: String| caller_of(&key));
    let looked_up = sent.app(look_up.build().expect("in order"));
    for (secret, status) in secrets() {
        sent.keep(&secret);
        let request = get_page().header("x-api-key", secret);
        sent.send_secret(&looked_up, request, status).await;
    }
    let keys = ApiKeys::builder().key(MARKER, Identity::new("app")).build();
    let both = Bearer::jwt(jwt()).with_application(keys.expect("in order"));
    let both = sent.app(both);
    let token = signed(json!({}));
    for (key, status) in [(MARKER.to_owned(), 200), (rejected(), 401)] {
        let request = authorized(format!("Bearer {token}")).header("x-api-key", key);
        sent.send_secret(&both, request, status).await;
    }
}

async fn send_passwords(sent: &mut Requests) {
    let basic = Basic::new(async |_, password: Password| caller_of(password.as_str()));
    let app = sent.app(basic);
    for (secret, status) in secrets() {
        sent.keep(&secret);
        let login = format!("ann:{secret}");
        sent.keep(&login);
        let request = authorized(format!("Basic {}", STANDARD.encode(login)));
        sent.send_secret(&app, request, status).await;
    }
    let hashes = PasswordHashes::look_up(async |user: String| match user.as_str() {
        "ann" => Ok(Some((hash_of_marker().to_owned(), ann()))),
        "bob" => Ok(Some((MARKER.to_owned(), Identity::new("bob")))),
        "eve" => Ok(None),
        _ => Err("the directory is down"),
    });
    let hashes = hashes.stand_in(hash_of_marker()).build();
    let app = sent.app(Basic::password_hashes(hashes.expect("in order")));
    sent.keep(hash_of_marker());
    for (user, status) in [("ann", 200), ("bob", 503), ("eve", 401), ("joe", 503)] {
        let login = format!("{user}:{MARKER}");
        sent.keep(&login);
        let request = authorized(format!("Basic {}", STANDARD.encode(login)));
        sent.send_secret(&app, request, status).await;
    }
}

async fn send_answers_of_digest(sent: &mut Requests) {
    let secret = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "lab", MARKER);
    let secret = secret.expect("in order");
    sent.keep(secret.to_line().rsplit(':').next().expect("a hash"));
    let digest = DigestScheme::builder("lab").user(secret, ann()).build();
    let app = sent.app(digest.expect("in order"));
    let challenged = sent.send(&app, get_page(), 401).await;
    let challenge = challenged["www-authenticate"].to_str().expect("ASCII");
    let (_, nonce) = challenge.split_once(" nonce=\"").expect("a nonce");
    let (nonce, _) = nonce.split_once('"').expect("its end");
    let good = Login {
        nonce: nonce.to_owned(),
        uri: "/page".to_owned(),
        ..Login::new("SHA-256", "ann", "lab", MARKER)
    };
    let wrong = Login {
        password: rejected(),
        ..good.clone()
    };
    let elsewhere = Login {
        uri: "/other".to_owned(),
        ..good.clone()
    };
    for (login, status) in [(&wrong, 401), (&good, 200), (&good, 401), (&elsewhere, 400)] {
        sent.keep(&login.response());
        let request = authorized(login.authorization());
        sent.send_secret(&app, request, status).await;
    }
}

async fn send_sessions(sent: &mut Requests) {
    let cookie = |value: &str| get_page().header("cookie", format!("login={value}"));
    let look_up = Sessions::look_up(async |value: String| caller_of(&value));
    let looked_up = sent.app(look_up.cookie("login").build().expect("in order"));
    for (secret, status) in secrets() {
        sent.keep(&secret);
        sent.send_secret(&looked_up, cookie(&secret), status).await;
    }
    let absent = Sessions::in_extension(async |_: String| Caller::rejected());
    let absent = sent.app(absent.cookie("login").build().expect("in order"));
    sent.send_secret(&absent, cookie(MARKER), 503).await;

    let store = MemoryStore::default();
    let session = Session::new(None, Arc::new(store.clone()), None);
    let logged_in = Sessions::log_in(&session, &ann()).await;
    logged_in.expect("the store is there");
    session.save().await.expect("the store is there");
    let live = session.id().expect("a session").to_string();
    let ended = Id::default().to_string();
    let both = format!("{ended}; login={live}");
    for id in [&live, &ended] {
        sent.keep(id);
    }
    let without_layers = sent.app(sessions());
    let with_layers = BoxedApp::new(behind_layers(&without_layers, store));
    let with_outage = BoxedApp::new(behind_layers(&without_layers, Down));
    for (app, id, status) in [
        (&with_layers, live.as_str(), 200),
        (&with_layers, &both, 200),
        (&with_layers, &ended, 401),
        (&with_layers, MARKER, 401),
        (&with_outage, &live, 503),
        (&with_outage, &both, 503),
        (&BoxedApp::new(without_layers), &live, 503),
    ] {
        sent.send_secret(app, cookie(id), status).await;
    }
}

fn sessions() -> Sessions {
    let sessions = Sessions::builder().cookie("login").build();
    sessions.expect("in order")
}

fn behind_layers(app: &ProtectedRouter, store: impl SessionStore + Clone) -> impl App {
    let manager = SessionManagerLayer::new(store.clone()).with_name("login");
    app.clone()
        .layer(manager)
        .layer(sessions().cookie_layer(store))
}

/// A store of sessions that is not available.
#[derive(Clone, Debug)]
struct Down;

/// The expansion of a trait method by `async_trait`.
type Answer<'a, T> = BoxFuture<'a, session_store::Result<T>>;

fn down<'a, T: Send + 'a>() -> Answer<'a, T> {
    let error = session_store::Error::Backend("it is down".to_owned());
    Box::pin(ready(Err(error)))
}

impl SessionStore for Down {
    fn save<'a: 'f, 'r: 'f, 'f>(&'a self, _: &'r Record) -> Answer<'f, ()> {
        down()
    }

    fn load<'a: 'f, 'r: 'f, 'f>(&'a self, _: &'r Id) -> Answer<'f, Option<Record>> {
        down()
    }

    fn delete<'a: 'f, 'r: 'f, 'f>(&'a self, _: &'r Id) -> Answer<'f, ()> {
        down()
    }
}

async fn send_signatures(sent: &mut Requests) {
    let links = SignedUrls::builder().key("2026", MARKER.as_bytes());
    let links = links.build().expect("in order");
    let link = links.sign(&Method::GET, "/page", Duration::from_secs(60), &ann());
    let link = link.expect("it can be signed");
    let app = sent.app(links);
    let (_, query) = link.split_once('?').expect("a query");
    let (_, signature) = link.rsplit_once('=').expect("a signature");
    for secret in [query, signature] {
        sent.keep(secret);
    }
    for (link, status) in [(link.clone(), 200), (format!("{link}&more=1"), 401)] {
        sent.send_secret(&app, Request::get(link), status).await;
    }

    let hooks = Webhooks::github().secret(MARKER).identity(ann());
    let app = sent.app(hooks.build().expect("in order"));
    let signature = |secret: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
        let mac = mac.expect("a key").chain_update(BODY);
        hex(&mac.finalize().into_bytes())
    };
    for (signature, status) in [(signature(MARKER), 200), (signature(&rejected()), 401)] {
        sent.keep(&signature);
        let signature = format!("sha256={signature}");
        let request = Request::post("/page").header("x-hub-signature-256", signature);
        sent.send_secret(&app, request, status).await;
    }
}

/// A certificate, and a name in the field of a proxy, are personal data rather than secrets.
async fn send_identities_of_connections(sent: &mut Requests) {
    let peer = |address: &str| -> SocketAddr { address.parse().expect("an address") };
    let proxies = || ["10.0.0.7/32".parse().expect("a network")];
    let find = async |certificate: PeerCertificate| match certificate.der() {
        Some(der) if certificate.dns_names().is_empty() => caller_of(&String::from_utf8_lossy(der)),
        _ => Caller::rejected(),
    };
    let app = sent.app(MutualTls::new(CertificateSource::connection(), find));
    for (secret, status) in secrets() {
        sent.keep(&secret);
        let request = get_page().extension(PeerCertificate::new(secret));
        sent.send(&app, request, status).await;
    }
    let source = CertificateSource::client_cert(proxies()).expect("in order");
    let app = sent.app(MutualTls::new(source, find));
    let unreadable = get_page().header("client-cert", MARKER);
    sent.send_secret(&app, unreadable.extension(peer(PROXY)), 401)
        .await;

    let proxy = ProxyIdentity::builder(proxies()).build();
    let app = sent.app(proxy.expect("in order"));
    let known = get_page()
        .header("remote-user", "ann")
        .extension(peer(PROXY));
    sent.send(&app, known, 200).await;
    let unknown = get_page().header("remote-user", MARKER);
    sent.send_secret(&app, unknown.extension(peer("192.0.2.1:4711")), 401)
        .await;
}
