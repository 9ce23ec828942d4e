//! The texts of errors.

use std::error::Error;
use std::time::Duration;

use auth_runtime::schemes::{
    CarriedJwtError, DigestAlgorithm, DigestError, DigestLookUpError, DigestSecretError, LinkError,
    LoadBalancerProblem, ProxyIdentityError, RedisError, ReplayStoreError, SessionsError,
    SignedUrlsError, TrustedOrigins, TrustedProxiesError, WebhooksError,
};

use crate::schemes::*;

#[test]
fn errors_have_one_text_each() {
    fn name() -> String {
        "a b".to_owned()
    }
    let origin = || {
        let origins = TrustedOrigins::default().trust(name());
        origins.expect_err("no origin")
    };
    let claims = serde_json::from_str::<Claims>("7").expect_err("no object");
    let errors: Vec<(Box<dyn Error>, &str)> = vec![
        (
            ApiKeysError::NoKey.into(),
            "no API key was added; add one with `.key(…)`",
        ),
        (
            ApiKeysError::ShortKey(name()).into(),
            r#"the API key of "a b" is shorter than 16 bytes and can be guessed"#,
        ),
        (
            ApiKeysError::UnsendableKey(name()).into(),
            r#"the API key of "a b" cannot be sent: it has whitespace around it, another character than visible ASCII and spaces, or more than 16384 bytes"#,
        ),
        (
            ApiKeysError::NoDigest(name()).into(),
            r#"the SHA-256 of the API key of "a b" is not 64 hexadecimal digits"#,
        ),
        (
            SpaceError::SchemeTwice("bearer".to_owned()).into(),
            "two schemes have the name `bearer`; join tokens of several kinds in one `Bearer`, with \
             `.tokens_with_prefix(…)`, `.opaque_tokens(…)` or `Jwt::any_of(…)`",
        ),
        (
            SpaceError::SchemeTwice("Basic".to_owned()).into(),
            "two schemes have the name `Basic`; verify the credentials of both in one scheme",
        ),
        (
            SpaceError::SchemeTwice("Webhook".to_owned()).into(),
            "two schemes have the name `Webhook`; name one of them with `.scheme_name(…)`, or verify the \
             credentials of both in one scheme",
        ),
        (
            SpaceError::PlaceTwice {
                earlier: "ApiKey".to_owned(),
                later: "Proxy".to_owned(),
            }
            .into(),
            "the schemes `ApiKey` and `Proxy` read credentials in the same place; let one of them read \
             another place, or verify both in one scheme",
        ),
        (
            ApiKeysError::KeyTwice.into(),
            "two callers have the same API key",
        ),
        (
            ApiKeysError::Field(name()).into(),
            r#"API keys cannot be read from the field "a b""#,
        ),
        (
            CarriedJwtError::Field(name()).into(),
            r#"tokens cannot be read from the field "a b"; for `Authorization`, use `Bearer::jwt`"#,
        ),
        (
            CarriedJwtError::Cookie(name()).into(),
            r#"no cookie can have the name "a b""#,
        ),
        (
            CarriedJwtError::Subprotocol(name()).into(),
            r#"no subprotocol can have the name "a b""#,
        ),
        (
            CarriedJwtError::Origin(origin()).into(),
            r#""a b" is not an origin; write scheme and host as a browser does, such as `https://app.example`"#,
        ),
        (
            CarriedJwtError::UnusedOrigin.into(),
            "an origin is trusted, and the token is neither in a cookie nor in the field of a gateway; a browser \
             does not send it by itself",
        ),
        (
            claims.into(),
            "invalid type: integer `7`, expected an object with the claims at line 1 column 1",
        ),
        (
            DigestError::NoRealm.into(),
            "the realm, which Digest hashes, is empty",
        ),
        (
            DigestError::NoAlgorithm.into(),
            "Digest needs an algorithm, and none is offered",
        ),
        (
            DigestError::NoUser.into(),
            "no user was added; add one with `.user(…)`, or look users up with `.look_up(…)`",
        ),
        (
            DigestError::OtherRealm {
                user: name(),
                realm: "lab".to_owned(),
            }
            .into(),
            r#"the secret of the user "a b" was made for the realm "lab"; a realm cannot be changed without the password"#,
        ),
        (
            DigestError::NotOffered {
                user: name(),
                algorithm: DigestAlgorithm::Md5,
            }
            .into(),
            r#"the user "a b" has a secret for MD5, which is not offered; offer it with `.algorithms(…)`"#,
        ),
        (
            DigestError::NoSecret {
                user: name(),
                algorithm: DigestAlgorithm::Sha256,
            }
            .into(),
            r#"SHA-256 is offered, and the user "a b" has no secret for it"#,
        ),
        (
            DigestError::UserTwice(name()).into(),
            r#"the user "a b" has two secrets for one algorithm"#,
        ),
        (
            DigestError::UsersAndLookUp.into(),
            "users are given and looked up; use `.user(…)` or `.look_up(…)`",
        ),
        (
            DigestError::HashedNamesAndLookUp.into(),
            "`.userhash()` needs the names of all users; use it with `.user(…)`, not with `.look_up(…)`",
        ),
        (
            DigestError::Lifetime(Duration::from_secs(3601)).into(),
            "the lifetime of a nonce is 3601 seconds; 1 to 3600 are allowed",
        ),
        (
            DigestError::RemovedPrefix(name()).into(),
            r#"the prefix "a b" cannot be removed from a path; write it as `/orders`, without a slash at the end"#,
        ),
        (
            DigestError::NoRandomness.into(),
            "the system has no random bytes",
        ),
        (DigestLookUpError.into(), "the user cannot be looked up"),
        (
            DigestSecretError::Line.into(),
            "a digest secret is stored as `user:realm:hash`",
        ),
        (
            DigestSecretError::Hash.into(),
            "the hash of a digest secret has 64 hexadecimal digits (SHA-256) or 32 (MD5)",
        ),
        (
            DigestSecretError::User(name()).into(),
            r#""a b" is not a user name for Digest: a name is not empty, and has no colon and no control character"#,
        ),
        (
            DigestSecretError::NoRealm.into(),
            "the digest secret has no realm",
        ),
        (
            JwtError::ShortSecret {
                length: 47,
                required: 48,
            }
            .into(),
            "the secret has 47 bytes; its algorithm needs 48 or more (RFC 7518 §3.2)",
        ),
        (
            JwtError::SvidSetting("`.client(…)`".to_owned()).into(),
            "`.client(…)` is not for the JWT-SVIDs of a trust domain; remove it",
        ),
        (
            JwtError::LoadBalancer(LoadBalancerProblem::Issuer).into(),
            "the load balancer cannot be trusted: its issuer must not be a template or a trust domain",
        ),
        (
            JwtError::LoadBalancer(LoadBalancerProblem::NoArn).into(),
            r#"the load balancer cannot be trusted: its ARN is missing; name it with `.load_balancer("…")`"#,
        ),
        (
            JwtError::LoadBalancer(LoadBalancerProblem::Arn(name())).into(),
            r#"the load balancer cannot be trusted: "a b" is not the ARN of an Application Load Balancer"#,
        ),
        (
            JwtError::LoadBalancer(LoadBalancerProblem::SeveralRegions).into(),
            "the load balancer cannot be trusted: its load balancers are in several regions",
        ),
        (
            JwtError::LoadBalancer(LoadBalancerProblem::NoKeyUrl).into(),
            "the load balancer cannot be trusted: its keys have a URL of their own outside the partition `aws`; \
             name it with `.load_balancer_keys(\"…\")`",
        ),
        (
            JwtError::LoadBalancer(LoadBalancerProblem::KeyUrlQuery).into(),
            "the load balancer cannot be trusted: the URL of its keys has a query",
        ),
        (
            LinkError::Head.into(),
            "a link cannot be signed for HEAD; a link for GET is also valid for HEAD",
        ),
        (
            LinkError::Target(name()).into(),
            "clients do not send \"a b\" as it is written; write a path that starts with one slash and has no dot \
             segments, with everything encoded that RFC 3986 does not allow, and `'` in the query",
        ),
        (
            LinkError::Lifetime(Duration::ZERO).into(),
            "the lifetime of a link is 0 seconds; 1 second to 366 days are allowed",
        ),
        (
            LinkError::Identity.into(),
            "the identity has more than a subject, scopes, roles and permissions, which a link cannot carry",
        ),
        (
            LinkError::Long(8001).into(),
            "the link has 8001 bytes; the maximum is 8000, so grant fewer scopes, roles or permissions",
        ),
        (LinkError::Clock.into(), "the system clock is invalid"),
        (
            PasswordHashesError::NoUser.into(),
            "no user was added; add one with `.user(…)`, or look users up with `PasswordHashes::look_up(…)`",
        ),
        (
            PasswordHashesError::UserTwice(name()).into(),
            r#"the user "a b" was added twice"#,
        ),
        (
            PasswordHashesError::NoArgon2(name()).into(),
            r#"the hash of the user "a b" is not of the form `$argon2id$v=19$m=…,t=…,p=…$…$…`"#,
        ),
        (
            PasswordHashesError::NoStandIn.into(),
            "users are looked up, and unknown ones have no hash to compare with; add one with `.stand_in(…)`",
        ),
        (
            PasswordHashesError::InvalidStandIn.into(),
            "a stand-in is not of the form `$argon2id$v=19$m=…,t=…,p=…$…$…`; for hashes of another kind, add \
             `.verified_by(…)`",
        ),
        (
            PasswordHashesError::NoRandomness.into(),
            "the system has no random bytes",
        ),
        (
            ProxyIdentityError::Proxies(TrustedProxiesError::NoProxy).into(),
            "a field of a proxy is configured, and no proxy is trusted; give the addresses of the proxies, or use the \
             connection itself",
        ),
        (
            ProxyIdentityError::Field(name()).into(),
            r#"an identity cannot be read from the field "a b""#,
        ),
        (
            RedisError::Url.into(),
            "this is not the URL of a Redis server; write `redis://user:password@host:port/`, or `rediss://…` for TLS",
        ),
        (
            RedisError::Timeout(Duration::from_millis(10_500)).into(),
            "the timeout is 10.5 seconds; it has to be more than 0, and at most 10",
        ),
        (RedisError::NoResponse.into(), "Redis does not respond"),
        (
            ReplayStoreError.into(),
            "the store of used proofs is not available",
        ),
        (
            SessionsError::Cookie(name()).into(),
            r#""a b" is not a cookie name"#,
        ),
        (
            SessionsError::Origin(origin()).into(),
            r#""a b" is not an origin; write scheme and host as a browser does, such as `https://app.example`"#,
        ),
        (
            SignedUrlsError::NoKey.into(),
            "no key was added; add one with `.key(…)`",
        ),
        (
            SignedUrlsError::Id(name()).into(),
            r#""a b" is not the name of a key; 1 to 32 ASCII letters, digits, `-` and `_` are allowed"#,
        ),
        (
            SignedUrlsError::KeyLength(name()).into(),
            r#"the key "a b" does not have 32 to 64 bytes; use 32 random bytes"#,
        ),
        (
            SignedUrlsError::KeyTwice(name()).into(),
            r#"the key "a b" has the name or the bytes of an earlier one"#,
        ),
        (
            origin().into(),
            r#""a b" is not an origin; write scheme and host as a browser does, such as `https://app.example`"#,
        ),
        (
            WebhooksError::NoSecret.into(),
            "no secret was added; add one with `.secret(…)`",
        ),
        (
            WebhooksError::ShortSecret.into(),
            "a secret is shorter than 16 bytes",
        ),
        (
            WebhooksError::Encoding.into(),
            "a secret with the prefix `whsec_` is not base64",
        ),
        (
            WebhooksError::Whitespace.into(),
            "a secret starts or ends with whitespace; trim it",
        ),
    ];
    for (error, text) in errors {
        assert_eq!(error.to_string(), text, "{error:?}");
    }
}
