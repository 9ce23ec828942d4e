use auth_runtime::requires;

#[requires(scope = "admin")]
async fn dashboard(name: String) -> String {
    name
}

async fn around() -> String {
    dashboard("the back door".to_owned()).await
}

fn main() {}
