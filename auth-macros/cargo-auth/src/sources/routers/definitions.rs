//! The items that routes refer to: functions, extractors and constants.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use syn::punctuated::Punctuated;
use syn::{
    Attribute, Block, Expr, ImplItem, Item, ItemImpl, ItemType, Meta, Signature, Token, TraitItem,
    Type, Visibility,
};

use super::value::Router;
use crate::sources::expressions::{literal, segments_of, start_of};
use crate::sources::mount::FunctionPlace;
use crate::sources::names::Names;
use crate::sources::record::{ReadItem, Sources};
use crate::sources::routing::{is_plain_router, is_router, is_router_type};
use crate::sources::text::{any_word, named, type_text};

/// A function, or a method.
pub(super) struct Function<'s> {
    /// The path from the name of the crate.
    pub(super) path: String,
    pub(super) file: &'s str,
    pub(super) scope: usize,
    /// The path of the type that it is a method of.
    pub(super) owner: Option<Vec<String>>,
    pub(super) attributes: &'s [Attribute],
    pub(super) signature: &'s Signature,
    pub(super) block: &'s Block,
    pub(super) is_selected: bool,
    /// True if other crates can name it, as far as its own visibility tells. Methods of traits can be
    /// called without a name.
    pub(super) is_public: bool,
    /// True if several types have it: a default method, or one of `impl<T> Trait for T`.
    is_shared: bool,
    /// The values of its variables by name: the last one of each name. Read once, since each layer of a long chain
    /// may be a variable.
    pub(super) inits: OnceCell<BTreeMap<String, &'s Expr>>,
}

/// A constant or a static, and the scope of the names in its value.
#[derive(Clone, Copy)]
pub(super) struct Constant<'s> {
    pub(super) file: &'s str,
    pub(super) scope: usize,
    pub(super) is_selected: bool,
    pub(super) value: &'s Expr,
}

/// A type alias, and the scope of its names.
pub(super) struct TypeAlias<'s> {
    pub(super) scope: usize,
    pub(super) item: &'s ItemType,
}

/// The scope of the names in an expression.
#[derive(Clone, Copy)]
pub(in super::super) struct NameScope<'a> {
    pub(in super::super) scope: usize,
    /// The path of the type that is called `Self`.
    pub(in super::super) owner: Option<&'a Vec<String>>,
}

/// All items, by their paths.
pub(in super::super) struct Definitions<'s> {
    pub(super) sources: &'s Sources,
    pub(super) functions: Vec<Function<'s>>,
    /// The functions by path: several, if a `cfg` chooses.
    by_path: BTreeMap<String, Vec<usize>>,
    by_place: BTreeMap<FunctionPlace, usize>,
    /// The functions with a receiver, by name.
    methods: BTreeMap<String, Vec<usize>>,
    /// The functions that several types have, by name.
    shared: BTreeMap<String, Vec<usize>>,
    /// The implementations of `FromRequest` and `FromRequestParts`, by type.
    extractors: BTreeMap<String, &'s ItemImpl>,
    pub(super) constants: BTreeMap<String, Constant<'s>>,
    aliases: BTreeMap<String, TypeAlias<'s>>,
    /// The names of the aliases of routers.
    pub(super) router_aliases: BTreeSet<String>,
    /// The paths of types with `#[typed_path("…")]`.
    typed_paths: BTreeMap<String, String>,
    /// The functions that were read, with the depth of the search, and whether they refuse callers.
    pub(super) refusing: RefCell<BTreeMap<(String, usize), bool>>,
}

impl<'s> Definitions<'s> {
    pub(in super::super) fn of(sources: &'s Sources) -> Self {
        let mut all = Self {
            sources,
            functions: Vec::new(),
            by_path: BTreeMap::new(),
            by_place: BTreeMap::new(),
            methods: BTreeMap::new(),
            shared: BTreeMap::new(),
            extractors: BTreeMap::new(),
            constants: BTreeMap::new(),
            aliases: BTreeMap::new(),
            router_aliases: BTreeSet::new(),
            typed_paths: BTreeMap::new(),
            refusing: RefCell::default(),
        };
        for read in &sources.items {
            let path = sources.names.path_in(read.scope, "");
            if !path.first().is_some_and(|krate| is_framework(krate)) {
                all.add(read);
            }
        }
        let aliases = all.aliases.values().map(|alias| alias.item);
        let aliases = aliases.filter(|alias| all.mentions_router(&alias.ty));
        all.router_aliases = aliases.map(|alias| named(&alias.ident)).collect();
        for (index, function) in all.functions.iter().enumerate() {
            let known = all.by_path.entry(function.path.clone()).or_default();
            // A file can belong to several crates.
            let others = known.iter().filter_map(|index| all.functions.get(*index));
            if !others.map(Function::place).any(|it| it == function.place()) {
                known.push(index);
            }
            all.by_place.insert(function.place(), index);
            if function.is_shared {
                let name = named(&function.signature.ident);
                all.shared.entry(name).or_default().push(index);
            }
            if function.signature.receiver().is_some() {
                let name = named(&function.signature.ident);
                all.methods.entry(name).or_default().push(index);
            }
        }
        all
    }

    fn add(&mut self, read: &'s ReadItem) {
        let path = |name| self.sources.names.path_in(read.scope, &named(name));
        match &read.item {
            Item::Fn(item) => self.functions.push(Function {
                path: path(&item.sig.ident).join("::"),
                file: &read.file,
                scope: read.scope,
                owner: None,
                attributes: &item.attrs,
                signature: &item.sig,
                block: &item.block,
                is_selected: read.is_selected,
                is_public: matches!(item.vis, Visibility::Public(_)),
                is_shared: false,
                inits: OnceCell::new(),
            }),
            Item::Impl(item) => self.add_methods(read, item),
            Item::Trait(item) => {
                let owner = path(&item.ident);
                for member in &item.items {
                    if let TraitItem::Fn(function) = member
                        && let Some(block) = &function.default
                    {
                        let (attributes, signature) = (&function.attrs, &function.sig);
                        let method = self.method_of(read, &owner, attributes, signature, block);
                        self.functions.push(Function {
                            is_public: true,
                            is_shared: true,
                            ..method
                        });
                    }
                }
            }
            Item::Const(item) => {
                let constant = Constant::of(read, &item.expr);
                self.constants
                    .insert(path(&item.ident).join("::"), constant);
            }
            Item::Static(item) => {
                let constant = Constant::of(read, &item.expr);
                self.constants
                    .insert(path(&item.ident).join("::"), constant);
            }
            Item::Type(item) => {
                let alias = TypeAlias {
                    scope: read.scope,
                    item,
                };
                self.aliases.insert(path(&item.ident).join("::"), alias);
            }
            Item::Struct(item) => {
                if let Some(text) = item.attrs.iter().find_map(typed_path) {
                    self.typed_paths.insert(path(&item.ident).join("::"), text);
                }
            }
            _ => {}
        }
    }

    fn add_methods(&mut self, read: &'s ReadItem, item: &'s ItemImpl) {
        let owner = match &*item.self_ty {
            Type::Path(owner) => self.resolve_type(read.scope, None, &segments_of(&owner.path)),
            other => vec![type_text(other)],
        };
        if let Some((of, _)) = &item.trait_
            && let Some(last) = of.segments.last()
            && matches!(
                named(&last.ident).as_str(),
                "FromRequest" | "FromRequestParts"
            )
        {
            self.extractors.insert(owner.join("::"), item);
        }
        let mut parameters = item.generics.type_params();
        let is_shared = parameters.any(|it| owner.ends_with(&[named(&it.ident)]));
        for member in &item.items {
            match member {
                ImplItem::Fn(function) => {
                    let (attributes, signature) = (&function.attrs, &function.sig);
                    let block = &function.block;
                    let method = self.method_of(read, &owner, attributes, signature, block);
                    let is_visible = matches!(function.vis, Visibility::Public(_));
                    self.functions.push(Function {
                        is_public: is_visible || item.trait_.is_some(),
                        is_shared,
                        ..method
                    });
                }
                ImplItem::Const(constant) => {
                    let path = format!("{}::{}", owner.join("::"), named(&constant.ident));
                    self.constants
                        .insert(path, Constant::of(read, &constant.expr));
                }
                _ => {}
            }
        }
    }

    fn method_of(
        &self,
        read: &'s ReadItem,
        owner: &[String],
        attributes: &'s [Attribute],
        signature: &'s Signature,
        block: &'s Block,
    ) -> Function<'s> {
        Function {
            path: format!("{}::{}", owner.join("::"), named(&signature.ident)),
            file: &read.file,
            scope: read.scope,
            owner: Some(owner.to_vec()),
            attributes,
            signature,
            block,
            is_selected: read.is_selected,
            is_public: false,
            is_shared: false,
            inits: OnceCell::new(),
        }
    }

    /// Returns the full path for a path in a scope: the first one, if a `cfg` chooses.
    pub(super) fn resolve(&self, scope: usize, path: &[String]) -> Vec<String> {
        self.resolve_in(scope, None, path)
    }

    /// Returns the full path of a type.
    pub(super) fn resolve_type(
        &self,
        scope: usize,
        owner: Option<&Vec<String>>,
        path: &[String],
    ) -> Vec<String> {
        if let (Some(owner), [only]) = (owner, path)
            && only == "Self"
        {
            return owner.clone();
        }
        let paths = self.sources.names.resolve_type(scope, path);
        paths.into_iter().next().unwrap_or_else(|| path.to_vec())
    }

    /// Returns the full path for a path in a function, where `Self` has a meaning.
    pub(super) fn resolve_in(
        &self,
        scope: usize,
        owner: Option<&Vec<String>>,
        path: &[String],
    ) -> Vec<String> {
        let paths = self.paths_in(scope, owner, path);
        paths.into_iter().next().unwrap_or_else(|| path.to_vec())
    }

    /// Returns all full paths for a path in a function: several, if a `cfg` chooses.
    pub(super) fn paths_in(
        &self,
        scope: usize,
        owner: Option<&Vec<String>>,
        path: &[String],
    ) -> BTreeSet<Vec<String>> {
        match (path.split_first(), owner) {
            (Some((first, rest)), Some(owner)) if first == "Self" => {
                BTreeSet::from([[owner, rest].concat()])
            }
            _ => self.sources.names.resolve(scope, path),
        }
    }

    pub(in super::super) fn names(&self) -> &'s Names {
        &self.sources.names
    }

    /// Returns the path of the type that the function at a place calls `Self`.
    pub(in super::super) fn owner_at(&self, place: &FunctionPlace) -> Option<&Vec<String>> {
        self.owner_of(*self.by_place.get(place)?)
    }

    /// Returns the path of the type that a function calls `Self`.
    pub(super) fn owner_of(&self, function: usize) -> Option<&Vec<String>> {
        self.functions.get(function)?.owner.as_ref()
    }

    /// Returns whether a path in a function can mean an `async fn`.
    pub(in super::super) fn is_async(&self, name_scope: NameScope<'_>, path: &[String]) -> bool {
        let mut functions = self.functions_in(name_scope.scope, name_scope.owner, path);
        functions.any(|index| {
            let function = self.functions.get(index);
            function.is_some_and(|it| it.signature.asyncness.is_some())
        })
    }

    pub(super) fn function(&self, path: &[String]) -> Option<usize> {
        self.by_path.get(&path.join("::"))?.first().copied()
    }

    /// Returns the functions that a path in a function can mean, as far as they make routers.
    pub(super) fn router_makers(
        &self,
        scope: usize,
        owner: Option<&Vec<String>>,
        path: &[String],
    ) -> Vec<usize> {
        let functions = self.functions_in(scope, owner, path);
        functions
            .filter(|index| self.makes_router(*index))
            .collect()
    }

    /// Returns the functions that a path in a function can mean.
    pub(super) fn functions_in(
        &self,
        scope: usize,
        owner: Option<&Vec<String>>,
        path: &[String],
    ) -> impl Iterator<Item = usize> {
        let paths = self.paths_in(scope, owner, path).into_iter();
        let functions = paths.filter_map(|path| self.by_path.get(&path.join("::")));
        functions.flatten().copied()
    }

    /// Returns the function of that name that a type has through a trait, if it is the only one.
    pub(super) fn shared(&self, name: &str) -> Option<usize> {
        match self.shared.get(name)?.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Returns the method of that name, if it is the only one that returns a router.
    pub(super) fn method(&self, name: &str) -> Option<usize> {
        let all = self.methods.get(name)?.iter();
        let mut makes = all.filter(|index| self.makes_router(**index));
        match (makes.next(), makes.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    }

    /// Returns the new router, if a path is a function that makes one, also by an alias of its type.
    pub(super) fn new_router<'r>(&self, path: &[String]) -> Option<Router<'r>> {
        let aliased = || {
            let (name, ty) = path.split_last()?;
            let alias = self.alias(ty)?;
            let Type::Path(written) = &*alias.item.ty else {
                return None;
            };
            let mut whole = self.resolve_type(alias.scope, None, &segments_of(&written.path));
            whole.push(name.clone());
            Some(whole)
        };
        let whole = aliased().unwrap_or_else(|| path.to_vec());
        (is_router(path) || is_router(&whole)).then(|| Router {
            routes: Vec::new(),
            is_plain: is_plain_router(&whole),
            is_guarded: whole.iter().any(|name| name == "GuardedRouter"),
            has_more: false,
        })
    }

    /// Returns the methods of that name.
    pub(super) fn methods(&self, name: &str) -> Vec<&Function<'s>> {
        let all = self.methods_named(name);
        all.filter_map(|index| self.functions.get(index)).collect()
    }

    pub(super) fn methods_named(&self, name: &str) -> impl Iterator<Item = usize> {
        self.methods.get(name).into_iter().flatten().copied()
    }

    pub(super) fn extractor(&self, path: &[String]) -> Option<&'s ItemImpl> {
        self.extractors.get(&path.join("::")).copied()
    }

    /// Returns the methods of an implementation.
    pub(super) fn methods_of(&self, item: &ItemImpl) -> Vec<&Function<'s>> {
        let blocks = item.items.iter().filter_map(|member| match member {
            ImplItem::Fn(function) => Some(&function.block),
            _ => None,
        });
        let blocks: Vec<&Block> = blocks.collect();
        let is_one = |it: &&Function<'_>| blocks.iter().any(|block| std::ptr::eq(*block, it.block));
        self.functions.iter().filter(is_one).collect()
    }

    pub(super) fn constant(&self, path: &[String]) -> Option<Constant<'s>> {
        self.constants.get(&path.join("::")).copied()
    }

    pub(super) fn alias(&self, path: &[String]) -> Option<&TypeAlias<'s>> {
        self.aliases.get(&path.join("::"))
    }

    /// Returns whether the result of a function may have routes, or be a layer, by the name of its
    /// type.
    pub(super) fn makes_router(&self, index: usize) -> bool {
        let function = self.functions.get(index);
        function.is_some_and(|function| {
            let syn::ReturnType::Type(_, ty) = &function.signature.output else {
                return false;
            };
            let owner = function.owner.as_ref().and_then(|owner| owner.last());
            let is_own = || owner.is_some_and(|it| is_router_type(it)) && type_text(ty) == "Self";
            self.mentions_router(ty) || is_own()
        })
    }

    /// Returns whether a type is a router, or contains one.
    pub(super) fn mentions_router(&self, ty: &Type) -> bool {
        any_word(ty, &|name| {
            is_router_type(name)
                || name.starts_with("IntoMakeService")
                || name == "Routes"
                || self.router_aliases.contains(name)
        })
    }

    pub(super) fn typed_path(&self, path: &[String]) -> Option<&String> {
        self.typed_paths.get(&path.join("::"))
    }
}

impl<'s> Constant<'s> {
    fn of(read: &'s ReadItem, value: &'s Expr) -> Self {
        Self {
            file: &read.file,
            scope: read.scope,
            is_selected: read.is_selected,
            value,
        }
    }
}

impl Function<'_> {
    pub(super) fn place(&self) -> FunctionPlace {
        (self.file.to_owned(), start_of(self.block))
    }

    /// Returns whether its result is a text, by the name of its type.
    pub(super) fn makes_text(&self) -> bool {
        let syn::ReturnType::Type(_, ty) = &self.signature.output else {
            return false;
        };
        matches!(type_text(ty).as_str(), "&str" | "String" | "Cow<str>")
    }
}

/// Returns whether a crate has the functions and types of routers. They are known without their sources,
/// which are in the workspace of a clone.
fn is_framework(krate: &str) -> bool {
    matches!(
        krate,
        "auth_runtime"
            | "auth_runtime_axum"
            | "auth_runtime_axum_extra"
            | "auth_runtime_utoipa"
            | "axum"
    )
}

/// Returns the text of `#[typed_path("…")]`.
fn typed_path(attribute: &Attribute) -> Option<String> {
    let Meta::List(list) = &attribute.meta else {
        return None;
    };
    if !list.path.is_ident("typed_path") {
        return None;
    }
    let arguments = list
        .parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated)
        .ok()?;
    literal(arguments.first()?)
}
