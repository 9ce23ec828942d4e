//! The imports between the files of each package.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

use crate::packages::{published, text};

/// The path of a module, without the name of its crate. That of the root is empty.
type Module = Vec<String>;

/// The modules that each module imports.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// The imports of one file, and its re-exports by name. Those of its unit tests are left out.
#[derive(Default)]
struct Imports {
    module: Module,
    paths: Vec<(Module, Vec<String>)>,
    /// The names that paths begin with. A re-export that the file uses itself is an import as well.
    names: BTreeSet<(Module, String)>,
    exports: BTreeMap<(Module, String), Vec<String>>,
}

impl Visit<'_> for Imports {
    fn visit_item(&mut self, item: &Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !attributes.iter().any(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        let is_export = !matches!(item.vis, Visibility::Inherited);
        for (name, path) in leaves(&item.tree, &[]) {
            if is_export {
                let key = (self.module.clone(), name);
                self.exports.insert(key, path);
            } else {
                self.paths.push((self.module.clone(), path));
            }
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names = path.segments.iter().map(|it| it.ident.to_string());
        let names: Vec<String> = names.collect();
        if path.leading_colon.is_none() {
            self.names.insert((self.module.clone(), names[0].clone()));
            if names.len() > 1 {
                self.paths.push((self.module.clone(), names));
            }
        }
        visit::visit_path(self, path);
    }

    // `pub(in …)` names a module in which the item is visible, and imports nothing.
    fn visit_vis_restricted(&mut self, _: &syn::VisRestricted) {}
}

fn is_test(attribute: &Attribute) -> bool {
    let is_cfg_test =
        |list: &syn::MetaList| list.path.is_ident("cfg") && list.tokens.to_string() == "test";
    attribute.meta.require_list().is_ok_and(is_cfg_test)
}

/// Returns the names that a `use` brings into scope, and their paths.
fn leaves(tree: &UseTree, before: &[String]) -> Vec<(String, Vec<String>)> {
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident)),
        UseTree::Name(name) => vec![(name.ident.to_string(), with(&name.ident))],
        UseTree::Rename(rename) => vec![(rename.rename.to_string(), with(&rename.ident))],
        UseTree::Glob(_) => vec![("*".to_owned(), before.to_vec())],
        UseTree::Group(group) => group
            .items
            .iter()
            .flat_map(|it| leaves(it, before))
            .collect(),
    }
}

/// The files of a package by their modules.
struct Files<'s> {
    modules: BTreeSet<&'s Module>,
    exports: BTreeMap<(Module, String), Vec<String>>,
}

impl Files<'_> {
    /// Returns the file that declares the item at `path`, as it is written in `module`.
    fn declaring(&self, module: &[String], path: &[String], depth: usize) -> Option<Module> {
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (module.to_vec(), &path[1..]),
            "super" => (module.to_vec(), path),
            first => {
                let child = [module, &[first.to_owned()]].concat();
                if !self.modules.contains(&child) {
                    return None;
                }
                (module.to_vec(), path)
            }
        };
        while rest.first().is_some_and(|name| name == "super") {
            at.pop();
            rest = &rest[1..];
        }
        while let Some(name) = rest.first() {
            let child = [&at[..], std::slice::from_ref(name)].concat();
            if self.modules.contains(&child) {
                (at, rest) = (child, &rest[1..]);
                continue;
            }
            let exported = self.exports.get(&(at.clone(), name.clone()));
            if let Some(exported) = exported.filter(|_| depth < 8) {
                return self.declaring(&at, exported, depth + 1);
            }
            break;
        }
        // The module may be within its file.
        while !self.modules.contains(&at) {
            at.pop();
        }
        Some(at)
    }
}

/// Returns the files that each file imports.
fn imports(sources: &BTreeMap<Module, String>) -> Graph {
    let mut exports = BTreeMap::new();
    let mut paths = BTreeMap::new();
    for (module, text) in sources {
        let file = syn::parse_file(text).expect("Rust");
        let mut imports = Imports {
            module: module.clone(),
            ..Imports::default()
        };
        imports.visit_file(&file);
        for (name, path) in &imports.exports {
            if imports.names.contains(name) {
                imports.paths.push((name.0.clone(), path.clone()));
            }
        }
        exports.extend(imports.exports);
        paths.insert(module, imports.paths);
    }
    let files = Files {
        modules: sources.keys().collect(),
        exports,
    };
    paths
        .into_iter()
        .map(|(file, paths)| {
            let declaring = paths
                .iter()
                .filter_map(|(module, path)| files.declaring(module, path, 0));
            let others = declaring.filter(|other| other != file).collect();
            (file.clone(), others)
        })
        .collect()
}

/// Returns the imports of modules from their siblings, by the files within both.
fn between_siblings(files: &Graph) -> Graph {
    let mut siblings = Graph::new();
    for (file, imported) in files {
        for other in imported {
            let parents = file.iter().zip(other).take_while(|(a, b)| a == b).count();
            let module = |file: &Module| file.get(..=parents).map(<[String]>::to_vec);
            if let (Some(one), Some(other)) = (module(file), module(other)) {
                siblings.entry(one).or_default().insert(other);
            }
        }
    }
    siblings
}

/// Returns those that import themselves through others.
fn circles(graph: &Graph) -> Vec<String> {
    let reached = |from: &Module| {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Module> = graph[from].iter().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(graph.get(module).into_iter().flatten());
            }
        }
        reached.contains(from)
    };
    let within = graph.keys().filter(|module| reached(module));
    within.map(|module| module.join("::")).collect()
}

/// Reads the files of a folder and of its subfolders.
pub(crate) fn read(folder: &Path, module: &[String], sources: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.expect("UTF-8").to_owned();
        let inner = match name.as_str() {
            "lib" | "main" => module.to_vec(),
            _ => [module, &[name]].concat(),
        };
        if path.is_dir() {
            read(&path, &inner, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.insert(inner, fs::read_to_string(&path).expect("a file"));
        }
    }
}

#[test]
fn imports_have_no_circle() {
    let within = published().into_iter().flat_map(|package| {
        let manifest = Path::new(text(&package["manifest_path"]));
        let mut sources = BTreeMap::new();
        read(&manifest.with_file_name("src"), &[], &mut sources);
        let files = imports(&sources);
        let within = [circles(&between_siblings(&files)), circles(&files)].concat();
        within
            .into_iter()
            .map(|module| format!("{}: {module}", text(&package["name"])))
    });
    assert_eq!(within.collect::<Vec<_>>(), [""; 0]);
}

/// Returns the imports of these files.
fn imports_of(files: &[(&str, &str)]) -> Graph {
    let files = files.iter().map(|(path, text)| {
        let names = path.split("::").filter(|name| !name.is_empty());
        (names.map(str::to_owned).collect(), (*text).to_owned())
    });
    imports(&files.collect())
}

#[test]
fn circles_of_files_are_found() {
    let files = |files: &[(&str, &str)]| circles(&imports_of(files));
    let root = ("", "mod a; mod b; pub use crate::a::A;");
    let a = "use super::b::B; pub struct A(B);";
    assert_eq!(files(&[root, ("a", a), ("b", "pub struct B;")]), [""; 0]);
    for b in [
        "use crate::A; pub struct B(Option<Box<A>>);",
        "pub struct B(Option<Box<super::a::A>>);",
        "mod inner { use super::super::a::A; pub struct B(Option<Box<A>>); } pub use self::inner::B;",
    ] {
        assert_eq!(files(&[root, ("a", a), ("b", b)]), ["a", "b"], "{b}");
    }
    let of_tests = "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }";
    assert_eq!(files(&[root, ("a", a), ("b", of_tests)]), [""; 0]);
    let child = ("a::c", "use super::A; fn f(_: A) {}");
    let parent = "mod c; pub struct A; fn g(a: A) { c::f(a); }";
    assert_eq!(
        files(&[root, ("a", parent), child, ("b", "")]),
        ["a", "a::c"]
    );
}

#[test]
fn re_exports_count_where_used() {
    let root = ("", "mod a; mod b;");
    let b = ("b", "use super::a::A; pub struct B(A);");
    for (a, within) in [
        ("pub use super::b::B; pub struct A;", vec![]),
        (
            "pub use super::b::B; pub struct A; fn f(_: B) {}",
            vec!["a", "b"],
        ),
        (
            "pub use super::b::B; pub struct A; fn f() { B::new(); }",
            vec!["a", "b"],
        ),
    ] {
        assert_eq!(circles(&imports_of(&[root, ("a", a), b])), within, "{a}");
    }
}

#[test]
fn circles_of_modules_are_found() {
    let modules = |c: &str| {
        let files = imports_of(&[
            ("", "mod a; mod b;"),
            ("a", "pub mod one; pub mod two;"),
            (
                "a::one",
                "use crate::b::B; use super::two::C; struct A(B, C);",
            ),
            ("a::two", "pub struct C;"),
            ("b", "pub mod c; pub struct B;"),
            ("b::c", c),
        ]);
        assert_eq!(circles(&files), [""; 0]);
        circles(&between_siblings(&files))
    };
    assert_eq!(modules(""), [""; 0]);
    assert_eq!(modules("use crate::a::two::C;"), ["a", "b"]);
}
