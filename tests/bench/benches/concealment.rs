//! The time by which the response to a hidden request differs from the response to an unknown path:
//! `cargo bench -p auth-bench --bench concealment`.
//!
//! Both requests of a case are sent to one router, in process and in pairs, in alternating order. The
//! difference is the mean over pairs, without the quarter of the pairs with the largest differences and the
//! quarter with the smallest; it is printed with twice its standard error. The null test compares the
//! unknown path with itself: a difference of that size is noise.
//!
//! callgrind counts the instructions of both in a second process of this program.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use auth_bench::authority::Authority;
use auth_bench::hidden::{Case, cases};
use auth_bench::measured::finish;
use auth_bench::{App, callgrind};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use tower::ServiceExt;

/// Pairs of a case.
const PAIRS: usize = 200_000;
/// Pairs of a case in which signatures are verified, which takes a more variable time.
const SIGNED_PAIRS: usize = 1_000_000;
/// Pairs before those that are measured.
const WARM_UP: usize = 2_000;

/// A case and the number of its pairs.
struct Measured {
    case: Case,
    pairs: usize,
}

impl From<Case> for Measured {
    fn from(case: Case) -> Self {
        let pairs = if case.is_signed { SIGNED_PAIRS } else { PAIRS };
        Self { case, pairs }
    }
}

impl Measured {
    fn request(&self, path: &str) -> Request {
        let mut request = http::Request::get(path);
        if let Some((name, value)) = &self.case.credentials {
            request = request.header(name, value);
        }
        request.body(Body::empty()).expect("a request")
    }

    fn respond(&self, request: Request) -> Response {
        let Ok(response) = finish(self.case.router.clone().oneshot(request));
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
        let [hidden, unknown] = [self.case.hidden, self.case.unknown].map(|path| {
            let (head, body) = self.respond(self.request(path)).into_parts();
            let body = finish(to_bytes(body, usize::MAX)).expect("a body");
            (head.status, head.headers, body)
        });
        assert_eq!(hidden.0, 404, "{}", self.case.name);
        assert_eq!(hidden, unknown, "{}", self.case.name);
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
    let cases: Vec<_> = cases().into_iter().map(Measured::from).collect();
    if std::env::args().any(|argument| argument == callgrind::ARGUMENT) {
        for measured in cases {
            let app = App::Protected(measured.case.router.clone());
            for path in [measured.case.hidden, measured.case.unknown] {
                callgrind::send_requests(&app, || {
                    auth_bench::Request::Axum(measured.request(path))
                });
            }
        }
        return;
    }
    let instructions = callgrind::instructions(&Authority::new(), 2 * cases.len());
    println!(
        "| | pairs | hidden | unknown | difference | null test | instructions: hidden | unknown |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for (index, measured) in cases.iter().enumerate() {
        measured.check();
        let instructions = |at: usize| match &instructions {
            Some(counted) => counted[2 * index + at].to_string(),
            None => String::new(),
        };
        let Measured { case, pairs } = measured;
        let compared = measured.compare(case.hidden, case.unknown);
        let null = measured.compare(case.unknown, case.unknown);
        println!(
            "| {} | {pairs} | {:.0} ns | {:.0} ns | {} | {} | {} | {} |",
            case.name,
            compared.first.value,
            compared.second.value,
            compared.difference,
            null.difference,
            instructions(0),
            instructions(1),
        );
    }
}
