//! Schemes that require the credentials of an application beside those of the user.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::forward::forward_to_scheme;
use crate::caller::{Caller, Rejection};
use crate::challenge::{Challenge, ChallengeError};
use crate::scheme::user_type::UserType;
use crate::scheme::verification::Verification;
use crate::scheme::{ChallengeContext, Credentials, Scheme, Source};
use crate::space::Accompanying;

/// A scheme that requires the credentials of an application beside those of the user. Created by
/// [`SchemeExt::with_application`](crate::SchemeExt::with_application).
pub struct WithApplication<S> {
    scheme: S,
    application: Box<dyn Scheme>,
    sources: Vec<Source>,
}

impl<S: Scheme> WithApplication<S> {
    pub(crate) fn new(scheme: S, application: Box<dyn Scheme>) -> Self {
        Self {
            scheme,
            sources: application.sources(),
            application,
        }
    }
}

impl<S: Scheme> Scheme for WithApplication<S> {
    forward_to_scheme!();

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let found = match Accompanying::find(&*self.application, &self.sources, credentials) {
            // The key of an application in place of the token of a user.
            Ok(Some(found)) if found.are(credentials.value()) => {
                return Verification::done(Caller::Anonymous);
            }
            found => found,
        };
        let user = credentials.verify_by(&self.scheme);
        match found {
            Ok(Some(found)) => {
                let application = found.verify(&*self.application, credentials);
                user.join(application, with_application)
            }
            Ok(None) => user.map(|user| with_application(user, Caller::Anonymous)),
            // A caller without a user learns nothing about the key.
            Err(_) => user.map(|user| match user {
                Caller::Known(_) => Caller::Rejected(Rejection::RequestMismatch),
                user => user,
            }),
        }
    }

    fn provides_user(&self, user: UserType) -> bool {
        self.scheme.provides_user(user)
    }

    fn application(&self) -> Option<&dyn Scheme> {
        match self.scheme.application() {
            None => Some(&*self.application),
            // A second application: a space refuses an application that has one itself.
            Some(_) => Some(self),
        }
    }
}

/// Returns the user with the application. The application decides only if the user is known.
fn with_application(user: Caller, application: Caller) -> Caller {
    let Caller::Known(user) = user else {
        return user;
    };
    match application {
        Caller::Known(application) => {
            let expiry = [user.expiry(), application.expiry()];
            let user = user.with_application(application);
            Caller::known(match expiry.into_iter().flatten().min() {
                Some(expiry) => user.with_expiry(expiry),
                None => user,
            })
        }
        Caller::Anonymous => Caller::Rejected(Rejection::NoApplication),
        Caller::Rejected(invalid @ (Rejection::TooLong | Rejection::RequestMismatch)) => {
            Caller::Rejected(invalid)
        }
        Caller::Rejected(_) => Caller::Rejected(Rejection::InvalidApplication),
        Caller::Unverifiable { retry_after } => Caller::Unverifiable { retry_after },
    }
}

impl<S: fmt::Debug> fmt::Debug for WithApplication<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithApplication")
            .field("scheme", &self.scheme)
            .field("application", &self.application.name())
            .finish()
    }
}
