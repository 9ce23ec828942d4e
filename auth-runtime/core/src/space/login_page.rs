//! The login page for browsers, and the return path from it.

use http::HeaderValue;

use crate::decision::Denial;
use crate::request_snapshot::RequestSnapshot;
use crate::return_path::ReturnPath;

/// The longest encoded return path, in bytes. Proxies limit the size of the fields of a response, such as nginx
/// to 4 KiB by default.
const MAX_NEXT: usize = 2048;

/// A path on this host, with an optional query.
pub(super) struct LoginPage {
    path: String,
    query: Option<String>,
}

impl LoginPage {
    /// Returns the text as the error if it is not such a path.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let path_and_query = ReturnPath::new(text).filter(|_| !text.contains('#'));
        if path_and_query.is_none() || HeaderValue::from_str(text).is_err() {
            return Err(text.to_owned());
        }
        Ok(match text.split_once('?') {
            Some((path, query)) => Self {
                path: path.to_owned(),
                query: Some(query.to_owned()),
            },
            None => Self {
                path: text.to_owned(),
                query: None,
            },
        })
    }

    /// Returns the redirect target for a denied request. It has the return path as `next`, and the
    /// requirements of the login in the parameters of OpenID Connect Core §3.1.2.1.
    ///
    /// `None` for a request to the page itself, which would cause a redirect loop.
    pub(super) fn location(
        &self,
        denial: &Denial,
        request: &RequestSnapshot,
    ) -> Option<HeaderValue> {
        let sent = request.uri();
        if sent.path() == self.path {
            return None;
        }
        let mut query = form_urlencoded::Serializer::new(self.query.clone().unwrap_or_default());
        let target = sent.path_and_query();
        let next = target.and_then(|target| ReturnPath::new(target.as_str()));
        if let Some(next) = next.filter(|next| encoded_length(next) <= MAX_NEXT) {
            query.append_pair("next", next.as_str());
        }
        if let Denial::StepUp {
            acr_values,
            max_age,
        } = denial
        {
            if !acr_values.is_empty() {
                query.append_pair("acr_values", &acr_values.join(" "));
            }
            if let Some(max_age) = max_age {
                query.append_pair("max_age", &max_age.as_secs().to_string());
            }
        }
        let query = query.finish();
        let separator = if query.is_empty() { "" } else { "?" };
        HeaderValue::from_str(&format!("{}{separator}{query}", self.path)).ok()
    }
}

/// Returns the length of the return path in the query, in bytes.
fn encoded_length(next: &ReturnPath) -> usize {
    let parts = form_urlencoded::byte_serialize(next.as_str().as_bytes());
    parts.map(str::len).sum()
}
