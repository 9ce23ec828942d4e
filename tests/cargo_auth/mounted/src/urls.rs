//! The paths, in two manners.

pub trait Named {
    const PATH: &'static str;

    fn path() -> &'static str {
        Self::PATH
    }
}

pub struct Health;

impl Named for Health {
    const PATH: &'static str = "/health";
}

pub struct Profile;

impl Named for Profile {
    const PATH: &'static str = "/profile";
}

pub enum Urls {
    Login,
    Change,
}

impl AsRef<str> for Urls {
    fn as_ref(&self) -> &str {
        match self {
            Self::Login => "/login",
            Self::Change => "/.well-known/change-password",
        }
    }
}
