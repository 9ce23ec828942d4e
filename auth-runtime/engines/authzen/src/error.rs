//! The errors of building a decision point.

use std::fmt;
use std::time::Duration;

use auth_runtime_core::UrlProblem;

/// An error of building an [`AuthZen`](crate::AuthZen).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthZenError {
    /// No URL was given.
    NoUrl,
    /// The URL of the server is invalid.
    Url {
        /// The URL as given, without its user information and its query.
        url: String,
        /// The problem of the URL.
        problem: UrlProblem,
    },
    /// The URL of the server, without its user information and its query: it has a query.
    Query(String),
    /// The token, the name or the secret of this service is empty, or has a character that is not
    /// allowed in it.
    Credentials,
    /// The type of subjects is empty.
    SubjectType,
    /// The name of the property with the roles is empty.
    RolesProperty,
    /// The timeout is zero, or longer than a minute.
    Timeout(Duration),
    /// A request of the server has room for no question.
    QuestionsPerRequest,
    /// The CA certificates are missing, or not valid PEM.
    CaCertificates,
    /// The HTTP client could not be created.
    Client(String),
    /// The configuration document could not be read.
    Configuration(String),
    /// The configuration document is about another server.
    AnotherDecisionPoint {
        /// The URL as it was given.
        url: String,
        /// The `policy_decision_point` of the document.
        found: String,
    },
    /// An endpoint of the configuration document is invalid, or on another host than the URL.
    Endpoint(String),
    /// The configuration document has no endpoint for several questions in one request.
    NoEvaluationsEndpoint,
}

impl fmt::Display for AuthZenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl => f.write_str("the URL is missing; name it with `.url(\"https://…\")`"),
            Self::Url { url, problem } => {
                write!(f, "the URL {url:?} cannot be used: {problem}")?;
                match problem {
                    UrlProblem::NotHttps => {
                        f.write_str("; within a cluster, name it with `.url_over_plain_http(…)`")
                    }
                    _ => Ok(()),
                }
            }
            Self::Query(url) => write!(f, "the URL {url:?} must not have a query"),
            Self::Credentials => f.write_str(
                "the credentials of this service are empty, or have a character that is not allowed",
            ),
            Self::SubjectType => f.write_str("the type of subjects is empty"),
            Self::RolesProperty => f.write_str("the name of the property with the roles is empty"),
            Self::Timeout(timeout) => write!(
                f,
                "the timeout {timeout:?} cannot be used: it has to be positive, and up to a minute"
            ),
            Self::QuestionsPerRequest => {
                f.write_str("a request has at least one question; set another bound")
            }
            Self::CaCertificates => f.write_str(
                "the CA certificates are missing, or not valid PEM",
            ),
            Self::Client(problem) => f.write_str(problem),
            Self::Configuration(problem) => {
                write!(f, "the configuration document cannot be used: {problem}")
            }
            Self::AnotherDecisionPoint { url, found } => write!(
                f,
                "the configuration document is about {found:?}, and not about {url:?}; the URL has to \
                 be identical"
            ),
            Self::Endpoint(endpoint) => write!(
                f,
                "the endpoint {endpoint:?} of the configuration document cannot be used: it has to be \
                 a URL with the scheme, the host and the port of the server"
            ),
            Self::NoEvaluationsEndpoint => f.write_str(
                "the configuration document has no `access_evaluations_endpoint`: the server takes \
                 only one question in a request",
            ),
        }
    }
}

impl std::error::Error for AuthZenError {}
