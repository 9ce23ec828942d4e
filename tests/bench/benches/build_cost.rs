//! The build time of a service with one page, with this framework and with each peer:
//! `cargo bench -p auth-bench --bench build_cost`, optionally with the names of some of them behind
//! `--`.
//!
//! Each service is a package in a folder of its own. It is built from nothing in release mode, with
//! the versions of this workspace's lock file, from crates that were fetched before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A service of one page.
struct Hello {
    name: &'static str,
    source: &'static str,
    /// The dependencies besides axum 0.8 and tokio.
    dependencies: &'static str,
}

const AXUM: &str = "axum = \"0.8\"\n";

const HELLOS: [Hello; 10] = [
    Hello {
        name: "unguarded",
        source: include_str!("../hello/unguarded.rs"),
        dependencies: "",
    },
    Hello {
        name: "ours",
        source: include_str!("../hello/ours_without_jwt.rs"),
        dependencies: "auth-runtime = { path = \"RUNTIME\" }\n",
    },
    Hello {
        name: "protect-axum",
        source: include_str!("../hello/protect_axum.rs"),
        dependencies: "protect-axum = \"0.2\"\n",
    },
    Hello {
        name: "ours, with JWT",
        source: include_str!("../hello/ours.rs"),
        dependencies: "auth-runtime = { path = \"RUNTIME\", features = [\"jwt\", \"token-cache\"] }\n",
    },
    Hello {
        name: "axum-gate",
        source: include_str!("../hello/axum_gate.rs"),
        dependencies: "axum-gate = \"1.1\"\n",
    },
    Hello {
        name: "axum-jwt-auth",
        source: include_str!("../hello/axum_jwt_auth.rs"),
        dependencies: "axum-jwt-auth = \"0.7\"\nserde = \"1\"\n\
                       jsonwebtoken = { version = \"10\", features = [\"use_pem\"] }\n",
    },
    Hello {
        name: "jwt-authorizer",
        source: include_str!("../hello/jwt_authorizer.rs"),
        dependencies: "jwt-authorizer = \"0.15\"\nserde = { version = \"1\", features = [\"derive\"] }\n",
    },
    Hello {
        name: "tower-oauth2-resource-server",
        source: include_str!("../hello/tower_oauth2_resource_server.rs"),
        dependencies: "tower-oauth2-resource-server = \"0.12\"\n\
                       serde = { version = \"1\", features = [\"derive\"] }\n",
    },
    Hello {
        name: "ours, with sessions",
        source: include_str!("../hello/ours_with_sessions.rs"),
        dependencies: "auth-runtime = { path = \"RUNTIME\", features = [\"sessions\"] }\n\
                       tower-sessions = \"0.14\"\n",
    },
    Hello {
        name: "axum-login",
        source: include_str!("../hello/axum_login.rs"),
        dependencies: "axum-login = \"0.18\"\ntower-sessions = \"0.14\"\n",
    },
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| !one.starts_with('-'))
        .collect();
    println!(
        "| | crates | cold build | of processor time | stripped binary |\n|---|--:|--:|--:|--:|"
    );
    for hello in &HELLOS {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == hello.name) {
            continue;
        }
        let folder = write_down(hello);
        let crates = crates_of(&folder);
        let before = processor_time();
        let took = build(&folder);
        let worked = processor_time().saturating_sub(before);
        let binary = fs::metadata(folder.join("target/release/hello")).expect("it was built");
        println!(
            "| {} | {crates} | {:.0} s | {:.0} s | {:.2} MB |",
            hello.name,
            took.as_secs_f64(),
            worked.as_secs_f64(),
            binary.len() as f64 / 1e6,
        );
        let _ = fs::remove_dir_all(folder);
    }
}

fn write_down(hello: &Hello) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = format!("auth-bench-hello-{}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    fs::create_dir_all(folder.join("src")).expect("a folder for what is written down only");
    let runtime = own.join("../../auth-runtime");
    let dependencies = hello
        .dependencies
        .replace("RUNTIME", &runtime.display().to_string());
    // The peer for axum 0.7 brings its own version.
    let axum = if hello.name == "jwt-authorizer" {
        "axum = \"0.7\"\n"
    } else {
        AXUM
    };
    let manifest = format!(
        "[package]\nname = \"hello\"\nedition = \"2024\"\n\n[dependencies]\n{axum}\
         tokio = {{ version = \"1\", features = [\"macros\", \"net\", \"rt-multi-thread\"] }}\n\
         {dependencies}\n[profile.release]\nstrip = true\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(folder.join("src/main.rs"), hello.source).expect("a source file");
    let lock = own.join("../../Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).expect("the workspace is locked");
    folder
}

/// Returns the number of crates that are built for it, without itself.
fn crates_of(folder: &Path) -> usize {
    let mut cargo = cargo(folder);
    // Crates that the lock file lacks, such as those of a feature, come from the registry.
    cargo.args([
        "tree",
        "--prefix",
        "none",
        "--edges",
        "normal,build",
        "--no-dedupe",
    ]);
    let output = cargo.output().expect("cargo is there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split(" (").next())
        .filter(|line| !line.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.len() - 1
}

/// Returns the processor time of the children of this process, which hardly depends on the load of
/// the machine. Zero on a system without `/proc`.
fn processor_time() -> Duration {
    let status = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program is in brackets, and may contain spaces.
    let fields = status.rsplit(')').next().unwrap_or_default();
    // The sixteenth and the seventeenth field, in hundredths of a second (proc(5)).
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks = ticks.filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

fn build(folder: &Path) -> Duration {
    let began = Instant::now();
    let output = cargo(folder).args(["build", "--release"]).output();
    let output = output.expect("cargo is there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    began.elapsed()
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    cargo
}
