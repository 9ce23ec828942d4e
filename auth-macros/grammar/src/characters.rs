//! Characters that are not allowed in names, and the display of names in messages.

use unicode_general_category::{GeneralCategory, get_general_category};

/// The maximum length of a name, in characters.
pub(crate) const MAX_NAME: usize = 256;

/// The maximum number of characters between two backticks of a message. The longest name fits with
/// its key; a list of a thousand members does not.
const MAX_SHOWN: usize = 400;

/// The maximum length of a message, in characters.
const MAX_MESSAGE: usize = 16 * 1024;

/// Code points that are ignored by default when displayed (`Default_Ignorable_Code_Point`, Unicode
/// 17, `DerivedCoreProperties.txt`) though their category is one of letters or marks, and the blank
/// Braille pattern.
const BLANK: [(char, char); 11] = [
    ('\u{034F}', '\u{034F}'),
    ('\u{115F}', '\u{1160}'),
    ('\u{17B4}', '\u{17B5}'),
    ('\u{180B}', '\u{180D}'),
    ('\u{180F}', '\u{180F}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{FE00}', '\u{FE0F}'),
    ('\u{FFA0}', '\u{FFA0}'),
    ('\u{1D173}', '\u{1D17A}'),
    ('\u{E0100}', '\u{E01EF}'),
];

/// Returns whether a character is invisible, or looks like a space or like another character:
/// controls, format characters (zero width, bidirectional, tags), separators except the space,
/// private use, unassigned code points and non-characters (Unicode §4.5, categories `Cc`, `Cf`,
/// `Zl`, `Zp`, `Zs`, `Co`, `Cn`), and default-ignorable characters (§5.21) such as variation
/// selectors.
pub fn is_invisible(character: char) -> bool {
    if matches!(character, ' '..='~') {
        return false;
    }
    let is_blank = |(first, last): &(char, char)| (*first..=*last).contains(&character);
    let category = get_general_category(character);
    matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::SpaceSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    ) || BLANK.iter().any(is_blank)
}

/// Formats a character as `U+200B`.
pub(crate) fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Returns the reason why a text is too long for the name of a `kind`, if it is.
pub(crate) fn too_long(kind: &str, text: &str) -> Option<String> {
    let length = text.chars().count();
    let begin: String = text.chars().take(32).collect();
    (length > MAX_NAME).then(|| {
        format!("the {kind} `{begin}…` has {length} characters; the maximum is {MAX_NAME}")
    })
}

/// Formats a character so that it is distinct from others wherever it is shown.
pub(crate) fn called(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        '"' => "a quote (`\"`)".to_owned(),
        '\\' => "a backslash (`\\`)".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' => "a line break".to_owned(),
        '\r' => "a carriage return".to_owned(),
        c if is_invisible(c) => format!("the character {}", code_point(c)),
        c => format!("`{c}`"),
    }
}

/// Returns the reason why a text cannot be the name of a `kind`, such as a network or a policy.
pub(crate) fn unfit(kind: &str, text: &str) -> Option<String> {
    too_long(kind, text).or_else(|| {
        let character = text.chars().find(|c| is_invisible(*c))?;
        let article = if kind == "action" { "an" } else { "a" };
        Some(format!(
            "{} is not allowed in the name of {article} {kind}\nhelp: remove it",
            called(character)
        ))
    })
}

/// Returns the message with its invisible characters as code points. Long texts between backticks
/// are cut, and so is a long message.
pub(crate) fn legible(message: &str) -> String {
    let mut legible = String::new();
    for (index, piece) in visible(message).split('`').enumerate() {
        if index > 0 {
            legible.push('`');
        }
        push_cut(&mut legible, piece, MAX_SHOWN, index % 2 == 1);
    }
    let mut whole = String::new();
    push_cut(&mut whole, &legible, MAX_MESSAGE, true);
    whole
}

fn push_cut(whole: &mut String, piece: &str, length: usize, is_cut: bool) {
    match piece.char_indices().nth(length).filter(|_| is_cut) {
        Some((end, _)) => {
            whole.push_str(piece.get(..end).unwrap_or_default());
            whole.push('…');
        }
        None => whole.push_str(piece),
    }
}

/// Writes `U+200B` for each invisible character, and for the escape that Rust writes for it.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut behind = rest.get(character.len_utf8()..).unwrap_or_default();
        let escaped = rest.strip_prefix("\\u{").and_then(|rest| {
            let (digits, behind) = rest.split_once('}')?;
            let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            is_invisible(character).then_some((character, behind))
        });
        if let Some((escaped, after)) = escaped {
            shown.push_str(&code_point(escaped));
            behind = after;
        } else if character != '\n' && is_invisible(character) {
            shown.push_str(&code_point(character));
        } else {
            shown.push(character);
        }
        rest = behind;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_languages_are_visible() {
        let visible = "abc é ß Ж ש ع अनुमति ไทย 漢字 ひらがな 한국어 ა ʻ ’ — € ½ 🔑 ① ﬁ";
        for character in visible.chars() {
            assert!(!is_invisible(character), "{}", code_point(character));
        }
    }

    #[test]
    fn invisible_characters_are_found() {
        for character in [
            '\0',
            '\t',
            '\n',
            '\u{7f}',
            '\u{85}', // Cc
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{feff}',
            '\u{61c}',
            '\u{180e}',
            '\u{fff9}',
            '\u{e0001}',
            '\u{e0041}', // Cf
            '\u{a0}',
            '\u{2003}',
            '\u{3000}',
            '\u{2028}',
            '\u{2029}', // Z
            '\u{e000}',
            '\u{f8ff}',
            '\u{10fffd}', // Co
            '\u{378}',
            '\u{fdd0}',
            '\u{ffff}',
            '\u{10ffff}', // Cn
            '\u{34f}',
            '\u{115f}',
            '\u{17b4}',
            '\u{180b}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{ffa0}',
            '\u{e0100}',
            '\u{2800}',
            '\u{2065}',
            '\u{fff0}', // ignored by default
        ] {
            assert!(is_invisible(character), "{}", code_point(character));
        }
    }

    #[test]
    fn messages_are_legible_and_bounded() {
        assert_eq!(
            legible("`role = \"a\\u{200b}d\"`, `\u{202e}x\u{301}`\n    y"),
            "`role = \"aU+200Bd\"`, `U+202Ex\u{301}`\n    y"
        );
        assert_eq!(legible("`\\u{301}`"), "`\\u{301}`");
        let long = "x".repeat(1 << 20);
        let cut = legible(&format!("the scope `{long}` is wrong; write `{long}`"));
        assert_eq!(cut.chars().filter(|c| *c == '…').count(), 2);
        assert!(cut.len() < 1000, "{}", cut.len());
        assert!(legible(&long).len() < 17 * 1024);
    }
}
