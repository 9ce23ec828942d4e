//! The challenges that lead clients of container registries to a token server.

use auth_runtime_core::url::TrustedUrl;
use auth_runtime_core::{Challenge, ChallengeContext, ChallengeError};

use crate::oauth;

/// The server that clients request a token from, and the name of the service in these requests.
pub(crate) struct TokenServer {
    realm: String,
    service: String,
}

impl TokenServer {
    pub(crate) fn new(url: String, service: String) -> Result<Self, ChallengeError> {
        TrustedUrl::read(&url).map_err(|problem| ChallengeError::Url {
            name: "realm".to_owned(),
            problem,
        })?;
        // An invalid name of the service is found here, and not by a client.
        let challenge = Challenge::builder("Bearer").quoted("service", &service);
        challenge.build()?;
        Ok(Self {
            realm: url,
            service,
        })
    }

    /// The challenge: `realm` is the URL of the server, and each object has one scope with all its actions.
    pub(crate) fn challenge(
        &self,
        context: &ChallengeContext<'_>,
    ) -> Result<Challenge, ChallengeError> {
        let scopes = join_actions(context.scopes().iter().map(AsRef::as_ref));
        let challenge = Challenge::builder("Bearer")
            .quoted("realm", &self.realm)
            .quoted("service", &self.service)
            .scopes(scopes.iter().map(String::as_str));
        oauth::complete(challenge, None, context)
    }
}

/// Joins `type:name:pull` and `type:name:push` to `type:name:pull,push`, since some clients read one scope only.
fn join_actions<'s>(scopes: impl Iterator<Item = &'s str>) -> Vec<String> {
    let mut joined: Vec<(Option<&str>, String)> = Vec::new();
    for scope in scopes {
        // Other scopes, such as URLs, have other forms.
        let parts = scope.rsplit_once(':');
        let parts = parts.filter(|(object, _)| object.matches(':').count() == 1);
        let (object, action) = match parts {
            Some((object, action)) => (Some(object), action),
            None => (None, scope),
        };
        let mut known = joined.iter_mut();
        match known.find(|(own, _)| object.is_some() && *own == object) {
            Some((_, actions)) if actions.split(',').any(|own| own == action) => {}
            Some((_, actions)) => {
                actions.push(',');
                actions.push_str(action);
            }
            None => joined.push((object, action.to_owned())),
        }
    }
    let joined = joined.into_iter().map(|(object, actions)| match object {
        Some(object) => format!("{object}:{actions}"),
        None => actions,
    });
    joined.collect()
}
