//! The counts of a nonce (`nc`).

use super::*;

#[tokio::test]
async fn one_user_shuts_out_no_other() {
    let mallory = DigestSecret::of(SHA256, "mallory", "lab", "malice").expect("a secret");
    let app = service(lab().user(mallory, Identity::new("mallory")), "lab");
    let mut is_refused = false;
    for _ in 0..25_000 {
        let login = Login {
            nonce: nonce(&app, 0).await,
            ..Login::new("SHA-256", "mallory", "lab", "malice")
        };
        let status = send_login(&app, &login).await.status();
        is_refused = status == 503;
        if is_refused {
            break;
        }
        assert_eq!(status, 200);
    }
    assert!(is_refused, "a share has an end");
    for _ in 0..10 {
        let login = login(&app).await;
        assert_eq!(send_login(&app, &login).await.status(), 200);
    }
}

#[tokio::test]
async fn each_count_works_once() {
    let app = lab_service();
    let first = login(&app).await;
    let counted = |count: u32| Login {
        count: format!("{count:08x}"),
        ..first.clone()
    };
    for (count, status) in [
        (1, 200),
        (1, 401),
        (0x1b, 200),
        (5, 200),
        (5, 401),
        (0x100, 200),
        (0x99, 401),
        (0xff, 200),
        (0xffff_ffff, 200),
        (0xffff_ffff, 401),
        (2, 401),
    ] {
        let answer = send_login(&app, &counted(count)).await;
        assert_eq!(answer.status(), status, "{count:x}");
        if status == 401 {
            assert!(is_stale(&answer), "{count:x}: it was right");
        }
    }
    let upper = Login {
        count: "0000001B".to_owned(),
        ..login(&app).await
    };
    assert_eq!(
        send_login(&app, &upper).await.status(),
        200,
        "hashed as it was sent"
    );
    let again = Login {
        count: "0000001b".to_owned(),
        ..upper
    };
    assert!(
        is_stale(&send_login(&app, &again).await),
        "it is the same count"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_concurrent_counts_succeeds() {
    let app = lab_service();
    let login = login(&app).await;
    let sent = (0..64).map(|_| {
        let (app, login) = (app.clone(), login.clone());
        tokio::spawn(async move { send_login(&app, &login).await.status() })
    });
    let mut allowed = 0;
    for answer in sent.collect::<Vec<_>>() {
        allowed += usize::from(answer.await.expect("it does not panic") == 200);
    }
    assert_eq!(allowed, 1);
}

#[requires(authenticated, hide_as = 404)]
async fn hidden(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[tokio::test]
async fn forms_count_an_answer_once() {
    let layer = axum::middleware::map_request(async |request: Request| request);
    let space = ProtectionSpace::builder()
        .realm("lab")
        .scheme(lab().build().expect("a scheme"))
        .scheme(Bearer::new(async |_token| Caller::rejected()).accept_form());
    let app = GuardedRouter::new()
        .route("/", get(subject))
        .route("/hidden", post(hidden).layer(layer))
        .protect(space.build().expect("a space"))
        .expect("a router");
    let login = Login {
        method: "POST".to_owned(),
        uri: "/hidden".to_owned(),
        ..login(&app).await
    };
    let request = Request::post("/hidden")
        .header("authorization", login.authorization())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("a=b"))
        .expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 200);
}
