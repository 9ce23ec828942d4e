//! Serialization of the matrix.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::answer::AccessAnswer;
use super::matrix::{AccessMatrix, AccessMatrixRow};
use super::persona::Persona;
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

impl Serialize for AccessMatrixRow {
    /// Writes the row of the table, the object if there is one, the settings by their names if there are
    /// some, and the responses.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let has_settings = !self.settings.is_empty();
        let fields = 2 + usize::from(self.object.is_some()) + usize::from(has_settings);
        let mut row = serializer.serialize_struct("AccessMatrixRow", fields)?;
        row.serialize_field("row", self.row())?;
        match &self.object {
            Some(object) => row.serialize_field("object", object)?,
            None => row.skip_field("object")?,
        }
        if has_settings {
            let settings: BTreeMap<_, _> = self.settings().collect();
            row.serialize_field("settings", &settings)?;
        } else {
            row.skip_field("settings")?;
        }
        row.serialize_field("answers", self.answers())?;
        row.end()
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

impl Serialize for AccessAnswer {
    /// Writes the status, the cell as displayed, and the difference from the policy. Absent values
    /// are `null`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_struct("AccessAnswer", 4)?;
        let status = self.status().map(|status| status.as_u16());
        answer.serialize_field("status", &status)?;
        answer.serialize_field("shown", &self.to_string())?;
        answer.serialize_field("let_in", &self.is_let_in())?;
        answer.serialize_field("difference", &self.difference())?;
        answer.end()
    }
}
