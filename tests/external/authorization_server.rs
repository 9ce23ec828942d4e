//! Tokens of an independent authorization server (npm `oidc-provider`), while it rotates its keys,
//! is stopped, and is started again.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust:
//! `cargo test -p auth-tests --test authorization_server` installs its dependencies (see
//! `clients/setup.sh`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::schemes::{
    Bearer, Dpop, Introspection, IntrospectionBuilder, Jwt, JwtBuilder, TokenCache,
};
use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
use auth_tests::ports::free_port;
use auth_tests::programs::{Program, output_of, set_up};
use auth_tests::proof::ProofKey;
use serde_json::Value;
use ureq::Agent;

const RESOURCE: &str = "https://rs.example/api";

#[requires(scope = "orders:read")]
async fn orders() {}

#[requires(scope = "orders:read", sender_constrained)]
async fn bound_orders() {}

#[requires(scope = "orders:read", max_age = "15m")]
async fn recent_orders() {}

#[requires(scope = "orders:read", acr = "urn:example:two-factors")]
async fn dear_orders() {}

/// Serves handlers behind `space`, and returns the base URL.
async fn serve(space: ProtectionSpace) -> String {
    let app = GuardedRouter::new()
        .route("/orders", get(orders))
        .route("/recent", get(recent_orders))
        .route("/dear", get(dear_orders))
        .protect(space)
        .unwrap();
    format!("http://{}", auth_tests::serve(app).await)
}

/// The same for a space that binds tokens to keys.
async fn serve_bound(space: ProtectionSpace) -> String {
    let app = GuardedRouter::new().route("/bound", get(bound_orders));
    format!(
        "http://{}",
        auth_tests::serve(app.protect(space).unwrap()).await
    )
}

async fn serve_jwt(jwt: JwtBuilder) -> String {
    let bearer = Bearer::jwt(jwt.build().unwrap());
    serve(named().scheme(bearer).build().unwrap()).await
}

async fn serve_introspection(introspection: IntrospectionBuilder) -> String {
    let bearer = Bearer::introspection(introspection.build().unwrap());
    serve(named().scheme(bearer).build().unwrap()).await
}

fn named() -> auth_runtime::ProtectionSpaceBuilder {
    ProtectionSpace::builder().realm("orders")
}

/// The authorization server, with a folder of its own for its keys.
struct Server {
    folder: PathBuf,
    keys: PathBuf,
    issuer: String,
    key: ProofKey,
    program: Option<Program>,
}

impl Server {
    fn start(name: &str) -> Self {
        static FOLDER: OnceLock<PathBuf> = OnceLock::new();
        let folder =
            FOLDER.get_or_init(|| set_up(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients")));
        let keys = folder.join(format!("keys-of-{name}.json"));
        let _ = std::fs::remove_file(&keys);
        let mut server = Self {
            folder: folder.clone(),
            keys,
            issuer: String::new(),
            key: ProofKey::new(),
            program: None,
        };
        server.start_at(&free_port().to_string());
        server
    }

    fn start_at(&mut self, port: &str) {
        let mut node = Command::new("node");
        node.current_dir(&self.folder)
            .args(["authorization_server.mjs", "--port", port, "--keys"])
            .arg(&self.keys)
            .args(["--introspector", &self.key.jwk().to_string()]);
        let (program, issuer) = Program::start(&mut node, |line| Some(line.to_owned()));
        self.program = Some(program);
        self.issuer = issuer;
    }

    fn stop(&mut self) {
        self.program = None;
    }

    /// Starts the server again at the same address.
    fn start_again(&mut self) {
        let port = self.issuer.rsplit(':').next().expect("a port").to_owned();
        self.start_at(&port);
    }

    fn order(&mut self, order: &str) {
        self.program.as_mut().expect("it runs").order(order);
    }

    /// One token of each kind.
    fn tokens(&self) -> Value {
        let mut node = Command::new("node");
        node.current_dir(&self.folder).args([
            "mint.mjs",
            &self.issuer,
            RESOURCE,
            &self.key.private_jwk().to_string(),
        ]);
        serde_json::from_str(&output_of(&mut node)).expect("tokens")
    }

    fn verifier(&self) -> JwtBuilder {
        Jwt::builder()
            .issuer(&self.issuer)
            .audience(RESOURCE)
            .audience(format!("{RESOURCE}/rsa"))
            .rfc9068_only()
            .discover()
    }

    fn introspection(&self) -> IntrospectionBuilder {
        Introspection::builder()
            // Its opaque tokens belong to clients, without a user.
            .subject_claim("client_id")
            .endpoint(format!("{}/token/introspection", self.issuer))
            .audience(format!("{RESOURCE}/opaque"))
    }
}

/// A new token, if the server issues one.
fn mint(agent: &Agent, issuer: &str) -> Option<String> {
    let form = [
        ("grant_type", "client_credentials"),
        ("resource", RESOURCE),
        ("scope", "orders:read"),
    ];
    let answer = agent
        .post(format!("{issuer}/token"))
        .header("authorization", "Basic am9iOmpvYi1zZWNyZXQ=")
        .send_form(form);
    let text = answer.ok()?.body_mut().read_to_string().ok()?;
    let answer: Value = serde_json::from_str(&text).ok()?;
    answer["access_token"].as_str().map(str::to_owned)
}

fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false);
    config.build().into()
}

/// Status and challenges.
#[derive(Debug)]
struct Answer {
    status: u16,
    challenges: Vec<String>,
    retry_after: Option<String>,
}

fn ask(agent: &Agent, url: &str, lines: &[(&str, &str)]) -> Answer {
    let mut request = agent.get(url);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let answer = request.call().expect("an answer");
    let text = |value: &http::HeaderValue| value.to_str().expect("ASCII").to_owned();
    let challenges = answer.headers().get_all("www-authenticate");
    Answer {
        status: answer.status().as_u16(),
        challenges: challenges.iter().map(text).collect(),
        retry_after: answer.headers().get("retry-after").map(text),
    }
}

fn ask_with(agent: &Agent, url: &str, token: &str) -> Answer {
    ask(agent, url, &[("authorization", &format!("Bearer {token}"))])
}

/// A token that was minted.
fn of<'t>(tokens: &'t Value, name: &str) -> &'t str {
    tokens[name].as_str().expect("a token of that name")
}

/// Runs blocking work on another thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_every_kind_grant_scopes() {
    let server = Server::start("kinds");
    let tokens = server.tokens();
    let jwt = server.verifier().build().unwrap();
    jwt.fetch_keys()
        .await
        .expect("the keys are where the metadata say");
    let base = serve(named().scheme(Bearer::jwt(jwt)).build().unwrap()).await;
    blocking(move || {
        let agent = agent();
        for (name, path, status, error) in [
            ("jwt", "/orders", 200, None),
            ("rsa", "/orders", 200, None),
            // Bearer has no proof of possession, so a bound token is rejected.
            ("bound", "/orders", 401, Some("invalid_token")),
            ("opaque", "/orders", 401, Some("invalid_token")),
            ("password_now", "/recent", 200, None),
            (
                "password_now",
                "/dear",
                401,
                Some("insufficient_user_authentication"),
            ),
            ("password_long_ago", "/orders", 200, None),
            (
                "password_long_ago",
                "/recent",
                401,
                Some("insufficient_user_authentication"),
            ),
            ("two_factors_now", "/recent", 200, None),
            ("two_factors_now", "/dear", 200, None),
            (
                "jwt",
                "/recent",
                401,
                Some("insufficient_user_authentication"),
            ),
        ] {
            let answer = ask_with(&agent, &format!("{base}{path}"), of(&tokens, name));
            assert_eq!(answer.status, status, "{name} {path} {answer:?}");
            let error = error.map(|error| format!("error=\"{error}\""));
            let told = answer.challenges.concat();
            let is_told = error.is_none_or(|error| told.contains(&error));
            assert!(is_told, "{name} {path} {told}");
        }
        let stepped = ask_with(&agent, &format!("{base}/dear"), of(&tokens, "password_now"));
        assert!(stepped.challenges[0].contains("acr_values=\"urn:example:two-factors\""));
        let stale = ask_with(
            &agent,
            &format!("{base}/recent"),
            of(&tokens, "password_long_ago"),
        );
        assert!(stale.challenges[0].contains("max_age=\"900\""), "{stale:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bound_tokens_need_their_key() {
    let server = Server::start("bound");
    let tokens = server.tokens();
    let jwt = server.verifier().build().unwrap();
    // The URL of the service is known before it is served.
    let origin = "https://rs.example";
    let dpop = Dpop::jwt(jwt.clone())
        .origin(origin)
        .nonces()
        .build()
        .unwrap();
    let space = named()
        .scheme(Bearer::jwt(jwt))
        .scheme(dpop)
        .build()
        .unwrap();
    let base = serve_bound(space).await;
    blocking(move || {
        let agent = agent();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let now = i64::try_from(now).unwrap();
        let token = of(&tokens, "bound");
        let nonce = {
            let answer = agent.get(format!("{base}/bound")).call().unwrap();
            answer.headers()["dpop-nonce"].to_str().unwrap().to_owned()
        };
        let proven = |key: &ProofKey, token: &str| {
            let mut claims = key.claims("GET", &format!("{origin}/bound"), token, now);
            claims["nonce"] = nonce.clone().into();
            let proof = key.sign(&key.header(), &claims);
            let authorization = format!("DPoP {token}");
            let lines = [("authorization", &*authorization), ("dpop", &*proof)];
            ask(&agent, &format!("{base}/bound"), &lines)
        };
        assert_eq!(proven(&server.key, token).status, 200);
        assert_eq!(proven(&ProofKey::new(), token).status, 401);
        assert_eq!(proven(&server.key, of(&tokens, "jwt")).status, 401);
        // A valid token without a binding leads to the challenges of schemes with one (rule 3b).
        let unbound = ask_with(&agent, &format!("{base}/bound"), of(&tokens, "jwt"));
        assert_eq!(unbound.status, 401);
        assert!(
            unbound
                .challenges
                .iter()
                .all(|line| line.starts_with("DPoP ")),
            "{unbound:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn introspection_by_secret_and_key() {
    let server = Server::start("opaque");
    let tokens = server.tokens();
    let issuer = server.issuer.clone();
    let by_secret = server.introspection().client_secret("api", "api-secret");
    let pem = server.key.private_pem();
    let by_key = server
        .introspection()
        .private_key_es256("signing-api", pem, &issuer);
    let by_nobody = server
        .introspection()
        .client_secret("api", "a wrong secret");
    let by_secret = serve_introspection(by_secret).await;
    let by_key = serve_introspection(by_key.issuer(&issuer)).await;
    let by_nobody = serve_introspection(by_nobody).await;
    let bound = {
        let introspection = server.introspection().client_secret("api", "api-secret");
        let dpop = Dpop::introspection(introspection.build().unwrap());
        let dpop = dpop.origin("https://rs.example").build().unwrap();
        serve_bound(named().scheme(dpop).build().unwrap()).await
    };
    blocking(move || {
        let agent = agent();
        for base in [&by_secret, &by_key] {
            let ask = |name| ask_with(&agent, &format!("{base}/orders"), of(&tokens, name)).status;
            assert_eq!(ask("opaque"), 200);
            assert_eq!(ask("revoked"), 401);
            assert_eq!(ask("bound_opaque"), 401);
        }
        // Wrong credentials of this service are not the caller's fault.
        let answer = ask_with(
            &agent,
            &format!("{by_nobody}/orders"),
            of(&tokens, "opaque"),
        );
        assert_eq!(answer.status, 503);
        assert!(answer.challenges.is_empty() && answer.retry_after.is_some());

        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let now = i64::try_from(now).unwrap();
        let token = of(&tokens, "bound_opaque");
        let authorization = format!("DPoP {token}");
        for (key, status) in [(&server.key, 200), (&ProofKey::new(), 401)] {
            let proof = key.prove("GET", "https://rs.example/bound", token, now);
            let lines = [("authorization", &*authorization), ("dpop", &*proof)];
            assert_eq!(
                ask(&agent, &format!("{bound}/bound"), &lines).status,
                status
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_rotation_under_load() {
    let mut server = Server::start("rotation");
    let base = serve_jwt(server.verifier()).await;
    blocking(move || {
        let (stop, served) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let callers = (0..4).map(|_| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            let (issuer, url) = (server.issuer.clone(), format!("{base}/orders"));
            std::thread::spawn(move || {
                let agent = agent();
                let mut older: Option<String> = None;
                while !stop.load(Ordering::Relaxed) {
                    let token = mint(&agent, &issuer).expect("a token");
                    for token in older.iter().chain([&token]) {
                        let answer = ask_with(&agent, &url, token);
                        assert_eq!(answer.status, 200, "{answer:?}");
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                    older = Some(token);
                }
            })
        });
        let callers: Vec<_> = callers.collect();
        for _ in 0..3 {
            std::thread::sleep(Duration::from_secs(2));
            let before = served.load(Ordering::Relaxed);
            server.order("rotate");
            std::thread::sleep(Duration::from_secs(6));
            let since = served.load(Ordering::Relaxed) - before;
            assert!(
                since > 20,
                "only {since} requests were served around the change"
            );
        }
        stop.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("no request was refused");
        }
        println!(
            "{} requests, 3 changes of keys",
            served.load(Ordering::Relaxed)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_restarts() {
    let mut server = Server::start("outage");
    let verifier = || server.verifier().refresh_every(Duration::from_secs(1));
    let warm = serve_jwt(verifier().cache(TokenCache::default())).await;
    let uncached = serve_jwt(verifier()).await;
    let cold = serve_jwt(verifier()).await;
    let asking = server.introspection().client_secret("api", "api-secret");
    let asking = serve_introspection(asking.without_cache()).await;
    blocking(move || {
        let agent = agent();
        let tokens = server.tokens();
        let (token, opaque) = (of(&tokens, "jwt"), of(&tokens, "opaque"));
        let ask = |base: &str, token: &str| ask_with(&agent, &format!("{base}/orders"), token);
        assert_eq!(ask(&warm, token).status, 200);
        assert_eq!(ask(&uncached, token).status, 200);
        assert_eq!(ask(&asking, opaque).status, 200);

        server.stop();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            assert_eq!(ask(&warm, token).status, 200, "a token that is remembered");
            assert_eq!(ask(&uncached, token).status, 200, "by the keys at hand");
            for (base, token) in [(&cold, token), (&asking, opaque)] {
                let answer = ask(base, token);
                assert_eq!(answer.status, 503, "nobody can say");
                assert!(answer.challenges.is_empty() && answer.retry_after.is_some());
            }
            std::thread::sleep(Duration::from_millis(200));
        }

        server.start_again();
        let deadline = Instant::now() + Duration::from_secs(10);
        while ask(&cold, token).status != 200 {
            assert!(Instant::now() < deadline, "it never recovered");
            std::thread::sleep(Duration::from_millis(200));
        }
        let token = mint(&agent, &server.issuer).expect("a token");
        for base in [&warm, &uncached, &cold] {
            assert_eq!(ask(base, &token).status, 200);
        }
        // The restarted server has lost its opaque tokens, and reports them as inactive.
        let deadline = Instant::now() + Duration::from_secs(10);
        while ask(&asking, opaque).status == 503 {
            assert!(Instant::now() < deadline, "it is not asked again");
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(ask(&asking, opaque).status, 401);

        // Tokens of a withdrawn key are rejected.
        server.order("rotate");
        server.order("retire");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let statuses = [&warm, &uncached, &cold].map(|base| ask(base, &token).status);
            if statuses == [401; 3] {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "the old key is still trusted: {statuses:?}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        let token = mint(&agent, &server.issuer).expect("a token");
        assert_eq!(ask(&warm, &token).status, 200);
    })
    .await;
}
