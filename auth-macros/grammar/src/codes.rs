//! The codes of the messages. Each has a page in the catalogue of `auth-runtime`.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

use crate::characters::legible;

/// The kind of mistake that a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(&'static str);

/// An unknown key.
pub const UNKNOWN_KEY: Code = Code("AUTH0001");
/// A key in the wrong form.
pub const FORM: Code = Code("AUTH0002");
/// A value of the wrong kind.
pub const VALUE: Code = Code("AUTH0003");
/// An unexpected token between two requirements.
pub const STRAY: Code = Code("AUTH0004");
/// A list without members, or members without a list.
pub const EMPTY_LIST: Code = Code("AUTH0005");
/// A duplicate.
pub const TWICE: Code = Code("AUTH0006");
/// An attribute without a requirement.
pub const NO_REQUIREMENT: Code = Code("AUTH0007");
/// A key in the wrong place.
pub const KEY_ELSEWHERE: Code = Code("AUTH0008");
/// A missing reason.
pub const REASON: Code = Code("AUTH0009");
/// A key that is not allowed on a public handler.
pub const NOT_FOR_PUBLIC: Code = Code("AUTH0010");
/// An item that cannot have a policy.
pub const NOT_A_HANDLER: Code = Code("AUTH0011");
/// A function that axum cannot call.
pub const SIGNATURE: Code = Code("AUTH0012");
/// A guard in the wrong place.
pub const GUARD: Code = Code("AUTH0013");
/// More arguments than axum accepts.
pub const ARGUMENTS: Code = Code("AUTH0014");
/// Two policies for one handler.
pub const SECOND_POLICY: Code = Code("AUTH0015");
/// A policy with fields.
pub const FIELDS: Code = Code("AUTH0016");
/// An invalid scope.
pub const SCOPE: Code = Code("AUTH0017");
/// A name that cannot match any other.
pub const NAME: Code = Code("AUTH0018");
/// A realm that cannot be sent.
pub const REALM: Code = Code("AUTH0019");
/// An invalid duration.
pub const DURATION: Code = Code("AUTH0020");
/// An invalid network.
pub const NETWORK: Code = Code("AUTH0021");
/// A scheme that is not registered.
pub const SCHEME: Code = Code("AUTH0022");
/// A requirement that another one implies.
pub const REDUNDANT: Code = Code("AUTH0023");
/// A redundant alternative.
pub const DEAD_ALTERNATIVE: Code = Code("AUTH0024");
/// A list around a single requirement.
pub const WRAPPER: Code = Code("AUTH0025");
/// Requirements that no caller meets together.
pub const CONTRADICTION: Code = Code("AUTH0026");
/// A status that hides nothing.
pub const HIDE_AS: Code = Code("AUTH0027");
/// An exception from hiding without `hide_as`.
pub const NOTHING_HIDDEN: Code = Code("AUTH0028");
/// An exception from hiding for callers that are never denied.
pub const IDLE_EXCEPTION: Code = Code("AUTH0029");
/// A name that the vocabulary does not declare.
pub const UNDECLARED: Code = Code("AUTH0030");
/// A mistake in the vocabulary.
pub const VOCABULARY: Code = Code("AUTH0031");
/// A missing vocabulary.
pub const NO_VOCABULARY: Code = Code("AUTH0032");
/// A policy with disclosure settings in a list.
pub const POLICY_IN_LIST: Code = Code("AUTH0033");
/// A requirement that the module has already.
pub const REPEATED_REQUIREMENT: Code = Code("AUTH0034");
/// A loosened policy without a module.
pub const NOTHING_TO_LOOSEN: Code = Code("AUTH0035");
/// An item that the policy of its module does not cover.
pub const OUT_OF_REACH: Code = Code("AUTH0040");
/// A policy that depends on the build configuration.
pub const CONDITIONAL: Code = Code("AUTH0041");
/// A relative path on a module, which resolves differently for each handler.
pub const RELATIVE_PATH: Code = Code("AUTH0042");
/// A function of a guarded module that is not a handler.
pub const HELPER: Code = Code("AUTH0043");

/// An invalid object, or an action that does not apply to it.
pub const OBJECT: Code = Code("AUTH0047");
/// A mistake in the Cedar schema of the vocabulary.
pub const SCHEMA: Code = Code("AUTH0048");
/// A declaration in the vocabulary that contradicts its Cedar schema.
pub const SCHEMA_CONTRADICTED: Code = Code("AUTH0049");
/// A loosened policy that allows no further caller.
pub const LOOSENS_NOTHING: Code = Code("AUTH0060");
/// Two policies with different disclosure settings.
pub const TWO_DISCLOSURES: Code = Code("AUTH0061");
/// Lists that are nested too deeply.
pub const TOO_DEEP: Code = Code("AUTH0062");
/// A disclosure setting without effect.
pub const IDLE_DISCLOSURE: Code = Code("AUTH0063");
/// A policy or a name that is too large.
pub const TOO_LARGE: Code = Code("AUTH0064");
/// A text for clients that cannot be shown.
pub const TEXT: Code = Code("AUTH0065");
/// A signature that cannot be read.
pub const UNREADABLE_SIGNATURE: Code = Code("AUTH0066");

// Mistakes that the compiler cannot see; `cargo auth check` reports them.

/// A handler on a plain router, without a policy.
pub const UNGUARDED: Code = Code("AUTH0101");
/// A plain router in a guarded one.
pub const MERGED_UNGUARDED: Code = Code("AUTH0102");
/// A name of the vocabulary that is not used.
pub const UNUSED: Code = Code("AUTH0103");
/// A policy attribute under another name.
pub const RENAMED: Code = Code("AUTH0104");
/// A reason without a subject.
pub const IDLE_REASON: Code = Code("AUTH0105");
/// An open pattern that matches spellings of a guarded path.
pub const OPEN_PATTERN: Code = Code("AUTH0106");
/// An object with a path parameter that the route does not have.
pub const NO_PARAMETER: Code = Code("AUTH0107");
/// A stream that does not end when the credentials of its caller expire.
pub const ENDLESS_STREAM: Code = Code("AUTH0108");

impl Code {
    /// Returns the code as messages show it, without the brackets.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Creates an error with this code at a span.
    pub(crate) fn at(self, span: Span, message: impl Display) -> syn::Error {
        syn::Error::new(span, self.write(message))
    }

    /// Creates an error with this code that spans all of the tokens.
    pub(crate) fn over(self, tokens: impl ToTokens, message: impl Display) -> syn::Error {
        syn::Error::new_spanned(tokens, self.write(message))
    }

    /// Returns the message with the code at the end of its first line.
    pub(crate) fn write(self, message: impl Display) -> String {
        let message = legible(&message.to_string());
        match message.split_once('\n') {
            Some((first, rest)) => format!("{first} [{}]\n{rest}", self.0),
            None => format!("{message} [{}]", self.0),
        }
    }
}

/// Splits a message into its text and its code. Messages of the compiler have no code.
pub fn split(message: &str) -> (String, Option<&str>) {
    let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
    let coded = first.strip_suffix(']');
    let Some((text, code)) = coded.and_then(|first| first.rsplit_once(" [")) else {
        return (message.to_owned(), None);
    };
    if !code.starts_with("AUTH") {
        return (message.to_owned(), None);
    }
    if rest.is_empty() {
        (text.to_owned(), Some(code))
    } else {
        (format!("{text}\n{rest}"), Some(code))
    }
}
