//! The cases with `utoipa` 6.

use ::{utoipa, utoipa_axum};

#[path = "cases.rs"]
mod cases;
