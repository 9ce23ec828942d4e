//! Challenges.

use super::*;

#[tokio::test]
async fn each_algorithm_has_a_challenge() {
    let app = service(lab_with_md5(), "lab");
    let refused = ask(&app, "GET", "/", "").await;
    let mut nonces = Vec::new();
    for (place, algorithm) in ["SHA-256", "MD5"].into_iter().enumerate() {
        let nonce = parameter(&refused, place, "nonce").expect("a nonce");
        assert_eq!(
            challenges(&refused)[place],
            format!(
                "Digest realm=\"lab\", qop=\"auth\", algorithm={algorithm}, nonce=\"{nonce}\", \
                 charset=UTF-8"
            )
        );
        nonces.push(nonce);
    }
    assert_eq!(challenges(&refused).len(), 2);
    nonces.push(nonce(&app, 0).await);
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "no nonce is given out twice");

    let only_sha256 = ask(&lab_service(), "GET", "/", "").await;
    assert_eq!(challenges(&only_sha256).len(), 1, "MD5 has to be asked for");
}

#[tokio::test]
async fn scripts_get_no_prompt() {
    let bearer = Bearer::new(async |_| Caller::rejected());
    let space = ProtectionSpace::builder()
        .realm("lab")
        .scheme(lab_with_md5().build().expect("a scheme"))
        .scheme(bearer);
    let app = app(space.build().expect("a space"));
    for (mode, lines) in [("navigate", 3), ("cors", 1)] {
        let request = vec![("sec-fetch-mode", mode.into())];
        let answer = send(&app, "/known", &request).await;
        assert_eq!(challenges(&answer).len(), lines, "{mode}");
    }
    // Only Digest uses the stale nonce.
    let login = Login {
        uri: "/known".to_owned(),
        nonce: "old".to_owned(),
        ..Login::new("SHA-256", "ann", "lab", "secret")
    };
    let answer = send(&app, "/known", &authorization(login.authorization())).await;
    assert!(challenges(&answer)[0].contains("stale=true"));
    assert!(challenges(&answer)[1].contains("stale=true"));
    assert_eq!(challenges(&answer)[2], "Bearer realm=\"lab\"");
}
