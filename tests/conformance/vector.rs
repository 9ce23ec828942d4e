//! The data format of the vectors.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Vectors {
    pub(crate) policies: BTreeMap<String, Policy>,
    pub(crate) credentials: BTreeMap<String, Credential>,
    pub(crate) vectors: Vec<Vector>,
}

impl Vectors {
    pub(crate) fn read() -> Self {
        let text = match std::env::var_os("CONFORMANCE_VECTORS") {
            Some(path) => std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            None => include_str!("vectors.json").to_owned(),
        };
        serde_json::from_str(&text).expect("the vectors have the form that they are said to have")
    }
}

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) about: String,
    #[serde(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Kind {
    Http(Http),
    Header(Header),
    Compile(Compile),
    Metadata(Metadata),
    /// Digest arithmetic.
    Compute(Compute),
    /// The effect of a proxy on a response.
    Gateway {},
}

/// The settings of a policy and its protection space.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    pub(crate) schemes: Vec<String>,
    pub(crate) realm: Option<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) implies: BTreeMap<String, Vec<String>>,
    pub(crate) role: Option<String>,
    pub(crate) acr: Vec<String>,
    pub(crate) max_age: Option<u64>,
    pub(crate) deny: bool,
    pub(crate) hide_as: Option<u16>,
    pub(crate) hide: Option<String>,
    pub(crate) token_in: Vec<String>,
    pub(crate) resource_metadata: Option<String>,
    pub(crate) cors: Option<Cors>,
    pub(crate) dpop: Dpop,
    pub(crate) digest: Digest,
    pub(crate) introspect: bool,
    pub(crate) mtls: bool,
    /// The login page.
    pub(crate) login: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dpop {
    pub(crate) algs: Vec<String>,
    pub(crate) nonce: bool,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Digest {
    pub(crate) algs: Vec<String>,
    pub(crate) userhash: bool,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Cors {
    pub(crate) origin: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    All(Vec<String>),
    /// One of these lists, with all of its members.
    Any(Vec<Vec<String>>),
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct Credential {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) headers_list: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub(crate) struct Http {
    pub(crate) policy: String,
    pub(crate) request: Request,
    pub(crate) expect: Expect,
}

#[derive(Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) credential: Option<String>,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) body: String,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) status: Vec<u16>,
    pub(crate) challenges: Option<Vec<Challenge>>,
    pub(crate) challenges_exact: bool,
    pub(crate) challenges_not: Vec<String>,
    pub(crate) headers: Headers,
    pub(crate) body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    #[serde(default)]
    pub(crate) params: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) present: Vec<String>,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    #[serde(default)]
    pub(crate) one_of: BTreeMap<String, Vec<Option<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Headers {
    pub(crate) present: BTreeMap<String, BTreeMap<String, Value>>,
    pub(crate) absent: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) given: Vec<Given>,
    pub(crate) expect: Lines,
    #[serde(default)]
    pub(crate) note: String,
}

#[derive(Deserialize)]
pub(crate) struct Given {
    pub(crate) scheme: String,
    pub(crate) params: Vec<(String, Value)>,
}

#[derive(Deserialize)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Compile {
    pub(crate) attribute: String,
    pub(crate) expect: Compiles,
}

#[derive(Deserialize)]
pub(crate) struct Compiles {
    pub(crate) compiles: bool,
    pub(crate) message_mentions: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Compute {
    pub(crate) given: Hashed,
    pub(crate) expect: Computed,
}

#[derive(Deserialize)]
pub(crate) struct Hashed {
    pub(crate) algorithm: String,
    pub(crate) username: String,
    pub(crate) realm: String,
    pub(crate) password: String,
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) nonce: String,
    pub(crate) nc: String,
    pub(crate) cnonce: String,
}

#[derive(Deserialize)]
pub(crate) struct Computed {
    pub(crate) response: String,
}

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) resource: String,
    pub(crate) request: Request,
    pub(crate) expect: Document,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) status: u16,
    pub(crate) json: BTreeMap<String, Value>,
    pub(crate) json_contains: BTreeMap<String, Vec<Value>>,
    pub(crate) json_lacks: BTreeMap<String, Vec<Value>>,
    pub(crate) json_nonempty: Vec<String>,
    pub(crate) json_absent_if_empty: Vec<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) headers_match: BTreeMap<String, String>,
}
