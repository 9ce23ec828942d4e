//! Mistakes in policies and schemas.

use super::*;

#[test]
fn policy_mistakes_have_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forge.cedar");
    let text = "permit (principal, action, resource);\n\n  permit (principle, action, resource);\n";
    fs::write(&file, text).unwrap();
    let found = Cedar::builder().policy_file(&file).build().unwrap_err();
    assert!(matches!(found, CedarError::Policies(_)), "{found}");
    let found = found.to_string();
    assert_has(
        &found,
        &[
            &format!("{}:3:", file.display()),
            "permit (principle, action",
        ],
    );

    let found = error("permit (principal, action, resource)\nwhen { == };", None);
    assert_has(
        &found,
        &["policies:2:8: unexpected token `==`", "\n    when { == };"],
    );

    let further = Cedar::builder()
        .policies("permit (principal, action, resource);")
        .policies("\npermit (principal, action, resorce);")
        .build();
    assert_has(&further.unwrap_err().to_string(), &["policies 2:2:"]);

    let missing = folder.path().join("missing.cedar");
    let found = Cedar::builder().policy_file(&missing).build().unwrap_err();
    assert!(matches!(&found, CedarError::File { path, .. } if *path == missing));
    assert_has(&found.to_string(), &["missing.cedar cannot be read: "]);
}

#[test]
fn mistakes_in_schemas_have_the_line() {
    let permit = "permit (principal, action, resource);";
    let found = error(permit, Some("entity User;\nentity Team { name Strng };"));
    assert_has(
        &found,
        &[
            "schema is invalid\nschema:2:",
            "entity Team { name Strng };",
        ],
    );
    let found = error(permit, Some("entity User;\nentity Team { name: Strng };"));
    assert_has(&found, &["schema:2:21: ", "`Strng`"]);
    let found = error(permit, Some("entity Person;"));
    assert_has(&found, &["no entity type `User`", "subject_type"]);
}

#[test]
fn policies_against_the_schema_are_named() {
    let policies = "permit (principal, action == Action::\"red\", resource);
permit (principal, action, resource) when { resource.publc };
permit (principal, action, resource is Repo);
permit (principal, action, resource) when { resource.public == 1 };";
    let found = error(policies, Some(SCHEMA));
    assert_has(
        &found,
        &[
            "policies:1:30: ",
            "did you mean `Action::\"read\"`?",
            "policies:2:",
            "did you mean `public`?",
            "policies:3:",
            "`Repo`",
            "policies:4:",
        ],
    );
}

#[test]
fn surprising_policy_sets_are_errors() {
    assert_eq!(
        Cedar::builder().build().unwrap_err(),
        CedarError::NoPolicies
    );
    let none = Cedar::builder().policies("// nothing\n").build();
    assert_eq!(none.unwrap_err(), CedarError::NoPolicies);
    let found = error("forbid (principal == ?principal, action, resource);", None);
    assert_has(&found, &["policies: `policy0` is a template"]);
    let twice = "@id(\"a\") permit (principal, action, resource);";
    let found = Cedar::builder().policies(twice).policies(twice).build();
    assert_has(
        &found.unwrap_err().to_string(),
        &["policies 2: ", "`@id` has to be unique"],
    );
    let found = Cedar::builder()
        .policies(twice)
        .subject_type("User::")
        .build();
    let expected = CedarError::SubjectType("User::".to_owned());
    assert_eq!(found.unwrap_err(), expected);
}

#[test]
fn unnamed_policies_are_numbered_across_sources() {
    let permit = |action| format!("permit (principal, action == Action::\"{action}\", resource);");
    let cedar = Cedar::builder()
        .policies(permit("a") + &permit("b"))
        .policies("@id(\"named\")".to_owned() + &permit("c") + &permit("d") + &permit("d"))
        .build()
        .unwrap();
    let ann = Identity::new("ann");
    let questions = ["a", "b", "c", "d", "e"].map(|it| Evaluation::new(it, repository()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let request = EvaluationRequest::new(&ann, &questions);
    let decisions = runtime.block_on(cedar.evaluate(request)).unwrap();
    let found = decisions.iter().map(ObjectDecision::policy);
    let expected = [
        Some("policy0"),
        Some("policy1"),
        Some("named"),
        Some("policy3, policy4"),
        None,
    ];
    assert!(found.eq(expected), "{decisions:?}");
}
