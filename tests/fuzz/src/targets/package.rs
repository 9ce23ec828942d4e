//! Packages of Rust files, which are read as `cargo auth` reads them.
//!
//! An input has a section for each file, below a line with its name:
//!
//! ```text
//! === src/lib.rs
//! mod admin;
//! === src/admin.rs
//! ```
//!
//! A section below `<<<` is only in the first of two packages, and one below `>>>` only in the second.

use std::fs;
use std::path::Path;
use std::thread;

use tempfile::TempDir;

use crate::cargo_auth::workspace::{Crate, Workspace};

/// The files that a crate can have.
pub(super) const FILES: [&str; 6] = [
    "src/lib.rs",
    "src/admin.rs",
    "src/admin/log.rs",
    "src/admin/mod.rs",
    "src/main.rs",
    "auth.toml",
];

/// The stack of `cargo auth`.
const STACK: usize = 1 << 29;

/// A file and its text.
pub(super) type File = (String, Vec<u8>);

/// Returns the files of both packages of an input.
pub(super) fn files(input: &[u8]) -> [Vec<File>; 2] {
    let mut packages = [Vec::new(), Vec::new()];
    let mut open = (true, true);
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        let name = line.get(4..).unwrap_or_default().trim_ascii();
        let name = String::from_utf8_lossy(name).into_owned();
        let (first, second) = match line.get(..4) {
            Some(b"=== ") => (true, true),
            Some(b"<<< ") => (true, false),
            Some(b">>> ") => (false, true),
            _ => {
                for (package, is_open) in packages.iter_mut().zip([open.0, open.1]) {
                    if let Some((_, text)) = package.last_mut().filter(|_| is_open) {
                        Vec::extend_from_slice(text, line);
                    }
                }
                continue;
            }
        };
        open = (first, second);
        for (package, is_open) in packages.iter_mut().zip([first, second]) {
            if is_open {
                package.retain(|(other, _): &File| *other != name);
                package.push((name.clone(), Vec::new()));
            }
        }
    }
    packages
}

/// A package in a temporary folder.
pub(super) struct Package {
    folder: TempDir,
}

impl Package {
    pub(super) fn new() -> Self {
        let folder = TempDir::with_prefix("auth-fuzz-").expect("a folder");
        fs::create_dir_all(folder.path().join("src/admin")).expect("a folder");
        Self { folder }
    }

    /// Writes these files in place of the former ones. Those with another name than [`FILES`] are left out.
    pub(super) fn write(&self, files: &[File]) -> Workspace {
        for name in FILES {
            let path = self.folder.path().join(name);
            match files.iter().find(|(own, _)| own == name) {
                Some((_, text)) => fs::write(path, text).expect("a file"),
                None => drop(fs::remove_file(path)),
            }
        }
        workspace(self.folder.path())
    }
}

/// Returns the workspace with a library, and a program if there is one, in a folder.
pub(super) fn workspace(folder: &Path) -> Workspace {
    let krate = |name: &str, source: &str| Crate {
        package: "shop".to_owned(),
        name: name.to_owned(),
        folder: folder.to_owned(),
        source: folder.join(source),
        uses_attributes: true,
        renamed: vec![("web".to_owned(), "axum".to_owned())],
        is_selected: true,
    };
    let mut crates = vec![krate("shop", "src/lib.rs")];
    if folder.join("src/main.rs").is_file() {
        crates.push(krate("shop(bin)", "src/main.rs"));
    }
    Workspace {
        root: folder.to_owned(),
        crates,
    }
}

/// Runs a function on a stack of the size that the program has, with a source map of its own.
pub(super) fn on_large_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        let result = thread.spawn_scoped(scope, run).expect("a thread").join();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
