//! Clients that send all kinds of requests without a pause.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use auth_tests::proof::ProofKey;
use auth_tests::random::Random;
use axum::body::Bytes;
use http::Request;
use http_body_util::Empty;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::client::{Connection, abandon};
use crate::issuer::{SigningKey, now};
use crate::oracle::{Kind, World};
use crate::service::ORIGIN;

/// The number of clients, each with an address of its own.
const CLIENTS: u8 = 32;
/// The number of connections of one hostile address, more than its share of introspection.
const HOSTILE: usize = 80;

/// The running clients.
pub(crate) struct Load {
    tasks: JoinSet<()>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    pub(crate) fn start(
        runtime: &Runtime,
        world: &Arc<World>,
        service: SocketAddr,
        seed: u64,
    ) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..CLIENTS {
            let mut client = Client::new(world, number, service, seed);
            let is_over = Arc::clone(&is_over);
            let run = async move {
                while !is_over.load(Ordering::Relaxed) {
                    client.step().await;
                }
            };
            tasks.spawn_on(run, runtime.handle());
        }
        for number in 0..HOSTILE {
            let (world, is_over) = (Arc::clone(world), Arc::clone(&is_over));
            let run = async move {
                let mut connection = Sender::new(Ipv4Addr::new(127, 0, 2, 1), service);
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    count += 1;
                    let token = format!("made-up-{number}-{count}");
                    connection
                        .send(&world, bearer("/read", &token), &Kind::Hostile)
                        .await;
                }
            };
            tasks.spawn_on(run, runtime.handle());
        }
        Self { tasks, is_over }
    }

    /// Waits for the last responses.
    pub(crate) async fn stop(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// A connection that is opened again after it is lost.
struct Sender {
    from: Ipv4Addr,
    service: SocketAddr,
    connection: Option<Connection>,
}

impl Sender {
    fn new(from: Ipv4Addr, service: SocketAddr) -> Self {
        Self {
            from,
            service,
            connection: None,
        }
    }

    /// Sends a request, and returns the status of the response.
    async fn send(&mut self, world: &World, request: Sent, kind: &Kind) -> Option<u16> {
        let sent = (Instant::now(), now());
        let connection = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Connection::open(self.from, self.service).await,
        };
        let reply = match connection {
            Ok(mut connection) => {
                let reply = connection.send(request.into_request()).await;
                self.connection = reply.is_ok().then_some(connection);
                reply
            }
            Err(problem) => Err(problem),
        };
        let status = reply.as_ref().ok().map(|reply| reply.status.as_u16());
        world.judge(kind, sent, reply);
        status
    }
}

/// A request before it is sent.
struct Sent {
    path: &'static str,
    fields: Vec<(&'static str, String)>,
}

impl Sent {
    fn into_request(self) -> Request<Empty<Bytes>> {
        let mut request = Request::get(self.path).header("host", "api.example");
        for (name, value) in self.fields {
            request = request.header(name, value);
        }
        request.body(Empty::new()).expect("a request")
    }

    fn into_text(self) -> String {
        let fields = self.fields.into_iter();
        let fields: String = fields
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!(
            "GET {} HTTP/1.1\r\nhost: api.example\r\n{fields}\r\n",
            self.path
        )
    }
}

fn bearer(path: &'static str, token: &str) -> Sent {
    Sent {
        path,
        fields: vec![("authorization", format!("Bearer {token}"))],
    }
}

/// A token that is used until it expires.
#[derive(Clone)]
struct Token {
    text: String,
    key: String,
    scope: &'static str,
    expires: u64,
}

/// A client that sends valid and invalid requests.
struct Client {
    world: Arc<World>,
    random: Random,
    sender: Sender,
    token: Token,
    forger: SigningKey,
    proof_key: ProofKey,
    bound: Bound,
    /// A proof that led to a grant, and its token.
    used: Option<Sent>,
}

/// A token that is bound to the key of its client.
struct Bound {
    subject: String,
    token: String,
    issued: Instant,
}

impl Bound {
    fn new(subject: String, key: &ProofKey) -> Self {
        let claims = json!({ "sub": subject, "cnf": { "jkt": key.thumbprint() } });
        Self {
            subject,
            token: auth_tests::token(claims),
            issued: Instant::now(),
        }
    }

    /// The token lives for 10 minutes.
    fn is_old(&self) -> bool {
        self.issued.elapsed() > Duration::from_secs(300)
    }
}

impl Client {
    fn new(world: &Arc<World>, number: u8, service: SocketAddr, seed: u64) -> Self {
        let mut random = Random::new(seed ^ ((u64::from(number) + 1) << 32));
        let proof_key = ProofKey::new();
        Self {
            world: Arc::clone(world),
            token: issue(world, &mut random),
            random,
            sender: Sender::new(Ipv4Addr::new(127, 0, 1, number + 1), service),
            forger: SigningKey::new("forger".to_owned()),
            bound: Bound::new(format!("user-{number}"), &proof_key),
            proof_key,
            used: None,
        }
    }

    async fn step(&mut self) {
        let (sent, kind) = self.question();
        if self.random.below(50) == 0 {
            let text = sent.into_text();
            let end = usize::try_from(self.random.next()).unwrap_or_default() % text.len() + 1;
            let (from, service) = (self.sender.from, self.sender.service);
            let wait = self.random.up_to(Duration::from_millis(5));
            abandon(from, service, &text.as_bytes()[..end], wait).await;
            return self.world.abandon();
        }
        let used = matches!(kind, Kind::Proved).then(|| Sent {
            path: sent.path,
            fields: sent.fields.clone(),
        });
        let status = self.sender.send(&self.world, sent, &kind).await;
        if status == Some(200) && used.is_some() {
            self.used = used;
        }
    }

    /// Returns a request of any kind.
    fn question(&mut self) -> (Sent, Kind) {
        match self.random.below(16) {
            0 => (anonymous("/healthz"), Kind::Public),
            1 => (anonymous("/read"), Kind::Anonymous),
            2 => (bearer("/read", "made-up"), Kind::Invented),
            3 => self.expired(),
            4 => self.forged(),
            5 => {
                let unproved = bearer("/bound", &self.bound.token);
                (unproved, Kind::Unproved)
            }
            6 | 7 => self.proved(),
            8 => match self.used.take() {
                Some(used) => (used, Kind::Replayed),
                None => self.proved(),
            },
            9..12 => {
                let number = usize::try_from(self.random.next()).unwrap_or_default();
                let token = self.world.issuer.opaque_token(number);
                (bearer("/read", &token), Kind::Opaque(token))
            }
            _ => self.signed(),
        }
    }

    fn proved(&mut self) -> (Sent, Kind) {
        if self.bound.is_old() {
            self.bound = Bound::new(self.bound.subject.clone(), &self.proof_key);
            self.used = None;
        }
        (proof(&self.proof_key, &self.bound.token), Kind::Proved)
    }

    fn signed(&mut self) -> (Sent, Kind) {
        // An expired token is sent some times as well.
        let is_old = now() >= self.token.expires;
        if self.random.below(if is_old { 4 } else { 40 }) == 0 {
            self.token = issue(&self.world, &mut self.random);
        }
        let (path, status) = match (self.random.below(8), self.token.scope) {
            (0, _) => ("/nowhere", 404),
            (1, _) => ("/write", 403),
            (2, "admin") => ("/hidden", 200),
            (2, _) => ("/hidden", 404),
            (_, "admin") => ("/read", 403),
            (..) => ("/read", 200),
        };
        let Token {
            text, key, expires, ..
        } = self.token.clone();
        (bearer(path, &text), self.kind(key, false, expires, status))
    }

    fn expired(&self) -> (Sent, Kind) {
        let key = self.world.issuer.key();
        let expires = now() - 5;
        let token = key.sign(&key.id, "read", expires - 60, expires);
        (
            bearer("/read", &token),
            self.kind(key.id, false, expires, 401),
        )
    }

    fn forged(&self) -> (Sent, Kind) {
        let key = self.world.issuer.key();
        let (issued, expires) = (now(), now() + 60);
        let token = self.forger.sign(&key.id, "read admin", issued, expires);
        (
            bearer("/hidden", &token),
            self.kind(key.id, true, expires, 401),
        )
    }

    fn kind(&self, key: String, is_forged: bool, expires: u64, status: u16) -> Kind {
        Kind::Signed {
            is_known: self.world.is_known(&key),
            key,
            is_forged,
            expires,
            status,
        }
    }
}

fn anonymous(path: &'static str) -> Sent {
    let fields = Vec::new();
    Sent { path, fields }
}

fn proof(key: &ProofKey, token: &str) -> Sent {
    let seconds = i64::try_from(now()).expect("before the end of time");
    let proof = key.prove("GET", &format!("{ORIGIN}/bound"), token, seconds);
    Sent {
        path: "/bound",
        fields: vec![("authorization", format!("DPoP {token}")), ("dpop", proof)],
    }
}

/// Issues a token of the newest key that lives for a few seconds.
fn issue(world: &World, random: &mut Random) -> Token {
    let key = world.issuer.key();
    let scope = if random.below(4) == 0 {
        "admin"
    } else {
        "read"
    };
    let issued = now();
    let expires = issued + 3 + random.next() % 6;
    Token {
        text: key.sign(&key.id, scope, issued, expires),
        key: key.id,
        scope,
        expires,
    }
}

/// Waits until requests of each kind with valid credentials are granted.
pub(crate) async fn recover(world: &Arc<World>, service: SocketAddr) {
    world.issuer.rotate();
    let mut random = Random::new(1);
    let key = ProofKey::new();
    let bound = Bound::new("recovered".to_owned(), &key);
    let mut connection = Connection::open(Ipv4Addr::LOCALHOST, service)
        .await
        .expect("a connection");
    let mut is_granted = [false; 3];
    while is_granted.contains(&false) {
        let token = loop {
            let token = world.issuer.opaque_token(random.below(1000));
            if world.issuer.revoked_at(&token).is_none() {
                break token;
            }
        };
        let key_of_issuer = world.issuer.key();
        let signed = key_of_issuer.sign(&key_of_issuer.id, "read", now(), now() + 60);
        let requests = [
            bearer("/read", &signed),
            bearer("/read", &token),
            proof(&key, &bound.token),
        ];
        for (request, is_granted) in requests.into_iter().zip(&mut is_granted) {
            let reply = connection.send(request.into_request()).await;
            let reply = reply.expect("a response");
            assert!([200, 503].contains(&reply.status.as_u16()), "{reply:?}");
            *is_granted = reply.status == 200;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
