//! A policy on an inline module, which every handler in it inherits.
//!
//! Items are parsed only as far as needed to tell them apart, so that a half-typed item still
//! reaches the compiler and the editor. Constructs that could hide a handler from the policy are
//! rejected.

mod calls;
mod items;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Meta, Path, Token, Visibility};

use self::calls::refuse_helpers;
pub use self::items::{Item, Kind};
use self::items::{items_of, next_item};
use crate::args::krate_in;
use crate::attribute::{
    is_inert, left_out, policy_attribute_by_any_path, policy_in_cfg_attr, policy_within,
    refuse_conditional_policy, renamed, with_left_out,
};
use crate::errors::Errors;
use crate::item::{refuse_depth, refuse_second_policy, too_deep};
use crate::requirement::Requires;
use crate::vocabulary::LoadedVocabulary;
use crate::{check, codes};

/// An inline module.
pub struct Module {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    inner: Vec<Attribute>,
    /// The items of the module.
    pub items: Vec<Item>,
    braces: Span,
    /// The place where the module is nested too deeply to be parsed; its items are empty then.
    too_deep: Option<Span>,
}

/// The arguments of an attribute: lists in braces with the arguments of the enclosing modules, and
/// then its own.
///
/// ```text
/// arguments := {inherited} own
/// inherited := { own } | { invalid {, crate = path} }
/// ```
///
/// The attribute of a module writes a list for each handler in the module. `invalid` replaces
/// arguments with mistakes, which are reported at the module only.
pub struct Arguments {
    /// The lists of the enclosing modules, outermost first.
    pub inherited: Vec<Group>,
    /// The arguments of the attribute itself.
    pub own: TokenStream,
}

impl Arguments {
    /// Separates the lists of the enclosing modules from the attribute's own arguments.
    pub fn read(arguments: TokenStream) -> Self {
        let mut arguments = arguments.into_iter().peekable();
        let mut inherited = Vec::new();
        while let Some(TokenTree::Group(list)) =
            arguments.next_if(|token| matches!(token, TokenTree::Group(list) if is_inherited(list)))
        {
            inherited.push(list);
        }
        Self {
            inherited,
            own: arguments.collect(),
        }
    }

    /// Reads all of the arguments together.
    pub fn requires(&self, found: Option<&LoadedVocabulary>, errors: &mut Errors) -> Requires {
        let modules = self.inherited.iter().map(Group::stream);
        let modules = modules.map(|list| match is_invalid(&list) {
            true => TokenStream::new(),
            false => list,
        });
        crate::within(modules.collect(), self.own.clone(), found, errors)
    }

    /// Returns the path of the runtime, if it is not `::auth_runtime`. The innermost attribute
    /// decides.
    pub fn krate(&self) -> Option<Path> {
        let inherited = self.inherited.iter().map(Group::stream);
        let mut lists = inherited.chain([self.own.clone()]).rev();
        lists.find_map(krate_in)
    }

    /// Returns the lists for the items of a module with this attribute.
    fn inherit(&self, is_valid: bool) -> TokenStream {
        let Self { inherited, own } = self;
        match is_valid {
            true if own.is_empty() => quote!(#(#inherited)*),
            true => quote!(#(#inherited)* { #own }),
            false => match self.krate() {
                Some(krate) => quote!({ invalid, crate = #krate }),
                None => quote!({ invalid }),
            },
        }
    }
}

/// Returns whether the group is the list of a module. A module always writes something into it.
fn is_inherited(list: &Group) -> bool {
    list.delimiter() == Delimiter::Brace && !list.stream().is_empty()
}

fn is_invalid(list: &TokenStream) -> bool {
    matches!(list.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "invalid")
}

impl Module {
    /// Reads a module; `None` if the item is something else.
    pub fn read(item: &TokenStream) -> Option<Self> {
        let parser = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            input.parse::<Token![mod]>()?;
            let name = input.parse()?;
            let body: Group = input.parse()?;
            Ok((attributes, visibility, name, body))
        };
        let (attributes, visibility, name, body) = parser.parse2(item.clone()).ok()?;
        if body.delimiter() != Delimiter::Brace {
            return None;
        }
        let too_deep = too_deep(item);
        let parser = |input: ParseStream<'_>| {
            let inner = input.call(Attribute::parse_inner).unwrap_or_default();
            let mut items = Vec::new();
            while !input.is_empty() {
                items.push(next_item(input));
            }
            Ok((inner, items))
        };
        let (inner, items) = if too_deep.is_some() {
            let all = Item {
                attributes: Vec::new(),
                kind: Kind::Other,
                rest: body.stream(),
            };
            (Vec::new(), vec![all])
        } else {
            parser.parse2(items_of(body.stream())).ok()?
        };
        Some(Self {
            attributes,
            visibility,
            name,
            inner,
            items,
            braces: body.span(),
            too_deep,
        })
    }

    /// Adds the policy of the module to each handler in it, and records mistakes.
    pub fn inherit(&mut self, arguments: &Arguments, requires: &Requires, errors: &mut Errors) {
        // A module has one policy of its own, as a handler has.
        refuse_second_policy(&mut self.attributes, "requires", errors);
        if let Some(span) = self.too_deep {
            refuse_depth(span, errors);
            return;
        }
        check::module(requires, errors);
        let policy = arguments.inherit(errors.is_empty());
        let krate = arguments.krate();
        let krate = krate.map_or_else(|| quote!(::auth_runtime), ToTokens::into_token_stream);
        self.give(&policy, &krate, errors);
    }

    fn give(&mut self, policy: &TokenStream, krate: &TokenStream, errors: &mut Errors) {
        refuse_helpers(&mut self.items, errors);
        let mut others = Vec::new();
        for item in &self.items {
            renamed(item.rest.clone(), &mut others);
        }
        for item in &mut self.items {
            item.take(policy, krate, &others, errors);
        }
    }
}

impl ToTokens for Module {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attributes,
            visibility,
            name,
            inner,
            items,
            braces,
            ..
        } = self;
        let mut body = Group::new(Delimiter::Brace, quote!(#(#inner)* #(#items)*));
        body.set_span(*braces);
        tokens.extend(quote!(#(#attributes)* #visibility mod #name #body));
    }
}

impl Item {
    /// Adds the policy, if it applies to this item. `others` are further names of policy
    /// attributes.
    fn take(
        &mut self,
        policy: &TokenStream,
        krate: &TokenStream,
        others: &[String],
        errors: &mut Errors,
    ) {
        if self.is_built_for_tests() {
            return;
        }
        let written = self.attributes.len();
        self.attributes.retain(|attribute| {
            let found = policy_in_cfg_attr(attribute);
            if let Some(span) = found {
                refuse_conditional_policy(span, errors);
            }
            found.is_none()
        });
        // A rejected attribute still counts as a policy: otherwise its absence would be reported as
        // well.
        let had_policy = self.attributes.len() < written;
        let is_test = self.is_test();
        if !is_test {
            self.refuse_what_is_out_of_reach(others, errors);
            refuse_debug_handler_above(&mut self.attributes, errors);
        }
        // A policy attribute that was found is reported already.
        if !matches!(self.kind, Kind::Module | Kind::Macro(_))
            && policy_within(self.rest.clone(), others).is_none()
            && let Some(marked) = with_left_out(&self.rest)
        {
            self.rest = marked;
        }
        for attribute in &mut self.attributes {
            if policy_attribute_by_any_path(attribute).is_some() {
                add(attribute, policy, errors);
            }
        }
        if self.has_policy() {
            return;
        }
        let takes_one = match self.kind {
            Kind::Module | Kind::Handler(_) => !is_test,
            Kind::UnitStruct(_) => had_policy,
            _ => false,
        };
        if takes_one {
            let added = syn::parse_quote!(#[#krate::requires(#policy)]);
            self.attributes.insert(0, added);
        } else if !self.attributes.iter().all(is_inert) {
            // One of them may be a policy attribute by another name.
            self.attributes.push(left_out());
        }
    }

    fn refuse_what_is_out_of_reach(&self, others: &[String], errors: &mut Errors) {
        match &self.kind {
            Kind::Module => {}
            Kind::FileModule(name) => errors.add(
                codes::OUT_OF_REACH,
                name.span(),
                format!(
                    "the policy of the module does not reach into a file; write `mod {name} {{ ... }}` \
                     here, or move `mod {name};` out of the module"
                ),
            ),
            Kind::Macro(path) => {
                let name = path.to_string().replace(' ', "");
                errors.add(
                    codes::OUT_OF_REACH,
                    path.span(),
                    format!(
                        "the policy of the module does not reach what `{name}!` writes; write the items \
                         out, or move the macro out of the module"
                    ),
                );
            }
            _ => {
                if let Some(span) = policy_within(self.rest.clone(), others) {
                    errors.add(
                        codes::OUT_OF_REACH,
                        span,
                        "the policy of the module does not reach a handler within another item; move \
                         the handler out of it, to the items of the module",
                    );
                }
            }
        }
    }
}

/// Records axum's `debug_handler` above a policy attribute, where it checks the function before the
/// guard is added, and removes it: it would report a missing argument as well.
fn refuse_debug_handler_above(attributes: &mut Vec<Attribute>, errors: &mut Errors) {
    let ours = attributes
        .iter()
        .enumerate()
        .find_map(|(index, attribute)| Some((index, policy_attribute_by_any_path(attribute)?)));
    let Some((index, policy)) = ours else { return };
    let checks = attributes.iter().take(index).position(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == "debug_handler")
    });
    if let Some(checks) = checks {
        let checks = attributes.remove(checks);
        let message = format!(
            "`debug_handler` checks the handler before `#[{policy}]` gives it its guard\n\
             help: put it below `#[{policy}]`"
        );
        errors.push(codes::GUARD.over(checks.path(), message));
    }
}

/// Puts the policy of the module in front of the attribute's own arguments.
fn add(attribute: &mut Attribute, policy: &TokenStream, errors: &mut Errors) {
    let own = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        Meta::NameValue(value) => {
            let name = value.path.to_token_stream().to_string().replace(' ', "");
            errors.add(
                codes::FORM,
                value.eq_token.span(),
                format!("expected parentheses behind `{name}`: write `#[{name}(...)]`"),
            );
            TokenStream::new()
        }
    };
    let Arguments { inherited, own } = Arguments::read(own);
    let path = attribute.path().to_token_stream();
    attribute.meta = syn::parse_quote!(#path(#(#inherited)* #policy #own));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::flattened;

    fn inherited_by(items: &str) -> String {
        let (inherited, messages) = attempted(items);
        assert_eq!(messages, Vec::<String>::new(), "{items}");
        inherited
    }

    fn attempted(items: &str) -> (String, Vec<String>) {
        let module = format!("mod m {{ {items} }}").parse().expect("tokens");
        let mut module = Module::read(&module).expect("a module");
        let mut errors = Errors::default();
        module.give(
            &quote!({ authenticated }),
            &quote!(::auth_runtime),
            &mut errors,
        );
        let tokens = module.to_token_stream().to_string();
        let inner = tokens
            .strip_prefix("mod m { ")
            .and_then(|rest| rest.strip_suffix(" }"));
        (inner.expect("a module").to_owned(), errors.messages())
    }

    fn tokens(text: &str) -> String {
        text.parse::<TokenStream>().expect("tokens").to_string()
    }

    #[test]
    fn handlers_get_the_policy_and_nothing_else_does() {
        let added = "#[::auth_runtime::requires({ authenticated })]";
        for item in [
            "async fn f() {}",
            "pub async fn f(Path(id): Path<u32>) -> Result<(), E> { half typed ( ) }",
            "pub(crate) async unsafe fn f<T: Send>(t: T) where T: Clone { }",
            "#[inline] async fn f() {}",
            "mod inner { async fn f() {} }",
        ] {
            let expected = tokens(&format!("{added} {item}"));
            assert_eq!(inherited_by(item), expected, "{item}");
        }
        for item in [
            "fn f() {}",
            "async fn helper(db: &Db) {}",
            "struct S;",
            "struct S { x: u8 }",
            "struct S(u8);",
            "enum E { A }",
            "impl S { async fn f() {} }",
            "trait T { async fn f(); }",
            "const C: S = S { x: 1 };",
            "const fn f() {}",
            "static S: u8 = { 1 };",
            "type T = u8;",
            "use a::{b, c};",
            "macro_rules! m { () => { async fn f() {} } }",
            "#[cfg(test)] mod tests { async fn f() {} }",
            "#[cfg(all(unix, test))] mod tests { async fn f() {} }",
            "async fn check(request: CheckRequest<'_>) -> bool {}",
            "async fn layer(request: Request, next: axum::middleware::Next) -> Response {}",
        ] {
            assert_eq!(inherited_by(item), tokens(item), "{item}");
        }
    }

    /// Each of these attributes may be a policy attribute by another name.
    #[test]
    fn what_gets_no_policy_is_marked_if_an_attribute_could_give_it_one() {
        for item in [
            "#[tokio::test] async fn t() {}",
            "#[test(scope = \"x\")] async fn t() {}",
            "#[test] mod m { async fn f() {} }",
            "#[derive(Clone)] struct S;",
            "#[doc = \"x\"] #[bench(scope = \"x\")] struct S;",
            "#[needs(scope = \"x\")] async fn f(next: Next) {}",
            "#[needs(scope = \"x\")] enum E {}",
        ] {
            let at = item.rfind("] ").map_or(0, |at| at + 1);
            let (attributes, rest) = item.split_at(at);
            let marked = format!("{attributes} #[rust_analyzer::auth_runtime_left_out] {rest}");
            assert_eq!(inherited_by(item), tokens(&marked), "{item}");
        }
        for item in [
            "#[doc = \"x\"] #[allow(dead_code)] #[cfg(unix)] struct S;",
            "#[inline] fn f() {}",
        ] {
            assert_eq!(inherited_by(item), tokens(item), "{item}");
        }
    }

    #[test]
    fn an_attribute_of_its_own_is_added_to() {
        for (item, expected) in [
            (
                r#"#[requires(scope = "x", hide_as = 404)] async fn f() {}"#,
                r#"#[requires({ authenticated } scope = "x", hide_as = 404)] async fn f() {}"#,
            ),
            (
                "#[doc = \"f\"] #[auth_runtime::requires] async fn f() {}",
                "#[doc = \"f\"] #[auth_runtime::requires({ authenticated })] async fn f() {}",
            ),
            (
                r#"#[public(reason = "x")] async fn f() {}"#,
                r#"#[public({ authenticated } reason = "x")] async fn f() {}"#,
            ),
            (
                r#"#[crate::auth::requires(scope = "x")] async fn f() {}"#,
                r#"#[crate::auth::requires({ authenticated } scope = "x")] async fn f() {}"#,
            ),
            (
                r#"#[requires(scope = "x")] struct S;"#,
                r#"#[requires({ authenticated } scope = "x")] struct S;"#,
            ),
        ] {
            assert_eq!(inherited_by(item), tokens(expected), "{item}");
        }
    }

    /// A module with two attributes, one of them by another name.
    #[test]
    fn inherited_lists_stay_in_front() {
        let module = quote!(
            mod m {
                #[::auth_runtime::requires({ role = "r" })]
                async fn f() {}
            }
        );
        let mut module = Module::read(&module).expect("a module");
        module.give(
            &quote!({ authenticated }),
            &quote!(::auth_runtime),
            &mut Errors::default(),
        );
        let given = module.to_token_stream().to_string();
        assert!(
            given.contains(r#"({ role = "r" } { authenticated })"#),
            "{given}"
        );
    }

    /// Reads the policy of a handler in nested modules. Their lists pass through text, as the
    /// plainest form of tokens.
    fn policy_within(modules: &[&str], own: &str) -> (Requires, Vec<String>) {
        let read = |inherited: &str, own: &str| {
            let mut errors = Errors::default();
            let arguments = Arguments::read(format!("{inherited} {own}").parse().expect("tokens"));
            let requires = arguments.requires(None, &mut errors);
            (arguments, requires, errors)
        };
        let mut inherited = String::new();
        for module in modules {
            let (arguments, _, errors) = read(&inherited, module);
            inherited = arguments.inherit(errors.is_empty()).to_string();
        }
        let (_, requires, errors) = read(&inherited, own);
        (requires.with_modules(), errors.messages())
    }

    #[test]
    fn inherited_arguments_are_plain_tokens() {
        for (modules, own, policy) in [
            (
                &[r#"role = "a", hide_as = 404"#, r#"network = "10.0.0.0/8""#][..],
                r#"scope = "x""#,
                r#"role = "a", network = "10.0.0.0/8", scope = "x", hide_as = 404"#,
            ),
            (&[r#"role = "a""#], "", r#"role = "a""#),
            (
                &[r#"role = "a""#],
                r#"role = "b", loosen = "why""#,
                r#"role = "b", loosen = "why""#,
            ),
        ] {
            let (requires, messages) = policy_within(modules, own);
            assert_eq!(messages, Vec::<String>::new(), "{own}");
            assert_eq!(requires.to_string(), policy, "{own}");
        }
    }

    #[test]
    fn invalid_arguments_are_reported_at_the_module_only() {
        for module in ["scop = 1", "", "any()", "invalid"] {
            for own in ["", r#"scope = "x""#] {
                let (_, messages) = policy_within(&[module], own);
                assert_eq!(messages, Vec::<String>::new(), "{module} {own}");
            }
        }
        let (requires, _) = policy_within(&["scop = 1"], "");
        assert!(requires.requirements.is_empty());
    }

    #[test]
    fn items_are_told_apart_wherever_they_end() {
        let items =
            "use a; async fn f() {} ; const C: T = T {}; struct A; async fn g() {} struct B {}";
        let added = inherited_by(items);
        assert_eq!(added.matches("requires").count(), 2, "{added}");
    }

    #[test]
    fn what_the_policy_would_not_reach_is_refused() {
        for (item, part) in [
            ("generate!();", "`generate!` writes"),
            ("generate! { async fn f() {} }", "`generate!` writes"),
            ("a::b!();", "`a::b!` writes"),
            ("include!(\"f.rs\");", "`include!` writes"),
            // A module or a macro may be called `macro_rules`.
            (
                "macro_rules::generate! { f }",
                "`macro_rules::generate!` writes",
            ),
            ("self::macro_rules! { f }", "`self::macro_rules!` writes"),
            ("macro_rules! { f }", "`macro_rules!` writes"),
            ("r#macro_rules! { f }", "`r#macro_rules!` writes"),
            ("mod file;", "into a file"),
            (
                "fn f() { #[requires(scope = \"x\")] async fn g() {} }",
                "within another item",
            ),
            (
                "async fn f() { #[a::public(reason = \"x\")] async fn g() {} }",
                "within another item",
            ),
            (
                "impl A { #[requires] async fn g() {} }",
                "within another item",
            ),
            (
                "macro_rules! m { () => { #[requires] async fn g() {} } }",
                "within another item",
            ),
            (
                "const A: () = { #[cfg_attr(x, requires(y))] async fn g() {} };",
                "within another item",
            ),
            (
                "#[cfg_attr(x, inline, auth_runtime::requires(y))] async fn f() {}",
                "`cfg_attr`",
            ),
            (
                "#[cfg_attr(x, cfg_attr(z, public(reason = \"y\")))] struct S;",
                "`cfg_attr`",
            ),
            (
                "#[requires = \"x\"] async fn f() {}",
                "expected parentheses",
            ),
            (
                "use auth_runtime::requires as needs; fn f() { #[needs(scope = \"x\")] async fn g() {} }",
                "within another item",
            ),
            (
                "fn f() { use a::{b, public as open}; #[open(reason = \"x\")] async fn g() {} }",
                "within another item",
            ),
            (
                "#[axum::debug_handler] #[requires(scope = \"x\")] async fn f() {}",
                "put it below",
            ),
            (
                "async fn f(x: u8) {} async fn g() { f(1).await }",
                "`f` is called",
            ),
            (
                "async fn f(x: u8) {} fn g() { async { self::f(1).await } }",
                "`f` is called",
            ),
        ] {
            let (_, messages) = attempted(item);
            let [message] = messages.as_slice() else {
                panic!("{item}: {messages:#?}");
            };
            assert!(message.contains(part), "{item}: {message}");
        }
    }

    #[test]
    fn what_only_looks_like_it_passes() {
        for item in [
            "fn f() { let text = \"#[requires]\"; x.requires(public); }",
            "fn f() { #[cfg_attr(requires, inline)] fn g() {} }",
            "impl !Send for X {}",
            "fn f() { x.g().await; other::g().await; g(1).await_me(); g(1).x }",
            "#[cfg(test)] generate!();",
            "#[requires(scope = \"x\")] #[axum::debug_handler] async fn f() {}",
            "#[axum::debug_handler] async fn f() {}",
        ] {
            inherited_by(&format!("{item} async fn g() {{}}"));
        }
    }

    #[test]
    fn invisible_groups_of_macros_are_seen_through() {
        let group = |text: &str| {
            let inner = text.parse().expect("tokens");
            TokenStream::from(TokenTree::from(Group::new(Delimiter::None, inner)))
        };
        let (own, item) = (
            group("#[requires(scope = \"x\")] async fn a() {}"),
            group("async fn b() {}"),
        );
        let (visibility, block, ty) = (group("pub"), group("{}"), group("u8"));
        let items = quote!(#own #item #visibility async fn c() -> #ty #block async fn d() #block);
        let added = items_of(items.clone());
        let expected = tokens(
            "#[requires(scope = \"x\")] async fn a() {} async fn b() {} pub async fn c() -> u8 {} async fn d() {}",
        );
        assert_eq!(flattened(added.clone()).to_string(), expected);
        let body = Group::new(Delimiter::Brace, items);
        let mut module = Module::read(&quote!(mod m #body)).expect("a module");
        module.give(
            &quote!({ authenticated }),
            &quote!(::auth_runtime),
            &mut Errors::default(),
        );
        let given = module.to_token_stream().to_string();
        assert_eq!(given.matches("{ authenticated }").count(), 4, "{given}");
    }

    #[test]
    fn items_within_others_are_marked_if_an_attribute_is_unknown() {
        const MARK: &str = "#[rust_analyzer::auth_runtime_left_out]";
        for (item, expected) in [
            (
                "fn f() { #[x] async fn g() {} }",
                "fn f() { #[x] M async fn g() {} }",
            ),
            (
                "fn f() { #[inline] #[a::x(y)] pub(crate) const unsafe extern \"C\" fn g() {} }",
                "fn f() { #[inline] #[a::x(y)] M pub(crate) const unsafe extern \"C\" fn g() {} }",
            ),
            (
                "const X: () = { #[x] struct S; };",
                "const X: () = { #[x] M struct S; };",
            ),
            (
                "fn f() { if !{ #[x] mod m {} true } {} }",
                "fn f() { if !{ #[x] M mod m {} true } {} }",
            ),
            ("impl S { #[x] fn g() {} }", "impl S { #[x] M fn g() {} }"),
            // Known attributes, other items, and the input of macros.
            (
                "fn f() { #[inline] fn g() {} }",
                "fn f() { #[inline] fn g() {} }",
            ),
            ("fn f() { #[x] let y = 1; }", "fn f() { #[x] let y = 1; }"),
            (
                "fn f() { m!(#[x] fn g() {}); }",
                "fn f() { m!(#[x] fn g() {}); }",
            ),
            (
                "macro_rules! m { () => { #[x] fn g() {} } }",
                "macro_rules! m { () => { #[x] fn g() {} } }",
            ),
            ("struct S { #[x] y: u8 }", "struct S { #[x] y: u8 }"),
        ] {
            let expected = expected.replace(" M ", &format!(" {MARK} "));
            assert_eq!(
                inherited_by(item).replace(' ', ""),
                expected.replace(' ', ""),
                "{item}"
            );
        }
    }

    #[test]
    fn inner_attributes_stay_at_the_top() {
        let (item, expected) = (
            "#![allow(x)] #![doc = \"y\"] async fn f() {}",
            "#![allow(x)] #![doc = \"y\"] #[::auth_runtime::requires({ authenticated })] async fn f() {}",
        );
        assert_eq!(
            inherited_by(item).replace(' ', ""),
            expected.replace(' ', "")
        );
    }
}
