//! Signed links that are credentials themselves, for a limited time.

mod builder;
mod link;

use std::fmt;

use auth_runtime_core::{Caller, Credentials, Rejection, Scheme, Source, Verification};

pub use self::builder::{SignedUrls, SignedUrlsBuilder, SignedUrlsError};
pub use self::link::LinkError;

/// The last parameter of a link. Programs that remove secrets from logs look for the word.
const PARAMETER: &str = "secret_link";

impl Scheme for SignedUrls {
    fn name(&self) -> &str {
        "SignedUrl"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Query(PARAMETER.to_owned())]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let target = credentials.uri().path_and_query();
        let identity = target.map_or(Err(Rejection::Malformed), |target| {
            self.open(credentials.method(), target.as_str(), credentials.value())
        });
        Verification::done(identity.map_or_else(Caller::Rejected, Caller::Known))
    }

    /// A client without a link cannot obtain one through a challenge.
    fn has_challenge(&self) -> bool {
        false
    }
}

impl fmt::Debug for SignedUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.iter().map(|key| &key.id).collect();
        f.debug_struct("SignedUrls")
            .field("keys", &ids)
            .finish_non_exhaustive()
    }
}
