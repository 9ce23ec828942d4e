//! The inputs of each target: `corpus/<target>/<name>`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Outcome, Target};

/// An input of the corpus.
pub struct Seed {
    /// The name of the file.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The folder with the inputs of a target.
pub fn folder(target: &Target) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.join("corpus").join(target.name)
}

/// Reads the inputs of a target, in the order of their names.
///
/// # Errors
///
/// The folder or a file cannot be read.
pub fn read(target: &Target) -> io::Result<Vec<Seed>> {
    let mut seeds = Vec::new();
    for entry in fs::read_dir(folder(target))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path())?;
        seeds.push(Seed { name, bytes });
    }
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(seeds)
}

/// Writes an input that violates a property, and returns its file.
///
/// # Errors
///
/// The file cannot be written.
pub fn write(target: &Target, input: &[u8]) -> io::Result<PathBuf> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let number = Outcome::of(input).number;
    let file = folder.join(format!("failure-{number:016x}"));
    fs::write(&file, input)?;
    Ok(file)
}
