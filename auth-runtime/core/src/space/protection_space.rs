//! The protection space: its data, and the properties that an adapter asks for.

use std::fmt;
use std::sync::Arc;

use auth_runtime_policy::Policy;
use http::{HeaderName, HeaderValue};

use super::application::Application;
use super::login_page::LoginPage;
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

/// The realm, its accepted schemes, and the responses to denied requests (RFC 9110 §11.5).
///
/// Cloning is cheap. A service builds it once, at start:
///
/// ```
/// use auth_runtime::{Identity, ProtectionSpace};
/// use auth_runtime::schemes::ApiKeys;
///
/// let keys = ApiKeys::builder()
///     .key("a-long-random-key-of-the-billing-job", Identity::new("billing"))
///     .build()?;
/// let space = ProtectionSpace::builder().realm("api").scheme(keys).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ProtectionSpace(pub(super) Arc<Space>);

pub(super) struct Space {
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

/// The response to an anonymous caller on unknown paths, and therefore on hidden ones.
///
/// On both, the response to a known caller is 404, and the response to rejected credentials is 401.
///
/// ```
/// use auth_runtime::{ProtectionSpace, UnknownPaths};
///
/// let builder = ProtectionSpace::builder()
///     .realm("git")
///     .unknown_paths(UnknownPaths::Challenge);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownPaths {
    /// 404. The default.
    #[default]
    NotFound,
    /// 401 with challenges, for clients that ask their user for a password only after a 401, such
    /// as git and browsers.
    Challenge,
}

impl ProtectionSpace {
    /// The longest credentials that are read, in bytes. Longer ones in a field are answered 431, and
    /// longer ones in other places are malformed.
    pub const MAX_CREDENTIALS: usize = 16 * 1024;

    /// The longest body that is read before authentication by default, in bytes: a form, if a scheme accepts
    /// tokens in forms, or a body that the credentials [sign](crate::Scheme::signs_body). The response to a
    /// longer or incomplete one is 400, without a call of the handler.
    ///
    /// Bodies are read on hidden and unknown paths, and on other paths if the policy accepts such a
    /// scheme. [`max_body`](crate::ProtectionSpaceBuilder::max_body) sets another length.
    pub const MAX_BODY: usize = 1024 * 1024;

    /// The longest body that is read before authentication, in bytes.
    pub fn max_body(&self) -> usize {
        self.0.max_body
    }

    /// The realm, if there is one.
    pub fn realm(&self) -> Option<&str> {
        self.0.realm.as_deref()
    }

    /// The clock that `max_age` is decided by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The names of the schemes, in the order of their challenges.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.0.schemes.iter().map(|accepted| accepted.name.as_str())
    }

    /// Returns whether the space accepts a scheme of that name.
    pub fn accepts(&self, name: &str) -> bool {
        self.schemes().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The settings and their values, sorted by name.
    ///
    /// ```
    /// # use auth_runtime::{Caller, ProtectionSpace};
    /// # use auth_runtime::schemes::Bearer;
    /// # let bearer = Bearer::new(async |_| Caller::rejected());
    /// let builder = ProtectionSpace::builder().realm("registry").scheme(bearer);
    /// let space = builder.setting("open_registry", true).build()?;
    /// assert_eq!(space.settings().collect::<Vec<_>>(), [("open_registry", true)]);
    /// # Ok::<(), auth_runtime::SpaceError>(())
    /// ```
    pub fn settings(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.settings.iter()
    }
}

/// For adapters and audits: the properties that responses and documents depend on.
impl ProtectionSpace {
    /// Returns the policy for the values of the settings: the same decisions, without `setting`.
    ///
    /// A setting without a value stays in it.
    pub fn with_settings(&self, policy: &Policy) -> Policy {
        let named = policy.settings().into_iter();
        let values = named.filter_map(|name| Some((name, self.0.settings.get(name)?)));
        values.fold(policy.clone(), |policy, (name, value)| {
            policy.with_setting(name, value)
        })
    }

    /// Returns whether the space and `policy` both accept a scheme that binds credentials to a key.
    pub fn can_constrain_senders(&self, policy: &Policy) -> bool {
        let mut accepted = self.0.schemes.iter();
        accepted.any(|scheme| scheme.constrains_sender && policy.accepts(&scheme.name))
    }

    /// Returns whether the space and `policy` both accept a scheme that can request a new login.
    pub fn can_step_up(&self, policy: &Policy) -> bool {
        let mut accepted = self.0.schemes.iter();
        accepted.any(|scheme| scheme.supports_step_up && policy.accepts(&scheme.name))
    }

    /// The schemes that `policy` accepts and that do not provide this user.
    pub fn schemes_without(&self, user: UserType, policy: &Policy) -> impl Iterator<Item = &str> {
        let accepted = self.0.schemes.iter();
        let accepted = accepted.filter(|scheme| policy.accepts(&scheme.name));
        accepted
            .filter(move |accepted| !accepted.scheme.provides_user(user))
            .map(|accepted| accepted.name.as_str())
    }

    /// Returns the request fields that contain credentials of the schemes that `policy` accepts, as a
    /// value of `Vary` (RFC 9110 §12.5.5); `None` if there are none.
    pub fn vary(&self, policy: &Policy) -> Option<HeaderValue> {
        let schemes = self.0.schemes.iter();
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

    /// Returns whether both are clones of one space.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The schemes, in the order of their challenges.
    pub fn offered(&self) -> impl Iterator<Item = Offered<'_>> {
        self.0.schemes.iter().map(|accepted| Offered {
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
        self.0.unknown_paths == UnknownPaths::Challenge
    }

    /// Returns whether the service renders the bodies of denials itself.
    pub fn renders_bodies(&self) -> bool {
        self.0.render.is_some()
    }

    /// The URL of the resource's metadata, if it is published.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.0.resource_metadata()
    }

    /// The resource, if its metadata is published.
    #[cfg(feature = "resource-metadata")]
    pub fn resource(&self) -> Option<&ProtectedResource> {
        self.0.resource.as_ref()
    }
}

impl fmt::Debug for ProtectionSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes: Vec<_> = self.schemes().collect();
        f.debug_struct("ProtectionSpace")
            .field("realm", &self.0.realm)
            .field("schemes", &schemes)
            .field("unknown_paths", &self.0.unknown_paths)
            .field("client_address", &self.0.client_address)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl Space {
    /// The URL of the resource's metadata, if it is published.
    pub(super) fn resource_metadata(&self) -> Option<&str> {
        #[cfg(feature = "resource-metadata")]
        return self.resource.as_ref().map(ProtectedResource::metadata_url);
        #[cfg(not(feature = "resource-metadata"))]
        None
    }
}
