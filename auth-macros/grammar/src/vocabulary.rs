//! The declarations in `auth.toml`: scopes, roles, permissions, networks, settings and policies.

mod cedar;
mod cycles;
mod find;
mod objects;
mod policies;
mod read;
mod reader;
mod syntax;
mod workspace;

pub use self::cedar::LoadSchema;
pub use self::find::{FileMistake, LoadedVocabulary, find, line_and_column};
pub use self::read::{read, read_with_schema};
pub use crate::declared::{
    DeclaredAction, DeclaredName, DeclaredNames, MAX_BLOCKS, MAX_IMPLYING, MAX_TERMS, NamedPolicy,
    NamedSchema, Vocabulary, implying,
};
pub use crate::mistake::Mistake;
