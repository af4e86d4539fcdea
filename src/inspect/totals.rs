//! What the capture holds, in numbers: every frame is in one of the counts.

use super::route::File;
use crate::conversation::{Bitten, Seen};
use crate::decode::Packet;
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
        for other in tallies {
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
    /// What the bounds on memory did.
    pub bitten: Bitten,
}

impl Tally {
    pub(super) fn bitten(&mut self, other: Bitten) {
        self.bitten.conversations += other.conversations;
        self.bitten.holes += other.holes;
    }

    pub(super) fn packet(&mut self, packet: &Packet, _seen: &Seen) {
        self.all.add(Count {
            frames: 1,
            bytes: u64::from(packet.len),
        });
        let (first, last) = self.times.get_or_insert((packet.time, packet.time));
        *first = packet.time.min(*first);
        *last = packet.time.max(*last);
    }

    fn add(&mut self, other: Tally) {
        self.all.add(other.all);
        self.bitten(other.bitten);
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, None) => one,
            (None, other) => other,
        };
    }
}
