//! The output of a tour.

use std::error::Error;

use anstyle::{AnsiColor, Style};

/// The rows of a tour, printed in columns: the request, the caller, and the response. On a terminal,
/// statuses are coloured.
pub struct Rows {
    request: usize,
    caller: usize,
    differences: usize,
}

impl Rows {
    /// Creates columns for these requests and callers.
    pub fn new(rows: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> Self {
        let mut columns = Self {
            request: 0,
            caller: 0,
            differences: 0,
        };
        for (request, caller) in rows {
            columns.request = columns.request.max(request.as_ref().len());
            columns.caller = columns.caller.max(caller.as_ref().len());
        }
        columns
    }

    /// Prints a response, and the expected one if it differs. A response is a status, with its
    /// challenge or target behind it.
    pub fn print(&mut self, request: &str, caller: &str, response: &str, expected: &str) {
        let (status, rest) = response.split_once(' ').unwrap_or((response, ""));
        let gap = if rest.is_empty() { "" } else { "  " };
        let style = style_of(status);
        let dimmed = Style::new().dimmed();
        let (requests, callers) = (self.request, self.caller);
        anstream::println!(
            "{request:requests$}  {caller:callers$}  {style}{status}{style:#}{gap}{dimmed}{rest}{dimmed:#}"
        );
        if response != expected {
            let style = AnsiColor::Red.on_default().bold();
            anstream::println!("{style}expected: {expected}{style:#}");
            self.differences += 1;
        }
    }

    /// Ends the tour.
    ///
    /// # Errors
    ///
    /// A response differed from the expected one.
    pub fn finish(self) -> Result<(), Box<dyn Error>> {
        match self.differences {
            0 => Ok(()),
            number => Err(format!("{number} responses differ from the expected ones").into()),
        }
    }
}

fn style_of(status: &str) -> Style {
    let color = match status.as_bytes() {
        [b'2', ..] => AnsiColor::Green,
        [b'3', ..] => AnsiColor::Cyan,
        [b'4', ..] => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    color.on_default().bold()
}
