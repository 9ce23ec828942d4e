//! The grammar and its checks, held against oracles that know nothing of how they work.

mod comparison;
mod expression;
mod finding;
mod limits;
mod logic;
mod names;
mod printing;
