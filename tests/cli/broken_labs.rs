//! The lab as it goes wrong, each beside the text that its student gets to
//! read: `fixtures/broken/NAME.toml` and `NAME.txt`. Programs and packets are
//! real; what differs from run to run has a placeholder in the text.
//!
//! After a wanted change of that text: `BLESS=1 cargo test --test cli broken`
//! writes the `.txt` files anew; read the difference before it is committed.

use std::path::Path;

use assert_cmd::Command;
use regex::{Captures, Regex};

/// What `run` says, and its exit code.
fn told(file: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let name = file.file_name().unwrap();
    std::fs::copy(file, folder.path().join(name)).unwrap();
    let columns = if name == "narrow.toml" { "45" } else { "80" };
    let output = Command::cargo_bin("netlab-capture")
        .unwrap()
        .current_dir(folder.path())
        .env("COLUMNS", columns)
        .env("LC_ALL", "C.UTF-8")
        .arg("run")
        .arg(name)
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let code = output.status.code().unwrap();
    format!("{}exit code {code}\n", steady(&text))
}

/// Placeholders for ephemeral ports and times. How wide the ladder is depends
/// on its times, so that lines and gaps in it are drawn short.
fn steady(text: &str) -> String {
    let replace = |text: &str, what: &str, with: &str| {
        let what = Regex::new(what).unwrap();
        what.replace_all(text, with).into_owned()
    };
    let port = Regex::new(r":(\d{5})\b").unwrap();
    let text = port.replace_all(text, |found: &Captures| match &found[1] {
        lab @ ("12000" | "12001") => format!(":{lab}"),
        _ => ":PORT_".to_owned(),
    });
    let text = replace(&text, r"(?m)\s*·\s+[\d.]+ m?s$", " · TIME");
    let (ladder, rest) = text.split_at(text.find("\nPackets: ").unwrap_or(0));
    let ladder = replace(ladder, r"(?m)^([✗ ]) *\d+\.\d{3}  (\d)", "$1 TIME  $2");
    let ladder = replace(&ladder, "─+", "──");
    let ladder = replace(&ladder, "(?m) {3,}", "   ");
    format!("{ladder}{rest}")
}

#[test]
fn every_broken_lab_is_explained_by_the_text_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures/broken");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{} fixtures", files.len());
    let bless = std::env::var_os("BLESS").is_some();
    for file in files {
        let told = told(&file);
        let expected = file.with_extension("txt");
        if bless {
            std::fs::write(&expected, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(told, expected, "{}:\n{told}", file.display());
    }
}
