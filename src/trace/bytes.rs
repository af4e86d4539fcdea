//! What the bytes of streams and messages are. They are gathered from the packets
//! for whoever asks.

use std::borrow::Cow;
use std::ops::Range;

use crate::conversation::Stream;
use crate::message::{self, Body};

use super::Trace;

impl Trace {
    /// Bytes of a stream whose packets the trace has.
    pub fn stream_bytes(&self, stream: &Stream, range: Range<usize>) -> Cow<'_, [u8]> {
        stream.gather(range, |packet| self.payload(packet))
    }

    /// A message's content, transfer coding removed, as far as it was captured.
    pub fn content(&self, stream: &Stream, body: &Body) -> Cow<'_, [u8]> {
        message::content(body, stream, |packet| self.payload(packet))
    }
}
