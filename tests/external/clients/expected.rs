//! The challenges, as each client should understand them.

use serde_json::{Value, json};

/// Returns the expected interpretation of each client.
pub(super) fn expected(base: &str) -> Vec<(&'static str, &'static str, Value)> {
    let metadata = format!("{base}/.well-known/oauth-protected-resource/api");
    let bearer = json!({ "scheme": "Bearer", "realm": "code host", "resource_metadata": metadata });
    let basic = json!({ "scheme": "Basic", "realm": "code host", "charset": "UTF-8" });
    let both = json!({ "status": 401, "challenges": [bearer, basic] });
    let scoped = |scheme: &str, scope: &str, error: &str, description: &str| {
        json!({
            "scheme": scheme, "realm": "code host", "scope": scope, "error": error,
            "resource_metadata": metadata, "error_description": description,
        })
    };
    let missing = |scheme: &str| {
        let description = "the access token lacks a required scope";
        let scope = "files:read files:write";
        let challenge = scoped(scheme, scope, "insufficient_scope", description);
        json!({ "status": 403, "challenges": [challenge] })
    };
    let refused = {
        let description = "the access token is malformed";
        let challenge = scoped("bearer", "files:read", "invalid_token", description);
        json!({ "status": 401, "challenges": [challenge] })
    };
    let asked = |scope: &str| json!([{ "scope": scope, "resource": "/api/mcp" }]);
    let read_first = json!({ "asked": asked("files:read"), "tools": ["list_files"] });
    let stepped_up = json!({
        "asked": asked("files:read files:write"), "tools": ["list_files", "add_file"],
    });
    let readable = format!("Bearer realm=\"code host\", resource_metadata=\"{metadata}\"");
    let scope_readable = format!(
        "Bearer realm=\"code host\", scope=\"files:read\", resource_metadata=\"{metadata}\""
    );
    let mut rows = vec![
        ("curl", "logs in by Basic", json!(200)),
        (
            "curl",
            "picks Basic among the challenges (--anyauth)",
            json!({ "statuses": [401, 200], "says": "Server auth using Basic with user 'ann'" }),
        ),
        (
            "curl",
            "picks Bearer among the challenges (--anyauth)",
            json!({ "statuses": [401, 200], "says": "Server auth using Bearer with user ''" }),
        ),
        (
            "curl",
            "is told that a hidden page is not there",
            json!(404),
        ),
        (
            "git",
            "asks its user for a password on a 401",
            json!({
                "asked": true, "says": "refs/heads", "wwwauth": [
                    "Basic realm=\"code host\", charset=\"UTF-8\"",
                ],
            }),
        ),
        (
            "git",
            "asks for a hidden repository as for one that is not there, then says: not found",
            json!({ "same_as_unknown": true, "asked": true, "says": "not found" }),
        ),
        (
            "git",
            "finds the hidden repository as its owner",
            json!("refs/heads"),
        ),
        ("requests", "sees both challenges", both.clone()),
        ("requests", "logs in by Basic", json!(200)),
        ("requests", "is refused with a wrong password", json!(401)),
        (
            "requests",
            "reads which scopes are missing",
            missing("Bearer"),
        ),
        ("httpx", "sees both challenges", both),
        ("httpx", "logs in by Basic", json!(200)),
        ("httpx", "is not confused when it offers Digest", json!(401)),
        (
            "oauth4webapi (npm)",
            "reads why a token is refused",
            refused,
        ),
        (
            "oauth4webapi (npm)",
            "is let in with a good token",
            json!({ "status": 200 }),
        ),
        (
            "oauth4webapi (npm)",
            "reads which scopes are missing",
            missing("bearer"),
        ),
        (
            "oauth4webapi (npm)",
            "finds the resource metadata",
            json!({ "scopes": ["files:read", "files:write"], "servers": 1 }),
        ),
        (
            "oauth4webapi (npm)",
            "is asked for a nonce in its proof (DPoP)",
            json!({ "status": 401, "scheme": "dpop", "error": "use_dpop_nonce", "wants_nonce": true }),
        ),
        (
            "oauth4webapi (npm)",
            "is let in with the nonce",
            json!({ "status": 200 }),
        ),
        (
            "oauth4webapi (npm)",
            "is refused with the token of another key",
            json!({ "status": 401, "scheme": "dpop", "error": "invalid_token", "wants_nonce": false }),
        ),
        (
            "oauth4webapi (npm)",
            "is refused with a bound token and no proof",
            json!({ "status": 401, "scheme": "dpop", "wants_nonce": false }),
        ),
    ];
    for client in ["MCP SDK 1 (npm)", "MCP client 2 (npm)", "mcp (Python)"] {
        rows.push((
            client,
            "finds metadata and scope from a 401",
            read_first.clone(),
        ));
        rows.push((client, "steps up on a 403", stepped_up.clone()));
    }
    rows.extend([
        (
            "Chromium",
            "asks for a password on a page",
            json!({
                "prompts": [{ "scheme": "basic", "realm": "code host" }],
                "status": 200, "text": "ann",
            }),
        ),
        (
            "Chromium",
            "is told that a hidden page is not there",
            json!({ "prompts": 1, "status": 404 }),
        ),
        (
            "Chromium",
            "does not ask when a script calls",
            json!({ "status": 401, "challenge": readable, "prompts": [] }),
        ),
        (
            "Chromium",
            "lets another origin's script read the challenge",
            json!({ "status": 401, "challenge": scope_readable, "prompts": [] }),
        ),
        (
            "Chromium",
            "lets another origin's script in after a preflight",
            json!({ "status": 200, "challenge": null }),
        ),
        (
            "Chromium",
            "lets another origin's script read the resource metadata",
            json!(["files:read", "files:write"]),
        ),
        (
            "Chromium",
            "is sent to log in where a page asks for it, and back",
            json!({ "sent": "/login?next=%2F", "prompts": 0, "back": "/" }),
        ),
        (
            "Chromium",
            "keeps the session's cookie to itself and to this site",
            json!({ "name": "__Host-session", "httpOnly": true, "secure": true, "sameSite": "Lax" }),
        ),
        (
            "Chromium",
            "tells a script that nobody is logged in",
            json!({ "status": 401, "challenge": "Cookie realm=\"notes\"", "redirected": false }),
        ),
        (
            "Chromium",
            "lets the script of a logged-in user in",
            json!(["<b>milk</b>"]),
        ),
        (
            "Chromium",
            "keeps the text of a note that was not added",
            json!("bread"),
        ),
        (
            "Chromium",
            "gets another session's id with each login",
            json!({ "changed": true, "old": 401 }),
        ),
        (
            "Chromium",
            "shows a hidden page to those only who may see it",
            json!({ "ann": 404, "ada": 200 }),
        ),
        (
            "Chromium",
            "sends the cookie along for a sibling site's form, in vain",
            json!({ "cookie": true, "site": "same-site", "status": 401, "still": 200 }),
        ),
        (
            "Chromium",
            "forgets the session after the logout",
            json!({ "cookies": 0, "sent": "/login?next=%2F", "old": 401 }),
        ),
    ]);
    rows
}
