//! A realm and the schemes it accepts (RFC 9110 §11.5).

// First, so that the documentation of `ProtectionSpace` starts with what services use.
mod builder;
mod protection_space;

mod accept;
mod answer;
mod application;
mod authentication;
mod authorization;
mod credential_fields;
mod credentials;
mod error;
mod login_page;
mod object_scopes;
mod objects;
mod obstacles;
mod offer;
mod report;
mod route_constants;
mod target;
mod view;

pub use self::answer::forbid_storing;
pub use self::application::ApplicationProblem;
pub use self::authentication::AuthenticationFuture;
pub use self::authorization::{Authorization, Route, UNKNOWN_PATH};
pub use self::builder::ProtectionSpaceBuilder;
pub use self::credential_fields::CredentialFields;
pub(crate) use self::credentials::Accompanying;
pub use self::credentials::RequestBody;
pub use self::error::SpaceError;
pub use self::objects::AboutRequest;
pub use self::protection_space::{Offered, ProtectionSpace, UnknownPaths};
pub use self::report::{ObjectReport, RequestOrigin};
pub use self::route_constants::RouteConstants;
pub use self::target::{CredentialsPlace, Target, UsedScheme};
pub use self::view::{Authentication, View};
