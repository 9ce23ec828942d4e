//! Apache httpd with a user for Basic and one for Digest.

use std::path::Path;
use std::process::Command;

use auth_tests::programs::install;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::server::{Server, free_address};

const MODULES: [&str; 8] = [
    "mpm_event",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_user",
    "auth_basic",
    "auth_digest",
    "headers",
];

/// Starts Apache with the users of these lines. It responds 404 to requests that it accepts, and names the user in
/// `X-User`.
pub(crate) fn start(basic: &str, digest: &str) -> (Server, TempDir) {
    install("apache2", "apache2-bin");
    let folder = tempfile::tempdir().expect("a folder");
    readable(folder.path());
    let path = folder.path().display();
    let address = free_address();
    let modules = MODULES
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
    let location = |scheme: &str, name: &str| {
        format!(
            "<Location /{name}>\nAuthType {scheme}\nAuthName lab\nAuth{scheme}Provider file\n\
             AuthUserFile {path}/{name}\nRequire valid-user\n</Location>\n"
        )
    };
    let configuration = format!(
        "ServerRoot {path}\nServerName localhost\nListen {address}\nPidFile {path}/pid\n\
         DefaultRuntimeDir {path}\nErrorLog {path}/errors\nDocumentRoot {path}\n\
         User www-data\nGroup www-data\n{}{}{}\
         Header always set X-User \"expr=%{{REMOTE_USER}}\"\n",
        modules.concat(),
        location("Basic", "basic"),
        location("Digest", "digest"),
    );
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("apache.conf", &configuration);
    write("basic", basic);
    write("digest", digest);
    // One process, which ends with the test.
    let mut apache = Command::new("apache2");
    apache
        .args(["-X", "-f"])
        .arg(folder.path().join("apache.conf"));
    (Server::start(&mut apache, address), folder)
}

/// Lets the user of the server read the folder.
fn readable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let readable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, readable).expect("permissions");
}

/// Returns a line of a user for Basic (`htpasswd -s`).
pub(crate) fn basic_user(user: &str, sha1_in_hex: &str) -> String {
    let digit = |index: usize| sha1_in_hex.get(index..index + 2).expect("two digits");
    let bytes: Vec<u8> = (0..sha1_in_hex.len() / 2)
        .map(|index| u8::from_str_radix(digit(index * 2), 16).expect("a byte"))
        .collect();
    format!("{user}:{{SHA}}{}\n", STANDARD.encode(bytes))
}
