#[auth_runtime::public(reason = "all of it")]
mod open {
    async fn index() {}
}

fn main() {}
