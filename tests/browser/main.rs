//! The page in a real browser: what it shows, what it answers, what it refuses
//! to run.

mod class;
mod driver;
mod engine;
mod hostile;
mod page;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A reference capture.
fn capture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("captures/reference")
        .join(format!("{name}.pcapng"))
}

/// The page that the tool writes with `words` in front of `--html`.
fn page(folder: &Path, words: &[&str]) -> PathBuf {
    let path = folder.join("page.html");
    let output = Command::new(env!("CARGO_BIN_EXE_netlab-capture"))
        .args(words)
        .arg("--html")
        .arg(&path)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(path.is_file(), "{told}");
    path
}

fn page_of(folder: &Path, name: &str) -> PathBuf {
    page(folder, &["check", capture(name).to_str().unwrap()])
}

/// The page without a capture, as `view` writes it.
fn page_alone(folder: &Path) -> PathBuf {
    let path = folder.join("view.html");
    let status = Command::new(env!("CARGO_BIN_EXE_netlab-capture"))
        .args(["view", "--out"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    path
}

/// axe-core, which `./lab test` fetches; None, with a word why, where it is
/// missing.
fn axe() -> Option<String> {
    let folder = Path::new(env!("CARGO_BIN_EXE_netlab-capture"))
        .parent()?
        .parent()?;
    let path = folder.join("axe-core/package/axe.min.js");
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        let required = std::env::var_os("NETLAB_REQUIRE_LIVE").is_some_and(|v| v == "1");
        assert!(
            !required,
            "NETLAB_REQUIRE_LIVE=1, and {} is missing",
            path.display()
        );
        eprintln!("not tested with axe-core: {} is missing", path.display());
    }
    text
}

/// Nothing that axe-core knows of keeps people out, by WCAG 2.2 AA and its own
/// good practice.
fn is_accessible(browser: &driver::Browser, axe: Option<&str>, what: &str) {
    let Some(axe) = axe else { return };
    browser.run(axe);
    let tags = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";
    browser.run(&format!(
        "axe.run(document, {{ runOnly: {tags} }}).then(r => {{ window.found = r.violations }})"
    ));
    browser.wait("return window.found !== undefined");
    let found = browser.run(
        "return window.found.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')).join('\\n')",
    );
    assert_eq!(found, serde_json::json!(""), "{what}");
}
