//! The typed content of a scenario file.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use crate::diagnostic::Source;
use crate::savefile::Protocol;

/// A scenario as its author wrote it. Commands still hold `{address}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file's stem; what `run NAME` takes for the catalogue.
    pub name: String,
    pub source: Source,
    pub title: Option<String>,
    pub question: Option<String>,
    pub answer: Option<String>,
    /// Shown when an expectation fails.
    pub hint: Option<String>,
    /// For the whole run.
    pub timeout: Duration,
    /// Further addresses on `lo`.
    pub addresses: Vec<IpAddr>,
    /// Names for the private hosts file.
    pub hosts: BTreeMap<String, IpAddr>,
    /// Keys as sysctl writes them: `net.ipv4.tcp_syn_retries`.
    pub sysctl: BTreeMap<String, String>,
    /// In the order of the file; roles are unique.
    pub programs: Vec<ProgramSpec>,
    /// In the order of the file.
    pub expectations: Vec<ExpectationText>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProgramSpec {
    pub role: String,
    /// Split into words as a shell splits them; never empty.
    pub run: Vec<String>,
    pub stdin: Option<Vec<u8>>,
    /// None: 0.
    pub exit: Option<RightExit>,
    pub stdout: Option<OutputPattern>,
    pub stderr: Option<OutputPattern>,
    pub after: Option<After>,
    /// None: every program that others wait for is ready when it listens on
    /// any port.
    pub ready: Option<Ready>,
    /// The signal that ends a program which never ends by itself: `TERM`.
    pub stop: Option<StopSignal>,
    /// `ends = "waiting"`.
    pub ends_waiting: bool,
    /// Its input and output are a terminal.
    pub pty: bool,
    /// Relative to the scenario file.
    pub cwd: Option<String>,
    pub env: BTreeMap<String, String>,
    /// None: the scenario's.
    pub timeout: Option<Duration>,
    /// Bytes of the source that name the program (its table's header).
    pub span: Range<usize>,
}

/// `exit = 1`, `exit = "any"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightExit {
    Code(i32),
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputPattern {
    /// `"text"`: the whole output.
    Equals(String),
    /// `{ contains = "text" }`.
    Contains(String),
    /// `{ matches = "regex" }`.
    Matches(String),
}

/// `after = "server ready"`, `after = "client exit"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    Ready(String),
    Exit(String),
}

/// `ready = { tcp = 12000 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    pub protocol: Protocol,
    pub port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    Term,
    Int,
    Hup,
    Quit,
    Kill,
}

/// One key of `[expect]`: its statements, not yet parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectationText {
    pub name: String,
    /// The statements, as the TOML string's value.
    pub text: String,
    /// `hint` of the table form.
    pub hint: Option<String>,
    /// `points` of the table form.
    pub points: Option<f64>,
    /// `visibility` of the table form.
    pub visibility: Option<String>,
    /// For each byte offset of `text` (and its end) the offset in the source:
    /// escapes and the quotes of a TOML string move them apart.
    pub offsets: Vec<usize>,
}

impl ExpectationText {
    /// Where a range of `text` stands in the source.
    pub fn source_span(&self, range: Range<usize>) -> Range<usize> {
        let at = |i: usize| {
            self.offsets
                .get(i)
                .or(self.offsets.last())
                .copied()
                .unwrap_or_default()
        };
        at(range.start)..at(range.end)
    }
}
