//! A table of every route's response to every kind of caller, compared with the policies.

mod both_values;
mod builder;
mod changes;
mod comparison;
mod deadline;
mod decisions;
mod error;
mod expectation;
mod matrix;
mod persona;
mod response;
mod row_object;
mod row_request;
#[cfg(feature = "serde")]
mod serialize;
mod snapshot;
mod target;
mod text;

pub use self::builder::AccessMatrixBuilder;
pub use self::error::AccessMatrixError;
pub use self::matrix::{AccessMatrix, AccessMatrixRow};
pub use self::persona::Persona;
pub use self::response::AccessResponse;

/// Fails a test if a response differs from the policies, or from the crate's `access-matrix.md`.
///
/// ```no_run
/// use std::error::Error;
///
/// use auth_runtime::{Caller, GuardedRouter, ProtectionSpace};
/// use auth_runtime::schemes::Bearer;
/// use auth_runtime_audit::{AccessMatrix, Persona, assert_access_matrix};
///
/// fn routes() -> GuardedRouter {
///     GuardedRouter::new() // .route(…)
/// }
///
/// // #[tokio::test]
/// async fn responses_match_the_policies() -> Result<(), Box<dyn Error>> {
///     let bearer = Bearer::new(async |_| Caller::rejected());
///     let space = ProtectionSpace::builder().realm("code").scheme(bearer).build()?;
///     let app = routes().protect(space.clone())?;
///     let matrix = AccessMatrix::builder(&routes().access_table(), &space)
///         .persona(Persona::anonymous())
///         .send(&app)
///         .await?;
///     assert_access_matrix!(matrix);
///     Ok(())
/// }
/// ```
///
/// The file is next to the crate's `Cargo.toml` and belongs in version control. It is Markdown, to
/// be read there. `ACCESS_MATRIX=overwrite cargo test` creates it and accepts changes, except where `CI`
/// is set. Without it, a missing file is a failure. The failure lists first the callers that are granted now and were
/// not before.
///
/// A service with several matrices uses a file for each: `assert_access_matrix!(matrix,
/// "internal-access.md")`.
///
/// # Panics
///
/// With a report, if something differs, or if the file is missing or cannot be read.
#[macro_export]
macro_rules! assert_access_matrix {
    ($matrix:expr $(,)?) => {
        $crate::assert_access_matrix!($matrix, "access-matrix.md")
    };
    ($matrix:expr, $file:expr $(,)?) => {{
        let file = ::std::path::Path::new(::core::env!("CARGO_MANIFEST_DIR")).join($file);
        if let ::core::result::Result::Err(report) = $crate::AccessMatrix::check(&$matrix, file) {
            ::core::panic!("{report}");
        }
    }};
}
