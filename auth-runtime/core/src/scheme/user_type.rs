//! The type of a user of the service.

use std::any::{TypeId, type_name};

/// The type of a user of the service.
#[derive(Clone, Copy, Debug)]
pub struct UserType {
    id: TypeId,
    name: &'static str,
}

impl UserType {
    /// The type `U`.
    pub fn of<U: 'static>() -> Self {
        Self {
            id: TypeId::of::<U>(),
            name: type_name::<U>(),
        }
    }

    /// The name of the type, for messages.
    pub fn name(self) -> &'static str {
        self.name
    }
}

impl PartialEq for UserType {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for UserType {}
