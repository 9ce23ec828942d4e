//! The methods of schemes around another one.

/// Defines the methods of [`Scheme`](crate::Scheme) that a scheme with a field `scheme` leaves to that one: all but the
/// verification, the users and the application.
macro_rules! forward_to_scheme {
    () => {
        forward_to_scheme! {
            fn name() -> &str;
            fn sources() -> Vec<Source>;
            fn request_fields() -> Vec<HeaderName>;
            fn challenge(context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError>;
            fn further_challenges(context: &ChallengeContext<'_>) -> Vec<Challenge>;
            fn fields(context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)>;
            fn granted_fields(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)>;
            fn triggers_browser_prompt() -> bool;
            fn has_challenge() -> bool;
            fn format() -> Option<&str>;
            fn constrains_sender() -> bool;
            fn signs_body() -> bool;
            fn is_oauth() -> bool;
            fn has_token_server() -> bool;
            fn supports_step_up() -> bool;
            fn login_page() -> Option<&str>;
        }
    };
    ($(fn $method:ident($($argument:ident: $type:ty)?) -> $returned:ty;)+) => {
        $(
            fn $method(&self $(, $argument: $type)?) -> $returned {
                self.scheme.$method($($argument)?)
            }
        )+
    };
}

pub(crate) use forward_to_scheme;
