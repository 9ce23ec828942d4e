//! Independent clients send requests to a running example, and report their interpretation.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust:
//! `cargo test -p auth-tests --test clients` installs its dependencies (see `clients/setup.sh`) and
//! prints a table.

#[path = "clients/digest.rs"]
mod digest;
#[path = "clients/expected.rs"]
mod expected;
#[path = "clients/pages.rs"]
mod pages;
#[path = "clients/supabase.rs"]
mod supabase;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use auth_tests::programs::{Program, output_despite_failure, output_of, set_up};
use serde_json::{Value, json};

use self::expected::expected;

fn main() -> ExitCode {
    let lab = Lab::set_up();
    let mut seen = Vec::new();
    seen.extend(curl(&lab));
    let (_digest, digest_base) = digest::start();
    seen.extend(digest::curl(&digest_base));
    seen.extend(digest::wget(&digest_base));
    seen.extend(lab.python("digest_clients.py", &[&digest_base]));
    seen.extend(git(&lab));
    seen.extend(lab.python("http_clients.py", &[&lab.base, &lab.token]));
    seen.extend(lab.node("oauth4webapi.mjs", &[&lab.base, &lab.issuer, &lab.orders]));
    seen.extend(lab.node("mcp.mjs", &[&lab.base]));
    seen.extend(lab.python("mcp_client.py", &[&lab.base]));
    let (_supabase, supabase_base) = supabase::start();
    let keys = [&*supabase_base, supabase::KEY, supabase::SECRET_KEY];
    seen.extend(lab.node("supabase.mjs", &keys));
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    seen.extend(lab.node("browser.mjs", &[&lab.base, &lab.issuer, &chromium]));
    let pages = [&lab.pages, &lab.base, &chromium];
    seen.extend(lab.node("browser_app.mjs", &pages.map(String::as_str)));
    let (_pages, pages_base) = pages::start(&lab.folder);
    let [token, expired] = pages::tokens();
    let arguments = [&pages_base, &token, &expired, &chromium];
    seen.extend(lab.node("pages.mjs", &arguments.map(String::as_str)));
    let expected = [
        expected(&lab.base),
        digest::expected(),
        supabase::expected(),
        pages::expected(),
    ]
    .concat();
    judge(&seen, &expected)
}

/// The observed interpretation of a client.
struct Understood {
    client: String,
    behaviour: String,
    understood: Value,
}

/// Prints the table, and fails if an observation is missing or unexpected.
fn judge(seen: &[Understood], expected: &[(&str, &str, Value)]) -> ExitCode {
    let mut found: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    for row in seen {
        found.insert((&row.client, &row.behaviour), &row.understood);
    }
    println!("| client | behaviour | understood |\n|---|---|---|");
    let mut failures = Vec::new();
    for (client, behaviour, wanted) in expected {
        let understood = found.remove(&(*client, *behaviour));
        let verdict = match understood {
            Some(understood) if understood == wanted => shown(understood),
            _ => "**NOT AS EXPECTED**".to_owned(),
        };
        println!("| {client} | {behaviour} | {verdict} |");
        if understood != Some(wanted) {
            let seen = understood.map_or("nothing".to_owned(), ToString::to_string);
            failures.push(format!(
                "{client} {behaviour}\n  expected {wanted}\n  seen     {seen}"
            ));
        }
    }
    for ((client, behaviour), understood) in found {
        failures.push(format!("{client} {behaviour}: nobody expects {understood}"));
    }
    for failure in &failures {
        eprintln!("\n{failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Shortens an interpretation to the width of the table, without the address, which varies.
fn shown(understood: &Value) -> String {
    let text = understood.to_string();
    let mut text =
        text.split("http://127.0.0.1:")
            .enumerate()
            .fold(String::new(), |shown, (index, part)| {
                let digits = part.find(|character: char| !character.is_ascii_digit());
                let rest = digits.and_then(|at| part.get(at..)).unwrap_or_default();
                shown + if index == 0 { part } else { rest }
            });
    if let Some((at, _)) = text.char_indices().nth(130) {
        text.truncate(at);
        text.push('…');
    }
    format!("`{text}`")
}

/// The running programs.
struct Lab {
    folder: PathBuf,
    base: String,
    issuer: String,
    /// The URL of the application for browsers.
    pages: String,
    /// A token of the service, with `files:read`.
    token: String,
    /// The URL of the example `resource_server`.
    orders: String,
    /// They end with the lab.
    _running: [Program; 4],
}

/// Starts an example on a free port, and returns its address.
fn run_example(name: &str, arguments: &[&str]) -> (Program, String) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let mut example = Command::new(env!("CARGO"));
    example.current_dir(workspace);
    example.args(["run", "--quiet", "--example", name, "--", "--port", "0"]);
    Program::start(example.args(arguments), |line| {
        let address = line.strip_prefix("serving on ")?;
        address.split(';').next().map(str::to_owned)
    })
}

impl Lab {
    fn set_up() -> Self {
        let folder = set_up(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients"));

        let mut server = Command::new("node");
        server.arg("authorization_server.mjs").current_dir(&folder);
        let (server, issuer) = Program::start(&mut server, |line| Some(line.to_owned()));

        let (example, base) = run_example("code_host", &["--issuer", &issuer]);
        let (resource_server, orders) = run_example("resource_server", &["--issuer", &issuer]);
        let (browser_app, pages) = run_example("browser_app", &[]);

        let script = format!(
            "import {{ token }} from './tools.mjs'\n\
             console.log(await token('{issuer}', '{base}/api', 'files:read'))"
        );
        let mut node = Command::new("node");
        node.args(["--input-type=module", "--eval", &script])
            .current_dir(&folder);
        let token = output_of(&mut node).trim().to_owned();
        Self {
            folder,
            base,
            issuer,
            pages,
            token,
            orders,
            _running: [server, example, resource_server, browser_app],
        }
    }

    fn node(&self, script: &str, arguments: &[&str]) -> Vec<Understood> {
        self.reports(Command::new("node").arg(script).args(arguments))
    }

    fn python(&self, script: &str, arguments: &[&str]) -> Vec<Understood> {
        let python = self.folder.join("venv/bin/python");
        self.reports(Command::new(python).arg(script).args(arguments))
    }

    /// Returns one report for each line of JSON. Other output of a client is printed on the
    /// terminal.
    fn reports(&self, command: &mut Command) -> Vec<Understood> {
        let output =
            output_despite_failure(command.current_dir(&self.folder).stderr(Stdio::inherit()));
        let reports = output.lines().filter_map(|line| {
            let report: Value = serde_json::from_str(line).ok()?;
            Some(Understood {
                client: report["client"].as_str()?.to_owned(),
                behaviour: report["behaviour"].as_str()?.to_owned(),
                understood: report["understood"].clone(),
            })
        });
        reports.collect()
    }
}

fn curl(lab: &Lab) -> Vec<Understood> {
    let row = |behaviour: &str, understood| Understood {
        client: "curl".to_owned(),
        behaviour: behaviour.to_owned(),
        understood,
    };
    let status = |arguments: &[&str], path: &str| {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ]);
        curl.args(arguments).arg(format!("{}{path}", lab.base));
        json!(
            output_despite_failure(&mut curl)
                .parse::<u16>()
                .unwrap_or_default()
        )
    };
    // The verbose output of curl.
    let verbose = |arguments: &[&str], path: &str| {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--verbose",
            "--output",
            "/dev/null",
            "--anyauth",
        ]);
        curl.args(arguments).arg(format!("{}{path}", lab.base));
        let output = curl.output().expect("curl runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let statuses: Vec<u16> = text
            .lines()
            .filter_map(|line| line.strip_prefix("< HTTP/1.1 ")?.get(..3)?.parse().ok())
            .collect();
        let says = text
            .lines()
            .find_map(|line| line.strip_prefix("* Server auth using"));
        json!({ "statuses": statuses, "says": format!("Server auth using{}", says.unwrap_or_default()) })
    };
    vec![
        row(
            "logs in by Basic",
            status(&["--basic", "--user", "ann:secret"], "/profile"),
        ),
        row(
            "picks Basic among the challenges (--anyauth)",
            verbose(&["--user", "ann:secret"], "/profile"),
        ),
        row(
            "picks Bearer among the challenges (--anyauth)",
            verbose(&["--oauth2-bearer", &lab.token], "/api/files"),
        ),
        row(
            "is told that a hidden page is not there",
            status(&["--user", "bob:secret"], "/git/secret.git/HEAD"),
        ),
    ]
}

fn git(lab: &Lab) -> Vec<Understood> {
    let row = |behaviour: &str, understood| Understood {
        client: "git".to_owned(),
        behaviour: behaviour.to_owned(),
        understood,
    };
    let home = lab.folder.join("home");
    std::fs::create_dir_all(&home).expect("a folder");
    let asked = home.join("asked");
    // A helper answers the prompts of git, and writes them down.
    let helper = |user: &str| {
        format!(
            "!f() {{ test \"$1\" = get || exit 0; cat >> '{}'; \
             echo username={user}; echo password=secret; }}; f",
            asked.display()
        )
    };
    let list = |user: &str, repository: &str| {
        let _ = std::fs::remove_file(&asked);
        let mut git = Command::new("git");
        git.env("HOME", &home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .args(["-c", &format!("credential.helper={}", helper(user))])
            .arg("ls-remote")
            .arg(format!("{}/git/{repository}", lab.base));
        let output = git.output().expect("git runs");
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let told = std::fs::read_to_string(&asked).unwrap_or_default();
        (text, told)
    };
    // The part of git's output that its users rely on.
    let says = |text: &str| {
        let known = ["refs/heads", "not found", "Authentication failed"];
        let found = known.into_iter().find(|known| text.contains(known));
        found.map_or(text.to_owned(), str::to_owned)
    };
    let challenges = |told: &str| {
        let lines = told
            .lines()
            .filter_map(|line| line.strip_prefix("wwwauth[]="));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };

    let (text, told) = list("bob", "shared.git");
    let shared =
        json!({ "asked": !told.is_empty(), "says": says(&text), "wwwauth": challenges(&told) });
    let (hidden, told_of_hidden) = list("bob", "secret.git");
    let (unknown, told_of_unknown) = list("bob", "nowhere.git");
    let same = hidden.replace("secret", "nowhere") == unknown
        && told_of_hidden.replace("secret", "nowhere") == told_of_unknown;
    let hidden = json!({
        "same_as_unknown": same, "asked": !told_of_hidden.is_empty(), "says": says(&hidden),
    });
    let (owned, _) = list("ann", "secret.git");
    vec![
        row("asks its user for a password on a 401", shared),
        row(
            "asks for a hidden repository as for one that is not there, then says: not found",
            hidden,
        ),
        row(
            "finds the hidden repository as its owner",
            json!(says(&owned)),
        ),
    ]
}
