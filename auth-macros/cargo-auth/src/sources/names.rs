//! Resolution of paths in the sources, by their `use` and `mod` items.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use syn::UseTree;

use super::policy_attribute::is_attribute;
use super::routing::is_of_axum;
use super::text::named;

/// The names of a workspace.
#[derive(Default)]
pub(super) struct Names {
    scopes: Vec<Scope>,
    /// The scopes of modules, by their paths from the crate name. There are several if a `cfg`
    /// chooses.
    modules: BTreeMap<Vec<String>, Vec<usize>>,
    /// The new names of renamed imports, each with the original names.
    renamed: BTreeMap<String, BTreeSet<String>>,
    /// The results so far, one for each path in a scope. All names are recorded before the first resolution.
    resolved: RefCell<BTreeMap<Query, Paths>>,
}

/// A module, or a block with items.
#[derive(Default)]
struct Scope {
    /// The path of the items in it.
    path: Vec<String>,
    /// The path of the module.
    module: Vec<String>,
    /// The scope that is visible from a block, in addition to its own items.
    parent: Option<usize>,
    /// The other names of crates in the crate, each with the own name.
    renamed: Vec<(String, String)>,
    /// The values, such as functions. Values and types have separate namespaces: a function and a
    /// module can have the same name.
    values: BTreeMap<String, IsConditional>,
    /// The modules and types.
    types: BTreeMap<String, IsConditional>,
    /// The imports by name. There are several for both namespaces, or if a `cfg` chooses.
    imports: BTreeMap<String, Vec<(Vec<String>, IsConditional)>>,
    /// The paths of glob imports.
    globs: Vec<Vec<String>>,
}

/// True if an item exists only under some `cfg`, so that its name may refer to another one.
type IsConditional = bool;

/// The namespace of a name.
#[derive(Clone, Copy)]
pub(super) enum NameKind {
    Value,
    Type,
    /// A unit struct is a type, and its only value.
    Both,
}

/// All items that a path can refer to.
type Paths = BTreeSet<Vec<String>>;

/// A path to resolve in a scope.
type Query = (usize, Vec<String>, Wanted);

/// The options of a resolution.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// True if the path has to resolve in the scope itself, and not in another crate or an outer
    /// scope.
    is_inside: bool,
    /// True if the path refers to a module, and not to a function.
    is_module: bool,
    /// True if the path refers to a macro, and not to a function. Macros have a namespace of their own.
    is_macro: bool,
}

impl Wanted {
    /// A module, wherever it is.
    const MODULE: Self = Self {
        is_inside: false,
        is_module: true,
        is_macro: false,
    };

    /// A macro, such as an attribute.
    const MACRO: Self = Self {
        is_inside: false,
        is_module: false,
        is_macro: true,
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

/// The resolved paths; `None` during the resolution, because names can be cyclic.
type Known = BTreeMap<Query, Option<Paths>>;

/// The maximum number of steps. Only a path that grows in a cycle reaches it.
const MAX_STEPS: usize = 4096;

impl Names {
    /// Adds the scope of a module.
    pub(super) fn module(&mut self, path: &[String], renamed: &[(String, String)]) -> usize {
        let id = self.scopes.len();
        self.modules.entry(path.to_vec()).or_default().push(id);
        self.scopes.push(Scope {
            path: path.to_vec(),
            module: path.to_vec(),
            renamed: renamed.to_vec(),
            ..Scope::default()
        });
        id
    }

    /// Adds the scope of a block in a function of that name.
    pub(super) fn block(&mut self, parent: usize, function: &str) -> usize {
        let id = self.scopes.len();
        let outer = self.scopes.get(parent);
        let module = outer.map_or(Vec::new(), |outer| outer.module.clone());
        let renamed = outer.map_or(Vec::new(), |outer| outer.renamed.clone());
        self.scopes.push(Scope {
            path: self.path_in(parent, function),
            module,
            parent: Some(parent),
            renamed,
            ..Scope::default()
        });
        id
    }

    /// Returns the path of an item with that name in a scope.
    pub(super) fn path_in(&self, scope: usize, name: &str) -> Vec<String> {
        let scope = self.scopes.get(scope);
        let mut path = scope.map_or(Vec::new(), |scope| scope.path.clone());
        path.push(name.to_owned());
        path
    }

    /// Returns whether a crate of the workspace has that name.
    pub(super) fn has_crate(&self, name: &String) -> bool {
        self.modules.contains_key(std::slice::from_ref(name))
    }

    /// Returns whether the root of a crate of the workspace has that function, such as the code of an
    /// attribute.
    pub(super) fn has_function(&self, krate: &String, name: &str) -> bool {
        let roots = self.modules.get(std::slice::from_ref(krate));
        let mut scopes = roots.into_iter().flatten();
        scopes.any(|id| {
            let scope = self.scopes.get(*id);
            scope.is_some_and(|scope| scope.values.contains_key(name))
        })
    }

    /// Records an item.
    pub(super) fn declare(
        &mut self,
        scope: usize,
        name: &str,
        kind: NameKind,
        is_conditional: bool,
    ) {
        let Some(scope) = self.scopes.get_mut(scope) else {
            return;
        };
        let add = |names: &mut BTreeMap<String, IsConditional>| {
            let known = names.entry(name.to_owned()).or_insert(is_conditional);
            *known &= is_conditional;
        };
        match kind {
            NameKind::Value => add(&mut scope.values),
            NameKind::Type => add(&mut scope.types),
            NameKind::Both => {
                add(&mut scope.values);
                add(&mut scope.types);
            }
        }
    }

    /// Records a `use`.
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

    /// Returns whether a name may refer to one of these names in any scope. Most names do not, and
    /// need no resolution.
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

    /// Returns the new names of renamed imports that may refer to one of these names.
    pub(super) fn renamed_to(&self, is_one: impl Fn(&str) -> bool) -> Vec<String> {
        let names = self.renamed.keys();
        let names = names.filter(|name| self.can_be(name, &is_one));
        names.cloned().collect()
    }

    /// Records an `extern crate … as name`.
    pub(super) fn import_crate(&mut self, scope: usize, krate: &str, name: &str) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.add(name.to_owned(), vec![krate.to_owned()], false);
        }
    }

    /// Returns the full paths for a `path` in a scope, from the crate names. There is at least one,
    /// and there are several if a `cfg` chooses.
    pub(super) fn resolve(&self, scope: usize, path: &[String]) -> Paths {
        self.resolve_as(Wanted::default(), scope, path)
    }

    /// Returns the full paths for the `path` of a type.
    pub(super) fn resolve_type(&self, scope: usize, path: &[String]) -> Paths {
        self.resolve_as(Wanted::MODULE, scope, path)
    }

    /// Returns the full paths for the `path` of a macro. One from a glob import of another crate stays
    /// as it is, since that crate is not read.
    pub(super) fn resolve_macro(&self, scope: usize, path: &[String]) -> Paths {
        self.resolve_as(Wanted::MACRO, scope, path)
    }

    fn resolve_as(&self, wanted: Wanted, scope: usize, path: &[String]) -> Paths {
        let query = (scope, path.to_vec(), wanted);
        if let Some(found) = self.resolved.borrow().get(&query) {
            return found.clone();
        }
        let mut found = self.look(scope, path, wanted, &mut Known::new());
        if found.is_empty() {
            found.insert(path.to_vec());
        }
        // An attribute is no value.
        if !wanted.is_macro && found.iter().any(|path| !is_attribute(path)) {
            found.retain(|path| !is_attribute(path));
        }
        self.resolved.borrow_mut().insert(query, found.clone());
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
                // For `super::super`, the next segment is relative to that module.
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
            [] if wanted.is_macro => None,
            [] if !wanted.is_module => scope.values.get(first),
            _ => scope.types.get(first),
        };
        if declared.is_some() {
            found.extend(self.follow(join(&self.path_in(id, first)), wanted, known));
        }
        let mut is_sure = declared.is_some_and(|is_conditional| !is_conditional);
        for (import, is_conditional) in scope.imports.get(first).into_iter().flatten() {
            // If an item has the same name, the import is in the other namespace, unless a `cfg`
            // chooses.
            if declared.is_some() && !is_conditional {
                continue;
            }
            let paths = if import.first() == Some(first) {
                // `use axum;` refers to the crate, and not to itself.
                self.follow(scope.with_own_name(join(import)), wanted, known)
            } else {
                self.look(id, &join(import), wanted.anywhere(), known)
            };
            // A value with the name of an imported attribute may be behind a glob.
            let is_other = !wanted.is_macro && paths.iter().any(|path| is_attribute(path));
            is_sure |= !is_conditional && !is_other;
            found.extend(paths);
        }
        if is_sure {
            return found;
        }
        for glob in &scope.globs {
            // `use inner::*` does not import `inner`.
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
            None => self.follow(scope.with_own_name(path.to_vec()), wanted, known),
        }
    }

    /// Resolves a path through `use from::*`.
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
        let is_known = is_of_axum(&whole) || is_attribute(&whole);
        Paths::from_iter(is_known.then_some(whole))
    }

    /// Resolves a path that begins with a crate name; its end may be an import from elsewhere.
    fn follow(&self, path: Vec<String>, wanted: Wanted, known: &mut Known) -> Paths {
        let module = (1..path.len()).rev().find_map(|length| {
            let modules = self.modules.get(path.get(..length)?)?;
            Some((modules, path.get(length..)?))
        });
        let found: Paths = module.map_or_else(Paths::new, |(modules, rest)| {
            let modules = modules.iter();
            modules
                .flat_map(|module| self.look(*module, rest, wanted.inside(), known))
                .collect()
        });
        if found.is_empty() {
            return Paths::from([with_axum_first(path)]);
        }
        found
    }
}

/// Shortens a path that leads to axum through another crate, so that it begins with axum. The functions
/// of `axum::routing` are also in its module `method_routing`.
fn with_axum_first(path: Vec<String>) -> Vec<String> {
    let is_routing = |pair: &[String]| pair == ["axum", "routing"];
    let Some(index) = path.windows(2).position(is_routing) else {
        return path;
    };
    let mut path: Vec<String> = path.into_iter().skip(index).collect();
    if path.get(2).is_some_and(|module| module == "method_routing") {
        path.remove(2);
    }
    path
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

    /// Restores the own name of a crate in a path that begins with another name for it.
    fn with_own_name(&self, mut path: Vec<String>) -> Vec<String> {
        if let Some(first) = path.first_mut()
            && let Some((_, own)) = self.renamed.iter().find(|(name, _)| name == first)
        {
            own.clone_into(first);
        }
        path
    }
}
