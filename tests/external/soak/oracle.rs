//! The allowed responses to each request.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use http::header::{DATE, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::client::Reply;
use crate::issuer::{Issuer, now};
use crate::link::Health;
use crate::service::CACHED;

/// A request may notice a fault for this time after its end: a failed fetch of keys is repeated after 5 seconds, and a
/// silent introspection endpoint is asked again after 5 seconds.
const ISSUER_RETURNS: Duration = Duration::from_secs(8);
const REDIS_RETURNS: Duration = Duration::from_secs(2);
/// A response of the introspection endpoint can be this late before it is cached.
const LATE: Duration = Duration::from_secs(3);
/// The number of wrong responses that are printed.
const PRINTED: usize = 20;

/// The credentials of a request, and the response to valid ones.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Public,
    Anonymous,
    /// A token that the issuer signed, or that names its key.
    Signed {
        key: String,
        is_forged: bool,
        expires: u64,
        /// The status while the token is valid.
        status: u16,
        /// True if the service had this key before the request.
        is_known: bool,
    },
    Opaque(String),
    Invented,
    /// A proof that was not used before.
    Proved,
    /// A proof that led to a grant before.
    Replayed,
    /// A bound token without a proof.
    Unproved,
    /// A request of an address that uses up its share.
    Hostile,
}

impl Kind {
    /// The server whose fault leads to a 503.
    fn server(&self) -> Option<&'static str> {
        match self {
            Self::Signed { .. } => Some("keys"),
            Self::Opaque(_) | Self::Invented => Some("introspection"),
            Self::Proved | Self::Replayed => Some("Redis"),
            Self::Public | Self::Anonymous | Self::Unproved | Self::Hostile => None,
        }
    }
}

/// The servers, their faults, and the responses.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) keys: Health,
    pub(crate) introspection: Health,
    pub(crate) redis: Health,
    /// The names of the keys that the service has.
    known: Mutex<HashSet<String>>,
    responses: Mutex<BTreeMap<u16, usize>>,
    /// The number of responses 503 by server.
    outages: Mutex<BTreeMap<&'static str, usize>>,
    abandoned: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    /// The fields and the body of the response to an unknown path.
    unknown: OnceLock<String>,
}

/// The allowed statuses.
struct Allowed {
    status: u16,
    or: Option<u16>,
    is_503: bool,
}

impl From<u16> for Allowed {
    fn from(status: u16) -> Self {
        Self {
            status,
            or: None,
            is_503: false,
        }
    }
}

impl World {
    pub(crate) fn is_known(&self, key: &str) -> bool {
        self.known.lock().expect("no panic").contains(key)
    }

    /// Records a response, and compares it with the allowed ones.
    pub(crate) fn judge(&self, kind: &Kind, sent: (Instant, u64), reply: Result<Reply, String>) {
        let allowed = self.allowed(kind, sent);
        let reply = match reply {
            Ok(reply) => reply,
            Err(problem) => return self.is_wrong(kind, sent.0, &problem),
        };
        let status = reply.status.as_u16();
        let mut responses = self.responses.lock().expect("no panic");
        *responses.entry(status).or_default() += 1;
        drop(responses);
        if let (503, Some(server)) = (status, kind.server()) {
            let mut outages = self.outages.lock().expect("no panic");
            *outages.entry(server).or_default() += 1;
        }
        let is_allowed = status == allowed.status
            || allowed.or == Some(status)
            || (status == 503 && allowed.is_503);
        if !is_allowed {
            let Allowed { status, or, is_503 } = allowed;
            let problem = format!("{reply:?}, not {status} or {or:?}; 503: {is_503}");
            return self.is_wrong(kind, sent.0, &problem);
        }
        let has = |name| reply.fields.contains_key(name);
        if has(RETRY_AFTER) != (status == 503)
            || has(WWW_AUTHENTICATE) != (status == 401 || has_error(&reply))
        {
            return self.is_wrong(kind, sent.0, &format!("{reply:?}"));
        }
        if let Kind::Signed { key, .. } = kind
            && status == 200
        {
            self.known.lock().expect("no panic").insert(key.clone());
        }
        if status == 404 {
            let found = whole(reply);
            let unknown = self.unknown.get_or_init(|| found.clone());
            if *unknown != found {
                self.is_wrong(kind, sent.0, &format!("{found}, not {unknown}"));
            }
        }
    }

    /// The allowed statuses, by the state of the servers after the response.
    fn allowed(&self, kind: &Kind, (sent, sent_at): (Instant, u64)) -> Allowed {
        match kind {
            Kind::Public => Allowed::from(200),
            Kind::Anonymous | Kind::Unproved => Allowed::from(401),
            Kind::Signed {
                key,
                is_forged,
                expires,
                status,
                is_known,
            } => {
                // The service forgets a withdrawn key.
                let has_key = *is_known && self.issuer.publishes(key);
                let is_valid = !is_forged && sent_at <= *expires;
                let may_expire = now() >= *expires;
                Allowed {
                    status: if is_valid { *status } else { 401 },
                    or: may_expire.then_some(401),
                    is_503: !has_key && self.keys.may_fail(sent, ISSUER_RETURNS),
                }
            }
            Kind::Opaque(token) => {
                let revoked = self.issuer.revoked_at(token);
                let is_cached = |at: Instant| sent < at + CACHED + LATE;
                Allowed {
                    status: if revoked.is_none_or(is_cached) {
                        200
                    } else {
                        401
                    },
                    or: revoked.map(|_| 401),
                    is_503: self.introspection.may_fail(sent, ISSUER_RETURNS),
                }
            }
            Kind::Invented => Allowed {
                is_503: self.introspection.may_fail(sent, ISSUER_RETURNS),
                ..Allowed::from(401)
            },
            Kind::Proved => Allowed {
                is_503: self.redis.may_fail(sent, REDIS_RETURNS),
                ..Allowed::from(200)
            },
            Kind::Replayed => Allowed {
                is_503: self.redis.may_fail(sent, REDIS_RETURNS),
                ..Allowed::from(401)
            },
            Kind::Hostile => Allowed {
                is_503: true,
                ..Allowed::from(401)
            },
        }
    }

    fn is_wrong(&self, kind: &Kind, sent: Instant, problem: &str) {
        let faulty = [
            ("keys", &self.keys),
            ("introspection", &self.introspection),
            ("Redis", &self.redis),
        ];
        let faulty = faulty.map(|(name, health)| (name, health.may_fail(sent, Duration::ZERO)));
        let took = sent.elapsed();
        let text = format!("{kind:?} after {took:?}: {problem}; faults: {faulty:?}");
        let mut wrong = self.wrong.lock().expect("no panic");
        if wrong.len() < PRINTED {
            wrong.push(text);
        }
    }

    pub(crate) fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn abandoned(&self) -> usize {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(crate) fn responses(&self) -> BTreeMap<u16, usize> {
        self.responses.lock().expect("no panic").clone()
    }

    pub(crate) fn outages(&self) -> BTreeMap<&'static str, usize> {
        self.outages.lock().expect("no panic").clone()
    }

    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().expect("no panic").clone()
    }
}

/// Returns whether a 403 names the missing scopes.
fn has_error(reply: &Reply) -> bool {
    let mut challenges = reply.fields.get_all(WWW_AUTHENTICATE).iter();
    let is_scope = |value: &http::HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        text.contains("insufficient_scope")
    };
    reply.status == 403 && challenges.any(is_scope)
}

/// The fields of a response in their order, without the date, and its body.
fn whole(mut reply: Reply) -> String {
    reply.fields.remove(DATE);
    format!("{:?} {:?}", reply.fields, reply.body)
}
