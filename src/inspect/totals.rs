//! What the capture holds, in numbers: every frame is in one of the counts.

use std::collections::BTreeMap;

use super::route::File;
use crate::conversation::Bitten;
use crate::decode::{Layer, Link, Net, Numbering, Packet, Transport, Trouble};
use crate::savefile::{CaptureInfo, Recording, SavefileError, Timestamp};

/// Frames and their bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub frames: u64,
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.frames += other.frames;
        self.bytes += other.bytes;
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

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub all: Count,
    /// The earliest and the latest packet.
    pub times: Option<(Timestamp, Timestamp)>,
    /// By the protocols in them, outermost first.
    pub protocols: BTreeMap<Vec<String>, Count>,
    /// Frames with a header that is wrong, by its layer.
    pub malformed: BTreeMap<Layer, u64>,
    /// Frames of which only a part was captured.
    pub truncated: u64,
    /// What the bounds on memory did.
    pub bitten: Bitten,
}

impl Tally {
    pub(super) fn bitten(&mut self, other: Bitten) {
        self.bitten.conversations += other.conversations;
        self.bitten.holes += other.holes;
    }

    pub(super) fn packet(&mut self, packet: &Packet) {
        self.all.add(Count {
            frames: 1,
            bytes: u64::from(packet.len),
        });
        let (first, last) = self.times.get_or_insert((packet.time, packet.time));
        *first = packet.time.min(*first);
        *last = packet.time.max(*last);
        self.protocols.entry(path(packet)).or_default().add(Count {
            frames: 1,
            bytes: u64::from(packet.len),
        });
        self.truncated += u64::from(packet.cap_len < packet.len);
        if let Some(Trouble::Malformed { layer, .. }) = &packet.trouble {
            *self.malformed.entry(*layer).or_default() += 1;
        }
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.all.add(other.all);
        for (protocols, count) in &other.protocols {
            self.protocols
                .entry(protocols.clone())
                .or_default()
                .add(*count);
        }
        for (layer, count) in &other.malformed {
            *self.malformed.entry(*layer).or_default() += count;
        }
        self.truncated += other.truncated;
        self.bitten(other.bitten);
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, None) => one,
            (None, other) => other,
        };
    }
}

/// The protocols in a frame, outermost first.
fn path(packet: &Packet) -> Vec<String> {
    let link = match packet.link {
        Link::Ethernet(_) => "eth",
        Link::LinuxCooked { .. } => "sll",
        Link::Null { .. } => "null",
        Link::Raw => "raw",
        _ => "",
    };
    let net = match packet.net {
        Some(Net::V4(_)) => "ip",
        Some(Net::V6(_)) => "ipv6",
        None => "",
    };
    let transport = match &packet.transport {
        Transport::Tcp(_) => "tcp".to_owned(),
        Transport::Udp(_) => "udp".to_owned(),
        Transport::Icmp(_) => "icmp".to_owned(),
        Transport::Icmpv6(_) => "icmpv6".to_owned(),
        Transport::Other { protocol, .. } => format!("IP protocol {protocol}"),
        Transport::Fragment => "fragment".to_owned(),
        _ => String::new(),
    };
    let trouble = match &packet.trouble {
        Some(Trouble::Unknown {
            what: Numbering::EtherType,
            number,
        }) => match number {
            0x0806 => "arp".to_owned(),
            0x88cc => "lldp".to_owned(),
            number => format!("EtherType 0x{number:04x}"),
        },
        Some(Trouble::Unknown { what, number }) => format!("{} {number}", what.name()),
        Some(Trouble::Malformed { .. }) => "malformed".to_owned(),
        _ => String::new(),
    };
    let path = [link.to_owned(), net.to_owned(), transport, trouble];
    path.into_iter().filter(|name| !name.is_empty()).collect()
}
