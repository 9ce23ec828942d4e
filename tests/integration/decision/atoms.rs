//! Every kind of requirement. Other crates than that of the policies match them with a wildcard.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::*;

/// Returns the names of the variants of `Atom` in its source.
pub(crate) fn variants() -> BTreeSet<String> {
    let source = include_str!("../../../auth-runtime/policy/src/requirement.rs");
    let file = syn::parse_file(source).expect("Rust");
    let atom = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == "Atom" => Some(item),
        _ => None,
    });
    let variants = atom.expect("the enum").variants.iter();
    variants.map(|variant| variant.ident.to_string()).collect()
}

/// Returns the name of the variant.
pub(crate) fn variant(atom: &Atom) -> String {
    let text = format!("{atom:?}");
    let name = text.split(|letter: char| !letter.is_alphanumeric()).next();
    name.unwrap_or_default().to_owned()
}

#[test]
fn every_requirement_can_be_met() {
    let requirements = [
        Requirement::authenticated(),
        Requirement::scope("read"),
        Requirement::role("staff"),
        Requirement::permission("print"),
        Requirement::check(A_CHECK),
        Requirement::can("update"),
        Requirement::acr("mfa"),
        Requirement::amr("otp"),
        Requirement::max_age(Duration::from_secs(60)),
        Requirement::sender_constrained(),
        Requirement::network(Network::new("office", &OFFICE)),
        Requirement::setting("open"),
    ];
    let login = SystemTime::UNIX_EPOCH;
    let ann = Identity::new("ann")
        .with_scopes(["read"])
        .with_roles(["staff"])
        .with_permissions(["print"])
        .with_acr("mfa")
        .with_amr(["otp"])
        .with_auth_time(login)
        .with_sender_constraint();
    let [all, nothing] = [ann, Identity::new("bob")].map(Caller::known);
    let mut seen = BTreeSet::new();
    for requirement in requirements {
        let [atom] = requirement.atoms()[..] else {
            panic!("{requirement} is an atom");
        };
        seen.insert(variant(atom));
        let context = Context::new(&all)
            .at(login)
            .with_address(IN_OFFICE)
            .with_setting("open", true)
            .answered(Requirement::check(A_CHECK).atoms()[0].clone(), Some(true))
            .answered(Requirement::can("update").atoms()[0].clone(), Some(true));
        let policy = Policy::requires(requirement.clone());
        assert_eq!(
            Decision::of(&policy, &context),
            Decision::Grant,
            "{requirement}"
        );
        let context = Context::new(&nothing);
        let is_granted = Decision::of(&policy, &context) == Decision::Grant;
        assert_eq!(is_granted, *atom == Atom::Authenticated, "{requirement}");
    }
    assert_eq!(seen, variants());
}
