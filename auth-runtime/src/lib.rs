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
//! - [`ProtectionSpace`] names the realm and the [schemes](schemes::Scheme) that callers can prove
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
//!   the code around that differs: measured in process, responses differed by 10 to 180 ns.
//! - A `check` of a hidden handler takes its time on that path only. Keep it quick, or put a requirement
//!   before it that strangers do not meet.
//! - The parameters of the path, which axum keeps to itself, stay visible to a fallback that extracts
//!   `Option<Path<…>>`.
//! - A fallback that reads the body finds it empty when [`Guard::permit`] denies, since the handler has
//!   consumed it.
//! - The extractors of a handler run before [`Guard::permit`]. If they read the body, the connection
//!   shows it: a `100 Continue`, a wait for the rest of the body, an error of the extractor. A handler
//!   that takes the whole `Request`, and reads the body after `permit`, does not.
//! - axum applies a layer of a router to each of its routes. A layer that makes its state then
//!   (`ConcurrencyLimitLayer`, `RateLimitLayer` behind a buffer), or that responds by `MatchedPath`,
//!   shows hidden paths. `GlobalConcurrencyLimitLayer`, and a layer around the whole service, do not.
//! - A hidden path that the pattern of another route matches as well, such as `/users/admin` beside
//!   `/users/{id}`, is shown unless that route is hidden, too: without the hidden path, the other route
//!   would respond. The access table has a note about each such path.
//! - On a path with a method that others may use, the 404 of all other methods shows that one of them is
//!   hidden. A method that must not be noticed needs a path of its own.
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
//! - **By hand**: [`Explanation::of`](decision::Explanation::of) tells of every part of a policy whether it holds.
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
//! The package `auth-runtime-audit` has the tools for it, most of them for tests. Each is a feature.
//!
//! `assert_access_lock!` (the feature `access-lock`) makes a test of it: `access.lock`, in the
//! repository, says who may call what, and the test fails when the router says something else. So nobody
//! is let in without a line in the diff.
//!
//! `AccessMatrix` (the feature `access-matrix`) asks each route as each of the personas that a test
//! names, by real requests, and shows who is answered what. What the policies do not say is found: a layer
//! that answers in place of a handler, a verifier that grants too much, a hidden path that can be told
//! apart. `assert_access_matrix!` keeps it, in `access-matrix.md`.
//!
//! `AccessReport` (the feature `access-report`) makes a page for a browser of both, one file that is
//! searched and filtered.
//!
//! `public_openapi` (the feature `openapi`) writes it into an OpenAPI document of `utoipa`:
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
//! | passwords verified at a time, and logins that wait for it ([`PasswordHashes`](schemes::PasswordHashes#limits)) | one, and 128, for each processor | served in turn by client address; the address with most logins makes room | each waits for one of its logins at a time; logins remembered for 5 minutes do not wait |
//! | memory to verify passwords in | one buffer for each processor | – | none |
//! | tokens that are introspected at a time, and requests that wait for it ([`Introspection`](schemes::Introspection#limits)) | 256, and 1024 | 64 of one client address, and of all clients whose proxy names none; others are served in turn by address; the address with most requests makes room | none; 4 addresses could take all, and others then wait in turn |
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
//! | `testing` | [`testing`]; refuses to build without debug assertions |
//!
//! [axum]: https://docs.rs/axum
//! [`AccessTable`]: routing::AccessTable
//! [`ApiKeys`]: schemes::ApiKeys
//! [`AuditRecord`]: events::AuditRecord
//! [`Basic`]: schemes::Basic
//! [`Basic::new`]: schemes::Basic::new
//! [`Bearer`]: schemes::Bearer
//! [`ClientCertificate`]: schemes::ClientCertificate
//! [`Digest`]: schemes::Digest
//! [`DigestBuilder::look_up`]: schemes::DigestBuilder::look_up
//! [`Dpop`]: schemes::Dpop
//! [`Introspection`]: schemes::Introspection
//! [`Jwt`]: schemes::Jwt
//! [`JwtBuilder::discover`]: schemes::JwtBuilder::discover
//! [`Outcome::name`]: events::Outcome::name
//! [`PasswordHashes`]: schemes::PasswordHashes
//! [`ProtectedResource`]: resource::ProtectedResource
//! [`Redis`]: schemes::Redis
//! [`Sessions`]: schemes::Sessions
//! [`SessionsBuilder::login_page`]: schemes::SessionsBuilder::login_page
//! [`SignedUrls`]: schemes::SignedUrls
//! [`TokenCache`]: schemes::TokenCache
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
        feature = "testing"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod catalogue;
pub mod guide;

pub use auth_macros::{public, requires, vocabulary};
#[cfg(feature = "axum")]
#[doc(inline)]
pub use auth_runtime_axum::{Denied, Guard, GuardedRouter, ProtectError, ProtectedRouter};
#[doc(inline)]
pub use auth_runtime_core::{
    Caller, CheckRequest, ClientAddress, HandlerLocation, Identity, ProtectionSpace,
    ProtectionSpaceBuilder, Rejection, ReturnPath, SpaceError, UnknownPaths,
};
#[doc(inline)]
pub use auth_runtime_policy::{Policy, Requirement};

/// Authentication schemes, and the trait that further ones implement.
pub mod schemes {
    #[doc(inline)]
    pub use auth_runtime_core::{
        Client, Credentials, Scheme, Source, TrustedProxiesError, Verification,
    };
    #[doc(inline)]
    pub use auth_runtime_schemes::*;
}

/// Challenges: the content of `WWW-Authenticate` (RFC 9110 §11.3).
pub mod challenge {
    #[doc(inline)]
    pub use auth_runtime_core::{
        Challenge, ChallengeBuilder, ChallengeContext, ChallengeError, ErrorCode,
    };
}

/// The parts of a policy, and the vocabulary that it is written in.
pub mod policy {
    #[doc(inline)]
    pub use auth_runtime_policy::{
        Atom, DeclaredPolicy, IpNet, Network, Truth, Vocabulary, VocabularyEntry,
    };
}

/// Decisions: their input, their result, the reasons for it and the response to a denied request.
pub mod decision {
    #[doc(inline)]
    pub use auth_runtime_core::{
        Check, Context, Decision, Denial, DenialBody, Explanation, Finding, RequestSnapshot, Rule,
    };
}

/// Records of decisions, for audit logs.
pub mod events {
    #[doc(inline)]
    pub use auth_runtime_core::{AuditRecord, Outcome};
}

/// The metadata of a protected resource (RFC 9728).
pub mod resource {
    #[doc(inline)]
    pub use auth_runtime_core::UrlProblem;
    #[cfg(feature = "resource-metadata")]
    #[doc(inline)]
    pub use auth_runtime_core::{ProtectedResource, ProtectedResourceBuilder, ResourceError};
}

#[cfg(feature = "axum")]
pub mod routing {
    //! Routing that accepts only handlers with a policy, and the table of its routes.
    //!
    //! [`GuardedRouter`](crate::GuardedRouter) corresponds to axum's `Router`, and the functions of
    //! this module correspond to those of [`axum::routing`](https://docs.rs/axum/latest/axum/routing).
    //! The difference: they accept only handlers with a policy.
    //!
    //! ```
    //! use auth_runtime::routing::get;
    //! use auth_runtime::{GuardedRouter, requires};
    //!
    //! #[requires(scope = "repo:read", hide_as = 404)]
    //! async fn read() {}
    //!
    //! #[requires(scope = "repo:write", hide_as = 404, hide_unless = scope("repo:read"))]
    //! async fn write() {}
    //!
    //! let router: GuardedRouter = GuardedRouter::new().route("/repo", get(read).put(write));
    //! ```

    #[doc(inline)]
    pub use auth_runtime_axum::routing::{
        FromGranted, FromGrantedRequest, FromIdentity, GuardedMethodRouter, GuardedParameters,
        TakesGuard, ViaIdentity, ViaParts, ViaRequest, any, any_service, connect, connect_service,
        delete, delete_service, get, get_service, head, head_service, on, on_service, options,
        options_service, patch, patch_service, post, post_service, put, put_service, trace,
        trace_service,
    };
    #[doc(inline)]
    pub use auth_runtime_core::{AccessRow, AccessTable, RouteKind, Served};
}

#[cfg(feature = "testing")]
#[doc(inline)]
pub use auth_runtime_axum::testing;

/// The names in expansions of the attributes. Not meant to be named: a policy written by hand is one
/// that the audit does not find. The number changes with the expansion.
#[doc(hidden)]
pub mod __private1 {
    pub use std::any::TypeId;
    pub use std::borrow::Cow;
    pub use std::net::{Ipv4Addr, Ipv6Addr};
    pub use std::time::Duration;

    #[cfg(feature = "axum")]
    pub use auth_runtime_axum::{
        Declared, Guard, HasPolicy, OfHandler, OfService, PublicCaller, PublicPolicy,
        ServicePolicy, type_id_of, uses_guard,
    };
    pub use auth_runtime_core::adapter::{CheckAnswer, CheckCall, CheckCalled, CheckFunction};
    pub use auth_runtime_core::{Check, HandlerLocation, Identity};
    pub use auth_runtime_policy::{
        Access, DeclaredPolicy, Disclosure, IpNet, Network, Policy, Requirement, Vocabulary,
        VocabularyEntry,
    };
    pub use ipnet::{Ipv4Net, Ipv6Net};

    /// The schemes that a policy accepts; `None` for all.
    pub type Schemes = Option<Cow<'static, [Cow<'static, str>]>>;
}
