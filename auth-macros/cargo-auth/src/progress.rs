//! The progress of a service that moves to guarded routers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::report::count;
use crate::sources::{AxumRoute, CheckKind};
use crate::style::{NOTE, PLACE};

/// Returns the number of routes without a policy for each file, and the sums.
pub(crate) fn text(routes: &[AxumRoute]) -> String {
    let is_guarded = |route: &&AxumRoute| {
        let mut checks = route.checks.iter();
        checks.any(|check| check.kind == CheckKind::Policy)
    };
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for route in routes.iter().filter(|route| !is_guarded(route)) {
        *left.entry(&route.place.file).or_default() += 1;
    }
    let mut text = String::new();
    for (file, number) in &left {
        // Writing to a string does not fail.
        let number = count(*number, "route");
        let _ = writeln!(text, "{PLACE}{file}{PLACE:#}: {number} without a policy");
    }
    let guarded = routes.iter().filter(is_guarded).count();
    let open = routes.iter().filter(|route| !is_guarded(route));
    let adopted = open.filter(|route| route.is_adopted).count();
    let _ = writeln!(
        text,
        "{NOTE}{guarded} of {} guarded, {adopted} adopted, {} on plain routers{NOTE:#}",
        count(routes.len(), "route"),
        routes.len() - guarded - adopted,
    );
    text
}
