//! Text in the page.

use maud::{Markup, Render, html};

/// Text without control characters, and without those that change its direction.
pub(super) struct Text<'t>(pub(super) &'t str);

impl Render for Text<'_> {
    fn render_to(&self, page: &mut String) {
        let mut text = String::with_capacity(self.0.len());
        for letter in self.0.chars() {
            match letter {
                '\n' | '\t' => text.push(letter),
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    text.extend(letter.escape_unicode());
                }
                letter if letter.is_control() => text.extend(letter.escape_unicode()),
                letter => text.push(letter),
            }
        }
        text.render_to(page);
    }
}

/// Text with places to break a line. Paths and names have none of their own.
pub(super) struct Breakable<'t>(pub(super) &'t str);

impl Render for Breakable<'_> {
    fn render(&self) -> Markup {
        html! {
            @for part in self.0.split_inclusive(['/', '_']) {
                @for (index, part) in part.split("::").enumerate() {
                    @if index > 0 { "::" wbr; }
                    (Text(part))
                }
                @if part.ends_with(['/', '_']) { wbr; }
            }
        }
    }
}

/// Returns a place or a path within a sentence.
pub(super) fn code(text: &str) -> String {
    html! { code { (Breakable(text)) } }.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let text = "</script><b title=\"'x'\">&amp;\u{202e}\u{0}\n";
        assert_eq!(
            html! { b title=(Text(text)) { (Text(text)) } }.into_string(),
            "<b title=\"&lt;/script&gt;&lt;b title=&quot;'x'&quot;&gt;&amp;amp;\\u{202e}\\u{0}\n\">\
             &lt;/script&gt;&lt;b title=&quot;'x'&quot;&gt;&amp;amp;\\u{202e}\\u{0}\n</b>"
        );
    }

    #[test]
    fn names_have_places_to_break_line() {
        assert_eq!(
            Breakable("a::b_<c>/d:e").render().into_string(),
            "a::<wbr>b_<wbr>&lt;c&gt;/<wbr>d:e"
        );
    }
}
