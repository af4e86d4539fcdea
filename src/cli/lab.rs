//! The lab's own programs on the command line.
//!
//! Scenarios start them and measure in milliseconds, so [`dispatch`] looks at
//! the first word only and reads nothing that belongs to the other commands.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::Exit;
use super::output::complain;
use crate::lab::{Address, Announce, LabError, end_on_signals, tcp, udp, web};

/// A client or a server of the lab.
#[derive(Debug, Subcommand)]
pub(super) enum Program {
    /// Answer each UDP datagram with the same text in upper case
    UdpServer(Listen),
    /// Send one sentence in a UDP datagram and print the reply
    UdpClient {
        #[command(flatten)]
        server: Connect,
        /// Connect the socket first: then a server that is not there gives
        /// "Connection refused", where an unconnected socket waits for ever
        #[arg(long)]
        connected: bool,
    },
    /// Answer one sentence on each TCP connection with the same text in upper case
    TcpServer(Listen),
    /// Send one sentence over TCP and print the reply
    TcpClient(Connect),
    /// Serve web pages (HTTP/1.1, GET and HEAD)
    WebServer {
        #[command(flatten)]
        at: Listen,
        /// Serve this folder instead of the pages inside the program
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
        /// How long a client may take for one request, or be silent
        #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
        timeout: Duration,
    },
    /// Fetch one page: the body goes to stdout, the status line to stderr
    ///
    /// Ends with 0 for every answer, 404 too, and with 1 when there is none.
    WebClient {
        #[command(flatten)]
        server: Connect,
        /// What to fetch, for instance /HelloWorld.html
        path: String,
        /// Print the status line and the header fields on stdout, before the body
        #[arg(short, long)]
        include: bool,
    },
}

/// Where a server listens.
#[derive(Debug, Args)]
pub(super) struct Listen {
    /// IPv4 or IPv6 address, or host name, to listen on
    address: String,
    /// Port to listen on; 0 lets the system choose one
    port: u16,
}

/// Where a client connects.
#[derive(Debug, Args)]
pub(super) struct Connect {
    /// IPv4 or IPv6 address, or host name, of the server
    address: String,
    /// Port of the server
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

impl Listen {
    fn address(&self) -> Address {
        Address::new(&self.address, self.port)
    }
}

impl Connect {
    fn address(&self) -> Address {
        Address::new(&self.address, self.port)
    }
}

/// The same programs without the other commands.
#[derive(Debug, Parser)]
#[command(name = "netlab-capture", version, max_term_width = 100)]
struct Only {
    #[command(subcommand)]
    program: Program,
}

const NAMES: [&str; 6] = [
    "udp-server",
    "udp-client",
    "tcp-server",
    "tcp-client",
    "web-server",
    "web-client",
];

/// Runs a lab program if `first`, the first word after the program's name, is
/// one; argv is read again from there.
pub(super) fn dispatch(first: Option<&OsStr>) -> Option<ExitCode> {
    first
        .filter(|word| NAMES.iter().any(|name| OsStr::new(name) == *word))
        .map(|_| run(&Only::parse().program))
}

/// Runs a lab program to its end.
pub(super) fn run(program: &Program) -> ExitCode {
    let (name, ended) = match program {
        Program::UdpServer(at) => ("udp-server", serve_udp(at)),
        Program::UdpClient { server, connected } => {
            ("udp-client", udp::ask(&server.address(), *connected))
        }
        Program::TcpServer(at) => ("tcp-server", serve_tcp(at)),
        Program::TcpClient(server) => ("tcp-client", tcp::ask(&server.address())),
        Program::WebServer { at, root, timeout } => {
            ("web-server", serve_web(at, root.as_deref(), *timeout))
        }
        Program::WebClient {
            server,
            path,
            include,
        } => ("web-client", web::get(&server.address(), path, *include)),
    };
    match ended {
        Ok(()) => Exit::Passed.into(),
        Err(error) => {
            complain(&format!("{name}: {error}\n"));
            Exit::Failed.into()
        }
    }
}

const READY: &str = "The server is ready to receive";

fn serve_udp(at: &Listen) -> Result<(), LabError> {
    end_on_signals()?;
    let announce = Announce {
        line: READY,
        program: "udp-server",
    };
    udp::serve(&at.address(), &announce).map(never)
}

fn serve_tcp(at: &Listen) -> Result<(), LabError> {
    end_on_signals()?;
    let announce = Announce {
        line: READY,
        program: "tcp-server",
    };
    tcp::serve(&at.address(), &announce).map(never)
}

fn serve_web(
    at: &Listen,
    root: Option<&std::path::Path>,
    timeout: Duration,
) -> Result<(), LabError> {
    end_on_signals()?;
    let site = match root {
        Some(folder) => web::Site::folder(folder)?,
        None => web::Site::Embedded,
    };
    let announce = Announce {
        line: "Ready to serve...",
        program: "web-server",
    };
    web::serve(&at.address(), &announce, web::Settings { site, timeout }).map(never)
}

fn never(endless: Infallible) {
    match endless {}
}

/// A positive number of seconds, up to a day, with or without a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "write a number of seconds, for instance 10 or 0.5".to_string())?;
    if !(0.001..=86_400.0).contains(&number) {
        return Err("choose between 0.001 and 86400 seconds".to_string());
    }
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_commands() {
        let command = <Only as clap::CommandFactory>::command();
        let commands: Vec<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        assert_eq!(commands, NAMES);
        assert!(dispatch(None).is_none());
        assert!(dispatch(Some(OsStr::new("run"))).is_none());
    }

    #[test]
    fn seconds_have_limits() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "x"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
