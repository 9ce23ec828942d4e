//! The declarations of a vocabulary.

use auth_runtime_policy::{
    DeclaredAction, DeclaredPolicy, IpNet, Network, Vocabulary, VocabularyEntry,
};

const SCOPES: &[VocabularyEntry] = &[
    VocabularyEntry::new("read", "Read it", &[]),
    VocabularyEntry::new("write", "Change it", &["read"]),
];
const ROLES: &[VocabularyEntry] = &[VocabularyEntry::new("admin", "Administrators", &["staff"])];
const PERMISSIONS: &[VocabularyEntry] = &[VocabularyEntry::new("own", "Owners", &["see"])];
const SETTINGS: &[VocabularyEntry] = &[VocabularyEntry::new("open", "Open to all", &[])];
const RESOURCES: &[VocabularyEntry] = &[VocabularyEntry::new("Repository", "Of git", &[])];
const ACTIONS: &[DeclaredAction] = &[DeclaredAction::new("push", "Send it", &["Repository"])];
const POLICIES: &[DeclaredPolicy] = &[DeclaredPolicy::new("staff", "All", r#"role = "staff""#)];
static BLOCKS: [IpNet; 0] = [];
static NETWORKS: [Network; 1] = [Network::new("office", &BLOCKS)];

fn vocabulary() -> Vocabulary {
    Vocabulary::new(
        Some("the realm"),
        SCOPES,
        ROLES,
        PERMISSIONS,
        &NETWORKS,
        POLICIES,
    )
    .with_objects(ACTIONS, RESOURCES)
    .with_settings(SETTINGS)
}

#[test]
fn each_list_is_returned() {
    let vocabulary = vocabulary();
    assert_eq!(vocabulary.realm(), Some("the realm"));
    assert_eq!(vocabulary.scopes(), SCOPES);
    assert_eq!(vocabulary.roles(), ROLES);
    assert_eq!(vocabulary.permissions(), PERMISSIONS);
    assert_eq!(vocabulary.settings(), SETTINGS);
    assert_eq!(vocabulary.resources(), RESOURCES);
    assert_eq!(vocabulary.actions(), ACTIONS);
    assert_eq!(vocabulary.policies(), POLICIES);
    assert_eq!(vocabulary.networks(), NETWORKS);
    let empty = Vocabulary::new(None, &[], &[], &[], &[], &[]);
    assert_eq!(empty.realm(), None);
    assert!(empty.settings().is_empty());
    assert!(empty.actions().is_empty());
    assert!(empty.resources().is_empty());
}

#[test]
fn each_declaration_has_its_parts() {
    let write = SCOPES[1];
    assert_eq!(write.name(), "write");
    assert_eq!(write.description(), "Change it");
    assert_eq!(write.implies(), ["read"]);
    let push = ACTIONS[0];
    assert_eq!(push.name(), "push");
    assert_eq!(push.description(), "Send it");
    assert_eq!(push.resource_types(), ["Repository"]);
    let staff = POLICIES[0];
    assert_eq!(staff.name(), "staff");
    assert_eq!(staff.description(), "All");
    assert_eq!(staff.requires(), r#"role = "staff""#);
}

#[test]
fn implied_names_are_met() {
    let vocabulary = vocabulary();
    let holds = |held: &'static str| move |name: &str| name == held;
    assert!(vocabulary.meets_scope("read", holds("write")));
    assert!(!vocabulary.meets_scope("write", holds("read")));
    assert!(vocabulary.meets_role("staff", holds("admin")));
    assert!(!vocabulary.meets_role("admin", holds("staff")));
    assert!(vocabulary.meets_permission("see", holds("own")));
    assert!(!vocabulary.meets_permission("own", holds("see")));
}
