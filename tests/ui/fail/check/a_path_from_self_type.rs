use auth_runtime::{CheckRequest, requires};

struct Files;

impl Files {
    async fn are_open(_request: CheckRequest<'_>) -> bool {
        false
    }
}

#[requires(check = Files::are_open, hide_as = 404, hide_unless = check(Self::are_open))]
async fn list() {}

#[requires(check = Self::are_open)]
async fn read() {}

#[requires(can("write", on = "File", resource = Self::of_request))]
async fn write() {}

fn main() {}
