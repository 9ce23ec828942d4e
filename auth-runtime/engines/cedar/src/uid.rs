//! The names of entities, borrowed from a request or from loaded entities.

use auth_runtime_core::{Resource, Wanted};

use crate::schema::Names;

/// The type and the id of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Uid<'g> {
    // In the order of `Wanted`.
    pub(crate) id: &'g str,
    pub(crate) kind: &'g str,
}

impl<'g> Uid<'g> {
    /// The object of a question.
    pub(crate) fn of_object(resource: &'g Resource, names: &'g Names) -> Self {
        let kind = match resource.resource_type() {
            Resource::SERVICE => &names.service,
            other => other,
        };
        let id = resource.id();
        Self { kind, id }
    }

    pub(crate) fn of(wanted: &'g Wanted) -> Self {
        let (kind, id) = (wanted.entity_type(), wanted.id());
        Self { kind, id }
    }

    pub(crate) fn wanted(self) -> Wanted {
        Wanted::new(self.kind.to_owned(), self.id)
    }
}
