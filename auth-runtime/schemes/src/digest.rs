//! The Digest scheme (RFC 7616): the password is not sent, but hashed with a nonce of the server.

mod answer;
mod builder;
mod counts;
mod look_up_error;
mod secret;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use auth_runtime_core::{
    Caller, Challenge, ChallengeContext, ChallengeError, Credentials, ErrorCode, Identity,
    Rejection, Scheme, Verification,
};

use self::answer::{Answer, AnswerProblem, DigestUser, Name, QOP};
pub use self::builder::{DigestBuilder, DigestError};
use self::counts::{Counted, Counts};
pub use self::look_up_error::DigestLookUpError;
pub use self::secret::{DigestAlgorithm, DigestSecret, DigestSecretError};
use crate::nonce_key::{NonceKey, Stamp};

/// The Digest scheme, `Authorization: Digest …` (RFC 7616), for clients that still need it. The
/// password is not sent, but hashed with a nonce of the server.
///
/// Over TLS, Basic with Argon2 hashes protects passwords better. A stolen secret of Digest gives
/// access to the realm, and passwords can be guessed from it quickly.
///
/// - SHA-256, and MD5 if it is enabled, each in a challenge of its own, in order of preference. A
///   response has to use the algorithm of its nonce.
/// - `qop=auth`. Bodies are not protected (clients compute `auth-int` in different ways).
/// - Nonces are signed timestamps, so a nonce is stored only when it is used with the correct
///   password. A correct response with an expired nonce receives a challenge with `stale=true`, and
///   clients repeat the request by themselves.
/// - Each count of a nonce (`nc`) is valid once. Counts may arrive in any order within 64 of the
///   highest. A lower count, and one that was used before, receives `stale=true`.
/// - The counts of up to 200 000 nonces are stored for each lifetime of a nonce. One half of them
///   is for users with many nonces: each may have a quarter of the free places in this half, at
///   most 20 000. The other half is for users with up to 196. A request with a nonce beyond that
///   receives 503, so fewer than 512 users cannot exclude others.
/// - A response to a challenge with a `uri` other than the target of the request receives 400
///   ([`Rejection::RequestMismatch`](auth_runtime_core::Rejection::RequestMismatch)), so a proxy in
///   front must not change targets, except for a prefix that it removes
///   ([`removed_prefix`](DigestBuilder::removed_prefix)). The mismatch is logged at the level `debug`.
/// - Names outside ASCII are read from `username*` and from hashes (`userhash`). Clients that
///   send their bytes unescaped, such as curl, are not supported.
///
/// `Authentication-Info` (§3.5), which authenticates the server, is not supported: use TLS.
///
/// The realm is part of the hash. Therefore the builder of a space with another realm returns an
/// error, and so does mounting a handler with another `realm = "…"`, unless its `schemes(…)`
/// exclude Digest.
///
/// ```
/// use auth_runtime::{Identity, ProtectionSpace};
/// use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestSecret};
///
/// let ann = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "lab", "correct horse")?;
/// let scheme = Digest::builder("lab")
///     .user(ann, Identity::new("ann").with_roles(["admin"]))
///     .build()?;
/// let space = ProtectionSpace::builder().realm("lab").scheme(scheme).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Browsers
///
/// After the user has entered the password, a browser sends it with every later request to the
/// origin, also with requests that pages of other sites cause. A service with users in browsers
/// rejects such requests with a layer, such as `tower-http`'s `CsrfLayer`, or uses `Sessions`,
/// which rejects them itself.
pub struct Digest {
    users: Users,
    rules: Arc<DigestRules>,
}

/// The source of the users' secrets.
enum Users {
    Table(HashMap<DigestUser, Arc<Account>>),
    LookUp(Box<LookUp>),
}

type LookUp = dyn Fn(String, DigestAlgorithm) -> LookingUp + Send + Sync;
type LookingUp = Pin<Box<dyn Future<Output = LookedUp> + Send>>;
type LookedUp = Result<Option<(DigestSecret, Identity)>, DigestLookUpError>;

struct Account {
    secret: DigestSecret,
    identity: Identity,
}

/// The conditions on a response of a client.
struct DigestRules {
    realm: String,
    /// In order of preference. Not empty.
    offers: Vec<OfferedAlgorithm>,
    hashes_names: bool,
    /// The prefix that a gateway removes from paths; empty without one.
    removed_prefix: String,
    counts: Counts,
}

/// An algorithm that clients may choose.
struct OfferedAlgorithm {
    algorithm: DigestAlgorithm,
    /// A nonce is valid for one algorithm, so that no attacker can replace it by a weaker one.
    nonces: NonceKey,
    /// Used in place of the secret of an unknown user, so that the verification takes the same
    /// time.
    stand_in: DigestSecret,
}

impl Scheme for Digest {
    fn name(&self) -> &str {
        "Digest"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let answer = match Answer::read(credentials, &self.rules.removed_prefix) {
            Ok(answer) => answer,
            Err(problem) => {
                return Verification::done(Caller::Rejected(match problem {
                    AnswerProblem::Malformed => Rejection::Malformed,
                    AnswerProblem::Algorithm => Rejection::Invalid,
                    AnswerProblem::RequestMismatch => {
                        tracing::debug!(
                            "the credentials of Digest are for another target than that of the \
                             request, as behind a proxy that changes it; the response is 400",
                        );
                        Rejection::RequestMismatch
                    }
                }));
            }
        };
        let look_up = match &self.users {
            Users::Table(accounts) => {
                let account = accounts.get(&answer.user).map(Arc::as_ref);
                return Verification::done(self.rules.verify(&answer, account));
            }
            Users::LookUp(look_up) => look_up,
        };
        // Hashed names are never requested with a look-up: only a table can resolve them.
        let Name::Plain(name) = &answer.user.name else {
            return Verification::done(Caller::rejected());
        };
        if self.rules.offer(answer.user.algorithm).is_none() {
            return Verification::done(Caller::rejected());
        }
        let looking_up = look_up(name.clone(), answer.user.algorithm);
        let rules = Arc::clone(&self.rules);
        Verification::pending(async move {
            match looking_up.await {
                Ok(found) => rules.verify_looked_up(&answer, found),
                Err(DigestLookUpError) => Caller::unverifiable(),
            }
        })
    }

    /// Returns the challenge of the preferred algorithm.
    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        self.rules.challenge(self.rules.offers.first(), context)
    }

    fn further_challenges(&self, context: &ChallengeContext<'_>) -> Vec<Challenge> {
        let further = self.rules.offers.iter().skip(1);
        further
            .filter_map(|offer| self.rules.challenge(Some(offer), context).ok())
            .collect()
    }

    fn triggers_browser_prompt(&self) -> bool {
        true
    }
}

impl DigestRules {
    fn offer(&self, algorithm: DigestAlgorithm) -> Option<&OfferedAlgorithm> {
        let mut offers = self.offers.iter();
        offers.find(|offer| offer.algorithm == algorithm)
    }

    /// Returns a challenge (RFC 7616 §3.3). Clients hash the realm of the challenge, so it has to
    /// be the realm of the secrets.
    fn challenge(
        &self,
        offer: Option<&OfferedAlgorithm>,
        context: &ChallengeContext<'_>,
    ) -> Result<Challenge, ChallengeError> {
        if let Some(realm) = context.realm()
            && realm != self.realm
        {
            return Err(ChallengeError::Realm {
                realm: realm.to_owned(),
                own: self.realm.clone(),
            });
        }
        let challenge = Challenge::builder("Digest")
            .quoted("realm", &self.realm)
            .quoted("qop", QOP);
        let mut challenge = match offer {
            Some(offer) => challenge
                .token("algorithm", offer.algorithm.name())
                .quoted("nonce", offer.nonces.make()),
            None => challenge,
        };
        if context.error() == Some(ErrorCode::InvalidToken(Rejection::StaleNonce)) {
            challenge = challenge.token("stale", "true");
        }
        challenge = challenge.token("charset", "UTF-8");
        if self.hashes_names {
            challenge = challenge.token("userhash", "true");
        }
        challenge.build()
    }

    fn verify(&self, answer: &Answer, account: Option<&Account>) -> Caller {
        let Some(offer) = self.offer(answer.user.algorithm) else {
            return Caller::rejected();
        };
        let secret = account.map_or(&offer.stand_in, |account| &account.secret);
        let is_right = answer.is_made_with(secret) && answer.realm == self.realm;
        let Some(account) = account.filter(|_| is_right) else {
            return Caller::rejected();
        };
        // The client knows the password here. `stale=true` only reports that it needs a new nonce.
        match offer.nonces.verify(&answer.nonce) {
            Stamp::Fresh(_) => {}
            Stamp::Foreign if self.is_for_another(offer, &answer.nonce) => {
                return Caller::rejected();
            }
            Stamp::Stale | Stamp::Foreign => return Caller::Rejected(Rejection::StaleNonce),
        }
        let user = account.secret.user();
        match self.counts.count(&answer.nonce, user, answer.count) {
            Counted::First => Caller::known(account.identity.clone()),
            Counted::Again => Caller::Rejected(Rejection::StaleNonce),
            Counted::Full => Caller::unverifiable(),
        }
    }

    /// Returns whether a nonce was made for another algorithm than that of `offer`.
    fn is_for_another(&self, offer: &OfferedAlgorithm, nonce: &str) -> bool {
        let mut others = self
            .offers
            .iter()
            .filter(|other| other.algorithm != offer.algorithm);
        others.any(|other| other.nonces.verify(nonce) != Stamp::Foreign)
    }

    fn verify_looked_up(&self, answer: &Answer, found: Option<(DigestSecret, Identity)>) -> Caller {
        // A directory may compare names without case. Another name than that of the secret is not the name of a
        // user, and gets the response of an unknown one.
        let account = found
            .map(|(secret, identity)| Account { secret, identity })
            .filter(|account| answer.user.name == Name::Plain(account.secret.user().to_owned()));
        if let Some(Account { secret, .. }) = &account
            && (secret.algorithm() != answer.user.algorithm || secret.realm() != self.realm)
        {
            tracing::error!("a digest secret that was looked up is for another realm or algorithm");
            return Caller::unverifiable();
        }
        self.verify(answer, account.as_ref())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms = self.rules.offers.iter().map(|offer| offer.algorithm);
        f.debug_struct("Digest")
            .field("realm", &self.rules.realm)
            .field("algorithms", &algorithms.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
