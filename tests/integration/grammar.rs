//! The grammar and its checks, compared with oracles that are independent of the implementation.

mod comparison;
mod expression;
mod finding;
mod limits;
mod logic;
mod names;
mod printing;
