use auth_runtime::{Guard, requires};

#[requires(authenticated)]
async fn known() {}

#[requires(scope = "repo:read", role = "editor", permission = "publish")]
async fn all_of_three() {}

#[requires(any(scope = "a", all(role = "b", any(permission = "c", scope = "d"))))]
async fn nested() {}

#[requires(scope = "!#[]~$&", hide_as = 404)]
async fn odd_characters() {}

#[requires(scope = "write", hide_as = 404, hide_unless = scope("read"))]
async fn half_hidden() {}

#[requires(scope = "write", hide_as = 404, hide_unless = scope = "read")]
async fn half_hidden_with_an_equals_sign() {}

#[requires(scope = "write", hide_as = 404, hide_unless = any(scope("read"), role("reader")))]
async fn half_hidden_with_parentheses_within() {}

#[requires(all(role = "a", role = "b"), hide_unless = any(role = "a", role = "c"), hide_as = 404)]
async fn in_any_order() {}

#[requires(acr = "urn:example:mfa", amr = "otp", max_age = "15m")]
async fn fresh() {}

#[requires(any(acr = "mfa", acr = "hardware"), max_age = "1d")]
async fn either_class() {}

#[requires(sender_constrained, scope = "transfers", hide_as = 404, hide_unless = sender_constrained)]
async fn bound() {}

#[requires(network = "10.0.0.0/8", scope = "metrics")]
async fn inside() {}

#[requires(network = "0.0.0.0/0")]
async fn by_ipv4_only() {}

#[requires(any(network = "2001:db8::/32", authenticated))]
async fn inside_or_known(guard: Guard) -> String {
    match guard.identity() {
        Some(identity) => identity.subject().to_owned(),
        None => "somebody inside".to_owned(),
    }
}

#[requires(authenticated, schemes(Basic, "Lab-Auth"), realm = "the \"lab\"")]
async fn narrower() {}

#[requires(network = "10.0.0.0/8", schemes(Bearer), realm = "office")]
async fn known_by_one_scheme(guard: Guard) -> String {
    let identity = guard.identity();
    identity.map_or_else(String::new, |identity| identity.subject().to_owned())
}

#[requires(network = "10.0.0.0/8", hide_as = 404, hide_unless = role("ops"), schemes(Bearer))]
async fn shown_to_one_scheme() {}

pub(crate) fn main() {}
