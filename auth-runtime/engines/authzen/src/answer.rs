//! The bodies of responses.

use std::fmt;

use auth_runtime_core::ObjectDecision;
use auth_runtime_remote::bounded_text;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The maximum number of authentication context classes, and the longest one, in bytes.
const MAX_ACR_VALUES: usize = 8;
const MAX_ACR_VALUE: usize = 256;

/// A decision (§5.5). A second member with the name of a known one is an error.
#[derive(Deserialize)]
struct Decision {
    decision: bool,
    #[serde(default)]
    context: Value,
    /// Permits further members, and forbids an array in place of an object, which serde accepts for
    /// other structs.
    #[serde(flatten)]
    _others: IgnoredAny,
}

/// Several decisions (§7.2).
#[derive(Deserialize)]
struct Decisions {
    evaluations: Vec<Decision>,
    #[serde(flatten)]
    _others: IgnoredAny,
}

/// The reason for missing decisions, or for a missing list. It does not quote the response, which may be long or personal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AnswerError {
    /// The response does not have one decision about each question, or is not a page of the list.
    Form(String),
    /// The server reports an error about a question (§7.2.1), with this status.
    Question(Option<f64>),
    /// The list is too long, or its pages take too long. Another one may be shorter.
    LongList(String),
}

impl AnswerError {
    /// Returns whether the error concerns one question, or one list.
    pub(crate) fn is_of_request(&self) -> bool {
        // OpenFGA reports every error about a question as 404.
        const STATUSES: [f64; 5] = [400.0, 404.0, 413.0, 422.0, 431.0];
        match self {
            Self::Question(Some(status)) => STATUSES.contains(status),
            Self::LongList(_) => true,
            Self::Form(_) | Self::Question(None) => false,
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(problem) | Self::LongList(problem) => f.write_str(problem),
            Self::Question(status) => {
                f.write_str("the server did not decide about a question: its error has ")?;
                match status {
                    Some(status) => write!(f, "the status {status}"),
                    None => f.write_str("no status"),
                }
            }
        }
    }
}

/// Returns the decision about one question.
pub(crate) fn one(body: &[u8]) -> Result<ObjectDecision, AnswerError> {
    let decision: Decision = serde_json::from_slice(body).map_err(|_| {
        let problem = "the response is not a JSON object with a boolean `decision`";
        AnswerError::Form(problem.to_owned())
    })?;
    decision.try_into()
}

/// Returns the decisions about `asked` questions.
pub(crate) fn several(body: &[u8], asked: usize) -> Result<Vec<ObjectDecision>, AnswerError> {
    let decisions: Decisions = serde_json::from_slice(body).map_err(|_| {
        let problem = "the response is not a JSON object with `evaluations` that each have a boolean `decision`";
        AnswerError::Form(problem.to_owned())
    })?;
    let found = decisions.evaluations.len();
    if found != asked {
        let problem = format!("the response has {found} decisions about {asked} questions");
        return Err(AnswerError::Form(problem));
    }
    let decisions = decisions.evaluations.into_iter();
    let decisions: Vec<_> = decisions.map(ObjectDecision::try_from).collect();
    // A failure of the server counts before an error that concerns one question.
    let errors = decisions
        .iter()
        .filter_map(|decision| decision.as_ref().err());
    match errors.min_by_key(|error| error.is_of_request()) {
        Some(error) => Err(error.clone()),
        None => decisions.into_iter().collect(),
    }
}

impl TryFrom<Decision> for ObjectDecision {
    type Error = AnswerError;

    fn try_from(
        Decision {
            decision, context, ..
        }: Decision,
    ) -> Result<Self, AnswerError> {
        if let Some(error) = reported_error(&context) {
            return Err(error);
        }
        let acr_values = acr_values(&context);
        let decided = if decision {
            Self::allow()
        } else if acr_values.is_empty() {
            Self::deny()
        } else {
            Self::deny_until_login(acr_values)
        };
        let decided = match text_of(&context, &["policy", "reason_admin", "id"]) {
            Some(policy) => decided.by_policy(policy),
            None => decided,
        };
        Ok(match text_of(&context, &["reason_user"]) {
            Some(reason) => decided.with_reason(&reason),
            None => decided,
        })
    }
}

/// The error that the server reports in a context (§7.2.1), with any status.
pub(crate) fn reported_error(context: &Value) -> Option<AnswerError> {
    let error = context.get("error").filter(|error| !error.is_null())?;
    let status = error.get("status").and_then(Value::as_f64);
    Some(AnswerError::Question(status))
}

/// The text of the first of these members that has one.
fn text_of(context: &Value, names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| match context.get(name)? {
            Value::String(text) => Some(text),
            // A text for each status or language (§5.5.1).
            Value::Object(texts) => texts.values().find_map(|text| match text {
                Value::String(text) => Some(text),
                _ => None,
            }),
            _ => None,
        })
        .map(|text| bounded_text(text))
        .filter(|text| !text.is_empty())
}

/// The authentication context classes of the context: a string with spaces between them, or a list.
/// Those that a challenge cannot contain (RFC 9470 §3) are left out.
fn acr_values(context: &Value) -> Vec<String> {
    let values: Vec<&str> = match context.get("acr_values") {
        Some(Value::String(values)) => values.split_ascii_whitespace().collect(),
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is_valid = |value: &&str| {
        (1..=MAX_ACR_VALUE).contains(&value.len())
            && value
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    let values = values.into_iter().filter(is_valid).take(MAX_ACR_VALUES);
    values.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_booleans_decide() {
        assert_eq!(one(br#"{"decision":true}"#), Ok(ObjectDecision::allow()));
        assert_eq!(
            one(br#" {"decision":false,"x":[1]} "#),
            Ok(ObjectDecision::deny())
        );
        for garbage in [
            "",
            "{}",
            "true",
            "null",
            "[]",
            "[true]",
            "[true,{},null]",
            r#"{"decision":"true"}"#,
            r#"{"decision":1}"#,
            r#"{"decision":null}"#,
            r#"{"decision":[true]}"#,
            r#"{"Decision":true}"#,
            r#"{"decision":false,"decision":true}"#,
            r#"{"decision":true,"decision":true}"#,
            r#"{"decision":true"#,
            r#"{"decision":true}{"decision":true}"#,
            r#"{"evaluations":[{"decision":true}]}"#,
            "\u{feff}{\"decision\":true}",
        ] {
            assert!(one(garbage.as_bytes()).is_err(), "{garbage}");
        }
        assert!(one(b"{\"decision\":true,\"a\":\"\xff\"}").is_err());
        assert!(one("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn every_question_has_a_decision() {
        let body = br#"{"evaluations":[{"decision":true},{"decision":false}],"decision":"?"}"#;
        let both = Ok(vec![ObjectDecision::allow(), ObjectDecision::deny()]);
        assert_eq!(several(body, 2), both);
        assert!(several(body, 1).is_err());
        assert!(several(body, 3).is_err());
        for garbage in [
            r#"{"decision":true}"#,
            r#"[{"decision":true},{"decision":true}]"#,
            r#"[[{"decision":true},{"decision":true}]]"#,
            r#"{"evaluations":[{"decision":true},{"decision":"false"}]}"#,
            r#"{"evaluations":[{"decision":true},[true]]}"#,
            r#"{"evaluations":[{"decision":true},{}]}"#,
            r#"{"evaluations":[{"decision":true},null]}"#,
            r#"{"evaluations":[true,true]}"#,
            r#"{"evaluations":{"0":{"decision":true},"1":{"decision":true}}}"#,
            r#"{"evaluations":[],"evaluations":[{"decision":true},{"decision":true}]}"#,
        ] {
            assert!(several(garbage.as_bytes(), 2).is_err(), "{garbage}");
        }
    }

    /// The decision of a server that could not decide is not a verdict on the caller.
    #[test]
    fn errors_decide_nothing() {
        let answers = |decision: bool, context: &Value| {
            let answer = json!({ "decision": decision, "context": context });
            let both = json!({ "evaluations": [{ "decision": true }, answer] });
            let second = several(both.to_string().as_bytes(), 2);
            let second = second.map(|mut decisions| decisions.remove(1));
            assert_eq!(one(answer.to_string().as_bytes()), second);
            second
        };
        for (error, is_of_request, expected) in [
            (
                json!({ "status": 500, "message": "a failure" }),
                false,
                "its error has the status 500",
            ),
            (
                json!({ "status": 500.0 }),
                false,
                "its error has the status 500",
            ),
            (
                json!({ "status": 503 }),
                false,
                "its error has the status 503",
            ),
            (
                json!({ "status": 404, "message": "Resource not found" }),
                true,
                "its error has the status 404",
            ),
            (
                json!({ "status": 429 }),
                false,
                "its error has the status 429",
            ),
            (json!({ "status": "404" }), false, "its error has no status"),
            (
                json!({ "message": "a failure" }),
                false,
                "its error has no status",
            ),
            (json!({}), false, "its error has no status"),
            (json!("a failure"), false, "its error has no status"),
            (json!(500), false, "its error has no status"),
            (json!([]), false, "its error has no status"),
            (json!(true), false, "its error has no status"),
            (json!(false), false, "its error has no status"),
        ] {
            for decision in [true, false] {
                let problem = answers(decision, &json!({ "error": error })).unwrap_err();
                assert_eq!(problem.is_of_request(), is_of_request, "{error}");
                let text = problem.to_string();
                assert_eq!(
                    text,
                    format!("the server did not decide about a question: {expected}")
                );
            }
        }
        let failed = |status: u16| json!({ "decision": false, "context": { "error": { "status": status } } });
        for answers in [[failed(404), failed(500)], [failed(500), failed(404)]] {
            let body = json!({ "evaluations": answers }).to_string();
            let problem = several(body.as_bytes(), 2).unwrap_err();
            assert!(!problem.is_of_request(), "{body}");
        }
        for context in [
            json!({ "error": null }),
            json!({ "reason": "resource not found" }),
            json!({ "status": 500 }),
            json!([{ "error": { "status": 500 } }]),
        ] {
            assert_eq!(
                answers(false, &context),
                Ok(ObjectDecision::deny()),
                "{context}"
            );
        }
    }

    fn decided(decision: bool, context: Value) -> ObjectDecision {
        one(json!({ "decision": decision, "context": context })
            .to_string()
            .as_bytes())
        .unwrap()
    }

    #[test]
    fn reasons_for_users_are_separate() {
        for (context, reason, policy) in [
            (
                json!({"reason_user": "Ask an owner.", "reason_admin": "no owner"}),
                Some("Ask an owner."),
                Some("no owner"),
            ),
            (
                json!({"reason_user": {"en-403": "Ask an owner."}}),
                Some("Ask an owner."),
                None,
            ),
            (json!({"reason_admin": "no owner"}), None, Some("no owner")),
            (json!({"reason_user": ["Ask"]}), None, None),
        ] {
            let decision = decided(false, context.clone());
            assert_eq!(
                (decision.reason(), decision.policy()),
                (reason, policy),
                "{context}"
            );
        }
    }

    #[test]
    fn policies_are_short_texts() {
        for (context, policy) in [
            (json!({"id": "200", "policy": "p1"}), Some("p1")),
            (
                json!({"id": "200", "reason_admin": "no owner"}),
                Some("no owner"),
            ),
            (json!({"id": "200"}), Some("200")),
            (
                json!({"reason_admin": {"403": "failed C076E82F"}}),
                Some("failed C076E82F"),
            ),
            (json!({"policy": "a\r\nb\u{1b}c"}), Some("a  b c")),
            (json!({"policy": 7}), None),
            (json!({"policy": " "}), None),
            (json!(null), None),
            (json!("policy"), None),
            (json!([{"policy": "p1"}]), None),
        ] {
            for decision in [true, false] {
                assert_eq!(
                    decided(decision, context.clone()).policy(),
                    policy,
                    "{context}"
                );
            }
        }
        let long = decided(true, json!({"policy": "ä".repeat(1000)}));
        assert_eq!(long.policy(), Some("ä".repeat(256).as_str()));
    }

    #[test]
    fn denials_name_sufficient_logins() {
        for (values, expected) in [
            (json!("urn:a"), vec!["urn:a"]),
            (json!("urn:a  urn:b"), vec!["urn:a", "urn:b"]),
            (
                json!(["urn:a", 7, "urn:b", "", "a b", "\"", "\\", "ä", "\n"]),
                vec!["urn:a", "urn:b"],
            ),
            (json!("x".repeat(MAX_ACR_VALUE + 1)), vec![]),
            (json!(vec!["x"; 100]), vec!["x"; MAX_ACR_VALUES]),
            (json!({"a": "b"}), vec![]),
        ] {
            let context = json!({ "acr_values": values });
            let denial = decided(false, context.clone());
            assert!(!denial.is_allowed());
            assert_eq!(denial.acr_values(), expected);
            assert!(decided(true, context).acr_values().is_empty());
        }
    }
}
