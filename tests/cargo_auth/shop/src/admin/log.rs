#[auth_runtime::requires(role = "auditor", hide_as = 404, hide_unless = scope("orders:read"))]
pub(super) async fn read() {}
