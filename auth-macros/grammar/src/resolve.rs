//! Resolution of the names in an attribute. Each name must be declared, and is also met by each
//! name that implies it.

use proc_macro2::{Span, TokenStream};

use crate::args;
use crate::check;
use crate::codes;
use crate::declared::implying;
use crate::errors::Errors;
use crate::objects;
use crate::requirement::{Name, Network, ParsedRequirement, RequirementKind, Requires, scheme};
use crate::resolver::Resolver;

/// Records every undeclared name, and fills in the names and blocks that declared ones stand for.
pub(crate) fn requires(requires: &mut Requires, resolver: Resolver<'_>, errors: &mut Errors) {
    if let Some(module) = &mut requires.module {
        self::requires(module, resolver, errors);
    }
    let mut policies = Vec::new();
    for part in &mut requires.requirements {
        if let RequirementKind::Policy(name) = &part.kind
            && let Some(policy) = policy(name, resolver, errors)
        {
            policies.push((name.clone(), policy));
        }
        requirement(part, resolver, errors);
    }
    if let Some(hidden) = &mut requires.hide_unless {
        if let RequirementKind::Policy(name) = &hidden.lesser.kind {
            part_of_list(name, "hide_unless", resolver, errors);
        }
        requirement(&mut hidden.lesser, resolver, errors);
    }
    // The policy determines the disclosure, unless the attribute does.
    disclosures(requires, &policies, errors);
    for (_, policy) in policies {
        *requires = std::mem::take(requires).or_disclosure_of(policy);
    }
}

/// Records two policies with different disclosure settings, unless the attribute has the setting.
fn disclosures(own: &Requires, policies: &[(Name, Requires)], errors: &mut Errors) {
    type Shown = fn(&Requires) -> Option<String>;
    let hiding: Shown = |requires| {
        requires.hide_as.as_ref()?;
        let lesser = requires
            .hide_unless
            .as_ref()
            .map(|hide| hide.lesser.called());
        let exception = lesser.map(|lesser| format!(", hide_unless = {lesser}"));
        Some(format!("hide_as = 404{}", exception.unwrap_or_default()))
    };
    let schemes: Shown = |requires| {
        let mut names: Vec<_> = requires.schemes.as_ref()?.iter().map(scheme).collect();
        names.sort();
        Some(format!("schemes({})", names.join(", ")))
    };
    let realm: Shown = |requires| {
        let realm = requires.realm.as_ref()?;
        Some(format!("realm = {:?}", realm.text))
    };
    let says: Shown = |requires| {
        let text = requires.says.as_ref()?;
        Some(format!("says = {:?}", text.text))
    };
    let hides = own.hide_as.is_some() || own.hide_unless.is_some();
    for (key, shown, is_decided) in [
        ("hide_as", hiding, hides),
        ("schemes", schemes, own.schemes.is_some()),
        ("realm", realm, own.realm.is_some()),
        ("says", says, own.says.is_some()),
    ] {
        let mut policies = policies.iter();
        let said = |(name, policy): &(Name, Requires)| Some((name.clone(), shown(policy)?));
        let first = policies.by_ref().find_map(said);
        let Some((first, one)) = first.filter(|_| !is_decided) else {
            continue;
        };
        if let Some((name, other)) = policies.filter_map(said).find(|(_, other)| *other != one) {
            let message = format!(
                "the policies `{}` and `{}` have different disclosure settings: `{one}` and \
                 `{other}`\n\
                 help: write the intended `{key}` in the attribute itself",
                first.text, name.text
            );
            errors.add(codes::TWO_DISCLOSURES, name.span, message);
        }
    }
}

fn requirement(requirement: &mut ParsedRequirement, resolver: Resolver<'_>, errors: &mut Errors) {
    // Later mistakes are not shown, and each lookup takes time.
    if errors.is_full() {
        return;
    }
    match &mut requirement.kind {
        RequirementKind::Named(namespace, name) => {
            let terms = resolver.vocabulary.and_then(|own| own.terms(*namespace));
            let Some(terms) = terms else { return };
            if terms.contains_key(&name.text) {
                name.broader = implying(terms, &name.text);
            } else if check::name_problem(*namespace, &name.text).is_none() {
                errors.add(
                    codes::UNDECLARED,
                    name.span,
                    resolver.undeclared(namespace.key(), &name.text),
                );
            }
        }
        RequirementKind::Network(network) => self::network(network, resolver, errors),
        RequirementKind::Policy(name) => {
            let Some(policy) = policy(name, resolver, &mut Errors::default()) else {
                return;
            };
            requirement.policy = Some(name.text.clone());
            let mut parts = policy.requirements;
            requirement.kind = match (parts.pop(), parts.is_empty()) {
                (Some(only), true) => only.kind,
                (last, _) => {
                    parts.extend(last);
                    RequirementKind::All(parts)
                }
            };
        }
        RequirementKind::All(parts) | RequirementKind::Any(parts) => {
            for part in parts {
                if let RequirementKind::Policy(name) = &part.kind {
                    part_of_list(name, "any(...)` and `all(...)", resolver, errors);
                }
                self::requirement(part, resolver, errors);
            }
        }
        // Their objects may come from the attribute around them.
        RequirementKind::Can(_) => {}
        RequirementKind::Authenticated
        | RequirementKind::SenderConstrained
        | RequirementKind::MaxAge(_)
        | RequirementKind::Check(_) => {}
    }
}

/// Records actions and types of objects that are not declared, in the attribute and the modules around it.
pub(crate) fn objects(requires: &Requires, resolver: Resolver<'_>, errors: &mut Errors) {
    if let Some(module) = &requires.module {
        objects(module, resolver, errors);
    }
    let lesser = requires.hide_unless.iter().map(|hide| &hide.lesser);
    for part in requires.requirements.iter().chain(lesser) {
        objects::check(part, resolver, errors);
    }
}

/// Replaces the name of a network by its blocks. A literal block stays unchanged.
fn network(network: &mut Network, resolver: Resolver<'_>, errors: &mut Errors) {
    if !network.blocks.is_empty() {
        return;
    }
    let Some(vocabulary) = resolver.vocabulary else {
        errors.add(
            codes::NETWORK,
            network.span,
            format!(
                "`{}` is not a network\n\
                 help: write a block of addresses, such as `\"10.0.0.0/8\"` or \
                 `\"2001:db8::/32\"`, or declare the name below `[networks]` in an `auth.toml` \
                 beside the `Cargo.toml`",
                network.text.escape_debug()
            ),
        );
        return;
    };
    match vocabulary.networks.get(&network.text) {
        Some(blocks) => network.blocks.clone_from(blocks),
        None => {
            let message = resolver.undeclared("network", &network.text);
            errors.add(codes::UNDECLARED, network.span, message);
        }
    }
}

/// Records a policy with disclosure settings in a list: they apply to a whole attribute only.
fn part_of_list(name: &Name, list: &str, resolver: Resolver<'_>, errors: &mut Errors) {
    let Some(policy) = policy(name, resolver, errors) else {
        return;
    };
    let disclosure = Requires {
        hide_as: policy.hide_as,
        hide_unless: policy.hide_unless,
        schemes: policy.schemes,
        realm: policy.realm,
        says: policy.says,
        ..Requires::default()
    };
    let disclosure = disclosure.to_string();
    if disclosure.is_empty() {
        return;
    }
    let message = format!(
        "the policy `{}` has disclosure settings (`{disclosure}`), which cannot apply to a part\n\
         help: write it outside `{list}`, or remove `{disclosure}` from the policy",
        name.text
    );
    errors.add(codes::POLICY_IN_LIST, name.span, message);
}

/// Returns the requirements of a policy of the vocabulary, all with the span of its name. `None` if it is not
/// declared, or cannot be read.
fn policy(name: &Name, resolver: Resolver<'_>, errors: &mut Errors) -> Option<Requires> {
    let Some(vocabulary) = resolver.vocabulary else {
        errors.add(
            codes::NO_VOCABULARY,
            name.span,
            format!(
                "the policy `{}` is not declared: no `auth.toml` was found\n\
                 help: create one with `[policies.{}]` beside the `Cargo.toml`, or in a folder \
                 above it",
                name.text, name.text
            ),
        );
        return None;
    };
    let Some(policy) = vocabulary.policies.get(&name.text) else {
        let message = resolver.undeclared("policy", &name.text);
        errors.add(codes::UNDECLARED, name.span, message);
        return None;
    };
    // The text was checked when the vocabulary was read. If it has a mistake all the same, a requirement may be
    // missing, and the name stands for a policy that is never met.
    let tokens = respanned(policy.requires.parse().ok()?, name.span);
    let mut mistakes = Errors::default();
    let mut requires = args::requires(tokens, &mut mistakes);
    if !mistakes.is_empty() {
        return None;
    }
    self::requires(&mut requires, resolver, &mut Errors::default());
    if requires.on.is_some() {
        objects::place(&mut requires);
    }
    Some(requires)
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let proc_macro2::TokenTree::Group(group) = &token {
                let inner = respanned(group.stream(), span);
                token = proc_macro2::Group::new(group.delimiter(), inner).into();
            }
            token.set_span(span);
            token
        })
        .collect()
}
