//! `cargo auth explain`: the pages of the catalogue.

use auth_runtime::catalogue;

use crate::report::Failure;

pub(crate) fn run(code: &str) -> Result<String, Failure> {
    let code = code.to_ascii_uppercase();
    let page = catalogue::page(&code).ok_or_else(|| {
        Failure::new(format!(
            "unknown code {code:?}; a message ends its first line with a code such as `AUTH0001`"
        ))
    })?;
    Ok(readable(page))
}

/// Returns the page without the parts that only rustdoc needs.
fn readable(page: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        if is_code && line.starts_with("# ") {
            continue;
        }
        is_code ^= is_fence;
        let shown = match line.strip_prefix("```") {
            Some("" | "compile_fail" | "ignore") if is_code => "```rust",
            _ => line,
        };
        text.push_str(shown);
        text.push('\n');
    }
    text
}
