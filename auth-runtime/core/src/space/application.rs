//! The application of a scheme, which requires its credentials beside those of the user.

use std::fmt;

use crate::challenge::Challenge;
use crate::scheme::{Scheme, Source};

/// The scheme of an application, and its properties that do not change while serving.
pub(super) struct Application {
    pub(super) name: String,
    /// The name in OpenAPI documents.
    pub(super) openapi_name: String,
    pub(super) sources: Vec<Source>,
    pub(super) triggers_browser_prompt: bool,
    pub(super) plain: Challenge,
}

/// The reason why a space refuses the scheme of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplicationProblem {
    /// The scheme of the user has two applications, or that of the application has one itself.
    Second,
    /// The credentials of the application are in a cookie, in a form or in the body, or in a place of those of the
    /// user.
    Place,
    /// The scheme of the application has no challenge, so that no response could ask for its credentials.
    Challenge,
    /// Another scheme has the same name, and its credentials are in other places.
    Name,
}

impl fmt::Display for ApplicationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Second => "a request can have only one",
            Self::Place => {
                "its credentials need a place of their own: a field, the query or a subprotocol"
            }
            Self::Challenge => "its scheme has no challenge",
            Self::Name => "another scheme has the name of its scheme, and reads other places",
        })
    }
}

/// Returns the scheme of the application that `scheme` requires, if there is one.
pub(super) fn application_of(
    scheme: &dyn Scheme,
) -> Result<Option<&dyn Scheme>, ApplicationProblem> {
    let Some(application) = scheme.application() else {
        return Ok(None);
    };
    if application.application().is_some() {
        return Err(ApplicationProblem::Second);
    }
    if !application.has_challenge() {
        return Err(ApplicationProblem::Challenge);
    }
    let (users, sources) = (scheme.sources(), application.sources());
    let are_own = sources.iter().all(|source| {
        can_accompany(source) && !users.iter().any(|user| is_one_place(user, source))
    });
    if !sources.is_empty() && are_own && !application.signs_body() {
        Ok(Some(application))
    } else {
        Err(ApplicationProblem::Place)
    }
}

/// Returns whether credentials in this place can accompany others.
fn can_accompany(source: &Source) -> bool {
    matches!(
        source,
        Source::Authorization
            | Source::Field(_)
            | Source::TextField(_)
            | Source::Subprotocol(_)
            | Source::Query(_)
    )
}

/// Returns whether a request has only one value for both.
fn is_one_place(one: &Source, other: &Source) -> bool {
    let field = one.field();
    one == other || (field.is_some() && field == other.field())
}
