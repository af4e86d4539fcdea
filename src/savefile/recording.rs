//! What the packets of a recording cannot say, kept beside them: the scenario,
//! the programs and their results, the sockets each owned, and the proof that
//! no packet is missing.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Protocol;

/// The content of the recording's own block (pcapng) or of the sidecar `.json`
/// (pcap).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The tool and its version.
    pub tool: String,
    pub scenario: Option<RecordedScenario>,
    pub programs: Vec<Program>,
    pub proof: Proof,
    /// From the start of the first program to the end of the last, nanoseconds.
    pub duration: u64,
    /// The user ended the run before the programs did.
    pub interrupted: bool,
    /// Attempts to reach an address that the run's network has no route to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unrouted: u64,
    /// Our own failure in mid-run, where there was one.
    pub fault: Option<String>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The scenario as it was run, so that a later `check` needs nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedScenario {
    pub name: String,
    /// Where it was read from; `builtin:NAME` for the catalogue.
    pub source: String,
    /// The whole TOML text.
    pub text: String,
    /// What `{address}` stood for.
    pub address: String,
    /// The files that expectations name, by the name they use.
    pub files: BTreeMap<String, Bytes>,
    /// Program commands given on the command line, by role.
    pub overrides: BTreeMap<String, String>,
}

/// One program of the run, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    pub role: String,
    pub argv: Vec<String>,
    pub pid: Option<u32>,
    /// None: it never started.
    pub exit: Option<Exit>,
    pub ended: Option<Ended>,
    /// Why it could not be executed.
    pub start_error: Option<String>,
    /// Why it was not started, or ended early: "`after = \"server ready\"` never came true".
    pub note: Option<String>,
    pub stdout: Bytes,
    pub stderr: Bytes,
    /// Bytes of output beyond the bound, which were not kept.
    pub output_cut: u64,
    pub sockets: Vec<Socket>,
    /// First and last of the ephemeral ports that the kernel gave to sockets of
    /// this program alone. None: it was not told to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_ports: Option<(u16, u16)>,
    /// Number of packets captured before we sent it a signal: later packets
    /// from or to it are marked `after_stop`. None: it got no signal of ours.
    pub stopped_after: Option<u64>,
    /// From its start to its end, nanoseconds.
    pub duration: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// The exit code.
    Code(i32),
    /// The number of the signal that ended it.
    Signal(i32),
}

/// What ended a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Ended {
    #[serde(rename = "by itself")]
    ByItself,
    /// By our stop signal, when everything else was over.
    #[serde(rename = "stopped")]
    Stopped,
    /// It was blocked in a receive on a quiet wire.
    #[serde(rename = "waiting")]
    Waiting,
    /// It outlived its time.
    #[serde(rename = "timeout")]
    Timeout,
    /// The user interrupted the run.
    #[serde(rename = "interrupted")]
    Interrupted,
}

/// A socket that a program owned. An ephemeral port may have several owners
/// one after the other: the times tell them apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Socket {
    pub protocol: Protocol,
    /// The address may be a wildcard.
    pub local: SocketAddr,
    pub remote: Option<SocketAddr>,
    /// When it was created and when it was gone, in packet time.
    pub opened: i64,
    pub closed: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listening: bool,
}

/// Why the capture can be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// The opening canary was seen before the first program was started.
    pub opening: bool,
    /// The closing canary was seen after the last program's last packet.
    pub closing: bool,
    /// The interface's own receive counter grew by exactly the packets
    /// captured. None: there is no such witness (`--host`).
    pub interface_counter: Option<bool>,
    /// What the interface counted, canaries left out.
    pub interface_packets: Option<u64>,
    /// Packets that libpcap delivered, canaries left out.
    pub captured: u64,
    /// `pcap_stats`: dropped by the kernel's buffer, or by the interface.
    pub dropped: u64,
    /// Who owned which socket is known for every socket of every program.
    pub owners: bool,
}

impl Proof {
    /// No packet is missing: both canaries seen, nothing dropped, and the
    /// witness, where there is one, agrees.
    pub fn is_complete(&self) -> bool {
        self.opening && self.closing && self.dropped == 0 && self.interface_counter != Some(false)
    }
}

/// Bytes of a program or a file: a JSON string where they are UTF-8, else
/// `{"base64": "…"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// As text, with U+FFFD for what is no UTF-8.
    pub fn lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Text(String),
    Base64 { base64: String },
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &BASE64.encode(&self.0))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Text(text) => Ok(Bytes(text.into_bytes())),
            Wire::Base64 { base64 } => BASE64
                .decode(base64)
                .map(Bytes)
                .map_err(serde::de::Error::custom),
        }
    }
}
