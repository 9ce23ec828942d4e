//! The media types of the bodies of denials, and the choice among them by `Accept`.

use http::HeaderValue;

/// The media types of a denial's body. The first one is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// RFC 9457.
    Problem,
    Html,
    Text,
}

impl MediaType {
    const ALL: [Self; 3] = [Self::Problem, Self::Html, Self::Text];

    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> HeaderValue {
        // Constants, so that the values are validated at compile time instead of for each denial.
        const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
        const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
        match self {
            Self::Problem => PROBLEM,
            Self::Html => HTML,
            Self::Text => TEXT,
        }
    }

    /// Escapes a text for this media type. Control characters become spaces.
    pub(crate) fn escape(self, text: &str) -> String {
        let mut escaped = String::new();
        for character in text.chars() {
            match (self, character) {
                (Self::Problem, '"' | '\\') => escaped.extend(['\\', character]),
                (Self::Html, '&') => escaped.push_str("&amp;"),
                (Self::Html, '<') => escaped.push_str("&lt;"),
                (Self::Html, '>') => escaped.push_str("&gt;"),
                (_, control) if control.is_control() => escaped.push(' '),
                _ => escaped.push(character),
            }
        }
        escaped
    }

    /// The precedence of a media range that matches this media type, by specificity (RFC 9110 §12.5.1);
    /// `None` if it does not match.
    fn fit(self, range: &str) -> Option<u8> {
        let exact = match self {
            Self::Problem => ["application/problem+json", "application/json"].as_slice(),
            Self::Html => &["text/html", "application/xhtml+xml"],
            Self::Text => &["text/plain"],
        };
        let subtypes = match self {
            Self::Problem => "application/*",
            Self::Html | Self::Text => "text/*",
        };
        let is = |name: &str| range.eq_ignore_ascii_case(name);
        if exact.iter().any(|name| is(name)) {
            Some(2)
        } else if is(subtypes) {
            Some(1)
        } else {
            is("*/*").then_some(0)
        }
    }
}

/// The media type with the highest weight in `Accept`. The most specific range determines the weight of a
/// media type.
pub(crate) fn preferred(accept: &str) -> MediaType {
    if accept.is_empty() {
        return MediaType::Problem;
    }
    let ranges: Vec<(&str, u16)> = accept
        .split(',')
        .take(MAX_RANGES)
        .map(media_range)
        .collect();
    let weight = |media_type: &MediaType| {
        ranges
            .iter()
            .filter_map(|(range, weight)| Some((media_type.fit(range)?, *weight)))
            .max()
            .map_or(0, |(_, weight)| weight)
    };
    MediaType::ALL
        .into_iter()
        // `max_by_key` returns the last maximum, and the default has to win.
        .rev()
        .max_by_key(weight)
        .unwrap_or(MediaType::Problem)
}

/// The maximum number of media ranges; further ones are ignored. Browsers send about a dozen at
/// most.
const MAX_RANGES: usize = 64;

/// A media range without its parameters, and its weight in thousandths.
fn media_range(member: &str) -> (&str, u16) {
    let mut parts = member.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let weight = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .map_or(1000, thousandths);
    (range, weight)
}

/// A `qvalue` in thousandths (RFC 9110 §12.4.2); 0 if it is invalid.
fn thousandths(qvalue: &str) -> u16 {
    match qvalue.parse::<f32>() {
        // The value is in range, so the cast neither wraps nor saturates.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_chooses_the_form() {
        let table = [
            ("", MediaType::Problem),
            ("*/*", MediaType::Problem),
            ("application/json", MediaType::Problem),
            ("application/problem+json", MediaType::Problem),
            ("text/html", MediaType::Html),
            ("TEXT/HTML", MediaType::Html),
            ("text/plain", MediaType::Text),
            ("text/*", MediaType::Html),
            ("text/*, text/html;q=0.1", MediaType::Text),
            ("text/html;q=0.5, application/json;q=0.4", MediaType::Html),
            (
                "text/html;q=0.4, application/json;q=0.5",
                MediaType::Problem,
            ),
            ("text/html;level=1;q=0, */*", MediaType::Problem),
            ("image/png", MediaType::Problem),
            ("text/html;q=nonsense", MediaType::Problem),
            ("text/html;q=1.5, text/plain;q=0.5", MediaType::Text),
            ("text/html;q=-1, text/plain;q=0.5", MediaType::Text),
            ("text/html;q=NaN, text/plain;q=0.5", MediaType::Text),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                MediaType::Html,
            ),
        ];
        for (accept, media_type) in table {
            assert_eq!(preferred(accept), media_type, "Accept: {accept}");
        }
    }

    #[test]
    fn control_characters_become_spaces() {
        for (media_type, expected) in [
            (MediaType::Problem, r#"a\"b\\c  d & <e>"#),
            (MediaType::Html, r#"a"b\c  d &amp; &lt;e&gt;"#),
            (MediaType::Text, r#"a"b\c  d & <e>"#),
        ] {
            let escaped = media_type.escape("a\"b\\c\r\nd & <e>");
            assert_eq!(escaped, expected, "{media_type:?}");
        }
    }
}
