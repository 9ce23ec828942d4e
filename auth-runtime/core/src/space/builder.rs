//! The builder of a protection space.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::HeaderName;

use super::Space;
use super::accept::{clash, subprotocols};
use super::accepted_scheme::Accepted;
use super::credential_fields::credential_fields;
use super::error::SpaceError;
use super::protection_space::ProtectionSpace;
use super::unknown_paths::UnknownPaths;
use crate::client_address::ClientAddress;
use crate::clock::Clock;
use crate::decision::denial_body::DenialBody;
use crate::decision::denial_details::DenialDetails;
use crate::decision_point::DecisionPoint;
use crate::events::AuditRecord;
#[cfg(feature = "resource-metadata")]
use crate::protected_resource::ProtectedResource;
use crate::request_snapshot::RequestSnapshot;
use crate::scheme::Scheme;
use crate::settings::Settings;

/// Builds a [`ProtectionSpace`].
#[must_use]
pub struct ProtectionSpaceBuilder {
    /// The space so far, without its schemes.
    space: Space,
    schemes: Vec<Box<dyn Scheme>>,
    /// The first setting with two values.
    setting_twice: Option<Cow<'static, str>>,
    /// Names of schemes, and their names in OpenAPI documents.
    openapi_names: Vec<(String, String)>,
}

impl ProtectionSpace {
    /// Starts with no scheme and no realm.
    pub fn builder() -> ProtectionSpaceBuilder {
        ProtectionSpaceBuilder {
            space: Space {
                realm: None,
                schemes: Vec::new(),
                subprotocols: Vec::new(),
                credential_fields: Vec::new(),
                body_readers: Vec::new(),
                unknown_paths: UnknownPaths::default(),
                client_address: ClientAddress::default(),
                clock: Clock::system(),
                settings: Settings::default(),
                decision_point: None,
                prompts_scripts: false,
                joins_challenges: false,
                render: None,
                audit: None,
                request_id_field: None,
                max_body: ProtectionSpace::MAX_BODY,
                #[cfg(feature = "metrics")]
                counts: false,
                #[cfg(feature = "tracing")]
                traces_subjects: false,
                #[cfg(feature = "resource-metadata")]
                resource: None,
            },
            schemes: Vec::new(),
            setting_twice: None,
            openapi_names: Vec::new(),
        }
    }
}

impl ProtectionSpaceBuilder {
    /// Sets the realm: the name of the space, which clients show to users. Visible ASCII.
    ///
    /// Required, unless no challenge needs one. Challenges of OAuth schemes need none if there is a
    /// [`resource`](Self::resource), and those of DPoP never do. Schemes without a challenge need
    /// none either.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.space.realm = Some(realm.into());
        self
    }

    /// Accepts `scheme`. At least one is required.
    ///
    /// Challenges are sent in the order in which schemes are added. Bearer comes first if there is
    /// a [`resource`](Self::resource), since its clients read only the first challenge.
    pub fn scheme(mut self, scheme: impl Scheme) -> Self {
        self.schemes.push(Box::new(scheme));
        self
    }

    /// Sets the response to anonymous callers on unknown and on hidden paths. Default:
    /// [`UnknownPaths::NotFound`].
    pub fn unknown_paths(mut self, unknown_paths: UnknownPaths) -> Self {
        self.space.unknown_paths = unknown_paths;
        self
    }

    /// Sets the method of determining the address of a client, for `network` requirements and for
    /// schemes that limit the share of each client. Default: [`ClientAddress::socket`].
    pub fn client_address(mut self, client_address: ClientAddress) -> Self {
        self.space.client_address = client_address;
        self
    }

    /// Sets the clock for `max_age` and for the [expiry](crate::Identity::with_expiry) of identities. Default: the
    /// clock of the system.
    ///
    /// Each scheme has a clock of its own. A test that moves the clock of a scheme gives it to the space as well.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.space.clock = clock;
        self
    }

    /// Sets the value of the setting `name`, for `setting = "name"` in policies. It is constant: another value
    /// takes effect with another space, at the next start of the service.
    ///
    /// The value has no default: `GuardedRouter::protect` returns an error if a policy requires a setting without a
    /// value.
    ///
    /// ```
    /// # use auth_runtime::ProtectionSpace;
    /// // Everybody may pull: `#[requires(any(setting = "open_registry", scope = "pull"))]`
    /// let is_open = std::env::var("OPEN_REGISTRY").is_ok_and(|value| value == "true");
    /// let builder = ProtectionSpace::builder().realm("registry").setting("open_registry", is_open);
    /// ```
    pub fn setting(mut self, name: impl Into<Cow<'static, str>>, value: bool) -> Self {
        let name = name.into();
        if self.space.settings.insert(name.clone(), value).is_some() {
            self.setting_twice.get_or_insert(name);
        }
        self
    }

    /// Sets the name of a scheme in OpenAPI documents. Default: the name of the scheme.
    ///
    /// A name has only letters, digits, `.`, `-` and `_`.
    ///
    /// ```
    /// use auth_runtime::schemes::Bearer;
    /// use auth_runtime::{Caller, ProtectionSpace};
    ///
    /// let space = ProtectionSpace::builder()
    ///     .realm("api")
    ///     .scheme(Bearer::new(async |_token| Caller::rejected()))
    ///     .openapi_name("Bearer", "access_token")
    ///     .build()?;
    /// # Ok::<(), auth_runtime::SpaceError>(())
    /// ```
    pub fn openapi_name(mut self, scheme: impl Into<String>, name: impl Into<String>) -> Self {
        self.openapi_names.push((scheme.into(), name.into()));
        self
    }

    /// Sets the engine that decides about objects: it answers `can = "action"` in policies, and the
    /// questions of handlers through their guards. Default: none. A second one replaces the first.
    ///
    /// [`ObjectRules`](crate::ObjectRules) calls functions of the service.
    pub fn decision_point(mut self, engine: impl DecisionPoint) -> Self {
        self.space.decision_point = Some(Arc::new(engine));
        self
    }

    /// Publishes the metadata of the resource, with the authorization servers that grant access to
    /// it (RFC 9728). The router serves the document, and OAuth challenges point to it.
    ///
    /// MCP clients start from it.
    #[cfg(feature = "resource-metadata")]
    pub fn resource(mut self, resource: ProtectedResource) -> Self {
        self.space.resource = Some(resource);
        self
    }

    /// Sends the challenges of schemes like Basic to scripts too. Default: no.
    ///
    /// A browser opens its password prompt for such a challenge, even if a script called `fetch()`.
    /// Therefore it is left out of the response to a script (`Sec-Fetch-Mode` is present and is not
    /// `navigate`), if the challenge of another accepted scheme remains.
    pub fn prompt_scripts(mut self, prompt: bool) -> Self {
        self.space.prompts_scripts = prompt;
        self
    }

    /// Sends all challenges on one field line, for gateways that forward only the first line, such
    /// as nginx's `auth_request`. Default: one line each, since many clients miss the second
    /// challenge of a line.
    pub fn join_challenges(mut self, join: bool) -> Self {
        self.space.joins_challenges = join;
        self
    }

    /// Sets a function that renders the bodies of denials, in place of the built-in problem
    /// details, HTML and text.
    ///
    /// Status and challenges do not change. A redirect to a login page has no body, and the function is not called
    /// for it. The function also renders the 404 of unknown and hidden
    /// paths, unless the router has a custom fallback. It cannot distinguish the two. [`DenialDetails`] has the
    /// text of the policy and the missing requirements. The example `envelopes` has the bodies that clients of
    /// OCI registries, GraphQL, JSON:API and gRPC-web expect.
    ///
    /// ```
    /// # use auth_runtime::ProtectionSpace;
    /// use auth_runtime::decision::DenialBody;
    /// use http::HeaderValue;
    ///
    /// let builder = ProtectionSpace::builder().render(|denial, _request| {
    ///     let text = format!("{}: {}", denial.status().as_u16(), denial.message());
    ///     let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    ///     DenialBody::new(plain, text)
    /// });
    /// ```
    pub fn render(
        mut self,
        render: impl Fn(&DenialDetails<'_>, &RequestSnapshot) -> DenialBody + Send + Sync + 'static,
    ) -> Self {
        self.space.render = Some(Arc::new(render));
        self
    }

    /// Calls `hook` for every decision, before the response is sent: for grants and denials, for
    /// public handlers, and for objects that a handler denies. Default: no hook. A second hook
    /// replaces the first.
    ///
    /// The hook runs on the task that serves the request, so it must not block, wait, or panic.
    /// Send the data to a channel, and write it elsewhere. A client never sees the record, and the
    /// hook cannot change the decision.
    ///
    /// ```
    /// # use auth_runtime::ProtectionSpace;
    /// use std::sync::mpsc::sync_channel;
    ///
    /// let (log, lines) = sync_channel(1024);
    /// std::thread::spawn(move || lines.iter().for_each(|line: String| eprintln!("{line}")));
    ///
    /// let builder = ProtectionSpace::builder().audit(move |record| {
    ///     if let (Some(denial), Some(handler)) = (record.outcome().denial(), record.location()) {
    ///         // When the channel is full, a line is lost, and no request waits.
    ///         let _ = log.try_send(format!("{handler} denied {denial:?} by rule {}", record.rule()));
    ///     }
    /// });
    /// ```
    pub fn audit(mut self, hook: impl Fn(&AuditRecord<'_>) + Send + Sync + 'static) -> Self {
        self.space.audit = Some(Arc::new(hook));
        self
    }

    /// Sets the field of requests with the id of the request, such as `X-Request-Id`, for
    /// [`AuditRecord::request_id`]. An id is left out unless it has 1 to 256
    /// printable characters of ASCII. Default: none.
    pub fn request_id_field(mut self, field: HeaderName) -> Self {
        self.space.request_id_field = Some(field);
        self
    }

    /// Sets the longest body that is read before authentication, in bytes: that of a form with a token, or of a
    /// signed webhook. Default: [`MAX_BODY`](ProtectionSpace::MAX_BODY), 1 MiB; at most 64 MiB.
    ///
    /// All clients can send such bodies, and each stays in memory until the response. In an application of several
    /// spaces, the longest of their lengths counts for all.
    ///
    /// ```
    /// use auth_runtime::ProtectionSpace;
    ///
    /// // The longest body of GitHub's webhooks.
    /// let builder = ProtectionSpace::builder().max_body(25 * 1024 * 1024);
    /// ```
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.space.max_body = bytes;
        self
    }

    /// Counts decisions, by the `metrics` crate: `auth_decisions_total` by `handler`, `outcome` and
    /// `rule`, and the histogram `auth_decision_duration_seconds` by `handler`. Default: no, since each
    /// decision then reads the clock.
    #[cfg(feature = "metrics")]
    pub fn count_decisions(mut self, count: bool) -> Self {
        self.space.counts = count;
        self
    }

    /// Adds the subject of a known caller to the tracing event of each decision, as the field `subject`.
    /// Default: no, since a subject is personal data.
    #[cfg(feature = "tracing")]
    pub fn trace_subjects(mut self, name_them: bool) -> Self {
        self.space.traces_subjects = name_them;
        self
    }

    /// Builds the protection space.
    ///
    /// # Errors
    ///
    /// [`SpaceError`] names a missing or invalid setting.
    pub fn build(self) -> Result<ProtectionSpace, SpaceError> {
        if self.schemes.is_empty() {
            return Err(SpaceError::NoScheme);
        }
        if !(1..=ProtectionSpace::LONGEST_BODY).contains(&self.space.max_body) {
            return Err(SpaceError::MaxBody(self.space.max_body));
        }
        if let Some(name) = self.setting_twice {
            return Err(SpaceError::SettingTwice(name.into_owned()));
        }
        let mut space = self.space;
        for scheme in self.schemes {
            let accepted = space.accept(scheme)?;
            if let Some(error) = clash(&space.schemes, &accepted) {
                return Err(error);
            }
            space.schemes.push(accepted);
        }
        space.subprotocols = subprotocols(&space.schemes);
        space.credential_fields = credential_fields(&space.schemes);
        if let Some(error) = space.application_of_another_name() {
            return Err(error);
        }
        for (scheme, name) in self.openapi_names {
            space.set_openapi_name(&scheme, name)?;
        }
        let asks = space
            .schemes
            .iter()
            .any(|accepted| accepted.plain.is_some());
        if !asks && space.unknown_paths == UnknownPaths::Challenge {
            return Err(SpaceError::NoChallenge);
        }
        if space.resource_metadata().is_some() {
            let is_bearer = |accepted: &Accepted| accepted.name.eq_ignore_ascii_case("Bearer");
            space.schemes.sort_by_key(|accepted| !is_bearer(accepted));
        }
        let schemes = space.schemes.iter().enumerate();
        let readers = schemes.filter(|(_, accepted)| accepted.reads_bodies());
        space.body_readers = readers.map(|(index, _)| index).collect();
        #[cfg(feature = "metrics")]
        if space.counts {
            crate::events::count::describe();
        }
        Ok(ProtectionSpace(Arc::new(space)))
    }
}

impl fmt::Debug for ProtectionSpaceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectionSpaceBuilder")
            .field("realm", &self.space.realm)
            .field("unknown_paths", &self.space.unknown_paths)
            .finish_non_exhaustive()
    }
}
