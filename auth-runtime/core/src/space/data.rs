//! The data of a protection space, and the properties that an adapter asks for.

use std::fmt;
use std::sync::Arc;

use auth_runtime_policy::Policy;
use http::{HeaderName, HeaderValue};

use super::application::Application;
use super::login_page::LoginPage;
use super::unknown_paths::UnknownPaths;
use crate::challenge::Challenge;
use crate::client_address::ClientAddress;
use crate::clock::Clock;
use crate::decision_point::DecisionPoint;
use crate::denial_body::DenialBody;
use crate::denial_details::DenialDetails;
use crate::events::Audit;
use crate::request_snapshot::RequestSnapshot;
#[cfg(feature = "resource-metadata")]
use crate::resource::ProtectedResource;
use crate::scheme::{Scheme, Source};
use crate::settings::Settings;
use crate::user_type::UserType;

/// The longest credentials that are read, in bytes.
pub(super) const MAX_CREDENTIALS: usize = 16 * 1024;

/// A [`ProtectionSpace`](crate::ProtectionSpace) as adapters and audits use it: each step of the way from a request
/// to its response.
pub struct Space {
    pub(super) realm: Option<String>,
    pub(super) schemes: Vec<Accepted>,
    /// The subprotocols that credentials follow in `Sec-WebSocket-Protocol`.
    pub(super) subprotocols: Vec<HeaderValue>,
    /// The indexes of the schemes that may read the body of a request.
    pub(super) body_readers: Vec<usize>,
    pub(super) unknown_paths: UnknownPaths,
    pub(super) client_address: ClientAddress,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) decision_point: Option<Arc<dyn DecisionPoint>>,
    pub(super) prompts_scripts: bool,
    pub(super) joins_challenges: bool,
    pub(super) render: Option<Render>,
    pub(super) audit: Option<Audit>,
    /// The field of the request with its id, for records.
    pub(super) request_id_field: Option<HeaderName>,
    pub(super) max_body: usize,
    #[cfg(feature = "metrics")]
    pub(super) counts: bool,
    #[cfg(feature = "tracing")]
    pub(super) traces_subjects: bool,
    #[cfg(feature = "resource-metadata")]
    pub(super) resource: Option<ProtectedResource>,
}

/// A scheme and its properties that do not change while serving.
pub(super) struct Accepted {
    pub(super) scheme: Box<dyn Scheme>,
    pub(super) name: String,
    /// The name in OpenAPI documents.
    pub(super) openapi_name: String,
    pub(super) sources: Vec<Source>,
    pub(super) is_oauth: bool,
    pub(super) constrains_sender: bool,
    pub(super) triggers_browser_prompt: bool,
    pub(super) has_token_server: bool,
    pub(super) supports_step_up: bool,
    pub(super) signs_body: bool,
    pub(super) login_page: Option<LoginPage>,
    /// The challenge without an error. `None` if the scheme has no challenge.
    pub(super) plain: Option<Challenge>,
    /// The application, if the scheme requires its credentials as well.
    pub(super) application: Option<Application>,
}

impl Accepted {
    /// Returns whether credentials of the scheme can lead to a grant by `policy`.
    pub(super) fn can_meet(&self, policy: &Policy) -> bool {
        self.constrains_sender || !policy.demands_bound_credentials()
    }

    /// Returns whether a 401 can challenge the scheme: `policy` accepts it, it has a challenge, and its credentials
    /// can lead to a grant.
    fn is_asked(&self, policy: &Policy) -> bool {
        policy.accepts(&self.name) && self.plain.is_some() && self.can_meet(policy)
    }

    /// Returns whether the scheme reads the body of some requests: a form, or a body that its credentials sign.
    pub(super) fn reads_bodies(&self) -> bool {
        let mut sources = self.sources.iter();
        self.signs_body || sources.any(|source| matches!(source, Source::Form(_)))
    }

    /// The places of its credentials, and of those of its application.
    pub(super) fn places(&self) -> impl Iterator<Item = &Source> {
        let application = self.application.iter();
        let sources = self.sources.iter();
        sources.chain(application.flat_map(|application| &application.sources))
    }
}

/// A scheme, as described in an OpenAPI document.
pub struct Offered<'s> {
    /// Its name.
    pub name: &'s str,
    /// Its name in the document.
    pub key: &'s str,
    /// The places of its credentials.
    pub sources: &'s [Source],
    /// See [`Scheme::is_oauth`].
    pub is_oauth: bool,
    /// True for OAuth schemes with a [token server](Scheme::has_token_server).
    pub has_token_server: bool,
    /// See [`Scheme::constrains_sender`].
    pub constrains_sender: bool,
    /// See [`Scheme::format`].
    pub format: Option<&'s str>,
    /// The scheme of the application, if its credentials are required as well.
    pub application: Option<Box<Offered<'s>>>,
}

pub(super) type Render =
    Arc<dyn Fn(&DenialDetails<'_>, &RequestSnapshot) -> DenialBody + Send + Sync>;

/// The properties that responses and documents depend on.
impl Space {
    /// The realm, if there is one.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The clock that `max_age` is decided by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The names of the schemes, in the order of their challenges.
    pub(super) fn schemes(&self) -> impl Iterator<Item = &str> {
        self.schemes.iter().map(|accepted| accepted.name.as_str())
    }

    /// Returns whether the space accepts a scheme of that name.
    pub(super) fn accepts(&self, name: &str) -> bool {
        self.schemes().any(|own| own.eq_ignore_ascii_case(name))
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
    pub(super) fn can_constrain_senders(&self, policy: &Policy) -> bool {
        let mut accepted = self.schemes.iter();
        accepted.any(|scheme| scheme.constrains_sender && policy.accepts(&scheme.name))
    }

    /// Returns whether a 401 can request credentials that are bound to a key.
    pub fn can_ask_for_binding(&self, policy: &Policy) -> bool {
        let mut schemes = self.schemes.iter();
        schemes.any(|scheme| scheme.constrains_sender && scheme.is_asked(policy))
    }

    /// Returns whether a 401 can request a new login.
    pub(super) fn can_step_up(&self, policy: &Policy) -> bool {
        let mut schemes = self.schemes.iter();
        schemes.any(|scheme| scheme.supports_step_up && scheme.is_asked(policy))
    }

    /// Returns whether a 401 can challenge one of the schemes.
    pub(super) fn can_ask(&self, policy: &Policy) -> bool {
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

    /// The schemes, in the order of their challenges.
    pub fn offered(&self) -> impl Iterator<Item = Offered<'_>> {
        self.schemes.iter().map(|accepted| Offered {
            name: &accepted.name,
            key: &accepted.openapi_name,
            sources: &accepted.sources,
            is_oauth: accepted.is_oauth,
            has_token_server: accepted.has_token_server,
            constrains_sender: accepted.constrains_sender,
            format: accepted.scheme.format(),
            application: accepted.application.as_ref().map(|application| {
                Box::new(Offered {
                    name: &application.name,
                    key: &application.openapi_name,
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

    /// The schemes that `policy` accepts.
    pub fn offered_to(&self, policy: &Policy) -> Vec<Offered<'_>> {
        let offered = self.offered();
        offered
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
        let schemes: Vec<_> = self.schemes().collect();
        f.debug_struct("ProtectionSpace")
            .field("realm", &self.realm)
            .field("schemes", &schemes)
            .field("unknown_paths", &self.unknown_paths)
            .field("client_address", &self.client_address)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
