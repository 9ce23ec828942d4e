//! Mistakes, as compile errors.

use auth_grammar::errors::{Errors, UnknownKey};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

/// Returns the compile errors, and for each half-written key a path among the valid keys, from
/// which an editor completes it. Only rust-analyzer sees these paths.
pub(crate) fn tokens(errors: &Errors) -> TokenStream {
    let compile_errors = errors.to_compile_error();
    let completions = errors
        .unknown_keys()
        .iter()
        // A keyword is not a path; the compiler would report it once more.
        .filter(|unknown| syn::parse_str::<Ident>(&unknown.key.to_string()).is_ok())
        .map(|UnknownKey { key, known }| {
            let known = known.iter().map(|name| Ident::new(name, Span::call_site()));
            quote! {
                #[allow(unexpected_cfgs)]
                const _: () = {
                    #[cfg(rust_analyzer)]
                    {
                        #[allow(non_upper_case_globals)]
                        mod keys {
                            #(pub const #known: () = ();)*
                        }
                        keys::#key
                    }
                };
            }
        });
    quote!(#(#completions)* #compile_errors)
}
