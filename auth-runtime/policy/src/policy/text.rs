//! The text of a policy: an attribute.

use std::borrow::Cow;
use std::fmt;

use super::{Access, Policy};
use crate::requirement::{Requirement, write_list};
use crate::scheme::is_word;

impl fmt::Display for Policy {
    /// Formats an equivalent attribute that needs no vocabulary: names of the vocabulary are
    /// expanded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.access {
            Access::Public {
                reason,
                optional_identity,
            } => {
                let identity = if *optional_identity {
                    ", identity = optional"
                } else {
                    ""
                };
                write!(f, "public(reason = {reason:?}{identity}")?;
            }
            Access::Requires(Requirement::All(parts)) if !parts.is_empty() => {
                f.write_str("requires(")?;
                write_list(parts, f)?;
            }
            Access::Requires(requirement) => write!(f, "requires({requirement}")?,
        }
        if self.is_hidden() {
            f.write_str(", hide_as = 404")?;
        }
        match self.shown_to() {
            Some(Requirement::Atom(atom)) => write!(f, ", hide_unless = {}", atom.as_call())?,
            Some(lesser) => write!(f, ", hide_unless = {lesser}")?,
            None => {}
        }
        if let Some(names) = self.accepted_schemes() {
            write!(f, ", schemes({})", Schemes(names))?;
        }
        if let Some(realm) = &self.realm {
            write!(f, ", realm = {realm:?}")?;
        }
        if let Some(text) = &self.says {
            write!(f, ", says = {text:?}")?;
        }
        if let Some(reason) = &self.loosened {
            write!(f, ", loosen = {reason:?}")?;
        }
        f.write_str(")")
    }
}

/// The names of schemes as in an attribute: registered names without quotes.
struct Schemes<'p>(&'p [Cow<'static, str>]);

impl fmt::Display for Schemes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            if is_word(name) {
                write!(f, "{comma}{name}")?;
            } else {
                write!(f, "{comma}{name:?}")?;
            }
        }
        Ok(())
    }
}
