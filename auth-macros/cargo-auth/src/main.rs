//! `cargo auth`: the access policies of a workspace that uses `auth-runtime`, read from its
//! sources.
//!
//! Nothing is built or fetched, except that git loads the sources of a revision that a partial clone lacks. The
//! attributes are read and checked by `auth-grammar`, as in the macros: their errors are reported with the same messages
//! and the same codes.
//!
//! - `cargo auth list` prints every policy of the workspace's libraries, programs and examples, and the items
//!   that are unguarded for a stated reason.
//! - `cargo auth check` finds mistakes that the compiler does not report: handlers on plain routers
//!   without a policy, routers that were merged unguarded or adopted, streams that outlast the
//!   credentials, open patterns beside guarded paths,
//!   unused names in `auth.toml`, attributes under another name, of another crate or in a `cfg_attr`, functions
//!   that take the guard of another handler.
//! - `cargo auth diff REVISION` reports policies that were loosened, changed, added, removed or
//!   tightened since a git revision. It compares their meaning.
//! - `cargo auth routes` prints every route of any axum service, with the code that seems to check
//!   access: an extractor, a middleware, a layer, an attribute or a statement. It needs none of the
//!   attributes.
//! - `cargo auth explain AUTH0001` prints the page of a code.
//!
//! # Exceptions
//!
//! Some routers are plain for a reason. A comment states it, in the manner of `// SAFETY:`:
//! `// unguarded: ` and the reason, directly above the statement, the link of a chain, the arm of a
//! `match`, the element of a list or the argument that it applies to. An open pattern is allowed in the same way. It
//! applies to calls that begin on that line. It does not apply to parts on lines of their own, such
//! as the next link, since later additions need their own reason. `list` prints the exceptions with
//! their reasons, and `check` reports a comment without effect.
//!
//! # Limits
//!
//! Sources are read as written. Therefore the output of macros is not seen, nor that of build
//! scripts or `include!`. `list` names each `macro_rules!` that contains one of the attributes, and
//! `diff` compares their texts, but not the arguments of the macro.
//! `check` reads the arguments of macros, and the contents of `macro_rules!`, with the imports in them. A
//! placeholder for a method, as in `routing::$method(…)`, counts as `get`. The items in `cfg_if!` are read
//! like others. Both sides of a `#[cfg]` are read, except tests. Only members of the workspace are read, and not its
//! dependencies, even in a neighbouring folder. A file that is nested more than 1024 levels deep is
//! refused, since the compiler overflows its stack as well.
//!
//! Of routers, `check` sees the arguments of functions of `axum::routing`, under any imported name,
//! and the chained calls. The receiver of a method like `post` or `fallback` is known by the
//! function at the beginning of its chain, by its variable or parameter, or by the result type of a
//! function of the workspace. If it is axum's, every argument is a handler. If it is unknown, such as
//! a field, the argument decides: an `async fn`, also one of a type, or an `async` closure. Not seen
//! are other handlers on unknown receivers, and frameworks on top of axum. Routers of another crate
//! are found if a chain, or a variable of the same function, adds them to a router that is known to
//! be axum's; their contents are not seen. Layers are not seen either. A handler on a plain router
//! without the layer for its guard responds 500. The crate of an attribute is known by its import, unless
//! that is a glob import.
//!
//! `routes` evaluates the functions that make routers, with their arguments. It knows the routers of
//! axum, axum-extra (`TypedPath`), `utoipa-axum` and `aide`, and the pages of `utoipa` such as
//! `SwaggerUi`. Not seen are routes that other macros than `vec!` make, and routers in collections. A handler that reaches
//! no known router, such as `get(handler)` in a list, is at the path `…`. The policy of a handler
//! that a macro makes is `unknown`, if a `GuardedRouter` mounts it. A part of a path that
//! is not known is in angle brackets, and a part that only some configurations have in square brackets;
//! a `?` marks a layer or a check that only some have, also by a `#[cfg]` of a statement. The unknown routes of a router of another crate are one
//! route at `/…`. A function that makes a router and that nothing calls is reported, and its routes are
//! left out. Checks are recognized by their names, types, and responses such as 401, in the handler and
//! in the functions that it calls with the caller or a token. So a check may be missed, and a check
//! that is found may be incomplete.
//!
//! `diff` identifies handlers by their paths. One that was moved is removed and added, and the
//! place where it is mounted is not compared. Of a `check` function only the name is compared, and
//! of a service only the policy. Unguarded handlers and routers are identified by file, reason and
//! name. Of a revision, only the Rust sources, the manifests, `auth.toml`, the files that they name, and the symbolic
//! links are written out, without submodules. A dependency with a path to a submodule, or out of the repository, is read from the working
//! tree.
#![forbid(unsafe_code)]

mod check;
mod diff;
mod explain;
mod list;
mod progress;
mod report;
mod revision;
mod routes;
mod sarif;
mod sources;
mod style;
mod workspace;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::report::{Failure, Format, PlainFormat, Report};
use crate::style::ALERT;
use crate::workspace::Workspace;

/// The command line, as cargo calls its subcommands.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo")]
enum Cargo {
    /// Reads the access policies of a workspace from its sources
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
    /// Only this package of the workspace; can be given several times
    #[arg(short, long, global = true, value_name = "NAME")]
    package: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Prints every policy, and the items that are unguarded for a stated reason
    List {
        /// The output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Finds mistakes that the compiler does not report; exits with 1 if there are any
    Check {
        /// The output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// Does not report routers that `merge_unguarded` or `adopt` adds with a reason
        #[arg(long)]
        allow_unguarded: bool,
        /// Counts the routes without a policy in each file as well
        #[arg(long, conflicts_with = "format")]
        progress: bool,
    },
    /// Compares the access policies with those of a git revision, loosened ones first
    Diff {
        /// The revision to compare with, in git's syntax
        revision: String,
        /// The newer revision; default: the working tree
        with: Option<String>,
        /// The output format
        #[arg(long, value_enum, default_value_t)]
        format: PlainFormat,
    },
    /// Prints every route of any axum service, and the code that seems to check access
    Routes {
        /// The output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Prints the page of a code
    Explain {
        /// The code of a message, such as AUTH0001
        code: String,
    },
}

/// The exit codes: no findings, findings, and failure.
const CLEAN: u8 = 0;
const FOUND: u8 = 1;
const FAILED: u8 = 2;

/// The stack size, which is enough for sources of the maximum depth.
const STACK: usize = 1 << 29;

fn main() -> ExitCode {
    let Cargo::Auth(auth) = Cargo::parse();
    let thread = std::thread::Builder::new().stack_size(STACK);
    let result = thread.spawn(move || run(&auth)).map_err(Failure::new);
    // A panic has already been reported.
    let stopped = |_| Err(Failure::new("this is a bug in `cargo auth`"));
    let result = result.and_then(|thread| thread.join().unwrap_or_else(stopped));
    let status = match result.and_then(print) {
        Ok(true) => CLEAN,
        Ok(false) => FOUND,
        Err(failure) => {
            let _ = writeln!(anstream::stderr(), "{ALERT}error{ALERT:#}: {failure}");
            FAILED
        }
    };
    ExitCode::from(status)
}

/// Prints the report. Returns whether it is free of findings.
fn print(report: Report) -> Result<bool, Failure> {
    let mut out = anstream::stdout().lock();
    match out
        .write_all(report.text.as_bytes())
        .and_then(|()| out.flush())
    {
        // The reader may close the pipe early.
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
            let message = "has no handlers, or is not a package of the workspace";
            return Err(Failure::new(format!("`{unknown}` {message}")));
        }
        workspace.select(&auth.package);
        Ok(workspace)
    };
    let clean = |text| Report {
        text,
        is_clean: true,
    };
    match &auth.command {
        Command::List { format } => list::run(&workspace()?, *format).map(clean),
        Command::Check {
            format,
            allow_unguarded,
            progress,
        } => check::run(&workspace()?, *format, *allow_unguarded, *progress),
        Command::Diff {
            revision,
            with,
            format,
        } => {
            let workspace = workspace()?;
            let with = with.as_deref();
            diff::run(&workspace, &auth.package, revision, with, *format).map(clean)
        }
        Command::Routes { format } => routes::run(&workspace()?, *format).map(clean),
        Command::Explain { code } => explain::run(code).map(clean),
    }
}
