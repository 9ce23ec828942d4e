//! URLs that identify resources and issuers, and URLs of their documents.

use std::fmt;

use http::Uri;

/// The URL without its user information, which may contain a password, and without its query, which may contain a
/// key, for messages.
pub fn without_secrets(url: &str) -> String {
    let url = match url.rsplit_once('@') {
        Some((before, rest)) => match before.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://…@{rest}"),
            None => format!("…@{rest}"),
        },
        None => url.to_owned(),
    };
    match url.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => url,
    }
}

/// A valid URL, split into its parts.
pub struct TrustedUrl<'u> {
    /// True if the scheme is `https`, and false if it is `http`.
    pub is_https: bool,
    /// The scheme and authority, as written.
    pub origin: &'u str,
    /// The path, as written.
    pub path: &'u str,
    /// The query without the question mark.
    pub query: Option<&'u str>,
}

impl<'u> TrustedUrl<'u> {
    /// Parses an absolute `https` URL. `http` is accepted on loopback, for tests.
    pub fn read(url: &'u str) -> Result<Self, UrlProblem> {
        Self::parse(url, is_loopback)
    }

    /// Parses an absolute URL that may be `http` on any host.
    pub fn read_over_plain_http(url: &'u str) -> Result<Self, UrlProblem> {
        Self::parse(url, |_| true)
    }

    /// Parses an absolute URL, with `http` on the hosts for which `is_plain` returns true.
    fn parse(url: &'u str, is_plain: impl Fn(&str) -> bool) -> Result<Self, UrlProblem> {
        // The parser accepts some characters that have to be percent-encoded (RFC 3986 §2).
        if let Some(character) = url
            .chars()
            .find(|c| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c))
        {
            return Err(UrlProblem::Character(character));
        }
        if url.contains('#') {
            return Err(UrlProblem::Fragment);
        }
        let uri: Uri = url.parse().map_err(|_| UrlProblem::NotAbsolute)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(UrlProblem::NotAbsolute);
        };
        if authority.as_str().contains('@') {
            return Err(UrlProblem::UserInformation);
        }
        if scheme != "https" && !(scheme == "http" && is_plain(authority.host())) {
            return Err(UrlProblem::NotHttps);
        }
        let (before_query, query) = match url.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (url, None),
        };
        let after_scheme = before_query
            .split_once("://")
            .map_or(0, |(scheme, _)| scheme.len() + 3);
        let rest = before_query.get(after_scheme..).unwrap_or_default();
        let path_start = rest
            .find('/')
            .map_or(before_query.len(), |at| after_scheme + at);
        let (origin, path) = before_query.split_at(path_start);
        Ok(Self {
            is_https: scheme == "https",
            origin,
            path,
            query,
        })
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The reason for rejecting the URL of a resource or an issuer (RFC 9728 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlProblem {
    /// The URL has no scheme or no host, or is not a URL.
    NotAbsolute,
    /// The URL is neither `https` nor on loopback.
    NotHttps,
    /// The URL has a fragment.
    Fragment,
    /// The URL contains a user name or a password.
    UserInformation,
    /// The URL contains a character that has to be percent-encoded.
    Character(char),
}

impl fmt::Display for UrlProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => f.write_str("it is not an absolute URL"),
            Self::NotHttps => f.write_str("it has to be https (or http on loopback, for tests)"),
            Self::Fragment => f.write_str("it must not have a fragment"),
            Self::UserInformation => f.write_str("it must not contain a user name or a password"),
            Self::Character(character) => {
                write!(f, "the character {character:?} has to be percent-encoded")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_queries_are_not_shown() {
        for (url, shown) in [
            ("https://a.io/x", "https://a.io/x"),
            ("https://a.io/x?code=secret", "https://a.io/x?…"),
            ("https://a.io?code=secret#x", "https://a.io?…"),
            ("https://ann:secret@a.io/x", "https://…@a.io/x"),
            ("https://ann:secret@a.io/?code=secret", "https://…@a.io/?…"),
            ("https://ann:sec?ret@a.io/x", "https://…@a.io/x"),
            ("https://a.io/x?mail=secret@b.io", "https://…@b.io"),
            ("ann:secret@a.io", "…@a.io"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn parts_are_as_written() {
        for (url, origin, path, query) in [
            ("https://a.io", "https://a.io", "", None),
            ("https://a.io/x/y", "https://a.io", "/x/y", None),
            ("https://a.io?q=/z", "https://a.io", "", Some("q=/z")),
            ("http://[::1]:8/x?q", "http://[::1]:8", "/x", Some("q")),
            (
                "https://tokens.example/",
                "https://tokens.example",
                "/",
                None,
            ),
        ] {
            let parts = TrustedUrl::read(url).map(|it| (it.origin, it.path, it.query));
            assert_eq!(parts.ok(), Some((origin, path, query)), "{url}");
        }
    }
}
