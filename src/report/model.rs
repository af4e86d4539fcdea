//! The JSON document, from the top: scenario, verdict, programs, capture,
//! expectations. Field names spell Wireshark's where Wireshark has one.
//!
//! What is absent is left out: a field is never null.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::conversation::{Conversation, Message};
use super::listing::Packets;
use super::lookup::Lookup;
use super::packet::Port;
use super::summary::Summary;
use crate::expect;
use crate::savefile::{Compression, Ended, Exit, Format, Protocol};

/// One scenario or one capture, judged: the document that `--json` writes on
/// one line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    pub schema: SchemaName,
    /// Absent where a capture was read that no scenario made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Scenario>,
    /// Of the whole: error before fail before inconclusive before pass. Absent
    /// where nothing was to be judged (`inspect`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why the verdict is "error".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// From the start of the first program to the end of the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// In the order of the scenario.
    pub programs: Vec<Program>,
    /// Absent where nothing was recorded or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// What the capture holds. Only of `inspect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Absent unless asked for: a capture may hold millions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets: Option<Packets>,
    /// In the order of their first packets.
    pub conversations: Vec<Conversation>,
    /// One for each HTTP transaction.
    pub messages: Vec<Message<'static>>,
    /// DNS queries and their answers. Only of `inspect`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<Lookup>,
    /// In the order of the scenario, behind those that every program carries.
    pub expectations: Vec<Expectation>,
}

/// A report without what may be written before the rest is known.
#[derive(Debug, Serialize)]
pub struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: &'a Option<Scenario>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: &'a Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: &'a Option<Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: &'a Option<f64>,
    programs: &'a [Program],
    #[serde(skip_serializing_if = "Option::is_none")]
    capture: &'a Option<Capture>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: &'a Option<Summary>,
    #[serde(skip_serializing_if = "<[Lookup]>::is_empty")]
    lookups: &'a [Lookup],
    expectations: &'a [Expectation],
}

impl Report {
    /// All but the schema's name, packets, messages and conversations.
    pub fn rest(&self) -> Rest<'_> {
        let Report {
            schema: _,
            scenario,
            verdict,
            error,
            duration_ms,
            programs,
            capture,
            summary,
            packets: _,
            conversations: _,
            messages: _,
            lookups,
            expectations,
        } = self;
        Rest {
            scenario,
            verdict,
            error,
            duration_ms,
            programs,
            capture,
            summary,
            lookups,
            expectations,
        }
    }
}

/// The name and version of this format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum SchemaName {
    #[default]
    #[serde(rename = "netlab-capture/report/v1")]
    V1,
}

/// What a judgement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    /// Evidence may be missing: neither pass nor fail.
    Inconclusive,
    /// Nothing could be judged, or the capture is damaged: see `error`.
    Error,
}

impl From<expect::Verdict> for Verdict {
    fn from(verdict: expect::Verdict) -> Verdict {
        match verdict {
            expect::Verdict::Pass => Verdict::Pass,
            expect::Verdict::Fail => Verdict::Fail,
            expect::Verdict::Inconclusive => Verdict::Inconclusive,
        }
    }
}

/// What kept the tool from a judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Error {
    pub code: ErrorCode,
    /// For a reader; may have several lines.
    pub message: String,
}

/// Each stands for one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A wrong command line, or a scenario or expectation file that cannot be
    /// understood (exit code 2).
    Usage,
    /// No namespace, no permission, disk full (exit code 3).
    Environment,
    /// Our own failure to launch or supervise (exit code 4).
    Internal,
    /// The capture file is damaged: it was read up to the damage (exit code 6).
    DamagedCapture,
}

/// What was run, and what it is to teach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Scenario {
    /// The file's stem; what `run NAME` takes.
    pub name: String,
    /// In a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The lab's question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What the packets show, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Shown when an expectation fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The file it was read from; `builtin:NAME` for the catalogue. Absent
    /// where it is not known (an error before it was found).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// One program of the run, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Program {
    /// Its name in the scenario.
    pub role: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Absent in the stable form, and where it never started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Absent: it was never started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// What ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Why it could not be executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_error: Option<String>,
    /// Why it was not started, or was ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// As UTF-8; bytes that are none are U+FFFD (the savefile keeps them all).
    pub stdout: String,
    /// As `stdout`.
    pub stderr: String,
    /// Bytes of output beyond the bound, which were not kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_cut: u64,
    /// From its start to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// The sockets it owned.
    pub sockets: Vec<Socket>,
}

/// A socket that a program owned.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Socket {
    pub protocol: Protocol,
    /// The address may be a wildcard.
    pub local: Endpoint,
    /// Absent where it was not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Endpoint>,
    /// It listened for connections.
    #[serde(skip_serializing_if = "is_false")]
    pub listening: bool,
    /// When it was created, nanoseconds since the epoch, in packet time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_ns: Option<i64>,
    /// When it was gone, nanoseconds since the epoch, in packet time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_ns: Option<i64>,
}

/// An address and a port, and who owned them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Endpoint {
    /// IPv4 or IPv6.
    pub address: IpAddr,
    pub port: Port,
    /// The role of the program that owned it, or `nobody`. Absent: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// The capture file, and why it can be believed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Capture {
    /// As it was written or given.
    pub file: String,
    /// Only of `inspect`, as what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Absent where the file is not compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// In the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Of the file's sections (pcapng).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<String>,
    /// Of the first interface, by number (<https://www.tcpdump.org/linktypes.html>).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_type: Option<u32>,
    /// Of the first interface; 0: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snaplen: Option<u32>,
    /// In the whole file, up to a damage.
    pub packets: u64,
    /// How many of them `packets[]` shows: those that a display filter let
    /// through, else all.
    pub displayed: u64,
    /// Absent where the file does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    /// Absent where the file holds no recording of this tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Where and why reading stopped before the end of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
}

/// What a capture file says of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Interface {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By number (<https://www.tcpdump.org/linktypes.html>).
    pub link_type: u32,
    /// 0: no limit.
    pub snaplen: u32,
    /// Packets that it received, as it counted itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    /// Packets that were lost between it and the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<String>,
}

/// Why it is believed that no packet is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Proof {
    /// No packet is missing: both canaries seen, nothing dropped, and the
    /// interface's counter, where there is one, agrees.
    pub complete: bool,
    /// The opening canary was seen before the first program was started.
    pub opening: bool,
    /// The closing canary was seen after the last program's last packet.
    pub closing: bool,
    /// The interface's own receive counter grew by exactly the packets
    /// captured. Absent: there is no such witness (`--host`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_counter: Option<bool>,
    /// What the interface counted, canaries left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_packets: Option<u64>,
    /// Who owned which socket is known for every socket of every program.
    pub owners: bool,
    /// The proof was read from a file: it is as true as the file.
    pub claimed: bool,
}

/// A fault of the capture file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Damage {
    /// Byte offset in the file.
    pub offset: u64,
    /// One sentence without full stop.
    pub reason: String,
}

/// One judged expectation.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Expectation {
    /// Unique in a scenario.
    pub name: String,
    /// The statements as written; for an implied one, what it demands in words.
    pub text: String,
    /// Where the statements stand; on a failure, the step that found no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Place>,
    /// Every program carries it; no author wrote it.
    pub implied: bool,
    pub verdict: Verdict,
    /// `frame.number` of the packets that prove it, or break it.
    pub evidence: Vec<u64>,
    /// Why it failed or is inconclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// The author's hint for those who fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// For grading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
    /// For grading: whether students see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
}

/// A place in a text file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// The path as given, or `builtin:NAME`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// Why an expectation failed or is inconclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Detail {
    /// The kind of failure; `netlab-capture explain CODE` tells more.
    pub code: &'static str,
    /// One sentence: what is wrong.
    pub message: String,
    /// The place in the expectation's `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<TextSpan>,
    /// In the notation of the expectation language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The nearest actual event, in the same notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The field that differs, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// `frame.number` where expectation and wire part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diverges_at: Option<u64>,
    /// A display filter that shows the packets in question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wireshark_filter: Option<String>,
    /// What it means, what to try.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Bytes of an expectation's text, UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TextSpan {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

pub(super) fn is_false(value: &bool) -> bool {
    !value
}

pub(super) fn is_zero(value: &u64) -> bool {
    *value == 0
}
