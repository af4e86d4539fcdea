//! Broken scenario files, each beside the text that its author gets to read.
//!
//! After a wanted change of that text: `BLESS=1 cargo test --test cli mistakes`
//! writes the `.stderr` files anew; read the difference before it is committed.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures/scenario")
}

fn list(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::cargo_bin("netlab-capture").unwrap();
    command.current_dir(folder).arg("list").args(words);
    command
}

#[test]
fn every_broken_file_gets_the_text_beside_it() {
    let folder = fixtures();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 15, "{} fixtures", files.len());
    let bless = std::env::var_os("BLESS").is_some();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let output = list(&folder, &[name]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{name}");
        let told = String::from_utf8(output.stderr).unwrap();
        let expected = file.with_extension("stderr");
        if bless {
            std::fs::write(&expected, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(told, expected, "{name}:\n{told}");
    }
}

/// Nothing in a file reaches the terminal as anything but text.
#[test]
fn what_is_told_holds_no_control_character() {
    let told = list(&fixtures(), &["hostile.toml"])
        .output()
        .unwrap()
        .stderr;
    let told = String::from_utf8(told).unwrap();
    let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!told.chars().any(hostile), "{told:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bytes.toml"), b"title = \"\xff\"").unwrap();
    std::fs::write(folder.path().join("large.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    let output = list(folder.path(), &["bytes.toml", "large.toml", "gone.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    for words in [
        "the file must be UTF-8",
        "it has more than 1 MiB",
        "there is no file or folder `gone.toml`",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn the_mistakes_of_all_files_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.toml", "b.toml"] {
        std::fs::write(folder.path().join(name), "[program.x]\n").unwrap();
    }
    let output = list(folder.path(), &[".", "nothing"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    for place in ["./a.toml:1:10", "./b.toml:1:10", "command line:1:3"] {
        assert!(told.contains(place), "{place}: {told}");
    }
}

#[test]
fn two_files_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["a", "b"] {
        std::fs::create_dir(folder.path().join(sub)).unwrap();
        let file = folder.path().join(sub).join("x.toml");
        std::fs::write(file, "[program.x]\nrun = 'true'\n").unwrap();
    }
    let output = list(folder.path(), &["a", "b"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("two scenarios are called `x`"), "{told}");
}
