//! `./lab` on machines where something is missing: the commands that it finds
//! are stand-ins which note that they were called.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder that is the whole `PATH`.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// With everything that building and testing need, and apt.
    fn complete() -> Machine {
        let machine = Machine {
            folder: tempfile::tempdir().unwrap(),
        };
        for tool in [
            "sh", "env", "sed", "dirname", "uname", "tail", "cat", "true",
        ] {
            let real = ["/bin", "/usr/bin"]
                .map(|folder| Path::new(folder).join(tool))
                .into_iter()
                .find(|path| path.exists())
                .unwrap();
            symlink(real, machine.path(tool)).unwrap();
        }
        machine.stub("id", "echo 1000");
        machine.stub(
            "cargo",
            "case $1 in --version) echo 'cargo 1.95.0 (x)';; *) echo \"cargo $*\";; esac",
        );
        machine.stub("cc", "cat >/dev/null");
        for tool in [
            "tshark",
            "tcpdump",
            "python3",
            "javac",
            "chromium",
            "chromedriver",
        ] {
            machine.stub(tool, "");
        }
        machine.stub("apt-get", "echo \"apt-get $*\" >>\"$LOG\"");
        machine.stub("apt-cache", "echo '  Candidate: 1.63.0+dfsg1-2'");
        machine.stub(
            "sudo",
            "echo \"sudo $*\" >>\"$LOG\"; [ \"$1\" != -n ] || shift; exec \"$@\"",
        );
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn stub(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn lab(&self, words: &[&str]) -> Output {
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/lab"))
            .args(words)
            .env_clear()
            .env("PATH", self.folder.path())
            .env("HOME", self.folder.path())
            .env("LOG", self.path("log"))
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("CI", "true")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What was asked of sudo and of the package manager.
    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn with_everything_there_nothing_is_installed() {
    let machine = Machine::complete();
    let prepared = machine.lab(&["prepare"]);
    assert!(prepared.status.success(), "{}", text(&prepared.stderr));
    let tested = machine.lab(&["test", "--lib"]);
    assert!(text(&tested.stdout).starts_with("cargo test --locked"));
    assert!(text(&tested.stdout).ends_with("--lib\n"));
    assert_eq!(machine.log(), "");
}

#[test]
fn words_go_to_the_built_binary_and_run_alone_means_all() {
    let machine = Machine::complete();
    fs::create_dir_all(machine.path("target/release")).unwrap();
    machine.stub("target/release/netlab-capture", "echo \"ran:$*\"");
    for (words, ran) in [
        (&["run"][..], "ran:run --all\n"),
        (
            &["run", "tcp-refused", "--json"],
            "ran:run tcp-refused --json\n",
        ),
        (&["list"], "ran:list\n"),
        (&[], "ran:\n"),
    ] {
        let output = machine.lab(words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), ran, "nothing else is on stdout");
        assert!(text(&output.stderr).contains("build --quiet --release --locked"));
    }
    assert_eq!(machine.log(), "");
}

#[test]
fn what_is_missing_is_installed_by_sudo() {
    let machine = Machine::complete();
    machine.stub("cc", "cat >/dev/null; exit 1");
    machine.remove("tshark");
    let output = machine.lab(&["prepare"]);
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("package libpcap-dev") && told.contains("package tshark"),
        "{told}"
    );
    assert!(
        machine
            .log()
            .contains("apt-get install -y --no-install-recommends libpcap-dev tshark"),
        "{}",
        machine.log()
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn who_may_not_install_is_told_the_package_and_the_command() {
    let machine = Machine::complete();
    machine.remove("tcpdump");
    for sudo in [Some("exit 1"), None] {
        match sudo {
            Some(script) => machine.stub("sudo", script),
            None => machine.remove("sudo"),
        }
        let output = machine.lab(&["test"]);
        assert_eq!(output.status.code(), Some(3));
        let told = text(&output.stderr);
        assert!(
            told.contains("sudo apt-get install -y --no-install-recommends tcpdump"),
            "{told}"
        );
        assert_eq!(machine.log(), "");
    }
}

#[test]
fn running_needs_no_tool_of_the_tests() {
    let machine = Machine::complete();
    for tool in ["tshark", "tcpdump", "python3", "sudo"] {
        machine.remove(tool);
    }
    fs::create_dir_all(machine.path("target/release")).unwrap();
    machine.stub("target/release/netlab-capture", "echo ran");
    assert_eq!(text(&machine.lab(&["run"]).stdout), "ran\n");
}

#[test]
fn a_cargo_that_is_missing_or_too_old_is_explained() {
    let machine = Machine::complete();
    machine.stub("cargo", "echo 'cargo 1.63.0'");
    let output = machine.lab(&["run"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("cargo 1.63.0 is too old"));
    machine.remove("cargo");
    let output = machine.lab(&["run"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("https://rustup.rs"));
    assert_eq!(machine.log(), "");
    // A distribution with a cargo that is new enough.
    machine.stub("apt-cache", "echo '  Candidate: 1.90.0+dfsg1-1'");
    machine.lab(&["run"]);
    assert!(
        machine.log().contains("recommends cargo"),
        "{}",
        machine.log()
    );
}
