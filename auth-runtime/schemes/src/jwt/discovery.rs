//! Discovery of the URL of an issuer's keys (RFC 8414, OpenID Connect Discovery).

use auth_runtime_core::url::{TrustedUrl, without_secrets};
use auth_runtime_remote::{HttpClient, HttpError, bounded_text};
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Option<String>,
    /// Forbids an array in place of the object, which serde accepts for other structs.
    #[serde(flatten)]
    _others: IgnoredAny,
}

/// Returns the URL of the issuer's keys. An error has the problem of each URL that was tried.
pub(super) async fn jwks_url(http: &HttpClient, issuer: &str) -> Result<String, String> {
    let mut problems = Vec::new();
    for url in metadata_urls(issuer) {
        let (problem, is_final) = match http.get(&url).await {
            Ok(document) => match read(&document, issuer) {
                Ok(jwks_url) => return Ok(jwks_url),
                Err(problem) => (bounded_text(&problem), true),
            },
            // Some issuers publish their metadata at the other URL only.
            Err(error @ HttpError::Status(_)) => (error.to_string(), false),
            Err(error) => (error.to_string(), true),
        };
        problems.push(format!("{url}: {problem}"));
        if is_final {
            break;
        }
    }
    Err(problems.join("; "))
}

fn read(document: &[u8], issuer: &str) -> Result<String, String> {
    let metadata: Metadata = serde_json::from_slice(document)
        .map_err(|error| format!("this is not the metadata of an issuer ({error})"))?;
    // Metadata of another issuer must not be used (RFC 8414 §3.3).
    if metadata.issuer != issuer {
        return Err(format!(
            "the metadata is of {:?} and not of {issuer:?}",
            metadata.issuer
        ));
    }
    let url = metadata.jwks_uri.ok_or("the metadata has no `jwks_uri`")?;
    let problem = match (TrustedUrl::read(&url), TrustedUrl::read(issuer)) {
        (Ok(keys), Ok(issuer)) if issuer.is_https && !keys.is_https => {
            "it has to be https, as the issuer is".to_owned()
        }
        (Ok(_), _) => return Ok(url),
        (Err(problem), _) => problem.to_string(),
    };
    let url = without_secrets(&url);
    Err(format!("the `jwks_uri` {url:?} cannot be used: {problem}"))
}

/// Returns both URLs, the more common one first: behind the issuer (OpenID Connect Discovery §4),
/// and between its host and its path (RFC 8414 §3).
fn metadata_urls(issuer: &str) -> Vec<String> {
    let issuer = issuer.trim_end_matches('/');
    let behind = format!("{issuer}/.well-known/openid-configuration");
    let between = TrustedUrl::read(issuer).map(|url| {
        format!(
            "{}/.well-known/oauth-authorization-server{}",
            url.origin, url.path
        )
    });
    std::iter::once(behind).chain(between).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_where_the_standards_say() {
        for (issuer, urls) in [
            (
                "https://issuer.example",
                [
                    "https://issuer.example/.well-known/openid-configuration",
                    "https://issuer.example/.well-known/oauth-authorization-server",
                ],
            ),
            (
                "https://issuer.example/tenant/7/",
                [
                    "https://issuer.example/tenant/7/.well-known/openid-configuration",
                    "https://issuer.example/.well-known/oauth-authorization-server/tenant/7",
                ],
            ),
        ] {
            assert_eq!(metadata_urls(issuer), urls);
        }
    }

    #[test]
    fn metadata_of_somebody_else_are_refused() {
        let issuer = "https://issuer.example";
        for (document, error) in [
            (
                r#"{"issuer":"https://issuer.example","jwks_uri":"https://keys.example/all"}"#,
                None,
            ),
            (
                r#"{"issuer":"https://issuer.example/","jwks_uri":"https://keys.example/all"}"#,
                Some("not of"),
            ),
            (r#"{"issuer":"https://issuer.example"}"#, Some("jwks_uri")),
            (
                r#"{"issuer":"https://issuer.example","jwks_uri":"http://keys.example/all"}"#,
                Some("https"),
            ),
            ("<html>", Some("not the metadata")),
            (
                r#"["https://issuer.example","https://keys.example/all"]"#,
                Some("not the metadata"),
            ),
        ] {
            match (read(document.as_bytes(), issuer), error) {
                (Ok(url), None) => assert_eq!(url, "https://keys.example/all"),
                (Err(problem), Some(part)) => assert!(problem.contains(part), "{problem}"),
                (result, _) => panic!("{document}: {result:?}"),
            }
        }
    }
}
