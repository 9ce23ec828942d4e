//! The core of `auth-runtime`: identities, authentication, decisions, challenges and events, without a
//! web framework. It also has the interface of decision points, the access table, and the syntax of paths in axum
//! ([`route_pattern`], [`open_pattern`]).
//!
//! Services use these types through `auth-runtime`. Adapters to frameworks use [`adapter`] as well. `cargo auth` uses
//! the syntax of paths.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access_table;
mod caller;
mod challenge;
mod client_address;
mod clock;
mod context;
pub mod cookies;
mod decision;
mod decision_point;
mod events;
mod explanation;
mod handler_location;
mod head;
mod identity;
mod key_bytes;
mod media_type;
pub mod open_pattern;
#[cfg(feature = "resource-metadata")]
mod protected_resource;
mod request_snapshot;
mod return_path;
mod route_kind;
pub mod route_pattern;
mod scheme;
mod scheme_ext;
mod service_function;
mod settings;
mod space;
pub mod url;

pub use crate::access_table::{AccessRow, AccessTable, EndpointKind};
pub use crate::caller::{Caller, Rejection};
pub use crate::challenge::{Challenge, ChallengeBuilder, ChallengeError};
pub use crate::client_address::trusted_proxies::{TrustedProxies, TrustedProxiesError};
pub use crate::client_address::{Client, ClientAddress};
pub use crate::clock::{Clock, ManualClock};
pub use crate::context::Context;
pub use crate::decision::denial_body::DenialBody;
pub use crate::decision::denial_details::DenialDetails;
pub use crate::decision::{Decision, Denial};
pub use crate::decision_point::cache::{DecisionCache, DecisionCacheBuilder, DecisionCacheError};
pub use crate::decision_point::condition::{Condition, Permitted, Sql, SqlColumns, UnknownColumn};
pub use crate::decision_point::deadline::DecisionDeadline;
pub use crate::decision_point::entity::{EntitiesFuture, Entity, EntityLoader};
pub use crate::decision_point::entity_uid::EntityUid;
pub use crate::decision_point::object::{Action, Evaluation, Resource};
pub use crate::decision_point::object_decision::ObjectDecision;
pub use crate::decision_point::properties::Value;
pub use crate::decision_point::request_data::RequestData;
pub use crate::decision_point::rules::{ObjectAnswer, ObjectFunction, ObjectRequest, ObjectRules};
pub use crate::decision_point::{
    DecisionPoint, DecisionPointError, EvaluationFuture, EvaluationRequest, PermittedFuture,
    TokenScope, share_properties,
};
pub use crate::events::{AuditRecord, Outcome};
pub use crate::explanation::{Explanation, Finding, Rule};
pub use crate::handler_location::HandlerLocation;
pub use crate::identity::Identity;
#[cfg(feature = "resource-metadata")]
pub use crate::protected_resource::{ProtectedResource, ProtectedResourceBuilder, ResourceError};
pub use crate::request_snapshot::RequestSnapshot;
pub use crate::return_path::ReturnPath;
pub use crate::route_kind::RouteKind;
pub use crate::scheme::verification::Verification;
pub use crate::scheme::{ChallengeContext, Credentials, ErrorCode, Scheme, Source};
pub use crate::scheme_ext::{SchemeExt, WithApplication, WithUser};
pub use crate::service_function::{CheckRequest, ServiceFunction};
pub use crate::space::{
    ApplicationProblem, ProtectionSpace, ProtectionSpaceBuilder, SpaceError, UnknownPaths,
};
pub use crate::url::UrlProblem;

/// The types that an adapter to a web framework needs, and the expansions of the attributes.
///
/// An adapter builds a [`Head`](adapter::Head) of each request, authenticates it for a
/// [`Target`](adapter::Target) and decides by the policy of a [`Route`](adapter::Route), by the
/// methods of [`Space`](adapter::Space), which is the [`ProtectionSpace`] for adapters.
pub mod adapter {
    pub use crate::access_table::{RouteAccess, text};
    pub use crate::decision_point::EvaluationResult;
    pub use crate::events::Watch;
    pub use crate::head::{Framework, Head};
    #[cfg(feature = "resource-metadata")]
    pub use crate::protected_resource::metadata_response;
    pub use crate::request_snapshot::RequestView;
    pub use crate::scheme::user_type::UserType;
    pub use crate::service_function::{
        CheckFunction, FunctionAnswer, FunctionCall, FunctionResult, Parameters, ResourceFunction,
        State, StateType, Surroundings,
    };
    #[cfg(feature = "resource-metadata")]
    pub use crate::space::metadata_document;
    pub use crate::space::{
        Authentication, AuthenticationFuture, Authorization, CredentialFields, CredentialsPlace,
        ObjectReport, RecordedRequest, RequestBody, Route, RouteConstants, SchemeDescription,
        Selection, SharedDecision, Space, Target, UNKNOWN_PATH, UsedScheme, forbid_storing,
        is_targeted_cache_field, remove_fields,
    };
}
