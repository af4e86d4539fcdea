//! Starts the real binary, and ends what it started.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

pub fn netlab(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlab-capture"));
    command.args(words);
    command
}

/// Runs the binary to its end with `input` on its standard input.
pub fn run(words: &[&str], input: &[u8]) -> Output {
    let mut child = netlab(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends without reading breaks the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server of the lab on a port that the system chose. It has said that it is
/// ready. Dropped, it is killed.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Server {
    pub fn start(program: &str, host: &str, options: &[&str]) -> Server {
        let mut child = netlab(&[program, host, "0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "listening", "on", ip, "port", port] = words[..] else {
            panic!("{program} says {line:?}");
        };
        let address = SocketAddr::new(ip.parse().unwrap(), port.parse().unwrap());
        line.clear();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains("ready") || line.contains("Ready"), "{line:?}");
        Server {
            child,
            address,
            stdout,
            stderr,
        }
    }

    pub fn host(&self) -> String {
        self.address.ip().to_string()
    }

    pub fn port(&self) -> String {
        self.address.port().to_string()
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Sends a signal, waits, and gives the exit code and what was still said.
    pub fn end(mut self, signal: rustix::process::Signal) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.stdout.read_to_string(&mut said).unwrap();
        self.stderr.read_to_string(&mut said).unwrap();
        (code, said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
