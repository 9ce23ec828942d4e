//! The messages of a server, with the fields that the tests need.

use prost::{Message, Oneof};

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
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckItem {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<ObjectReference>,
    #[prost(string, tag = "2")]
    pub(crate) permission: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) subject: Option<SubjectReference>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Token {
    #[prost(string, tag = "1")]
    pub(crate) token: String,
}

/// A request for decisions or for a list.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AnyRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) consistency: Option<Consistency>,
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
    AtLeastAsFresh(Token),
    #[prost(bool, tag = "4")]
    FullyConsistent(bool),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckRequest {
    #[prost(message, repeated, tag = "2")]
    pub(crate) items: Vec<CheckItem>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) checked_at: Option<Token>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) pairs: Vec<Pair>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Pair {
    #[prost(message, optional, tag = "1")]
    pub(crate) request: Option<CheckItem>,
    #[prost(oneof = "Decided", tags = "2, 3")]
    pub(crate) response: Option<Decided>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Decided {
    #[prost(message, tag = "2")]
    Item(Permissionship),
    #[prost(message, tag = "3")]
    Error(Error),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Permissionship {
    #[prost(int32, tag = "1")]
    pub(crate) number: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Error {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Found {
    #[prost(message, optional, tag = "1")]
    pub(crate) looked_up_at: Option<Token>,
    #[prost(string, tag = "2")]
    pub(crate) id: String,
    #[prost(int32, tag = "3")]
    pub(crate) permissionship: i32,
}
