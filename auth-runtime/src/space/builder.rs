//! What a protection space is made of, and what can be wrong with it.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "sessions")]
use super::LoginPage;
use super::{Accepted, Prepared, ProtectionSpace, Render, Space, UnknownPaths};
use crate::audit::{Audit, AuditRecord};
use crate::challenge::{Challenge, ChallengeError, is_token};
use crate::client_address::ClientAddress;
use crate::decision::Denial;
use crate::denial_body::{DenialBody, DeniedRequest};
#[cfg(feature = "resource-metadata")]
use crate::resource::ProtectedResource;
use crate::scheme::{Occasion, Scheme, Source};

/// Collects what a [`ProtectionSpace`] is made of.
#[must_use]
pub struct ProtectionSpaceBuilder {
    realm: Option<String>,
    schemes: Vec<Box<dyn Scheme>>,
    unknown_paths: UnknownPaths,
    client_address: ClientAddress,
    prompts_scripts: bool,
    joins_challenges: bool,
    render: Option<Render>,
    audit: Option<Audit>,
    #[cfg(feature = "tracing")]
    traces_subjects: bool,
    #[cfg(feature = "resource-metadata")]
    resource: Option<ProtectedResource>,
}

impl ProtectionSpace {
    /// Starts with no scheme and no realm.
    pub fn builder() -> ProtectionSpaceBuilder {
        ProtectionSpaceBuilder {
            realm: None,
            schemes: Vec::new(),
            unknown_paths: UnknownPaths::default(),
            client_address: ClientAddress::default(),
            prompts_scripts: false,
            joins_challenges: false,
            render: None,
            audit: None,
            #[cfg(feature = "tracing")]
            traces_subjects: false,
            #[cfg(feature = "resource-metadata")]
            resource: None,
        }
    }
}

impl ProtectionSpaceBuilder {
    /// Names the space; shown to users by clients. Visible ASCII.
    ///
    /// Required, unless the challenges of all schemes say something without it: those of OAuth's
    /// schemes where there is a [`resource`](Self::resource), and of DPoP; those that send none
    /// need none.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Accepts `scheme`, after those given before: challenges are sent in this order, but for
    /// Bearer, which comes first where there is a [`resource`](Self::resource), since its clients
    /// look no further than the first challenge. One at least is required.
    pub fn scheme(mut self, scheme: impl Scheme) -> Self {
        self.schemes.push(Box::new(scheme));
        self
    }

    /// What anonymous callers are told of unknown and of hidden paths. Default:
    /// [`UnknownPaths::NotFound`].
    pub fn unknown_paths(mut self, unknown_paths: UnknownPaths) -> Self {
        self.unknown_paths = unknown_paths;
        self
    }

    /// The way to find the address of a client, for `network` requirements and for schemes that give
    /// each client a share of something. Default: [`ClientAddress::socket`].
    pub fn client_address(mut self, client_address: ClientAddress) -> Self {
        self.client_address = client_address;
        self
    }

    /// Publishes what the resource is and which authorization servers grant access to it
    /// (RFC 9728): the router serves the document, and OAuth challenges point to it.
    ///
    /// MCP clients start from it.
    #[cfg(feature = "resource-metadata")]
    pub fn resource(mut self, resource: ProtectedResource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Sends the challenges of schemes like Basic to scripts too. Default: no.
    ///
    /// A browser opens its password prompt for them, even where a script called `fetch()`. So they
    /// are left out where a request says that a script sent it (`Sec-Fetch-Mode` is there and is
    /// not `navigate`), if another accepted scheme's challenge is left.
    pub fn prompt_scripts(mut self, prompt: bool) -> Self {
        self.prompts_scripts = prompt;
        self
    }

    /// Sends all challenges on one field line, for gateways that pass only the first line on, as
    /// nginx's `auth_request` does. Default: one line each, since many clients miss the second
    /// challenge of a line.
    pub fn join_challenges(mut self, join: bool) -> Self {
        self.joins_challenges = join;
        self
    }

    /// Writes the bodies of denials, in place of the built-in problem details, HTML and text.
    ///
    /// Status and challenges stay what they are. The same function writes the body of the 404 of
    /// unknown and hidden paths (unless the router has a fallback of its own), which it cannot
    /// tell apart.
    ///
    /// ```
    /// # use auth_runtime::ProtectionSpace;
    /// use auth_runtime::DenialBody;
    ///
    /// let builder = ProtectionSpace::builder().render(|denial, _request| {
    ///     DenialBody::new("application/json", format!(r#"{{"code":{}}}"#, denial.status().as_u16()))
    ///         .unwrap_or_default()
    /// });
    /// ```
    pub fn render(
        mut self,
        render: impl Fn(&Denial, &DeniedRequest) -> DenialBody + Send + Sync + 'static,
    ) -> Self {
        self.render = Some(Arc::new(render));
        self
    }

    /// Tells `hook` of every decision, at the moment it is made and before it is answered: of
    /// grants and denials, of public handlers, and of objects that a handler denies. Default: nobody
    /// is told. A second hook replaces the first.
    ///
    /// It runs where the request is served, so it must not block, wait, or panic: hand what is to be
    /// kept over to a channel, and write it somewhere else. Nobody who calls the service ever sees
    /// what it is told, and it cannot change the decision.
    ///
    /// ```
    /// # use auth_runtime::ProtectionSpace;
    /// use std::sync::mpsc::sync_channel;
    ///
    /// let (log, lines) = sync_channel(1024);
    /// std::thread::spawn(move || lines.iter().for_each(|line: String| eprintln!("{line}")));
    ///
    /// let builder = ProtectionSpace::builder().audit(move |record| {
    ///     if let (Some(denial), Some(handler)) = (record.outcome().denial(), record.declaration()) {
    ///         // When the channel is full, a line is lost rather than every request held up.
    ///         let _ = log.try_send(format!("{handler} denied {denial:?} by rule {}", record.rule()));
    ///     }
    /// });
    /// ```
    pub fn audit(mut self, hook: impl Fn(&AuditRecord<'_>) + Send + Sync + 'static) -> Self {
        self.audit = Some(Arc::new(hook));
        self
    }

    /// Names the subjects of known callers in the events of decisions, as the field `subject`.
    /// Default: no, since it is personal data, and logs travel far.
    #[cfg(feature = "tracing")]
    pub fn trace_subjects(mut self, name_them: bool) -> Self {
        self.traces_subjects = name_them;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`SpaceError`] says what is missing or illegal.
    pub fn build(self) -> Result<ProtectionSpace, SpaceError> {
        if self.schemes.is_empty() {
            return Err(SpaceError::NoScheme);
        }
        let mut space = Space {
            realm: self.realm,
            schemes: Vec::with_capacity(self.schemes.len()),
            unknown_paths: self.unknown_paths,
            client_address: self.client_address,
            prompts_scripts: self.prompts_scripts,
            joins_challenges: self.joins_challenges,
            render: self.render,
            audit: self.audit,
            #[cfg(feature = "tracing")]
            traces_subjects: self.traces_subjects,
            #[cfg(feature = "resource-metadata")]
            resource: self.resource,
            prepared: Prepared::default(),
        };
        for scheme in self.schemes {
            let accepted = space.accept(scheme)?;
            if let Some(name) = clash(&space.schemes, &accepted) {
                return Err(SpaceError::SchemeTwice(name));
            }
            space.schemes.push(accepted);
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
        #[cfg(feature = "metrics")]
        crate::audit::count::describe();
        Ok(ProtectionSpace(Arc::new(space)))
    }
}

impl Space {
    fn accept(&self, scheme: Box<dyn Scheme>) -> Result<Accepted, SpaceError> {
        let name = scheme.name().to_owned();
        if !is_token(&name) {
            return Err(SpaceError::Challenge {
                scheme: name.clone(),
                error: ChallengeError::Scheme(name),
            });
        }
        let plain = if scheme.can_be_asked_for() {
            Some(self.plain_challenge(&*scheme)?)
        } else {
            None
        };
        #[cfg(feature = "sessions")]
        let login_page = match scheme.login_page().map(LoginPage::read) {
            Some(Err(page)) => return Err(SpaceError::LoginPage(page)),
            Some(Ok(page)) => Some(page),
            None => None,
        };
        Ok(Accepted {
            name,
            sources: scheme.sources(),
            is_oauth: scheme.is_oauth(),
            constrains_sender: scheme.constrains_sender(),
            opens_prompt: scheme.opens_prompt(),
            knows_login: scheme.knows_login(),
            challenge_varies: scheme.challenge_varies(),
            #[cfg(feature = "sessions")]
            login_page,
            plain,
            scheme,
        })
    }

    /// What `scheme` says when nothing is wrong.
    fn plain_challenge(&self, scheme: &dyn Scheme) -> Result<Challenge, SpaceError> {
        let occasion = Occasion {
            realm: self.realm.as_deref(),
            resource_metadata: self.resource_metadata(),
            scopes: &[],
            problem: None,
        };
        let plain = scheme.challenge(&occasion);
        // Most schemes have nothing to say without a realm, and RFC 6750 §3 wants something said.
        let says_enough = scheme.is_oauth() && plain != Err(ChallengeError::NoParameter);
        if self.realm.is_none() && !says_enough {
            return Err(SpaceError::NoRealm);
        }
        plain.map_err(|error| SpaceError::Challenge {
            scheme: scheme.name().to_owned(),
            error,
        })
    }
}

/// The name of the new scheme if an earlier one would take its credentials.
fn clash(earlier: &[Accepted], new: &Accepted) -> Option<String> {
    let is_own = |source: &&Source| **source != Source::Authorization;
    earlier
        .iter()
        .any(|old| {
            let mut shared = new.sources.iter().filter(is_own);
            old.name.eq_ignore_ascii_case(&new.name)
                || shared.any(|source| old.sources.contains(source))
        })
        .then(|| new.name.clone())
}

/// What keeps a [`ProtectionSpace`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpaceError {
    /// No realm was given.
    NoRealm,
    /// No scheme was given, so no caller could ever prove who it is.
    NoScheme,
    /// Unknown paths are to challenge, and no scheme is one that can be asked for.
    NoChallenge,
    /// Two schemes of one name, or reading the same field.
    SchemeTwice(String),
    /// A page to log in on that is no path on this host.
    #[cfg(feature = "sessions")]
    LoginPage(String),
    /// A challenge that is not legal, mostly for its realm.
    Challenge {
        /// The scheme's name.
        scheme: String,
        /// What is wrong with it.
        error: ChallengeError,
    },
}

impl fmt::Display for SpaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRealm => {
                f.write_str("the protection space has no realm; name it with `.realm(\"…\")`")
            }
            Self::NoScheme => f.write_str(
                "the protection space accepts no scheme, so nobody could log in; \
                 add one with `.scheme(…)`",
            ),
            Self::NoChallenge => f.write_str(
                "unknown paths are to challenge, and none of the schemes can be asked for by a \
                 challenge; leave `UnknownPaths::Challenge` out, or add such a scheme",
            ),
            Self::SchemeTwice(name) => write!(
                f,
                "the scheme `{name}` has the name or the field of an earlier one",
            ),
            #[cfg(feature = "sessions")]
            Self::LoginPage(page) => write!(
                f,
                "{page:?} is no page to log in on; name a path on this host, such as `/login`",
            ),
            Self::Challenge { scheme, error } => {
                write!(
                    f,
                    "the challenge of the scheme `{scheme}` is not legal: {error}"
                )
            }
        }
    }
}

impl std::error::Error for SpaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Challenge { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Debug for ProtectionSpaceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectionSpaceBuilder")
            .field("realm", &self.realm)
            .field("unknown_paths", &self.unknown_paths)
            .finish_non_exhaustive()
    }
}
