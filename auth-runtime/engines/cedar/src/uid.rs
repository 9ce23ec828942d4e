//! The names of entities, borrowed from a request or from loaded entities.

use auth_runtime_core::{EntityUid, Resource};

use crate::schema::Names;

/// The type and the id of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Uid<'g> {
    // In the order of `EntityUid`.
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

    pub(crate) fn of(uid: &'g EntityUid) -> Self {
        let (kind, id) = (uid.entity_type(), uid.id());
        Self { kind, id }
    }

    pub(crate) fn to_owned_uid(self) -> EntityUid {
        EntityUid::new(self.kind.to_owned(), self.id)
    }
}
