//! The errors of building a protection space.

use std::fmt;

use auth_runtime_policy::scheme::registered_spelling;

use super::application::ApplicationProblem;
use super::protection_space::ProtectionSpace;
use crate::challenge::ChallengeError;

/// An error of building a [`ProtectionSpace`](crate::ProtectionSpace).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpaceError {
    /// No realm was given.
    NoRealm,
    /// No scheme was given, so no caller could authenticate.
    NoScheme,
    /// Unknown paths require a challenge, and no scheme has one.
    NoChallenge,
    /// Two schemes have the same name.
    SchemeTwice(String),
    /// Two schemes read credentials in the same place, such as a field or a cookie.
    PlaceTwice {
        /// The name of the scheme that was added first.
        earlier: String,
        /// The name of the other one.
        later: String,
    },
    /// A setting has two values.
    SettingTwice(String),
    /// A name for OpenAPI documents is given to a scheme that the space does not accept.
    UnknownScheme(String),
    /// A name for OpenAPI documents is invalid, or is that of another scheme.
    OpenApiName(String),
    /// The login page is not a path on this host.
    LoginPage(String),
    /// The longest body is zero, or more than 64 MiB.
    MaxBody(usize),
    /// The scheme of an application cannot accompany that of the user.
    Application {
        /// The name of the user's scheme.
        scheme: String,
        /// The reason.
        problem: ApplicationProblem,
    },
    /// The challenge is invalid, usually because of its realm.
    Challenge {
        /// The scheme's name.
        scheme: String,
        /// The error.
        error: ChallengeError,
    },
}

impl fmt::Display for SpaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRealm => {
                f.write_str("the protection space has no realm; name it with `.realm(\"…\")`")
            }
            Self::NoScheme => {
                f.write_str("the protection space has no scheme; add one with `.scheme(…)`")
            }
            Self::MaxBody(bytes) => write!(
                f,
                "the longest body before authentication is {bytes} bytes; 1 to {} are allowed",
                ProtectionSpace::LONGEST_BODY
            ),
            Self::NoChallenge => f.write_str(
                "`UnknownPaths::Challenge` needs a scheme with a challenge, and the protection \
                 space has none; remove it, or add such a scheme",
            ),
            Self::SchemeTwice(name) => {
                write!(f, "two schemes have the name `{name}`; ")?;
                f.write_str(match registered_spelling(name) {
                    Some("Bearer") => {
                        "join tokens of several kinds in one `Bearer`, with `.tokens_with_prefix(…)`, \
                         `.opaque_tokens(…)` or `Jwt::any_of(…)`"
                    }
                    // The name belongs to the protocol.
                    Some(_) => "verify the credentials of both in one scheme",
                    None => "name one of them with `.scheme_name(…)`, or verify the credentials of both in one scheme",
                })
            }
            Self::PlaceTwice { earlier, later } => write!(
                f,
                "the schemes `{earlier}` and `{later}` read credentials in the same place; let one of \
                 them read another place, or verify both in one scheme",
            ),
            Self::SettingTwice(name) => write!(
                f,
                "the setting `{name}` has two values; call `.setting({name:?}, …)` once",
            ),
            Self::UnknownScheme(scheme) => write!(
                f,
                "`.openapi_name` names the scheme `{scheme}`, which the protection space does not \
                 accept",
            ),
            Self::OpenApiName(name) => write!(
                f,
                "{name:?} cannot name a scheme in OpenAPI: a name has only letters, digits, `.`, \
                 `-` and `_`, and belongs to one scheme",
            ),
            Self::LoginPage(page) => write!(
                f,
                "{page:?} is not a login page; name a path on this host, such as `/login`",
            ),
            Self::Application { scheme, problem } => write!(
                f,
                "the application of the scheme `{scheme}` is refused: {problem}",
            ),
            Self::Challenge { scheme, error } => {
                write!(
                    f,
                    "the challenge of the scheme `{scheme}` is invalid: {error}"
                )
            }
        }
    }
}

impl std::error::Error for SpaceError {}
