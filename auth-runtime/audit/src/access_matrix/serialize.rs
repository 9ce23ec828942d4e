//! Serialization of the matrix.

use std::collections::BTreeMap;

use auth_runtime_core::AccessRow;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::matrix::{AccessMatrix, AccessMatrixRow};
use super::persona::Persona;
use super::response::AccessResponse;
use super::row_object::RowObject;

impl Serialize for AccessMatrix {
    /// Writes the `personas`, and the `rows` with a response for each of them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut matrix = serializer.serialize_struct("AccessMatrix", 2)?;
        matrix.serialize_field("personas", self.personas())?;
        matrix.serialize_field("rows", self.rows())?;
        matrix.end()
    }
}

impl Serialize for Persona {
    /// Writes the name and the description.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut persona = serializer.serialize_struct("Persona", 2)?;
        persona.serialize_field("name", self.name())?;
        persona.serialize_field("is", &self.description())?;
        persona.end()
    }
}

/// A line of the matrix, as written.
#[derive(Serialize)]
struct Line<'m> {
    row: &'m AccessRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'m RowObject>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<&'m str, bool>,
    responses: &'m [AccessResponse],
}

impl Serialize for AccessMatrixRow {
    /// Writes the row of the table, the object if there is one, the settings by their names if there are
    /// some, and the responses.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = Line {
            row: self.row(),
            object: self.object.as_ref(),
            settings: self.settings().collect(),
            responses: self.responses(),
        };
        line.serialize(serializer)
    }
}

impl Serialize for RowObject {
    /// Writes the type, the id, and the pattern of the policy that has this id.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("RowObject", 3)?;
        object.serialize_field("type", self.resource().resource_type())?;
        object.serialize_field("id", self.resource().id())?;
        object.serialize_field("on", self.pattern().as_str())?;
        object.end()
    }
}

impl Serialize for AccessResponse {
    /// Writes the status, the cell as displayed, and the difference from the policy. Absent values
    /// are `null`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut response = serializer.serialize_struct("AccessResponse", 4)?;
        let status = self.status().map(|status| status.as_u16());
        response.serialize_field("status", &status)?;
        response.serialize_field("shown", &self.to_string())?;
        response.serialize_field("granted", &self.is_granted())?;
        response.serialize_field("difference", &self.difference())?;
        response.end()
    }
}
