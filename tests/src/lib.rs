//! The shared parts of the tests: an issuer of tokens, a protection space that trusts it, and a
//! client that compares every byte.

pub mod digest;
pub mod ports;
pub mod programs;
pub mod proof;
pub mod random;
pub mod tls;

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// Compiles the code of the README of the main package.
#[cfg(doctest)]
#[doc = include_str!("../../auth-runtime/README.md")]
mod package_readme {}

/// Compiles the examples of the attributes' documentation.
#[cfg(doctest)]
mod attributes {
    #[doc = include_str!("../../auth-macros/docs/requires.md")]
    mod requires {}
    #[doc = include_str!("../../auth-macros/docs/public.md")]
    mod public {}
}

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::schemes::{Bearer, Jwt, JwtKey};
use auth_runtime::{ProtectionSpace, ProtectionSpaceBuilder};
use axum::ServiceExt;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};
use tower::Service;
use tower::util::BoxCloneSyncService;

/// The issuer of the tokens.
pub const ISSUER: &str = "https://issuer.example";
/// The audience of the tokens.
pub const AUDIENCE: &str = "https://api.example";

const SECRET: &[u8] = b"only the tests know this secret, and they are told everything";

/// Returns a space named `api` that accepts the tokens of [`token`].
pub fn space() -> ProtectionSpace {
    space_builder().build().expect("the space is in order")
}

/// Returns the builder of this space.
pub fn space_builder() -> ProtectionSpaceBuilder {
    ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(verifier()))
}

/// Returns the verifier of the tokens of [`token`].
pub fn verifier() -> Jwt {
    Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(JwtKey::hs256(SECRET).expect("it is long enough"))
        .build()
        .expect("the verifier is in order")
}

/// Returns a valid token with these claims besides the usual ones.
pub fn token(claims: Value) -> String {
    sign(claims, 600)
}

/// Returns such a token that expired ten minutes ago.
pub fn expired_token(claims: Value) -> String {
    sign(claims, -600)
}

fn sign(claims: Value, lives: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(now.expect("after 1970").as_secs()).expect("before year 9999");
    let mut all = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": now + lives });
    if let (Value::Object(all), Value::Object(more)) = (&mut all, claims) {
        all.extend(more);
    }
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET).expect("a secret");
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &all, &key).expect("it can be signed")
}

/// An application that receives requests: a protected router, a plain one, or a service around
/// them.
pub trait App:
    Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<A> App for A where
    A: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// An application of any type.
pub type BoxedApp = BoxCloneSyncService<Request, Response, Infallible>;

/// Serves `app`, a router or a service around one, on a free port as long as the test's runtime
/// lives.
pub async fn serve(app: impl App) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, app.into_make_service()).await });
    address
}

/// Sends the bytes of `request`, and returns the bytes of the response, without the line with the
/// date.
///
/// The request has to contain `Connection: close`.
pub async fn send_raw(address: SocketAddr, request: impl Into<Vec<u8>>) -> String {
    let request = request.into();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        // A server that responds early may close the connection before all bytes are sent.
        let _ = stream.write_all(&request);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        std::io::Result::Ok(answer)
    });
    let answer = answer
        .await
        .expect("it does not panic")
        .expect("it answers");
    without_date(&answer)
}

fn without_date(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer)
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("date: "))
        .collect()
}

/// Returns the policy that an attribute created.
pub fn policy_of<P: auth_runtime::__private1::HasPolicy>() -> &'static auth_runtime::Policy {
    P::POLICY
}
