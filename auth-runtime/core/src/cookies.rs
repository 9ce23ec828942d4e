//! The cookies of a request (RFC 6265 §4.2.1).

use http::HeaderMap;
use http::header::COOKIE;
use percent_encoding::percent_decode;

/// The maximum number of cookies of one name that are read. The last ones are read: browsers send
/// the cookie of the shortest path, and of these the newest, last (RFC 6265 §5.4).
pub const MAX_PER_NAME: usize = 4;

/// One cookie, as sent.
#[derive(Clone, Copy)]
pub struct Cookie<'r> {
    name: &'r [u8],
    value: &'r [u8],
}

impl<'r> Cookie<'r> {
    /// Parses a name and a value (RFC 6265 §4.2.1); `None` without `=`.
    pub fn parse(pair: &'r [u8]) -> Option<Self> {
        let end = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at(end);
        Some(Self {
            name: name.trim_ascii(),
            value: value.get(1..).unwrap_or_default().trim_ascii(),
        })
    }

    /// Returns whether a browser treats `name` as its name.
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    /// Returns whether a library that decodes names, or trims more whitespace than browsers do,
    /// reads the name as `name`. A browser that protects `__Host-` names does not protect such a
    /// spelling.
    pub fn is_read_as(&self, name: &str) -> bool {
        let text = String::from_utf8_lossy(self.name);
        percent_decode(text.trim().as_bytes()).eq(name.bytes())
    }

    /// The value, without the whitespace around it.
    pub fn value(&self) -> &'r [u8] {
        self.value
    }
}

/// Returns all cookies, on any number of lines (RFC 9113 §8.2.3).
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let lines = headers.get_all(COOKIE).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(Cookie::parse)
}

/// Returns the distinct values of the cookies of that name, in their order: the last
/// [`MAX_PER_NAME`] ones. Other spellings of the name are other names.
pub fn values<'r>(headers: &'r HeaderMap, name: &str) -> impl Iterator<Item = &'r [u8]> {
    let mut values: [Option<&[u8]>; MAX_PER_NAME] = [None; MAX_PER_NAME];
    for cookie in cookies(headers).filter(|cookie| cookie.is_named(name)) {
        let value = Some(cookie.value());
        let start = values.iter().position(|other| *other == value);
        // A value that was sent twice counts at its last position.
        if let Some(later) = values.get_mut(start.unwrap_or_default()..) {
            later.rotate_left(1);
        }
        if let Some(last) = values.last_mut() {
            *last = value;
        }
    }
    values.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_distinct_and_bounded() {
        for (lines, expected) in [
            (&["id=a"][..], &["a"][..]),
            (&["id=a; id=b"], &["a", "b"]),
            (&["id=a", "id=b; id=a"], &["b", "a"]),
            (&["id=a; id=b; id=c; id=d; id=e"], &["b", "c", "d", "e"]),
            (&["id=a; id=b; id=c; id=d; id=b"], &["a", "c", "d", "b"]),
            (&["%69d=a; ID=b; id; id2=c;\tid\t=\td"], &["d"]),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.parse().expect("a field value"));
            }
            let found: Vec<_> = values(&headers, "id").collect();
            let expected: Vec<_> = expected.iter().map(|value| value.as_bytes()).collect();
            assert_eq!(found, expected, "{lines:?}");
        }
    }
}
