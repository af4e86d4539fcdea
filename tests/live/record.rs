//! Recording, for real: namespaces, packets, programs, their ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs::{netlab, stderr};

/// A folder of the test's own.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `run WORDS --json` with the captures in this folder.
    pub fn run(&self, words: &[&str]) -> (Output, Vec<Value>) {
        let output = netlab(&["run", "--json", "--out"])
            .arg(self.path())
            .args(words)
            .output()
            .unwrap();
        let reports = reports(&output);
        (output, reports)
    }

    /// Runs one scenario of this text.
    pub fn run_text(&self, name: &str, text: &str) -> (Output, Value) {
        let path = self.file(&format!("{name}.toml"), text);
        let (output, mut reports) = self.run(&[path.to_str().unwrap()]);
        assert_eq!(reports.len(), 1, "{}", stderr(&output));
        (output, reports.remove(0))
    }
}

pub fn reports(output: &Output) -> Vec<Value> {
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The verdict and, for the reader of a failure, everything that is not a pass.
pub fn verdict(report: &Value) -> String {
    let mut text = report["verdict"].as_str().unwrap_or("none").to_string();
    if text != "pass" {
        text.push_str(&format!(
            "\n{}\n{}\n{}",
            report["error"], report["expectations"], report["programs"]
        ));
    }
    text
}

pub fn assert_complete(report: &Value) {
    let proof = &report["capture"]["proof"];
    let name = &report["scenario"]["name"];
    assert_eq!(proof["opening"], true, "{name}: {proof}");
    assert_eq!(proof["closing"], true, "{name}: {proof}");
    assert_eq!(proof["interface_counter"], true, "{name}: {proof}");
    assert_eq!(report["capture"]["dropped"], 0, "{name}: {proof}");
}

#[test]
fn the_catalogue_passes_over_both_protocols_and_check_agrees() {
    for options in [&["--all"][..], &["--all", "--ipv6"]] {
        let folder = Folder::new();
        let (output, reports) = folder.run(options);
        assert_eq!(reports.len(), 9, "{}", stderr(&output));
        for report in &reports {
            let name = report["scenario"]["name"].as_str().unwrap();
            assert_eq!(verdict(report), "pass", "{name} {options:?}");
            assert_complete(report);
            assert_eq!(report["capture"]["proof"]["claimed"], false);

            let file = folder.path().join(format!("{name}.pcapng"));
            let checked = netlab(&["check", "--json"]).arg(&file).output().unwrap();
            assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
            let again = &self::reports(&checked)[0];
            assert_eq!(again["capture"]["proof"]["claimed"], true);
            for key in [
                "verdict",
                "expectations",
                "conversations",
                "programs",
                "messages",
            ] {
                assert_eq!(report[key], again[key], "{name}: {key}");
            }
        }
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn classic_pcap_has_its_recording_beside_it() {
    let folder = Folder::new();
    let (output, reports) = folder.run(&["tcp-refused", "--pcap"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(reports[0]["verdict"], "pass");
    let file = folder.path().join("tcp-refused.pcap");
    assert!(folder.path().join("tcp-refused.pcap.json").exists());
    assert!(!folder.path().join("tcp-refused.pcapng").exists());
    let checked = netlab(&["check", "--json"]).arg(&file).output().unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
}

#[test]
fn a_wrong_expectation_fails_with_exit_1_and_a_typing_error_with_2() {
    let shown = netlab(&["show", "tcp-refused"]).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    let folder = Folder::new();
    let wrong = text.replace("client  RST", "client  SYN,ACK");
    assert_ne!(wrong, text);
    let (output, report) = folder.run_text("wrong", &wrong);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!(report["verdict"], "fail");

    let broken = folder.file("broken.toml", &text.replace("SYN\n", "SYNN\n"));
    let output = netlab(&["run", "--out"])
        .arg(folder.path())
        .arg(&broken)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("SYNN"), "{}", stderr(&output));
    assert!(
        stderr(&output).contains('^') || stderr(&output).contains('┬'),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_place_where_captures_cannot_go_is_told_with_another_way() {
    let folder = Folder::new();
    let file = folder.file("captures", "");
    let output = netlab(&["run", "tcp-refused", "--out"])
        .arg(file.join("within"))
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(3), "{shown}");
    let told = "Not a directory; --out DIR puts the captures elsewhere";
    // Its lines end where the terminal does.
    let words: Vec<&str> = shown.split_whitespace().collect();
    assert!(words.join(" ").contains(told), "{shown}");
}

/// Processes whose command line holds the token.
pub fn processes_with(token: &str) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .filter(|entry| entry.file_name().to_string_lossy() != std::process::id().to_string())
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(token))
        .collect()
}

/// Looks until `condition` holds; the deadline is generous, as nothing rests on it
/// but how long a failure takes.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < until, "{what} did not happen");
        std::thread::yield_now();
    }
}

/// A program that leaves children behind and never ends.
fn forking(token: &str) -> String {
    format!(
        "timeout = '60s'\n[program.client]\nrun = '''sh -c 'sleep 1000.{token} & (setsid sleep 2000.{token} &) ; echo started; python3 -c \"import socket;socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(bytes(3),(\\\"127.0.0.1\\\",9))\"; exec sleep 3000.{token}' '''\n"
    )
}

/// The program has sent its datagram and become its last command.
fn has_sent(token: &str) -> bool {
    let last = format!("sleep 3000.{token}");
    processes_with(&last)
        .iter()
        .any(|line| line.starts_with(&last))
}

fn token() -> String {
    format!(
        "{}{}",
        std::process::id(),
        Instant::now().elapsed().as_nanos()
    )
}

#[test]
fn sigkill_in_mid_run_leaves_no_process_and_a_readable_capture() {
    let folder = Folder::new();
    let token = format!("9{}", token());
    let scenario = folder.file("forking.toml", &forking(&token));
    let mut child = netlab(&["run", "--out"])
        .arg(folder.path())
        .arg(&scenario)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the start", || has_sent(&token));
    let file = folder.path().join("forking.pcapng");
    // The datagram and the ICMP error, each at least 42 bytes, behind 100 of headers.
    eventually("the capture", || {
        fs::metadata(&file).is_ok_and(|m| m.len() > 250)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the end of every process", || {
        processes_with(&token).is_empty()
    });
    let checked = netlab(&["check", "--json", "-e", "packets(udp) >= 1"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
}

#[test]
fn sigkill_at_any_moment_leaves_no_process() {
    let folder = Folder::new();
    for step in 0..40u64 {
        let token = format!("8{step}{}", token());
        let scenario = folder.file("forking.toml", &forking(&token));
        let mut child = netlab(&["run", "--out"])
            .arg(folder.path())
            .arg(&scenario)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From before the first fork to behind the last start.
        let until = Instant::now() + Duration::from_micros(step * step * 60);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        eventually("the end of every process", || {
            processes_with(&token).is_empty()
        });
    }
}

#[test]
fn ctrl_c_keeps_what_was_captured() {
    let folder = Folder::new();
    let token = format!("7{}", token());
    let scenario = folder.file("forking.toml", &forking(&token));
    let child = netlab(&["run", "--json", "--out"])
        .arg(folder.path())
        .arg(&scenario)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("the start", || has_sent(&token));
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(2), "{output:?}");
    let report = &reports(&output)[0];
    assert_eq!(report["programs"][0]["ended"], "interrupted", "{report}");
    assert!(
        report["capture"]["packets"].as_u64().unwrap() >= 1,
        "{report}"
    );
    assert!(processes_with(&token).is_empty());
}

#[test]
fn a_second_ctrl_c_ends_a_run_whose_recorder_hangs() {
    let folder = Folder::new();
    let token = format!("6{}", token());
    let scenario = folder.file("forking.toml", &forking(&token));
    let mut child = netlab(&["run", "--json", "--out"])
        .arg(folder.path())
        .arg(&scenario)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the start", || has_sent(&token));
    let id = child.id();
    let recorder = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let signal = |name: &str, process: &str| {
        let sent = Command::new("kill").args([name, process.trim()]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP", &recorder);
    // Two that arrive together count as one.
    eventually("the end", || {
        signal("-INT", &id.to_string());
        child.try_wait().unwrap().is_some()
    });
    let status = child.wait().unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(2));
    eventually("the end of every process", || {
        processes_with(&token).is_empty()
    });
}

#[test]
fn programs_are_the_user_and_powerless() {
    let folder = Folder::new();
    let (_, report) = folder.run_text(
        "powers",
        r#"
[program.client]
run = "sh -c 'id -u; id -g; grep -E \"^(CapEff|CapPrm|CapBnd|CapInh|CapAmb|NoNewPrivs)\" /proc/self/status; touch made-here; stat -c %u made-here; unshare -n true || echo no-unshare; ls /proc | grep -cE \"^[0-9]+$\"'"
cwd = "."
"#,
    );
    let out = report["programs"][0]["stdout"].as_str().unwrap();
    let own = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], own.trim(), "{out}");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(out.contains(&format!("{set}:\t0000000000000000")), "{out}");
    }
    assert!(out.contains("NoNewPrivs:\t1"), "{out}");
    assert!(out.contains("no-unshare"), "{out}");
    assert!(folder.path().join("made-here").exists());
    let owner = std::os::unix::fs::MetadataExt::uid(
        &fs::metadata(folder.path().join("made-here")).unwrap(),
    );
    assert_eq!(owner.to_string(), own.trim());
    // The namespace's init, the shell, and what lists them.
    let processes: u32 = lines.last().unwrap().parse().unwrap();
    assert!(processes <= 5, "{out}");
}

#[test]
fn nothing_outside_is_reached_and_names_resolve_inside() {
    let folder = Folder::new();
    let (_, report) = folder.run_text(
        "names",
        r#"
addresses = ["10.0.4.26"]
hosts = { servername = "10.0.4.26" }
[program.client]
run = '''python3 -c "
import socket,errno
print(socket.gethostbyname('servername'))
print(socket.gethostbyname(socket.gethostname()))
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
try:
    s.sendto(b'x',('192.0.2.1',53))
except OSError as e:
    print(errno.errorcode[e.errno])
t=socket.socket()
t.bind(('10.0.4.26',80))
print('bound')
"'''
"#,
    );
    let out = report["programs"][0]["stdout"].as_str().unwrap();
    assert_eq!(
        out, "10.0.4.26\n127.0.0.1\nENETUNREACH\nbound\n",
        "{report}"
    );
    assert_eq!(report["capture"]["packets"], 0);
    assert_complete(&report);
}

/// Two clients side by side, 500 connections each, none longer than a
/// millisecond: each packet's owner is known by what it carries.
#[test]
fn owners_are_exact_for_a_thousand_short_flows() {
    let client = |letter: &str| {
        format!(
            r#"
[program.{letter}]
after = "server ready"
timeout = "50s"
run = '''python3 -c "
import socket
for i in range(500):
    s=socket.create_connection(('127.0.0.1',12000))
    s.sendall(b'{letter}')
    s.recv(1)
    s.close()
"'''
"#
        )
    };
    let folder = Folder::new();
    let (_, report) = folder.run_text(
        "flows",
        &format!(
            r#"
timeout = "55s"
[program.server]
stop = "TERM"
run = '''python3 -c "
import socket
l=socket.socket()
l.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)
l.bind(('127.0.0.1',12000))
l.listen(128)
while True:
    c,_=l.accept()
    c.sendall(c.recv(1))
    c.close()
"'''
{}{}
[expect]
"every flow of one" = 'packets(a > server data "a") == 500; no a > server data "b"'
"every flow of the other" = 'packets(b > server data "b") == 500; no b > server data "a"'
"all are whole" = 'each tcp[] has completeness == 31'
"#,
            client("a"),
            client("b")
        ),
    );
    assert_eq!(verdict(&report), "pass");
    assert_complete(&report);
    assert_eq!(report["conversations"].as_array().unwrap().len(), 1000);
    assert_eq!(report["capture"]["proof"]["owners"], true);
}

/// Runs `script` with the powers of root over namespaces of its own, whoever
/// runs the test.
fn in_own_namespaces(script: &str) -> Option<Output> {
    let root = Command::new("id").arg("-u").output().ok()?.stdout == b"0\n";
    let flags: &[&str] = if root {
        &["--mount"]
    } else {
        &["--user", "--map-root-user", "--mount"]
    };
    let output = Command::new("unshare")
        .args(flags)
        .args(["sh", "-c", script])
        .output()
        .ok()?;
    Some(output)
}

#[test]
fn a_full_disk_is_told_and_what_was_captured_is_readable() {
    let folder = Folder::new();
    let scenario = folder.file(
        "flood.toml",
        r#"
[program.client]
run = '''python3 -c "
import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
for i in range(200):
    s.sendto(bytes(8000),('127.0.0.1',9))
"'''
"#,
    );
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=256k tmpfs {disk} && {netlab} run {scenario} --out {disk}; echo code $?; {netlab} check {disk}/flood.pcapng -e 'packets(udp) > 3'; echo check $?",
        disk = disk.display(),
        netlab = env!("CARGO_BIN_EXE_netlab-capture"),
        scenario = scenario.display(),
    );
    let output = in_own_namespaces(&script).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("code 3"), "{text}{}", stderr(&output));
    assert!(text.contains("disk is full"), "{text}{}", stderr(&output));
    assert!(text.contains("check 0"), "{text}{}", stderr(&output));
}

/// Without any capability, in a user namespace where the step is refused.
fn refused(prepare: &str) -> Output {
    let folder = Folder::new();

    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg(format!(
            "set -e; D={}; B={}; {prepare}",
            folder.path().display(),
            env!("CARGO_BIN_EXE_netlab-capture"),
        ))
        .output()
        .unwrap()
}

const POWERLESS: &str = "setpriv --no-new-privs --inh-caps=-all --bounding-set=-all --securebits=+noroot,+noroot_locked";

#[test]
fn no_room_for_a_user_namespace_is_told_with_the_way_out() {
    let output = refused(&format!(
        "echo 0 > /proc/sys/user/max_user_namespaces; {POWERLESS} $B run tcp-refused --out $D || echo code $?; {POWERLESS} $B doctor || echo doctor $?"
    ));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("code 3"), "{text}{}", stderr(&output));
    assert!(text.contains("user.max_user_namespaces"), "{text}");
    assert!(text.contains("--host"), "{text}");
    assert!(text.contains("doctor 3"), "{text}");
    assert!(text.contains("(not tried)"), "{text}");
}

#[test]
fn a_user_namespace_refused_in_a_chroot_is_told_with_the_way_out() {
    let output = refused(&format!(
        "mkdir $D/root; mount --rbind / $D/root; chroot $D/root {POWERLESS} $B run tcp-refused --out $D || echo code $?"
    ));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("code 3"), "{text}{}", stderr(&output));
    assert!(text.contains("chroot"), "{text}");
}

#[test]
fn the_machines_own_loopback_is_captured_with_host() {
    let folder = Folder::new();
    let (output, reports) = folder.run(&["tcp-refused", "--host"]);
    if reports[0]["error"]["code"] == "environment" {
        let message = reports[0]["error"]["message"].as_str().unwrap();
        assert!(message.contains("CAP_NET_RAW"), "{message}");
        assert_eq!(output.status.code(), Some(3));
        return;
    }
    let proof = &reports[0]["capture"]["proof"];
    assert!(proof["interface_counter"].is_null(), "{proof}");
    assert_eq!(verdict(&reports[0]), "pass");
}

#[test]
fn doctor_finds_this_machine_fit() {
    let output = netlab(&["doctor"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("the capture is proven complete"), "{text}");
}

#[test]
fn a_program_that_cannot_be_executed_is_a_failure_not_an_error() {
    let folder = Folder::new();
    let (output, report) =
        folder.run_text("missing", "[program.client]\nrun = '/no/such/program x'\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report["verdict"], "fail");
    assert!(verdict(&report).contains("No such file"), "{report}");
}

#[test]
fn a_missing_working_folder_is_named() {
    let folder = Folder::new();
    let (output, report) = folder.run_text(
        "missing-folder",
        "[program.client]\nrun = 'true'\ncwd = 'no-such-folder'\n",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(verdict(&report).contains("no-such-folder"), "{report}");
}

#[test]
fn a_server_on_another_port_is_named_with_the_port_it_opened() {
    let folder = Folder::new();
    let (output, report) = folder.run_text(
        "other-port",
        r#"
timeout = "3s"
[program.server]
run = "netlab-capture tcp-server {address} 12001"
ready = { tcp = 12000 }
stop = "TERM"
[program.client]
run = "netlab-capture tcp-client {address} 12000"
stdin = "x"
after = "server ready"
"#,
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(verdict(&report).contains("12001"), "{report}");
}

#[test]
fn a_client_that_hangs_is_ended_at_its_time_and_still_judged() {
    let folder = Folder::new();
    let (output, report) = folder.run_text(
        "hangs",
        r#"
[program.client]
run = "netlab-capture udp-client {address} 12000"
stdin = "x\n"
timeout = "300ms"
[expect]
"it sent one" = 'packets(client > any udp) == 1'
"#,
    );
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!(report["programs"][0]["ended"], "timeout");
    assert_eq!(report["capture"]["packets"], 2);
    assert_complete(&report);
}
