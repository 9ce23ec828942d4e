//! Declarative access control for [axum], checked at compile time.
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
//! - [`requires`] and [`public`] state the access policy of a handler.
//! - [`GuardedRouter`] accepts only handlers with a policy. [`protect`](GuardedRouter::protect) returns
//!   a [`ProtectedRouter`], which serves.
//! - [`ProtectionSpace`] has the realm and the accepted [schemes]: [`Bearer`](schemes::Bearer), DPoP,
//!   Basic, Digest, API keys, sessions, signed links, webhooks, or a scheme of the service.
//! - [`Guard`] gives a handler the [`Identity`] of the caller, and denies access to single objects.
//! - [`testing`] sets the callers of requests, and compares hidden with unknown paths.
//!
//! # Guide
//!
//! | page | content |
//! |---|---|
//! | [first service](guide::first_service) | a complete service |
//! | [policies](guide::policies), [attributes](guide::attributes) | requirements, vocabulary, modules; the reference |
//! | [identities](guide::identities), [issuers](guide::issuers) | authentication schemes; tokens of common issuers |
//! | [tokens](guide::tokens), [browsers](guide::browsers) | several issuers, places of tokens, sources of keys; sessions, login page, CORS |
//! | [responses](guide::responses), [hiding](guide::hiding) | the rules for 400, 401, 403 and 503; the 404 of hidden paths |
//! | [routers](guide::routers) | the counterparts of axum's routers, extension traits, several routers |
//! | [objects](guide::objects) | decisions about single objects |
//! | [testing](guide::testing), [auditing](guide::auditing) | tests of handlers; grep, `cargo auth`, access lock, access matrix |
//! | [migrating](guide::migrating) | from extractors, middleware, other crates and frameworks |
//! | [deployment](guide::deployment), [observability](guide::observability) | proxies, instances, bounds; records, traces, metrics |
//! | [registries](guide::registries) | tokens of container and cargo registries |
//! | [limits](guide::limits), [catalogue] | the known limits; the error codes of the attributes |
//!
//! # Features
//!
#![cfg_attr(
    feature = "document-features",
    doc = document_features::document_features!()
)]
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
        feature = "testing"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod catalogue;
pub mod guide;

/// Compiles the code of the README.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[doc(inline)]
pub use auth_macros::{actions, public, requires, vocabulary};
#[cfg(feature = "axum")]
#[doc(inline)]
pub use auth_runtime_axum::{
    CurrentUser, Denied, Guard, GuardedRouter, ProtectError, ProtectedRouter,
};
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
        ApplicationProblem, Client, Credentials, Scheme, SchemeExt, Source, TrustedProxiesError,
        Verification, WithApplication, WithUser, adapter::UserType,
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
        Access, Atom, DeclaredAction, DeclaredPolicy, Disclosure, IpNet, Network,
        ObjectRequirement, Truth, Vocabulary, VocabularyEntry,
    };
}

/// Decisions: their input, their result, the reasons for it and the response to a denied request.
pub mod decision {
    #[doc(inline)]
    pub use auth_runtime_core::{
        Context, Decision, Denial, DenialBody, DenialDetails, Explanation, Finding,
        RequestSnapshot, Rule,
    };
}

/// Decisions about objects: the decision point, its questions, and rules that are functions of the
/// service.
pub mod objects {
    #[doc(inline)]
    pub use auth_runtime_core::{
        Action, Condition, DecisionCache, DecisionCacheBuilder, DecisionCacheError,
        DecisionDeadline, DecisionPoint, DecisionPointError, EntitiesFuture, Entity, EntityLoader,
        EntityUid, Evaluation, EvaluationFuture, EvaluationRequest, ObjectAnswer, ObjectDecision,
        ObjectFunction, ObjectRequest, ObjectRules, Permitted, PermittedFuture, RequestData,
        Resource, Sql, SqlColumns, TokenScope, UnknownColumn, Value,
    };
    #[doc(inline)]
    pub use auth_runtime_policy::{FillError, ObjectSource, ResourcePattern, ResourcePatternError};
}

/// The clock of schemes and protection spaces, and one that tests move.
pub mod clock {
    #[doc(inline)]
    pub use auth_runtime_core::{Clock, ManualClock};
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
        FromGranted, FromGrantedRequest, FromIdentity, GuardedMethodRouter, GuardedMethods,
        GuardedParameters, GuardedRoutes, HasState, TakesGuard, ViaHead, ViaIdentity,
        ViaOptionalIdentity, ViaParts, ViaRequest, any, any_service, connect, connect_service,
        delete, delete_service, get, get_service, head, head_service, on, on_service, options,
        options_service, patch, patch_service, post, post_service, put, put_service, trace,
        trace_service,
    };
    #[doc(inline)]
    pub use auth_runtime_axum::{
        AuthenticatesCaller, KnowsCaller, MissingUser, PublicPolicy, ServicePolicy,
    };
    #[doc(inline)]
    pub use auth_runtime_core::{AccessRow, AccessTable, EndpointKind, RouteKind};
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
    pub use auth_runtime_core::adapter::{
        CheckFunction, FunctionAnswer, FunctionCall, FunctionResult, ResourceFunction,
    };
    pub use auth_runtime_core::{Action, HandlerLocation, Identity, ServiceFunction};
    pub use auth_runtime_policy::{
        Access, DeclaredAction, DeclaredPolicy, Disclosure, IpNet, Network, Policy, Requirement,
        ResourcePattern, Vocabulary, VocabularyEntry,
    };
    pub use ipnet::{Ipv4Net, Ipv6Net};

    /// The schemes that a policy accepts; `None` for all.
    pub type Schemes = Option<Cow<'static, [Cow<'static, str>]>>;
}
