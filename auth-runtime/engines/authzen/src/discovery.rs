//! The configuration document of a server (§9).

use auth_runtime_core::url::TrustedUrl;
use auth_runtime_remote::{HttpClient, bounded_text};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::AuthZenError;

const WELL_KNOWN: &str = "/.well-known/authzen-configuration";

/// The URLs that questions are sent to.
pub(crate) struct Endpoints {
    pub(crate) evaluation: String,
    pub(crate) evaluations: String,
    /// The one for lists, if the server has it.
    pub(crate) search_resource: Option<String>,
}

/// The known members of the document (§9.1.1).
#[derive(Deserialize)]
struct Configuration {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: Option<String>,
    search_resource_endpoint: Option<String>,
    #[serde(flatten)]
    _others: IgnoredAny,
}

impl Endpoints {
    /// The default paths below the URL of the server (§10.1). Few servers have the one for lists.
    pub(crate) fn below(url: &str, has_search: bool) -> Self {
        let base = url.trim_end_matches('/');
        Self {
            evaluation: format!("{base}/access/v1/evaluation"),
            evaluations: format!("{base}/access/v1/evaluations"),
            search_resource: has_search.then(|| format!("{base}/access/v1/search/resource")),
        }
    }

    /// Reads the document of the server.
    pub(crate) async fn discover(
        http: &HttpClient,
        url: &str,
        parts: &TrustedUrl<'_>,
    ) -> Result<Self, AuthZenError> {
        // The path of the server follows the well-known one (§9.2).
        let path = parts.path.trim_end_matches('/');
        let document = format!("{}{WELL_KNOWN}{path}", parts.origin);
        let body = http.get(&document).await;
        let body = body.map_err(|error| AuthZenError::Configuration(error.to_string()))?;
        let configuration: Configuration = serde_json::from_slice(&body).map_err(|_| {
            let problem = "it is not a JSON object with `policy_decision_point` and \
                           `access_evaluation_endpoint`";
            AuthZenError::Configuration(problem.to_owned())
        })?;
        configuration.endpoints(url, parts.origin)
    }
}

impl Configuration {
    fn endpoints(self, url: &str, origin: &str) -> Result<Endpoints, AuthZenError> {
        if self.policy_decision_point != url {
            return Err(AuthZenError::AnotherDecisionPoint {
                url: url.to_owned(),
                found: bounded_text(&self.policy_decision_point),
            });
        }
        let evaluations = self.access_evaluations_endpoint;
        let evaluations = evaluations.ok_or(AuthZenError::NoEvaluationsEndpoint)?;
        let search_resource = self.search_resource_endpoint;
        let named = [&self.access_evaluation_endpoint, &evaluations];
        for endpoint in named.into_iter().chain(&search_resource) {
            let parts = TrustedUrl::read_over_plain_http(endpoint);
            if !parts.is_ok_and(|parts| parts.origin.eq_ignore_ascii_case(origin)) {
                return Err(AuthZenError::Endpoint(bounded_text(endpoint)));
            }
        }
        Ok(Endpoints {
            evaluation: self.access_evaluation_endpoint,
            evaluations,
            search_resource,
        })
    }
}
