//! The functions that make the routers which guarded routers add, or protected ones.

use std::collections::{BTreeMap, BTreeSet};

use super::definitions::Definitions;
use crate::sources::mount::{Exemption, FunctionPlace, Mention};
use crate::sources::text::{any_word, named};

/// Returns the exemptions of the functions with routes, and of those that make routers.
///
/// A function is exempt if all of its mentions are: it may be mounted elsewhere, too.
pub(in super::super) fn exemptions<'m>(
    definitions: &Definitions<'_>,
    mounting: impl Iterator<Item = &'m FunctionPlace>,
) -> BTreeMap<FunctionPlace, Exemption> {
    let sources = definitions.sources;
    if sources.mentions.iter().all(|it| it.exemption.is_none()) {
        return BTreeMap::new();
    }
    let mounting: BTreeSet<_> = mounting.collect();
    let mut wanted = BTreeSet::new();
    for (index, function) in definitions.functions.iter().enumerate() {
        if definitions.makes_router(index) || mounting.contains(&function.place()) {
            wanted.insert(named(&function.signature.ident));
        }
    }
    let is_wanted = |mention: &&Mention| {
        let name = mention.path.last();
        name.is_some_and(|name| sources.names.can_be(name, |name| wanted.contains(name)))
    };
    let mut mentions: BTreeMap<FunctionPlace, Vec<(&Mention, bool)>> = BTreeMap::new();
    for mention in sources.mentions.iter().filter(is_wanted) {
        let owner = definitions.owner_at(&mention.within);
        let indices: Vec<usize> =
            if let ([name], true) = (mention.path.as_slice(), mention.is_method) {
                definitions.methods_named(name).collect()
            } else {
                let functions = definitions.functions_in(mention.scope, owner, &mention.path);
                functions.collect()
            };
        for index in indices {
            let Some(function) = definitions.functions.get(index) else {
                continue;
            };
            let makes_router = definitions.makes_router(index);
            // A handler in an exempt router does not make its routes.
            if makes_router || function.signature.asyncness.is_none() {
                let of_function = mentions.entry(function.place()).or_default();
                of_function.push((mention, makes_router));
            }
        }
    }
    let mut exemptions = BTreeMap::new();
    loop {
        let before = exemptions.len();
        for (place, mentions) in &mentions {
            let others = mentions.iter().filter(|(it, _)| *it.within != *place);
            let all: Option<Vec<Exemption>> = others
                .map(|(mention, makes_router)| {
                    let within = || exemptions.get(&*mention.within).copied();
                    mention
                        .exemption
                        .or_else(|| within().filter(|_| *makes_router))
                })
                .collect();
            if let Some(exemption) = all.into_iter().flatten().max() {
                exemptions.insert(place.clone(), exemption);
            }
        }
        if exemptions.len() == before {
            return exemptions;
        }
    }
}

/// Returns the paths of the functions that return a protected router.
pub(in super::super) fn protecting(definitions: &Definitions<'_>) -> BTreeSet<String> {
    let (protecting, others): (Vec<_>, Vec<_>) = definitions
        .functions
        .iter()
        .partition(|it| any_word(&it.signature.output, &|word| word == "ProtectedRouter"));
    // A `cfg` may choose.
    let others: BTreeSet<_> = others.iter().map(|it| it.path.as_str()).collect();
    let paths = protecting.iter().map(|it| it.path.clone());
    paths
        .filter(|path| !others.contains(path.as_str()))
        .collect()
}
