//! The text of the page.

use std::collections::BTreeSet;

use auth_runtime_core::AccessRow;
use auth_runtime_core::adapter::text::{handler, visible};
use auth_runtime_policy::{Atom, Requirement};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::html::{Text, breakable, fill};
use super::{AccessReport, ReportAnswer, ReportLine};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl AccessReport<'_> {
    /// Returns the page, in UTF-8.
    pub fn to_html(&self) -> String {
        write(self)
    }
}

fn write(report: &AccessReport<'_>) -> String {
    // A browser converts every line end to this one before it computes the hash.
    let [template, style, script] =
        [TEMPLATE, STYLE, SCRIPT].map(|text| text.replace("\r\n", "\n"));
    let asked = asked_for(report);
    fill(&template, |gap| match gap {
        "policy" => policy(&style, &script),
        "style" => style.clone(),
        "script" => script.clone(),
        "summary" => summary(report),
        "notes" => notes(report),
        "differences" => differences(report),
        "methods" => methods(report),
        "asks" => options(asked.iter().map(String::as_str)),
        "accesses" => accesses(report),
        "personas" => personas(report),
        "count" => format!("all {} rows", lines(report)),
        "caption" if report.personas.is_empty() => String::new(),
        "caption" => ", and the response to each persona".to_owned(),
        "heading" if report.personas.is_empty() => String::new(),
        "heading" => r#"<th scope="col" role="columnheader">Responses</th>"#.to_owned(),
        "rows" => report
            .rows
            .iter()
            .flat_map(|row| row.lines.iter().map(|line| (row.row, line)))
            .map(|(row, line)| table_row(report, row, line, &asked))
            .collect(),
        "explained" => explained(report),
        _ => String::new(),
    })
}

/// Returns the Content Security Policy (CSP Level 3). It allows only the page's own script and
/// style, and no requests.
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

fn summary(report: &AccessReport<'_>) -> String {
    let count = |is_meant: &dyn Fn(&AccessRow) -> bool| {
        let rows = report.rows.iter().filter(|row| is_meant(row.row));
        rows.count()
    };
    let rows = report.rows.len();
    let with_objects = match lines(report) {
        lines if lines == rows => String::new(),
        lines => {
            format!(" With a row for each object and each value of a setting: {lines} rows.")
        }
    };
    format!(
        "{rows} rows: {} public, {} hidden, {} unguarded.{with_objects}",
        count(&|row| row.public_reason().is_some()),
        count(&AccessRow::is_hidden),
        count(&|row| row.unguarded_reason().is_some()),
    )
}

/// Returns the notes of the table.
fn notes(report: &AccessReport<'_>) -> String {
    let items = report.notes.iter();
    let items: String = items.map(|note| format!("<li>{note}</li>\n")).collect();
    if items.is_empty() {
        return items;
    }
    format!("<ul class=\"notes\" aria-label=\"Notes\">\n{items}</ul>\n")
}

/// Returns the number of rows of the page.
fn lines(report: &AccessReport<'_>) -> usize {
    report.rows.iter().map(|row| row.lines.len()).sum()
}

/// Returns the differences from the policies, which are shown first.
fn differences(report: &AccessReport<'_>) -> String {
    let mut items = String::new();
    let rows = report.rows.iter();
    for (row, line) in rows.flat_map(|row| row.lines.iter().map(|line| (row.row, line))) {
        for (persona, answer) in report.personas.iter().zip(&line.answers) {
            let Some(difference) = &answer.difference else {
                continue;
            };
            let place = place(row, line);
            items.push_str(&format!(
                "<li>{}, {}: <pre>{}</pre></li>\n",
                Text(&place),
                Text(&persona.name),
                Text(difference)
            ));
        }
    }
    if items.is_empty() {
        return items;
    }
    format!(
        "<section class=\"differences\" aria-labelledby=\"differences\">\n<h2 id=\"differences\">The \
         service answers something else than its policies say</h2>\n<ul>\n{items}</ul>\n</section>\n"
    )
}

fn place(row: &AccessRow, line: &ReportLine) -> String {
    let object = line.object.as_ref();
    let object = object.map_or(String::new(), |object| format!(" on {object}"));
    let (method, path) = (row.method_shown(), visible(row.path()));
    format!("{method} {path}{object}{}", line.settings)
}

fn methods(report: &AccessReport<'_>) -> String {
    let methods = report.rows.iter().map(|row| row.row.method_shown());
    let methods: BTreeSet<_> = methods.collect();
    options(methods.into_iter())
}

/// Returns an option for each text, with its index for the script.
fn options<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let options = texts.enumerate().map(|(index, text)| {
        let text = Text(text);
        format!(r#"<option value="{text}" data-index="{index}">{text}</option>"#)
    });
    options.collect()
}

/// Returns the scopes, roles, permissions, settings and actions on objects that the policies require.
fn asked_for(report: &AccessReport<'_>) -> Vec<String> {
    let all: BTreeSet<_> = report.rows.iter().flat_map(|row| asks(row.row)).collect();
    all.into_iter().collect()
}

fn asks(row: &AccessRow) -> BTreeSet<String> {
    let policy = row.policy();
    let requirements = policy.and_then(|policy| policy.requirement()).into_iter();
    let lesser = policy.and_then(|policy| policy.shown_to());
    let atoms = requirements.chain(lesser).flat_map(Requirement::atoms);
    let granted = atoms.filter(|atom| {
        matches!(
            atom,
            Atom::Scope(_)
                | Atom::Role(_)
                | Atom::Permission(_)
                | Atom::Setting(_)
                | Atom::Can { .. }
        )
    });
    granted.map(ToString::to_string).collect()
}

/// The kinds of access, each with its label.
const ACCESSES: [(&str, &str); 5] = [
    ("public", "public"),
    ("guarded", "guarded"),
    ("hidden", "hidden"),
    ("shown", "guarded, not hidden"),
    ("unguarded", "unguarded"),
];

fn access_of(row: &AccessRow) -> Vec<&'static str> {
    if row.unguarded_reason().is_some() {
        return vec!["unguarded"];
    }
    if row.public_reason().is_some() {
        return vec!["public"];
    }
    if row.is_hidden() {
        vec!["guarded", "hidden"]
    } else {
        vec!["guarded", "shown"]
    }
}

fn accesses(report: &AccessReport<'_>) -> String {
    let present: BTreeSet<_> = report
        .rows
        .iter()
        .flat_map(|row| access_of(row.row))
        .collect();
    let present = ACCESSES.iter().filter(|(name, _)| present.contains(name));
    present
        .map(|(name, shown)| format!(r#"<option value="{name}">{shown}</option>"#))
        .collect()
}

fn personas(report: &AccessReport<'_>) -> String {
    if report.personas.is_empty() {
        return String::new();
    }
    let names = report.personas.iter().map(|persona| persona.name.as_str());
    format!(
        "<p><label for=\"persona\">Requested by</label> <select id=\"persona\" name=\"persona\"><option \
         value=\"\">all personas</option>{}</select></p>\n<p><label for=\"answer\">Response</label> <select \
         id=\"answer\" name=\"answer\"><option value=\"\">any</option><option \
         value=\"in\">allowed</option><option value=\"out\">denied</option><option \
         value=\"hidden\">concealed</option><option value=\"differs\">differs from the \
         policy</option></select></p>\n",
        options(names)
    )
}

fn table_row(
    report: &AccessReport<'_>,
    row: &AccessRow,
    line: &ReportLine,
    asked: &[String],
) -> String {
    let path = visible(row.path());
    let handler = handler(row);
    let source = format!("{}:{}", row.file(), row.line());
    let own = asks(row);
    let own: Vec<_> = asked
        .iter()
        .enumerate()
        .filter(|(_, text)| own.contains(*text))
        .map(|(index, _)| index.to_string())
        .collect();
    let denials = match row.is_hidden() {
        true => r#"<span class="hidden">hidden</span>"#,
        false if access_of(row).contains(&"shown") => "shown",
        false => "none",
    };
    let named = line.object.iter();
    let named: String = named.map(|object| format!(" {object}")).collect();
    let searched = format!("{path} {handler}{named}{}", line.settings).to_lowercase();
    let object = line.object.as_ref().map_or(String::new(), |object| {
        format!(r#" on <code class="object">{}</code>"#, breakable(object))
    });
    let settings = Text(&line.settings);
    format!(
        "<tr role=\"row\" data-method=\"{method}\" data-text=\"{}\" data-asks=\"{}\" \
         data-access=\"{}\"><td role=\"cell\" class=\"method\">{method}</td><th scope=\"row\" \
         role=\"rowheader\"><code>{}</code>{object}{settings}</th><td role=\"cell\" data-label=\"Policy\"><code>{}</code></td><td role=\"cell\" data-label=\"Denials\">{denials}</td>{}<td \
         role=\"cell\" data-label=\"Handler\"><code>{}</code> <code class=\"source\">{}</code></td></tr>\n",
        Text(&searched),
        own.join(" "),
        access_of(row).join(" "),
        breakable(&path),
        Text(&row.written()),
        answers_cell(report, &line.answers),
        breakable(&handler),
        breakable(&source),
        method = Text(row.method_shown()),
    )
}

fn answers_cell(report: &AccessReport<'_>, answers: &[ReportAnswer]) -> String {
    if report.personas.is_empty() {
        return String::new();
    }
    let asked = report.personas.iter().zip(answers).enumerate();
    let items: String = asked
        .map(|(index, (persona, answer))| {
            let differs = if answer.difference.is_some() {
                " differs"
            } else {
                ""
            };
            format!(
                "<li class=\"{}{differs}\" data-persona=\"{index}\">{} <b>{}{}</b></li>",
                answer.class,
                Text(&persona.name),
                if differs.is_empty() { "" } else { "≠ " },
                Text(&answer.shown),
            )
        })
        .collect();
    let items = if items.is_empty() {
        "not requested".to_owned()
    } else {
        format!("<ul class=\"answers\">{items}</ul>")
    };
    format!("<td role=\"cell\" data-label=\"Responses\">{items}</td>")
}

fn explained(report: &AccessReport<'_>) -> String {
    if report.personas.is_empty() {
        return String::new();
    }
    let personas = report.personas.iter().map(|persona| {
        format!(
            "<dt>{}</dt><dd>{}</dd>\n",
            Text(&persona.name),
            Text(&persona.description)
        )
    });
    let words = report.legend.iter();
    let words: String = words
        .map(|(word, meaning)| format!("<dt>{word}</dt><dd>{meaning}</dd>\n"))
        .collect();
    let words = if words.is_empty() {
        words
    } else {
        format!("<h2>Meaning of the words</h2>\n<dl>\n{words}</dl>\n")
    };
    let personas = personas.collect::<String>();
    format!("<h2>Personas</h2>\n<dl>\n{personas}</dl>\n{words}")
}
