//! The attributes of `auth-runtime`, which re-exports them: depend on that crate, not on this one.
//!
//! Each attribute and its item are read into a model and checked (`parse`), and then written out as
//! data for the runtime (`expand`). `auth-grammar` has the grammar and the checks.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod expand;
mod guard;
mod mistakes;
mod parse;
mod policy;
mod runtime;
mod vocabulary;

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
/// The function gets a first parameter `Guard`, unless it has one. The policy is checked while
/// compiling, and evaluated before any part of the request is parsed. The [guide] has the grammar,
/// the meaning of every key, and the errors.
///
/// On an inline module, the policy applies to every handler in it. A handler's own attribute adds to
/// it:
///
/// ```
/// # use auth_runtime::requires;
/// #[requires(role = "admin", hide_as = 404)]
/// mod admin {
///     use auth_runtime::requires;
///
///     pub async fn users() {}
///
///     #[requires(scope = "users:write")]
///     pub async fn delete_user() {}
/// }
/// ```
///
/// On a unit struct, it is the policy of a service that is not a handler:
///
/// ```
/// # use auth_runtime::requires;
/// #[requires(scope = "files:read")]
/// struct Files;
/// // router.nest_service("/files", Files, files)
/// ```
///
/// [guide]: https://docs.rs/auth-runtime/latest/auth_runtime/guide/attributes/
#[proc_macro_attribute]
pub fn requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let annotated = parse::requires(arguments.into(), item.into());
    expand::expand(&annotated).into()
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
/// The reason is mandatory: audits list it. Credentials are ignored, invalid ones included, unless
/// `identity = optional` requests the identity of known callers. The attribute is placed like
/// [`requires`], except on modules, and never together with it. Further keys are `schemes(…)`, beside
/// `identity = optional`, and `crate = path`.
#[proc_macro_attribute]
pub fn public(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let annotated = parse::public(arguments.into(), item.into());
    expand::expand(&annotated).into()
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
    vocabulary::expand(arguments.into()).into()
}

/// Declares a module `actions` with a constant for each action of the crate's `auth.toml`, for
/// `Guard::can`: `update` becomes `actions::UPDATE`, of the type `auth_runtime::objects::Action`.
///
/// The file is found as by [`vocabulary`]. A constant has the letters of the name in upper case. Every other
/// character than a letter or digit of ASCII becomes `_`, and a name that begins with a digit gets a `_` in
/// front. The only argument is `crate = path`.
///
/// ```ignore
/// auth_runtime::actions!();
///
/// #[requires(authenticated, hide_as = 404)]
/// async fn rename(guard: Guard, /* … */) -> Result<(), Denied> {
///     guard.can(actions::UPDATE, &repository).await?;
///     // …
/// }
/// ```
#[proc_macro]
pub fn actions(arguments: TokenStream) -> TokenStream {
    vocabulary::expand_actions(arguments.into()).into()
}
