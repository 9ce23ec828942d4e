//! skopeo copies an image into the registry and out of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::container::{Registry, digest_of};
use crate::run;
use auth_tests::programs::install;

/// Writes an image with one layer, in the form of skopeo's `dir:`.
fn write_image(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let write = |bytes: &[u8]| {
        let digest = digest_of(bytes);
        let name = digest.strip_prefix("sha256:").expect("SHA-256");
        fs::write(folder.join(name), bytes).expect("a file");
        digest
    };
    fs::write(folder.join("hello"), "hello\n").expect("a file");
    let archive = folder.join("layer.tar");
    let mut tar = Command::new("tar");
    tar.arg("--create")
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(folder)
        .arg("hello");
    assert!(run(&mut tar).0);
    let plain = fs::read(&archive).expect("an archive");
    assert!(run(Command::new("gzip").arg(&archive)).0);
    let layer = fs::read(folder.join("layer.tar.gz")).expect("an archive");
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [digest_of(&plain)] },
    });
    let config = config.to_string();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": write(config.as_bytes()), "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": write(&layer), "size": layer.len(),
        }],
    });
    fs::write(folder.join("manifest.json"), manifest.to_string()).expect("a file");
    fs::write(folder.join("version"), "Directory Transport Version: 1.1\n").expect("a file");
}

#[test]
fn images_are_pushed_and_pulled() {
    install("skopeo", "skopeo");
    let registry = Registry::start();
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image");
    write_image(&image);
    let skopeo = |arguments: &[&str]| {
        let mut skopeo = Command::new("skopeo");
        run(skopeo
            .env("HOME", folder.path())
            .arg("--insecure-policy")
            .args(arguments))
    };
    let source = format!("dir:{}", image.display());
    let push = |user: &str, name: &str| {
        let target = format!("docker://{}/{name}", registry.host());
        let user = format!("{user}:secret");
        skopeo(&[
            "copy",
            "--dest-tls-verify=false",
            "--dest-creds",
            &user,
            &source,
            &target,
        ])
    };
    let inspect = |user: &str, name: &str| {
        let target = format!("docker://{}/{name}", registry.host());
        let user = format!("{user}:secret");
        skopeo(&[
            "inspect",
            "--raw",
            "--tls-verify=false",
            "--creds",
            &user,
            &target,
        ])
    };

    let (is_pushed, text) = push("bob", "ann/web:1");
    assert!(!is_pushed && text.contains("unauthorized"), "{text}");
    let (is_pushed, text) = push("ann", "ann/web:1");
    assert!(is_pushed, "{text}");
    let (is_pulled, text) = inspect("bob", "ann/web:1");
    assert!(is_pulled && text.contains("schemaVersion"), "{text}");
    let (is_pulled, text) = inspect("eve", "ann/web:1");
    assert!(!is_pulled && text.contains("unauthorized"), "{text}");
    let (is_pulled, text) = inspect("bob", "bob/web:1");
    assert!(!is_pulled && text.contains("unauthorized"), "{text}");

    // A hidden repository is not there for bob, as one that does not exist.
    let (is_pulled, text) = inspect("ann", "secret/plans:1");
    assert!(is_pulled && text.contains("plans"), "{text}");
    let (is_pulled, hidden) = inspect("bob", "secret/plans:1");
    assert!(!is_pulled, "{hidden}");
    let place = |text: &str| {
        let from = text.find("reading manifest");
        text[from.unwrap_or_default()..]
            .replace("plans", "other")
            .trim()
            .to_owned()
    };
    let (_, unknown) = inspect("bob", "nowhere/deep/other:1");
    assert_eq!(
        place(&hidden).replace("secret/other", "nowhere/deep/other"),
        place(&unknown)
    );
}
