//! What a run will do: a scenario with everything filled in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::time::Duration;

use crate::scenario::{After, Ready, StopSignal};

use super::contain::Containment;

/// Everything that the recording half needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub programs: Vec<PlannedProgram>,
    /// For the whole run.
    pub timeout: Duration,
    pub addresses: Vec<IpAddr>,
    pub hosts: BTreeMap<String, IpAddr>,
    pub sysctl: BTreeMap<String, String>,
    pub network: Network,
    /// Bytes of each packet that are kept.
    pub snaplen: u32,
    /// The programs are not to be trusted. None: they see what the user sees.
    pub containment: Option<Containment>,
}

/// Whole packets: on loopback a segment may have 64 KiB.
pub const WHOLE_PACKETS: u32 = 262_144;

impl Plan {
    /// One command in a network of its own.
    pub fn of_command(
        role: &str,
        argv: Vec<OsString>,
        streams: Streams,
        timeout: Duration,
    ) -> Plan {
        Plan {
            programs: vec![PlannedProgram {
                role: role.to_owned(),
                argv,
                executable: None,
                streams,
                stdin: None,
                env: BTreeMap::new(),
                cwd: None,
                after: None,
                ready: None,
                stop: None,
                ends_waiting: false,
                timeout,
            }],
            timeout,
            addresses: Vec::new(),
            hosts: BTreeMap::new(),
            sysctl: BTreeMap::new(),
            network: Network::Private,
            snaplen: WHOLE_PACKETS,
            containment: None,
        }
    }

    /// A program of it has our own terminal and streams: its recorder must stay
    /// in our session, and out of the way of the terminal's signals.
    pub fn shares_our_terminal(&self) -> bool {
        let inherited = |p: &PlannedProgram| matches!(p.streams, Streams::Inherited { .. });
        self.programs.iter().any(inherited)
    }
}

/// Where a program's standard streams lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Streams {
    /// What is in `stdin` is read, what is written is kept.
    Kept,
    /// As `Kept`, but input and output are a terminal. What is typed is not
    /// echoed, and no key of it makes a signal.
    Terminal,
    /// They are ours, and so are the terminal and its signals. Of our other
    /// descriptors it gets these, which we were given ourselves.
    Inherited { descriptors: Vec<RawFd> },
}

/// Which loopback is captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// The run's own.
    Private,
    /// The machine's (`--host`), filtered to these ports.
    Host { ports: Vec<u16> },
}

/// One program, its command complete.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedProgram {
    pub role: String,
    /// Never empty.
    pub argv: Vec<OsString>,
    /// The file to execute where it is not `argv[0]`: our own binary.
    pub executable: Option<PathBuf>,
    pub streams: Streams,
    pub stdin: Option<Vec<u8>>,
    pub env: BTreeMap<String, String>,
    pub cwd: Option<PathBuf>,
    pub after: Option<After>,
    pub ready: Option<Ready>,
    pub stop: Option<StopSignal>,
    pub ends_waiting: bool,
    pub timeout: Duration,
}
