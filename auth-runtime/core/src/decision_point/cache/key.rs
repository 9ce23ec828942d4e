//! The parts of a question by which its decision is found again.

use crate::decision_point::EvaluationRequest;
use crate::decision_point::object::Evaluation;
use crate::decision_point::properties::Value;
use crate::key_bytes::KeyBytes;

/// The longest question that is cached, with its caller.
const MAX_LENGTH: usize = 4096;

/// Returns the key of each question; `None` if it is too long.
pub(super) fn of_questions(
    request: &EvaluationRequest<'_>,
    with_extensions: bool,
) -> Vec<Option<KeyBytes>> {
    // A new part of a request is a new part of the key.
    let EvaluationRequest {
        identity,
        evaluations,
        method,
        path,
        address,
        time: _,
        request_id: _,
        data: _,
    } = request;
    let mut shared = KeyBytes::default();
    identity.write_key(&mut shared, with_extensions);
    shared.text(method.as_str());
    shared.text(path);
    shared.text(&address.map(|it| it.to_string()).unwrap_or_default());
    if shared.len() > MAX_LENGTH {
        return vec![None; evaluations.len()];
    }
    let keys = evaluations.iter().map(|question| {
        let mut key = shared.clone();
        write_evaluation(&mut key, question);
        (key.len() <= MAX_LENGTH).then_some(key)
    });
    keys.collect()
}

/// Writes the parts of a question.
fn write_evaluation(key: &mut KeyBytes, evaluation: &Evaluation) {
    let Evaluation { action, resource } = evaluation;
    key.text(action);
    key.text(resource.resource_type());
    key.text(resource.id());
    key.number(resource.properties().len());
    for (name, property) in resource.properties() {
        key.text(name);
        write_value(key, property);
    }
}

fn write_value(key: &mut KeyBytes, value: &Value) {
    match value {
        Value::Text(text) => {
            key.kind(b'T');
            key.text(text);
        }
        Value::Number(number) => {
            key.kind(b'N');
            key.integer(*number);
        }
        Value::Flag(flag) => {
            key.kind(b'F');
            key.flag(*flag);
        }
        Value::List(values) => {
            key.kind(b'L');
            key.number(values.len());
            for each in values {
                write_value(key, each);
            }
        }
        Value::Reference(kind, id) => {
            key.kind(b'R');
            key.text(kind);
            key.text(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::{Duration, SystemTime};

    use http::Method;

    use super::*;
    use crate::decision_point::object::Resource;
    use crate::identity::Identity;

    fn key(request: EvaluationRequest<'_>) -> KeyBytes {
        let mut keys = of_questions(&request, true);
        keys.pop().expect("a question").expect("a short question")
    }

    fn of_identity(identity: &Identity) -> KeyBytes {
        let evaluations = [Evaluation::new("read", Resource::new("Repository", "a"))];
        key(EvaluationRequest::new(identity, &evaluations))
    }

    fn of_question(evaluation: Evaluation) -> KeyBytes {
        key(EvaluationRequest::new(&Identity::new("ann"), &[evaluation]))
    }

    /// Fails if two of the keys are equal.
    fn assert_different(keys: Vec<(&str, KeyBytes)>) {
        for (index, (name, key)) in keys.iter().enumerate() {
            for (other, same) in keys.iter().skip(index + 1) {
                assert_ne!(key, same, "{name} and {other}");
            }
        }
    }

    #[test]
    fn keys_contain_each_part_of_caller() {
        let ann = || Identity::new("ann");
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let callers = [
            ("subject", ann()),
            ("another subject", Identity::new("ann2")),
            ("issuer", ann().with_issuer("a")),
            ("empty issuer", ann().with_issuer("")),
            ("scope", ann().with_scopes(["a"])),
            ("two scopes", ann().with_scopes(["a", "b"])),
            ("scope of two words", ann().with_scopes(["a b"])),
            ("role", ann().with_roles(["a"])),
            ("permission", ann().with_permissions(["a"])),
            ("acr", ann().with_acr("a")),
            ("empty acr", ann().with_acr("")),
            ("amr", ann().with_amr(["a"])),
            ("login", ann().with_auth_time(at(1))),
            ("another login", ann().with_auth_time(at(2))),
            ("skew", ann().with_clock_skew(Duration::from_secs(1))),
            ("expiry", ann().with_expiry(at(1))),
            ("another expiry", ann().with_expiry(at(2))),
            ("constraint", ann().with_sender_constraint()),
            ("application", ann().with_application(Identity::new("a"))),
            (
                "another application",
                ann().with_application(Identity::new("b")),
            ),
            ("extension", ann().with_extension(7_u8)),
            ("another extension", ann().with_extension(8_u8)),
        ];
        // The callers live as long as their keys, as in the cache.
        let keys = callers.iter().map(|(name, own)| (*name, of_identity(own)));
        assert_different(keys.collect());
        let with_extension = ann().with_extension(7_u8);
        let (one, clone) = (with_extension.clone(), with_extension);
        assert_eq!(of_identity(&one), of_identity(&clone));
        assert_eq!(of_identity(&ann()), of_identity(&ann()));
    }

    #[test]
    fn keys_contain_each_part_of_question() {
        let repository = || Resource::new("Repository", "a");
        let with = |value: Value| repository().with_property("p", value);
        let list = |values: &[&str]| Value::from(values.to_vec());
        let questions = [
            ("plain", Evaluation::new("read", repository())),
            ("action", Evaluation::new("update", repository())),
            (
                "type",
                Evaluation::new("read", Resource::new("Repo", "sitorya")),
            ),
            (
                "id",
                Evaluation::new("read", Resource::new("Repository", "b")),
            ),
            ("text", Evaluation::new("read", with("1".into()))),
            ("number", Evaluation::new("read", with(1.into()))),
            ("flag", Evaluation::new("read", with(true.into()))),
            ("list", Evaluation::new("read", with(list(&["a", "b"])))),
            ("another list", Evaluation::new("read", with(list(&["ab"])))),
            ("empty list", Evaluation::new("read", with(list(&[])))),
            (
                "reference",
                Evaluation::new("read", with(Value::Reference("1".into(), String::new()))),
            ),
            (
                "name of a property",
                Evaluation::new("read", repository().with_property("q", "1")),
            ),
        ];
        let keys = questions.map(|(name, question)| (name, of_question(question)));
        assert_different(keys.into());
    }

    #[test]
    fn keys_contain_method_path_and_address() {
        let ann = Identity::new("ann");
        let evaluations = [Evaluation::new("read", Resource::new("Repository", "a"))];
        let plain = EvaluationRequest::new(&ann, &evaluations);
        let address = |last| Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
        let requests = [
            ("plain", plain),
            (
                "method",
                EvaluationRequest {
                    method: &Method::PUT,
                    ..plain
                },
            ),
            (
                "path",
                EvaluationRequest {
                    path: "/a",
                    ..plain
                },
            ),
            (
                "address",
                EvaluationRequest {
                    address: address(1),
                    ..plain
                },
            ),
            (
                "another address",
                EvaluationRequest {
                    address: address(2),
                    ..plain
                },
            ),
        ];
        assert_different(requests.map(|(name, request)| (name, key(request))).into());
        let time = SystemTime::UNIX_EPOCH;
        assert_eq!(key(plain), key(EvaluationRequest { time, ..plain }));
    }

    #[test]
    fn long_questions_have_no_key() {
        let ann = Identity::new("ann");
        let of_id = |length| {
            let resource = Resource::new("Repository", "a".repeat(length));
            let evaluations = [Evaluation::new("read", resource)];
            let request = EvaluationRequest::new(&ann, &evaluations);
            of_questions(&request, true).pop().expect("a question")
        };
        assert!(of_id(3000).is_some());
        assert_eq!(of_id(4096), None);
    }
}
