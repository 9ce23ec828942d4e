//! The attributes of `auth-runtime`, which re-exports them: depend on that crate, not on this one.
//!
//! What an attribute says, and what it stands on, is read and checked by `auth-grammar`, and written out
//! (`expand`) as data for the runtime.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod expand;
mod guard;

/// Says who may call a handler.
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
/// lesser      := a requirement, whose values may stand in parentheses: scope("…")
/// ```
///
/// | requirement | who meets it |
/// |---|---|
/// | `authenticated` | whoever is known |
/// | `sender_constrained` | who proved to hold the key that the credentials are bound to (DPoP, [RFC 9449]; client certificates, [RFC 8705]) |
/// | `scope = "…"` | who was granted that scope: one scope token ([RFC 6749 §3.3]), compared whole and by case |
/// | `role = "…"` | who holds that role |
/// | `permission = "…"` | who holds that permission |
/// | `acr = "…"` | who logged in by that authentication context class ([RFC 9470]) |
/// | `amr = "…"` | who logged in by that method, such as `otp` ([RFC 8176]) |
/// | `max_age = "…"` | who logged in no longer ago: a whole number of `s`, `m`, `h` or `d` |
/// | `network = "…"` | whoever calls from that block of addresses, or network of the vocabulary, known or not; `"0.0.0.0/0"` is IPv4 alone |
/// | `check = …` | for whom that function says yes: an async one that takes a `CheckRequest` and returns `bool` or `Result<bool, _>` |
/// | `policy = "…"` | who meets that policy of the vocabulary |
/// | `any(…)` | who meets at least one |
/// | `all(…)` | who meets every one; so does a list without `all` |
///
/// Where a `network` alone is enough, callers need not be known, and `guard.identity()` is an
/// `Option`.
///
/// | display | how denials are shown |
/// |---|---|
/// | (none) | 401, 403, with challenges ([RFC 9110 §11.6.1], [RFC 6750 §3]) |
/// | `hide_as = 404` | as a path that was never there ([RFC 9110 §15.5.4]) |
/// | `hide_unless = …` | hidden, but shown to who meets this lesser requirement |
/// | `schemes(…)` | only these of the protection space's schemes are accepted and offered |
/// | `realm = "…"` | in challenges, another realm than the space's |
/// | `loosen = "…"` | the policy of the module around it does not hold, for this reason |
///
/// # Vocabulary
///
/// With an `auth.toml` beside the `Cargo.toml`, or in a folder above it up to the root of the
/// workspace, every name has to be declared there, and a name stands for all that imply it. What the
/// workspace excludes, and what is vendored in it, is not held against it.
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
/// Without the file every name will do. So that nobody loses it unseen, a manifest can ask for it:
///
/// ```toml
/// [workspace.metadata.auth] # or `[package.metadata.auth]`
/// required = true
/// ```
///
/// `network = "office"` and `policy = "staff"` are names from there; a policy brings all that its
/// `requires` says, `hide_as` included, unless the attribute says something else. Two policies that show
/// denials differently are refused where it does not. The crate is compiled again when the file changes, and
/// [`vocabulary!`](macro@vocabulary) gives it to the running program.
///
/// # Where it stands
///
/// On a free `async fn`, which it leaves as it is but for a first parameter `Guard`: write it as
/// `guard: Guard` to use it, or leave it out. It works above and below other attributes;
/// but `#[axum::debug_handler]` checks the function as it is written, so put it below: above it, the
/// compiler reports a missing argument of type `Guard`. A hidden type beside it, `policy_of_` and the
/// function's name, carries the policy.
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
///     // `role = "auditor", hide_as = 404`: what loosens a module's policy says why
///     #[requires(role = "auditor", loosen = "auditors read the log, and nothing else")]
///     pub async fn log() {}
///
///     #[public(reason = "the form itself is no secret")]
///     pub async fn login() {}
/// }
/// ```
///
/// A handler's own attribute adds to the module's, and its `schemes`, its `realm` and its hiding
/// (`hide_as` with or without `hide_unless`) take the place of the module's. Modules in modules add up.
/// To loosen a policy is to write another one with a reason, in full: an exception that had to be
/// subtracted from what stands further up would be read wrongly sooner or later. It has to let somebody
/// in who is kept out otherwise, and it is about who may call: what the module hides stays hidden. A
/// handler whose denials are to be seen stands outside of a module that hides.
///
/// Every `async fn` directly in such a module is taken for a handler, but for tests and for those that
/// cannot be one: that borrow a parameter, take a `CheckRequest`, or take axum's `Next`. Keep other
/// helpers outside of it. So are modules, and unit structs with an attribute of their own.
///
/// What the attribute cannot see into is refused: macros that may write handlers, modules in other files,
/// handlers within functions, and our attributes in `cfg_attr` or under another name (a `use … as …`).
/// A check is named from the root of a crate, `check = crate::owns`, since the path is followed from
/// each handler. Not seen are handlers that somebody else's attribute or derive writes, or a macro that is
/// called within a function: on a `GuardedRouter` these need a policy of their own, and lack the
/// module's.
///
/// On a unit struct, which then names the policy of a service that is no handler:
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
/// Whatever cannot be right does not compile: a key or a scope that is none, a requirement that is
/// written twice, an alternative that can never matter (`any(authenticated, scope = "x")`), a
/// condition that another one implies, a `hide_as` that would not hide. All mistakes of an
/// attribute are reported at once:
///
/// ```compile_fail
/// # use auth_runtime::requires;
/// #[requires(scop = "reports:read", hide_as = 403)]
/// async fn reports() {}
/// // unknown key `scop`; did you mean `scope`?
/// // a 403 tells that there is something; write `hide_as = 404`, or remove `hide_as` to answer 403
/// ```
///
/// In an `impl` block, a function that names neither `self` nor `Self` cannot be told from a free one:
/// there the compiler says that structs are not supported. Make the handler a free function.
///
/// A policy has at most 1024 single requirements, and a name 256 characters; the [catalogue] has all
/// limits. Names are made of characters that are seen: controls, zero-width and other format characters,
/// private use and the like are refused.
///
/// # Another name for the crate
///
/// The expansion names the runtime as `::auth_runtime`. A service that depends on it by another name, or
/// through a crate that re-exports it, gives its path as `crate = path`, as with serde. On a module the
/// path holds for every handler in it.
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

/// Says that everybody may call a handler, and why that is right.
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
/// No credentials are looked at, bad ones included. It stands where [`requires`] may stand, and
/// not beside it.
///
/// # Grammar
///
/// ```text
/// #[public( reason = "…" {, crate = path} )]
/// ```
///
/// The reason is not optional: it is what an audit reads. Nothing else is taken: nobody is denied,
/// so there is no requirement to name and nothing to hide.
#[proc_macro_attribute]
pub fn public(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::public(arguments.into(), item.into()).into()
}

/// What the crate's `auth.toml` declares, as an `auth_runtime::Vocabulary`.
///
/// The file lies beside the crate's `Cargo.toml`, or in a folder above it up to the root of the
/// workspace; without one, this does not compile. It takes nothing but `crate = path`, where the crate
/// depends on `auth_runtime` by another name.
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
