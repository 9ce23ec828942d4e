//! The policy model: requirements, policies and the vocabulary, and the logic over them.
//!
//! Services use these types through `auth-runtime`, which re-exports them.

#![forbid(unsafe_code)]

pub mod compare;
pub mod dnf;
pub mod entailment;
mod network;
mod object_source;
mod policy;
mod requirement;
mod resource_pattern;
pub mod scheme;
pub mod scope;
#[cfg(test)]
mod test_cases;
mod truth;
mod vocabulary;

pub use ipnet::IpNet;

pub use crate::network::Network;
pub use crate::object_source::ObjectSource;
pub use crate::policy::{Access, Disclosure, ObjectRequirement, Policy};
pub use crate::requirement::{Atom, Group, Groups, Requirement};
pub use crate::resource_pattern::{
    FillError, ResourcePattern, ResourcePatternError, is_identifier,
};
pub use crate::truth::Truth;
pub use crate::vocabulary::{DeclaredAction, DeclaredPolicy, Vocabulary, VocabularyEntry};
