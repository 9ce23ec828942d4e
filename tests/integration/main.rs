//! Integration tests that need only Rust: one topic per module.

mod access_lock;
mod access_lock_routes;
mod access_matrix;
mod access_report;
mod access_table;
mod audit_cost;
mod cargo_auth;
mod catalogue;
mod challenge;
pub mod compiles;
mod conditions;
mod decision;
mod features;
mod grammar;
mod hiding;
mod layers;
mod modules;
mod offers;
mod openapi;
mod optional_identity;
mod packages;
mod protected;
mod protocol;
mod providers;
mod routing;
mod schemes;
mod vocabulary;
