//! The attributes of `auth-runtime`, which re-exports them: depend on that crate, not on this one.
//!
//! `auth-grammar` reads and checks the attributes and their items. `expand` writes them out as data
//! for the runtime.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod expand;
mod guard;

/// Declares the access policy of a handler.
///
/// ```
/// use auth_runtime::{Guard, requires};
///
/// #[requires(any(role = "editor", scope = "drafts:write"), hide_as = 404)]
/// async fn drafts(guard: Guard) -> String {
///     format!("the drafts, for {}", guard.identity().subject())
/// }
/// ```
///
/// # Grammar
///
/// ```text
/// #[requires( requirement {, requirement} {, display} {, crate = path} )]
/// requirement := authenticated | sender_constrained
///              | scope = "…" | role = "…" | permission = "…"
///              | acr = "…" | amr = "…" | max_age = "15m"
///              | network = "10.0.0.0/8"
///              | check = path::to::function
///              | policy = "staff"
///              | any( requirement, … ) | all( requirement, … )
/// display     := hide_as = 404 | hide_unless = lesser
///              | schemes( Basic, "Lab-Auth", … ) | realm = "…"
///              | loosen = "…"
/// lesser      := a requirement; its values may be written in parentheses: scope("…")
/// ```
///
/// | requirement | meaning |
/// |---|---|
/// | `authenticated` | the caller is known |
/// | `sender_constrained` | the caller proved possession of the key that the credentials are bound to (DPoP, [RFC 9449]; client certificates, [RFC 8705]) |
/// | `scope = "…"` | the caller was granted that scope: one scope token ([RFC 6749 §3.3]), compared as a whole and case-sensitively |
/// | `role = "…"` | the caller has that role |
/// | `permission = "…"` | the caller has that permission |
/// | `acr = "…"` | the login has that authentication context class ([RFC 9470]) |
/// | `amr = "…"` | the login used that method, such as `otp` ([RFC 8176]) |
/// | `max_age = "…"` | the login is at most that old: a whole number of `s`, `m`, `h` or `d` |
/// | `network = "…"` | the request comes from that block of addresses, or from that network of the vocabulary; the caller need not be known; `"0.0.0.0/0"` covers IPv4 only |
/// | `check = …` | that async function grants the request: it takes a `CheckRequest` and returns `bool` or `Result<bool, _>` |
/// | `policy = "…"` | that policy of the vocabulary is met |
/// | `any(…)` | at least one member is met |
/// | `all(…)` | every member is met; a list without `all` means the same |
///
/// If a `network` alone can meet the policy, the caller may be anonymous, and `guard.identity()` is
/// an `Option`.
///
/// | display | response to a denial |
/// |---|---|
/// | (none) | 401, 403, with challenges ([RFC 9110 §11.6.1], [RFC 6750 §3]) |
/// | `hide_as = 404` | the response for an unknown path ([RFC 9110 §15.5.4]) |
/// | `hide_unless = …` | concealed, except from callers that meet this lesser requirement |
/// | `schemes(…)` | only these schemes of the protection space are accepted and offered |
/// | `realm = "…"` | challenges have this realm instead of the protection space's |
/// | `loosen = "…"` | the policy of the enclosing module is replaced, for this reason |
///
/// # Vocabulary
///
/// If `auth.toml` exists beside the `Cargo.toml`, or in a folder above it up to the root of the
/// workspace, it must declare every scope, role, permission, network name and policy. A requirement
/// for a name is also met by each name that implies it. Packages that the workspace excludes, and
/// vendored packages, are not checked against the file.
///
/// ```toml
/// realm = "example"
///
/// [scopes]
/// "repo:read" = "Read repositories"
/// "repo:write" = { description = "Change repositories", implies = ["repo:read"] }
///
/// [roles]
/// admin = "Operates the service"
///
/// [permissions]
/// publish = "Put packages before the public"
///
/// [networks]
/// office = ["192.0.2.0/24", "2001:db8::/32"]
///
/// [policies.staff]
/// description = "Whoever works here, from where we work"
/// requires = 'role = "admin", network = "office"'
/// ```
///
/// Without the file, every scope, role and permission is accepted; names of networks and policies
/// are not. A manifest can require the file, so that its loss is reported:
///
/// ```toml
/// [workspace.metadata.auth] # or `[package.metadata.auth]`
/// required = true
/// ```
///
/// `network = "office"` and `policy = "staff"` are names of that file. A policy contributes all of
/// its `requires`, `hide_as` included. The attribute can override the display of a policy. If two
/// policies differ in their display, the attribute must override it. The crate is compiled again
/// when the file changes. [`vocabulary!`](macro@vocabulary) makes the file available at run time.
///
/// # Placement
///
/// On a free `async fn`: the function stays as it is, except for a first parameter `Guard`. Write
/// it as `guard: Guard` to use it, or omit it. The attribute works above and below other
/// attributes. Exception: `#[axum::debug_handler]` checks the function as it is written. Place it
/// below `#[requires]`; above it, the compiler reports a missing argument of type `Guard`. A hidden
/// type beside the function carries the policy; its name is `policy_of_` and the name of the
/// function.
///
/// On an inline module, for every handler in it:
///
/// ```
/// # use auth_runtime::{public, requires};
/// #[requires(role = "admin", hide_as = 404)]
/// mod admin {
///     use auth_runtime::{public, requires};
///
///     // `role = "admin", hide_as = 404`
///     pub async fn users() {}
///
///     // both: `role = "admin", scope = "users:write", hide_as = 404`
///     #[requires(scope = "users:write")]
///     pub async fn delete_user() {}
///
///     // `role = "auditor", hide_as = 404`: overriding a module's policy takes a reason
///     #[requires(role = "auditor", loosen = "auditors read the log, and nothing else")]
///     pub async fn log() {}
///
///     #[public(reason = "the form itself is no secret")]
///     pub async fn login() {}
/// }
/// ```
///
/// A handler's own attribute adds to the module's. Its `schemes`, its `realm` and its hiding
/// (`hide_as` with or without `hide_unless`) replace the module's. Policies of nested modules add
/// up. An overriding policy is written in full and gives a reason: `loosen`. It must allow at least
/// one caller that the module's policy denies. It replaces only the requirement: a module that
/// hides still conceals the denials. Place a handler with visible denials outside of such a module.
///
/// Every `async fn` directly in such a module is a handler. Exceptions are tests and functions that
/// cannot be handlers: those that borrow a parameter, take a `CheckRequest`, or take axum's `Next`.
/// Keep other helper functions outside of the module. The policy also applies to modules in it, and
/// to unit structs with an attribute of their own.
///
/// The attribute rejects items that it cannot inspect: macros that may expand to handlers, modules
/// in other files, handlers within functions, and these attributes in `cfg_attr` or under another
/// name (`use … as …`). A check is named from the root of a crate, `check = crate::owns`, because
/// the path is resolved at each handler. The attribute does not see handlers that another crate's
/// attribute or derive generates, or that come from a macro called within a function. These
/// handlers lack the policy of the module: on a `GuardedRouter` they need a policy of their own.
///
/// On a unit struct, which then names the policy of a service that is not a handler:
///
/// ```
/// # use auth_runtime::requires;
/// #[requires(scope = "files:read")]
/// struct Files;
/// // router.nest_service("/files", Files, files)
/// ```
///
/// # Errors
///
/// An invalid policy does not compile. Examples: an unknown key, an invalid scope, a duplicate
/// requirement, a redundant alternative (`any(authenticated, scope = "x")`), a condition that
/// another one implies, a `hide_as` that would not hide. All mistakes of an attribute are reported
/// at once:
///
/// ```compile_fail
/// # use auth_runtime::requires;
/// #[requires(scop = "reports:read", hide_as = 403)]
/// async fn reports() {}
/// // unknown key `scop`; did you mean `scope`?
/// // a 403 tells that there is something; write `hide_as = 404`, or remove `hide_as` to answer 403
/// ```
///
/// In an `impl` block, a function that names neither `self` nor `Self` looks like a free function.
/// There the compiler reports that structs are not supported. Make the handler a free function.
///
/// A policy has at most 1024 single requirements, and a name at most 256 characters. The
/// [catalogue] lists all limits. Names consist of visible characters: controls, zero-width and
/// other format characters, private-use characters and the like are rejected. A name is written as it is:
/// without `r`, and without an escape that it does not need.
///
/// # Another name for the crate
///
/// The expansion names the runtime as `::auth_runtime`. A service that depends on it by another
/// name, or through a crate that re-exports it, gives its path as `crate = path`, as with serde. On
/// a module, the path applies to every handler in it.
///
/// ```
/// # extern crate auth_runtime as auth;
/// #[auth::requires(crate = auth, role = "admin")]
/// mod admin {
///     pub async fn users(guard: auth::Guard) {}
/// }
///
/// #[auth::public(reason = "liveness probe", crate = auth)]
/// async fn healthz() {}
/// ```
///
/// [catalogue]: https://docs.rs/auth-runtime/latest/auth_runtime/catalogue/auth0064/
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
/// [RFC 6750 §3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
/// [RFC 8176]: https://www.rfc-editor.org/rfc/rfc8176
/// [RFC 8705]: https://www.rfc-editor.org/rfc/rfc8705
/// [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449
/// [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470
/// [RFC 9110 §11.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
/// [RFC 9110 §15.5.4]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.4
#[proc_macro_attribute]
pub fn requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::requires(arguments.into(), item.into()).into()
}

/// Declares that a handler is public, with the reason.
///
/// ```
/// use auth_runtime::public;
///
/// #[public(reason = "liveness probe")]
/// async fn healthz() -> &'static str {
///     "ok"
/// }
/// ```
///
/// Credentials are ignored, invalid ones included. The attribute is placed like [`requires`], and
/// never together with it.
///
/// # Grammar
///
/// ```text
/// #[public( reason = "…" {, crate = path} )]
/// ```
///
/// The reason is mandatory: audits list it. No other key is accepted: requests are never denied, so
/// there is neither a requirement to name nor a denial to conceal.
#[proc_macro_attribute]
pub fn public(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::public(arguments.into(), item.into()).into()
}

/// Returns the declarations of the crate's `auth.toml` as an `auth_runtime::policy::Vocabulary`.
///
/// The file lies beside the crate's `Cargo.toml`, or in a folder above it up to the root of the
/// workspace. Without a file, the macro does not compile. The only argument is `crate = path`, for
/// a crate that depends on `auth_runtime` by another name.
///
/// ```ignore
/// let vocabulary = auth_runtime::vocabulary!();
/// for scope in vocabulary.scopes() {
///     println!("{}: {}", scope.name(), scope.description());
/// }
/// for policy in vocabulary.policies() {
///     println!("{}: {}", policy.name(), policy.requires());
/// }
/// ```
#[proc_macro]
pub fn vocabulary(arguments: TokenStream) -> TokenStream {
    expand::vocabulary(arguments.into()).into()
}
