//! What the capture holds, in numbers: every frame is in one of the counts.

use std::collections::{BTreeMap, HashMap};

use super::route::File;
use crate::conversation;
use crate::decode::{Layer, Layers, Numbering, Outline, Packet, Transport, Trouble};
use crate::message;
use crate::savefile::{CaptureInfo, Recording, SavefileError, Timestamp};

/// Frames and their bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub frames: u64,
    pub bytes: u64,
}

impl Count {
    pub fn add(&mut self, other: Count) {
        self.frames += other.frames;
        self.bytes += other.bytes;
    }
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    pub layers: Layers,
    pub rest: Rest,
}

/// What its layers do not say of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rest {
    Nothing,
    /// An IP fragment whose upper layer cannot be read by itself.
    Fragment,
    /// A header is wrong.
    Malformed,
    /// What follows is not decoded, and has this number.
    Unknown(Numbering, u32),
    /// As before, an IP protocol without a name.
    IpProtocol(u8),
}

impl Kind {
    fn of(packet: &Packet, frame: &[u8]) -> Kind {
        let layers = packet.layers(frame);
        let named = |protocol| Layer::of_ip_protocol(protocol).is_some();
        Kind {
            layers,
            rest: match (&packet.trouble, &packet.transport) {
                (Some(Trouble::Malformed { .. }), _) => Rest::Malformed,
                (Some(Trouble::Unknown { what, number }), _) => Rest::Unknown(*what, *number),
                (_, Transport::Fragment) => Rest::Fragment,
                (_, Transport::Other { protocol, .. }) if !named(*protocol) => {
                    Rest::IpProtocol(*protocol)
                }
                _ => Rest::Nothing,
            },
        }
    }
}

/// A capture that was read to its end, or as far as could be.
#[derive(Debug)]
pub struct Totals {
    pub capture: CaptureInfo,
    pub recording: Option<Recording>,
    /// Why the input could not be read on.
    pub fault: Option<SavefileError>,
    pub tally: Tally,
}

impl Totals {
    pub(super) fn new(file: File, tallies: Vec<Tally>) -> Totals {
        let mut tally = Tally::default();
        for other in &tallies {
            tally.add(other);
        }
        Totals {
            capture: file.capture,
            recording: file.recording,
            fault: file.fault,
            tally,
        }
    }
}

/// How often the bounds on memory changed what came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bitten {
    pub conversations: conversation::Bitten,
    pub messages: message::Bitten,
    /// Fragmented datagrams that were given up although fragments might still come.
    pub datagrams: u64,
}

impl Bitten {
    pub(super) fn add(&mut self, other: Bitten) {
        let (own, more) = (&mut self.conversations, other.conversations);
        own.conversations += more.conversations;
        own.holes += more.holes;
        own.segments += more.segments;
        let (own, more) = (&mut self.messages, other.messages);
        own.transactions += more.transactions;
        own.queries += more.queries;
        self.datagrams += other.datagrams;
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub all: Count,
    /// The earliest and the latest packet, of those whose time is known.
    pub times: Option<(Timestamp, Timestamp)>,
    /// By what they are: each frame is in one.
    pub kinds: HashMap<Kind, Count>,
    /// Of the latest frames, not yet among the others. With an outline nothing
    /// is rare about them, and the next ones can be told by it.
    latest: Option<(Option<Outline>, Kind, Count)>,
    /// Frames with a header that is wrong, by its layer.
    pub malformed: BTreeMap<Layer, u64>,
    /// Frames of which only a part was captured.
    pub truncated: u64,
    /// Requests and responses that were read when their packets had been shown:
    /// they waited for bytes that were never captured. Counted where the parts of
    /// messages are told.
    pub late: u64,
    /// What the bounds on memory did.
    pub bitten: Bitten,
}

impl Tally {
    /// Counts a packet, decoded from `frame`.
    pub(super) fn packet(&mut self, packet: &Packet, frame: &[u8]) {
        let count = Count {
            frames: 1,
            bytes: u64::from(packet.len),
        };
        self.all.add(count);
        if packet.time.is_known() {
            let (first, last) = self.times.get_or_insert((packet.time, packet.time));
            *first = packet.time.min(*first);
            *last = packet.time.max(*last);
        }
        let outline = packet.outline();
        if outline.is_some()
            && let Some((known, _, all)) = &mut self.latest
            && *known == outline
        {
            all.add(count);
            return;
        }
        self.kind(outline, Kind::of(packet, frame), count);
        self.truncated += u64::from(packet.cap_len < packet.len);
        if let Some(Trouble::Malformed { layer, .. }) = &packet.trouble {
            *self.malformed.entry(*layer).or_default() += 1;
        }
    }

    /// Most frames are like the one before.
    fn kind(&mut self, outline: Option<Outline>, kind: Kind, count: Count) {
        match &mut self.latest {
            Some((known, latest, all)) if *latest == kind => {
                *known = outline;
                all.add(count);
            }
            latest => {
                if let Some((_, kind, count)) = latest.replace((outline, kind, count)) {
                    self.kinds.entry(kind).or_default().add(count);
                }
            }
        }
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.all.add(other.all);
        for (kind, count) in other
            .kinds
            .iter()
            .map(|(k, c)| (*k, *c))
            .chain(other.latest.map(|(_, kind, count)| (kind, count)))
        {
            self.kinds.entry(kind).or_default().add(count);
        }
        for (layer, count) in &other.malformed {
            *self.malformed.entry(*layer).or_default() += count;
        }
        self.truncated += other.truncated;
        self.late += other.late;
        self.bitten.add(other.bitten);
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, None) => one,
            (None, other) => other,
        };
    }
}
