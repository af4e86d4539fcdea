//! The bytes of a message that a filter asks for: kept by a reader that streams,
//! or in the packets of a capture that was read as a whole, where they are gathered
//! only when a filter looks at them.

use std::borrow::Cow;
use std::fmt;

use crate::conversation::Stream;
use crate::message::{Body, Head};
use crate::trace::{Part, Trace};

#[derive(Clone, Copy)]
pub enum MessageBytes<'a> {
    /// Each as far as it was to be kept.
    Kept {
        /// Head and body as they were sent.
        sent: &'a [u8],
        /// Transfer coding removed.
        content: &'a [u8],
    },
    Captured {
        trace: &'a Trace,
        stream: &'a Stream,
        part: Part<'a>,
    },
}

impl<'a> MessageBytes<'a> {
    /// Head and body as they were sent.
    pub fn sent(self) -> Cow<'a, [u8]> {
        match self {
            MessageBytes::Kept { sent, .. } => Cow::Borrowed(sent),
            MessageBytes::Captured {
                trace,
                stream,
                part,
            } => trace.stream_bytes(stream, part.range()),
        }
    }

    /// How many bytes that is.
    pub(super) fn len(self) -> usize {
        match self {
            MessageBytes::Kept { sent, .. } => sent.len(),
            MessageBytes::Captured { stream, part, .. } => {
                let range = part.range();
                range.end.min(stream.len()).saturating_sub(range.start)
            }
        }
    }

    /// The head as it was sent; empty where that is not kept.
    pub(super) fn head(self, head: &Head) -> Cow<'a, [u8]> {
        match self {
            MessageBytes::Kept { sent, .. } => {
                Cow::Borrowed(sent.get(..head.range.len()).unwrap_or_default())
            }
            MessageBytes::Captured { trace, stream, .. } => {
                trace.stream_bytes(stream, head.range.clone())
            }
        }
    }

    /// The content, transfer coding removed.
    pub(super) fn content(self, body: &Body) -> Cow<'a, [u8]> {
        match self {
            MessageBytes::Kept { content, .. } => Cow::Borrowed(content),
            MessageBytes::Captured { trace, stream, .. } => trace.content(stream, body),
        }
    }
}

impl fmt::Debug for MessageBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.sent())
    }
}

impl PartialEq for MessageBytes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.sent() == other.sent()
    }
}
