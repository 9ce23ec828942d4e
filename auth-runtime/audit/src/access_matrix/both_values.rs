//! The rows of a policy with a setting, for both of its values.

use std::collections::BTreeMap;

use super::error::{AccessMatrixError, MatrixErrorKind};
use super::matrix::{AccessMatrix, AccessMatrixRow};
use super::text;

impl AccessMatrix {
    /// Adds the rows of a matrix of the same routes and personas, from a space with other values of the
    /// [settings](Self#settings). A row that this matrix has already is left out.
    ///
    /// ```
    /// use auth_runtime_audit::{AccessMatrix, AccessMatrixError};
    ///
    /// fn both(open: AccessMatrix, closed: AccessMatrix) -> Result<AccessMatrix, AccessMatrixError> {
    ///     open.and(closed)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If the personas differ, or if a row without a setting has other responses in the other matrix.
    pub fn and(mut self, other: Self) -> Result<Self, AccessMatrixError> {
        let personas = |matrix: &Self| {
            let personas = matrix.personas.iter();
            let described = personas.map(|persona| (text::name(persona), persona.description()));
            described.collect::<Vec<_>>()
        };
        let mut mistakes = Vec::new();
        if personas(&self) != personas(&other) {
            mistakes.push("the two matrices have different personas".to_owned());
        }
        for row in other.rows {
            let mut own = self.rows.iter();
            if let Some(same) = own.find(|own| own.is_at_place_of(&row)) {
                let cells = |row: &AccessMatrixRow| {
                    let cells = row.responses.iter().map(ToString::to_string);
                    cells.collect::<Vec<_>>()
                };
                if cells(same) != cells(&row) {
                    mistakes.push(format!(
                        "the two matrices have different responses for {row}, and the same settings"
                    ));
                }
                continue;
            }
            let last = self.rows.iter().rposition(|own| own.is_on_route_of(&row));
            let at = last.map_or(self.rows.len(), |index| index + 1);
            self.rows.insert(at, row);
        }
        if mistakes.is_empty() {
            Ok(self)
        } else {
            Err(AccessMatrixError::new(MatrixErrorKind::Apart(mistakes)))
        }
    }

    /// Returns a mistake for each setting that has one value only.
    pub(super) fn settings_with_one_value(&self) -> Vec<String> {
        let mut values: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for (name, value) in self.rows.iter().flat_map(AccessMatrixRow::settings) {
            let (on, off) = values.entry(name).or_default();
            *on |= value;
            *off |= !value;
        }
        let single = values.into_iter().filter(|(_, (on, off))| on != off);
        let mistakes = single.map(|(name, (on, _))| {
            format!(
                "`setting = {name:?}` is {on} in every row; add the matrix of a router with the other \
                 value: `.and(...)`"
            )
        });
        mistakes.collect()
    }
}
