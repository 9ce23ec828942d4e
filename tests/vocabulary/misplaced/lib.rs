use auth_runtime::requires;

pub struct Service;

impl Service {
    #[requires(role = "admin")]
    pub async fn list(&self) {}

    #[requires(role = "admin")]
    pub async fn read(&self) {}

    #[requires(rolle = "admin")]
    pub async fn write(&self) {}
}

pub trait Handlers {
    #[requires(role = "admin")]
    fn delete(&self) -> impl Future<Output = ()>;
}

#[requires(role = "admin")]
pub enum Kind {
    Public,
}
