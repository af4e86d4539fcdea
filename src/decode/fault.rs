//! What a layer's decoder stumbled over, before it is known whether the
//! capture or the sender is to blame.

use std::ops::Range;

use super::{Layer, Numbering, Reason, Span, Trouble};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// There are fewer bytes than the layer needs, or a field has a value that
    /// it must not have.
    Wrong { layer: Layer, reason: Reason },
    /// A number that is not decoded.
    Unknown { what: Numbering, number: u32 },
    /// What is inside cannot be read without a key.
    Encrypted { layer: Layer },
}

impl Fault {
    #[cold]
    pub fn short(layer: Layer, needed: usize, available: usize) -> Self {
        Fault::Wrong {
            layer,
            reason: Reason::Short {
                needed: needed as u32,
                available: available as u32,
            },
        }
    }

    #[cold]
    pub fn wrong(layer: Layer, reason: Reason) -> Self {
        Fault::Wrong { layer, reason }
    }

    #[cold]
    pub fn unknown(what: Numbering, number: impl Into<u32>) -> Self {
        Fault::Unknown {
            what,
            number: number.into(),
        }
    }

    /// Bytes that are missing from a cut frame are the capture's fault, from a
    /// whole one the sender's.
    pub fn into_trouble(self, cut: bool) -> Trouble {
        match self {
            Fault::Wrong {
                layer,
                reason: Reason::Short { .. },
            } if cut => Trouble::Truncated { layer },
            Fault::Wrong { layer, reason } => Trouble::Malformed { layer, reason },
            Fault::Encrypted { layer } => Trouble::Encrypted { layer },
            Fault::Unknown { what, number } => Trouble::Unknown { what, number },
        }
    }
}

/// The first fault of a frame: an outer layer's explains the inner one's.
///
/// Passed by reference instead of in results, so that these stay small enough
/// for registers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct First(pub Option<Fault>);

impl First {
    #[cold]
    pub fn note(&mut self, fault: Fault) {
        if self.0.is_none() {
            self.0 = Some(fault);
        }
    }
}

/// The range of a frame as a [`Span`]. Frames have at most 256 KiB.
pub fn span(range: Range<usize>) -> Span {
    Span {
        start: range.start as u32,
        len: range.len() as u32,
    }
}

/// The bytes of `frame` in `range`; empty where it ends before.
pub fn part<'a>(frame: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    frame.get(range.clone()).unwrap_or(&[])
}
