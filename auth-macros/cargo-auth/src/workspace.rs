//! The crates of a workspace, from its manifests. Nothing is built or fetched.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};

use crate::report::Failure;

/// The members of a workspace.
pub(crate) struct Workspace {
    /// The folder that all places are relative to.
    pub(crate) root: PathBuf,
    /// The crates that can have handlers: libraries, programs and examples.
    pub(crate) crates: Vec<Crate>,
}

/// A crate: one source file, and all modules that it names.
pub(crate) struct Crate {
    /// The package of the crate.
    pub(crate) package: String,
    /// The name for other crates. `(bin)` is appended for a program beside a library of the same
    /// name.
    pub(crate) name: String,
    /// The folder of the manifest.
    pub(crate) folder: PathBuf,
    /// The source file.
    pub(crate) source: PathBuf,
    /// True if the crate can use the attributes.
    pub(crate) uses_attributes: bool,
    /// The other names of the crate's dependencies, each with the own name: several if it depends on several
    /// versions.
    pub(crate) renamed: Vec<(String, String)>,
    /// True if its package is selected.
    pub(crate) is_selected: bool,
}

impl Workspace {
    /// Reads the manifests of the workspace that contains a manifest.
    pub(crate) fn read(manifest: Option<&Path>) -> Result<Self, Failure> {
        let metadata = metadata(manifest)
            .map_err(|error| Failure::new(format!("the workspace cannot be read: {error}")))?;
        let packages = metadata.workspace_packages();
        let crates = packages
            .iter()
            .flat_map(|package| crates(package, &packages));
        let mut crates: Vec<_> = crates.collect();
        crates.sort_by(|one, other| one.source.cmp(&other.source));
        Ok(Self {
            root: metadata.workspace_root.clone().into_std_path_buf(),
            crates,
        })
    }

    /// Returns whether the workspace has such a package with a crate that can have handlers.
    pub(crate) fn has(&self, package: &str) -> bool {
        self.crates.iter().any(|krate| krate.package == package)
    }

    /// Selects these packages. Without any, all are selected. Names are still resolved in all
    /// packages.
    pub(crate) fn select(&mut self, packages: &[String]) {
        for krate in &mut self.crates {
            krate.is_selected = packages.is_empty() || packages.contains(&krate.package);
        }
    }
}

/// Runs `cargo metadata`.
fn metadata(manifest: Option<&Path>) -> Result<Metadata, cargo_metadata::Error> {
    let mut command = MetadataCommand::new();
    command.no_deps().other_options(["--offline".to_owned()]);
    if let Some(manifest) = manifest {
        command.manifest_path(manifest);
    }
    command.exec().or_else(|error| {
        // The workspace may name a toolchain that is not installed. Elsewhere, it does not apply.
        let Some(manifest) = outer(manifest) else {
            return Err(error);
        };
        command.manifest_path(manifest);
        command.current_dir(std::env::temp_dir());
        command.exec().map_err(|_| error)
    })
}

/// Returns the absolute path of a manifest; without one, that of the nearest outer folder.
fn outer(manifest: Option<&Path>) -> Option<PathBuf> {
    if let Some(manifest) = manifest {
        return std::path::absolute(manifest).ok();
    }
    let folder = std::env::current_dir().ok()?;
    let mut manifests = folder.ancestors().map(|folder| folder.join("Cargo.toml"));
    manifests.find(|manifest| manifest.is_file())
}

/// The crates with items that are known by their paths. A fork may have such a name in the
/// manifest.
const KNOWN: [&str; 5] = ["aide", "auth_runtime", "axum", "axum_extra", "utoipa_axum"];

/// Returns the crates of one of the packages of the workspace.
fn crates(package: &Package, packages: &[&Package]) -> Vec<Crate> {
    let folder = package.manifest_path.parent();
    let folder = folder.map(|folder| folder.as_std_path().to_owned());
    let renamed = package.dependencies.iter().filter_map(|dependency| {
        let name = identifier(dependency.rename.as_ref()?);
        if KNOWN.contains(&name.as_str()) {
            return None;
        }
        let member = packages.iter().find(|it| *it.name == dependency.name);
        let library = member.and_then(|member| library_of(member));
        let own = library.unwrap_or_else(|| identifier(&dependency.name));
        Some((name, own))
    });
    let renamed: Vec<_> = renamed.collect();
    let library = library_of(package);
    let mut dependencies = package.dependencies.iter();
    let uses_attributes = dependencies.any(|dependency| {
        let rename = dependency.rename.as_deref();
        dependency.name == "auth-runtime"
            || rename.map(identifier).as_deref() == Some("auth_runtime")
    });
    let mut crates = Vec::new();
    for target in &package.targets {
        let is_program = |kind: &TargetKind| matches!(kind, TargetKind::Bin | TargetKind::Example);
        if !is_library(&target.kind) && !target.kind.iter().any(is_program) {
            continue;
        }
        let mut name = identifier(&target.name);
        if library.as_ref() == Some(&name) && !is_library(&target.kind) {
            name.push_str("(bin)");
        }
        crates.push(Crate {
            package: package.name.to_string(),
            name,
            folder: folder.clone().unwrap_or_default(),
            source: target.src_path.clone().into_std_path_buf(),
            uses_attributes,
            renamed: renamed.clone(),
            is_selected: true,
        });
    }
    crates
}

/// Returns the name of the library of a package.
fn library_of(package: &Package) -> Option<String> {
    let mut targets = package.targets.iter();
    let library = targets.find(|target| is_library(&target.kind))?;
    Some(identifier(&library.name))
}

fn identifier(name: &str) -> String {
    name.replace('-', "_")
}

fn is_library(kinds: &[TargetKind]) -> bool {
    let is_other = |kind: &TargetKind| {
        matches!(
            kind,
            TargetKind::Bin
                | TargetKind::Example
                | TargetKind::Test
                | TargetKind::Bench
                | TargetKind::CustomBuild
        )
    };
    !kinds.iter().any(is_other)
}
