//! Serialization of the access table.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{AccessRow, AccessTable, EndpointKind};
use crate::handler_location::HandlerLocation;

impl Serialize for AccessTable {
    /// Writes a list of the rows.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows())
    }
}

impl Serialize for AccessRow {
    /// Writes all data of the row. Absent values are `null`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("AccessRow", 13)?;
        row.serialize_field("kind", self.kind().name())?;
        row.serialize_field("method", &self.method().map(http::Method::as_str))?;
        row.serialize_field("path", self.path())?;
        row.serialize_field("written", &self.written())?;
        row.serialize_field("policy", &self.policy().map(ToString::to_string))?;
        row.serialize_field("hidden", &self.is_hidden())?;
        row.serialize_field("public_reason", &self.public_reason())?;
        row.serialize_field("unguarded_reason", &self.unguarded_reason())?;
        row.serialize_field("handler", &self.location().map(HandlerLocation::handler))?;
        row.serialize_field(
            "endpoint_kind",
            &self.endpoint_kind().map(EndpointKind::name),
        )?;
        row.serialize_field("covers", self.covers())?;
        row.serialize_field("file", self.file())?;
        row.serialize_field("line", &self.line())?;
        row.end()
    }
}
