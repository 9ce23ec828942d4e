//! The login that a session of `tower-sessions` holds: the whole input is the kept text. If it starts with `value `,
//! the rest is instead the kept value, in JSON.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::schemes::Sessions;
use auth_runtime::{Guard, GuardedRouter, Identity, requires};
use axum::body::Body;
use http::Request;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::json::Json;
use super::service::{Service, space_of};
use crate::{Check, Outcome, Target};

const COOKIE: &str = "__Host-session";
/// The key of the login in a session.
const LOGIN: &str = "auth-runtime.login";

pub(super) const TARGET: Target = Target {
    name: "session_values",
    cost: 2,
    dictionary: &[
        "\"subject\":\"ann\"",
        "\"subject\":null",
        "\"issuer\":\"https://login.example\"",
        "\"issuer\":null",
        "\"scopes\":[\"read\"]",
        "\"roles\":[\"admin\",\"admin\"]",
        "\"roles\":\"admin\"",
        "\"permissions\":[\"p\"]",
        "\"acr\":\"gold\"",
        "\"amr\":[\"mfa\"]",
        "\"auth_time\":1800000000",
        "\"auth_time\":9223372036854775807",
        "\"auth_time\":18446744073709551615",
        "\"auth_time\":-1",
        "\"auth_time\":1.0",
        "\"auth_time\":\"1\"",
        "\"clock_skew\":60",
        "\"other\":{}",
        "value ",
        "null",
        "[]",
        "{",
        "}",
        ",",
        "\\u0000",
        "\\ud800",
        "\\n",
    ],
    start,
};

/// The parts of an identity that a session keeps.
#[derive(Clone, Debug, PartialEq)]
struct Login {
    subject: String,
    texts: [Option<String>; 2],
    names: [BTreeSet<String>; 4],
    auth_time: u64,
    clock_skew: u64,
}

impl Login {
    /// Reads the kept value: one text in JSON. Absent values are left out, and unknown members are ignored.
    fn read(kept: &Value) -> Option<Self> {
        let login: Json = serde_json::from_str(kept.as_str()?).ok()?;
        let text = |name: &str| match (login.count(name), login.only(name)) {
            (0, _) | (1, Some(Json::Null)) => Some(None),
            (1, Some(Json::Text(text))) => Some(Some(text.clone())),
            _ => None,
        };
        let number = |name: &str| match login.only(name)? {
            // `f64` holds no border of `u64`, so the number is taken from the text.
            Json::Number(_) => serde_json::from_str::<Value>(kept.as_str()?).ok()?[name].as_u64(),
            _ => None,
        };
        let names = |name: &str| match (login.count(name), login.only(name)) {
            (0, _) => Some(BTreeSet::new()),
            (1, Some(Json::Array(names))) => {
                let names = names.iter().map(|name| name.as_text().map(str::to_owned));
                names.collect()
            }
            _ => None,
        };
        Some(Self {
            subject: text("subject")??,
            texts: [text("issuer")?, text("acr")?],
            names: [
                names("scopes")?,
                names("roles")?,
                names("permissions")?,
                names("amr")?,
            ],
            auth_time: number("auth_time")?,
            clock_skew: match login.count("clock_skew") {
                0 => 0,
                _ => number("clock_skew")?,
            },
        })
    }

    fn of(identity: &Identity) -> Self {
        let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
        let time = identity.auth_time().expect("a login has a time");
        Self {
            subject: identity.subject().to_owned(),
            texts: [identity.issuer(), identity.acr()].map(|text| text.map(str::to_owned)),
            names: [
                names(&mut identity.scopes()),
                names(&mut identity.roles()),
                names(&mut identity.permissions()),
                names(&mut identity.amr()),
            ],
            auth_time: time.duration_since(UNIX_EPOCH).expect("a time").as_secs(),
            clock_skew: identity.clock_skew().as_secs(),
        }
    }

    /// Returns whether a system can represent the time.
    fn is_in_range(&self) -> bool {
        i64::try_from(self.auth_time).is_ok()
    }
}

/// Describes the whole caller.
#[requires(authenticated)]
async fn caller(guard: Guard) -> String {
    format!("{:?}", Login::of(guard.identity()))
}

struct Sessioned {
    runtime: Runtime,
    store: MemoryStore,
    service: Service,
}

fn start() -> Check {
    let store = MemoryStore::default();
    let sessions = Sessions::builder().cookie(COOKIE);
    let layer = SessionManagerLayer::new(store.clone()).with_name(COOKIE);
    let router = GuardedRouter::new()
        .route("/", get(caller))
        .protect(space_of(sessions.build().expect("a cookie")))
        .expect("the route fits to the space")
        .layer(layer);
    let sessioned = Sessioned {
        runtime: Builder::new_current_thread().build().expect("a runtime"),
        store,
        service: Service::new(router),
    };
    Box::new(move |input| {
        match (
            Json::parse(input),
            serde_json::from_slice::<IgnoredAny>(input),
        ) {
            // A list of the values in their order is read as well, which is not documented.
            (Some(Json::Array(_)), _) => return Outcome::of("a list"),
            // An unknown member can hold numbers and texts that the oracle does not read.
            (None, Ok(_)) => return Outcome::of("another number"),
            _ => {}
        }
        let text = String::from_utf8_lossy(input);
        let kept = match text.strip_prefix("value ") {
            Some(value) => match serde_json::from_str(value) {
                Ok(value) => value,
                Err(_) => return Outcome::of("not a value"),
            },
            None => Value::String(text.into_owned()),
        };
        sessioned.check(kept)
    })
}

impl Sessioned {
    fn check(&self, kept: Value) -> Outcome {
        let login = Login::read(&kept);
        let session = Session::new(None, Arc::new(self.store.clone()), None);
        self.runtime.block_on(async {
            let all = async {
                session.insert_value(LOGIN, kept.clone()).await?;
                session.insert_value("cart", "a hat".into()).await?;
                session.save().await
            };
            all.await.expect("the store is there");
        });
        let is_logged_in = login.as_ref().is_some_and(Login::is_in_range);
        let (status, caller) = self.caller(&session);
        let expected = if is_logged_in { 200 } else { 401 };
        assert_eq!(status, expected, "{kept}: {caller}");
        if let Some(login) = login.as_ref().filter(|_| is_logged_in) {
            assert_eq!(caller, format!("{login:?}"), "{kept}");
        }
        // The other data stays only with the same user.
        let ann = Identity::new("ann").with_auth_time(UNIX_EPOCH + Duration::from_secs(1));
        let before = session.id();
        let cart = self.runtime.block_on(async {
            let logged_in = Sessions::log_in(&session, &ann).await;
            logged_in.expect("the store is there");
            session.save().await.expect("the store is there");
            session.get_value("cart").await.expect("the store is there")
        });
        assert_ne!(session.id(), before, "a new session");
        let is_of_ann = |login: &Login| login.subject == "ann" && login.texts[0].is_none();
        let stays = login.as_ref().is_some_and(is_of_ann);
        assert_eq!(cart.is_some(), stays, "{kept}");
        let (status, caller) = self.caller(&session);
        assert_eq!((status, caller), (200, format!("{:?}", Login::of(&ann))));
        self.runtime.block_on(async {
            session.flush().await.expect("the store is there");
        });
        let shape = login.map(|login| {
            let texts = login.texts.each_ref().map(Option::is_some);
            let names = login.names.each_ref().map(|names| names.len().min(3));
            (texts, names, login.auth_time.checked_ilog2())
        });
        Outcome::of((status, shape, stays)).of_decision(is_logged_in)
    }

    /// Returns the status and the body of the response to a request with the session.
    fn caller(&self, session: &Session) -> (u16, String) {
        let id = session.id().expect("it is saved");
        let request = Request::builder().header("cookie", format!("{COOKIE}={id}"));
        let request = request.body(Body::empty()).expect("a request");
        let answer = self.service.respond(request);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        (answer.status.as_u16(), body)
    }
}
