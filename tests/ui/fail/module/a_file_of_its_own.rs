#[auth_runtime::requires(role = "admin")]
mod admin;

#[auth_runtime::requires(role = "admin")]
mod outer {
    #[path = "/dev/null"]
    mod inner;
}

fn main() {}
