//! The measured call, shared by all kinds of measurement.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::StatusCode;
use tower::ServiceExt;

use crate::{Answer, App, Ask, Contender, Request};

/// Responds to a request, and drops the response.
///
/// The router is cloned for each request, as a server does it. A runtime is not needed, since no
/// future has to wait. The function is never inlined, so that callgrind finds it by its name.
#[inline(never)]
pub fn measured_answer(app: &App, request: Request) -> StatusCode {
    match (app, request) {
        (App::Axum(router), Request::Axum(request)) => {
            let Ok(response) = finish(router.clone().oneshot(request));
            black_box(response).status()
        }
        (App::Protected(router), Request::Axum(request)) => {
            let Ok(response) = finish(router.clone().oneshot(request));
            black_box(response).status()
        }
        #[cfg(feature = "peers")]
        (App::Axum07(router), Request::Axum07(request)) => {
            let Ok(response) = finish(router.clone().oneshot(request));
            black_box(response).status()
        }
        #[cfg(feature = "peers")]
        _ => panic!("a request for another router"),
    }
}

/// The number of polls of a future that should not have to wait.
const POLLS: usize = 100;

/// Polls a future to its end without a runtime.
///
/// # Panics
///
/// If the future waits for another task.
pub fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..POLLS {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("a contender waits for somebody");
}

impl Contender {
    /// Returns the whole response, for a comparison.
    pub fn answer(&self, ask: &Ask) -> Answer {
        match (&self.app, self.request(ask)) {
            (App::Axum(router), Request::Axum(request)) => {
                let Ok(response) = finish(router.clone().oneshot(request));
                let (head, body) = response.into_parts();
                let body = finish(axum::body::to_bytes(body, usize::MAX));
                Answer::new(&head, &body.expect("a body"))
            }
            (App::Protected(router), Request::Axum(request)) => {
                let Ok(response) = finish(router.clone().oneshot(request));
                let (head, body) = response.into_parts();
                let body = finish(axum::body::to_bytes(body, usize::MAX));
                Answer::new(&head, &body.expect("a body"))
            }
            #[cfg(feature = "peers")]
            (App::Axum07(router), Request::Axum07(request)) => {
                let Ok(response) = finish(router.clone().oneshot(request));
                let (head, body) = response.into_parts();
                let body = finish(axum_0_7::body::to_bytes(body, usize::MAX));
                Answer::new(&head, &body.expect("a body"))
            }
            #[cfg(feature = "peers")]
            _ => panic!("a request for another router"),
        }
    }
}

impl Answer {
    fn new(head: &http::response::Parts, body: &[u8]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = head.headers.iter();
        let mut fields: Vec<(String, String)> = fields
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect();
        fields.sort();
        Self {
            status: head.status,
            fields,
            body: text(body),
        }
    }
}
