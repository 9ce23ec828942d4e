//! Cookies of two names: sessions of `tower-sessions` with the cookie layer, and JWTs. The first line of an input is the
//! login that the session `{odd}` holds, in JSON, and the rest is the request.

use std::sync::Arc;

use auth_runtime::schemes::Sessions;
use auth_runtime::{Identity, ProtectedRouter, ProtectionSpace};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower_sessions::session::Id;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::jwt::{signed, verifier};
use super::requests::{Sent, fill};
use super::service::{Answer, NOW, SHOWN, Service, Subject, router, service};
use super::{bearer, jwt};
use crate::{Check, Target};

const SESSION: &str = "__Host-session";
const TOKEN: &str = "__Host-token";
/// The key of the login in a session.
const LOGIN: &str = "auth-runtime.login";
/// The maximum number of values of a name that are looked up: the last ones.
const MAX_PER_NAME: usize = 4;

pub(super) const TARGET: Target = Target {
    name: "cookies",
    cost: 2,
    dictionary: &[
        "cookie: ",
        "__Host-session={ann}",
        "__Host-session={bob}",
        "__Host-session={cart}",
        "__Host-session={odd}",
        "__Host-session={stale}",
        "__Host-session=",
        "__Host-sessio%6e=",
        "__host-session=",
        "__Host-token={token}",
        "__Host-token=",
        "__Host-%74oken=",
        "; ",
        "=",
        "\"",
        "sec-fetch-site: same-origin",
        "sec-fetch-site: cross-site",
        "sec-fetch-site: none",
        "origin: https://shop.example",
        "origin: null",
        "host: shop.example",
        "upgrade: websocket",
        "accept: text/html",
        "authorization: Bearer x",
        "POST ",
        "GET ",
        "\"subject\":\"odd\"",
        "\"auth_time\":1",
        "\"auth_time\":18446744073709551615",
        "\"roles\":[\"admin\"]",
        "null",
    ],
    start,
};

fn start() -> Check {
    let mut check = service(Cookies::new());
    let mut cookies = Cookies::new();
    let own = Service::new(cookies.router());
    Box::new(move |input| {
        let outcome = check(input);
        let request = cookies.fill(input, SHOWN, &own);
        let Some(sent) = Sent::parse(&request, SHOWN) else {
            return outcome;
        };
        // A cookie of another name changes nothing.
        let mut with_other = sent.clone();
        let other = http::HeaderValue::from_static("other={ann}; __Host-sessio=x");
        with_other.fields.append("cookie", other);
        let [answer, other] = [sent, with_other].map(|sent| own.respond(sent.to_request()));
        assert_eq!(answer.status, other.status, "{other:?}");
        assert_eq!(answer.body, other.body);
        outcome
    })
}

struct Cookies {
    runtime: Runtime,
    store: MemoryStore,
    odd: Session,
    /// The ids by their names.
    ids: [(&'static str, String); 3],
    token: String,
}

impl Cookies {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let store = MemoryStore::default();
        let saved = |login: Option<&str>| {
            let session = Session::new(None, Arc::new(store.clone()), None);
            runtime.block_on(async {
                if let Some(name) = login {
                    let logged_in = Sessions::log_in(&session, &Identity::new(name)).await;
                    logged_in.expect("the store is there");
                } else {
                    let filled = session.insert("cart", "a hat").await;
                    filled.expect("the store is there");
                }
                session.save().await.expect("the store is there");
            });
            session
        };
        let id = |session: Session| session.id().expect("it is saved").to_string();
        let ids = [
            ("ann", id(saved(Some("ann")))),
            ("bob", id(saved(Some("bob")))),
            ("cart", id(saved(None))),
        ];
        let odd = saved(None);
        let claims = serde_json::json!({
            "iss": jwt::ISSUER, "aud": jwt::AUDIENCE, "sub": "tom", "exp": NOW + 600,
        });
        Self {
            runtime,
            store,
            odd,
            ids,
            token: signed(&claims.to_string()),
        }
    }

    /// The identities of the live cookies. Those in the second part may not count: the login of `{odd}` can be
    /// invalid, and the session layer does not read lines with other characters than visible ASCII.
    fn live(&self, sent: &Sent) -> (Vec<&str>, Vec<String>) {
        let (mut live, mut uncertain) = (Vec::new(), Vec::new());
        for (value, is_plain) in values(sent, SESSION) {
            let known = self.ids.iter().find(|(_, id)| *id == value);
            match known.map(|(name, _)| *name) {
                Some("cart") => {}
                Some(name) if is_plain => live.push(name),
                Some(name) => uncertain.push(name.to_owned()),
                None if value == self.odd_id() => {
                    let login = self.runtime.block_on(self.odd.get_value(LOGIN));
                    let login = login.expect("the store is there").unwrap_or_default();
                    let login = login.as_str().unwrap_or_default();
                    let login: Value = serde_json::from_str(login).unwrap_or_default();
                    uncertain.extend(login["subject"].as_str().map(str::to_owned));
                }
                None => {}
            }
        }
        if values(sent, TOKEN)
            .iter()
            .any(|(value, _)| *value == self.token)
        {
            live.push("tom");
        }
        (live, uncertain)
    }

    fn odd_id(&self) -> String {
        self.odd.id().expect("it is saved").to_string()
    }
}

/// The last distinct values of the cookies of a name, percent-decoded, and whether each is in a line of ASCII.
fn values(sent: &Sent, name: &str) -> Vec<(String, bool)> {
    let mut values: Vec<(String, bool)> = Vec::new();
    for line in sent.fields.get_all("cookie") {
        let is_ascii = line.to_str().is_ok();
        let line = String::from_utf8_lossy(line.as_bytes());
        for pair in line.split(';') {
            let named = pair.split_once('=').filter(|(own, _)| own.trim() == name);
            let Some((_, value)) = named else { continue };
            let value = value.trim().to_owned();
            let is_plain = is_ascii || values.contains(&(value.clone(), true));
            values.retain(|(other, _)| *other != value);
            values.push((value, is_plain));
        }
    }
    let first = values.len().saturating_sub(MAX_PER_NAME);
    let mut decoded: Vec<(String, bool)> = Vec::new();
    for (value, is_plain) in &values[first..] {
        let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
        match decoded.iter_mut().find(|(other, _)| *other == value) {
            Some((_, other)) => *other |= is_plain,
            None => decoded.push((value.into_owned(), *is_plain)),
        }
    }
    decoded
}

impl Subject for Cookies {
    fn router(&self) -> ProtectedRouter {
        let sessions = Sessions::builder()
            .cookie(SESSION)
            .build()
            .expect("a cookie");
        let cookies = sessions.cookie_layer(self.store.clone());
        let tokens = verifier().in_cookie(TOKEN).scheme_name("Token");
        let space = ProtectionSpace::builder()
            .realm("fuzz")
            .scheme(sessions)
            .scheme(tokens.build().expect("a cookie"))
            .scheme(bearer::bearer());
        let layer = SessionManagerLayer::new(self.store.clone()).with_name(SESSION);
        router(space.build().expect("a space"))
            .layer(layer)
            .layer(cookies)
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (login, request) = input.split_at(end.map_or(input.len(), |end| end + 1));
        let login = Value::String(String::from_utf8_lossy(login).into_owned());
        self.runtime.block_on(async {
            let kept = self.odd.insert_value(LOGIN, login).await;
            kept.expect("the store is there");
            self.odd.save().await.expect("the store is there");
        });
        let odd = self.odd_id();
        let stale = Id(4711).to_string();
        let [ann, bob, cart] = &self.ids;
        let values = [ann, bob, cart].map(|(name, id)| (*name, id.as_str()));
        let others = [
            ("odd", odd.as_str()),
            ("stale", &stale),
            ("token", &self.token),
        ];
        fill(request, &[&values[..], &others].concat())
    }

    /// One session is live. Explicit credentials count alone, and none of them is valid.
    fn may_be_granted(&self, sent: &Sent) -> bool {
        let is_other_site = matches!(
            sent.only("sec-fetch-site"),
            Some("cross-site" | "same-site")
        );
        let (live, uncertain) = self.live(sent);
        let is_one = live.len() == 1 || (live.is_empty() && !uncertain.is_empty());
        is_one && !(sent.method == "POST" && is_other_site)
    }

    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        let (live, uncertain) = self.live(sent);
        if sent.method != "HEAD" {
            let body = String::from_utf8_lossy(&answer.body);
            match live.first() {
                Some(name) => assert_eq!(body, *name, "{sent:?}"),
                None => assert!(uncertain.iter().any(|name| body == *name), "{sent:?}"),
            }
        }
    }
}
