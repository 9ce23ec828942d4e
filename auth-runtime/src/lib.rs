//! Declarative access control for [axum], checked while compiling.
//!
//! ```
//! use auth_runtime::{Denied, Guard, public, requires};
//!
//! #[requires(scope = "admin", hide_as = 404)]
//! async fn dashboard(guard: Guard) -> Result<String, Denied> {
//!     Ok(format!("hello {}", guard.identity().subject()))
//! }
//!
//! #[public(reason = "liveness probe")]
//! async fn healthz() -> &'static str {
//!     "ok"
//! }
//! ```
//!
//! - [`requires`] and [`public`] state who may call a handler: see there for the grammar.
//! - [`GuardedRouter`] takes only handlers that carry such a policy, and becomes an axum `Router`
//!   through [`protect`](GuardedRouter::protect).
//! - [`ProtectionSpace`] names the realm and the [schemes](Scheme) that callers can prove
//!   themselves with: [`Bearer`] (with [`Jwt`] or a verifier of your own), [`Basic`],
//!   [`ApiKeys`], or one that you add.
//! - [`Guard`] tells a handler who is calling, and denies access to single objects.
//! - [`testing`] lets requests in without credentials, and proves that hidden is hidden.
//!
//! # What is answered
//!
//! The caller is anonymous, rejected (credentials were sent, and are no good), known, or
//! unverifiable (what would verify the credentials is down). Requirements are evaluated in
//! three-valued logic: everything about an unknown caller is unknown.
//!
//! | caller | requirement | answer |
//! |---|---|---|
//! | whoever | true, or the handler is public | the handler's |
//! | anonymous | unknown | 401 with the challenges of all schemes, and no error (RFC 6750 §3.1) |
//! | rejected | unknown | 401; the scheme that was used says `invalid_token` or the like |
//! | unverifiable | unknown | 503 with `Retry-After`: a client that is told 401 throws its token away |
//! | not known | false | 403: no credentials would help |
//! | known, by an OAuth scheme | true with more scopes | 403, `insufficient_scope`, with the smallest set of scopes that would do |
//! | known | not true otherwise | 403; for OAuth callers with the realm alone, for others without a challenge |
//! | credentials in two places | any | 400, for OAuth with `invalid_request` |
//!
//! Every denial is `Cache-Control: no-store`, and its body is a problem detail (RFC 9457), HTML or
//! plain text, as `Accept` asks.
//!
//! # Hiding
//!
//! With `hide_as = 404` every denial is the answer of a path that was never there: not one like
//! it, but the very answer, given by the same code. So it has the same bytes on every method, with
//! every layer and fallback, nested or not. Bad credentials get a 401 on hidden and on unknown
//! paths alike, since their owner has to learn that they expired. `hide_unless` names a lesser
//! requirement, like the right to read, whose holders may know that there is something. What an
//! unknown path tells anonymous callers is for the space to say: [`UnknownPaths`].
//!
//! Limits: a *time* that depends on whether a path is hidden is kept out by doing the same work on
//! both, not by measuring; the path's parameters, which axum keeps to itself, stay visible to a
//! fallback that extracts `Option<Path<…>>`; and a fallback that reads the body finds it empty when
//! [`Guard::permit`] denies, since the handler had it. A plain axum `Router` cannot hide this well:
//! it answers 405 on other methods.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `axum` (default) | [`Guard`], [`GuardedRouter`]: everything that speaks axum |
//! | `jwt` | [`Jwt`]: JSON Web Tokens, verified with aws-lc (needs a C compiler) |
//! | `basic` | [`Basic`] with a verifier of your own |
//! | `argon2` | [`PasswordHashes`]: Basic against Argon2 hashes |
//! | `api-key` | [`ApiKeys`] |
//! | `testing` | [`testing`]; refuses to build without debug assertions |
//!
//! [axum]: https://docs.rs/axum
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "jwt",
        feature = "argon2",
        feature = "api-key",
        feature = "testing"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod caller;
mod challenge;
mod decision;
mod denial_body;
#[cfg(feature = "axum")]
mod guard;
mod head;
mod identity;
mod policy;
mod requirement;
#[cfg(feature = "axum")]
pub mod routing;
mod scheme;
mod schemes;
mod scopes;
mod space;
#[cfg(feature = "testing")]
pub mod testing;
mod truth;

pub use auth_macros::{public, requires};

pub use crate::caller::{Caller, Rejection};
pub use crate::challenge::{Challenge, ChallengeBuilder, ChallengeError};
pub use crate::decision::{Decision, Denial};
pub use crate::denial_body::{DenialBody, DeniedRequest};
#[cfg(feature = "axum")]
pub use crate::guard::{Denied, Guard};
pub use crate::identity::Identity;
pub use crate::policy::Policy;
pub use crate::requirement::{Atom, Requirement};
#[cfg(feature = "axum")]
pub use crate::routing::GuardedRouter;
pub use crate::scheme::{Credentials, Occasion, Problem, Scheme, Source, Verification};
pub use crate::schemes::Bearer;
#[cfg(feature = "api-key")]
pub use crate::schemes::{ApiKeys, ApiKeysBuilder, ApiKeysError};
#[cfg(feature = "basic")]
pub use crate::schemes::{Basic, Password};
#[cfg(feature = "jwt")]
pub use crate::schemes::{Claims, Jwt, JwtBuilder, JwtError, JwtKey};
#[cfg(feature = "argon2")]
pub use crate::schemes::{PasswordHashes, PasswordHashesBuilder, PasswordHashesError};
pub use crate::space::{ProtectionSpace, ProtectionSpaceBuilder, SpaceError, UnknownPaths};
pub use crate::truth::Truth;

/// What the attributes expand to. Not meant to be named: a policy written by hand is one that the
/// audit does not find.
#[cfg(feature = "axum")]
#[doc(hidden)]
pub mod __private {
    pub use crate::guard::{Anyone, Declared, HasPolicy};
}
