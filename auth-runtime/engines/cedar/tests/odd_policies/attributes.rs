//! Names of attributes.

use super::*;

/// Attributes with the names that conditions use for something else.
#[test]
fn lists_distinguish_attributes_named_as_id() {
    let identity = Identity::new("ann");
    // The attribute `id` of the object is not its id.
    let question = Resource::new("Doc", "d1")
        .with_property("owner", reference("User", "bob"))
        .with_property("title", "t")
        .with_property("size", 1)
        .with_property("public", false)
        .with_property("teams", Vec::<Value>::new())
        .with_property("id", "secret");
    let mut wrong = Vec::new();
    for (policy, row) in [
        // The property `id` is the id of the object, and not the attribute.
        (
            "permit(principal, action, resource) when { resource has id && resource.id == \"secret\" };",
            question.clone().with_property("id", "d1"),
        ),
        (
            "permit(principal, action, resource); forbid(principal, action, resource) when { resource has id && resource.id == \"secret\" };",
            question.clone().with_property("id", "d1"),
        ),
        (
            "permit(principal, action, resource); forbid(principal, action, resource) when { resource has \"org.suspended\" && resource[\"org.suspended\"] };",
            question
                .clone()
                .with_property("org", reference("Org", "green"))
                .with_property("org.suspended", false),
        ),
    ] {
        let cedar = Cedar::builder()
            .policies(policy)
            .schema(SCHEMA)
            .entities(World)
            .build()
            .expect(policy);
        let mut asked = question.clone();
        if policy.contains("org.suspended") {
            asked = asked
                .with_property("org", reference("Org", "green"))
                .with_property("org.suspended", true);
        }
        let evaluations = [Evaluation::new("read", asked)];
        let single = run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)))
            .map(|it| it[0].is_allowed());
        let permitted = run(cedar.permitted("read", "Doc", EvaluationRequest::new(&identity, &[])));
        match permitted {
            Ok(Permitted::When(condition)) => {
                let listed = condition.holds(&row);
                if listed != single.clone().ok() {
                    wrong.push(format!(
                        "{policy}: listed {listed:?}, single {single:?}: {condition:?}"
                    ));
                }
            }
            other => println!("{policy}: {other:?}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
