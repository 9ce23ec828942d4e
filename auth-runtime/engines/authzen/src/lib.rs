//! Decisions about objects by an external policy decision point, over the
//! [AuthZEN Authorization API 1.0](https://openid.net/specs/authorization-api-1_0.html).
//!
//! [`AuthZen`] is a [`DecisionPoint`](auth_runtime_core::DecisionPoint) for each server that implements
//! this API, such as Cerbos, OpenFGA, Topaz and Keycloak:
//!
//! ```
//! use auth_runtime::ProtectionSpace;
//! use auth_runtime_authzen::AuthZen;
//!
//! let engine = AuthZen::builder()
//!     .url("https://pdp.example")
//!     .bearer_token("token-of-this-service")
//!     .build()?;
//! let space = ProtectionSpace::builder().decision_point(engine);
//! # Ok::<(), auth_runtime_authzen::AuthZenError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod builder;
mod discovery;
mod engine;
mod entities;
mod error;
mod list;
mod question;

pub use crate::builder::AuthZenBuilder;
pub use crate::engine::AuthZen;
pub use crate::error::AuthZenError;
