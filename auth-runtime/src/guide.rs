//! The manual, one page for each topic.

#[doc = include_str!("../guide/attributes.md")]
pub mod attributes {}
