//! `X-Forwarded-Client-Cert`, the field of Envoy: `Hash=…;Subject="…";URI=…, Hash=…`.

use super::peer::{ForwardedNames, PeerCertificate};
use crate::hex::parse_sha256;

/// The most names of one certificate.
const MAX_NAMES: usize = 64;

/// Reads the last element, with a function that reads the certificate of `Cert`.
///
/// All elements have to be well-formed, since the end of one is the start of the next one.
pub(super) fn read(
    value: &str,
    read_certificate: impl FnOnce(&str) -> Option<Vec<u8>>,
) -> Option<PeerCertificate> {
    let element = last_element(value)?;
    let (mut hash, mut certificate) = (None, None);
    let mut names = ForwardedNames::default();
    for (key, value) in element {
        // Envoy writes a key without a value if the certificate has no such name.
        if value.is_empty() {
            continue;
        }
        let only = match key.to_ascii_lowercase().as_str() {
            "hash" => hash.replace(parse_sha256(value)?).is_none(),
            "cert" => certificate.replace(value).is_none(),
            "subject" => names.subject.replace(value.to_owned()).is_none(),
            "uri" => {
                names.uris.push(value.to_owned());
                true
            }
            "dns" => {
                names.dns_names.push(value.to_owned());
                true
            }
            _ => true,
        };
        if !only || names.uris.len() + names.dns_names.len() > MAX_NAMES {
            return None;
        }
    }
    let Some(certificate) = certificate else {
        return Some(PeerCertificate::forwarded(&hash?, names));
    };
    let certificate = PeerCertificate::new(read_certificate(certificate)?);
    let agrees = hash.is_none_or(|hash| {
        PeerCertificate::forwarded(&hash, ForwardedNames::default()).thumbprint()
            == certificate.thumbprint()
    });
    agrees.then_some(certificate)
}

/// The keys and values of an element. A quoted value is without its quotes, and keeps its backslashes: they belong
/// to the subject (RFC 2253 §2.4).
type Element<'v> = Vec<(&'v str, &'v str)>;

/// Returns the last element. `None` if one of them is not well-formed.
fn last_element(mut rest: &str) -> Option<Element<'_>> {
    let mut element = Element::new();
    loop {
        let (key, after) = rest.split_once('=')?;
        let key = key.trim_matches([' ', '\t']);
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (value, after) = value(after)?;
        element.push((key, value));
        let after = after.trim_start_matches([' ', '\t']);
        rest = match after.split_at_checked(1) {
            None => return Some(element),
            Some((";", more)) => more,
            Some((",", more)) => {
                element.clear();
                more
            }
            Some(_) => return None,
        };
    }
}

/// Splits a value from the text after it.
fn value(text: &str) -> Option<(&str, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';']).unwrap_or(text.len());
        let (value, after) = text.split_at_checked(end)?;
        let is_legal = value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
        return is_legal.then_some((value, after));
    };
    let mut escapes = false;
    let end = quoted.find(|character| {
        let ends = character == '"' && !escapes;
        escapes = character == '\\' && !escapes;
        ends
    })?;
    let (value, after) = quoted.split_at_checked(end)?;
    Some((value, after.strip_prefix('"')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Option<Vec<String>> {
        let element = last_element(text)?;
        let pairs = element.into_iter();
        Some(pairs.map(|(key, value)| format!("{key}={value}")).collect())
    }

    #[test]
    fn elements_are_parsed_strictly() {
        for (text, expected) in [
            ("a=b", Some(&["a=b"][..])),
            ("a=b;c=d", Some(&["a=b", "c=d"])),
            ("a=b,c=d", Some(&["c=d"])),
            ("a=b, c=d", Some(&["c=d"])),
            ("a=b ; c=d", None),
            ("a=\"b\" ; c=d", Some(&["a=b", "c=d"])),
            ("a=b=c", Some(&["a=b=c"])),
            ("a=;c=d", Some(&["a=", "c=d"])),
            ("a=\"b,c;d=e\"", Some(&["a=b,c;d=e"])),
            (r#"a="b\"c""#, Some(&[r#"a=b\"c"#])),
            (r#"a="b\\";c=d"#, Some(&[r"a=b\\", "c=d"])),
            (r#"a="b\\",c=d"#, Some(&["c=d"])),
            ("", None),
            ("a", None),
            ("=b", None),
            ("a=b;", None),
            ("a=b,", None),
            (",a=b", None),
            ("a=b;;c=d", None),
            ("a=\"b", None),
            ("a=\"b\\\"", None),
            ("a=b\"c\"", None),
            ("a=\"b\"c", None),
            ("a b=c", None),
            ("a=b c", None),
            ("a=b,c", None),
        ] {
            let expected: Option<Vec<String>> =
                expected.map(|pairs| pairs.iter().map(|pair| (*pair).to_owned()).collect());
            assert_eq!(keys(text), expected, "{text}");
        }
    }
}
