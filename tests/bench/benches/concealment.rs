//! The time by which the response to a hidden request differs from the response to an unknown path:
//! `cargo bench -p auth-bench --bench concealment`.
//!
//! Both requests of a case are sent to one router, in process and in pairs, in alternating order. The
//! difference is the mean over pairs, without the quarter of the pairs with the largest differences and the
//! quarter with the smallest; it is printed with twice its standard error. The null test compares the
//! unknown path with itself: a difference of that size is noise.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use auth_bench::authority::{AUDIENCE, Authority, ISSUER, bearer};
use auth_bench::contenders::{Table, USER};
use auth_bench::measured::finish;
use auth_runtime::routing::get;
use auth_runtime::schemes::{Bearer, Jwt, JwtKey, Scheme};
use auth_runtime::{
    Caller, CheckRequest, Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace,
    requires,
};
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request};
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use tower::ServiceExt;
use tower::layer::util::Identity as NoLayer;

/// Pairs of a case.
const PAIRS: usize = 200_000;
/// Pairs of a case in which signatures are verified, which takes a more variable time.
const SIGNED_PAIRS: usize = 1_000_000;
/// Pairs before those that are measured.
const WARM_UP: usize = 2_000;

/// A hidden and an unknown path of one router.
struct Case {
    name: &'static str,
    router: ProtectedRouter,
    credentials: Option<(HeaderName, HeaderValue)>,
    hidden: &'static str,
    unknown: &'static str,
    pairs: usize,
}

#[requires(scope = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    "the page"
}

#[requires(scope = "read")]
async fn shown() -> &'static str {
    "the page"
}

#[requires(scope = "admin", hide_as = 404)]
struct HiddenFiles;

async fn is_allowed(request: CheckRequest<'_>) -> bool {
    request.identity().subject().is_empty()
}

#[requires(check = is_allowed, hide_as = 404)]
async fn checked() -> &'static str {
    "the page"
}

/// One object exists, and belongs to another caller.
#[requires(scope = "read", hide_as = 404)]
async fn object(guard: Guard, Path(name): Path<String>) -> Result<&'static str, Denied> {
    let owner = (name == "theirs").then_some("ada");
    guard.permit(owner == Some(guard.identity().subject()))?;
    Ok("the object")
}

fn routes() -> GuardedRouter {
    GuardedRouter::new().route("/shown", get(shown))
}

fn protect(routes: GuardedRouter, scheme: impl Scheme) -> ProtectedRouter {
    let space = ProtectionSpace::builder().realm("bench").scheme(scheme);
    let space = space.build().expect("the space is in order");
    routes.protect(space).expect("every state is there")
}

fn cases() -> Vec<Case> {
    let user = Some(bearer(USER));
    let by_table = |routes| protect(routes, Table::default());
    let of = |name, routes, hidden, unknown| Case {
        name,
        router: by_table(routes),
        credentials: user.clone(),
        hidden,
        unknown,
        pairs: PAIRS,
    };
    let on_path = || routes().route("/hidden", get(hidden));
    let authority = Authority::new();
    let key = JwtKey::rs256_pem(authority.public_key()).expect("a public key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let jwt = jwt.build().expect("a verifier");
    let looked_up = Bearer::new(async |_token| Caller::known(Identity::new("ann")));
    let files = tower::service_fn(async |_: Request| Ok::<_, std::convert::Infallible>("the page"));
    vec![
        Case {
            credentials: None,
            ..of("handler, no credentials", on_path(), "/hidden", "/absent")
        },
        of("handler, scope is missing", on_path(), "/hidden", "/absent"),
        Case {
            router: protect(on_path(), looked_up),
            ..of(
                "the same, asynchronous scheme",
                on_path(),
                "/hidden",
                "/absent",
            )
        },
        Case {
            router: protect(on_path(), Bearer::jwt(jwt)),
            credentials: Some(bearer(&authority.token("openid profile read write"))),
            pairs: SIGNED_PAIRS,
            ..of(
                "the same, JWT verified anew",
                on_path(),
                "/hidden",
                "/absent",
            )
        },
        of(
            "nested handler",
            routes().nest("/api", on_path()),
            "/api/hidden",
            "/api/absent",
        ),
        of(
            "handler with a layer of its own",
            routes().route("/hidden", get(hidden).layer(NoLayer::new())),
            "/hidden",
            "/absent",
        ),
        of(
            "`nest_service`",
            routes().nest_service("/hidden", HiddenFiles, files),
            "/hidden/page",
            "/absent/page",
        ),
        of(
            "`check` that denies",
            routes().route("/hidden", get(checked)),
            "/hidden",
            "/absent",
        ),
        of(
            "`permit` that denies",
            routes().route("/objects/{name}", get(object)),
            "/objects/theirs",
            "/absents/theirs",
        ),
        of(
            "`permit`, against an object that does not exist",
            routes().route("/objects/{name}", get(object)),
            "/objects/theirs",
            "/objects/absent",
        ),
    ]
}

impl Case {
    fn request(&self, path: &str) -> Request {
        let mut request = http::Request::get(path);
        if let Some((name, value)) = &self.credentials {
            request = request.header(name, value);
        }
        request.body(Body::empty()).expect("a request")
    }

    fn respond(&self, request: Request) -> Response {
        let Ok(response) = finish(self.router.clone().oneshot(request));
        response
    }

    /// The nanoseconds until there is a response.
    fn time(&self, path: &str) -> f64 {
        let request = self.request(path);
        let began = Instant::now();
        let response = black_box(self.respond(request));
        let elapsed = began.elapsed();
        drop(response);
        elapsed.as_secs_f64() * 1e9
    }

    /// Compares the times of two paths.
    fn compare(&self, first: &str, second: &str) -> Comparison {
        let mut times = (Vec::new(), Vec::new());
        let mut differences = Vec::new();
        for pair in 0..WARM_UP + self.pairs {
            let (one, other);
            if pair % 2 == 0 {
                one = self.time(first);
                other = self.time(second);
            } else {
                other = self.time(second);
                one = self.time(first);
            }
            if pair >= WARM_UP {
                times.0.push(one);
                times.1.push(other);
                differences.push(one - other);
            }
        }
        Comparison {
            first: Mean::of_middle_half(times.0),
            second: Mean::of_middle_half(times.1),
            difference: Mean::of_middle_half(differences),
        }
    }

    /// Panics unless both responses are the same 404.
    fn check(&self) {
        let [hidden, unknown] = [self.hidden, self.unknown].map(|path| {
            let (head, body) = self.respond(self.request(path)).into_parts();
            let body = finish(to_bytes(body, usize::MAX)).expect("a body");
            (head.status, head.headers, body)
        });
        assert_eq!(hidden.0, 404, "{}", self.name);
        assert_eq!(hidden, unknown, "{}", self.name);
    }
}

/// The times of two paths, in nanoseconds.
struct Comparison {
    first: Mean,
    second: Mean,
    /// The difference within a pair.
    difference: Mean,
}

/// A mean, and the error of its estimation.
struct Mean {
    value: f64,
    /// Twice the standard error.
    error: f64,
}

impl Mean {
    /// The mean without the largest and the smallest quarter of the values.
    fn of_middle_half(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let quarter = values.len() / 4;
        let middle = &values[quarter..values.len() - quarter];
        let count = middle.len() as f64;
        let value = middle.iter().sum::<f64>() / count;
        // The standard error of a trimmed mean counts each value left out as the nearest value kept.
        let squares = |values: &[f64]| values.iter().map(|it| (it - value).powi(2)).sum::<f64>();
        let ends = [middle[0], middle[middle.len() - 1]];
        let all = squares(middle) + quarter as f64 * squares(&ends);
        let variance = all / (values.len() - 1) as f64;
        let kept = count / values.len() as f64;
        let error = 2.0 * variance.sqrt() / (kept * (values.len() as f64).sqrt());
        Self { value, error }
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.1} ± {:.1} ns", self.value, self.error)
    }
}

fn main() {
    println!("| | pairs | hidden | unknown | difference | null test |");
    println!("|---|--:|--:|--:|--:|--:|");
    for case in cases() {
        case.check();
        let compared = case.compare(case.hidden, case.unknown);
        let null = case.compare(case.unknown, case.unknown);
        println!(
            "| {} | {} | {:.0} ns | {:.0} ns | {} | {} |",
            case.name,
            case.pairs,
            compared.first.value,
            compared.second.value,
            compared.difference,
            null.difference,
        );
    }
}
