//! Running tshark.

use std::ffi::OsStr;
use std::process::Command;

/// What tshark printed and how it ended.
pub struct Output {
    /// The exit code; None where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    /// Without the line that it prints when root runs it.
    pub stderr: String,
}

/// Is tshark here? Says on stderr where it is not, and fails where the
/// environment asks for every test (`NETLAB_REQUIRE_LIVE=1`).
pub fn available() -> bool {
    let here = Command::new("tshark").arg("--version").output().is_ok();
    if !here {
        let required = std::env::var_os("NETLAB_REQUIRE_LIVE").is_some_and(|v| v == "1");
        assert!(
            !required,
            "NETLAB_REQUIRE_LIVE=1, and tshark is not installed"
        );
        eprintln!("not run: tshark is not installed");
    }
    here
}

/// Runs tshark with these arguments, without the user's own configuration.
pub fn tshark<I, S>(arguments: I) -> Output
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let config = tempfile::tempdir().unwrap();
    let output = Command::new("tshark")
        .args(arguments)
        .env("WIRESHARK_CONFIG_DIR", config.path())
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| !line.starts_with("Running as user \"root\""))
        .collect::<Vec<_>>()
        .join("\n");
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr,
    }
}

/// Was it built with Lua?
pub fn speaks_lua() -> bool {
    let output = Command::new("tshark").arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .contains("with lua")
}
