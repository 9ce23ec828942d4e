//! Decisions about objects by [SpiceDB](https://authzed.com/docs), a database of relationships, over gRPC.
//!
//! [`SpiceDb`] is a [`DecisionPoint`](auth_runtime_core::DecisionPoint) for the policies of one SpiceDB
//! schema:
//!
//! ```
//! use auth_runtime::ProtectionSpace;
//! use auth_runtime_spicedb::SpiceDb;
//!
//! let engine = SpiceDb::builder()
//!     .url("https://spicedb.example:50051")
//!     .preshared_key("key-of-this-service")
//!     .action("update", "write")
//!     .build()?;
//! let space = ProtectionSpace::builder().decision_point(engine);
//! # Ok::<(), auth_runtime_spicedb::SpiceDbError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod builder;
mod client;
mod engine;
mod failure;
mod freshness;
mod messages;
mod names;
mod object_id;
mod question;

pub use crate::builder::{SpiceDbBuilder, SpiceDbError};
pub use crate::engine::SpiceDb;
