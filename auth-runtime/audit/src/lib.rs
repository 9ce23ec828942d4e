//! Audits of services that use `auth-runtime`, most of them for tests: the access lock, the access
//! matrix, the access report, and the access policies in an OpenAPI document. Each is behind a
//! feature.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "access-lock")]
mod access_lock;
#[cfg(feature = "access-matrix")]
mod access_matrix;
#[cfg(feature = "access-report")]
mod access_report;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(any(feature = "access-lock", feature = "access-matrix"))]
mod snapshot_file;

#[cfg(feature = "access-lock")]
pub use crate::access_lock::{AccessChanges, AccessLock, AccessLockError};
#[cfg(feature = "access-matrix")]
pub use crate::access_matrix::{
    AccessMatrix, AccessMatrixBuilder, AccessMatrixError, AccessMatrixRow, AccessResponse, Persona,
};
#[cfg(feature = "access-report")]
pub use crate::access_report::AccessReport;
#[cfg(feature = "openapi")]
pub use crate::openapi::{OpenApiError, internal_openapi, public_openapi};

/// The operations of handlers, for `auth-runtime-utoipa`.
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub mod adapter {
    pub use crate::openapi::{HandlerOperations, add_operations};
}
