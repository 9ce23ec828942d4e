use auth_runtime::requires;

#[requires(authenticated, on = "Report", resource = super::of_query)]
mod reports {
    use auth_runtime::requires;

    #[requires(can = "read")]
    pub async fn show() {}
}

fn main() {}
