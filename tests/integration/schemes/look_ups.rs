//! Functions that look credentials up, and return an identity or none.

use auth_runtime::schemes::{Sessions, Tokens};

use crate::schemes::*;

async fn find(key: String) -> Option<Identity> {
    (key == "of-ann").then(|| Identity::new("ann"))
}

#[tokio::test]
async fn credentials_without_an_identity_are_rejected() {
    let sessions = Sessions::look_up(find).cookie("__Host-session").build();
    let cookie = |value: &str| vec![("cookie", format!("__Host-session={value}").into_bytes())];
    let keys = ApiKeys::look_up(find).field("x-key").scheme_name("Key");
    let key = |value: &str| vec![("x-key", value.as_bytes().to_vec())];
    let rows: [(&str, ProtectedRouter, &str, Lines, Lines); 5] = [
        (
            "Bearer",
            app(space(Bearer::new(find))),
            INVALID,
            bearer("of-ann"),
            bearer("of-bob"),
        ),
        (
            "Tokens",
            app(space(Tokens::new("Token", find))),
            "Token realm=\"api\"",
            authorization("Token of-ann"),
            authorization("Token of-bob"),
        ),
        (
            "Basic",
            app(space(Basic::new(async |user, _| find(user).await))),
            BASIC,
            basic("of-ann:a password"),
            basic("of-bob:a password"),
        ),
        (
            "ApiKeys",
            app(space(keys.build().expect("the field is in order"))),
            "Key realm=\"api\"",
            key("of-ann"),
            key("of-bob"),
        ),
        (
            "Sessions",
            app(space(sessions.expect("the sessions are in order"))),
            "Cookie realm=\"api\"",
            cookie("of-ann"),
            cookie("of-bob"),
        ),
    ];
    for (name, app, challenge, found, unknown) in rows {
        let response = send(&app, "/known", &found).await;
        assert_eq!(response.status(), 200, "{name}");
        assert!(text(response).await.contains("ann"), "{name}");
        let response = send(&app, "/known", &unknown).await;
        assert_eq!(response.status(), 401, "{name}");
        assert_eq!(challenges(&response), [challenge], "{name}");
    }
}
