//! Single mistakes, each with its message.

use auth_grammar::args;
use auth_grammar::errors::Errors;
use auth_grammar::vocabulary::{self, LoadedVocabulary};

use crate::loaded;

pub(crate) fn messages(arguments: &str, vocabulary: Option<&LoadedVocabulary>) -> Vec<String> {
    let mut errors = Errors::default();
    let tokens = arguments.parse().expect("tokens");
    auth_grammar::requires(tokens, vocabulary, &mut errors);
    errors.messages()
}

#[test]
fn values_are_refused_with_advice() {
    for (arguments, message) in [
        (
            r##"network = "10.0.0.0/+32""##,
            "`10.0.0.0/+32` is not a network [AUTH0021]\nhelp: write a block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`",
        ),
        (
            r##"network = "10.0.0.0/33""##,
            "the prefix of an IPv4 network is longer than 32 [AUTH0021]\nhelp: write `\"10.0.0.0/32\"`, or a shorter prefix",
        ),
        (
            r##"network = "2001:db8::/129""##,
            "the prefix of an IPv6 network is longer than 128 [AUTH0021]\nhelp: write `\"2001:db8::/128\"`, or a shorter prefix",
        ),
        (
            r##"network = "2001:db8::/+128""##,
            "`2001:db8::/+128` is not a network [AUTH0021]\nhelp: write a block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`",
        ),
        (
            r##"network = "10.0.0.1""##,
            "`10.0.0.1` is a single address [AUTH0021]\nhelp: write `\"10.0.0.1/32\"`",
        ),
        (
            r##"network = "2001:db8::1""##,
            "`2001:db8::1` is a single address [AUTH0021]\nhelp: write `\"2001:db8::1/128\"`",
        ),
        (
            r##"network = "10.0.0.1/8""##,
            "`10.0.0.1` is not the first address of a `/8` network [AUTH0021]\nhelp: write `\"10.0.0.0/8\"`",
        ),
        (
            r##"network = "::ffff:10.0.0.0/104""##,
            "`::ffff:10.0.0.0/104` is a network of IPv4 addresses [AUTH0021]\nhelp: write `\"10.0.0.0/8\"`",
        ),
        (
            r##"network = "::ffff:0.0.0.0/96""##,
            "`::ffff:0.0.0.0/96` is a network of IPv4 addresses [AUTH0021]\nhelp: write `\"0.0.0.0/0\"`",
        ),
        (
            r##"network = "1.2.3""##,
            "`1.2.3` is not a network [AUTH0021]\nhelp: write a block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`",
        ),
        (
            r##"network = "ab:cd""##,
            "`ab:cd` is not a network [AUTH0021]\nhelp: write a block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`",
        ),
        (
            r##"network = "ab""##,
            "`ab` is not a network [AUTH0021]\nhelp: write a block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`, or declare the name below `[networks]` in an `auth.toml` beside the `Cargo.toml`",
        ),
        (
            r##"network = "10.0.0.0/x""##,
            "`10.0.0.0/x` is not a network [AUTH0021]\nhelp: write a block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`",
        ),
        (
            r##"network = " ""##,
            "` ` is not a network [AUTH0021]\nhelp: write a block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`",
        ),
        (
            r##"setting = true"##,
            "`setting` takes a name, not a value [AUTH0003]\nhelp: write `setting = \"...\"`; the protection space has the value",
        ),
        (
            r##"scope = true"##,
            "`scope` takes a string in quotes [AUTH0003]\nhelp: write `scope = \"true\"`",
        ),
        (
            r##"scope = 1"##,
            "`scope` takes a string in quotes [AUTH0003]\nhelp: write `scope = \"1\"`",
        ),
        (
            r##"scope = 'a'"##,
            "`scope` takes a string in quotes [AUTH0003]\nhelp: write `scope = \"a\"`",
        ),
        (
            r##"scope = b"a""##,
            "`scope` takes a string, not bytes [AUTH0003]\nhelp: remove the `b`: `scope = \"a\"`",
        ),
        (
            r##"scope = name"##,
            "`scope` takes a string literal, since it is checked at compile time [AUTH0003]\nhelp: write the text itself: `scope = \"name\"`",
        ),
        (
            r##"scope = a::b"##,
            "`scope` takes a string literal, not a constant [AUTH0003]\nhelp: write the text of `a::b`: `scope = \"...\"`",
        ),
        (
            r##"scope = concat!("a")"##,
            "`scope` takes a string literal, since it is checked at compile time [AUTH0003]\nhelp: write the text itself: `scope = \"a\"`",
        ),
        (
            r##"max_age = -5"##,
            "the duration is negative [AUTH0003]\nhelp: write `max_age = \"5s\"`",
        ),
        (
            r##"max_age = 900"##,
            "`max_age` takes a number and a unit in quotes [AUTH0003]\nhelp: write `max_age = \"900s\"` or `max_age = \"15m\"`",
        ),
        (
            r##"max_age = 61"##,
            "`max_age` takes a number and a unit in quotes [AUTH0003]\nhelp: write `max_age = \"61s\"`",
        ),
        (
            r##"max_age = 0"##,
            "`max_age` takes a number and a unit in quotes [AUTH0003]\nhelp: write `max_age = \"15m\"`",
        ),
        (
            r##"max_age = "1h30m""##,
            "`1h30m` is not one number with one of the units `s`, `m`, `h` and `d` [AUTH0020]\nhelp: write `\"90m\"`",
        ),
        (
            r##"max_age = "2w""##,
            "`2w` is not one number with one of the units `s`, `m`, `h` and `d` [AUTH0020]\nhelp: write `\"14d\"`",
        ),
        (
            r##"max_age = "0s""##,
            "no login meets a maximum age of `0s` [AUTH0020]\nhelp: write a longer duration, such as `\"5m\"`",
        ),
        (
            r##"max_age = "40000d""##,
            "`40000d` is longer than a hundred years [AUTH0020]\nhelp: write a shorter duration, such as `\"365d\"`",
        ),
        (
            r##"authenticated, says = text"##,
            "the text has no quotes [AUTH0003]\nhelp: write `says = \"text\"`",
        ),
        (
            r##"scope = r"a""##,
            "a text search misses this spelling of `scope` [AUTH0003]\nhelp: write `scope = \"a\"`",
        ),
        (
            r##"scope = "\u{61}""##,
            "a text search misses this spelling of `scope` [AUTH0003]\nhelp: write `scope = \"a\"`",
        ),
        (
            r##"scope = "a b""##,
            "a space is not allowed in a scope (RFC 6749 §3.3) [AUTH0017]\n\n    a b\n     ^\nhelp: write `scope = \"a\", scope = \"b\"`, within `any(...)` if one is enough",
        ),
        (
            r##"scope = """##,
            "the scope is empty [AUTH0017]\nhelp: name the required scope",
        ),
        (
            r##"scope "a""##,
            "expected `=` after `scope` [AUTH0002]\nhelp: write `scope = \"a\"`",
        ),
        (
            r##"scope("a")"##,
            "`scope` takes an equals sign, not parentheses [AUTH0002]\nhelp: write `scope = \"a\"`",
        ),
        (
            r##"any(scope = "a")"##,
            "redundant `any(...)` around a single requirement [AUTH0025]\nhelp: write `scope = \"a\"`",
        ),
        (
            r##"scope = "a" && role = "b""##,
            "requirements have no `and` [AUTH0004]\nhelp: write a comma, which requires both",
        ),
        (
            r##"scope = "a", hide_as = 0x194"##,
            "a text search misses this spelling of `hide_as` [AUTH0027]\nhelp: write `hide_as = 404`",
        ),
        (
            r##"check = "a""##,
            "`check` takes the path of a function without quotes [AUTH0003]\nhelp: write `check = a`",
        ),
        (
            r##"check = a()"##,
            "`check` takes only the path of a function [AUTH0003]\nhelp: write `check = a`",
        ),
        (
            r##"check(a::b)"##,
            "`check` takes an equals sign, not parentheses [AUTH0002]\nhelp: write `check = a::b`",
        ),
        (
            r##"any(can = " a", role = "b")"##,
            "the action ` a` begins or ends with white space [AUTH0018]\nhelp: write `\"a\"`",
        ),
        (
            r##"can("a", on = "B::{}")"##,
            "a parameter in `B::{}` is not the name of a path parameter between braces [AUTH0047]\nhelp: write it as in the route, as in `on = \"Repository::{owner}/{repo}\"`",
        ),
        (
            r##"scope = "a", schemes("My-Auth", "a b")"##,
            "the scheme `a b` is not a token (RFC 9110 §11.1) [AUTH0022]\nhelp: write `\"a-b\"`",
        ),
        (
            r##"amr = "pwd otp""##,
            "a space is not allowed in an amr (RFC 8176 §6.1) [AUTH0018]\nhelp: write `amr = \"pwd\", amr = \"otp\"`, within `any(...)` if one is enough",
        ),
        (
            r##"amr = "otp ""##,
            "a space is not allowed in an amr (RFC 8176 §6.1) [AUTH0018]\nhelp: write `amr = \"otp\"`",
        ),
        (
            r##"amr = "schlüssel""##,
            "`ü` is not allowed in an amr (RFC 8176 §6.1) [AUTH0018]\nhelp: write it in ASCII, as the authorization server does",
        ),
        (
            r##"role = "a", hide_as = 404, hide_unless = amr("pwd\\")"##,
            "a backslash (`\\`) is not allowed in an amr (RFC 8176 §6.1) [AUTH0018]\nhelp: remove it",
        ),
        (
            "check = Self::f",
            "`Self` is not known in the path of a function [AUTH0003]\nhelp: write the name of the type in its place",
        ),
        (
            "authenticated, hide_as = 404, hide_unless = check(Self::f)",
            "`Self` is not known in the path of a function [AUTH0003]\nhelp: write the name of the type in its place",
        ),
        (
            r##"can("a", on = "B", resource = Self::f)"##,
            "`Self` is not known in the path of a function [AUTH0003]\nhelp: write the name of the type in its place",
        ),
        (
            r##"can("a", resource = f), can = "b", on = "B::{b}""##,
            "`resource` has no type [AUTH0047]\nhelp: add `on = \"...\"` with the type of the object that the function returns",
        ),
        (
            "check = a::b, check = a :: b",
            "duplicate requirement `check = a::b` [AUTH0023]\nhelp: remove it",
        ),
    ] {
        assert_eq!(messages(arguments, None), [message], "{arguments}");
    }
}

/// A list in a list of the same kind is part of it.
#[test]
fn nested_lists_of_one_kind_join() {
    for (arguments, expected) in [
        (
            r#"any(scope = "a", any(scope = "b", scope = "a"))"#,
            "duplicate requirement `scope = \"a\"` [AUTH0023]\nhelp: remove it",
        ),
        (
            r#"acr = "a", all(acr = "b", scope = "c")"#,
            "contradiction between `acr = \"a\"` and `acr = \"b\"`: a login has one acr [AUTH0026]\n\
             help: write `any(acr = \"a\", acr = \"b\")` to require one of them",
        ),
    ] {
        assert_eq!(messages(arguments, None), [expected], "{arguments}");
    }
}

#[test]
fn words_of_other_languages_are_explained() {
    let handler =
        "write `#[public(reason = \"...\")]` in place of `#[requires]` for a public handler";
    let allowed = "name a scope, role or permission of the allowed callers";
    for (words, fact, advice) in [
        (
            &["not", "except", "unless"][..],
            "requirements have no",
            allowed.to_owned(),
        ),
        (
            &[
                "public",
                "everybody",
                "everyone",
                "anyone",
                "anonymous",
                "allow",
            ],
            "unknown key",
            handler.to_owned(),
        ),
        (
            &["deny", "nobody", "never", "none"],
            "requirements have no",
            format!("{allowed}, or remove the route"),
        ),
    ] {
        for word in words {
            let message = format!("{fact} `{word}` [AUTH0001]\nhelp: {advice}");
            assert_eq!(messages(word, None), [message]);
        }
    }
}

#[test]
fn disclosure_of_a_part_is_refused() {
    let settings =
        r#"hide_as = 404, hide_unless = scope("b"), schemes(Basic), realm = "c", says = "d""#;
    let loaded = loaded(&format!(
        "[policies.p]\nrequires = '''role = \"a\", {settings}'''\n[scopes]\nb = \"B\"\n[roles]\na = \"A\"\ne = \"E\"\n"
    ));
    let message = format!(
        "the policy `p` has disclosure settings (`{settings}`), which cannot apply to a part [AUTH0033]\n\
         help: write it outside `any(...)` and `all(...)`, or remove `{settings}` from the policy"
    );
    for list in [
        r#"any(policy = "p", role = "e")"#,
        r#"all(policy = "p", role = "e")"#,
        r#"any(scope = "b", all(role = "e", policy = "p"))"#,
    ] {
        let found = messages(list, Some(&loaded));
        assert_eq!(found, [&*message], "{list}");
    }
}

#[test]
fn undeclared_names_are_written_as_keys() {
    let loaded = loaded("[scopes]\nother = \"Another one\"\n");
    for (name, key) in [
        ("read_all", "read_all"),
        ("read-all", "read-all"),
        ("Read1", "Read1"),
        ("read:all", "\"read:all\""),
        ("lesen.überall", "\"lesen.überall\""),
    ] {
        let kind = if name.is_ascii() { "scope" } else { "role" };
        let found = messages(&format!("{kind} = {name:?}"), Some(&loaded));
        let advice = format!("add `{key} = \"...\"`");
        assert!(found[0].contains(&advice), "{found:?}");
    }
}

#[test]
fn addresses_are_no_names_of_networks() {
    for (name, is_name) in [
        ("office", true),
        ("abc", true),
        ("a:z", true),
        ("v1.2", true),
        ("10.0.0.0", false),
        ("10.0.0", false),
        ("ab:cd", false),
        ("::1.2.3.4", false),
        ("a/b", false),
        (" ", false),
    ] {
        let text = format!("[networks]\n{name:?} = [\"192.0.2.0/24\"]\n");
        let (_, mistakes) = vocabulary::read(&text);
        assert_eq!(mistakes.is_empty(), is_name, "{name}: {mistakes:?}");
    }
}

#[test]
fn texts_have_a_maximum() {
    let says = |text: &str| messages(&format!("authenticated, says = {text:?}"), None);
    assert_eq!(says(&"é".repeat(512)), Vec::<String>::new());
    for length in [513, 600] {
        let message = format!(
            "the text has {length} characters; the maximum is 512 [AUTH0065]\n\
             help: link to a page with the rest"
        );
        assert_eq!(says(&"é".repeat(length)), [message]);
    }
}

/// Many reasons are counted, and not listed.
#[test]
fn reasons_are_listed_up_to_limit() {
    let scopes = |count: usize| {
        let scopes: Vec<String> = (0..count)
            .map(|number| format!("scope = \"s{number}\""))
            .collect();
        scopes.join(", ")
    };
    for (count, end) in [
        (32, "`scope = \"s30\"` and `scope = \"s31\"` also meet"),
        (33, "`scope = \"s3\"` and 29 others also meet"),
    ] {
        let scopes = scopes(count);
        let found = messages(&format!("any(role = \"r\", all({scopes})), {scopes}"), None);
        assert!(found.len() == 1 && found[0].contains(end), "{found:?}");
    }
}

#[test]
fn each_cycle_is_shown_once() {
    let implying = |names: &[(&str, &str)]| {
        let mut text = String::from("[scopes]\n");
        for (name, implied) in names {
            text += &format!("{name} = {{ description = \"x\", implies = [{implied}] }}\n");
        }
        let (_, mistakes) = vocabulary::read(&text);
        let messages = mistakes.into_iter().map(|mistake| mistake.message);
        messages.collect::<Vec<_>>()
    };
    let cycle = |names: &str| {
        let names: Vec<String> = names.chars().map(|name| format!("`{name}`")).collect();
        format!(
            "cycle of implications: {}\nhelp: remove one of the implications, or keep one of the names",
            names.join(", which implies ")
        )
    };
    for (names, expected) in [
        (
            &[
                ("a", "\"b\""),
                ("b", "\"c\""),
                ("c", "\"b\", \"d\""),
                ("d", "\"c\", \"a\""),
            ][..],
            vec![cycle("abcda")],
        ),
        (
            &[
                ("a", "\"b\""),
                ("b", "\"c\", \"d\""),
                ("c", "\"d\""),
                ("d", "\"b\""),
            ],
            vec![cycle("bcdb")],
        ),
        (
            &[
                ("a", "\"b\", \"c\""),
                ("b", "\"d\""),
                ("c", "\"d\""),
                ("d", ""),
            ],
            vec![],
        ),
    ] {
        assert_eq!(implying(names), expected);
    }
    // A long one is shown in part.
    let ring = |length: usize| {
        let names: Vec<String> = (0..length).map(|index| format!("n{index:02}")).collect();
        let mut text = String::from("[scopes]\n");
        for (index, name) in names.iter().enumerate() {
            let next = &names[(index + 1) % length];
            text += &format!("{name} = {{ description = \"x\", implies = [\"{next}\"] }}\n");
        }
        let (_, mistakes) = vocabulary::read(&text);
        let [mistake] = mistakes.as_slice() else {
            panic!("{mistakes:?}");
        };
        let message = mistake.message.clone();
        (message.matches("`n").count(), message.contains("others"))
    };
    assert_eq!(ring(15), (16, false));
    assert_eq!(ring(16), (8, true));
}

/// The blocks of all networks of both families allow every caller.
#[test]
fn networks_have_to_exclude_somebody() {
    for (blocks, is_refused) in [
        (r#""0.0.0.0/0", "::/0""#, true),
        (r#""0.0.0.0/1", "128.0.0.0/1", "::/0""#, true),
        (r#""0.0.0.0/0""#, false),
        (r#""::/0""#, false),
        (r#""0.0.0.0/1", "::/0""#, false),
    ] {
        let (_, mistakes) = vocabulary::read(&format!("[networks]\na = [{blocks}]\n"));
        assert_eq!(!mistakes.is_empty(), is_refused, "{blocks}: {mistakes:?}");
    }
}

#[test]
fn unresolved_names_are_printed() {
    for arguments in [
        r#"policy = "a", hide_as = 404, hide_unless = policy("b")"#,
        r#"any(policy = "a", role = "b"), hide_as = 404, hide_unless = max_age("15m")"#,
        r#"network = "office", hide_as = 404, hide_unless = network("house")"#,
        r#"setting = "a", hide_as = 404, hide_unless = setting("b")"#,
        r#"check = a::b, hide_as = 404, hide_unless = check(c::d)"#,
        r#"can = "update", on = "A::{a}", hide_as = 404, hide_unless = can("read")"#,
    ] {
        let mut errors = Errors::default();
        let requires = args::requires(arguments.parse().expect("tokens"), &mut errors);
        assert_eq!(errors.messages(), Vec::<String>::new());
        assert_eq!(requires.to_string(), arguments);
    }
}
