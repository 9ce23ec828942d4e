//! Schemes of the service in a document.

use auth_runtime::Caller;
use auth_runtime::schemes::{Credentials, Scheme, Source, Verification};
use http::HeaderName;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use super::errors::{described, error};
use super::*;

/// A scheme of the service.
struct Own {
    name: &'static str,
    sources: Vec<Source>,
}

impl Scheme for Own {
    fn name(&self) -> &str {
        self.name
    }

    fn sources(&self) -> Vec<Source> {
        self.sources.clone()
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }
}

#[test]
fn inexpressible_scheme_is_an_error() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(one));
    let said = |name, sources| {
        let space = ProtectionSpace::builder()
            .realm("shop")
            .scheme(Own { name, sources })
            .build();
        error(
            &router,
            &space.expect("the space is in order"),
            document(&[(HttpMethod::Get, "/")]),
        )
    };
    assert_eq!(
        said("Badge!", vec![Source::Authorization]),
        "the scheme `Badge!` cannot be named in a document: only letters, digits, `.`, `-` and \
         `_` are allowed"
    );
    assert_eq!(
        said("Badge", vec![Source::Form("badge".to_owned())]),
        "the scheme `Badge` cannot be described: OpenAPI has no credentials in forms"
    );
}

#[test]
fn own_schemes_are_described_by_field() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(one));
    let described = |sources: &[Source]| {
        let own = Own {
            name: "Badge",
            sources: sources.to_vec(),
        };
        let space = ProtectionSpace::builder().realm("shop").scheme(own).build();
        let space = space.expect("the space is in order");
        let document = document(&[(HttpMethod::Get, "/")]);
        let document = public(&router.access_table(), &space, document);
        document["components"]["securitySchemes"]["Badge"].clone()
    };
    let field = Source::Field(http::HeaderName::from_static("x-badge"));
    assert_eq!(
        described(&[Source::Authorization]),
        json!({
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "The value is `Badge`, a space and the credentials.",
        })
    );
    assert_eq!(
        described(&[Source::Subprotocol("badge".to_owned())]),
        json!({
            "type": "apiKey", "in": "header", "name": "Sec-WebSocket-Protocol",
            "description": "The value is `badge`, a comma and the credentials (RFC 6455).",
        })
    );
    assert_eq!(
        described(&[
            Source::Form("badge".to_owned()),
            field.clone(),
            Source::Cookie("badge".to_owned()),
            Source::Query("badge".to_owned()),
        ]),
        json!({
            "type": "apiKey", "in": "header", "name": "x-badge",
            "description": "Taken in a form in the body, as `badge`, too. Taken in the cookie \
                            `badge`, too. Taken in the query, as `badge`, too.",
        })
    );
    let own = |place: &str, name: &str| json!({ "type": "apiKey", "in": place, "name": name });
    for (source, expected) in [
        (Source::BareAuthorization, own("header", "Authorization")),
        (field.clone(), own("header", "x-badge")),
        (
            Source::TextField(http::HeaderName::from_static("x-text")),
            own("header", "x-text"),
        ),
        (Source::Cookie("badge".to_owned()), own("cookie", "badge")),
        (Source::Query("badge".to_owned()), own("query", "badge")),
        (
            Source::Connection(None),
            json!({ "type": "mutualTLS", "description": "The client certificate of the connection." }),
        ),
    ] {
        assert_eq!(
            described(std::slice::from_ref(&source)),
            expected,
            "{source:?}"
        );
    }
    // Further places follow the first one that can be described.
    for (source, expected) in [
        (
            Source::Authorization,
            "Taken in the field `Authorization`, too.",
        ),
        (
            Source::BareAuthorization,
            "Taken in `Authorization` without the name of a scheme, too.",
        ),
        (
            Source::Field(http::HeaderName::from_static("x-other")),
            "Taken in the field `x-other`, too.",
        ),
        (
            Source::TextField(http::HeaderName::from_static("x-text")),
            "Taken in the field `x-text`, too.",
        ),
        (
            Source::Subprotocol("badge".to_owned()),
            "Taken in `Sec-WebSocket-Protocol`, after `badge`, too.",
        ),
        (
            Source::Connection(None),
            "Taken from the certificate of the client, too.",
        ),
    ] {
        let written = described(&[field.clone(), source]);
        assert_eq!(written["description"], expected);
    }
}

/// A scheme that is written by hand stays if the space reads the credentials in that place.
#[test]
fn own_schemes_are_compared_by_place() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(one));
    let header = |name: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
    let cookie = |name: &str| SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(name)));
    let query = |name: &str| SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new(name)));
    let certificate = || SecurityScheme::MutualTls {
        description: None,
        deprecated: None,
        extensions: None,
    };
    let name = || "badge".to_owned();
    let field = http::HeaderName::from_static("x-badge");
    let basic = || SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
    for (source, kept, refused) in [
        (
            Source::Authorization,
            header("authorization"),
            [header("x-badge"), basic()],
        ),
        (
            Source::BareAuthorization,
            header("Authorization"),
            [header("x-badge"), cookie("Authorization")],
        ),
        (
            Source::Field(field.clone()),
            header("X-Badge"),
            [header("Authorization"), query("x-badge")],
        ),
        (
            Source::TextField(field),
            header("x-badge"),
            [header("x-badges"), certificate()],
        ),
        (
            Source::Subprotocol(name()),
            header("sec-websocket-protocol"),
            [header("badge"), cookie("badge")],
        ),
        (
            Source::Cookie(name()),
            cookie("badge"),
            [cookie("Badge"), query("badge")],
        ),
        (
            Source::Query(name()),
            query("badge"),
            [query("Badge"), cookie("badge")],
        ),
        (
            Source::Connection(None),
            certificate(),
            [header("client-cert"), basic()],
        ),
    ] {
        let own = Own {
            name: "Badge",
            sources: vec![source.clone()],
        };
        let space = ProtectionSpace::builder().realm("shop").scheme(own).build();
        let space = space.expect("the space is in order");
        let written = described("Badge", kept.clone());
        let document = public(&router.access_table(), &space, written);
        let scheme = &document["components"]["securitySchemes"]["Badge"];
        assert_eq!(*scheme, json!(kept), "{source:?}");
        for refused in refused {
            let said = error(&router, &space, described("Badge", refused));
            assert!(said.starts_with("the security scheme `Badge` of the document differs"));
        }
    }
}

/// Its verifier may be unavailable, and no challenge requests its credentials.
#[test]
fn binding_outage_without_challenge_is_503() {
    #[requires(any(sender_constrained, network = "192.0.2.0/24"))]
    async fn bound_or_near() {}
    struct Certificate;
    impl Scheme for Certificate {
        fn name(&self) -> &str {
            "Certificate"
        }

        fn sources(&self) -> Vec<Source> {
            vec![Source::Field(HeaderName::from_static("x-certificate"))]
        }

        fn verify(&self, _: &Credentials<'_>) -> Verification {
            Verification::done(Caller::unverifiable())
        }

        fn has_challenge(&self) -> bool {
            false
        }

        fn constrains_sender(&self) -> bool {
            true
        }
    }

    let router: GuardedRouter = GuardedRouter::new().route("/", get(bound_or_near));
    let space = auth_tests::space_builder().scheme(Certificate).build();
    let space = space.expect("the space is in order");
    let written = document(&[(HttpMethod::Get, "/")]);
    let document = public(&router.access_table(), &space, written);
    let responses = document["paths"]["/"]["get"]["responses"].as_object();
    let statuses: Vec<_> = responses.expect("responses").keys().collect();
    assert_eq!(statuses, ["400", "403", "503"]);
}
