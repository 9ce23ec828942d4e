//! The age of the data that decisions may use.

use std::collections::BTreeSet;

use auth_runtime_core::{Evaluation, EvaluationRequest, RequestData, Resource, Value};

use crate::messages::{Consistency, Requirement, ZedToken};

/// The property of an object with its token.
pub(crate) const ZED_TOKEN: &str = "zed_token";

/// The tokens that the next call of a request has to be as fresh as. Each request keeps its own, from one
/// call to the next.
#[derive(Clone, Default)]
pub(crate) struct Freshness {
    /// The token of the latest response.
    latest: Option<ZedToken>,
    /// The tokens of objects that this response was as fresh as.
    reached: BTreeSet<String>,
    /// Further tokens of objects.
    wanted: BTreeSet<String>,
}

impl Freshness {
    /// The freshness of a call about the objects of the request.
    ///
    /// # Errors
    ///
    /// A token is invalid.
    pub(crate) fn of(request: &EvaluationRequest<'_>) -> Result<Self, String> {
        let kept: Self = request.data.map(RequestData::get).unwrap_or_default();
        let mut wanted = BTreeSet::new();
        for Evaluation { resource, .. } in request.evaluations {
            wanted.extend(token(resource)?.map(str::to_owned));
        }
        wanted.retain(|token| !kept.reached.contains(token));
        Ok(Self { wanted, ..kept })
    }

    /// The consistency of the next call.
    pub(crate) fn consistency(&self) -> Consistency {
        let mut wanted = self.wanted.iter();
        let requirement = match (wanted.next(), wanted.next(), &self.latest) {
            (None, _, None) => Requirement::MinimizeLatency(true),
            (None, _, Some(latest)) => Requirement::AtLeastAsFresh(latest.clone()),
            (Some(token), None, None) => Requirement::AtLeastAsFresh(ZedToken {
                token: token.clone(),
            }),
            // The order of two tokens is not known. The present state is as fresh as both.
            (Some(_), _, _) => Requirement::FullyConsistent(true),
        };
        Consistency {
            requirement: Some(requirement),
        }
    }

    /// Notes the token of a response.
    pub(crate) fn responded(&mut self, token: Option<ZedToken>) {
        let token = token.filter(|token| !token.token.is_empty());
        if token.is_some() {
            self.latest = token;
            self.reached.append(&mut self.wanted);
        }
    }

    /// Keeps it for the further calls of the request.
    pub(crate) fn keep(self, request: &EvaluationRequest<'_>) {
        if let Some(data) = request.data {
            data.set(self);
        }
    }
}

/// The token of an object.
fn token(resource: &Resource) -> Result<Option<&str>, String> {
    let mut properties = resource.properties();
    match properties.find(|(name, _)| *name == ZED_TOKEN) {
        None => Ok(None),
        Some((_, Value::Text(token))) if !token.is_empty() => Ok(Some(token)),
        Some(_) => Err(format!(
            "the property `{ZED_TOKEN}` of an object is empty, or not a text"
        )),
    }
}

#[cfg(test)]
mod tests {
    use auth_runtime::Identity;

    use super::*;

    fn repo(token: Option<&str>) -> Evaluation {
        let resource = Resource::new("Repo", "r");
        Evaluation::new(
            "read",
            match token {
                Some(token) => resource.with_property(ZED_TOKEN, token),
                None => resource,
            },
        )
    }

    fn fresh(token: &str) -> Requirement {
        let token = token.to_owned();
        Requirement::AtLeastAsFresh(ZedToken { token })
    }

    /// The requirement of a call about objects with these tokens, which is then answered.
    fn ask(
        data: Option<&RequestData>,
        tokens: &[Option<&str>],
        answer: Option<&str>,
    ) -> Requirement {
        let ann = Identity::new("ann");
        let evaluations: Vec<_> = tokens.iter().map(|token| repo(*token)).collect();
        let mut request = EvaluationRequest::new(&ann, &evaluations);
        request.data = data;
        let mut freshness = Freshness::of(&request).unwrap();
        let found = freshness.consistency().requirement.unwrap();
        freshness.responded(answer.map(|token| ZedToken {
            token: token.to_owned(),
        }));
        freshness.keep(&request);
        found
    }

    #[test]
    fn batches_are_as_fresh_as_tokens() {
        let fastest = Requirement::MinimizeLatency(true);
        let full = Requirement::FullyConsistent(true);
        for (name, tokens, expected) in [
            ("no questions", &[][..], fastest.clone()),
            ("no token", &[None, None], fastest),
            ("one token", &[Some("a")], fresh("a")),
            (
                "one of several objects has a token",
                &[None, Some("a"), None],
                fresh("a"),
            ),
            ("equal tokens", &[Some("a"), Some("a")], fresh("a")),
            (
                "different tokens",
                &[Some("a"), Some("b"), Some("a")],
                full.clone(),
            ),
        ] {
            assert_eq!(ask(None, tokens, None), expected, "{name}");
        }
        let number = Resource::new("Repo", "r").with_property(ZED_TOKEN, 7);
        let ann = Identity::new("ann");
        for evaluation in [Evaluation::new("read", number), repo(Some(""))] {
            let evaluations = [repo(Some("a")), evaluation];
            let request = EvaluationRequest::new(&ann, &evaluations);
            assert!(Freshness::of(&request).is_err());
        }
    }

    #[test]
    fn later_calls_are_as_fresh() {
        let data = RequestData::default();
        let ask = |tokens: &[Option<&str>], answer| ask(Some(&data), tokens, answer);
        assert_eq!(ask(&[Some("a")], Some("1")), fresh("a"));
        assert_eq!(ask(&[Some("a"), None], Some("2")), fresh("1"));
        assert_eq!(ask(&[], None), fresh("2"));
        assert_eq!(ask(&[], Some("")), fresh("2"));
        // Nothing tells whether "b" is older than "2".
        let full = Requirement::FullyConsistent(true);
        assert_eq!(ask(&[Some("b")], None), full);
        assert_eq!(ask(&[Some("b")], Some("3")), full);
        assert_eq!(ask(&[Some("b"), Some("a")], Some("4")), fresh("3"));
    }
}
