//! The attributes of `auth-runtime`, which re-exports them: depend on that crate, not on this one.
//!
//! `auth-grammar` reads each attribute and its item into a model and checks it; `expand` writes it
//! out as data for the runtime.
#![forbid(unsafe_code)]

use auth_grammar::annotated;
use proc_macro::TokenStream;

mod expand;
mod guard;
mod mistakes;
mod policy;
mod runtime;
mod vocabulary;

#[doc = include_str!("../docs/requires.md")]
#[proc_macro_attribute]
pub fn requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let vocabulary = vocabulary::find();
    let annotated = annotated::requires(arguments.into(), item.into(), vocabulary.as_ref());
    expand::expand(&annotated).into()
}

#[doc = include_str!("../docs/public.md")]
#[proc_macro_attribute]
pub fn public(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let annotated = annotated::public(arguments.into(), item.into());
    expand::expand(&annotated).into()
}

/// Returns the declarations of the crate's `auth.toml` as an `auth_runtime::policy::Vocabulary`.
///
/// The file is next to the crate's `Cargo.toml`, or in a folder above it up to the root of the
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
/// The file is found as by [`vocabulary`]. A constant has the letters of the name in upper case. Each character
/// that is not an ASCII letter or digit becomes `_`, and a name that begins with a digit gets a `_` in
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
