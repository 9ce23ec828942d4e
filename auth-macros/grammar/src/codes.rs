//! The codes of the messages: each has a page in the catalogue of `auth-runtime`.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

use crate::characters::legible;

/// What kind of mistake a message is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Code(&'static str);

/// A key that there is not.
pub const UNKNOWN_KEY: Code = Code("AUTH0001");
/// A key that is written in another form.
pub const FORM: Code = Code("AUTH0002");
/// A value of another kind.
pub const VALUE: Code = Code("AUTH0003");
/// Something that stands between two requirements.
pub const STRAY: Code = Code("AUTH0004");
/// A list without members, or members without a list.
pub const EMPTY_LIST: Code = Code("AUTH0005");
/// The same thing twice.
pub const TWICE: Code = Code("AUTH0006");
/// An attribute that does not say who may call.
pub const SAYS_NOTHING: Code = Code("AUTH0007");
/// A key in the wrong place.
pub const KEY_ELSEWHERE: Code = Code("AUTH0008");
/// A reason that is missing.
pub const REASON: Code = Code("AUTH0009");
/// A key that a public handler has no use for.
pub const NOT_FOR_PUBLIC: Code = Code("AUTH0010");
/// An item that can carry no policy.
pub const NOT_A_HANDLER: Code = Code("AUTH0011");
/// A function that axum could not call.
pub const SIGNATURE: Code = Code("AUTH0012");
/// A guard in the wrong place.
pub const GUARD: Code = Code("AUTH0013");
/// More arguments than axum takes.
pub const ARGUMENTS: Code = Code("AUTH0014");
/// Two policies for one handler.
pub const SECOND_POLICY: Code = Code("AUTH0015");
/// A policy with fields.
pub const FIELDS: Code = Code("AUTH0016");
/// A scope that cannot be one.
pub const SCOPE: Code = Code("AUTH0017");
/// A name that cannot match any other.
pub const NAME: Code = Code("AUTH0018");
/// A realm that cannot be sent.
pub const REALM: Code = Code("AUTH0019");
/// A duration that cannot be read.
pub const DURATION: Code = Code("AUTH0020");
/// A network that cannot be one.
pub const NETWORK: Code = Code("AUTH0021");
/// A scheme that is not registered.
pub const SCHEME: Code = Code("AUTH0022");
/// A requirement that another one implies.
pub const REDUNDANT: Code = Code("AUTH0023");
/// An alternative that never decides.
pub const DEAD_ALTERNATIVE: Code = Code("AUTH0024");
/// A list around a single requirement.
pub const WRAPPER: Code = Code("AUTH0025");
/// Requirements that nobody meets together.
pub const CONTRADICTION: Code = Code("AUTH0026");
/// A status that hides nothing.
pub const HIDE_AS: Code = Code("AUTH0027");
/// An exception from hiding where nothing is hidden.
pub const NOTHING_HIDDEN: Code = Code("AUTH0028");
/// An exception from hiding for those who are let in.
pub const SHOWN_TO_NOBODY: Code = Code("AUTH0029");
/// A name that the vocabulary does not declare.
pub const UNDECLARED: Code = Code("AUTH0030");
/// A mistake in the vocabulary.
pub const VOCABULARY: Code = Code("AUTH0031");
/// A vocabulary that is not there.
pub const NO_VOCABULARY: Code = Code("AUTH0032");
/// A policy with a display in a list.
pub const POLICY_IN_LIST: Code = Code("AUTH0033");
/// A requirement that the module asks for already.
pub const MODULE_ASKS: Code = Code("AUTH0034");
/// A loosened policy without a module.
pub const NOTHING_TO_LOOSEN: Code = Code("AUTH0035");
/// What the policy of a module does not reach.
pub const OUT_OF_REACH: Code = Code("AUTH0040");
/// A policy that depends on how the crate is built.
pub const CONDITIONAL: Code = Code("AUTH0041");
/// A check of a module, by a path that begins elsewhere for each handler.
pub const RELATIVE_CHECK: Code = Code("AUTH0042");
/// A function of a guarded module that is no handler.
pub const HELPER: Code = Code("AUTH0043");

/// A loosened policy that lets nobody more in.
pub const LOOSENS_NOTHING: Code = Code("AUTH0060");
/// Two policies that show denials differently.
pub const TWO_DISPLAYS: Code = Code("AUTH0061");
/// Lists in lists, without end.
pub const TOO_DEEP: Code = Code("AUTH0062");
/// A display that changes nothing.
pub const IDLE_DISPLAY: Code = Code("AUTH0063");
/// A policy or a name that is too large.
pub const TOO_LARGE: Code = Code("AUTH0064");

// What no compiler sees, and `cargo auth check` finds.

/// A handler on a plain router, without a policy.
pub const UNGUARDED: Code = Code("AUTH0101");
/// A plain router in a guarded one.
pub const MERGED_UNGUARDED: Code = Code("AUTH0102");
/// A word of the vocabulary that nobody uses.
pub const UNUSED: Code = Code("AUTH0103");
/// An attribute that is not called by its name.
pub const RENAMED: Code = Code("AUTH0104");
/// A reason for nothing.
pub const IDLE_REASON: Code = Code("AUTH0105");
/// A pattern that answers spellings of a guarded path.
pub const OPEN_PATTERN: Code = Code("AUTH0106");

impl Code {
    /// As it stands in messages, without the brackets.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// A mistake of this kind.
    pub fn at(self, span: Span, message: impl Display) -> syn::Error {
        syn::Error::new(span, self.write(message))
    }

    /// A mistake of this kind that all of the tokens are.
    pub fn over(self, tokens: impl ToTokens, message: impl Display) -> syn::Error {
        syn::Error::new_spanned(tokens, self.write(message))
    }

    /// The message with the code behind its first line.
    pub fn write(self, message: impl Display) -> String {
        let message = legible(&message.to_string());
        match message.split_once('\n') {
            Some((first, rest)) => format!("{first} [{}]\n{rest}", self.0),
            None => format!("{message} [{}]", self.0),
        }
    }
}

/// The message without its code, and the code; some are the compiler's, and have none.
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
