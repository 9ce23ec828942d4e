//! The declarations in `auth.toml`: scopes, roles, permissions, networks and policies.

mod cycles;
mod declared;
mod find;
mod objects;
mod read;
mod reader;
mod syntax;
mod workspace;

pub use self::declared::{
    DeclaredAction, DeclaredName, DeclaredNames, MAX_BLOCKS, MAX_IMPLYING, MAX_TERMS, NamedPolicy,
    Vocabulary, implying,
};
pub use self::find::{LoadedVocabulary, find};
pub use self::read::read;
pub use self::reader::Mistake;
