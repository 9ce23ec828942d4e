//! The displayed and the serialized matrix.

use axum::http::header::CONTENT_LENGTH;

use super::*;

#[tokio::test]
async fn matrix_as_columns_and_json() {
    let builder = short_matrix()
        .persona(Persona::anonymous())
        .persona(reader());
    let matrix = builder.send(&short_app()).await.expect("a matrix");
    assert_eq!(
        matrix.to_string(),
        "\
METHOD  PATH         anonymous   reader
GET     /healthz     200         200
POST    /repos       401         403 scope
GET     /repos/{id}  404 hidden  200
"
    );
    let json = serde_json::to_value(&matrix).expect("JSON");
    assert_eq!(
        json["personas"],
        json!([
            { "name": "anonymous", "is": "no credentials" },
            { "name": "reader", "is": "known: scope \"repo:read\"" },
        ])
    );
    assert_eq!(json["rows"][2]["row"]["path"], "/repos/{id}");
    assert_eq!(
        json["rows"][2]["responses"],
        json!([
            { "status": 404, "shown": "404 hidden", "granted": false, "difference": null },
            { "status": 200, "shown": "200", "granted": true, "difference": null },
        ])
    );
    let responses = matrix.rows()[2].responses();
    assert!(responses[0].is_hidden() && !responses[0].is_granted());
    assert!(!responses[1].is_hidden() && responses[1].is_granted());
}

#[tokio::test]
async fn nothing_in_a_name_is_markup() {
    let name = "a|b: `c`\n<script>";
    let matrix = short_matrix().persona(Persona::named(name, Caller::Anonymous));
    let matrix = matrix.send(&short_app()).await.expect("a matrix");
    let markdown = matrix.to_markdown();
    let plain = "a&#124;b&#58; &#96;c&#96; &#60;script&#62;";
    assert!(markdown.starts_with(&format!(
        "- {plain}: no credentials\n\n| method | path | {plain} |\n"
    )));
    let file = file("names.md");
    std::fs::write(&file, format!("# Who\n\n{markdown}")).expect("a file");
    matrix.check(&file).expect("the same");
}

#[test]
fn credentials_of_personas_are_not_shown() {
    let persona = reader().header(CONTENT_LENGTH, "0");
    let shown = format!("{persona:?}");
    assert_eq!(
        shown,
        r#"Persona { name: "reader", is: "known: scope \"repo:read\"", .. }"#
    );
    let builder = format!("{:?}", short_matrix().persona(persona));
    assert!(!builder.contains("Bearer"), "{builder}");
}

#[tokio::test]
async fn persona_description_precedes_responses() {
    let ann = reader().described("owns the repository | *and* more");
    let matrix = short_matrix().persona(Persona::anonymous()).persona(ann);
    let matrix = matrix.send(&short_app()).await.expect("a matrix");
    let markdown = matrix.to_markdown();
    let line =
        "- reader: owns the repository &#124; &#42;and&#42; more (known: scope \"repo:read\")\n";
    assert!(markdown.contains(line), "{markdown}");
    assert!(markdown.contains("- anonymous: no credentials\n"));
    let json = serde_json::to_value(&matrix).expect("JSON");
    let is = "owns the repository | *and* more (known: scope \"repo:read\")";
    assert_eq!(json["personas"][1]["is"], is);
}

#[tokio::test]
async fn every_grant_of_persona_is_shown() {
    let identity = Identity::new("rita")
        .with_scopes(["a"])
        .with_roles(["b"])
        .with_permissions(["c"])
        .with_acr("d")
        .with_amr(["e"])
        .with_sender_constraint();
    let down = Persona::named("down", Caller::unverifiable());
    let builder = short_matrix().persona(Persona::known("all", identity));
    let matrix = builder.persona(down).send(&short_app()).await;
    let matrix = matrix.expect("a matrix");
    let json = serde_json::to_value(&matrix).expect("JSON");
    assert_eq!(
        json["personas"][0]["is"],
        "known: scope \"a\", role \"b\", permission \"c\", acr \"d\", amr \"e\", bound to a key"
    );
    assert_eq!(json["personas"][1]["is"], "unverifiable credentials");
}

/// A redirect of a handler is a grant, which the status alone does not show.
#[tokio::test]
async fn redirects_of_handlers_are_own_responses() {
    #[public(reason = "a test")]
    async fn moved() -> (StatusCode, [(&'static str, &'static str); 1]) {
        (StatusCode::SEE_OTHER, [("location", "/healthz")])
    }
    let routes = || GuardedRouter::new().route("/moved", get(moved));
    let app = routes().protect(space()).expect("a router");
    let builder = AccessMatrix::builder(&routes().access_table(), &space());
    let matrix = builder.persona(Persona::anonymous()).send(&app).await;
    let markdown = matrix.expect("a matrix").to_markdown();
    assert!(
        markdown.contains("| GET | `/moved` | 303 own |"),
        "{markdown}"
    );
}
