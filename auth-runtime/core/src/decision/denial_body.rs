//! The bodies of denials, in the media type that the client accepts.

use bytes::Bytes;
use http::HeaderValue;

use crate::caller::Rejection;
use crate::decision::Denial;
use crate::media_type::{MediaType, preferred};

/// The body of a denial and its media type.
#[derive(Clone, Debug)]
pub struct DenialBody {
    pub(crate) content_type: HeaderValue,
    pub(crate) bytes: Bytes,
}

impl DenialBody {
    /// Creates a body of the given media type.
    ///
    /// ```
    /// use auth_runtime::decision::DenialBody;
    /// use http::HeaderValue;
    ///
    /// let json = HeaderValue::from_static("application/json");
    /// let body = DenialBody::new(json, r#"{"error":"forbidden"}"#);
    /// # let _ = body;
    /// ```
    pub fn new(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self {
            content_type,
            bytes: body.into(),
        }
    }
}

/// The built-in body, with this sentence in place of its own, in the media type that `Accept` prefers; problem
/// details if it accepts no media type.
pub(crate) fn negotiate(denial: &Denial, message: Option<&str>, accept: &str) -> DenialBody {
    let media_type = preferred(accept);
    let Texts {
        problem,
        html,
        text,
        detail,
    } = texts(denial);
    let body = match media_type {
        MediaType::Problem => problem,
        MediaType::Html => html,
        MediaType::Text => text,
    };
    let bytes = match message {
        None => Bytes::from_static(body.as_bytes()),
        Some(message) => Bytes::from(body.replace(detail, &media_type.escape(message))),
    };
    DenialBody {
        content_type: media_type.content_type(),
        bytes,
    }
}

/// The sentence of a built-in body without a text of the service.
pub(crate) fn detail(denial: &Denial) -> &'static str {
    texts(denial).detail
}

/// A body in every media type.
struct Texts {
    problem: &'static str,
    html: &'static str,
    text: &'static str,
    /// The sentence in each of them.
    detail: &'static str,
}

/// Builds the body in every media type at compile time, since it does not depend on the request. Titles
/// and details contain no character that JSON or HTML has to escape.
macro_rules! texts {
    ($code:literal, $title:literal, $detail:literal) => {
        Texts {
            problem: concat!(
                r#"{"type":"about:blank","title":""#,
                $title,
                r#"","status":"#,
                $code,
                r#","detail":""#,
                $detail,
                r#""}"#
            ),
            html: concat!(
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
                "<meta name=\"color-scheme\" content=\"light dark\"><title>",
                $code,
                " ",
                $title,
                "</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;",
                "margin:18vh auto 0;padding:0 1.5rem}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:0}",
                "</style></head><body><h1>",
                $title,
                "</h1><p>",
                $detail,
                "</p></body></html>\n"
            ),
            text: concat!($code, " ", $title, "\n", $detail, "\n"),
            detail: $detail,
        }
    };
}

/// The texts of a denial, which add nothing to the information in its status.
fn texts(denial: &Denial) -> Texts {
    match denial {
        Denial::InvalidRequest => texts!(
            400,
            "Bad Request",
            "The request has ambiguous or misplaced credentials, or a body that cannot be read."
        ),
        Denial::Unauthenticated {
            rejection: None, ..
        } => texts!(
            401,
            "Unauthorized",
            "The request has no credentials of an accepted scheme."
        ),
        Denial::Unauthenticated {
            rejection: Some(Rejection::TooLong),
            ..
        } => texts!(
            431,
            "Request Header Fields Too Large",
            "The credentials are too long."
        ),
        Denial::SenderConstraintRequired => texts!(
            401,
            "Unauthorized",
            "The credentials must be bound to a key of the client."
        ),
        Denial::StepUp { .. } => texts!(
            401,
            "Unauthorized",
            "The login is too old or too weak. Log in again."
        ),
        Denial::Unauthenticated {
            rejection: Some(Rejection::NoApplication),
            ..
        } => texts!(
            401,
            "Unauthorized",
            "The request has no credentials of the application."
        ),
        Denial::Unauthenticated {
            rejection: Some(Rejection::InvalidApplication),
            ..
        } => texts!(
            401,
            "Unauthorized",
            "The credentials of the application are invalid or expired."
        ),
        Denial::Unauthenticated { .. } => texts!(
            401,
            "Unauthorized",
            "The credentials are invalid or expired."
        ),
        Denial::InsufficientScope {
            has_token_server: true,
            ..
        } => texts!(
            401,
            "Unauthorized",
            "The credentials lack a required scope."
        ),
        Denial::InsufficientScope { .. } => {
            texts!(403, "Forbidden", "The credentials lack a required scope.")
        }
        Denial::Forbidden { .. } => texts!(403, "Forbidden", "You are not allowed to do this."),
        Denial::NotFound => texts!(404, "Not Found", "Nothing was found at this address."),
        Denial::Unverifiable { .. } => texts!(
            503,
            "Service Unavailable",
            "The permission cannot be checked at the moment."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_says_what_status_says() {
        let unauthenticated = |rejection| Denial::Unauthenticated {
            rejection,
            scopes: Vec::new(),
        };
        let insufficient = |has_token_server| Denial::InsufficientScope {
            scopes: Vec::new(),
            has_token_server,
        };
        for denial in [
            Denial::InvalidRequest,
            unauthenticated(None),
            unauthenticated(Some(Rejection::Expired)),
            unauthenticated(Some(Rejection::TooLong)),
            Denial::StepUp {
                acr_values: Vec::new(),
                max_age: None,
            },
            Denial::SenderConstraintRequired,
            insufficient(false),
            insufficient(true),
            Denial::FORBIDDEN,
            Denial::NotFound,
            Denial::Unverifiable { retry_after: None },
        ] {
            let status = denial.status();
            let reason = status.canonical_reason().unwrap_or_default();
            let (code, texts) = (status.as_str(), texts(&denial));
            let problem = format!(r#""title":"{reason}","status":{code},"#);
            assert!(texts.problem.contains(&problem), "{denial:?}");
            assert!(texts.html.contains(&format!("<title>{code} {reason}<")));
            assert!(texts.text.starts_with(&format!("{code} {reason}\n")));
        }
    }
}
