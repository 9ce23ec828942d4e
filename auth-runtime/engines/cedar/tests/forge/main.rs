//! A service like a code host: users, organizations, teams and repositories.

mod against_oracle;
mod batches;
mod ids;
mod service;
mod world;
