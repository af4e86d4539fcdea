//! Programs and surroundings that do what nobody expects. Each test is named
//! after what once went wrong.

use std::process::Command;

use crate::programs::{netlab, stderr};
use crate::record::{Folder, assert_complete, processes_with, reports, verdict};

fn python(script: &str) -> String {
    format!("run = '''python3 -c \"\n{script}\n\"'''\n")
}

/// Our own right to sniff was lent to the program that asked for such a socket.
#[test]
fn a_packet_socket_in_the_guise_of_an_internet_socket_is_refused() {
    let folder = Folder::new();
    let script = "
import socket,errno
for kind in (socket.SOCK_RAW, 10, socket.SOCK_RDM, socket.SOCK_SEQPACKET):
    try:
        socket.socket(socket.AF_INET, kind, 0x300)
        print(kind, 'granted')
    except OSError as e:
        print(kind, errno.errorcode[e.errno])";
    let text = format!("[program.client]\n{}", python(script));
    let (_, report) = folder.run_text("packet-socket", &text);
    assert_eq!(verdict(&report), "pass");
    let out = report["programs"][0]["stdout"].as_str().unwrap();
    assert!(out.contains("10 EPERM"), "{out}");
    assert!(!out.contains("granted"), "{out}");
}

/// A program with no descriptor left ended the run, which then hung.
#[test]
fn a_program_without_a_free_descriptor_gets_emfile() {
    let folder = Folder::new();
    let script = "
import socket,resource,errno
resource.setrlimit(resource.RLIMIT_NOFILE,(64,64))
kept=[]
try:
    while True: kept.append(socket.socket())
except OSError as e:
    print(errno.errorcode[e.errno])
kept.clear()
socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(b'x',('127.0.0.1',9))";
    let text = format!(
        "[program.client]\n{}[expect]\n'it goes on' = 'packets(client > nobody udp) == 1'\n",
        python(script)
    );
    let (_, report) = folder.run_text("emfile", &text);
    assert_eq!(verdict(&report), "pass");
    assert_eq!(report["programs"][0]["stdout"], "EMFILE\n");
    assert_complete(&report);
}

/// A port that passed from one program to the next within a millisecond was given
/// to the wrong one, and of thousands of sockets that end at once some were lost.
#[test]
fn owners_are_exact_when_thousands_of_sockets_end_at_once() {
    let folder = Folder::new();
    let script = "
import socket
kept=[socket.socket(socket.AF_INET,socket.SOCK_DGRAM) for i in range(900)]
for s in kept: s.sendto(b'x',('127.0.0.1',9))";
    let programs: String = ["a", "b", "c"]
        .map(|role| format!("[program.{role}]\n{}", python(script)))
        .concat();
    let text = format!(
        "timeout = '30s'\n{programs}[expect]\n{}",
        ["a", "b", "c"]
            .map(|role| format!("'{role}' = 'packets({role} > nobody udp) == 900'\n"))
            .concat()
    );
    let (_, report) = folder.run_text("thousands", &text);
    assert_eq!(verdict(&report), "pass");
    assert_eq!(report["capture"]["proof"]["owners"], true);
}

/// A socket that connects again after a refusal has a new port each time, and
/// only the last was known.
#[test]
fn every_connect_of_a_socket_that_is_used_again_has_its_owner() {
    let folder = Folder::new();
    let script = "
import socket
s=socket.socket()
for i in range(5):
    try: s.connect(('127.0.0.1',12000))
    except ConnectionRefusedError: pass";
    let programs: String = ["a", "b"]
        .map(|role| format!("[program.{role}]\n{}", python(script)))
        .concat();
    let text = format!(
        "{programs}[expect]\na = 'packets(a > nobody SYN) == 5'\nb = 'packets(b > nobody SYN) == 5'\n"
    );
    let (_, report) = folder.run_text("again", &text);
    assert_eq!(verdict(&report), "pass");
}

/// Where our parent ignores SIGCHLD, ended programs were never noticed.
#[test]
fn an_ignored_sigchld_does_not_hide_the_ends_of_programs() {
    let folder = Folder::new();
    let output = Command::new("perl")
        .args(["-e", "$SIG{CHLD}='IGNORE'; exec @ARGV"])
        .arg(env!("CARGO_BIN_EXE_netlab-capture"))
        .args(["run", "tcp-refused", "--json", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    let report = &reports(&output)[0];
    assert_eq!(verdict(report), "pass");
}

#[test]
fn a_packet_taken_out_of_the_file_makes_it_inconclusive() {
    let folder = Folder::new();
    folder.run(&["tcp-refused"]);
    let file = folder.path().join("tcp-refused.pcapng");
    let mut bytes = std::fs::read(&file).unwrap();
    // The first enhanced packet block (type 6) goes.
    let mut at = 0;
    loop {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let length = word(at + 4) as usize;
        if word(at) == 6 {
            bytes.drain(at..at + length);
            break;
        }
        at += length;
    }
    std::fs::write(&file, bytes).unwrap();
    let output = netlab(&["check", "--json"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let report = &reports(&output)[0];
    assert_eq!(report["verdict"], "inconclusive");
    let text = report["expectations"].to_string();
    assert!(
        text.contains("2 packets were captured, but 1 is in the file"),
        "{text}"
    );
}

#[test]
fn a_bad_junit_path_still_gets_its_json_document() {
    let folder = Folder::new();
    let (output, reports) = folder.run(&["tcp-refused", "--junit", "/no/such/folder/x.xml"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0]["error"]["code"], "environment");
}

/// The expectations stand behind the packets, so that a cut file was said to have
/// been made by another program.
#[test]
fn a_capture_cut_in_the_middle_is_damaged_not_foreign() {
    let folder = Folder::new();
    folder.run(&["tcp-refused"]);
    let file = folder.path().join("tcp-refused.pcapng");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..300]).unwrap();
    let output = netlab(&["check", "--json"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let reports = reports(&output);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0]["error"]["code"], "damaged_capture");
}

/// What left its program's session survived a run on the machine's own loopback.
#[test]
fn nothing_survives_a_run_with_host() {
    let folder = Folder::new();
    let token = format!("7.{}", std::process::id());
    let text = format!(
        "[program.client]\nrun = '''sh -c '(setsid sleep 77{token} &) ; exec sleep 88{token}' '''\ntimeout = '300ms'\n"
    );
    let scenario = folder.file("host.toml", &text);
    let (output, _) = folder.run(&[scenario.to_str().unwrap(), "--host"]);
    assert!(matches!(output.status.code(), Some(1 | 3)), "{output:?}");
    assert!(processes_with(&token).is_empty());
}
