//! What can be seen to be wrong in an attribute that was read.
//!
//! Requirements have no *not*, so whether one implies another can be read off their structure.

use proc_macro2::{Span, TokenStream};
use syn::LitInt;
use syn::spanned::Spanned;

use crate::codes;
use crate::errors::Errors;
use crate::requirement::{HideUnless, Kind, Namespace, Requirement, Requires};

/// Notes everything that is wrong with the arguments of `#[requires(...)]`.
pub(crate) fn requires(requires: &Requires, errors: &mut Errors) {
    let readable = errors.is_empty();
    if requires.requirements.is_empty() && requires.module.is_none() && readable {
        errors.add(codes::SAYS_NOTHING,
            Span::call_site(),
            "`#[requires]` says nothing of who may call; write what is required, such as \
             `authenticated` or `scope = \"...\"`, or `#[public(reason = \"...\")]` if everybody may",
        );
    }
    for requirement in &requires.requirements {
        names(requirement, errors);
    }
    // With parts missing, what is left may look like something that nobody wrote.
    if readable {
        for requirement in &requires.requirements {
            wrappers(requirement, Requirement::to_string, errors);
        }
        list(&requires.requirements, true, errors);
        beside_module(requires, errors);
    }

    if let Some(realm) = &requires.realm
        && let Some(problem) = realm_problem(&realm.text)
    {
        errors.add(codes::REALM, realm.span, problem);
    }
    if let Some(hide_as) = &requires.hide_as {
        status(hide_as, errors);
    }
    if let Some(lesser) = &requires.hide_unless {
        names(&lesser.lesser, errors);
        if readable {
            hide_unless(requires, lesser, errors);
        }
    }
}

/// Whom a denial of a hidden handler is shown to.
fn hide_unless(requires: &Requires, hide_unless: &HideUnless, errors: &mut Errors) {
    let HideUnless { key, lesser } = hide_unless;
    wrappers(lesser, Requirement::called, errors);
    list(std::slice::from_ref(lesser), true, errors);
    let whole = requires.clone().with_modules();
    if whole.hide_as.is_none() {
        errors.add(
            codes::NOTHING_HIDDEN,
            *key,
            "`hide_unless` makes an exception from hiding; write `hide_as = 404` before it",
        );
    }
    let all = implied_all(whole.requirements);
    let is_empty = matches!(&all.kind, Kind::All(parts) if parts.is_empty());
    if !is_empty && entails(lesser, &all) {
        errors.add_across(
            codes::SHOWN_TO_NOBODY,
            lesser.span,
            lesser.end,
            format!(
                "whoever meets `{}` is let in, so no denial could be shown to them; name a lesser \
                 requirement, or remove `hide_unless`",
                lesser.called()
            ),
        );
    }
}

/// What a handler says on its own, held against what its module says already.
fn beside_module(requires: &Requires, errors: &mut Errors) {
    let Some(module) = &requires.module else {
        if let Some(reason) = &requires.loosen {
            errors.add(codes::NOTHING_TO_LOOSEN,
                reason.span,
                "there is no policy of a module around this that could be loosened; remove `loosen`",
            );
        }
        return;
    };
    // Nothing is handed down by an attribute that is wrong, and that was told.
    if !module.requirements.is_empty() {
        self::requires(module, errors);
    }
    if requires.loosen.is_some() {
        if requires.requirements.is_empty() {
            errors.add(
                codes::SAYS_NOTHING,
                Span::call_site(),
                "a policy that is loosened still says who may call; write what is required, or \
                 `#[public(reason = \"...\")]` if everybody may",
            );
        }
        return;
    }
    let module = implied_all(module.as_ref().clone().with_modules().requirements);
    for part in &requires.requirements {
        if entails(&module, part) {
            errors.add_across(
                codes::MODULE_ASKS,
                part.span,
                part.end,
                format!("`{part}` adds nothing: the module asks for it already; remove it"),
            );
        } else if let Some(why) = contradiction(&module, part) {
            errors.add_across(
                codes::CONTRADICTION,
                part.span,
                part.end,
                format!("nobody meets both `{part}` and what the module asks for: {why}"),
            );
        }
    }
}

/// A list without `all`.
fn implied_all(parts: Vec<Requirement>) -> Requirement {
    Requirement::new(Kind::All(parts), Span::call_site(), Span::call_site())
}

/// `hide_as` has one right value, and each wrong one deserves its own reason.
fn status(value: &TokenStream, errors: &mut Errors) {
    let text = value.to_string();
    if let Ok(number) = syn::parse2::<LitInt>(value.clone())
        && number.suffix().is_empty()
        && number.base10_digits() == "404"
    {
        return;
    }
    let reason = match text.as_str() {
        "200" => "a denial that says success would be stored and read as the page itself",
        "401" => {
            "a 401 asks for credentials, which tells that there is something; without `hide_as` it \
             is what callers who are not known get anyway"
        }
        "403" => {
            "a 403 tells that there is something; without `hide_as` it is what callers who may not \
             get anyway"
        }
        "410" => "a 410 tells that there was something once",
        _ if text.trim_matches('"') == "404" => "the status is a number, without quotes",
        _ => "only the answer of a path that was never there hides anything",
    };
    errors.add(
        codes::HIDE_AS,
        value.span(),
        format!("{reason}; write `hide_as = 404`"),
    );
}

fn names(requirement: &Requirement, errors: &mut Errors) {
    match &requirement.kind {
        Kind::Named(namespace, name) => {
            if let Some(problem) = name_problem(*namespace, &name.text) {
                let code = match namespace {
                    Namespace::Scope => codes::SCOPE,
                    _ => codes::NAME,
                };
                errors.add(code, name.span, problem);
            }
        }
        Kind::All(parts) | Kind::Any(parts) => {
            for part in parts {
                names(part, errors);
            }
        }
        _ => {}
    }
}

/// What keeps a text from being a name of that kind.
pub(crate) fn name_problem(namespace: Namespace, text: &str) -> Option<String> {
    match namespace {
        Namespace::Scope => scope_problem(text),
        Namespace::Acr => acr_problem(text),
        _ => plain_problem(namespace, text),
    }
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
fn scope_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the scope is empty; name the scope that is required".to_owned());
    }
    if text == "offline_access" {
        return Some(
            "`offline_access` asks the authorization server for a refresh token, and grants nothing \
             here; name the scope that is required"
                .to_owned(),
        );
    }
    let illegal = |c: &char| !is_scope_character(*c);
    let (index, character) = text.chars().enumerate().find(|(_, c)| illegal(c))?;
    let why = match character {
        ' ' => "one `scope = \"...\"` names one scope; write one for each, with a comma between",
        '"' | '\\' => "a scope cannot contain quotes or backslashes",
        c if c.is_ascii() => "a scope cannot contain control characters",
        _ => "a scope is ASCII",
    };
    // The compiler cannot be pointed into a literal, so the message points itself.
    let (shown, column) = shown_with_column(text, index);
    let caret = " ".repeat(column);
    Some(format!(
        "the character {character:?} is not allowed in a scope (RFC 6749 §3.3): {why}\n\
         \n    {shown}\n    {caret}^"
    ))
}

fn is_scope_character(character: char) -> bool {
    matches!(character, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}

/// One of the values of `acr_values`, which has them with spaces between (RFC 9470 §3).
fn acr_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the acr is empty; name the one that is required".to_owned());
    }
    let character = text.chars().find(|c| !is_scope_character(*c))?;
    let why = match character {
        ' ' => {
            "one `acr = \"...\"` names one; write `any(acr = \"...\", acr = \"...\")` for several"
        }
        _ => "it is visible ASCII without quotes and backslashes",
    };
    Some(format!(
        "the character {character:?} is not allowed in an acr (RFC 9470 §3): {why}"
    ))
}

/// What keeps a text from being a realm: it goes into every challenge, where clients search for other
/// parameters by text.
pub(crate) fn realm_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the realm is empty; name it, or remove it".to_owned());
    }
    if let Some(character) = text.chars().find(|c| !matches!(c, ' '..='~')) {
        return Some(format!(
            "the character {character:?} is not allowed in a realm: it is sent to clients, and many \
             of them read visible ASCII only"
        ));
    }
    let searched = ["scope=", "error=", "resource_metadata="];
    let found = searched.into_iter().find(|found| text.contains(found))?;
    Some(format!(
        "the realm contains `{found}`, which clients would read as a parameter"
    ))
}

/// The text on one line, and where in it the character at `index` begins.
fn shown_with_column(text: &str, index: usize) -> (String, usize) {
    let mut shown = String::new();
    let mut column = 0;
    for (at, character) in text.chars().enumerate() {
        if at == index {
            column = shown.chars().count();
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    (shown, column)
}

fn plain_problem(namespace: Namespace, text: &str) -> Option<String> {
    let key = namespace.key();
    if text.trim().is_empty() {
        return Some(format!(
            "the {key} is empty; name the {key} that is required"
        ));
    }
    if text.trim() != text {
        return Some(format!(
            "the {key} {text:?} begins or ends with white space, so it would match no other; write \
             `{key} = {:?}`",
            text.trim()
        ));
    }
    let character = text.chars().find(|c| c.is_control())?;
    Some(format!(
        "the {key} {text:?} has a control character in it: {character:?}; remove it"
    ))
}

/// Notes each `any(...)` and `all(...)` with a single member, at any depth; `write` is how that
/// member is written where the outermost one stands.
fn wrappers(requirement: &Requirement, write: fn(&Requirement) -> String, errors: &mut Errors) {
    if requirement.policy.is_some() {
        return;
    }
    let (key, parts) = match &requirement.kind {
        Kind::All(parts) => ("all", parts),
        Kind::Any(parts) => ("any", parts),
        _ => return,
    };
    if let [only] = parts.as_slice() {
        errors.add(
            codes::WRAPPER,
            requirement.span,
            format!(
                "`{key}(...)` around a single requirement does nothing; write `{}`",
                write(only)
            ),
        );
    }
    for part in parts {
        wrappers(part, Requirement::to_string, errors);
    }
}

/// Notes what is written in a list, or in lists in it, but can never matter.
fn list(parts: &[Requirement], is_all: bool, errors: &mut Errors) {
    let mut flat = Vec::new();
    flatten(parts, is_all, &mut flat);
    let place = |wanted: &Requirement| flat.iter().position(|part| std::ptr::eq(*part, wanted));
    for (part, other) in redundant(&flat, is_all) {
        let message = if part == other {
            format!("`{part}` is written twice; remove one")
        } else if entails(part, other) && entails(other, part) {
            format!("`{part}` asks for the same as `{other}`; remove one")
        } else if is_all {
            format!(
                "`{part}` adds nothing: whoever meets `{other}` meets it already; remove `{part}`"
            )
        } else {
            format!(
                "this alternative never decides: whoever meets `{part}` meets `{other}` too; \
                 remove `{part}`, or write `all(...)` if both are required"
            )
        };
        let (first, second) = if place(part) < place(other) {
            (part, other)
        } else {
            (other, part)
        };
        let code = if is_all || part == other {
            codes::REDUNDANT
        } else {
            codes::DEAD_ALTERNATIVE
        };
        errors.add_across(code, first.span, second.end, message);
    }
    if is_all {
        contradictions(&flat, errors);
    }
    // What is left after flattening is of the other kind.
    for part in flat {
        match &part.kind {
            // It was looked at when the vocabulary was read.
            _ if part.policy.is_some() => {}
            Kind::All(inner) => list(inner, true, errors),
            Kind::Any(inner) => list(inner, false, errors),
            _ => {}
        }
    }
}

/// Notes parts of an `all` that nobody can meet together.
fn contradictions(parts: &[&Requirement], errors: &mut Errors) {
    for (index, part) in parts.iter().enumerate() {
        let found = parts.iter().take(index).find_map(|earlier| {
            let why = contradiction(earlier, part)?;
            Some((earlier, why))
        });
        if let Some((earlier, why)) = found {
            let message = format!(
                "nobody meets both `{earlier}` and `{part}`: {why}; write `any(...)` if either is \
                 enough"
            );
            errors.add_across(codes::CONTRADICTION, earlier.span, part.end, message);
        }
    }
}

/// Why nobody meets both, if nobody does.
fn contradiction(one: &Requirement, other: &Requirement) -> Option<&'static str> {
    match (&one.kind, &other.kind) {
        (Kind::All(parts), _) => parts.iter().find_map(|part| contradiction(part, other)),
        (_, Kind::All(parts)) => parts.iter().find_map(|part| contradiction(one, part)),
        (Kind::Any(parts), _) => all_contradict(parts, other),
        (_, Kind::Any(parts)) => all_contradict(parts, one),
        (Kind::Network(one), Kind::Network(other)) => {
            one.is_disjoint(other).then_some("no address lies in both")
        }
        (Kind::Named(Namespace::Acr, one), Kind::Named(Namespace::Acr, other)) => {
            (one != other).then_some("a login has one acr")
        }
        _ => None,
    }
}

/// The reason of the first alternative, if there is one for each.
fn all_contradict(alternatives: &[Requirement], other: &Requirement) -> Option<&'static str> {
    let mut reasons = alternatives.iter().map(|part| contradiction(part, other));
    let first = reasons.next()??;
    reasons.all(|reason| reason.is_some()).then_some(first)
}

/// The parts that change nothing, each with the part that makes it so. Of parts that ask for the
/// same only the later ones are named: whoever removes all that is named has to be left with one.
fn redundant<'a>(
    flat: &[&'a Requirement],
    is_all: bool,
) -> Vec<(&'a Requirement, &'a Requirement)> {
    let beside = |part, other| {
        if is_all {
            entails(other, part)
        } else {
            entails(part, other)
        }
    };
    let mut found = Vec::new();
    for (index, part) in flat.iter().enumerate() {
        let other = flat.iter().enumerate().find(|(at, other)| {
            *at != index && beside(part, other) && (*at < index || !beside(other, part))
        });
        if let Some((_, other)) = other {
            found.push((*part, *other));
        }
    }
    found
}

/// The parts of an `all` in an `all`, or of an `any` in an `any`, are its own parts.
fn flatten<'a>(parts: &'a [Requirement], is_all: bool, flat: &mut Vec<&'a Requirement>) {
    for part in parts {
        match (&part.kind, is_all) {
            // A policy stands for itself: nobody can leave a part of it out.
            _ if part.policy.is_some() => flat.push(part),
            (Kind::All(inner), true) | (Kind::Any(inner), false) => flatten(inner, is_all, flat),
            _ => flat.push(part),
        }
    }
}

/// Whether everybody who meets all of `requirements` is known.
pub(crate) fn makes_known(requirements: &[Requirement]) -> bool {
    let site = Span::call_site();
    let authenticated = Requirement::new(Kind::Authenticated, site, site);
    requirements
        .iter()
        .any(|requirement| entails(requirement, &authenticated))
}

/// Whether everybody who meets `a` meets `b`.
pub(crate) fn entails(a: &Requirement, b: &Requirement) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Any(parts), _) => parts.iter().all(|part| entails(part, b)),
        (_, Kind::All(parts)) => parts.iter().all(|part| entails(a, part)),
        (Kind::All(parts), Kind::Any(others)) => {
            parts.iter().any(|part| entails(part, b))
                || others.iter().any(|other| entails(a, other))
        }
        (Kind::All(parts), _) => parts.iter().any(|part| entails(part, b)),
        (_, Kind::Any(parts)) => parts.iter().any(|part| entails(a, part)),
        // Where a request comes from says nothing of who sent it.
        (Kind::Network(_), Kind::Authenticated) => false,
        // Nothing else is known of somebody who is not known.
        (_, Kind::Authenticated) => true,
        (Kind::Network(small), Kind::Network(large)) => small.is_within(large),
        (Kind::Named(kind, a), Kind::Named(other, b)) => {
            kind == other && (a.text == b.text || b.broader.contains(&a.text))
        }
        (Kind::MaxAge(short), Kind::MaxAge(long)) => short.seconds <= long.seconds,
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;
    use crate::requirement::Name;

    fn messages(arguments: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let read = args::requires(arguments.parse().expect("tokens"), &mut errors);
        requires(&read, &mut errors);
        errors.messages()
    }

    #[test]
    fn what_makes_sense_passes() {
        for arguments in [
            "authenticated",
            r#"scope = "a", scope = "b""#,
            r#"any(scope = "a", role = "a")"#,
            r#"any(all(scope = "a", scope = "b"), all(scope = "b", scope = "c"))"#,
            r#"any(scope = "a", any(scope = "b", scope = "c"))"#,
            r#"scope = "!#[]~", hide_as = 404"#,
            r#"scope = "a", hide_as = 404, hide_unless = authenticated"#,
            r#"scope = "a", scope = "b", hide_as = 404, hide_unless = scope("a")"#,
        ] {
            assert_eq!(messages(arguments), Vec::<String>::new(), "{arguments}");
        }
    }

    #[test]
    fn what_cannot_matter_is_found_at_any_depth() {
        for arguments in [
            r#"any(authenticated, scope = "x")"#,
            r#"any(scope = "x", all(scope = "x", role = "y"))"#,
            r#"any(scope = "x", any(scope = "y", scope = "x"))"#,
            r#"authenticated, scope = "x""#,
            r#"scope = "x", scope = "x""#,
            r#"scope = "x", any(scope = "x", role = "y")"#,
            r#"role = "r", any(role = "s", all(scope = "x", scope = "x"))"#,
            r#"any(all(scope = "x"), role = "r")"#,
            r#"all(any(scope = "x"), role = "r")"#,
            r#"any(scope = "x", role = "r"), any(role = "r", scope = "x")"#,
            r#"all(all(all(scope = "x", scope = "x"), role = "y"), role = "z")"#,
            r#"scope = "a", hide_as = 404, hide_unless = any(role = "x")"#,
            r#"scope = "a", hide_as = 404, hide_unless = scope("a")"#,
        ] {
            assert_eq!(
                messages(arguments).len(),
                1,
                "{arguments}: {:?}",
                messages(arguments)
            );
        }
    }

    #[test]
    fn what_nobody_meets_is_found_through_lists() {
        for (arguments, found) in [
            (r#"network = "10.0.0.0/8", network = "10.1.0.0/16""#, 0),
            (r#"network = "10.0.0.0/8", network = "192.168.0.0/16""#, 1),
            (r#"network = "10.0.0.0/8", network = "2001:db8::/32""#, 1),
            (
                r#"any(network = "10.0.0.0/8", role = "r"), network = "192.168.0.0/16""#,
                0,
            ),
            (
                r#"any(network = "10.0.0.0/8", network = "11.0.0.0/8"), network = "12.0.0.0/8""#,
                1,
            ),
            (
                r#"any(all(network = "10.0.0.0/8", role = "r"), network = "11.0.0.0/8"), network = "12.0.0.0/8""#,
                1,
            ),
            (r#"acr = "a", role = "r", acr = "b""#, 1),
            (r#"any(acr = "a", acr = "b"), acr = "c""#, 1),
            (r#"any(acr = "a", acr = "b"), role = "r""#, 0),
            (r#"amr = "a", amr = "b""#, 0),
            (r#"scope = "a", scope = "b""#, 0),
        ] {
            let messages = messages(arguments);
            let nobody = messages
                .iter()
                .filter(|text| text.starts_with("nobody meets"));
            assert_eq!(nobody.count(), found, "{arguments}: {messages:?}");
        }
    }

    /// Implication, held against every way of granting three names.
    #[test]
    fn entailment_is_sound() {
        let atoms = [
            "authenticated",
            r#"scope = "a""#,
            r#"scope = "b""#,
            r#"role = "a""#,
        ];
        let mut all: Vec<String> = atoms.iter().map(ToString::to_string).collect();
        for key in ["any", "all"] {
            for one in atoms {
                for two in atoms {
                    all.push(format!("{key}({one}, {two})"));
                    all.push(format!("any({one}, all({two}, {}))", atoms[1]));
                    all.push(format!("all({one}, any({two}, {}))", atoms[2]));
                }
            }
        }
        let all: Vec<Requirement> = all.iter().map(|text| parse(text)).collect();
        for a in &all {
            for b in &all {
                let implied = (0..8).all(|granted| !holds(a, granted) || holds(b, granted));
                assert!(!entails(a, b) || implied, "{a} does not imply {b}");
            }
        }
    }

    /// Whoever removes everything that is named has changed nothing, and has something left.
    #[test]
    fn following_the_advice_changes_nothing() {
        let parts = [
            "authenticated",
            r#"scope = "a""#,
            r#"scope = "b""#,
            r#"role = "a""#,
            r#"any(scope = "a", role = "a")"#,
            r#"any(role = "a", scope = "a")"#,
            r#"all(scope = "a", scope = "b")"#,
            r#"any(scope = "a", all(scope = "b", role = "a"))"#,
            r#"all(scope = "a", any(scope = "b", role = "a"))"#,
            r#"any(all(scope = "a", scope = "b"), all(scope = "a", role = "a"))"#,
        ];
        let parts = parts.map(parse);
        for one in &parts {
            for two in &parts {
                for three in &parts {
                    for is_all in [true, false] {
                        // Cloned, so that the same part thrice is three parts.
                        let flat = [one, two, three].map(Requirement::clone);
                        let flat = flat.each_ref();
                        let named = redundant(&flat, is_all);
                        let is_named = |part: &&Requirement| {
                            named.iter().any(|(other, _)| std::ptr::eq(*part, *other))
                        };
                        let kept: Vec<_> =
                            flat.into_iter().filter(|part| !is_named(part)).collect();
                        assert!(!kept.is_empty(), "{one}, {two}, {three}; all: {is_all}");
                        let join = |parts: &[&Requirement], granted| {
                            let mut parts = parts.iter().map(|part| holds(part, granted));
                            if is_all {
                                parts.all(|it| it)
                            } else {
                                parts.any(|it| it)
                            }
                        };
                        for granted in 0..8 {
                            assert_eq!(
                                join(&kept, granted),
                                join(&flat, granted),
                                "{one}, {two}, {three}; all: {is_all}"
                            );
                        }
                    }
                }
            }
        }
    }

    fn parse(text: &str) -> Requirement {
        let read = args::requires(text.parse().expect("tokens"), &mut Errors::default());
        read.requirements.into_iter().next().expect("a requirement")
    }

    fn holds(requirement: &Requirement, granted: u8) -> bool {
        let bit = |name: &Name, first: u8| {
            let bit = if name.text == "a" { first } else { first << 1 };
            granted & bit != 0
        };
        match &requirement.kind {
            Kind::Authenticated => true,
            Kind::Named(Namespace::Scope, name) => bit(name, 1),
            Kind::Named(_, name) => bit(name, 4),
            Kind::All(parts) => parts.iter().all(|part| holds(part, granted)),
            Kind::Any(parts) => parts.iter().any(|part| holds(part, granted)),
            _ => unreachable!("not used here"),
        }
    }
}
