//! The skipped vectors, with the reasons.

use serde::Deserialize;

use crate::vector::{Kind, Policy, Vector, Vectors};

/// A reason, and the vectors that it covers: every vector that matches one of these.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Entry {
    reason: String,
    ids: Vec<String>,
    kinds: Vec<String>,
    /// Policies that accept one of these schemes.
    schemes: Vec<String>,
    /// Policies with one of these settings.
    settings: Vec<String>,
}

pub(crate) struct Skipped(Vec<Entry>);

impl Skipped {
    pub(crate) fn read() -> Self {
        let entries = serde_json::from_str(include_str!("skipped.json"));
        Self(entries.expect("skipped.json is a list of reasons"))
    }

    pub(crate) fn reason(&self, vector: &Vector, vectors: &Vectors) -> Option<&str> {
        let entry = self.0.iter().find(|entry| entry.covers(vector, vectors));
        entry.map(|entry| entry.reason.as_str())
    }

    /// Panics if an entry covers no vector, since it would be misleading. (Other vectors than those
    /// of this repository may lack some.)
    pub(crate) fn assert_used(&self, vectors: &Vectors) {
        if std::env::var_os("CONFORMANCE_VECTORS").is_some() {
            return;
        }
        for entry in &self.0 {
            let mut all = vectors.vectors.iter();
            let is_used = all.any(|vector| entry.covers(vector, vectors));
            let missing = entry.ids.iter().find(|id| {
                let mut all = vectors.vectors.iter();
                all.all(|vector| vector.id != **id)
            });
            assert!(
                is_used && missing.is_none(),
                "skipped for nothing: {}",
                entry.reason
            );
        }
    }
}

impl Entry {
    fn covers(&self, vector: &Vector, vectors: &Vectors) -> bool {
        let kind = match &vector.kind {
            Kind::Http(http) => {
                let policy = vectors.policies.get(&http.policy);
                if policy.is_some_and(|policy| self.covers_policy(policy)) {
                    return true;
                }
                "http"
            }
            Kind::Header(_) => "header",
            Kind::Compile(_) => "compile",
            Kind::Metadata(_) => "metadata",
            Kind::Compute(_) => "compute",
            Kind::Gateway {} => "gateway",
        };
        self.ids.contains(&vector.id) || self.kinds.iter().any(|own| own == kind)
    }

    fn covers_policy(&self, policy: &Policy) -> bool {
        let has = |setting: &String| match setting.as_str() {
            "introspect" => policy.introspect,
            "mtls" => policy.mtls,
            other => panic!("skipped.json names the setting {other}, which no policy has"),
        };
        self.settings.iter().any(has)
            || policy
                .schemes
                .iter()
                .any(|scheme| self.schemes.contains(scheme))
    }
}
