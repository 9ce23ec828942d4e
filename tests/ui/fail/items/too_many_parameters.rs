#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
async fn handler(
    p0: axum::http::Method,
    p1: axum::http::Method,
    p2: axum::http::Method,
    p3: axum::http::Method,
    p4: axum::http::Method,
    p5: axum::http::Method,
    p6: axum::http::Method,
    p7: axum::http::Method,
    p8: axum::http::Method,
    p9: axum::http::Method,
    p10: axum::http::Method,
    p11: axum::http::Method,
    p12: axum::http::Method,
    p13: axum::http::Method,
    p14: axum::http::Method,
    p15: axum::http::Method,
) {
}

fn main() {}
