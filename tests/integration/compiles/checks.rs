use auth_runtime::routing::get;
use auth_runtime::{CheckRequest, Denied, Guard, GuardedRouter, requires};

#[derive(Clone)]
struct Db;

impl Db {
    async fn owner(&self, _path: &str) -> Result<String, std::io::Error> {
        Ok("ann".to_owned())
    }
}

mod checks {
    use auth_runtime::CheckRequest;

    pub async fn is_working_hours(_request: CheckRequest<'_>) -> bool {
        true
    }
}

async fn owns_it(request: CheckRequest<'_, Db>) -> Result<bool, std::io::Error> {
    let owner = request.state().owner(request.uri().path()).await?;
    Ok(owner == request.identity().subject())
}

async fn is_named<'r>(request: CheckRequest<'r, Db>) -> bool {
    !request.identity().subject().is_empty() && request.headers().contains_key("x-name")
}

async fn call(_request: CheckRequest<'_>) -> bool {
    false
}

#[requires(check = call)]
async fn named_as_in_the_expansion() {}

#[requires(check = owns_it)]
async fn alone() {}

#[requires(
    any(check = owns_it, all(scope = "admin", check = self::checks::is_working_hours)),
    check = is_named,
    hide_as = 404,
    hide_unless = check(self::checks::is_working_hours)
)]
async fn together(guard: Guard) -> Result<(), Denied> {
    guard.permit(guard.identity().subject() == "ann")
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/alone", get(alone))
        .route("/together", get(together))
        .with_state(Db);
}
