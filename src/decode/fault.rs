//! What a layer's decoder stumbled over, before it is known whether the
//! capture or the sender is to blame.

use std::ops::Range;

use super::{Span, Trouble};

#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// There are fewer bytes than the layer needs.
    Short {
        layer: &'static str,
        needed: usize,
        available: usize,
    },
    /// A field has a value that it must not have.
    Wrong { layer: &'static str, reason: String },
    /// A number that is not decoded.
    Unknown { what: &'static str, number: u32 },
}

impl Fault {
    pub fn short(layer: &'static str, needed: usize, available: usize) -> Self {
        Fault::Short {
            layer,
            needed,
            available,
        }
    }

    pub fn wrong(layer: &'static str, reason: String) -> Self {
        Fault::Wrong { layer, reason }
    }

    /// Bytes that are missing from a cut frame are the capture's fault, from a
    /// whole one the sender's.
    pub fn into_trouble(self, cut: bool) -> Trouble {
        match self {
            Fault::Short { layer, .. } if cut => Trouble::Truncated { layer },
            Fault::Short {
                layer,
                needed,
                available,
            } => Trouble::Malformed {
                layer,
                reason: format!("{needed} bytes are needed or claimed, {available} are there"),
            },
            Fault::Wrong { layer, reason } => Trouble::Malformed { layer, reason },
            Fault::Unknown { what, number } => Trouble::Unknown { what, number },
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
