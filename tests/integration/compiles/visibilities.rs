use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};

mod outer {
    pub mod inner {
        use auth_runtime::requires;

        #[requires(scope = "a")]
        pub async fn public() {}

        #[requires(scope = "a")]
        pub(crate) async fn in_crate() {}

        #[requires(scope = "a")]
        pub(super) async fn in_parent() {}

        #[requires(scope = "a")]
        pub(in crate::compiles::visibilities::outer) async fn in_path() {}
    }

    pub fn router() -> auth_runtime::GuardedRouter {
        auth_runtime::GuardedRouter::new()
            .route("/in-parent", auth_runtime::routing::get(inner::in_parent))
            .route("/in-path", auth_runtime::routing::get(inner::in_path))
    }
}

use outer::inner::{in_crate, public};

#[requires(scope = "a")]
async fn private() {}

pub(crate) fn main() {
    let _: GuardedRouter = outer::router()
        .route("/public", get(public))
        .route("/in-crate", get(in_crate))
        .route("/private", get(private));
}
