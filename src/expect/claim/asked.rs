//! What a claim asked of the capture, so that its verdict can be held against what may
//! be missing from it.

use fixedbitset::FixedBitSet;

use super::Cause;
use crate::expect::evidence::Evidence;
use crate::expect::judgement::Grounds;

/// What was asked of the capture.
#[derive(Default)]
pub struct Asked {
    /// The packets that it is told by.
    pub evidence: FixedBitSet,
    pub(super) grounds: Grounds,
    /// More was asked of the packets than heads of HTTP messages.
    pub(super) more: bool,
}

/// The result of a part of a claim, and what was asked for it alone.
pub(super) type Apart = (Result<(), Cause>, Asked);

impl Asked {
    pub fn grounds(&self) -> Grounds {
        let mut grounds = self.grounds.clone();
        grounds.up_to = grounds.read_to.filter(|_| !self.more);
        grounds
    }

    pub(super) fn add(&mut self, other: &Asked) {
        self.evidence.union_with(&other.evidence);
        self.grounds.add(&other.grounds);
        self.more |= other.more;
    }

    fn stands(&self, evidence: &Evidence<'_>) -> bool {
        evidence.stands(&self.grounds(), &self.evidence)
    }
}

/// What two parts together rest on: on both, unless that is doubtful, and one that is
/// `enough` alone is not. That one comes first then.
pub(super) fn told_by(
    parts: [Apart; 2],
    enough: impl Fn(&Result<(), Cause>) -> bool,
    evidence: &Evidence<'_>,
) -> ([Result<(), Cause>; 2], Asked) {
    let [(a, asked_a), (b, asked_b)] = parts;
    let mut both = Asked::default();
    both.add(&asked_a);
    both.add(&asked_b);
    if both.stands(evidence) {
        ([a, b], both)
    } else if enough(&a) && asked_a.stands(evidence) {
        ([a, b], asked_a)
    } else if enough(&b) && asked_b.stands(evidence) {
        ([b, a], asked_b)
    } else {
        ([a, b], both)
    }
}
