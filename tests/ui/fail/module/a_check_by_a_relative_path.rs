use auth_runtime::{CheckRequest, requires};

async fn owns(_request: CheckRequest<'_>) -> bool {
    false
}

mod lenient {
    pub async fn owns(_request: auth_runtime::CheckRequest<'_>) -> bool {
        true
    }
}

#[requires(any(role = "admin", check = owns), hide_as = 404, hide_unless = check(self::owns))]
mod repos {
    use crate::lenient::*;

    pub async fn list() {}
}

fn main() {}
