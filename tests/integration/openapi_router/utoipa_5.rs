//! The cases with `utoipa` 5.

use {utoipa_5 as utoipa, utoipa_axum_0_2 as utoipa_axum};

#[path = "cases.rs"]
mod cases;
