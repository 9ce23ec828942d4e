//! The messages of `authzed.api.v1` that are needed, with the fields that are needed.

use bytes::Bytes;
use prost::{Message, Name, Oneof};
use prost_types::Any;

/// The value of `Permissionship` for an action that is not permitted.
pub(crate) const NO_PERMISSION: i32 = 1;
pub(crate) const HAS_PERMISSION: i32 = 2;
/// The decision depends on caveat context that is missing.
pub(crate) const CONDITIONAL_PERMISSION: i32 = 3;

/// `LookupPermissionship` has other numbers than `Permissionship`.
pub(crate) const LOOKUP_HAS_PERMISSION: i32 = 1;
pub(crate) const LOOKUP_CONDITIONAL_PERMISSION: i32 = 2;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ObjectReference {
    #[prost(string, tag = "1")]
    pub(crate) object_type: String,
    #[prost(string, tag = "2")]
    pub(crate) object_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SubjectReference {
    #[prost(message, optional, tag = "1")]
    pub(crate) object: Option<ObjectReference>,
    /// The relation of a set of subjects. Empty for a single subject.
    #[prost(string, tag = "2")]
    pub(crate) optional_relation: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ZedToken {
    #[prost(string, tag = "1")]
    pub(crate) token: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Consistency {
    #[prost(oneof = "Requirement", tags = "1, 2, 4")]
    pub(crate) requirement: Option<Requirement>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Requirement {
    #[prost(bool, tag = "1")]
    MinimizeLatency(bool),
    #[prost(message, tag = "2")]
    AtLeastAsFresh(ZedToken),
    #[prost(bool, tag = "4")]
    FullyConsistent(bool),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckBulkPermissionsRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) consistency: Option<Consistency>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) items: Vec<CheckItem>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckItem {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<ObjectReference>,
    #[prost(string, tag = "2")]
    pub(crate) permission: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) subject: Option<SubjectReference>,
    /// An encoded `google.protobuf.Struct`, which has the same form as bytes. All items of a request share
    /// it.
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) context: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckBulkPermissionsResponse {
    /// The token of the data that were used.
    #[prost(message, optional, tag = "1")]
    pub(crate) checked_at: Option<ZedToken>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) pairs: Vec<CheckPair>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckPair {
    #[prost(message, optional, tag = "1")]
    pub(crate) request: Option<CheckItem>,
    #[prost(oneof = "CheckResponse", tags = "2, 3")]
    pub(crate) response: Option<CheckResponse>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum CheckResponse {
    #[prost(message, tag = "2")]
    Item(CheckResponseItem),
    #[prost(message, tag = "3")]
    Error(RpcStatus),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckResponseItem {
    #[prost(int32, tag = "1")]
    pub(crate) permissionship: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) partial_caveat_info: Option<PartialCaveatInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PartialCaveatInfo {
    #[prost(string, repeated, tag = "1")]
    pub(crate) missing_required_context: Vec<String>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
}

impl Name for ErrorInfo {
    const NAME: &'static str = "ErrorInfo";
    const PACKAGE: &'static str = "google.rpc";
}

impl RpcStatus {
    /// Returns whether the server gives this reason of `authzed.api.v1.ErrorReason`.
    pub(crate) fn has_reason(&self, reason: &str) -> bool {
        let mut details = self.details.iter().map(Any::to_msg::<ErrorInfo>);
        details.any(|info| info.is_ok_and(|info| info.reason == reason))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LookupResourcesRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) consistency: Option<Consistency>,
    #[prost(string, tag = "2")]
    pub(crate) resource_object_type: String,
    #[prost(string, tag = "3")]
    pub(crate) permission: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) subject: Option<SubjectReference>,
    /// An encoded `google.protobuf.Struct`.
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) context: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LookupResourcesResponse {
    /// The token of the data that were used.
    #[prost(message, optional, tag = "1")]
    pub(crate) looked_up_at: Option<ZedToken>,
    #[prost(string, tag = "2")]
    pub(crate) resource_object_id: String,
    #[prost(int32, tag = "3")]
    pub(crate) permissionship: i32,
}
