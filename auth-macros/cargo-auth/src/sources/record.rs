//! The results of reading the sources: policies, mistakes and routes without a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use auth_grammar::requirement::ParsedPolicy;
use serde::Serialize;
use syn::Item;

use super::finding::{Finding, Place};
use super::macro_policies::MacroPolicy;
use super::mount::{Mention, Mount};
use super::names::Names;
use super::policy_alias::PolicyAlias;
use super::reasons::Reason;

/// All results.
#[derive(Default)]
pub(crate) struct Sources {
    /// The handlers and services with a policy, by place.
    pub(crate) entries: Vec<Entry>,
    /// The mistakes, by place.
    pub(crate) findings: Vec<Finding>,
    /// The unguarded handlers and routers.
    pub(crate) unguarded: Vec<Unguarded>,
    /// The handlers on plain routers that have no reason of their own.
    pub(crate) without_reason: Vec<Unguarded>,
    /// The policies in macros, which are not read.
    pub(crate) macros: Vec<MacroPolicy>,
    /// The paths of functions without a policy, with their packages. With another `cfg`, they may have one.
    pub(crate) bare: BTreeMap<String, BTreeSet<String>>,
    pub(super) names: Names,
    pub(super) mounts: Vec<Mount>,
    pub(super) mentions: Vec<Mention>,
    pub(super) reasons: Vec<Reason>,
    pub(super) aliases: Vec<PolicyAlias>,
    /// The files that were not read, with the reasons.
    pub(crate) unread: Vec<String>,
    /// The items that routes can refer to.
    pub(super) items: Vec<ReadItem>,
    /// The scopes of blocks with items, by file and offset.
    pub(super) blocks: BTreeMap<(String, usize), usize>,
}

/// An item of the sources, and the place of its names.
pub(super) struct ReadItem {
    pub(super) file: String,
    pub(super) scope: usize,
    pub(super) is_selected: bool,
    pub(super) item: Item,
}

/// An item with a policy.
#[derive(Clone)]
pub(crate) struct Entry {
    /// The place of the attribute, or that of the name if the attribute is the module's.
    pub(crate) place: Place,
    /// The package of the item.
    pub(crate) package: String,
    /// The path of the item, from the name of the crate.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    /// The policy, combined with those of the enclosing modules.
    pub(crate) policy: ParsedPolicy,
    /// The conditions under which it is compiled: the predicates of `cfg` and `cfg_attr`.
    pub(crate) condition: Option<String>,
    /// True if its package is selected.
    pub(super) is_selected: bool,
    /// Whether the attribute has a mistake, so that the policy may be incomplete.
    pub(crate) is_mistaken: bool,
    /// The name of the attribute, or that of the module; `None` if it names the runtime itself.
    pub(super) attribute: Option<Rc<AttributeName>>,
}

/// The path of a policy attribute, as it is written.
pub(super) struct AttributeName {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) path: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    /// An `async fn`.
    Handler,
    /// A unit struct, the policy of a service.
    Service,
}

/// A route without a policy, with its reason.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Unguarded {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) kind: UnguardedKind,
    /// The reason; source text, if it is not a string.
    pub(crate) reason: String,
    /// The mounted item, if it has a name; the paths of a merged router; or an open pattern.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) target: String,
    /// The source text of the router or the service, for `diff`.
    #[serde(skip)]
    pub(crate) made: String,
}

/// The kind of a route without a policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UnguardedKind {
    /// A plain router was merged by `merge_unguarded`.
    Merged,
    /// A plain router was added by `adopt`.
    Adopted,
    /// It is mounted on a plain router, below a comment with the reason.
    Plain,
    /// It matches spellings of a guarded path, below a comment with the reason.
    Covering,
    /// It is mounted on a plain router that was merged by `merge_unguarded`.
    Excused,
    /// It is mounted on a plain router, without a reason.
    Unexcused,
}

impl Unguarded {
    /// Returns the kind in words, with the paths that the list of `cargo auth` names.
    pub(crate) fn description(&self) -> String {
        let target = &self.target;
        match self.kind {
            UnguardedKind::Merged => format!("merged unguarded, {target}"),
            UnguardedKind::Adopted => "adopted router, without policies".to_owned(),
            UnguardedKind::Covering => format!("{target} responds to spellings of a guarded path"),
            UnguardedKind::Plain | UnguardedKind::Excused | UnguardedKind::Unexcused => {
                "on a plain router, without a policy".to_owned()
            }
        }
    }
}

impl Sources {
    /// Returns the routes of plain routers without a policy and without a reason.
    pub(crate) fn without_policy(&self) -> impl Iterator<Item = &Unguarded> {
        let routes = self.without_reason.iter();
        routes.filter(|route| route.kind == UnguardedKind::Unexcused)
    }

    /// Returns the present numbers of results.
    pub(super) fn counts(&self) -> [usize; 6] {
        let Self {
            findings,
            unguarded,
            macros,
            mounts,
            aliases,
            reasons,
            ..
        } = self;
        [
            findings.len(),
            unguarded.len(),
            macros.len(),
            mounts.len(),
            aliases.len(),
            reasons.len(),
        ]
    }

    /// Truncates the results to these numbers.
    pub(super) fn truncate(&mut self, counts: [usize; 6]) {
        let [findings, unguarded, macros, mounts, aliases, reasons] = counts;
        self.findings.truncate(findings);
        self.unguarded.truncate(unguarded);
        self.macros.truncate(macros);
        self.mounts.truncate(mounts);
        self.aliases.truncate(aliases);
        self.reasons.truncate(reasons);
    }
}
