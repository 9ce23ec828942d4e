//! A decision point that decides about objects by [Cedar] policies, within the process.
//!
//! ```
//! use auth_runtime::ProtectionSpaceBuilder;
//! use auth_runtime_cedar::{Cedar, CedarError};
//!
//! const POLICIES: &str = r#"
//!     @id("owners")
//!     permit (principal, action, resource) when { resource.owner == principal };
//!
//!     @id("public repositories")
//!     permit (principal, action == Action::"read", resource) when { resource.public };
//! "#;
//!
//! const SCHEMA: &str = r#"
//!     entity User;
//!     entity Repository { owner: User, public: Bool };
//!     action read, update appliesTo { principal: User, resource: Repository };
//! "#;
//!
//! fn with_cedar(space: ProtectionSpaceBuilder) -> Result<ProtectionSpaceBuilder, CedarError> {
//!     let cedar = Cedar::builder().policies(POLICIES).schema(SCHEMA).build()?;
//!     Ok(space.decision_point(cedar))
//! }
//! # with_cedar(auth_runtime::ProtectionSpace::builder()).unwrap();
//! ```
//!
//! [`Cedar`] describes the request that Cedar decides, and the entities that it asks the service for.
//!
//! [Cedar]: https://www.cedarpolicy.com

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod engine;
mod entities;
mod error;
mod gather;
mod permitted;
mod policies;
mod schema;
mod uid;
mod values;

pub use crate::builder::CedarBuilder;
pub use crate::engine::Cedar;
pub use crate::error::CedarError;
