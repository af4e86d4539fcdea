//! A thousand short scenarios, side by side on all cores, first on a quiet
//! machine, then beside a process that keeps a core busy. Every one must have
//! exactly its events and a complete proof.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::programs::{netlab, stderr};
use crate::record::{Folder, assert_complete, reports, verdict};

/// How many scenarios in all, over both halves.
const RUNS: usize = 1000;

const BURST: &str = r#"
[program.server]
stop = "TERM"
run = '''python3 -c "
import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
s.bind(('127.0.0.1',12000))
while True: s.recv(2000)
"'''
[program.client]
after = "server ready"
run = '''python3 -c "
import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
for i in range(200): s.sendto(b'%03d'%i,('127.0.0.1',12000))
"'''
[expect]
"two hundred datagrams and nothing else" = '''
exactly packets { client > server:12000 udp x200 }
udp[0].datagrams.to_server == 200
'''
"#;

const BYTE_BY_BYTE: &str = r#"
[program.server]
stop = "TERM"
run = '''python3 -c "
import socket
l=socket.socket()
l.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)
l.bind(('127.0.0.1',12000))
l.listen(5)
while True:
    c,_=l.accept()
    c.setsockopt(socket.IPPROTO_TCP,socket.TCP_NODELAY,1)
    for b in c.recv(2000).upper(): c.send(bytes([b]))
    c.close()
"'''
[program.client]
after = "server ready"
stdin = "the quick brown fox jumps over the lazy dog, again and again, byte by byte\n"
run = "netlab-capture tcp-client {address} 12000"
[expect]
"one connection, whole" = '''
exactly {
  client > server:12000  SYN
  server > client        SYN,ACK
  client > server        ACK
  client > server        data
  server > client        data "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG, AGAIN AND AGAIN, BYTE BY BYTE\n"
  server > client        FIN
  client > server        FIN
}
'''
"#;

/// The interpreter itself: what a version manager puts in its place takes ten
/// times as long to start, which is most of the time here.
fn python() -> String {
    let told = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}

/// Writes `copies` scenarios of each kind.
fn fill(folder: &Path, copies: usize) {
    let python = python();
    let builtin = |name: &str| {
        let shown = netlab(&["show", name]).output().unwrap();
        // The page that it compares with is the catalogue's; a copy has its own.
        String::from_utf8(shown.stdout)
            .unwrap()
            .replace("../www/", &format!("{}/www/", env!("CARGO_MANIFEST_DIR")))
    };
    let kinds = [
        ("refused", builtin("tcp-refused")),
        ("no-server", builtin("udp-no-server")),
        ("http", builtin("http-ok")),
        ("burst", BURST.replace("python3", &python)),
        ("bytes", BYTE_BY_BYTE.replace("python3", &python)),
    ];
    for copy in 0..copies {
        for (name, text) in &kinds {
            let path = folder.join(format!("{copy:03}-{name}.toml"));
            std::fs::write(path, text).unwrap();
        }
    }
}

fn soak(copies: usize) {
    let scenarios = Folder::new();
    fill(scenarios.path(), copies);
    let captures = Folder::new();
    let output = netlab(&["run", "--json", "--out"])
        .arg(captures.path())
        .arg(scenarios.path())
        .output()
        .unwrap();
    let reports = reports(&output);
    assert_eq!(reports.len(), copies * 5, "{}", stderr(&output));
    for report in &reports {
        assert_eq!(verdict(report), "pass", "{}", report["scenario"]["name"]);
        assert_complete(report);
    }
    assert_eq!(output.status.code(), Some(0));
    println!(
        "{} scenarios, each right and proven complete",
        reports.len()
    );
}

/// A process that wants a whole core; ended when dropped.
pub struct Busy(Child);

impl Busy {
    pub fn start() -> Busy {
        let child = Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Busy(child)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_thousand_runs_are_right() {
    soak(RUNS / 2 / 5);
    let _busy = Busy::start();
    soak(RUNS / 2 / 5);
}
