//! Decisions of a real Cerbos, by three policies: the owner may update, everybody may read public documents,
//! administrators may do everything.
//!
//! The server comes from npm (`@cerbos/cerbos-linux-x64`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, Evaluation, EvaluationRequest, ObjectDecision, Resource,
};
use auth_runtime_authzen::{AuthZen, AuthZenBuilder};

/// The version that the tests are written for.
const PACKAGE: &str = "@cerbos/cerbos-linux-x64@0.55.0";

const POLICIES: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: Document
  version: default
  rules:
    - name: owner-may-update
      actions: ["update"]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          expr: R.attr.owner == P.id
    - name: everybody-may-read-public
      actions: ["read"]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          expr: R.attr.public == true
    - name: administrators-may-do-everything
      actions: ["*"]
      effect: EFFECT_ALLOW
      roles: ["admin"]
"#;

/// A server on loopback with a folder of its own. It ends when it is dropped.
struct Cerbos {
    program: &'static Path,
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Cerbos {
    fn start() -> Self {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let program = PROGRAM.get_or_init(install).as_path();
        let [port, grpc] = free_ports();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cerbos-{port}"));
        let policies = folder.join("policies");
        std::fs::create_dir_all(&policies).unwrap();
        std::fs::write(policies.join("document.yaml"), POLICIES).unwrap();
        let configuration = format!(
            "server:\n  httpListenAddr: \"127.0.0.1:{port}\"\n  grpcListenAddr: \"127.0.0.1:{grpc}\"\n\
             telemetry:\n  disabled: true\n\
             storage:\n  driver: disk\n  disk:\n    directory: {policies:?}\n"
        );
        std::fs::write(folder.join("cerbos.yaml"), configuration).unwrap();
        let mut server = Self {
            program,
            folder,
            port,
            child: None,
        };
        server.start_again();
        server
    }

    fn start_again(&mut self) {
        let configuration = self.folder.join("cerbos.yaml");
        let mut command = Command::new(self.program);
        command.args(["server", "--config"]).arg(configuration);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "it does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn engine(&self) -> AuthZenBuilder {
        AuthZen::builder()
            .url(self.url())
            .roles_property("cerbos.roles")
    }
}

impl Drop for Cerbos {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Returns the program, which is installed once.
fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cerbos-0.55.0");
    let program = folder.join("package/cerbos-linux-x64");
    if program.exists() {
        return program;
    }
    // Unpacked elsewhere first, so that an interrupted installation is not used.
    let unpacked = folder.with_extension(std::process::id().to_string());
    std::fs::create_dir_all(&unpacked).unwrap();
    let script = format!("npm pack --silent {PACKAGE} && tar xzf *.tgz && rm *.tgz");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(&unpacked);
    let is_unpacked = shell.stdout(Stdio::null()).status();
    let is_unpacked = is_unpacked.is_ok_and(|status| status.success());
    assert!(is_unpacked, "npm cannot install {PACKAGE}");
    std::fs::rename(&unpacked, &folder).unwrap();
    program
}

fn document(owner: &str, is_public: bool) -> Resource {
    Resource::new("Document", format!("{owner}-{is_public}"))
        .with_property("owner", owner)
        .with_property("public", is_public)
}

async fn decide(
    engine: &AuthZen,
    identity: &Identity,
    evaluations: &[Evaluation],
) -> Result<Vec<bool>, String> {
    let decided = engine
        .evaluate(EvaluationRequest::new(identity, evaluations))
        .await;
    let decided = decided.map_err(|error| error.to_string())?;
    Ok(decided.iter().map(ObjectDecision::is_allowed).collect())
}

/// Compares the decisions about all callers, actions and documents with the policies, one by one and all
/// together.
async fn assert_policies_decide(engine: &AuthZen) {
    let callers = [
        (Identity::new("ann"), false),
        (Identity::new("bob").with_roles(["editor"]), false),
        (Identity::new("admin"), false),
        (
            Identity::new("eve")
                .with_scopes(["admin"])
                .with_permissions(["admin"]),
            false,
        ),
        (Identity::new("carl").with_roles(["admin", "editor"]), true),
    ];
    for (caller, is_admin) in callers {
        let (mut evaluations, mut expected) = (Vec::new(), Vec::new());
        for action in ["read", "update", "delete"] {
            for owner in ["ann", "bob", "carl"] {
                for is_public in [true, false] {
                    evaluations.push(Evaluation::new(action, document(owner, is_public)));
                    let is_owner = owner == caller.subject();
                    expected.push(match action {
                        "read" => is_public || is_admin,
                        "update" => is_owner || is_admin,
                        _ => is_admin,
                    });
                }
            }
        }
        evaluations.push(Evaluation::new("read", Resource::new("Unknown", "u1")));
        expected.push(false);
        evaluations.push(Evaluation::new("update", Resource::new("Document", "d1")));
        expected.push(is_admin);
        let together = decide(engine, &caller, &evaluations).await;
        assert_eq!(together.as_ref(), Ok(&expected), "{caller:?}");
        for (evaluation, expected) in evaluations.iter().zip(expected) {
            let alone = decide(engine, &caller, std::slice::from_ref(evaluation)).await;
            assert_eq!(alone, Ok(vec![expected]), "{caller:?} {evaluation:?}");
        }
    }
}

#[tokio::test]
async fn policies_decide() {
    let cerbos = Cerbos::start();
    assert_policies_decide(&cerbos.engine().build().unwrap()).await;
    let discovered = cerbos.engine().discover().await.unwrap();
    assert_policies_decide(&discovered).await;
    let endpoint = format!("{}/access/v1/evaluation", cerbos.url());
    assert!(format!("{discovered:?}").contains(&endpoint));
}

/// Cerbos does not know the property `roles`.
#[tokio::test]
async fn roles_need_their_property() {
    let cerbos = Cerbos::start();
    let carl = Identity::new("carl").with_roles(["admin"]);
    let delete = [Evaluation::new("delete", document("ann", true))];
    let engine = cerbos.engine().build().unwrap();
    assert_eq!(decide(&engine, &carl, &delete).await, Ok(vec![true]));
    let engine = cerbos.engine().roles_property("roles").build().unwrap();
    assert_eq!(decide(&engine, &carl, &delete).await, Ok(vec![false]));
}

#[tokio::test]
async fn too_many_questions_are_an_error_of_one_request() {
    let cerbos = Cerbos::start();
    let engine = cerbos.engine().build().unwrap();
    let ann = Identity::new("ann");
    let question = Evaluation::new("update", document("ann", false));
    let most = vec![question.clone(); 50];
    assert_eq!(decide(&engine, &ann, &most).await, Ok(vec![true; 50]));
    let too_many = vec![question.clone(); 51];
    for _ in 0..10 {
        let error = decide(&engine, &ann, &too_many).await.unwrap_err();
        assert!(error.contains("400"), "{error}");
    }
    assert_eq!(decide(&engine, &ann, &[question]).await, Ok(vec![true]));
}

#[tokio::test]
async fn nothing_is_granted_while_it_is_down() {
    let mut cerbos = Cerbos::start();
    let engine = cerbos.engine().build().unwrap();
    let carl = Identity::new("carl").with_roles(["admin"]);
    let read = [Evaluation::new("read", document("ann", true))];
    let several = [read[0].clone(), read[0].clone()];
    assert_eq!(decide(&engine, &carl, &read).await, Ok(vec![true]));
    cerbos.stop();
    assert!(decide(&engine, &carl, &read).await.is_err());
    assert!(decide(&engine, &carl, &several).await.is_err());
    cerbos.start_again();
    assert_eq!(decide(&engine, &carl, &several).await, Ok(vec![true, true]));
}
