//! Requests to other servers: the issuers of tokens, and policy decision points.
//!
//! The schemes and the engines of `auth-runtime` use this package. Services use `auth-runtime`.
//!
//! # Features
//!
//! `http`: an `HttpClient`. Default: none.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bounded_text;
mod caller_hash;
mod causes;
mod circuit_breaker;
#[cfg(feature = "http")]
mod http_client;
mod server_calls;

pub use crate::bounded_text::bounded_text;
pub use crate::causes::with_causes;
#[cfg(feature = "http")]
pub use crate::http_client::{HttpClient, HttpClientBuilder, HttpClientError, HttpError};
pub use crate::server_calls::{CallError, ServerCalls};
