//! The words of a capture file: moments, frames, interfaces, damage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment of packet time: nanoseconds since the Unix epoch (`frame.time_epoch`), or
/// [`Timestamp::NONE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Of a packet whose time the file does not have; before all others.
    pub const NONE: Timestamp = Timestamp(i64::MIN);

    pub fn is_known(self) -> bool {
        self != Timestamp::NONE
    }

    /// Nanoseconds from `earlier` to `self`; negative where packet time runs backwards.
    /// None where either is not known.
    pub fn elapsed(self, earlier: Timestamp) -> Option<i64> {
        let known = self.is_known() && earlier.is_known();
        known.then(|| self.0.saturating_sub(earlier.0))
    }

    /// The same for what goes by time: where that is not known, none went by.
    pub fn since(self, earlier: Timestamp) -> i64 {
        self.elapsed(earlier).unwrap_or(0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
}

/// One record of a capture file, borrowed from the read buffer.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// `frame.number`, from 1.
    pub number: u64,
    pub time: Timestamp,
    /// Bytes on the wire; at least `data.len()` in a sound file.
    pub len: u32,
    /// Index into [`CaptureInfo::interfaces`].
    pub interface: u32,
    /// The interface's link type (<https://www.tcpdump.org/linktypes.html>).
    pub link_type: u32,
    pub data: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Pcap,
    Pcapng,
}

/// How a capture file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// "gzip" or "zstd".
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: Option<String>,
    pub link_type: u32,
    /// 0: no limit.
    pub snaplen: u32,
    /// From an interface statistics block.
    pub received: Option<u64>,
    pub dropped: Option<u64>,
    /// Of its description, in file order.
    pub comments: Vec<String>,
}

/// The interface that a capture file is written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceDescription {
    /// Empty where there is none to state.
    pub name: String,
    /// <https://www.tcpdump.org/linktypes.html>
    pub link_type: u16,
    /// The longest piece of a frame that is kept; 0: no limit.
    pub snaplen: u32,
}

/// What a capture file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureInfo {
    /// The name to show: the path as the user gave it.
    pub file: String,
    pub format: Format,
    /// None: it is not compressed.
    pub compression: Option<Compression>,
    pub interfaces: Vec<Interface>,
    /// Of the section headers, in file order (`pcapng` only).
    pub comments: Vec<String>,
    pub packets: u64,
    /// Where and why reading stopped before the end of the file.
    pub damage: Option<Damage>,
}

/// A fault of a capture file. What lies before it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Byte offset in the file; of a compressed file, in what is unpacked.
    pub offset: u64,
    pub reason: String,
}
