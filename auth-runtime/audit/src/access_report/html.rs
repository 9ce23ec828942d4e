//! Escaped text, and templates.

use std::fmt;

/// Text that is escaped for an element or a quoted attribute.
pub(super) struct Text<'t>(pub(super) &'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Characters that change the direction of the text, or are not valid in HTML.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    write!(f, "{}", letter.escape_unicode())?;
                }
                '\n' | '\t' => f.write_char(letter)?,
                letter if letter.is_control() => write!(f, "{}", letter.escape_unicode())?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Returns the escaped text with places to break a line. Paths and names have none of their own.
pub(super) fn breakable(text: &str) -> String {
    // None of these occurs in an escape.
    let text = Text(text).to_string();
    text.replace('/', "/<wbr>")
        .replace("::", "::<wbr>")
        .replace('_', "_<wbr>")
}

/// Returns a place or a path within a sentence.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", breakable(text))
}

/// Fills the gaps of a template with `part`. Gaps in the inserted text are not filled.
pub(super) fn fill(template: &str, part: impl Fn(&str) -> String) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(&part(name));
        rest = after;
    }
    page + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let text = "</script><b title=\"'x'\">&amp;\u{202e}\u{0}\n";
        assert_eq!(
            Text(text).to_string(),
            "&lt;/script&gt;&lt;b title=&quot;&#39;x&#39;&quot;&gt;&amp;amp;\\u{202e}\\u{0}\n"
        );
    }

    #[test]
    fn what_fills_a_gap_has_none() {
        let filled = fill("a{{x}}b{{y}}", |name| format!("<{name}{{{{x}}}}>"));
        assert_eq!(filled, "a<x{{x}}>b<y{{x}}>");
    }
}
