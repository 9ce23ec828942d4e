//! What a path in the sources is the path of, as far as `use` and `mod` tell.

use std::collections::{BTreeMap, BTreeSet};

use syn::UseTree;

use super::mount::routing_function;
use super::named;

/// The names of a workspace.
#[derive(Default)]
pub(super) struct Names {
    scopes: Vec<Scope>,
    /// The scopes of modules, by their paths from the name of the crate: several, where a `cfg` chooses.
    modules: BTreeMap<Vec<String>, Vec<usize>>,
    /// What something is imported as under another name, with that.
    renamed: BTreeMap<String, BTreeSet<String>>,
}

/// A module, or a block with items in it.
#[derive(Default)]
struct Scope {
    /// The path of what is in it.
    path: Vec<String>,
    /// The path of the module.
    module: Vec<String>,
    /// What is seen from a block besides.
    parent: Option<usize>,
    /// What the crate calls axum.
    axum: Vec<String>,
    /// The functions and the like in it, which have names of their own: a function and a module can be
    /// called the same.
    values: BTreeMap<String, IsConditional>,
    /// The modules and types in it.
    types: BTreeMap<String, IsConditional>,
    /// What a name is imported as: several, of both kinds or where a `cfg` chooses.
    imports: BTreeMap<String, Vec<(Vec<String>, IsConditional)>>,
    /// What everything is imported from.
    globs: Vec<Vec<String>>,
}

/// Whether it is there by some `cfg` only, so that its name may be another's.
type IsConditional = bool;

/// What a name may be the name of.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Value,
    Type,
    /// A unit struct is a type, and its only value.
    Both,
}

/// All that a path can be the path of.
type Paths = BTreeSet<Vec<String>>;

/// A path that is looked for in a scope.
type Query = (usize, Vec<String>, Wanted);

/// How it is looked for.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// Whether it has to be found there, and not in another crate or further out.
    is_inside: bool,
    /// Whether it is that of a module, and not of a function.
    is_module: bool,
}

impl Wanted {
    /// A module, wherever it is.
    const MODULE: Self = Self {
        is_inside: false,
        is_module: true,
    };

    fn inside(self) -> Self {
        Self {
            is_inside: true,
            ..self
        }
    }

    fn anywhere(self) -> Self {
        Self {
            is_inside: false,
            ..self
        }
    }
}

/// What was found; `None` while it is looked for, since names can go in a circle.
type Known = BTreeMap<Query, Option<Paths>>;

/// No path takes as many steps, but one that grows in a circle.
const MAX_STEPS: usize = 4096;

impl Names {
    /// Adds the scope of a module.
    pub(super) fn module(&mut self, path: &[String], axum: &[String]) -> usize {
        let id = self.scopes.len();
        self.modules.entry(path.to_vec()).or_default().push(id);
        self.scopes.push(Scope {
            path: path.to_vec(),
            module: path.to_vec(),
            axum: axum.to_vec(),
            ..Scope::default()
        });
        id
    }

    /// Adds the scope of a block in a function of that name.
    pub(super) fn block(&mut self, parent: usize, function: &str) -> usize {
        let id = self.scopes.len();
        let outer = self.scopes.get(parent);
        let module = outer.map_or(Vec::new(), |outer| outer.module.clone());
        let axum = outer.map_or(Vec::new(), |outer| outer.axum.clone());
        self.scopes.push(Scope {
            path: self.path_in(parent, function),
            module,
            parent: Some(parent),
            axum,
            ..Scope::default()
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

    /// The paths of all functions and the like that were taken in.
    pub(super) fn items(&self) -> impl Iterator<Item = Vec<String>> {
        let scopes = self.scopes.iter();
        scopes.flat_map(|scope| {
            let items = scope.values.keys();
            items.map(|item| [scope.path.as_slice(), std::slice::from_ref(item)].concat())
        })
    }

    /// Whether that is the name of a crate of the workspace.
    pub(super) fn has_crate(&self, name: &String) -> bool {
        self.modules.contains_key(std::slice::from_ref(name))
    }

    /// Takes in an item.
    pub(super) fn declare(&mut self, scope: usize, name: &str, kind: Kind, is_conditional: bool) {
        let Some(scope) = self.scopes.get_mut(scope) else {
            return;
        };
        let add = |names: &mut BTreeMap<String, IsConditional>| {
            let known = names.entry(name.to_owned()).or_insert(is_conditional);
            *known &= is_conditional;
        };
        match kind {
            Kind::Value => add(&mut scope.values),
            Kind::Type => add(&mut scope.types),
            Kind::Both => {
                add(&mut scope.values);
                add(&mut scope.types);
            }
        }
    }

    /// Takes in a `use`.
    pub(super) fn import(&mut self, scope: usize, tree: &UseTree, is_conditional: bool) {
        self.rename(tree);
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.import(&mut Vec::new(), tree, is_conditional);
        }
    }

    fn rename(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.rename(&path.tree),
            UseTree::Rename(rename) => {
                let own = self.renamed.entry(named(&rename.rename)).or_default();
                own.insert(named(&rename.ident));
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.rename(tree)),
            UseTree::Name(_) | UseTree::Glob(_) => {}
        }
    }

    /// Whether a name can stand for one of these, wherever it is: most do not, and need not be resolved.
    pub(super) fn can_be(&self, name: &str, is_one: impl Fn(&str) -> bool) -> bool {
        let mut names = vec![name];
        let mut seen = BTreeSet::new();
        while let Some(name) = names.pop() {
            if is_one(name) {
                return true;
            }
            if seen.insert(name) {
                let own = self.renamed.get(name).into_iter().flatten();
                names.extend(own.map(String::as_str));
            }
        }
        false
    }

    /// Takes in an `extern crate … as name`.
    pub(super) fn import_crate(&mut self, scope: usize, krate: &str, name: &str) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.add(name.to_owned(), vec![krate.to_owned()], false);
        }
    }

    /// The whole paths of what is written as `path` in a scope, from the names of their crates: several,
    /// where a `cfg` chooses, and at least one.
    pub(super) fn resolve(&self, scope: usize, path: &[String]) -> Paths {
        let found = self.look(scope, path, Wanted::default(), &mut Known::new());
        if found.is_empty() {
            return Paths::from([path.to_vec()]);
        }
        found
    }

    fn look(&self, id: usize, path: &[String], wanted: Wanted, known: &mut Known) -> Paths {
        let query = (id, path.to_vec(), wanted);
        if let Some(found) = known.get(&query) {
            return found.clone().unwrap_or_default();
        }
        if known.len() >= MAX_STEPS {
            return Paths::new();
        }
        known.insert(query.clone(), None);
        let found = self.step(id, path, wanted, known);
        known.insert(query, Some(found.clone()));
        found
    }

    fn step(&self, id: usize, path: &[String], wanted: Wanted, known: &mut Known) -> Paths {
        let (Some(scope), Some((first, rest))) = (self.scopes.get(id), path.split_first()) else {
            return Paths::new();
        };
        let join = |base: &[String]| [base, rest].concat();
        match first.as_str() {
            "crate" => {
                let root = scope.module.get(..1).unwrap_or_default();
                return self.follow(join(root), wanted, known);
            }
            "self" => return self.follow(join(&scope.module), wanted, known),
            "super" => {
                let outer = scope.module.len().saturating_sub(1);
                let outer = scope.module.get(..outer).unwrap_or_default();
                // `super::super`: the next one is meant from there.
                return match (self.modules.get(outer), rest.first()) {
                    (Some(outer), Some(next)) if next == "super" => outer
                        .iter()
                        .flat_map(|outer| self.look(*outer, rest, wanted, known))
                        .collect(),
                    _ => self.follow(join(outer), wanted, known),
                };
            }
            _ => {}
        }
        let mut found = Paths::new();
        let declared = match rest {
            [] if !wanted.is_module => scope.values.get(first),
            _ => scope.types.get(first),
        };
        if declared.is_some() {
            found.extend(self.follow(join(&self.path_in(id, first)), wanted, known));
        }
        let mut is_sure = declared.is_some_and(|is_conditional| !is_conditional);
        for (import, is_conditional) in scope.imports.get(first).into_iter().flatten() {
            // Beside an item, it is of the other kind, unless a `cfg` chooses.
            if declared.is_some() && !is_conditional {
                continue;
            }
            is_sure |= !is_conditional;
            found.extend(match import.first() == Some(first) {
                // `use axum;` names the crate, and not itself once more.
                true => self.follow(scope.with_own_name_of_axum(join(import)), wanted, known),
                false => self.look(id, &join(import), wanted.anywhere(), known),
            });
        }
        if is_sure {
            return found;
        }
        for glob in &scope.globs {
            // `use inner::*` does not bring `inner`.
            if glob.first() == Some(first) {
                continue;
            }
            for from in self.look(id, glob, Wanted::MODULE, known) {
                found.extend(self.through_glob(&from, path, wanted, known));
            }
        }
        match scope.parent {
            _ if !found.is_empty() || wanted.is_inside => found,
            Some(parent) => self.look(parent, path, wanted, known),
            None => self.follow(scope.with_own_name_of_axum(path.to_vec()), wanted, known),
        }
    }

    /// What `use from::*` makes of a path.
    fn through_glob(
        &self,
        from: &[String],
        path: &[String],
        wanted: Wanted,
        known: &mut Known,
    ) -> Paths {
        if let Some(modules) = self.modules.get(from) {
            return modules
                .iter()
                .flat_map(|module| self.look(*module, path, wanted.inside(), known))
                .collect();
        }
        let whole = with_axum_first([from, path].concat());
        let is_axum = routing_function(&whole).is_some();
        Paths::from_iter(is_axum.then_some(whole))
    }

    /// Goes on from a path that begins with the name of a crate: what is at its end may be imported
    /// there from elsewhere.
    fn follow(&self, path: Vec<String>, wanted: Wanted, known: &mut Known) -> Paths {
        let module = (1..path.len()).rev().find_map(|length| {
            let modules = self.modules.get(path.get(..length)?)?;
            Some((modules, path.get(length..)?))
        });
        let (modules, rest) = module.unwrap_or((const { &Vec::new() }, &[]));
        let found: Paths = modules
            .iter()
            .flat_map(|module| self.look(*module, rest, wanted.inside(), known))
            .collect();
        if found.is_empty() {
            return Paths::from([with_axum_first(path)]);
        }
        found
    }
}

/// A path that goes through another crate to axum, as if it went there alone.
fn with_axum_first(path: Vec<String>) -> Vec<String> {
    let is_routing = |pair: &[String]| pair == ["axum", "routing"];
    match path.windows(2).position(is_routing) {
        Some(index) => path.into_iter().skip(index).collect(),
        None => path,
    }
}

impl Scope {
    fn add(&mut self, name: String, path: Vec<String>, is_conditional: bool) {
        let imports = self.imports.entry(name).or_default();
        imports.push((path, is_conditional));
    }

    fn import(&mut self, base: &mut Vec<String>, tree: &UseTree, is_conditional: bool) {
        match tree {
            UseTree::Path(path) => {
                base.push(named(&path.ident));
                self.import(base, &path.tree, is_conditional);
                base.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = base.last() {
                    self.add(last.clone(), base.clone(), is_conditional);
                }
            }
            UseTree::Name(name) => {
                let name = named(&name.ident);
                let path = [base.as_slice(), std::slice::from_ref(&name)].concat();
                self.add(name, path, is_conditional);
            }
            UseTree::Rename(rename) => {
                let mut path = base.clone();
                if rename.ident != "self" {
                    path.push(named(&rename.ident));
                }
                self.add(named(&rename.rename), path, is_conditional);
            }
            UseTree::Glob(_) => self.globs.push(base.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(base, tree, is_conditional);
                }
            }
        }
    }

    /// A path from another crate, with axum under its own name.
    fn with_own_name_of_axum(&self, mut path: Vec<String>) -> Vec<String> {
        if let Some(first) = path.first_mut()
            && self.axum.contains(first)
        {
            "axum".clone_into(first);
        }
        path
    }
}
