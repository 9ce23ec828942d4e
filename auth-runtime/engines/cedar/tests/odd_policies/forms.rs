//! Forms of conditions.

use super::*;

/// Policies that the list translates.
#[test]
fn lists_agree() {
    let translated = table(&[
        "permit(principal, action, resource);",
        "permit(principal, action, resource) when { resource.owner == principal };",
        "permit(principal, action, resource) when { principal == resource.owner };",
        "permit(principal, action, resource) when { User::\"ann\" == resource.owner };",
        "permit(principal, action, resource) when { \"ann\" == resource.title };",
        "permit(principal, action, resource) when { \"ann\" != resource.title };",
        "permit(principal, action, resource) when { 2 == resource.size };",
        "permit(principal, action, resource) when { true == resource.public };",
        "permit(principal, action, resource) when { false == resource.public };",
        "permit(principal, action, resource) when { resource.public != true };",
        "permit(principal, action, resource) unless { resource.public };",
        "permit(principal, action, resource) unless { !resource.public };",
        "permit(principal, action, resource) when { !(!(!resource.public)) };",
        "permit(principal, action, resource) when { resource has archived };",
        "permit(principal, action, resource) unless { resource has archived };",
        "permit(principal, action, resource) unless { resource has archived && resource.archived };",
        "permit(principal, action, resource) when { if resource has archived then resource.archived else resource.public };",
        "permit(principal, action, resource) when { if resource has archived then !resource.archived else true };",
        "permit(principal, action, resource) when { if resource.public then true else resource.owner == principal };",
        "permit(principal, action, resource) when { if principal in Role::\"admin\" then true else resource.public };",
        "permit(principal, action, resource) when { (if resource.public then resource.owner == principal else false) || resource.size == 3 };",
        "permit(principal, action, resource) when { if (if resource has archived then resource.archived else false) then resource.public else resource.size == 1 };",
        "permit(principal, action, resource) when { resource.teams.contains(Team::\"core\") };",
        "permit(principal, action, resource) when { principal in resource.teams };",
        "permit(principal, action, resource) unless { principal in resource.teams };",
        "permit(principal, action, resource) when { resource has org && principal in resource.org };",
        "permit(principal, action, resource) when { resource has org && resource.org.suspended };",
        "permit(principal, action, resource) unless { resource has org && resource.org.suspended };",
        "permit(principal, action, resource) when { resource has org && resource.org.owner == principal };",
        "permit(principal, action, resource) when { resource has org && principal in resource.org.owner };",
        "permit(principal, action, resource) when { resource has labels && resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) unless { resource has labels && resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) when { resource has labels && !resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) when { resource has reviewer && [User::\"ann\", principal].contains(resource.reviewer) };",
        "permit(principal, action, resource) when { [\"t\", \"ann\"].contains(resource.title) };",
        "permit(principal, action, resource) when { resource == Doc::\"secret\" };",
        "permit(principal, action, resource) when { resource != Doc::\"secret\" };",
        "permit(principal, action, resource) when { Doc::\"secret\" == resource };",
        "permit(principal, action, resource == Doc::\"secret\");",
        "permit(principal, action, resource is Doc);",
        "permit(principal, action, resource is Doc) when { [Doc::\"secret\", Doc::\"ann\"].contains(resource) };",
        "permit(principal, action, resource) when { resource is Doc };",
        "permit(principal, action, resource) when { resource has robot && resource.robot == Robot::\"ann\" };",
        "permit(principal in Role::\"admin\", action, resource); permit(principal, action == Action::\"read\", resource) when { resource.public };",
        "permit(principal is User, action, resource); forbid(principal, action, resource) when { resource.owner == User::\"bob\" };",
        "permit(principal is User in Team::\"core\", action, resource);",
        "permit(principal == User::\"ann\", action in [Action::\"read\"], resource);",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { resource.public };",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { resource has archived };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has archived && resource.archived };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has org && resource.org.suspended } unless { principal in Role::\"admin\" };",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { resource has reviewer && resource.reviewer == principal };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource == Doc::\"secret\" };",
        "permit(principal, action, resource); forbid(principal, action, resource == Doc::\"secret\") unless { resource.public };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { !(resource has org) };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { if resource has org then resource.org.suspended else resource.public };",
        "permit(principal, action, resource) when { context.method == \"GET\" && resource.public };",
        "permit(principal, action, resource) when { action == Action::\"read\" && resource.public };",
        "permit(principal, action, resource) when { resource.public } when { resource.owner == principal } unless { resource.size == 2 };",
        "permit(principal, action, resource) when { principal.scopes.contains(\"docs\") || resource.public };",
        "permit(principal, action, resource) when { principal has acr && principal.acr == \"gold\" };",
        "permit(principal, action, resource) when { principal has level && principal.level > 2 };",
        "forbid(principal, action, resource);",
        "permit(principal, action, resource) when { resource has owner };",
        "permit(principal, action, resource) when { resource has owner && resource.owner == principal && resource.title == \"ann\" };",
        "permit(principal, action, resource) when { resource[\"title\"] == \"ann\" };",
    ]);
    assert_eq!(translated, 66);
}

/// `(resource has name)` as a value is read as the value of the attribute.
#[test]
fn has_as_an_operand() {
    let translated = table(&[
        "permit(principal, action, resource) when { (resource has archived) == true };",
        "permit(principal, action, resource) when { (resource has archived) == false };",
        "permit(principal, action, resource) when { (resource has archived) != true };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { (resource has archived) == true };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { (resource has org) == true };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { true == (resource has reviewer) };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { [true].contains(resource has labels) };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has org && (resource.org has name) == true };",
    ]);
    assert_eq!(translated, 0);
}

/// A record with the key `Value` hides the object.
#[test]
fn a_record_with_the_key_value() {
    let translated = table(&[
        "permit(principal, action, resource); forbid(principal, action, resource) when { {Value: resource}.Value == Doc::\"secret\" };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { {Value: resource has archived}.Value };",
        "permit(principal, action, resource) when { {Value: !(resource has archived)}.Value };",
        "permit(principal, action, resource) when { {Value: resource != Doc::\"secret\"}.Value };",
        "permit(principal, action, resource) when { {Value: resource.public}.Value };",
    ]);
    assert_eq!(translated, 0);
}

/// Cedar evaluates the right side only if the left one does not decide.
#[test]
fn parts_that_cedar_does_not_evaluate() {
    let translated = table(&[
        "permit(principal, action, resource) when { principal has acr && resource.public && principal.acr == \"gold\" };",
        "permit(principal, action, resource) when { principal has acr && (principal.acr == \"gold\" && resource.public) };",
        "permit(principal, action, resource) when { principal has acr && principal.acr == \"gold\" && resource.public };",
        "permit(principal, action, resource) when { principal has acr } when { principal.acr == \"gold\" || resource.public };",
        "permit(principal, action, resource) when { if principal has acr then (principal.acr == \"gold\" && resource.public) else resource.owner == principal };",
        "permit(principal, action, resource) when { context has ip && (context.ip.isLoopback() || resource.public) };",
        "permit(principal, action, resource) when { principal has level && (principal.level > 2 || resource.public) };",
        "permit(principal, action, resource) when { false && resource.title like \"a*\" };",
        "permit(principal, action, resource) when { principal in Role::\"admin\" && resource.size < 5 };",
    ]);
    assert_eq!(translated, 8);
}

/// Further forms: literals, equal ids of other types, policies that mention the object twice.
#[test]
fn lists_agree_in_odd_forms() {
    let translated = table(&[
        "permit(principal, action, resource) when { resource has robot && resource.robot == principal };",
        "permit(principal, action, resource) when { resource.size == -1 };",
        "permit(principal, action, resource) when { resource.size != -1 };",
        "permit(principal, action, resource) when { resource.title == \"\\u{0}é\\\"\" };",
        "permit(principal, action, resource) when { resource has flags && resource.flags.contains(true) };",
        "permit(principal, action, resource) unless { resource has flags && resource.flags.contains(true) };",
        "permit(principal, action, resource) when { resource has org && !resource.org.suspended };",
        "permit(principal, action, resource) when { resource has org && resource.org.suspended == false };",
        "permit(principal, action, resource) when { resource has org && !(principal in resource.org) };",
        "permit(principal, action, resource) when { resource has reviewer && principal in resource.reviewer };",
        "permit(principal, action, resource) when { !(principal in resource.teams) && resource.public };",
        "permit(principal, action, resource) when { (if principal has acr then true else false) && resource.public };",
        "permit(principal, action, resource) when { if principal has acr then resource.public else !resource.public };",
        "permit(principal, action, resource) when { (resource.public || resource.size == 1) && (resource.public || resource.size == 2) };",
        "permit(principal, action, resource) when { resource.public } unless { resource has archived && resource.archived } unless { resource has org && resource.org.suspended };",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { if resource has archived then resource.archived else resource.public };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has labels } unless { resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) when { [\"x\", \"t\"].contains(resource.title) && [1, 2].contains(resource.size) };",
        "permit(principal, action, resource) unless { [1, 2].contains(resource.size) };",
        "permit(principal, action, resource) when { (resource == Doc::\"secret\") == true };",
        "permit(principal, action, resource) when { (resource.size == 1) == true };",
        "permit(principal, action, resource) when { (resource is Doc) == true };",
        "permit(principal, action, resource) when { !(resource.public && resource.public == false) };",
        "@id(\"x\") permit(principal, action, resource) when { resource.owner == User::\"ann\" || resource.owner == principal };",
        "permit(principal, action, resource) when { {a: true, b: principal}.b == resource.owner };",
        "permit(principal, action, resource) when { resource has org.name };",
        "permit(principal, action, resource) when { resource has org && resource.org has name && resource.org.name == \"Green\" };",
    ]);
    assert_eq!(translated, 21);
}
