//! A session with a language server, over its standard streams.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than a cold build of the dependencies.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Session {
    server: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    folder: PathBuf,
    last_id: u64,
    versions: HashMap<&'static str, u64>,
}

impl Session {
    /// Starts `program` on the project in `folder`, and waits until it has read the project.
    pub fn start(program: &Path, folder: &Path) -> Self {
        let mut server = Command::new(program)
            .current_dir(folder)
            .env("CARGO_NET_OFFLINE", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the language server starts");
        let input = server.stdin.take().expect("piped");
        let mut output = BufReader::new(server.stdout.take().expect("piped"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut session = Self {
            server,
            input,
            messages,
            folder: folder.to_owned(),
            last_id: 0,
            versions: HashMap::new(),
        };
        session.initialize();
        session
    }

    fn initialize(&mut self) {
        let folder = uri(&self.folder);
        self.ask(
            "initialize",
            &json!({
                "processId": null,
                "rootUri": folder,
                "workspaceFolders": [{ "uri": folder, "name": "project" }],
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": {
                        "diagnostic": {},
                        "hover": { "contentFormat": ["markdown"] },
                    },
                },
                "initializationOptions": {
                    // Only the server's own diagnostics are tested, not those of `cargo check`.
                    "checkOnSave": false,
                    "cachePriming": { "enable": false },
                    "diagnostics": { "experimental": { "enable": true } },
                },
            }),
        );
        self.tell("initialized", &json!({}));
        self.settle();
    }

    /// Waits until the server is idle.
    fn settle(&mut self) {
        self.until(|message| {
            (message["method"] == "experimental/serverStatus"
                && message["params"]["quiescent"] == true)
                .then_some(())
        });
    }

    /// Sends a file to the server as the contents of an editor, without writing it to disk.
    pub fn edit(&mut self, file: &'static str, text: &str) {
        let uri = uri(&self.folder.join(file));
        let version = self.versions.entry(file).or_default();
        *version += 1;
        let version = *version;
        if version == 1 {
            let document =
                json!({ "uri": uri, "languageId": "rust", "version": version, "text": text });
            self.tell("textDocument/didOpen", &json!({ "textDocument": document }));
        } else {
            let document = json!({ "uri": uri, "version": version });
            let changes = json!([{ "text": text }]);
            self.tell(
                "textDocument/didChange",
                &json!({ "textDocument": document, "contentChanges": changes }),
            );
        }
    }

    /// Sends a request about the cursor in a file.
    pub fn at(&mut self, method: &str, file: &str, (line, character): (usize, usize)) -> Value {
        let uri = uri(&self.folder.join(file));
        self.ask(
            method,
            &json!({
                "textDocument": { "uri": uri },
                "position": { "line": line, "character": character },
            }),
        )
    }

    /// Returns the server's diagnostics of a file.
    pub fn diagnostics(&mut self, file: &str) -> Vec<Value> {
        let uri = uri(&self.folder.join(file));
        let document = json!({ "textDocument": { "uri": uri } });
        let report = self.ask("textDocument/diagnostic", &document);
        report["items"].as_array().cloned().unwrap_or_default()
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request, and repeats it if the server cancels it because it is still reading.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        const CONTENT_MODIFIED: i64 = -32801;
        loop {
            self.last_id += 1;
            let id = self.last_id;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            let answer = self.until(|message| {
                (message["id"] == id && message.get("method").is_none()).then(|| message.clone())
            });
            match answer["error"]["code"].as_i64() {
                None => return answer["result"].clone(),
                Some(CONTENT_MODIFIED) => thread::sleep(Duration::from_millis(100)),
                Some(_) => panic!("{method}: {answer}"),
            }
        }
    }

    /// Returns the first message that `pick` accepts. Requests of the server receive `null`
    /// meanwhile.
    fn until<T>(&mut self, pick: impl Fn(&Value) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).expect(
                "rust-analyzer answers in time: RUST_ANALYZER is the path of one that runs",
            );
            if let Some(picked) = pick(&message) {
                return picked;
            }
            if message.get("method").is_some() && message.get("id").is_some() {
                let id = &message["id"];
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": null }));
            }
        }
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("it listens");
        self.input.flush().expect("it listens");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
