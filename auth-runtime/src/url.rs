//! URLs that are trusted for what they name: resources, issuers, and where their documents are.

use std::fmt;

use http::Uri;

/// The URL as it may be shown: without what stands before an `@`, where a password may be.
pub(crate) fn without_user(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((before, rest)) => match before.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://…@{rest}"),
            None => format!("…@{rest}"),
        },
        None => url.to_owned(),
    }
}

/// Such a URL in its parts.
#[cfg_attr(
    not(feature = "resource-metadata"),
    expect(dead_code, reason = "nobody else needs all parts")
)]
pub(crate) struct TrustedUrl<'u> {
    /// Scheme and authority, as they are written.
    pub(crate) origin: &'u str,
    pub(crate) path: &'u str,
    pub(crate) query: Option<&'u str>,
}

impl<'u> TrustedUrl<'u> {
    /// Takes a URL that is whole and `https` (or `http` on loopback, for tests).
    pub(crate) fn read(url: &'u str) -> Result<Self, UrlProblem> {
        // What a path cannot have unescaped, the parser lets through in part (RFC 3986 §2).
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
        if scheme != "https" && !(scheme == "http" && is_loopback(authority.host())) {
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

/// What keeps a URL from identifying a resource or an issuer (RFC 9728 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlProblem {
    /// It has no scheme or no host, or is no URL at all.
    NotAbsolute,
    /// It is neither `https` nor on loopback.
    NotHttps,
    /// It has a fragment.
    Fragment,
    /// It has a user name or a password in it.
    UserInformation,
    /// It has a character that has to be percent-encoded.
    Character(char),
}

impl fmt::Display for UrlProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => f.write_str("it is no absolute URL"),
            Self::NotHttps => f.write_str("it has to be https (or http on loopback, for tests)"),
            Self::Fragment => f.write_str("it must not have a fragment"),
            Self::UserInformation => f.write_str("it must not name a user"),
            Self::Character(character) => {
                write!(f, "{character:?} has to be percent-encoded in it")
            }
        }
    }
}
