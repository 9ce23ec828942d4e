//! Errors of requests, and of their entities.

use super::*;

/// Cedar skips a policy that fails. Here, neither a permit nor a forbid is skipped.
#[test]
fn policy_that_fails_is_an_error() {
    let permit = "permit (principal, action, resource);";
    for (policies, problem) in [
        (
            "permit (principal, action, resource) when { resource.secret };",
            "lacks an attribute",
        ),
        (
            "forbid (principal, action, resource) when { resource.secret };",
            "lacks an attribute",
        ),
        (
            "forbid (principal, action, resource) when { principal.age > 3 };",
            "lacks an attribute",
        ),
        (
            "forbid (principal, action, resource) when { resource.owner.bad };",
            "unknown entity",
        ),
        (
            "forbid (principal, action, resource) when { resource.public > 3 };",
            "another type",
        ),
        (
            "forbid (principal, action, resource) when { resource.stars * 2 > 3 };",
            "overflows",
        ),
        (
            "forbid (principal, action, resource) when { ip(resource.text).isIpv4() };",
            "extension type failed",
        ),
    ] {
        let both = format!("{permit} @id(\"failing\") {policies}");
        let cedar = Cedar::builder().policies(both).build().unwrap();
        let resource = repository()
            .with_property("public", true)
            .with_property("stars", i64::MAX)
            .with_property("text", "hidden text")
            .with_property(
                "owner",
                Value::Reference("User".into(), "hidden id".to_owned()),
            );
        let error = ask(&cedar, "read", resource).unwrap_err();
        assert_has(&error, &["the policy `failing` failed", problem]);
        for hidden in ["ann", "garden", "hidden"] {
            assert!(!error.contains(hidden), "{error}");
        }
    }
}

/// One failure fails all questions of the request.
#[test]
fn failure_of_one_question_fails_request() {
    let policies = "permit (principal, action, resource) when { resource.public };";
    let cedar = Cedar::builder().policies(policies).build().unwrap();
    let public = repository().with_property("public", true);
    assert_eq!(ask(&cedar, "read", public.clone()), Ok(true));
    let questions = [
        Evaluation::new("read", public),
        Evaluation::new("read", Resource::new("Repository", "other")),
    ];
    let ann = Identity::new("ann");
    let request = EvaluationRequest::new(&ann, &questions);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert!(runtime.block_on(cedar.evaluate(request)).is_err());
}

#[test]
fn entities_against_the_schema_are_errors() {
    let policies = "permit (principal, action, resource) when { resource.public };";
    let cedar = Cedar::builder()
        .policies(policies)
        .schema(SCHEMA)
        .build()
        .unwrap();
    let error = ask(&cedar, "read", repository()).unwrap_err();
    assert_has(&error, &["`Repository`: `public` is required"]);
    let error = ask(
        &cedar,
        "read",
        repository().with_property("public", "hidden"),
    );
    let error = error.unwrap_err();
    assert_has(&error, &["`Repository`: `public`: the value is not a Bool"]);
    assert!(
        !error.contains("hidden") && !error.contains("garden"),
        "{error}"
    );
    let schema = "entity User; entity Repository { owner: User, labels: Set<String> };
        action read appliesTo { principal: User, resource: Repository };";
    let with_labels = Cedar::builder().policies("permit (principal, action, resource);");
    let with_labels = with_labels.schema(schema).build().unwrap();
    for (owner, expected) in [
        ("User", Ok(true)),
        (
            "Repository",
            Err("an entity `Repository` does not match the schema".to_owned()),
        ),
    ] {
        let owner = Value::Reference(owner.into(), "hidden".to_owned());
        let labels = repository().with_property("labels", vec!["a", "b"]);
        let answer = ask(&with_labels, "read", labels.with_property("owner", owner));
        assert_eq!(answer, expected);
    }
    let undeclared = repository()
        .with_property("public", false)
        .with_property("stars", "x");
    assert_eq!(ask(&cedar, "read", undeclared), Ok(false));
}

#[test]
fn actions_apply_to_declared_types_only() {
    let policies = "permit (principal, action, resource);";
    let cedar = Cedar::builder()
        .policies(policies)
        .schema(SCHEMA)
        .build()
        .unwrap();
    let error = ask(&cedar, "read", Resource::new("User", "ann")).unwrap_err();
    assert_eq!(error, "the schema has no action `read` on `User`");
    let error = ask(&cedar, "rename", repository().with_property("public", true)).unwrap_err();
    assert_eq!(error, "the schema declares no action `rename` of callers");
    let error = ask(&cedar, "read", Resource::new("Repo", "ann")).unwrap_err();
    assert_eq!(error, "the schema declares no entity type `Repo`");
}

/// Roles are parents only if the schema allows it.
#[test]
fn schemas_without_roles_leave_them_out() {
    let ann = Identity::new("ann").with_roles(["admin"]);
    let policies = "permit (principal, action, resource) when { resource.public };";
    for schema in [SCHEMA.to_owned(), format!("{SCHEMA} entity Role;")] {
        let cedar = Cedar::builder()
            .policies(policies)
            .schema(schema)
            .build()
            .unwrap();
        let public = repository().with_property("public", true);
        assert_eq!(ask_as(&cedar, &ann, "read", public), Ok(true));
    }
}

#[test]
fn contradicting_questions_are_errors() {
    let policies = "permit (principal, action, resource) when { resource.public };";
    let cedar = Cedar::builder()
        .policies(policies)
        .schema(SCHEMA)
        .build()
        .unwrap();
    let ann = Identity::new("ann");
    let ask_both = |first: bool, second: bool| {
        let questions = [first, second]
            .map(|public| Evaluation::new("read", repository().with_property("public", public)));
        let request = EvaluationRequest::new(&ann, &questions);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime
            .block_on(cedar.evaluate(request))
            .map_err(|error| error.to_string())
    };
    assert!(ask_both(true, true).is_ok());
    assert_has(
        &ask_both(true, false).unwrap_err(),
        &["different values of `public`"],
    );
}

#[test]
fn identity_and_request_are_passed() {
    let policies = r#"
        permit (principal, action == Action::"issuer", resource) when { principal.issuer == "i" };
        permit (principal, action == Action::"scope", resource)
        when { principal.scopes == ["a", "b"] };
        permit (principal, action == Action::"role", resource)
        when { principal.roles.contains("x") && principal in Role::"x" };
        permit (principal, action == Action::"permission", resource)
        when { principal.permissions == ["p"] };
        permit (principal, action == Action::"login", resource)
        when { principal.acr == "gold" && principal.amr == ["otp"] };
        permit (principal, action == Action::"method", resource) when { context.method == "PUT" };
        permit (principal, action == Action::"path", resource) when { context.path == "/a%2Fb" };
        permit (principal, action == Action::"ip", resource)
        when { context.ip == ip("2001:db8::7") };
        permit (principal, action == Action::"time", resource) when { context.time == 1000000000 };
        permit (principal, action == Action::"service", resource == Service::"forge");
    "#;
    let actions = "issuer, scope, role, permission, login, method, path, time, service";
    let schema = format!(
        "entity Role; entity User in [Role] {{ issuer: String, scopes: Set<String>, roles: \
         Set<String>, permissions: Set<String>, acr: String, amr: Set<String> }}; entity Service;
         type C = {{ method: String, path: String, time: Long }};
         action {actions} appliesTo {{ principal: User, resource: Service, context: C }};
         action ip appliesTo {{ principal: User, resource: Service, context: {{ ip: ipaddr }} }};"
    );
    let ann = Identity::new("ann")
        .with_issuer("i")
        .with_scopes(["b", "a"])
        .with_roles(["x", "y"])
        .with_permissions(["p"])
        .with_acr("gold")
        .with_amr(["otp"]);
    let open = Cedar::builder().policies(policies).build().unwrap();
    let strict = Cedar::builder()
        .policies(policies)
        .schema(schema)
        .build()
        .unwrap();
    let names = actions.split(", ").chain(["ip"]);
    for name in names {
        let question = [Evaluation::new(
            name.to_owned(),
            Resource::new("Service", "forge"),
        )];
        let mut request = EvaluationRequest::new(&ann, &question);
        request.method = &Method::PUT;
        request.path = "/a%2Fb";
        request.address = Some("2001:db8::7".parse().unwrap());
        request.time = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(ask_request(&open, request), Ok(true), "{name}");
        assert_eq!(ask_request(&strict, request), Ok(true), "{name}");
        request.method = &Method::GET;
        request.path = "/";
        request.time = UNIX_EPOCH;
        request.address = Some("192.0.2.1".parse().unwrap());
        let of_request = ["method", "path", "ip", "time"].contains(&name);
        assert_eq!(ask_request(&open, request), Ok(!of_request), "{name}");
        assert_eq!(ask_request(&strict, request), Ok(!of_request), "{name}");
        request.address = None;
        if name == "ip" {
            let error = ask_request(&strict, request).unwrap_err();
            assert_has(&error, &["`context.ip` is required"]);
        }
    }
    let error = ask_as(
        &strict,
        &Identity::new("ann"),
        "scope",
        Resource::new("Service", "forge"),
    );
    assert_has(
        &error.unwrap_err(),
        &["`User`: ", "is required, and its value is unknown"],
    );
}

#[test]
fn namespaces_and_extension_types_are_supported() {
    let schema = "namespace App {
        entity Role; entity User in [Role]; entity Service; entity Colour enum [\"red\"];
        entity Repository { from: ipaddr, rate: decimal, since: datetime, within: duration };
        action group; action read in [group] appliesTo {
            principal: User, resource: [Repository, Service, Colour], context: { ip?: String }
        };
    }";
    let policies = r#"
        permit (principal in App::Role::"admin", action in App::Action::"group", resource);
        permit (principal, action, resource is App::Repository) when {
            resource.from.isLoopback() && resource.rate == decimal("1.50")
            && resource.since < datetime("2024-02-01") && resource.within == duration("1h")
            && context has ip && context.ip == "192.0.2.1"
        };
    "#;
    let cedar = Cedar::builder()
        .policies(policies)
        .schema(schema)
        .subject_type("App::User")
        .build()
        .unwrap();
    assert!(cedar.decides_about("read", "App::Repository"));
    assert!(cedar.decides_about("read", "Service"));
    assert!(!cedar.decides_about("read", "Repository"));
    let admin = Identity::new("ada").with_roles(["admin"]);
    let service = || Resource::new(Resource::SERVICE, "forge");
    assert_eq!(ask_as(&cedar, &admin, "read", service()), Ok(true));
    assert_eq!(ask(&cedar, "read", service()), Ok(false));
    // An id that the schema does not list is no object, and no outage.
    let colour = |id| Resource::new("App::Colour", id);
    assert_eq!(ask_as(&cedar, &admin, "read", colour("red")), Ok(true));
    assert_eq!(ask_as(&cedar, &admin, "read", colour("blue")), Ok(false));
    let with_property = colour("blue").with_property("shade", "dark");
    assert_eq!(ask_as(&cedar, &admin, "read", with_property), Ok(false));
    let repository = |from: &str| {
        Resource::new("App::Repository", "garden")
            .with_property("from", from)
            .with_property("rate", "1.5")
            .with_property("since", "2024-01-31")
            .with_property("within", "60m")
    };
    let ask_from = |from: &str| {
        let ann = Identity::new("ann");
        let question = [Evaluation::new("read", repository(from))];
        let mut request = EvaluationRequest::new(&ann, &question);
        request.address = Some("192.0.2.1".parse().unwrap());
        ask_request(&cedar, request)
    };
    assert_eq!(ask_from("::1"), Ok(true));
    assert_eq!(ask_from("192.0.2.1"), Ok(false));
    let error = ask_from("hidden").unwrap_err();
    assert_has(&error, &["`App::Repository`: `from` is invalid"]);
    assert!(!error.contains("hidden"), "{error}");
}
