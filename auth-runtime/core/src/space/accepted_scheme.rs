//! A scheme that a space accepts.

use auth_runtime_policy::Policy;

use super::application::Application;
use super::login_page::LoginPage;
use crate::challenge::Challenge;
use crate::scheme::{Scheme, Source};

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
        self.constrains_sender || !policy.requires_sender_constraint()
    }

    /// Returns whether a 401 can challenge the scheme: `policy` accepts it, it has a challenge, and its credentials
    /// can lead to a grant.
    pub(super) fn is_asked(&self, policy: &Policy) -> bool {
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
pub struct SchemeDescription<'s> {
    /// Its name.
    pub name: &'s str,
    /// Its name in the document.
    pub openapi_name: &'s str,
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
    pub application: Option<Box<SchemeDescription<'s>>>,
}
