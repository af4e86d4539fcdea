//! What one statement came to, and what that rests on.

use std::collections::BTreeSet;

use super::matching::Names;
use super::outcome::Failure;
use crate::conversation::Direction;

/// The result of one statement, before it is asked whether the evidence is
/// complete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    pub holds: bool,
    /// Indices of the packets that prove it or break it.
    pub evidence: BTreeSet<usize>,
    pub rests_on: Grounds,
    /// The statement cannot be judged at all, for this reason.
    pub no_evidence: Option<String>,
    /// What the steps of a block that matched are called, beside what was known.
    pub names: Option<Names>,
    /// Why it does not hold.
    pub failure: Option<Failure>,
}

/// What a result rests on: where that is missing, it is inconclusive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grounds {
    /// A packet that is missing from the capture could change the result.
    pub every_packet: bool,
    /// The result says that something did not happen: it counts only if the
    /// programs did what they had to.
    pub absence: bool,
    /// Who owned the ends of packets.
    pub roles: bool,
    /// Packets whose payload was read.
    pub payloads: BTreeSet<usize>,
    /// Streams whose bytes were read.
    pub streams: BTreeSet<(usize, bool)>,
}

impl Grounds {
    pub fn read_stream(&mut self, conversation: usize, way: Direction) {
        self.streams
            .insert((conversation, way == Direction::ToServer));
    }
}
