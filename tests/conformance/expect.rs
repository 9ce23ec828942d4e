//! The comparison of expected and actual responses.

use std::collections::BTreeMap;

use http_auth::parse_challenges;
use serde_json::Value;

use crate::vector::{Challenge, Expect, Headers};

/// A response as received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn read(text: &str, method: &str) -> Result<Self, String> {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .ok_or("no complete answer came")?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let response = Self {
            status: status
                .and_then(|status| status.parse().ok())
                .ok_or("no status line came")?,
            headers,
            body: body.to_owned(),
        };
        let length = response
            .values("content-length")
            .next()
            .map(str::parse::<usize>);
        match length {
            Some(Ok(length)) if method != "HEAD" && body.len() != length => Err(format!(
                "the body has {} bytes, and not {length}",
                body.len()
            )),
            _ => Ok(response),
        }
    }

    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let name = name.to_ascii_lowercase();
        let named = self.headers.iter().filter(move |(own, _)| *own == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// A challenge, parsed by an independent parser.
#[derive(Debug, PartialEq)]
struct Seen {
    scheme: String,
    params: BTreeMap<String, String>,
}

pub(crate) fn check(
    expect: &Expect,
    seen: &Response,
    unknown: &Response,
    credentials: &[(String, String)],
) -> Result<(), String> {
    let mut problems = Vec::new();
    if !expect.status.contains(&seen.status) {
        problems.push(format!("the status is none of {:?}", expect.status));
    }
    match challenges(seen) {
        Ok(challenges) => {
            if let Some(wanted) = &expect.challenges {
                problems.extend(compare(wanted, &challenges, expect.challenges_exact));
            }
            for scheme in &expect.challenges_not {
                if challenges
                    .iter()
                    .any(|seen| seen.scheme.eq_ignore_ascii_case(scheme))
                {
                    problems.push(format!("there is a challenge of {scheme}"));
                }
            }
        }
        Err(problem) => problems.push(problem),
    }
    problems.extend(headers(&expect.headers, seen));
    if let Some(body) = &expect.body {
        problems.extend(self::body(body, seen, unknown, credentials));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{}\nseen: {seen:#?}", problems.join("\n")))
}

/// The lines of the field and their combination have to contain the same challenges (RFC 9110
/// §5.3).
fn challenges(response: &Response) -> Result<Vec<Seen>, String> {
    let parse = |text: &str| -> Result<Vec<Seen>, String> {
        let parsed = parse_challenges(text).map_err(|error| format!("{text}: {error:?}"))?;
        let seen = parsed.iter().map(|challenge| Seen {
            scheme: challenge.scheme.to_owned(),
            params: challenge
                .params
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.to_unescaped()))
                .collect(),
        });
        Ok(seen.collect())
    };
    let lines: Vec<&str> = response.values("www-authenticate").collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let alone: Vec<Vec<Seen>> = lines
        .iter()
        .map(|line| parse(line))
        .collect::<Result<_, _>>()?;
    let alone: Vec<Seen> = alone.into_iter().flatten().collect();
    if alone != parse(&lines.join(", "))? {
        return Err("the challenges differ when their lines are joined".to_owned());
    }
    Ok(alone)
}

fn compare(wanted: &[Challenge], seen: &[Seen], exact: bool) -> Vec<String> {
    let mut problems = Vec::new();
    if exact && wanted.len() != seen.len() {
        problems.push(format!(
            "there are {} challenges, and not {}",
            seen.len(),
            wanted.len()
        ));
    }
    for (index, wanted) in wanted.iter().enumerate() {
        let Some(seen) = seen.get(index) else {
            problems.push(format!("the challenge of {} is missing", wanted.scheme));
            continue;
        };
        // The registered spelling, since many clients are case-sensitive.
        if wanted.scheme != seen.scheme {
            problems.push(format!(
                "{} stands in the place of {}",
                seen.scheme, wanted.scheme
            ));
        }
        for (name, value) in &wanted.params {
            if seen.params.get(name) != Some(value) {
                problems.push(format!("`{name}` is not {value:?}"));
            }
        }
        for name in &wanted.present {
            if !seen.params.contains_key(name) {
                problems.push(format!("`{name}` is missing"));
            }
        }
        for name in &wanted.absent {
            if seen.params.contains_key(name) {
                problems.push(format!("`{name}` is there"));
            }
        }
        for (name, allowed) in &wanted.one_of {
            if !allowed.contains(&seen.params.get(name).cloned()) {
                problems.push(format!("`{name}` is none of {allowed:?}"));
            }
        }
    }
    problems
}

fn headers(wanted: &Headers, seen: &Response) -> Vec<String> {
    let mut problems = Vec::new();
    for name in &wanted.absent {
        if seen.values(name).next().is_some() {
            problems.push(format!("the field {name} is there"));
        }
    }
    for (name, rules) in &wanted.present {
        for (rule, argument) in rules {
            // Evaluated with another rule.
            if rule == "or_vary" {
                continue;
            }
            let varies = rules.get("or_vary").is_some_and(|field| {
                let field = field.as_str().unwrap_or_default();
                let mut named = seen.values("vary").flat_map(|value| value.split(','));
                named.any(|own| own.trim().eq_ignore_ascii_case(field))
            });
            if !keeps(rule, argument, name, seen) && !varies {
                problems.push(format!(
                    "the field {name} breaks the rule {rule} {argument}"
                ));
            }
        }
    }
    problems
}

fn keeps(rule: &str, argument: &Value, name: &str, seen: &Response) -> bool {
    let values: Vec<&str> = seen.values(name).collect();
    let text = argument.as_str().unwrap_or_default().to_ascii_lowercase();
    let joined = values.join(", ").to_ascii_lowercase();
    let members: Vec<&str> = joined.split(',').map(str::trim).collect();
    let is_there = |directive: &str| {
        let directive = directive.to_ascii_lowercase();
        members
            .iter()
            .any(|member| member.split('=').next() == Some(&directive))
    };
    match rule {
        "directive" => is_there(&text),
        "any_directive" => {
            let directives = argument.as_array().into_iter().flatten();
            directives.filter_map(Value::as_str).any(is_there)
        }
        "not_directives" => {
            let directives = argument.as_array().into_iter().flatten();
            !directives.filter_map(Value::as_str).any(is_there)
        }
        "contains" => joined.contains(&text),
        // A response that must not be stored does not need `Vary`.
        "contains_if_cacheable" => {
            let stored = seen
                .values("cache-control")
                .all(|value| !value.contains("no-store"));
            !stored || joined.contains(&text)
        }
        "equals" => joined == text,
        "not_equals" => joined != text,
        "count" => argument.as_u64() == u64::try_from(values.len()).ok(),
        "min_count" => {
            let seen = u64::try_from(values.len()).unwrap_or(u64::MAX);
            argument.as_u64().is_some_and(|least| least <= seen)
        }
        "max_count" => argument.as_u64() >= u64::try_from(values.len()).ok(),
        "total_bytes_max" => {
            let bytes = seen
                .headers
                .iter()
                .map(|(name, value)| name.len() + value.len() + 4);
            argument.as_u64() >= u64::try_from(bytes.sum::<usize>()).ok()
        }
        _ => false,
    }
}

fn body(
    wanted: &Value,
    seen: &Response,
    unknown: &Response,
    credentials: &[(String, String)],
) -> Option<String> {
    let fits = match wanted {
        Value::String(rule) => match rule.as_str() {
            "empty" => seen.body.is_empty(),
            "nonempty" => !seen.body.is_empty(),
            "same-as-unknown-path" => seen == unknown,
            "must-not-contain-credential" => credentials.iter().all(|(_, value)| {
                let secret = value.split(' ').next_back().unwrap_or(value);
                let fields = seen.headers.iter().map(|(_, value)| value);
                // A short one could be part of another word.
                !fields.chain([&seen.body]).any(|text| match secret.len() {
                    8.. => text.contains(secret),
                    _ => text
                        .split(|c: char| !c.is_ascii_alphanumeric())
                        .any(|word| word == secret),
                })
            }),
            _ => false,
        },
        Value::Object(rules) => {
            let document: Value = serde_json::from_str(&seen.body).unwrap_or_default();
            let members = rules.get("json").and_then(Value::as_object);
            let same = members
                .into_iter()
                .flatten()
                .all(|(name, value)| document[name] == *value);
            let other_type = rules
                .get("or_type_not")
                .is_some_and(|kind| document.get("type").is_some_and(|own| own != kind));
            same || other_type
        }
        _ => false,
    };
    (!fits).then(|| format!("the body is not as it should be: {wanted}"))
}
