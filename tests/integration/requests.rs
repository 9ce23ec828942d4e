//! The topics of `integration` that judge the mutants of `auth-runtime-core` and `auth-runtime-axum`: a smaller program
//! is built for each mutant in less time.

mod access_table;
mod challenge;
mod conditions;
mod decision;
mod hiding;
mod objects;
mod offers;
mod optional_identity;
mod protected;
mod testing;
mod users;
