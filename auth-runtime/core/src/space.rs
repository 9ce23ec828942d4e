//! A realm and the schemes it accepts (RFC 9110 §11.5).

mod accept;
mod accepted_scheme;
mod application;
mod authentication;
mod authorization;
mod builder;
mod challenges;
mod credential_fields;
mod credentials;
mod denial_response;
mod error;
mod login_page;
#[cfg(feature = "resource-metadata")]
mod metadata;
mod object_scopes;
mod objects;
mod obstacles;
mod protection_space;
mod report;
mod route_constants;
mod selection;
mod target;
mod unknown_paths;
mod used_scheme;

use std::fmt;
use std::sync::Arc;

use auth_runtime_policy::Policy;
use http::{HeaderName, HeaderValue};

pub use self::accepted_scheme::SchemeDescription;
pub use self::application::ApplicationProblem;
pub use self::authentication::{Authentication, AuthenticationFuture};
pub use self::authorization::{Authorization, Route, SharedDecision, UNKNOWN_PATH};
pub use self::builder::ProtectionSpaceBuilder;
pub use self::credential_fields::CredentialFields;
pub(crate) use self::credentials::Accompanying;
pub use self::credentials::RequestBody;
pub use self::denial_response::{forbid_storing, is_targeted_cache_field, remove_fields};
pub use self::error::SpaceError;
#[cfg(feature = "resource-metadata")]
pub use self::metadata::metadata_document;
pub use self::protection_space::ProtectionSpace;
pub use self::report::{ObjectReport, RecordedRequest};
pub use self::route_constants::RouteConstants;
pub use self::selection::Selection;
pub use self::target::Target;
pub use self::unknown_paths::UnknownPaths;
pub use self::used_scheme::{CredentialsPlace, UsedScheme};

use self::accepted_scheme::Accepted;
use crate::client_address::ClientAddress;
use crate::clock::Clock;
use crate::decision::denial_body::DenialBody;
use crate::decision::denial_details::DenialDetails;
use crate::decision_point::DecisionPoint;
use crate::events::Audit;
#[cfg(feature = "resource-metadata")]
use crate::protected_resource::ProtectedResource;
use crate::request_snapshot::RequestSnapshot;
use crate::scheme::Source;
use crate::scheme::user_type::UserType;
use crate::settings::Settings;

/// The longest credentials that are read, in bytes.
const MAX_CREDENTIALS: usize = 16 * 1024;

/// A [`ProtectionSpace`](crate::ProtectionSpace) as adapters and audits use it: each step of the way from a request
/// to its response.
pub struct Space {
    realm: Option<String>,
    schemes: Vec<Accepted>,
    /// The subprotocols that credentials follow in `Sec-WebSocket-Protocol`.
    subprotocols: Vec<HeaderValue>,
    /// The fields that the schemes read, each once.
    credential_fields: Vec<HeaderName>,
    /// The indexes of the schemes that may read the body of a request.
    body_readers: Vec<usize>,
    unknown_paths: UnknownPaths,
    client_address: ClientAddress,
    clock: Clock,
    settings: Settings,
    decision_point: Option<Arc<dyn DecisionPoint>>,
    prompts_scripts: bool,
    joins_challenges: bool,
    render: Option<Render>,
    audit: Option<Audit>,
    /// The field of the request with its id, for records.
    request_id_field: Option<HeaderName>,
    max_body: usize,
    #[cfg(feature = "metrics")]
    counts: bool,
    #[cfg(feature = "tracing")]
    traces_subjects: bool,
    #[cfg(feature = "resource-metadata")]
    resource: Option<ProtectedResource>,
}

type Render = Arc<dyn Fn(&DenialDetails<'_>, &RequestSnapshot) -> DenialBody + Send + Sync>;

/// The properties that responses and documents depend on.
impl Space {
    /// The realm, if there is one.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The clock for `max_age` and for the expiry of identities.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The names of the schemes, in the order of their challenges.
    fn scheme_names(&self) -> impl Iterator<Item = &str> {
        self.schemes.iter().map(|accepted| accepted.name.as_str())
    }

    /// Returns whether the space accepts a scheme of that name.
    fn accepts(&self, name: &str) -> bool {
        self.scheme_names()
            .any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The longest body that is read before authentication, in bytes.
    pub fn max_body(&self) -> usize {
        self.max_body
    }

    /// Returns the policy for the values of the settings: the same decisions, without `setting`.
    ///
    /// A setting without a value stays in it.
    pub fn with_settings(&self, policy: &Policy) -> Policy {
        let named = policy.settings().into_iter();
        let values = named.filter_map(|name| Some((name, self.settings.get(name)?)));
        values.fold(policy.clone(), |policy, (name, value)| {
            policy.with_setting(name, value)
        })
    }

    /// Returns whether the space and `policy` both accept a scheme that binds credentials to a key.
    fn can_constrain_senders(&self, policy: &Policy) -> bool {
        let mut accepted = self.schemes.iter();
        accepted.any(|scheme| scheme.constrains_sender && policy.accepts(&scheme.name))
    }

    /// Returns whether a 401 can request credentials that are bound to a key.
    pub fn can_ask_for_binding(&self, policy: &Policy) -> bool {
        let mut schemes = self.schemes.iter();
        schemes.any(|scheme| scheme.constrains_sender && scheme.is_asked(policy))
    }

    /// Returns whether a 401 can request a new login.
    fn can_step_up(&self, policy: &Policy) -> bool {
        let mut schemes = self.schemes.iter();
        schemes.any(|scheme| scheme.supports_step_up && scheme.is_asked(policy))
    }

    /// Returns whether a 401 can challenge one of the schemes.
    fn can_ask(&self, policy: &Policy) -> bool {
        self.schemes.iter().any(|scheme| scheme.is_asked(policy))
    }

    /// The schemes that `policy` accepts and that do not provide this user.
    pub fn schemes_without(&self, user: UserType, policy: &Policy) -> impl Iterator<Item = &str> {
        let accepted = self.schemes.iter();
        let accepted = accepted.filter(|scheme| policy.accepts(&scheme.name));
        accepted
            .filter(move |accepted| !accepted.scheme.provides_user(user))
            .map(|accepted| accepted.name.as_str())
    }

    /// Returns the request fields that contain credentials of the schemes that `policy` accepts, as a
    /// value of `Vary` (RFC 9110 §12.5.5); `None` if there are none.
    pub fn vary(&self, policy: &Policy) -> Option<HeaderValue> {
        let schemes = self.schemes.iter();
        let accepted = schemes.filter(|scheme| policy.accepts(&scheme.name));
        let sources = accepted.flat_map(Accepted::places);
        let mut fields: Vec<&str> = Vec::new();
        for field in sources.filter_map(Source::field) {
            if !fields.contains(&field.as_str()) {
                fields.push(field.as_str());
            }
        }
        let value = HeaderValue::try_from(fields.join(", ")).ok()?;
        (!value.is_empty()).then_some(value)
    }

    /// Returns whether both are one space.
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    /// The descriptions of the schemes, in the order of their challenges.
    pub fn scheme_descriptions(&self) -> impl Iterator<Item = SchemeDescription<'_>> {
        self.schemes.iter().map(|accepted| SchemeDescription {
            name: &accepted.name,
            openapi_name: &accepted.openapi_name,
            sources: &accepted.sources,
            is_oauth: accepted.is_oauth,
            has_token_server: accepted.has_token_server,
            constrains_sender: accepted.constrains_sender,
            format: accepted.scheme.format(),
            application: accepted.application.as_ref().map(|application| {
                Box::new(SchemeDescription {
                    name: &application.name,
                    openapi_name: &application.openapi_name,
                    sources: &application.sources,
                    is_oauth: false,
                    has_token_server: false,
                    constrains_sender: false,
                    format: None,
                    application: None,
                })
            }),
        })
    }

    /// The descriptions of the schemes that `policy` accepts.
    pub fn scheme_descriptions_for(&self, policy: &Policy) -> Vec<SchemeDescription<'_>> {
        self.scheme_descriptions()
            .filter(|scheme| policy.accepts(scheme.name))
            .collect()
    }

    /// Returns whether the response to anonymous callers on unknown paths is 401.
    pub fn challenges_unknown_paths(&self) -> bool {
        self.unknown_paths == UnknownPaths::Challenge
    }

    /// Returns whether the service renders the bodies of denials itself.
    pub fn renders_bodies(&self) -> bool {
        self.render.is_some()
    }

    /// The URL of the resource's metadata, if it is published.
    pub fn resource_metadata(&self) -> Option<&str> {
        #[cfg(feature = "resource-metadata")]
        return self.resource.as_ref().map(ProtectedResource::metadata_url);
        #[cfg(not(feature = "resource-metadata"))]
        None
    }

    /// The resource, if its metadata is published.
    #[cfg(feature = "resource-metadata")]
    pub fn resource(&self) -> Option<&ProtectedResource> {
        self.resource.as_ref()
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes: Vec<_> = self.scheme_names().collect();
        f.debug_struct("ProtectionSpace")
            .field("realm", &self.realm)
            .field("schemes", &schemes)
            .field("unknown_paths", &self.unknown_paths)
            .field("client_address", &self.client_address)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
