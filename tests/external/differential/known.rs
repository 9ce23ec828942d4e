//! Comparison of results, with a table of the known disagreements.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The results of one input: what each side read, ours first. `None` is a rejection.
pub(crate) struct Seen<const N: usize> {
    /// The kind of the input, which the table names.
    pub(crate) kind: String,
    /// The input itself, for the message.
    pub(crate) input: String,
    /// The results.
    pub(crate) results: [Option<String>; N],
}

/// A disagreement that a specification decides.
pub(crate) struct Known<const N: usize> {
    /// Whether each side accepts the input, ours first.
    pub(crate) accepted: [bool; N],
    /// The specification, and its rule.
    pub(crate) reason: &'static str,
    /// The kinds of inputs.
    pub(crate) kinds: &'static [&'static str],
}

/// Fails if a disagreement is not in the table, or is in the table and does not occur.
pub(crate) fn compare<const N: usize>(seen: &[Seen<N>], sides: [&str; N], table: &[Known<N>]) {
    let mut occurred = BTreeMap::new();
    let mut unknown: BTreeMap<(String, [bool; N]), Vec<&Seen<N>>> = BTreeMap::new();
    let mut agreed = [0, 0];
    for one in seen {
        let accepted = one.results.each_ref().map(Option::is_some);
        if one.results.iter().all(|result| *result == one.results[0]) {
            agreed[usize::from(accepted[0])] += 1;
            continue;
        }
        let mut values = one.results.iter().flatten();
        let first = values.next();
        let is_known = values.all(|value| Some(value) == first)
            && table.iter().any(|known| {
                known.accepted == accepted && known.kinds.contains(&one.kind.as_str())
            });
        if is_known {
            *occurred.entry((&*one.kind, accepted)).or_insert(0) += 1;
        } else {
            let list = unknown.entry((one.kind.clone(), accepted)).or_default();
            list.push(one);
        }
    }
    println!(
        "{} inputs: {} rejected and {} accepted by all, {} disagreements, of {} kinds",
        seen.len(),
        agreed[0],
        agreed[1],
        seen.len() - agreed[0] - agreed[1],
        occurred.len() + unknown.len(),
    );
    let mut report = String::new();
    for ((kind, _), list) in &unknown {
        let one = list[0];
        let _ = writeln!(
            report,
            "{kind} ({} times), such as {:?}",
            list.len(),
            one.input
        );
        for (side, result) in sides.iter().zip(&one.results) {
            let _ = writeln!(report, "    {side}: {result:?}");
        }
    }
    for known in table {
        for kind in known.kinds {
            if !occurred.contains_key(&(*kind, known.accepted)) {
                let _ = writeln!(
                    report,
                    "{kind}: no disagreement of this kind, {:?}: {}",
                    known.accepted, known.reason
                );
            }
        }
    }
    assert!(
        report.is_empty(),
        "disagreements that are not in the table:\n{report}"
    );
}
