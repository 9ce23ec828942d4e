//! Recognition of attributes, and the policies of items in modules.

use auth_grammar::attribute::{
    is_test, policy_attribute, policy_attribute_by_any_path, policy_in_cfg_attr,
};
use auth_grammar::codes;
use auth_grammar::errors::Errors;
use auth_grammar::module::{Arguments, Module};
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Attribute;
use syn::parse::Parser;

fn attribute(text: &str) -> Attribute {
    let attributes = Attribute::parse_outer.parse_str(text);
    attributes.expect("an attribute").remove(0)
}

#[test]
fn policies_are_recognised_by_their_path() {
    for (text, by_known_path, by_any_path) in [
        (
            "#[requires(scope = \"a\")]",
            Some("requires"),
            Some("requires"),
        ),
        ("#[public(reason = \"a\")]", Some("public"), Some("public")),
        ("#[r#requires]", Some("requires"), Some("requires")),
        (
            "#[auth_runtime::requires]",
            Some("requires"),
            Some("requires"),
        ),
        ("#[::auth_runtime::public]", Some("public"), Some("public")),
        ("#[other::requires]", None, Some("requires")),
        ("#[auth_runtime::inner::public]", None, Some("public")),
        ("#[require]", None, None),
        ("#[requires::other]", None, None),
        ("#[cfg(unix)]", None, None),
    ] {
        let attribute = attribute(text);
        assert_eq!(policy_attribute(&attribute), by_known_path, "{text}");
        assert_eq!(
            policy_attribute_by_any_path(&attribute),
            by_any_path,
            "{text}"
        );
    }
}

#[test]
fn conditional_policies_are_found() {
    for (text, expected) in [
        ("#[cfg_attr(unix, requires(scope = \"a\"))]", true),
        (
            "#[cfg_attr(unix, auth_runtime::public(reason = \"a\"))]",
            true,
        ),
        ("#[cfg_attr(unix, inline, requires)]", true),
        ("#[cfg_attr(unix, cfg_attr(test, x::requires))]", true),
        ("#[cfg_attr(all(unix, test), requires)]", true),
        ("#[cfg_attr(requires, inline)]", false),
        ("#[cfg_attr(unix, doc = \"requires\")]", false),
        ("#[cfg_attr(unix, allow(requires))]", false),
        ("#[cfg_attr(unix)]", false),
        ("#[cfg_attr]", false),
        ("#[cfg(unix, requires)]", false),
        ("#[other::cfg_attr(unix, requires)]", false),
    ] {
        let found = policy_in_cfg_attr(&attribute(text));
        assert_eq!(found.is_some(), expected, "{text}");
    }
}

#[test]
fn tests_are_recognised() {
    for (text, expected) in [
        ("#[test]", true),
        ("#[tokio::test]", true),
        ("#[tokio::test(flavor = \"multi_thread\")]", true),
        ("#[cfg(test)]", true),
        ("#[cfg(all(unix, test))]", true),
        ("#[cfg(all(unix, all(test)))]", true),
        ("#[cfg(unix)]", false),
        ("#[cfg(any(unix, test))]", false),
        ("#[cfg(not(test))]", false),
        ("#[cfg(all(unix, not(test)))]", false),
        ("#[cfg(all())]", false),
        ("#[cfg(feature = \"test\")]", false),
        ("#[cfg_attr(test, inline)]", false),
        ("#[cfg]", false),
        ("#[tests]", false),
        ("#[test::other]", false),
    ] {
        assert_eq!(is_test(&attribute(text)), expected, "{text}");
    }
}

/// Returns the module as it is written with the policy of its attribute, and the mistakes.
fn inherited(arguments: &str, module: &str) -> (String, Vec<String>) {
    let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
    let mut errors = Errors::default();
    let arguments = Arguments::read(tokens(arguments));
    let requires = arguments.requires(None, &mut errors);
    let mut module = Module::read(&tokens(module)).expect("a module");
    module.inherit(&arguments, &requires, &mut errors);
    (module.into_token_stream().to_string(), errors.messages())
}

#[test]
fn handlers_of_modules_get_their_policy() {
    for (written, expected) in [
        (
            "pub async fn a() {}",
            "#[::auth_runtime::requires({ role = \"r\" })] pub async fn a() {}",
        ),
        (
            "#[cfg(unix)] async fn a() {}",
            "#[::auth_runtime::requires({ role = \"r\" })] #[cfg(unix)] async fn a() {}",
        ),
        (
            "#[requires(scope = \"a\")] async fn a() {}",
            "#[requires({ role = \"r\" } scope = \"a\")] async fn a() {}",
        ),
        (
            "#[requires] async fn a() {}",
            "#[requires({ role = \"r\" })] async fn a() {}",
        ),
        (
            "mod inner { async fn a() {} }",
            "#[::auth_runtime::requires({ role = \"r\" })] mod inner { async fn a() {} }",
        ),
        (
            "#[requires(scope = \"a\")] struct S;",
            "#[requires({ role = \"r\" } scope = \"a\")] struct S;",
        ),
        ("#[cfg(test)] mod tests { async fn a() {} }", ""),
        // These may be policies by another name.
        (
            "#[test] fn a() {}",
            "#[test] #[rust_analyzer::auth_runtime_left_out] fn a() {}",
        ),
        (
            "#[tokio::test] async fn a() {}",
            "#[tokio::test] #[rust_analyzer::auth_runtime_left_out] async fn a() {}",
        ),
        ("struct S;", ""),
        ("const A: u8 = 0;", ""),
        ("use other::b;", ""),
    ] {
        let expected = if expected.is_empty() {
            written
        } else {
            expected
        };
        let (found, messages) =
            inherited("role = \"r\"", &format!("pub mod outer {{ {written} }}"));
        assert_eq!(messages, Vec::<String>::new(), "{written}");
        let expected = format!("pub mod outer {{ {expected} }}").parse::<TokenStream>();
        assert_eq!(found, expected.expect("tokens").to_string(), "{written}");
    }
}

/// A `macro_rules` macro passes on items in invisible groups.
#[test]
fn items_in_invisible_groups_get_policy() {
    let policy = "#[::auth_runtime::requires({ role = \"r\" })]";
    for (before, expected) in [
        ("", format!("{policy} async fn a() {{}}")),
        (
            "const A: u8 = 0;",
            format!("const A: u8 = 0; {policy} async fn a() {{}}"),
        ),
        (
            "mod inner {}",
            format!("{policy} mod inner {{}} {policy} async fn a() {{}}"),
        ),
        (
            "#[cfg(unix)]",
            format!("{policy} #[cfg(unix)] async fn a() {{}}"),
        ),
    ] {
        let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
        let mut items = tokens(before);
        items.extend([TokenTree::from(Group::new(
            Delimiter::None,
            tokens("async fn a() {}"),
        ))]);
        items.extend(tokens("async fn b() {}"));
        let mut errors = Errors::default();
        let arguments = Arguments::read(tokens("role = \"r\""));
        let requires = arguments.requires(None, &mut errors);
        let mut module = Module::read(&quote!(mod outer { #items })).expect("a module");
        module.inherit(&arguments, &requires, &mut errors);
        assert_eq!(errors.messages(), Vec::<String>::new(), "{before}");
        let expected = format!("{expected} {policy} async fn b() {{}}");
        let expected = tokens(&format!("mod outer {{ {expected} }}")).to_string();
        assert_eq!(module.into_token_stream().to_string(), expected);
    }
}

#[test]
fn functions_of_module_have_absolute_path() {
    for (path, is_absolute) in [
        ("crate::checks::owns", true),
        ("::checks::owns", true),
        ("checks::owns", false),
        ("self::owns", false),
        ("super::checks::owns", false),
    ] {
        let object = format!("can(\"read\", on = \"A\", resource = {path})");
        let (_, messages) = inherited(&object, "mod outer { async fn a() {} }");
        assert_eq!(messages.is_empty(), is_absolute, "{object}: {messages:?}");
        let (_, messages) = inherited(&format!("check = {path}"), "mod outer { async fn a() {} }");
        assert_eq!(messages.is_empty(), is_absolute, "{path}: {messages:?}");
        let name = path
            .trim_start_matches("self::")
            .trim_start_matches("super::");
        let advice = format!("help: write `check = crate::...::{name}`");
        assert!(
            messages.iter().all(|it| it.ends_with(&advice)),
            "{messages:?}"
        );
    }
}

#[test]
fn runtime_of_module_has_absolute_path() {
    for (path, advice, within) in [
        ("crate::auth", None, "crate::auth"),
        ("::auth", None, "::auth"),
        ("auth", None, "auth"),
        ("own::auth", None, "own::auth"),
        ("self::auth", Some("crate::...::auth"), "super::auth"),
        (
            "super::own::auth",
            Some("crate::...::own::auth"),
            "super::super::own::auth",
        ),
        (
            "super::super::auth",
            Some("crate::...::auth"),
            "super::super::super::auth",
        ),
    ] {
        let arguments = format!("crate = {path}, authenticated");
        let (found, messages) = inherited(&arguments, "mod outer { async fn a() {} }");
        let advice = advice.map(|advice| {
            format!(
                "the path of `auth_runtime` on a module is not absolute [AUTH0042]\n\
                 help: write `crate = {advice}`"
            )
        });
        assert_eq!(messages, Vec::from_iter(advice), "{path}");
        // Otherwise, the compiler would report the path at the handler as well.
        let start = format!("#[{within}::requires(");
        assert!(found.replace(' ', "").contains(&start), "{found}");
    }
    let list = "{ invalid, crate = super::auth }";
    let (found, messages) = inherited(list, "mod inner { async fn a() {} }");
    assert_eq!(messages, Vec::<String>::new());
    let expected = "#[super::super::auth::requires({invalid,crate=super::super::auth})]";
    assert!(found.replace(' ', "").contains(expected), "{found}");
}

#[test]
fn functions_of_policy_have_absolute_path() {
    for (path, is_absolute) in [
        ("crate::checks::owns", true),
        ("::checks::owns", true),
        ("checks::owns", false),
    ] {
        let text = format!("[policies.owner]\nrequires = 'check = {path}'\n");
        let (_, mistakes) = auth_grammar::vocabulary::read(&text);
        let messages: Vec<_> = mistakes.iter().map(|mistake| &mistake.message).collect();
        let expected = "in the policy `owner`: the path of the function is not absolute\n\
                        help: write `check = crate::...::checks::owns`";
        let is_told = messages.iter().any(|message| *message == expected);
        assert_eq!(is_told, !is_absolute, "{path}: {messages:?}");
    }
}

#[test]
fn sections_without_table_are_explained() {
    for name in ["roles", "networks", "settings", "resources", "actions"] {
        let (_, mistakes) = auth_grammar::vocabulary::read(&format!("{name} = 3\n"));
        let messages: Vec<_> = mistakes.iter().map(|mistake| &mistake.message).collect();
        let advice = format!("\nhelp: write `[{name}]`, with the declarations on the lines below");
        let is_told = |message: &&String| message.ends_with(&advice);
        assert!(messages.iter().any(is_told), "{name}: {messages:?}");
    }
}

#[test]
fn mistakes_of_module_are_not_repeated() {
    let (found, messages) = inherited("crate = x, rolle = \"r\"", "mod outer { async fn a() {} }");
    assert_eq!(messages.len(), 1, "{messages:?}");
    let expected = "mod outer { #[x::requires({ invalid, crate = x })] async fn a() {} }";
    let expected = expected.parse::<TokenStream>().expect("tokens");
    assert_eq!(found, expected.to_string());
}

#[test]
fn each_mistake_is_a_compile_error() {
    let mut errors = Errors::default();
    assert!(errors.is_empty() && errors.to_compile_error().is_empty());
    errors.add(codes::SCOPE, Span::call_site(), "one\nhelp: it");
    errors.add(codes::NAME, Span::call_site(), "other");
    let mut more = Errors::default();
    more.add(codes::TWICE, Span::call_site(), "third");
    errors.extend(more);
    assert!(!errors.is_empty() && !errors.is_full());
    let tokens = errors.to_compile_error().to_string();
    assert_eq!(tokens.matches("compile_error !").count(), 3, "{tokens}");
    assert_eq!(
        errors.messages(),
        [
            "one [AUTH0017]\nhelp: it",
            "other [AUTH0018]",
            "third [AUTH0006]"
        ]
    );
    let mut many = Errors::default();
    for number in 0..120 {
        assert_eq!(many.is_full(), number >= 100);
        many.add(codes::NAME, Span::call_site(), number);
    }
    assert_eq!(many.messages().len(), 100);
}

#[test]
fn codes_are_split_from_messages() {
    for (message, text, code) in [
        ("a [AUTH0001]", "a", Some("AUTH0001")),
        ("a [AUTH0001]\nhelp: b", "a\nhelp: b", Some("AUTH0001")),
        ("a [OTHER]", "a [OTHER]", None),
        ("a", "a", None),
        ("a\nb [AUTH0001]", "a\nb [AUTH0001]", None),
        ("a[AUTH0001]", "a[AUTH0001]", None),
    ] {
        assert_eq!(codes::split(message), (text.to_owned(), code), "{message}");
    }
    assert_eq!(codes::SCOPE.as_str(), "AUTH0017");
}

/// The attribute of a handler can name the runtime by another path than the modules around it.
#[test]
fn innermost_path_of_runtime_counts() {
    for (arguments, expected) in [
        ("role = \"r\"", None),
        ("crate = a", Some("a")),
        ("{ crate = a, role = \"r\" }", Some("a")),
        ("{ crate = a } { crate = b } role = \"r\"", Some("b")),
        ("{ crate = a } { role = \"s\" } role = \"r\"", Some("a")),
        (
            "{ crate = a } { crate = b } role = \"r\", crate = c::d",
            Some("c::d"),
        ),
        ("{ invalid, crate = a } crate = b", Some("b")),
    ] {
        let krate = Arguments::read(arguments.parse().expect("tokens")).krate();
        let krate = krate.map(|path| path.to_token_stream().to_string().replace(' ', ""));
        assert_eq!(krate.as_deref(), expected, "{arguments}");
    }
}
