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
//!   themselves with: [`Bearer`] (with [`Jwt`] or a verifier of your own), [`Basic`], [`Digest`],
//!   [`ApiKeys`], or one that you add.
//!   themselves with: [`Bearer`] (with [`Jwt`] or a verifier of your own), [`Basic`],
//!   [`ApiKeys`], [`Sessions`], or one that you add.
//!   [`ApiKeys`], [`SignedUrls`], or one that you add.
//! - [`Guard`] tells a handler who is calling, and denies access to single objects.
//! - [`testing`] lets requests in without credentials, and proves that hidden is hidden.
//!
//! # What is answered
//!
//! The caller is anonymous, rejected (credentials were sent, and are no good), known, or
//! unverifiable (what would verify the credentials is down). Requirements are evaluated in
//! three-valued logic: everything about an unknown caller is unknown.
//!
//! | rule | caller | requirement | answer |
//! |---|---|---|---|
//! | 1 | whoever | true, or the handler is public | the handler's |
//! | 2 | anonymous | unknown | 401 with the challenges of all schemes, and no error (RFC 6750 §3.1) |
//! | 2 | rejected | unknown | 401; the scheme that was used says `invalid_token` or the like |
//! | 2 | either, who goes to a page by a browser | unknown | 303 to the page to log in on, where there is one: [`SessionsBuilder::login_page`] |
//! | 4 | unverifiable | unknown | 503 with `Retry-After`: a client that is told 401 throws its token away |
//! | 2, 4 | not known | false (the wrong network) | 403: no credentials would help |
//! | 3a | known | true after logging in again, or more strongly | 401, `insufficient_user_authentication` with `acr_values` and `max_age` (RFC 9470 §3) |
//! | 3b | known | true with credentials that are bound to a key | 401, with the challenges of the schemes that bind them |
//! | 3c | known, by an OAuth scheme | true with more scopes | 403, `insufficient_scope`, with the smallest set of scopes that would do |
//! | 3d | known | not true otherwise | 403; for OAuth callers with the realm alone, for others without a challenge |
//! | 4 | known | unknown, since a check failed | 503 |
//! | 5 | credentials in two places, or made for another request | any | 400, for OAuth with `invalid_request` |
//!
//! Only credentials of schemes that the policy accepts count; on a path that is not there, those of all
//! schemes of the space. A cookie beside other credentials that count is ignored, since the browser adds
//! it to every request of a script. Of several cookies, those of no live session are ignored; two live ones
//! are ambiguous, which is 400. A denial for dead or ambiguous cookies removes them where it can.
//!
//! Every denial is `Cache-Control: no-store`, and its body is a problem detail (RFC 9457), HTML or
//! plain text, as `Accept` asks.
//!
//! # Hiding
//!
//! With `hide_as = 404` every denial is the answer of a path that was never there: not one like
//! it, but the very answer, given by the same code. So it has the same bytes on every method, with
//! every layer and fallback, nested or not. Bad credentials get a 401 on hidden and on unknown
//! paths alike, since their owner has to learn that they expired. A public fallback below a router
//! that hides nothing, with [`UnknownPaths::NotFound`], looks at no credentials. `hide_unless` names a lesser
//! requirement, like the right to read, whose holders may know that there is something. What an
//! unknown path tells anonymous callers is for the space to say: [`UnknownPaths`].
//!
//! Limits:
//!
//! - Response times are not equal. The same credentials are verified on hidden and on unknown paths, but
//!   the code around that differs: measured in process, responses differed by 130 to 650 ns.
//! - A `check` of a hidden handler takes its time on that path only. Keep it quick, or put a requirement
//!   before it that strangers do not meet.
//! - The parameters of the path, which axum keeps to itself, stay visible to a fallback that extracts
//!   `Option<Path<…>>`.
//! - A fallback that reads the body finds it empty when [`Guard::permit`] denies, since the handler has
//!   consumed it.
//! - A plain axum `Router` responds 405 to other methods of a hidden path.
//!
//! # Browsers
//!
//! A script of another origin sees a denial, and can read its challenges, only if the service says
//! so (CORS). `tower-http`'s layer does; it goes around the protected router, so that it answers
//! preflights, which never carry credentials, before anything is decided, and on hidden and unknown
//! paths alike:
//!
//! ```
//! use auth_runtime::{GuardedRouter, ProtectError, ProtectionSpace};
//! use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
//! use axum::http::{HeaderValue, Method};
//! use tower_http::cors::CorsLayer;
//!
//! fn app(routes: GuardedRouter, space: ProtectionSpace) -> Result<auth_runtime::ProtectedRouter, ProtectError> {
//!     let cors = CorsLayer::new()
//!         .allow_origin(HeaderValue::from_static("https://app.example"))
//!         .allow_methods([Method::GET, Method::POST])
//!         .allow_headers([AUTHORIZATION])
//!         // By name: with credentials, the star is none (Fetch, CORS protocol).
//!         .expose_headers([WWW_AUTHENTICATE]);
//!     Ok(routes.protect(space)?.layer(cors))
//! }
//! ```
//!
//! Whoever uses a page logs in with [`Sessions`]: there is told what cookies need besides, and when
//! somebody is sent to the page to log in on in place of a 401.
//!
//! A challenge that would open the browser's password prompt, as Basic's does, is left out of
//! answers to scripts: [`prompt_scripts`](ProtectionSpaceBuilder::prompt_scripts).
//!
//! # Errors while compiling
//!
//! Every message of the attributes ends in a code, such as `[AUTH0001]`: the [`catalogue`] says why
//! that is refused, and what to write instead.
//!
//! # See what it decides
//!
//! Every decision can be told, with the rule of the table above that made it, and with what the caller
//! was really told: a hidden denial shows in the log as what it is, while the caller sees the unknown
//! path. None of it reaches the caller. Every decision is told once: grants and denials, on every path
//! below a [`GuardedRouter`], by guards on plain routers, by [`ProtectionSpace::authorize`], and of
//! objects where [`Guard::permit`] denies one (as rule `object`, after the grant). On unknown paths only
//! bad credentials are told. Where nobody listens, nothing is computed, and no clock is read.
//!
//! - **A hook**: [`ProtectionSpaceBuilder::audit`] is given an [`AuditRecord`] of every decision, for an
//!   audit log.
//! - **`tracing`** (the feature): a span `decide` at `DEBUG`, around the verification of credentials and
//!   the checks, and an event in it: `granted` at `DEBUG`, `denied` and `hidden` at `INFO`. All are of
//!   the target `auth_runtime::decision`. The fields of the event, as far as they are known: `handler`,
//!   `method`, `path` (the route, not the target), `policy`, `outcome` ([`Outcome::name`]), `rule`,
//!   `status` (of the denial, also where it was kept back), `reason` (what held and what did not),
//!   `scheme`, `caller`, `rejection`, `seconds`; and `subject`, if
//!   [`trace_subjects`](ProtectionSpaceBuilder::trace_subjects) asks for it.
//! - **[`count_decisions`](ProtectionSpaceBuilder::count_decisions)** (the feature `metrics`): the counter `auth_decisions_total` by `handler`, `outcome` and `rule`,
//!   and the histogram `auth_decision_duration_seconds` by `handler`, for whatever recorder is
//!   installed. Install it before spaces are built, and it is told what they are. Nothing that a caller
//!   sends becomes a label.
//! - **By hand**: [`Policy::explain`] tells of every part of a policy whether it holds.
//!
//! Misconfiguration, like a handler without a space, is no decision: it is an `ERROR` in the log, with or
//! without the feature.
//!
//! # Who may call what
//!
//! [`GuardedRouter::access_table`] lists every route as it is mounted, with its policy, its handler and
//! where that stands in the source, whether it is hidden, and what is public or unguarded for which
//! reason: an [`AccessTable`]. It needs neither a space nor a running server.
//!
//! [`assert_access_lock!`] (the feature `access-lock`) makes a test of it: `access.lock`, in the
//! repository, says who may call what, and the test fails when the router says something else. So nobody
//! is let in without a line in the diff.
//!
//! [`AccessMatrix`] (the feature `access-matrix`) asks each route as each of the personas that a test
//! names, by real requests, and shows who is answered what. What the policies do not say is found: a layer
//! that answers in place of a handler, a verifier that grants too much, a hidden path that can be told
//! apart. [`assert_access_matrix!`] keeps it, in `access-matrix.md`.
//!
//! [`AccessReport`] (the feature `access-report`) makes a page for a browser of both, one file that is
//! searched and filtered.
//!
//! [`AccessTable::public_openapi`] (the feature `openapi`) writes it into an OpenAPI document of `utoipa`:
//! the `security` of each operation and its denials, without what is hidden. What the document says
//! otherwise is an error.
//!
//! # Limits
//!
//! Every resource that callers use up has a bound, and each caller a share of it, so that one caller
//! does not shut out others. A request beyond a share is answered 503.
//!
//! | bounded | bound | share of one caller | effect of one hostile caller on others |
//! |---|---|---|---|
//! | passwords verified at a time, and logins that wait for it ([`PasswordHashes`](PasswordHashes#limits)) | one, and 128, for each processor | served in turn by client address; the address with most logins makes room | each waits for one of its logins at a time; logins remembered for 5 minutes do not wait |
//! | memory to verify passwords in | one buffer for each processor | – | none |
//! | nonces of [`Digest`] in use | 200 000 for each of their lifetimes | of a user: a quarter of those free of the first half, and in any case 196 | none; 512 users could take all |
//! | proofs of [`Dpop`] in use, in this process | 200 000 for each of their lifetimes | of a subject, with all its keys: the same | none; 512 subjects could take all |
//! | proofs of [`Dpop`] in use, in a [`Redis`] | the memory of Redis | 20 000 a minute of a subject, about 10 MB | none, if Redis has more than that |
//! | the field of a proxy that [`ClientAddress`] reads | 8 KiB | – | none |
//! | credentials | 16 KiB | – | none |
//!
//! Wrong credentials leave nothing behind. A verifier or a look-up of the service's own
//! ([`Basic::new`], [`DigestBuilder::look_up`]) is called as often as requests come.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `axum` (default) | [`Guard`], [`GuardedRouter`]: everything that speaks axum |
//! | `jwt` | [`Jwt`]: JSON Web Tokens, verified with aws-lc (needs a C compiler) |
//! | `jwks` | [`JwtBuilder::discover`]: the issuer's keys, fetched and kept up to date |
//! | `dpop` | [`Dpop`]: tokens that are bound to a key (RFC 9449) |
//! | `mtls` | [`ClientCertificate`]: tokens that are bound to a client certificate (RFC 8705) |
//! | `introspection` | [`Introspection`]: opaque tokens that the authorization server is asked about |
//! | `redis` | [`Redis`]: what several instances of a service have to know together: used proofs, and with `introspection` verified tokens |
//! | `token-cache` | [`TokenCache`]: verified tokens are remembered; part of `jwks` and `introspection` |
//! | `basic` | [`Basic`] with a verifier of your own |
//! | `argon2` | [`PasswordHashes`]: Basic against Argon2 hashes |
//! | `digest` | [`Digest`]: passwords that are never sent (RFC 7616), for clients that still need it |
//! | `api-key` | [`ApiKeys`] |
//! | `sessions` | [`Sessions`]: a cookie that names a session of `tower-sessions`; works beside `axum-login` |
//! | `signed-urls` | [`SignedUrls`]: signed links that expire |
//! | `resource-metadata` | [`ProtectedResource`]: the document that OAuth and MCP clients start from (RFC 9728) |
//! | `tracing` | a span and an event for each decision |
//! | `metrics` | a counter and a histogram of decisions |
//! | `serde` | an [`AccessTable`] can be serialized |
//! | `access-lock` | [`assert_access_lock!`], for tests: a change of who may call what shows in the diff |
//! | `access-matrix` | [`AccessMatrix`] and [`assert_access_matrix!`], for tests: who is answered what, by real requests |
//! | `access-report` | [`AccessReport`]: the table, and the matrix if there is one, as a page for a browser |
//! | `openapi` | [`AccessTable::public_openapi`]: who may call what, written into an OpenAPI document of `utoipa` |
//! | `testing` | [`testing`]; refuses to build without debug assertions |
//!
//! [axum]: https://docs.rs/axum
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "jwks",
        feature = "introspection",
        feature = "dpop",
        feature = "mtls",
        feature = "redis",
        feature = "argon2",
        feature = "digest",
        feature = "api-key",
        feature = "signed-urls",
        feature = "resource-metadata",
        feature = "sessions",
        feature = "tracing",
        feature = "serde",
        feature = "access-lock",
        feature = "access-matrix",
        feature = "access-report",
        feature = "openapi",
        feature = "testing"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "access-lock")]
mod access_lock;
#[cfg(feature = "access-matrix")]
mod access_matrix;
#[cfg(feature = "access-report")]
mod access_report;
#[cfg(feature = "axum")]
mod access_table;
mod audit;
mod caller;
pub mod catalogue;
mod challenge;
mod check;
mod client_address;
mod context;
mod cookies;
mod decision;
mod denial_body;
mod dnf;
mod explanation;
#[cfg(feature = "axum")]
mod guard;
pub mod guide;
mod handler_location;
mod head;
mod identity;
#[cfg(any(feature = "access-matrix", feature = "testing"))]
mod indistinguishable;
mod network;
#[cfg(feature = "openapi")]
mod openapi;
mod policy;
#[cfg(feature = "axum")]
mod probe;
mod requirement;
#[cfg(feature = "resource-metadata")]
mod resource;
mod return_path;
#[doc(hidden)]
pub mod route_pattern;
#[cfg(feature = "axum")]
pub mod routing;
mod scheme;
mod schemes;
#[cfg(any(feature = "access-lock", feature = "access-matrix"))]
mod snapshot_update;
mod space;
#[cfg(feature = "testing")]
pub mod testing;
mod trusted_proxies;
mod truth;
#[cfg(any(
    feature = "resource-metadata",
    feature = "jwks",
    feature = "introspection"
))]
mod url;
mod vocabulary;

pub use auth_macros::{public, requires, vocabulary};
pub use ipnet::IpNet;

#[cfg(feature = "access-lock")]
pub use crate::access_lock::{AccessChanges, AccessLock, AccessLockError};
#[cfg(feature = "access-matrix")]
pub use crate::access_matrix::{
    AccessAnswer, AccessMatrix, AccessMatrixBuilder, AccessMatrixError, AccessMatrixRow, Persona,
};
#[cfg(feature = "access-report")]
pub use crate::access_report::AccessReport;
#[cfg(feature = "axum")]
pub use crate::access_table::{AccessRow, AccessTable, RouteKind, Served};
pub use crate::audit::{AuditRecord, Outcome};
pub use crate::caller::{Caller, Rejection};
pub use crate::challenge::{Challenge, ChallengeBuilder, ChallengeError};
pub use crate::check::{Check, CheckRequest};
pub use crate::client_address::ClientAddress;
pub use crate::context::Context;
pub use crate::decision::{Decision, Denial};
pub use crate::denial_body::{DenialBody, RequestSnapshot};
pub use crate::explanation::{Explanation, Finding, Rule};
#[cfg(feature = "axum")]
pub use crate::guard::{Denied, Guard};
pub use crate::handler_location::HandlerLocation;
pub use crate::identity::Identity;
pub use crate::network::Network;
#[cfg(feature = "openapi")]
pub use crate::openapi::OpenApiError;
pub use crate::policy::Policy;
pub use crate::requirement::{Atom, Requirement};
#[cfg(feature = "resource-metadata")]
pub use crate::resource::{ProtectedResource, ProtectedResourceBuilder, ResourceError};
pub use crate::return_path::ReturnPath;
#[cfg(feature = "axum")]
pub use crate::routing::{GuardedRouter, ProtectError, ProtectedRouter};
pub use crate::scheme::{ChallengeContext, Credentials, ErrorCode, Scheme, Source, Verification};
pub use crate::schemes::Bearer;
#[cfg(all(feature = "introspection", feature = "redis"))]
pub use crate::schemes::SharedTokenCache;
#[cfg(feature = "token-cache")]
pub use crate::schemes::TokenCache;
#[cfg(feature = "api-key")]
pub use crate::schemes::{ApiKeys, ApiKeysBuilder, ApiKeysError};
#[cfg(feature = "basic")]
pub use crate::schemes::{Basic, Password};
#[cfg(feature = "jwt")]
pub use crate::schemes::{Claims, Jwt, JwtBuilder, JwtError, JwtKey};
#[cfg(feature = "mtls")]
pub use crate::schemes::{ClientCertificate, PeerCertificate};
#[cfg(feature = "digest")]
pub use crate::schemes::{
    Digest, DigestAlgorithm, DigestBuilder, DigestError, DigestLookUpError, DigestSecret,
    DigestSecretError,
};
#[cfg(feature = "dpop")]
pub use crate::schemes::{Dpop, DpopBuilder, DpopError, ReplayStore, ReplayStoreError, UsedProof};
#[cfg(feature = "introspection")]
pub use crate::schemes::{Introspection, IntrospectionBuilder, IntrospectionError};
#[cfg(feature = "signed-urls")]
pub use crate::schemes::{LinkError, SignedUrls, SignedUrlsBuilder, SignedUrlsError};
#[cfg(feature = "argon2")]
pub use crate::schemes::{PasswordHashes, PasswordHashesBuilder, PasswordHashesError};
#[cfg(feature = "redis")]
pub use crate::schemes::{Redis, RedisBuilder, RedisError};
#[cfg(feature = "sessions")]
pub use crate::schemes::{
    SessionCookieLayer, SessionCookies, Sessions, SessionsBuilder, SessionsError,
};
pub use crate::space::{ProtectionSpace, ProtectionSpaceBuilder, SpaceError, UnknownPaths};
pub use crate::trusted_proxies::TrustedProxiesError;
pub use crate::truth::Truth;
#[cfg(any(
    feature = "resource-metadata",
    feature = "jwks",
    feature = "introspection"
))]
pub use crate::url::UrlProblem;
pub use crate::vocabulary::{DeclaredPolicy, Vocabulary, VocabularyEntry};

/// Everything that expansions of the attributes name. The number changes with the form of the
/// expansions. Services never name this module: an audit does not find policies that no attribute
/// creates.
#[doc(hidden)]
pub mod __private1 {
    pub use std::any::TypeId;
    pub use std::net::{Ipv4Addr, Ipv6Addr};
    pub use std::time::Duration;

    pub use ipnet::{IpNet, Ipv4Net, Ipv6Net};

    pub use crate::check::{Check, CheckAnswer, CheckCall, CheckCalled, CheckFunction};
    #[cfg(feature = "axum")]
    pub use crate::guard::{
        Declared, Guard, HasPolicy, OfHandler, OfService, PublicCaller, PublicPolicy,
        ServicePolicy, type_id_of,
    };
    pub use crate::handler_location::HandlerLocation;
    pub use crate::identity::Identity;
    pub use crate::network::Network;
    pub use crate::policy::Policy;
    pub use crate::requirement::Requirement;
    pub use crate::vocabulary::{DeclaredPolicy, Vocabulary, VocabularyEntry};
}
