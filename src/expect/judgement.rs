//! What one statement came to, and what that rests on.

use fixedbitset::FixedBitSet;

use super::matching::Names;
use super::outcome::Failure;
use crate::conversation::Direction;
use crate::trace::Trace;

/// The result of one statement, before it is asked whether the evidence is
/// complete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    pub holds: bool,
    /// Indices of the packets that prove it or break it.
    pub evidence: FixedBitSet,
    pub rests_on: Grounds,
    /// The statement cannot be judged at all, for this reason.
    pub no_evidence: Option<String>,
    /// What the steps of a block that matched are called, beside what was known.
    pub names: Option<Names>,
    /// What it rests on that these are the events so called.
    pub names_rest_on: Grounds,
    /// Why it does not hold.
    pub failure: Option<Failure>,
}

/// What a result rests on: where that is missing, it is inconclusive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grounds {
    /// A packet that is missing from the capture could change the result.
    pub every_packet: bool,
    /// Of those, only such as lie before this one, or are it. None: any.
    pub up_to: Option<usize>,
    /// The result says that something did not happen: it counts only if the
    /// programs did what they had to.
    pub absence: bool,
    /// Who owned the ends of packets.
    pub roles: bool,
    /// Packets whose payload was read.
    pub payloads: FixedBitSet,
    /// The payload of every packet up to this one was read, and none behind it for that.
    pub read_to: Option<usize>,
    /// Streams whose bytes were read: twice the conversation, and one more for
    /// the stream to its server.
    pub streams: FixedBitSet,
    /// Of what is known to be missing ([`Facts::losses`](super::facts::Facts::losses)),
    /// what could change the result.
    pub losses: FixedBitSet,
}

impl Grounds {
    /// What another result rests on as well. That one is not of the same beginning
    /// (`up_to`).
    pub fn add(&mut self, other: &Grounds) {
        self.every_packet |= other.every_packet;
        self.absence |= other.absence;
        self.roles |= other.roles;
        self.read_payloads_of(other);
        self.streams.union_with(&other.streams);
        self.losses.union_with(&other.losses);
        self.up_to = None;
    }

    /// The payload of every packet was read.
    pub fn read_all(&mut self, trace: &Trace) {
        self.payloads = all(trace);
    }

    /// The payload of every packet up to this one was read.
    pub fn read_up_to(&mut self, packet: usize) {
        self.read_to = self.read_to.max(Some(packet));
    }

    /// What was read for another result was read for this one as well.
    pub fn read_payloads_of(&mut self, other: &Grounds) {
        self.payloads.union_with(&other.payloads);
        self.read_to = self.read_to.max(other.read_to);
    }

    pub fn read_stream(&mut self, conversation: usize, way: Direction) {
        self.streams.grow_and_insert(stream(conversation, way));
    }

    /// Were the stream's bytes read?
    pub fn reads_stream(&self, conversation: usize, way: Direction) -> bool {
        self.streams.contains(stream(conversation, way))
    }
}

fn stream(conversation: usize, way: Direction) -> usize {
    2 * conversation + usize::from(way == Direction::ToServer)
}

/// Every packet of the capture.
pub fn all(trace: &Trace) -> FixedBitSet {
    let mut packets = FixedBitSet::with_capacity(trace.packets.len());
    packets.insert_range(..);
    packets
}
