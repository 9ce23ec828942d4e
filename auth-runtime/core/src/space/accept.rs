//! The checks of schemes when a space is built.

use auth_runtime_policy::scheme::is_token;
use http::HeaderValue;

use super::Space;
use super::accepted_scheme::Accepted;
use super::application::{Application, ApplicationProblem, application_of};
use super::error::SpaceError;
use super::login_page::LoginPage;
use crate::challenge::{Challenge, ChallengeError};
use crate::scheme::{ChallengeContext, Scheme, Source};

impl Space {
    /// Reads the properties of a scheme, and checks them.
    pub(super) fn accept(&self, scheme: Box<dyn Scheme>) -> Result<Accepted, SpaceError> {
        let name = scheme.name().to_owned();
        if !is_token(&name) {
            return Err(SpaceError::Challenge {
                scheme: name.clone(),
                error: ChallengeError::Scheme(name),
            });
        }
        let plain = if scheme.has_challenge() {
            Some(self.plain_challenge(&*scheme)?)
        } else {
            None
        };
        let application = self.application(&*scheme)?;
        let login_page = match scheme.login_page().map(LoginPage::read) {
            Some(Err(page)) => return Err(SpaceError::LoginPage(page)),
            Some(Ok(page)) => Some(page),
            None => None,
        };
        Ok(Accepted {
            openapi_name: name.clone(),
            name,
            sources: scheme.sources(),
            is_oauth: scheme.is_oauth(),
            constrains_sender: scheme.constrains_sender(),
            triggers_browser_prompt: scheme.triggers_browser_prompt(),
            has_token_server: plain.is_some() && scheme.is_oauth() && scheme.has_token_server(),
            supports_step_up: scheme.supports_step_up(),
            signs_body: scheme.signs_body(),
            login_page,
            plain,
            application,
            scheme,
        })
    }

    /// Returns the application of a scheme, if the scheme requires one.
    fn application(&self, scheme: &dyn Scheme) -> Result<Option<Application>, SpaceError> {
        let application = application_of(scheme).map_err(|problem| SpaceError::Application {
            scheme: scheme.name().to_owned(),
            problem,
        })?;
        let Some(application) = application else {
            return Ok(None);
        };
        Ok(Some(Application {
            name: application.name().to_owned(),
            openapi_name: application.name().to_owned(),
            sources: application.sources(),
            triggers_browser_prompt: application.triggers_browser_prompt(),
            plain: self.plain_challenge(application)?,
        }))
    }

    /// Returns an error if an application has the name of a scheme with other places.
    pub(super) fn application_of_another_name(&self) -> Option<SpaceError> {
        let places = |accepted: &Accepted| (accepted.name.clone(), accepted.sources.clone());
        let of_schemes = self.schemes.iter().map(places);
        let applications = self.schemes.iter().filter_map(|it| it.application.as_ref());
        let of_applications = applications.map(|it| (it.name.clone(), it.sources.clone()));
        let all: Vec<_> = of_schemes.chain(of_applications).collect();
        self.schemes.iter().find_map(|accepted| {
            let own = accepted.application.as_ref()?;
            let is_taken = all.iter().any(|(name, sources)| {
                name.eq_ignore_ascii_case(&own.name) && *sources != own.sources
            });
            is_taken.then(|| SpaceError::Application {
                scheme: accepted.name.clone(),
                problem: ApplicationProblem::Name,
            })
        })
    }

    /// Sets the name of a scheme in OpenAPI documents.
    pub(super) fn set_openapi_name(
        &mut self,
        scheme: &str,
        name: String,
    ) -> Result<(), SpaceError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let mut is_known = false;
        let mut is_taken = false;
        for (own, openapi_name) in self.openapi_names() {
            if own.eq_ignore_ascii_case(scheme) {
                is_known = true;
            } else {
                is_taken |= *openapi_name == name;
            }
        }
        if name.is_empty() || !name.bytes().all(is_allowed) || is_taken {
            return Err(SpaceError::OpenApiName(name));
        }
        if !is_known {
            return Err(SpaceError::UnknownScheme(scheme.to_owned()));
        }
        for (own, openapi_name) in self.openapi_names() {
            if own.eq_ignore_ascii_case(scheme) {
                openapi_name.clone_from(&name);
            }
        }
        Ok(())
    }

    /// The schemes and those of applications: each name, and the name in OpenAPI documents.
    fn openapi_names(&mut self) -> impl Iterator<Item = (&str, &mut String)> {
        self.schemes.iter_mut().flat_map(|accepted| {
            let own = (accepted.name.as_str(), &mut accepted.openapi_name);
            let application = accepted.application.as_mut();
            let application = application.map(|it| (it.name.as_str(), &mut it.openapi_name));
            std::iter::once(own).chain(application)
        })
    }

    /// Returns the challenge of `scheme` without an error.
    fn plain_challenge(&self, scheme: &dyn Scheme) -> Result<Challenge, SpaceError> {
        let context = ChallengeContext {
            realm: self.realm.as_deref(),
            resource_metadata: self.resource_metadata(),
            scopes: &[],
            error: None,
        };
        let plain = scheme.challenge(&context);
        // Most schemes have no parameter without a realm, and RFC 6750 §3 requires at least one.
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

/// The subprotocols that credentials of these schemes follow.
pub(super) fn subprotocols(schemes: &[Accepted]) -> Vec<HeaderValue> {
    let sources = schemes.iter().flat_map(Accepted::places);
    let names = sources.filter_map(|source| match source {
        Source::Subprotocol(name) => HeaderValue::try_from(name).ok(),
        _ => None,
    });
    names.collect()
}

/// Returns an error if an earlier scheme has the name of the new one, or reads the same place.
pub(super) fn clash(earlier: &[Accepted], new: &Accepted) -> Option<SpaceError> {
    let is_shared = |one: &Source, other: &Source| {
        if is_whole_field(one) || is_whole_field(other) {
            one.field() == other.field()
        } else {
            one == other && *one != Source::Authorization
        }
    };
    let has_name = |old: &Accepted| old.name.eq_ignore_ascii_case(&new.name);
    if earlier.iter().any(has_name) {
        return Some(SpaceError::SchemeTwice(new.name.clone()));
    }
    let reads_place = |old: &&Accepted| {
        let reads = |source: &Source| old.sources.iter().any(|other| is_shared(source, other));
        new.sources.iter().any(reads)
    };
    let old = earlier.iter().find(reads_place)?;
    Some(SpaceError::PlaceTwice {
        earlier: old.name.clone(),
        later: new.name.clone(),
    })
}

/// Returns whether the credentials are the whole value of a header field.
fn is_whole_field(source: &Source) -> bool {
    matches!(
        source,
        Source::Field(_) | Source::TextField(_) | Source::Connection(Some(_))
    )
}
