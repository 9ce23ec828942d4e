//! Tests of policies on modules.

use proc_macro2::TokenTree;

use super::*;
use crate::tokens::flattened;

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
fn only_handlers_get_the_policy() {
    let added = "#[::auth_runtime::requires({ authenticated })]";
    for item in [
        "async fn f() {}",
        "pub async fn f(Path(id): Path<u32>) -> Result<(), E> { half typed ( ) }",
        "async fn f(#[cfg(feature = \"x\")] next: Next, #[cfg_attr(x, cfg(y))] text: &str) {}",
        "pub(crate) async unsafe fn f<T: Send>(t: T) where T: Clone { }",
        "#[inline] async fn f() {}",
        "mod inner { async fn f() {} }",
        // Syntax that the parser does not know.
        "async fn f(x: u8 = 1) {}",
        "pub async fn f(x: u8 = 1) -> u8 { 1 }",
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
        "async fn layer(request: Request, #[allow(unused)] next: Next) -> Response {}",
        "#[cfg(test)] #[requires(scope = \"x\")] async fn f() {}",
        "fn f(x: u8 = 1) {}",
        "const X: fn(u8) = { async fn f(x: u8) {} f };",
    ] {
        assert_eq!(inherited_by(item), tokens(item), "{item}");
    }
}

/// Each of these attributes may be a policy attribute by another name.
#[test]
fn items_without_the_policy_are_marked() {
    for item in [
        "#[tokio::test] async fn t() {}",
        "#[test(scope = \"x\")] async fn t() {}",
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
    // A module takes the policy, whatever its attributes are called.
    let module = "#[test] mod m { async fn f() {} }";
    let guarded = format!("#[::auth_runtime::requires({{ authenticated }})] {module}");
    assert_eq!(inherited_by(module), tokens(&guarded));
    for item in [
        "#[doc = \"x\"] #[allow(dead_code)] #[cfg(unix)] struct S;",
        "#[inline] fn f() {}",
    ] {
        assert_eq!(inherited_by(item), tokens(item), "{item}");
    }
}

#[test]
fn own_attributes_are_added_to() {
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
        (
            &[r#"role = "a""#, r#"role = "b", loosen = "why""#],
            r#"scope = "x""#,
            r#"role = "b", scope = "x", loosen = "why""#,
        ),
    ] {
        let (requires, messages) = policy_within(modules, own);
        assert_eq!(messages, Vec::<String>::new(), "{own}");
        assert_eq!(requires.to_string(), policy, "{own}");
    }
}

#[test]
fn invalid_module_arguments_are_reported_there() {
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
fn items_are_separated_wherever_they_end() {
    let items = "use a; async fn f() {} ; const C: T = T {}; struct A; async fn g() {} struct B {}";
    let added = inherited_by(items);
    assert_eq!(added.matches("requires").count(), 2, "{added}");
    // Each of these ends before the handler.
    let handler = "#[::auth_runtime::requires({ authenticated })] async fn f() {}";
    for item in [
        "const fn c() {}",
        "const unsafe fn c() {}",
        "pub const C: T = T { x: 1 };",
        "const _: () = {};",
        "const C: u8 = if A { 1 } else { 2 };",
        "const C: u8 = if A { 1 } else if cfg!(a) { 2 } else { 3 };",
        "static S: u8 = { 1 };",
        "type T = A<{ 1 }>;",
        "use a::{b, c};",
        "struct S { x: u8 }",
        "struct S(u8);",
        "enum E { A }",
        "impl S { fn g() {} }",
    ] {
        let written = format!("{item} async fn f() {{}}");
        let expected = tokens(&format!("{item} {handler}"));
        assert_eq!(inherited_by(&written), expected, "{item}");
    }
}

#[test]
fn unreachable_items_are_refused() {
    for (item, part) in [
        ("generate!();", "`generate!`"),
        ("generate! { async fn f() {} }", "`generate!`"),
        ("a::b!();", "`a::b!`"),
        ("include!(\"f.rs\");", "`include!`"),
        // A module or a macro may be called `macro_rules`.
        ("macro_rules::generate! { f }", "`macro_rules::generate!`"),
        ("self::macro_rules! { f }", "`self::macro_rules!`"),
        ("macro_rules! { f }", "`macro_rules!`"),
        ("r#macro_rules! { f }", "`r#macro_rules!`"),
        ("mod file;", "another file"),
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
            "fn f() { #![requires(scope = \"x\")] }",
            "within another item",
        ),
        (
            "#[requires = \"x\"] async fn f() {}",
            "expected parentheses",
        ),
        (
            "use auth_runtime::requires as needs; fn f() { #[needs(scope = \"x\")] async fn g() \
             {} }",
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
            "called as a function",
        ),
        (
            "async fn f(x: u8) {} fn g() { async { self::f(1).await } }",
            "called as a function",
        ),
        (
            "async fn f(x: u8) {} async fn g() { let mut x = f(1).await; }",
            "called as a function",
        ),
        (
            "async fn f(x: u8) {} async fn g() { S { a: &f(1).await } }",
            "called as a function",
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
fn lookalikes_pass() {
    for item in [
        "fn f() { let text = \"#[requires]\"; x.requires(public); }",
        "fn f() { #[cfg_attr(requires, inline)] fn g() {} }",
        "fn f() { let a = [requires]; b![requires]; }",
        "fn f() { #[path = requires] fn g() {} }",
        "mod inner { #[requires(scope = \"x\")] async fn f() {} }",
        "impl !Send for X {}",
        "fn f() { x.g().await; other::g().await; g(1).await_me(); g(1).x }",
        "#[cfg(test)] generate!();",
        "#[requires(scope = \"x\")] #[axum::debug_handler] async fn f() {}",
        "#[axum::debug_handler] async fn f() {}",
    ] {
        inherited_by(&format!("{item} async fn g() {{}}"));
    }
}

/// The policy of the module takes the place of a rejected policy, and other structs receive none.
#[test]
fn rejected_policy_of_struct_is_replaced() {
    let (given, messages) = attempted("#[cfg_attr(x, requires(y))] struct S; struct T;");
    assert_eq!(messages.len(), 1, "{messages:?}");
    let expected = "#[::auth_runtime::requires({ authenticated })] struct S; struct T;";
    assert_eq!(given, tokens(expected));
}

/// A macro passes the name of an attribute in an invisible group.
#[test]
fn invisible_groups_keep_names_of_attributes() {
    for (name, is_policy) in [
        ("requires", true),
        ("auth::public", true),
        ("inline", false),
    ] {
        let inner = name.parse().expect("tokens");
        let name = Group::new(Delimiter::None, inner);
        let items = quote!(fn f() { #[#name] async fn g() {} });
        let body = Group::new(Delimiter::Brace, items);
        let mut module = Module::read(&quote!(mod m #body)).expect("a module");
        let mut errors = Errors::default();
        module.give(
            &quote!({ authenticated }),
            &quote!(::auth_runtime),
            &mut errors,
        );
        assert_eq!(errors.messages().len(), usize::from(is_policy), "{name}");
        let given = module.to_token_stream().to_string();
        assert!(!given.contains("left_out"), "{given}");
    }
}

#[test]
fn invisible_groups_of_macros_are_read() {
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
        "#[requires(scope = \"x\")] async fn a() {} async fn b() {} pub async fn c() -> u8 {} \
         async fn d() {}",
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

/// Without them, other operands would belong together.
#[test]
fn invisible_groups_within_an_item_stay() {
    for inner in ["Vec<u8>", "1 + 2", "{ 1 } + 2", "N"] {
        let inner = inner.parse().expect("tokens");
        let group = Group::new(Delimiter::None, inner);
        let items = quote!(const A: u8 = #group * 2;);
        let kept = items_of(items).into_iter().filter(|token| match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::None,
            _ => false,
        });
        assert_eq!(kept.count(), 1, "{group}");
    }
}

#[test]
fn inner_items_are_marked() {
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
        // A value may have the name of the macro that defines others.
        (
            "fn f() { match macro_rules.x { _ => { #[x] fn g() {} } } }",
            "fn f() { match macro_rules.x { _ => { #[x] M fn g() {} } } }",
        ),
        // It is no attribute.
        (
            "fn f() { x = [y] fn g() {} }",
            "fn f() { x = [y] fn g() {} }",
        ),
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
        "#![allow(x)] #![doc = \"y\"] #[::auth_runtime::requires({ authenticated })] async fn \
         f() {}",
    );
    assert_eq!(
        inherited_by(item).replace(' ', ""),
        expected.replace(' ', "")
    );
}
