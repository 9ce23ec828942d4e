//! A guarded service in one file. Run `cargo run -p auth-quickstart` and paste its
//! `curl` lines, or add `-- --tour` or `-- --table`.

use auth_runtime::routing::get;
use auth_runtime::schemes::Bearer;
use auth_runtime::{
    Caller, Denied, Guard, GuardedRouter, Identity, ProtectionSpace, Rejection, public, requires,
};
use auth_tour::Persona;

#[public(reason = "liveness probe")]
async fn healthz() -> &'static str {
    "ok\n"
}

#[requires(scope = "reports:read")]
async fn reports(guard: Guard) -> String {
    format!("the reports, for {}\n", guard.identity().subject())
}

#[requires(any(role = "editor", scope = "drafts:write"))]
async fn drafts() -> &'static str {
    "the drafts\n"
}

#[requires(role = "admin", hide_as = 404)]
async fn admin(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(guard.identity().subject() == "ada")?;
    Ok("the admin page\n")
}

/// Looks a token up. A real service compares hashes of tokens in its database.
async fn look_up(token: String) -> Caller {
    match token.as_str() {
        "token-of-rita" => Caller::known(Identity::new("rita").with_scopes(["reports:read"])),
        "token-of-ed" => Caller::known(Identity::new("ed").with_roles(["editor"])),
        "token-of-ada" => Caller::known(Identity::new("ada").with_roles(["admin"])),
        "token-of-late" => Caller::Rejected(Rejection::Expired),
        _ => Caller::rejected(),
    }
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/reports", get(reports))
        .route("/drafts", get(drafts))
        .route("/admin", get(admin))
}

/// The requests of the tour, with the expected status and challenge.
const TOUR: &str = r#"
/healthz  anonymous  200
/reports  anonymous  401  Bearer realm="quickstart", scope="reports:read"
/reports  late       401  Bearer realm="quickstart", scope="reports:read", error="invalid_token", error_description="the access token expired"
/reports  ed         403  Bearer realm="quickstart", scope="reports:read", error="insufficient_scope", error_description="the access token lacks a required scope"
/reports  rita       200
/drafts   ed         200
/drafts   rita       403  Bearer realm="quickstart", scope="drafts:write", error="insufficient_scope", error_description="the access token lacks a required scope"
/admin    anonymous  404
/admin    rita       404
/nowhere  rita       404
/admin    ada        200
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| argument == "--table") {
        print!("{}", routes().access_table());
        return Ok(());
    }
    let space = ProtectionSpace::builder()
        .realm("quickstart")
        .scheme(Bearer::new(look_up))
        .build()?;
    let app = routes().protect(space)?;

    let personas =
        ["rita", "late", "ed", "ada"].map(|name| Persona::new(name, format!("token-of-{name}")));
    auth_tour::run(app, &personas, TOUR).await
}
