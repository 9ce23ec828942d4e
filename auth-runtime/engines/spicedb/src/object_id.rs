//! The form of ids in SpiceDB, which allows `[a-zA-Z0-9/_|\-=+]{1,1024}`.

use std::fmt::Write;

/// The longest id in SpiceDB, in bytes.
const MAX_ID: usize = 1024;

/// Returns the id in SpiceDB: each byte of another character, and each `=`, is written as `=` and two
/// hexadecimal digits. Different ids have different forms.
///
/// `None` for an id without a form, and for `*`, which means all subjects in SpiceDB.
pub(crate) fn encode(id: &str) -> Option<String> {
    if id == "*" {
        return None;
    }
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'_' | b'|' | b'-' | b'+' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "={byte:02X}").ok()?,
        }
    }
    (1..=MAX_ID).contains(&encoded.len()).then_some(encoded)
}

/// Returns the id that has this form; `None` if there is none.
pub(crate) fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'=' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            _ => byte,
        });
    }
    let id = String::from_utf8(bytes).ok()?;
    // Otherwise a second form would belong to the same id.
    (encode(&id).as_deref() == Some(encoded)).then_some(id)
}

fn hex_digit(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn forms_of_ids() {
        for (id, expected) in [
            ("ann", Some("ann")),
            ("ann/garden", Some("ann/garden")),
            (
                "auth0|5f7c8ec7c33c6c004bbafe82",
                Some("auth0|5f7c8ec7c33c6c004bbafe82"),
            ),
            ("a_B-9+", Some("a_B-9+")),
            ("ann@example.org", Some("ann=40example=2Eorg")),
            ("=", Some("=3D")),
            ("=40", Some("=3D40")),
            ("ä", Some("=C3=A4")),
            (" ", Some("=20")),
            ("\0", Some("=00")),
            ("**", Some("=2A=2A")),
            ("ann#member", Some("ann=23member")),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(encode(id).as_deref(), expected, "{id:?}");
            if let Some(encoded) = expected {
                assert_eq!(decode(encoded).as_deref(), Some(id), "{encoded:?}");
            }
        }
        assert!(encode(&"a".repeat(MAX_ID)).is_some());
        assert_eq!(encode(&"a".repeat(MAX_ID + 1)), None);
        assert!(encode(&"@".repeat(MAX_ID / 3)).is_some());
        assert_eq!(encode(&"@".repeat(MAX_ID / 3 + 1)), None);
    }

    #[test]
    fn other_texts_belong_to_no_id() {
        for text in [
            "", "*", "=", "=4", "a=", "=2a", "=61", "=2A", "=G0", "=+1", "=FF", "ann@x", "a b",
            "=C3",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn different_ids_differ() {
        let characters = ["a", "A", "=", "2", "*", "@", "4", "0", "ä", "/"];
        let mut ids = vec![String::new()];
        for _ in 0..4 {
            let longer = ids.iter().flat_map(|id| {
                characters
                    .iter()
                    .map(move |character| format!("{id}{character}"))
            });
            let longer: Vec<_> = longer.collect();
            ids.extend(longer);
        }
        let ids: BTreeSet<_> = ids.into_iter().collect();
        let forms: BTreeSet<_> = ids.iter().filter_map(|id| encode(id)).collect();
        assert_eq!(
            forms.len(),
            ids.len() - 2,
            "all except the empty one and `*`"
        );
        assert!(
            forms
                .iter()
                .all(|form| decode(form).is_some_and(|id| ids.contains(&id)))
        );
    }
}
