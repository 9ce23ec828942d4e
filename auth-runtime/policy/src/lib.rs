//! The policy model: requirements, policies and the vocabulary, and the logic over them.
//!
//! Services use these types through `auth-runtime`, which re-exports them.

#![forbid(unsafe_code)]

pub mod dnf;
mod network;
mod policy;
mod requirement;
pub mod scheme;
mod truth;
mod vocabulary;

pub use ipnet::IpNet;

pub use crate::network::Network;
pub use crate::policy::Policy;
pub use crate::requirement::{Atom, Group, Groups, Requirement};
pub use crate::truth::Truth;
pub use crate::vocabulary::{DeclaredPolicy, Vocabulary, VocabularyEntry};
