//! Attributes of other crates stay unchanged in a module with a policy.

#[auth_runtime::requires(role = "admin")]
mod admin {
    use std::fmt::Debug;

    pub async fn list() {}

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Page;

    #[derive(Debug)]
    pub enum Order {
        Up,
    }

    #[tracing::instrument]
    pub fn shown(page: &dyn Debug) -> String {
        format!("{page:?}")
    }

    #[test]
    fn plain() {}

    #[tokio::test(flavor = "current_thread")]
    async fn with_a_runtime() {}
}

pub(crate) fn main() {
    let _ = (admin::shown(&admin::Page), admin::Order::Up);
    let _ = admin::list;
}
