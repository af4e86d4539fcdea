//! What a run will do: a scenario with everything filled in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::scenario::{After, Ready, StopSignal};

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
    pub argv: Vec<String>,
    /// The file to execute where it is not `argv[0]`: our own binary.
    pub executable: Option<PathBuf>,
    pub stdin: Option<Vec<u8>>,
    pub env: BTreeMap<String, String>,
    pub cwd: Option<PathBuf>,
    pub after: Option<After>,
    pub ready: Option<Ready>,
    pub stop: Option<StopSignal>,
    pub ends_waiting: bool,
    pub timeout: Duration,
}
