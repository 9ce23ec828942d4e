//! What a path in the sources is the path of, as far as `use` and `mod` tell.

use std::collections::{BTreeMap, BTreeSet};

use syn::UseTree;

/// The names of a workspace.
#[derive(Default)]
pub(super) struct Names {
    scopes: Vec<Scope>,
    /// The scopes of modules, by their paths from the name of the crate.
    modules: BTreeMap<Vec<String>, usize>,
}

/// A module, or a block with items in it.
struct Scope {
    /// The path of what is in it.
    path: Vec<String>,
    /// The path of the module.
    module: Vec<String>,
    /// What is seen from a block besides.
    parent: Option<usize>,
    /// What the crate calls axum.
    axum: String,
    /// The functions, structs and modules in it.
    items: BTreeSet<String>,
    /// What a name is imported as.
    imports: BTreeMap<String, Vec<String>>,
    /// What everything is imported from.
    globs: Vec<Vec<String>>,
}

/// No path takes as many steps, but one that goes in a circle.
const MAX_STEPS: usize = 32;

impl Names {
    /// Adds the scope of a module.
    pub(super) fn module(&mut self, path: &[String], axum: &str) -> usize {
        let id = self.scopes.len();
        self.modules.entry(path.to_vec()).or_insert(id);
        self.scopes.push(Scope {
            path: path.to_vec(),
            module: path.to_vec(),
            parent: None,
            axum: axum.to_owned(),
            items: BTreeSet::new(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
        });
        id
    }

    /// Adds the scope of a block in a function of that name.
    pub(super) fn block(&mut self, parent: usize, function: &str) -> usize {
        let id = self.scopes.len();
        let outer = self.scopes.get(parent);
        let module = outer.map_or(Vec::new(), |outer| outer.module.clone());
        let axum = outer.map_or(String::new(), |outer| outer.axum.clone());
        self.scopes.push(Scope {
            path: self.path_in(parent, function),
            module,
            parent: Some(parent),
            axum,
            items: BTreeSet::new(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
        });
        id
    }

    /// The path of what has that name in a scope.
    pub(super) fn path_in(&self, scope: usize, name: &str) -> Vec<String> {
        let scope = self.scopes.get(scope);
        let mut path = scope.map_or(Vec::new(), |scope| scope.path.clone());
        path.push(name.to_owned());
        path
    }

    /// The paths of all that was taken in.
    pub(super) fn items(&self) -> impl Iterator<Item = Vec<String>> {
        let scopes = self.scopes.iter();
        scopes.flat_map(|scope| {
            let items = scope.items.iter();
            items.map(|item| [scope.path.as_slice(), std::slice::from_ref(item)].concat())
        })
    }

    /// Takes in an item.
    pub(super) fn declare(&mut self, scope: usize, name: &str) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.items.insert(name.to_owned());
        }
    }

    /// Takes in a `use`.
    pub(super) fn import(&mut self, scope: usize, tree: &UseTree) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.import(&mut Vec::new(), tree);
        }
    }

    /// The whole path of what is written as `path` in a scope, from the name of its crate.
    pub(super) fn resolve(&self, scope: usize, path: &[String]) -> Vec<String> {
        self.step(scope, path, MAX_STEPS)
    }

    fn step(&self, id: usize, path: &[String], steps: usize) -> Vec<String> {
        let (Some(scope), Some((first, rest)), Some(steps)) = (
            self.scopes.get(id),
            path.split_first(),
            steps.checked_sub(1),
        ) else {
            return path.to_vec();
        };
        let join = |base: &[String]| [base, rest].concat();
        match first.as_str() {
            "crate" => {
                let root = scope.module.get(..1).unwrap_or_default();
                return self.follow(join(root), steps);
            }
            "self" => return self.follow(join(&scope.module), steps),
            "super" => {
                let outer = scope.module.len().saturating_sub(1);
                let outer = scope.module.get(..outer).unwrap_or_default();
                // `super::super`: the next one is meant from there.
                return match (self.modules.get(outer), rest.first()) {
                    (Some(outer), Some(next)) if next == "super" => self.step(*outer, rest, steps),
                    _ => self.follow(join(outer), steps),
                };
            }
            _ => {}
        }
        if scope.items.contains(first) {
            return self.follow(join(&self.path_in(id, first)), steps);
        }
        if let Some(import) = scope.imports.get(first) {
            // `use axum;` names the crate, and not itself once more.
            if import.first() == Some(first) {
                return self.follow(scope.with_own_name_of_axum(join(import)), steps);
            }
            return self.step(id, &join(import), steps);
        }
        for glob in &scope.globs {
            // `use inner::*` does not bring `inner`.
            if glob.first() == Some(first) {
                continue;
            }
            let from = [self.step(id, glob, steps).as_slice(), path].concat();
            if self.is_there(&from) {
                return self.follow(from, steps);
            }
        }
        match scope.parent {
            Some(parent) => self.step(parent, path, steps),
            None => self.follow(scope.with_own_name_of_axum(path.to_vec()), steps),
        }
    }

    /// Goes on from a path that begins with the name of a crate: what is at its end may be imported
    /// there from elsewhere.
    fn follow(&self, path: Vec<String>, steps: usize) -> Vec<String> {
        let found = (1..path.len()).rev().find_map(|length| {
            let module = self.modules.get(path.get(..length)?)?;
            Some((*module, path.get(length..)?))
        });
        match found {
            Some((module, rest)) if self.imports(module, rest) => self.step(module, rest, steps),
            _ => path,
        }
    }

    /// Whether a path is imported into a module, as far as can be seen.
    fn imports(&self, module: usize, path: &[String]) -> bool {
        let (Some(scope), Some(name)) = (self.scopes.get(module), path.first()) else {
            return false;
        };
        let is_imported = scope.imports.contains_key(name) || !scope.globs.is_empty();
        !scope.items.contains(name) && is_imported
    }

    /// Whether something in the workspace, or in axum's `routing`, has that path.
    fn is_there(&self, path: &[String]) -> bool {
        let Some((name, module)) = path.split_last() else {
            return false;
        };
        let known = self.modules.get(module);
        match known.and_then(|module| self.scopes.get(*module)) {
            Some(scope) => {
                scope.items.contains(name)
                    || scope.imports.contains_key(name)
                    || !scope.globs.is_empty()
            }
            None => matches!(module, [axum, rest @ ..] if axum == "axum" && rest.len() < 2),
        }
    }
}

impl Scope {
    fn import(&mut self, base: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                base.push(path.ident.to_string());
                self.import(base, &path.tree);
                base.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = base.last() {
                    self.imports.insert(last.clone(), base.clone());
                }
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let path = [base.as_slice(), std::slice::from_ref(&name)].concat();
                self.imports.insert(name, path);
            }
            UseTree::Rename(rename) => {
                let mut path = base.clone();
                if rename.ident != "self" {
                    path.push(rename.ident.to_string());
                }
                self.imports.insert(rename.rename.to_string(), path);
            }
            UseTree::Glob(_) => self.globs.push(base.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(base, tree);
                }
            }
        }
    }

    /// A path from another crate, with axum under its own name.
    fn with_own_name_of_axum(&self, mut path: Vec<String>) -> Vec<String> {
        if let Some(first) = path.first_mut()
            && *first == self.axum
        {
            "axum".clone_into(first);
        }
        path
    }
}
