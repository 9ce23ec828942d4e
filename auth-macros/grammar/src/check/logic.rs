//! What can never matter, and what nobody can meet.
//!
//! Requirements have no *not*, so whether one implies another can be read off their structure.

use ipnet::IpNet;
use proc_macro2::Span;

use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Kind, Namespace, Requirement};
use crate::values;

/// Notes each `any(...)` and `all(...)` with a single member, at any depth; `write` is how that
/// member is written where the outermost one stands.
pub(super) fn wrappers(
    requirement: &Requirement,
    write: fn(&Requirement) -> String,
    errors: &mut Errors,
) {
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
pub(super) fn list(parts: &[Requirement], is_all: bool, errors: &mut Errors) {
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
pub(super) fn contradiction(one: &Requirement, other: &Requirement) -> Option<&'static str> {
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

/// Notes what changes nothing in the whole, `context` and all, though no single other part makes it so;
/// one at a time, since the next may depend on it.
pub(super) fn whole(context: &[Requirement], own: &[Requirement], errors: &mut Errors) {
    let with = |own: &[Requirement]| all_of([context, own].concat());
    let whole = with(own);
    if ways(&whole).is_some_and(|ways| !ways.iter().any(is_possible)) {
        if let (Some(first), Some(last)) = (own.first(), own.last()) {
            let message = "nobody meets all of this together: each way to meet one part of it rules \
                           another part out; write `any(...)` where either is enough";
            errors.add_across(codes::CONTRADICTION, first.span, last.end, message);
        }
        return;
    }
    if let Some(kind) = everybody(&whole) {
        if let (Some(first), Some(last)) = (own.first(), own.last()) {
            let message = format!(
                "these networks together are every {kind} address there is, so they keep nobody \
                 out; leave out those that this is not about"
            );
            errors.add_across(codes::NETWORK, first.span, last.end, message);
        }
        return;
    }
    let mut members = Vec::new();
    collect(own, true, &mut members);
    let idle = members.iter().find(|(part, _)| {
        let rest = with(&without(own, part));
        entails(&rest, &whole) && entails(&whole, &rest)
    });
    match idle {
        Some((part, true)) => errors.add_across(
            codes::REDUNDANT,
            part.span,
            part.end,
            format!(
                "`{part}` adds nothing: what stands around it, taken together, asks for it already; \
                 remove it"
            ),
        ),
        Some((part, false)) => errors.add_across(
            codes::DEAD_ALTERNATIVE,
            part.span,
            part.end,
            format!(
                "the alternative `{part}` never decides: with what stands around it, whoever meets it \
                 gets in without it, or nobody does; remove it"
            ),
        ),
        None => {}
    }
}

/// The kind of address of which every one is let in.
fn everybody(whole: &Requirement) -> Option<&'static str> {
    let ways = ways(whole)?;
    let is_network = |single: &&Requirement| matches!(single.kind, Kind::Network(_));
    let open = ways.iter().filter(|way| way.iter().all(is_network));
    let blocks: Vec<IpNet> = open.filter_map(common).flatten().collect();
    values::every_address(&blocks)
}

/// Every member of every list, with whether that list is an `all`.
fn collect<'a>(parts: &'a [Requirement], is_all: bool, members: &mut Vec<(&'a Requirement, bool)>) {
    for part in parts {
        members.push((part, is_all));
        match &part.kind {
            _ if part.policy.is_some() => {}
            Kind::All(inner) => collect(inner, true, members),
            Kind::Any(inner) => collect(inner, false, members),
            _ => {}
        }
    }
}

/// The parts as they would be without that member of one of their lists.
fn without(parts: &[Requirement], member: &Requirement) -> Vec<Requirement> {
    let kept = parts.iter().filter(|part| !std::ptr::eq(*part, member));
    kept.map(|part| {
        let kind = match &part.kind {
            Kind::All(inner) => Kind::All(without(inner, member)),
            Kind::Any(inner) => Kind::Any(without(inner, member)),
            single => single.clone(),
        };
        Requirement {
            kind,
            ..part.clone()
        }
    })
    .collect()
}

/// A list without `all`.
pub(super) fn all_of(parts: Vec<Requirement>) -> Requirement {
    Requirement::new(Kind::All(parts), Span::call_site(), Span::call_site())
}

/// Whether everybody who meets all of `requirements` is known.
pub fn makes_known(requirements: &[Requirement]) -> bool {
    let authenticated = Requirement {
        kind: Kind::Authenticated,
        ..all_of(Vec::new())
    };
    let all = all_of(requirements.to_vec());
    // Of what is too long for the one, the other knows all but what networks rule out.
    entails(&all, &authenticated) || is_known(&all)
}

fn is_known(requirement: &Requirement) -> bool {
    match &requirement.kind {
        Kind::All(parts) => parts.iter().any(is_known),
        Kind::Any(parts) => parts.iter().all(is_known),
        kind => implies(kind, &Kind::Authenticated),
    }
}

/// Whether everybody who meets `a` meets `b`. What is true is found, but for what several networks are
/// only together: `false` is the answer to what is not known, so that nothing right is refused.
pub fn entails(a: &Requirement, b: &Requirement) -> bool {
    ways(a).is_some_and(|ways| {
        let mut possible = ways.iter().filter(|way| is_possible(way));
        possible.all(|way| meets(way, b))
    })
}

/// What is met together in one of the ways to meet a requirement: nothing but single ones.
type Way<'a> = Vec<&'a Requirement>;

/// More than anybody writes; their number grows with each `any` in an `all`.
const MAX_WAYS: usize = 1024;

/// Every way to meet a requirement; `None` if there are too many.
fn ways(requirement: &Requirement) -> Option<Vec<Way<'_>>> {
    match &requirement.kind {
        Kind::Any(parts) => {
            let mut ways = Vec::new();
            for part in parts {
                ways.extend(self::ways(part)?);
            }
            (ways.len() <= MAX_WAYS).then_some(ways)
        }
        Kind::All(parts) => {
            let mut ways = vec![Vec::new()];
            for part in parts {
                let further = self::ways(part)?;
                if ways.len() * further.len() > MAX_WAYS {
                    return None;
                }
                let mut both = Vec::new();
                for way in &ways {
                    for further in &further {
                        both.push([way.as_slice(), further].concat());
                    }
                }
                ways = both;
            }
            Some(ways)
        }
        _ => Some(vec![vec![requirement]]),
    }
}

/// Whether anybody can meet all of it at once.
fn is_possible(way: &Way<'_>) -> bool {
    let acr = |single: &&Requirement| match &single.kind {
        Kind::Named(Namespace::Acr, name) => Some(name.text.clone()),
        _ => None,
    };
    let mut acrs = way.iter().filter_map(acr);
    let first = acrs.next();
    let has_one_acr = acrs.all(|acr| Some(acr) == first);
    has_one_acr && common(way).is_none_or(|blocks| !blocks.is_empty())
}

/// The addresses that lie in all networks of a way; `None` if it names no network.
fn common(way: &Way<'_>) -> Option<Vec<IpNet>> {
    let networks = way.iter().filter_map(|single| match &single.kind {
        Kind::Network(network) => Some(network.blocks.clone()),
        _ => None,
    });
    networks.reduce(|all, blocks| {
        let both = |one: &IpNet, other: &IpNet| match (one.contains(other), other.contains(one)) {
            (true, _) => Some(*other),
            (_, true) => Some(*one),
            _ => None,
        };
        let pairs = all
            .iter()
            .flat_map(|one| blocks.iter().map(move |other| (one, other)));
        pairs.filter_map(|(one, other)| both(one, other)).collect()
    })
}

/// Whether all that is met in that way is enough.
fn meets(way: &Way<'_>, requirement: &Requirement) -> bool {
    match &requirement.kind {
        Kind::Any(parts) => parts.iter().any(|part| meets(way, part)),
        Kind::All(parts) => parts.iter().all(|part| meets(way, part)),
        Kind::Network(network) => common(way).is_some_and(|blocks| {
            let within = |block: &IpNet| network.blocks.iter().any(|large| large.contains(block));
            blocks.iter().all(within)
        }),
        _ => way
            .iter()
            .any(|single| implies(&single.kind, &requirement.kind)),
    }
}

/// Whether whoever meets the one single requirement meets the other.
fn implies(one: &Kind, other: &Kind) -> bool {
    match (one, other) {
        // Where a request comes from says nothing of who sent it.
        (Kind::Network(_), _) => false,
        // Nothing else is known of somebody who is not known.
        (_, Kind::Authenticated) => true,
        (Kind::Named(kind, one), Kind::Named(other, two)) => {
            kind == other && (one.text == two.text || two.broader.contains(&one.text))
        }
        (Kind::MaxAge(short), Kind::MaxAge(long)) => short.seconds <= long.seconds,
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;
    use crate::requirement::Name;

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
