//! The DPoP scheme (RFC 9449): tokens that are bound to a key of the client, with a proof of
//! possession in each request.

mod builder;
mod proof;

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::{
    Caller, Challenge, ChallengeContext, ChallengeError, Credentials, ErrorCode, Identity,
    Rejection, Scheme, Verification,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

pub use self::builder::{DpopBuilder, DpopError};
use self::proof::{DPOP, NONCE_LIFETIME, Proof, ProofProblem, ProofRules, nonce_of};
use crate::nonce_key::Stamp;
use crate::replay::{ReplayStoreError, Replays, UsedProof};
use crate::{Claims, Jwt, oauth};

const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The DPoP scheme, `Authorization: DPoP …` (RFC 9449): a token is bound to a key of the client.
/// The client proves possession of the key in the `DPoP` field of each request.
///
/// A stolen token is useless without the key, and a proof is valid for one request. Handlers
/// require this with `sender_constrained`.
///
/// All points of RFC 9449 §4.3 are checked: a single proof; its `typ`; an accepted `alg`; `jwk`
/// without private members; the signature; `htm` and `htu`; `iat`; `ath`; the server's nonce, if
/// nonces are used; that the proof was not used before; and that the token is bound to its key
/// (`cnf.jkt`). The token itself is verified in the same way as a Bearer token.
///
/// ```
/// use auth_runtime::schemes::{Dpop, Jwt, JwtKey};
///
/// # let secret = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// let scheme = Dpop::jwt(jwt).origin("https://api.example").build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Dpop {
    tokens: TokenVerifier,
    rules: ProofRules,
    replays: Arc<Replays>,
    /// The accepted algorithms, in the form of the challenge.
    algorithms: String,
}

/// The verifier of the tokens.
enum TokenVerifier {
    Jwt(Jwt),
    #[cfg(feature = "introspection")]
    Introspection(crate::Introspection),
}

impl Scheme for Dpop {
    fn name(&self) -> &str {
        "DPoP"
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        vec![DPOP]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let proof = match self.rules.proof(credentials) {
            Ok(proof) => proof,
            Err(ProofProblem::Invalid) => {
                return Verification::done(Caller::Rejected(Rejection::InvalidProof));
            }
            Err(ProofProblem::Nonce) => {
                return Verification::done(Caller::Rejected(Rejection::StaleNonce));
            }
        };
        let verification = match &self.tokens {
            TokenVerifier::Jwt(jwt) => jwt.verify_even_if_bound(credentials.value()),
            #[cfg(feature = "introspection")]
            TokenVerifier::Introspection(introspection) => {
                introspection.verify(credentials, &["DPoP", "Bearer", "access_token"])
            }
        };
        let replays = Arc::clone(&self.replays);
        Verification::pending(async move {
            match verification.await {
                Caller::Known(identity) => bind(identity, &proof, &replays).await,
                other => other,
            }
        })
    }

    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        oauth::challenge("DPoP", Some(&self.algorithms), context)
    }

    /// Returns a nonce for the next proof (RFC 9449 §8), unless the client has no use for it.
    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let wants_nonce = match context.error() {
            None => true,
            Some(ErrorCode::InvalidToken(rejection)) => {
                matches!(rejection, Rejection::StaleNonce | Rejection::InvalidProof)
            }
            Some(_) => false,
        };
        let nonces = self.rules.nonces.as_ref().filter(|_| wants_nonce);
        let nonce = nonces.and_then(|nonces| HeaderValue::try_from(nonces.make()).ok());
        nonce.map(|nonce| (NONCE, nonce)).into_iter().collect()
    }

    /// Another nonce, once half of the life of the used one is over (RFC 9449 §8.2).
    fn granted_fields(&self, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        let Some(nonces) = &self.rules.nonces else {
            return Vec::new();
        };
        let used = nonce_of(headers).map(|nonce| nonces.verify(&nonce));
        let nonce = match used {
            Some(Stamp::Fresh(age)) if age < NONCE_LIFETIME / 2 => None,
            _ => HeaderValue::try_from(nonces.make()).ok(),
        };
        nonce.map(|nonce| (NONCE, nonce)).into_iter().collect()
    }

    fn is_oauth(&self) -> bool {
        true
    }

    fn constrains_sender(&self) -> bool {
        true
    }
}

/// Returns the caller of a token that is bound to the key of the proof, if the proof was not used
/// before.
async fn bind(identity: Identity, proof: &Proof, replays: &Replays) -> Caller {
    let bound_to = identity.extension::<Claims>().and_then(|claims| {
        // A token that is also bound to something else needs a further proof.
        let members = claims.get("cnf")?.as_object()?;
        let members = Some(members).filter(|members| members.len() == 1)?;
        let thumbprint = members.get("jkt")?.as_str()?;
        Some(thumbprint == proof.thumbprint)
    });
    if bound_to != Some(true) {
        return Caller::rejected();
    }
    // This is the last check, so that only valid proofs are stored.
    let used = UsedProof::new(proof.id, subject_id(&identity), proof.lifetime);
    match replays.is_first(used).await {
        Ok(true) => Caller::known(identity.with_sender_constraint()),
        Ok(false) => Caller::Rejected(Rejection::InvalidProof),
        Err(ReplayStoreError) => Caller::unverifiable(),
    }
}

/// Returns the hash of a subject and its issuer, since two issuers may have the same subject.
fn subject_id(identity: &Identity) -> [u8; 32] {
    let issuer = Sha256::digest(identity.issuer().unwrap_or_default());
    let id = Sha256::new_with_prefix(issuer).chain_update(identity.subject());
    id.finalize().into()
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop")
            .field("origins", &self.rules.origins)
            .field("algorithms", &self.rules.algorithms)
            .finish_non_exhaustive()
    }
}
