//! Texts of other servers, for the log.

/// The longest text, in characters.
const MAX_TEXT: usize = 256;

/// Returns the beginning of a text of another server, in one line of up to 256 characters.
///
/// ```
/// use auth_runtime_remote::bounded_text;
///
/// assert_eq!(bounded_text(" no\r\nowner "), "no  owner");
/// ```
pub fn bounded_text(text: &str) -> String {
    let characters = text.trim().chars().take(MAX_TEXT);
    characters
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}
