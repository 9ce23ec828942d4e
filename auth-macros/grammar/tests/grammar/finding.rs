//! The `auth.toml` of a crate: the nearest one up to the root of its workspace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth_grammar::vocabulary::{self, LoadedVocabulary};

/// Returns a folder for each case.
fn folder(name: &str) -> PathBuf {
    let lab = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("finding");
    // Like a repository that cargo checked out: folders above it do not count.
    write(lab.join(".cargo-ok"), "");
    let folder = lab.join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn write(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

const MEMBER: &str = "[package]\nname = \"inner\"\nversion = \"0.0.0\"\n";
const VOCABULARY: &str = "[scopes]\nread = \"Read\"\n";

fn shown(found: Option<&LoadedVocabulary>) -> Option<&str> {
    found.map(|found| found.shown.as_str())
}

/// A vocabulary beside a manifest is found, in whatever form the manifest is written. A crate that
/// cargo excludes from a workspace does not use its vocabulary.
#[test]
fn vocabulary_applies_to_members() {
    for (name, root, member, is_found) in [
        (
            "a_table",
            "[workspace]\nmembers = [\"inner\"]\n",
            MEMBER,
            true,
        ),
        (
            "a_dotted_key",
            "workspace.members = [\"inner\"]\n",
            MEMBER,
            true,
        ),
        (
            "an_inline_table",
            "workspace = { members = [\"inner\"] }\n",
            MEMBER,
            true,
        ),
        (
            "white_space",
            "[ workspace ]\nmembers = [\"inner\"]\n",
            MEMBER,
            true,
        ),
        (
            "quotes",
            "[\"workspace\"]\nmembers = [\"inner\"]\n",
            MEMBER,
            true,
        ),
        (
            "only_a_subtable",
            "[workspace.package]\nversion = \"1.0.0\"\n",
            MEMBER,
            true,
        ),
        (
            "a_root_package",
            "[package]\nname = \"outer\"\n[workspace]\n",
            MEMBER,
            true,
        ),
        ("a_glob", "[workspace]\nmembers = [\"in*\"]\n", MEMBER, true),
        // Cargo rejects it. Other tools still find the vocabulary.
        ("no_toml_at_all", "[workspace\n", MEMBER, true),
        (
            "excluded",
            "[workspace]\nexclude = [\"inner\"]\n",
            MEMBER,
            false,
        ),
        (
            "excluded_by_its_folder",
            "[workspace]\nexclude = [\"./\"]\n",
            MEMBER,
            false,
        ),
        (
            "another_excluded",
            "[workspace]\nexclude = [\"in\", \"innermost\"]\n",
            MEMBER,
            true,
        ),
        (
            "excluded_and_named",
            "[workspace]\nexclude = [\"./\"]\nmembers = [\"inner\"]\n",
            MEMBER,
            true,
        ),
        (
            "no_workspace",
            "[package]\nname = \"outer\"\n",
            MEMBER,
            false,
        ),
        (
            "a_comment",
            "# [workspace]\n[package]\nname = \"outer\"\n",
            MEMBER,
            false,
        ),
        (
            "in_a_string",
            "[package]\nname = \"outer\"\ndescription = '''\n[workspace]\n'''\n",
            MEMBER,
            false,
        ),
        (
            "a_workspace_of_its_own",
            "[workspace]\n",
            "[package]\nname = \"inner\"\n[workspace]\n",
            false,
        ),
        (
            "a_pointer",
            "",
            "[package]\nname = \"inner\"\nworkspace = \"..\"\n",
            true,
        ),
    ] {
        let outer = folder(name);
        write(outer.join("Cargo.toml"), root);
        write(outer.join("auth.toml"), VOCABULARY);
        write(outer.join("inner/Cargo.toml"), member);
        let found = vocabulary::find(&outer.join("inner"));
        let expected = is_found.then_some("auth.toml");
        assert_eq!(shown(found.as_ref()), expected, "{name}");
        // The vocabulary beside the crate always counts.
        write(outer.join("inner/auth.toml"), VOCABULARY);
        let found = vocabulary::find(&outer.join("inner")).expect(name);
        assert_eq!(found.path, outer.join("inner/auth.toml"), "{name}");
    }
}

#[test]
fn workspace_is_found_by_its_pointer() {
    let outer = folder("beside");
    write(outer.join("auth.toml"), VOCABULARY);
    write(
        outer.join("root/Cargo.toml"),
        "[workspace]\nmembers = [\"../inner\"]\n",
    );
    write(outer.join("root/auth.toml"), VOCABULARY);
    write(
        outer.join("inner/Cargo.toml"),
        "[package]\nname = \"inner\"\nworkspace = \"../root\"\n",
    );
    let found = vocabulary::find(&outer.join("inner")).expect("the one of the workspace");
    assert_eq!(found.path, outer.join("root/auth.toml"));
}

/// Each folder between the crate and the root of its workspace can have the vocabulary of the crates below it.
#[test]
fn the_nearest_vocabulary_applies() {
    let root = folder("between");
    write(root.join("Cargo.toml"), "[workspace]\n");
    let crates = root.join("crates/group/inner");
    write(crates.join("Cargo.toml"), MEMBER);
    for nearer in ["", "crates", "crates/group", "crates/group/inner"] {
        let path = root.join(nearer).join("auth.toml");
        write(&path, VOCABULARY);
        let found = vocabulary::find(&crates).expect("the nearest one");
        assert_eq!(found.path, path);
    }
}

#[test]
fn excluded_crate_uses_the_outer_workspace() {
    let outer = folder("excluded_in_between");
    write(outer.join("Cargo.toml"), "[workspace]\n");
    write(outer.join("auth.toml"), VOCABULARY);
    let middle = outer.join("middle");
    write(
        middle.join("Cargo.toml"),
        "[workspace]\nexclude = [\"inner\"]\n",
    );
    write(middle.join("auth.toml"), VOCABULARY);
    write(middle.join("inner/Cargo.toml"), MEMBER);
    let found = vocabulary::find(&middle.join("inner")).expect("the outer one");
    assert_eq!(found.path, outer.join("auth.toml"));
}

/// Cargo builds foreign crates in a folder of the workspace, but they are not part of it.
#[test]
fn dependencies_have_their_own_vocabulary() {
    for (name, mark) in [
        ("vendored", "outer/vendor/inner/.cargo-checksum.json"),
        ("from_a_registry", "outer/vendor/inner/.cargo-ok"),
        ("from_a_repository", "outer/vendor/.cargo-ok"),
    ] {
        let outer = folder(name);
        write(outer.join("outer/Cargo.toml"), "[workspace]\n");
        write(outer.join("outer/auth.toml"), VOCABULARY);
        write(outer.join("outer/vendor/inner/Cargo.toml"), MEMBER);
        let inner = outer.join("outer/vendor/inner");
        assert!(vocabulary::find(&inner).is_some(), "{name}");
        write(outer.join(mark), "{}");
        assert!(vocabulary::find(&inner).is_none(), "{name}");
    }
    let outer = folder("packaged");
    write(outer.join("Cargo.toml"), "[workspace]\n");
    write(outer.join("auth.toml"), VOCABULARY);
    let inner = outer.join("target/package/inner-0.0.0");
    write(inner.join("Cargo.toml"), MEMBER);
    assert!(vocabulary::find(&inner).is_none());
}

/// An unreadable file is reported once, and never counts as missing.
#[test]
fn unreadable_vocabulary_is_a_mistake() {
    let a_folder = folder("a_folder_of_that_name");
    std::fs::create_dir_all(a_folder.join("auth.toml")).expect("a folder");
    let no_text = folder("no_text");
    write(no_text.join("auth.toml"), b"[scopes]\nread = \"R\xe9ad\"\n");
    let mut cases = vec![
        (a_folder, "auth.toml cannot be read: "),
        (no_text, "auth.toml:2:10: the file is not UTF-8"),
    ];
    #[cfg(unix)]
    {
        let nowhere = folder("a_link_to_nowhere");
        std::fs::create_dir_all(&nowhere).expect("a folder");
        std::os::unix::fs::symlink("nowhere.toml", nowhere.join("auth.toml")).expect("a link");
        cases.push((nowhere, "auth.toml cannot be read: "));
    }
    for (project, expected) in cases {
        write(project.join("Cargo.toml"), "[workspace]\n");
        let found = vocabulary::find(&project).expect(expected);
        assert!(found.vocabulary.is_none(), "{expected}");
        let [mistake] = found.mistakes.as_slice() else {
            panic!("{expected}: {:?}", found.mistakes);
        };
        assert!(mistake.to_string().starts_with(expected), "{mistake}");
        // Every attribute reads the file, and no expansion depends on another one.
        let again = vocabulary::find(&project).expect(expected);
        assert_eq!(again.mistakes, found.mistakes, "{expected}");
    }
}

#[test]
fn required_vocabulary_is_missed() {
    for (name, root, member, place) in [
        (
            "by_the_workspace",
            "[workspace.metadata.auth]\nrequired = true\n",
            MEMBER,
            Some("Cargo.toml"),
        ),
        (
            "by_the_package",
            "[workspace]\n",
            "[package]\nname = \"inner\"\nmetadata.auth.required = true\n",
            Some("inner/Cargo.toml"),
        ),
        // A value other than `false` counts as true.
        (
            "in_other_words",
            "[workspace.metadata.auth]\nrequired = \"yes\"\n",
            MEMBER,
            Some("Cargo.toml"),
        ),
        (
            "not_at_all",
            "[workspace.metadata.auth]\nrequired = false\n",
            MEMBER,
            None,
        ),
        (
            "by_nobody",
            "[workspace.metadata.other]\nrequired = true\n",
            MEMBER,
            None,
        ),
    ] {
        let outer = folder(name);
        write(outer.join("Cargo.toml"), root);
        write(outer.join("inner/Cargo.toml"), member);
        let found = vocabulary::find(&outer.join("inner"));
        let mistakes = found.map(|found| found.mistakes);
        let expected =
            place.map(|place| format!("no `auth.toml` was found, which {place} requires"));
        match (mistakes.as_deref(), expected) {
            (None, None) => {}
            (Some([mistake]), Some(expected)) => {
                assert!(mistake.to_string().starts_with(&expected), "{mistake}");
            }
            (mistakes, _) => panic!("{name}: {mistakes:?}"),
        }
        write(outer.join("auth.toml"), VOCABULARY);
        let found = vocabulary::find(&outer.join("inner")).expect(name);
        assert!(found.vocabulary.is_some(), "{name}");
    }
}

/// Each attribute of a crate asks for the vocabulary, and parsing it takes far longer than reading.
#[test]
fn the_same_contents_are_parsed_once() {
    let root = folder("once");
    write(root.join("Cargo.toml"), "[workspace]\n");
    let find = |text: &str| {
        write(root.join("auth.toml"), text);
        vocabulary::find(&root).expect("it is found")
    };
    let vocabulary = |found: LoadedVocabulary| found.vocabulary.expect("it is in order");

    let first = vocabulary(find(VOCABULARY));
    assert!(Arc::ptr_eq(&first, &vocabulary(find(VOCABULARY))));
    let others = format!("{VOCABULARY}write = \"Write\"\n");
    assert!(!Arc::ptr_eq(&first, &vocabulary(find(&others))));
    // Of the same length.
    let renamed = vocabulary(find(&VOCABULARY.replace("read", "reed")));
    assert!(renamed.scopes.contains_key("reed"));
    assert!(vocabulary(find(VOCABULARY)).scopes.contains_key("read"));

    // Mistakes are reported each time.
    for _ in 0..2 {
        let broken = find("[scopes]\nread = 7\n");
        assert!(broken.vocabulary.is_none());
        assert_eq!(broken.mistakes.len(), 1, "{:?}", broken.mistakes);
    }
    assert_eq!(find(VOCABULARY).mistakes, []);
}

/// Manifests are parsed once for each of their texts.
#[test]
fn a_changed_manifest_applies() {
    let root = folder("changed_manifest");
    for is_required in [true, false, true] {
        let manifest = format!("[workspace]\nmetadata.auth.required = {is_required}\n");
        write(root.join("Cargo.toml"), manifest);
        let found = vocabulary::find(&root);
        assert_eq!(found.is_some(), is_required);
    }
}

/// The schema is read with each attribute, and parsed once.
#[test]
fn cedar_schema_belongs_to_vocabulary() {
    let root = folder("cedar_schema");
    write(root.join("Cargo.toml"), "[workspace]\n");
    write(
        root.join("auth.toml"),
        "[cedar]\nschema = \"policies/a.cedarschema\"\n",
    );
    let find = |schema: &[u8]| {
        write(root.join("policies/a.cedarschema"), schema);
        vocabulary::find(&root).expect("it is found")
    };
    let shown = |found: &LoadedVocabulary| {
        let mistakes = found.mistakes.iter();
        mistakes.map(ToString::to_string).collect::<Vec<_>>()
    };
    let missing = vocabulary::find(&root).expect("it is found");
    let [mistake] = &shown(&missing)[..] else {
        panic!("{:?}", missing.mistakes);
    };
    let expected = "auth.toml:2:10: `policies/a.cedarschema` cannot be read: ";
    assert!(mistake.starts_with(expected), "{mistake}");

    let one = b"entity A; action read appliesTo { principal: A, resource: A };";
    let found = find(one);
    assert_eq!(shown(&found), Vec::<String>::new());
    let files: Vec<_> = found.files().collect();
    assert_eq!(
        files,
        [root.join("auth.toml"), root.join("policies/a.cedarschema")]
    );
    let first = found.vocabulary.expect("it is in order");
    assert_eq!(first.actions["read"].on, ["A"]);
    assert!(Arc::ptr_eq(
        &first,
        &find(one).vocabulary.expect("it is in order")
    ));

    let of_length = |length: usize| {
        let comment = "x".repeat(length - one.len() - "\n//".len());
        [&one[..], b"\n//", comment.as_bytes()].concat()
    };
    assert!(shown(&find(&of_length(1024 * 1024))).is_empty());
    assert_eq!(
        shown(&find(&of_length(1024 * 1024 + 1))),
        [
            "auth.toml:2:10: `policies/a.cedarschema` cannot be read: it has 1048577 bytes; the maximum is \
             1048576\nhelp: correct the path, which is relative to `auth.toml`, or the file"
        ]
    );

    for (schema, expected) in [
        (
            &b"entity A;\n  entity A;"[..],
            "policies/a.cedarschema:2:10: duplicate entity type `A`",
        ),
        (
            b"entity A; action \"\" appliesTo { principal: A, resource: A };",
            "policies/a.cedarschema:1:18: the action is empty",
        ),
        (
            b"entity \xff;",
            "auth.toml:2:10: `policies/a.cedarschema` cannot be read: it is not UTF-8",
        ),
        (
            b"\"\xc3\xa9\" x",
            "policies/a.cedarschema:1:1: expected `entity`, `action`, `type` or `namespace`",
        ),
        (
            b"action \"\xc3\xa9\" x;",
            "policies/a.cedarschema:1:12: expected `;`, found `x`",
        ),
    ] {
        let mistakes = shown(&find(schema));
        assert!(mistakes[0].starts_with(expected), "{mistakes:?}");
        assert_eq!(mistakes, shown(&find(schema)));
    }
}

#[test]
fn name_of_schema_is_relative_path() {
    let root = folder("schema_names");
    write(root.join("Cargo.toml"), "[workspace]\n");
    write(root.join("a.cedarschema"), "");
    for (section, expected) in [
        ("cedar = 5", "`cedar` is not a table"),
        ("[cedar]", "`[cedar]` has no schema"),
        ("[cedar]\nschema = 5", "`schema` is not text in quotes"),
        (
            "[cedar]\nschema = \"a.cedar\"",
            "`a.cedar` is not the name of a Cedar schema",
        ),
        (
            "[cedar]\nschema = \"a.json\"",
            "`a.json` is not the name of a Cedar schema",
        ),
        (
            "[cedar]\nschema = \"/a.cedarschema\"",
            "the path `/a.cedarschema` is absolute",
        ),
        (
            "[cedar]\nschema = \"a.cedarschema\"\nscheme = \"x\"",
            "`scheme` is not a key of `[cedar]`\nhelp: did you mean `schema`?",
        ),
    ] {
        write(root.join("auth.toml"), section);
        let found = vocabulary::find(&root).expect("it is found");
        let [mistake] = found.mistakes.as_slice() else {
            panic!("{section}: {:?}", found.mistakes);
        };
        assert!(mistake.message.starts_with(expected), "{mistake}");
    }
}
