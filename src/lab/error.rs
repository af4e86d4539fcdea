//! What stops a lab program, in one line that names address, port, cause and,
//! where there is one, the way out.

use std::fmt;
use std::io::{self, Write};

use super::Address;

/// Why a lab program ended with a failure.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error(
        "cannot find a host named {host:?}: {cause}; check the spelling, or give an IP address such as 127.0.0.1"
    )]
    UnknownHost { host: String, cause: String },
    #[error("cannot listen on {address}: {cause}{way_out}")]
    Listen {
        address: Address,
        cause: String,
        way_out: String,
    },
    /// A step on the network failed: `connect to 127.0.0.1 port 12000:
    /// Connection refused`.
    #[error("{action} {address}: {cause}")]
    Network {
        action: &'static str,
        address: Address,
        cause: String,
    },
    /// The other side did something that its protocol does not allow.
    #[error("{address}: {what}")]
    Peer { address: Address, what: String },
    #[error("cannot read standard input: {0}")]
    Input(String),
    #[error("no sentence: standard input ended before one was written")]
    NoSentence,
    #[error("the sentence is too long: {0}")]
    LongSentence(String),
    #[error("cannot write to standard output: {0}")]
    Output(String),
    #[error(
        "cannot serve the folder {folder}: {cause}; give a folder that you can read with --root"
    )]
    Root { folder: String, cause: String },
    #[error("cannot handle signals: {0}")]
    Signals(String),
}

impl LabError {
    pub(super) fn unknown_host(host: &str, error: &io::Error) -> Self {
        let text = cause(error);
        let text = text
            .strip_prefix("failed to lookup address information: ")
            .unwrap_or(&text);
        LabError::UnknownHost {
            host: host.to_string(),
            cause: text.to_string(),
        }
    }

    pub(super) fn network(action: &'static str, address: &Address, error: &io::Error) -> Self {
        LabError::Network {
            action,
            address: address.clone(),
            cause: cause(error),
        }
    }

    pub(super) fn peer(address: &Address, what: impl Into<String>) -> Self {
        LabError::Peer {
            address: address.clone(),
            what: what.into(),
        }
    }

    pub(super) fn output(error: &io::Error) -> Self {
        LabError::Output(cause(error))
    }

    pub(super) fn listen(address: &Address, error: &io::Error) -> Self {
        let way_out = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "; another program has this port: end it, or choose another port".to_string()
            }
            io::ErrorKind::PermissionDenied if (1..1024).contains(&address.port) => {
                "; ports below 1024 are privileged: choose 1024 or more".to_string()
            }
            io::ErrorKind::AddrNotAvailable => {
                "; this machine does not have that address: 127.0.0.1 always works".to_string()
            }
            _ => String::new(),
        };
        LabError::Listen {
            address: address.clone(),
            cause: cause(error),
            way_out,
        }
    }
}

/// Writes one line to stderr, in one piece. Where nobody reads it a server goes
/// on all the same.
pub(super) fn tell(line: fmt::Arguments<'_>) {
    let line = format!("{line}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// The system's words for an error, without Rust's ` (os error N)`.
pub(super) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_string(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_the_lab_expects_it() {
        let error = io::Error::from_raw_os_error(111);
        let shown = LabError::network("connect to", &Address::new("127.0.0.1", 12000), &error);
        if cfg!(target_os = "linux") {
            assert_eq!(
                shown.to_string(),
                "connect to 127.0.0.1 port 12000: Connection refused"
            );
        }
    }

    #[test]
    fn each_reason_not_to_listen_has_its_way_out() {
        let cases = [
            (io::ErrorKind::AddrInUse, 12000, "another program"),
            (io::ErrorKind::PermissionDenied, 80, "choose 1024"),
            (io::ErrorKind::AddrNotAvailable, 12000, "127.0.0.1"),
        ];
        for (kind, port, words) in cases {
            let error = LabError::listen(&Address::new("10.0.4.26", port), &kind.into());
            let text = error.to_string();
            assert!(text.contains(&format!("10.0.4.26 port {port}")), "{text}");
            assert!(text.contains(words), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
}
