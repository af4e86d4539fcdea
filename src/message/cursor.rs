//! A place in a stream. Knows of the gaps: bytes on both sides of one are no
//! neighbours, and a length counts the missing bytes too.

use std::ops::Range;

use crate::conversation::{Gap, Stream};

#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    stream: &'a Stream,
    at: usize,
    /// The gaps that lie at `at` or behind it, the first one less `passed`.
    gaps: &'a [Gap],
    passed: u64,
}

/// What [`Cursor::take`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Position of the captured bytes.
    pub range: Range<usize>,
    /// Bytes among them that were not captured.
    pub missing: u64,
    /// Bytes that the stream had not any more.
    pub short: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(stream: &'a Stream) -> Cursor<'a> {
        Cursor {
            stream,
            at: 0,
            gaps: &stream.gaps,
            passed: 0,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn stream(&self) -> &'a Stream {
        self.stream
    }

    /// The bytes from here to the next gap.
    pub(super) fn neighbours(&self) -> &'a [u8] {
        let end = self.gaps.first().map_or(self.stream.bytes.len(), |g| g.at);
        self.stream.bytes.get(self.at..end).unwrap_or(&[])
    }

    /// Is there nothing more, not even behind a gap?
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.stream.bytes.len()
    }

    /// Steps over bytes of [`Cursor::neighbours`].
    pub(super) fn step(&mut self, len: usize) {
        self.at += len.min(self.neighbours().len());
    }

    /// Goes behind the next gap, if there is one.
    pub(super) fn pass_gap(&mut self) -> bool {
        let Some((gap, rest)) = self.gaps.split_first() else {
            return false;
        };
        self.at = gap.at;
        self.gaps = rest;
        self.passed = 0;
        true
    }

    /// Takes `len` bytes of the stream, missing ones counted.
    pub(super) fn take(&mut self, len: u64) -> Taken {
        let start = self.at;
        let mut left = len;
        let mut missing = 0;
        loop {
            let here = self.neighbours().len();
            let step = usize::try_from(left).map_or(here, |left| left.min(here));
            self.at += step;
            left -= step as u64;
            if left == 0 {
                break;
            }
            let Some((gap, rest)) = self.gaps.split_first() else {
                break;
            };
            let lost = left.min(gap.missing - self.passed);
            missing += lost;
            left -= lost;
            self.passed += lost;
            if self.passed == gap.missing {
                self.gaps = rest;
                self.passed = 0;
            }
            if left == 0 {
                break;
            }
        }
        Taken {
            range: start..self.at,
            missing,
            short: left,
        }
    }
}
