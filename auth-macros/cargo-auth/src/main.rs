//! `cargo auth`: who may call what in a workspace that uses `auth-runtime`, read from its sources.
//!
//! Nothing is built, and nothing is fetched. What the attributes say is read and checked by
//! `auth-grammar`, as the macros do: what they would refuse is told here with the same words and the
//! same codes.
//!
//! - `cargo auth list` prints every policy of the workspace's libraries, programs and examples.
//! - `cargo auth check` finds what no compiler sees: handlers on plain routers without a policy, routers
//!   that were merged unguarded, words of `auth.toml` that nobody uses, attributes under another name or
//!   in a `cfg_attr`.
//! - `cargo auth diff REVISION` tells what was loosened, changed, added, removed and tightened since a
//!   revision of git, by what the policies mean.
//! - `cargo auth explain AUTH0001` prints the page of a code.
//!
//! # What is allowed
//!
//! Some routers are plain for a good reason. A comment says which, as `// SAFETY:` does: `// unguarded: `
//! and the reason, right above the statement, the link of a chain, the arm of a `match` or the argument
//! that it is about. What begins on that line is allowed, and nothing that has a line of its own in it, such as the
//! next link: what is added one day needs a reason of its own. `list` shows what is allowed with the reason,
//! and a comment that allows nothing is found by `check`.
//!
//! # What is not seen
//!
//! Sources are read as they are written. So what a macro writes is not there (`list` names the
//! `macro_rules!` that have one of the attributes in them), and neither is what a build script writes or
//! `include!` brings. Of macros, `check` looks at what they are given, and at what a `macro_rules!` has in
//! it. Both sides of a `#[cfg]` are read, but for tests. Only members of the workspace are: what it takes
//! from elsewhere, be it from a folder beside it, is another crate.
//!
//! Of routers, `check` sees what is given to functions of `axum::routing`, by whatever name they are
//! imported, and what is chained to them. Where it cannot see what a method like `post` or `fallback`
//! belongs to, it goes by what that is given: an `async fn` or an `async` closure. So it does not see other
//! closures and variables on a `MethodRouter` in a variable, functions of axum in a variable or under
//! another name there, nor a framework on top of axum. Routers of another crate are found where a chain, or a
//! variable of the same function, shows that a plain router takes them in; what is in them is not. Layers are
//! not looked at. Whether a handler on a plain router is guarded by the layer that it takes, the program
//! notices when it is asked: without one it answers 500.
//!
//! `diff` goes by the paths of handlers: one that was moved is removed and added, and where it is mounted
//! is not compared. What a `check` function does is not compared, only its name; and neither are services,
//! but for their policies. What is open is told by its file, its reason and its name. A revision is
//! written out without its submodules.
#![forbid(unsafe_code)]

mod check;
mod diff;
mod explain;
mod list;
mod revision;
mod sarif;
mod sources;
mod workspace;

use std::fmt::{self, Display};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::workspace::Workspace;

/// As cargo calls its subcommands.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo")]
enum Cargo {
    /// Who may call what, read from the sources of a workspace
    #[command(version)]
    Auth(Auth),
}

#[derive(Args)]
struct Auth {
    #[command(subcommand)]
    command: Command,
    /// The Cargo.toml of the workspace, or of a crate in it
    #[arg(long, global = true, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
    /// Only this package of the workspace; may be given several times
    #[arg(short, long, global = true, value_name = "NAME")]
    package: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Prints every policy
    List {
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Finds what no compiler sees; ends with 1 if there is something
    Check {
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// Takes the reasons of `merge_unguarded` for an answer
        #[arg(long)]
        allow_unguarded: bool,
    },
    /// Compares who may call what with another revision of git, loosened first
    Diff {
        /// What to compare with, as git names it
        revision: String,
        /// What is compared; the files as they are, if it is left out
        with: Option<String>,
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        format: PlainFormat,
    },
    /// Prints the page of a code
    Explain {
        /// As it stands in a message, such as AUTH0001
        code: String,
    },
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For code scanning (SARIF 2.1.0)
    Sarif,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum PlainFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Why nothing can be told.
#[derive(Debug)]
struct Failure(String);

impl Failure {
    fn new(message: impl Display) -> Self {
        Self(message.to_string())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// What is printed, and whether anything was found that should not be so.
struct Report {
    text: String,
    is_clean: bool,
}

/// Nothing was found, something was, or nothing can be told.
const CLEAN: u8 = 0;
const FOUND: u8 = 1;
const FAILED: u8 = 2;

/// Sources can be nested as deeply as the compiler reads them, and it takes what stack it needs.
const STACK: usize = 1 << 29;

fn main() -> ExitCode {
    let Cargo::Auth(auth) = Cargo::parse();
    let thread = std::thread::Builder::new().stack_size(STACK);
    let result = thread.spawn(move || run(&auth)).map_err(Failure::new);
    // What went wrong in it, it has told itself.
    let stopped = |_| Failure::new("this is a mistake of `cargo auth` itself");
    let result = result.and_then(|thread| thread.join().map_err(stopped).flatten());
    let status = match result.and_then(print) {
        Ok(true) => CLEAN,
        Ok(false) => FOUND,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            FAILED
        }
    };
    ExitCode::from(status)
}

/// Prints what was found, and tells whether that was nothing.
fn print(report: Report) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out
        .write_all(report.text.as_bytes())
        .and_then(|()| out.flush())
    {
        // Whoever reads may have seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("nothing can be printed: {error}")))
        }
        _ => Ok(report.is_clean),
    }
}

fn run(auth: &Auth) -> Result<Report, Failure> {
    let workspace = || {
        let mut workspace = Workspace::read(auth.manifest_path.as_deref())?;
        if let Some(unknown) = auth.package.iter().find(|name| !workspace.has(name)) {
            let message = "has no handlers, or is no package of the workspace";
            return Err(Failure::new(format!("`{unknown}` {message}")));
        }
        workspace.tell(&auth.package);
        Ok(workspace)
    };
    let shown = |text| Report {
        text,
        is_clean: true,
    };
    match &auth.command {
        Command::List { format } => list::run(&workspace()?, *format).map(shown),
        Command::Check {
            format,
            allow_unguarded,
        } => check::run(&workspace()?, *format, *allow_unguarded),
        Command::Diff {
            revision,
            with,
            format,
        } => {
            let workspace = workspace()?;
            let with = with.as_deref();
            diff::run(&workspace, &auth.package, revision, with, *format).map(shown)
        }
        Command::Explain { code } => explain::run(code).map(shown),
    }
}

/// A document, with the line break that ends a text.
fn json(document: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document).map_err(Failure::new)?;
    Ok(format!("{text}\n"))
}

/// `1 handler`, `2 handlers`.
fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
