//! A message's content, taken once more from the stream that it was read from: so
//! nobody has to keep the content of all messages for those who may ask for one.

use std::borrow::Cow;
use std::ops::Range;

use crate::conversation::Stream;

use super::chunked::{Chunked, Progress};
use super::content::Content;
use super::{Body, Framing};

/// The content of a body in `stream`, transfer coding removed, as far as it was
/// captured; `payload` gives that of a packet.
pub fn content<'a>(
    body: &Body,
    stream: &Stream,
    payload: impl Fn(usize) -> &'a [u8],
) -> Cow<'a, [u8]> {
    match body.framing {
        Framing::Chunked => Cow::Owned(unchunked(body.range.clone(), stream, payload)),
        _ => stream.gather(body.range.clone(), payload),
    }
}

fn unchunked<'a>(
    range: Range<usize>,
    stream: &Stream,
    payload: impl Fn(usize) -> &'a [u8],
) -> Vec<u8> {
    let mut chunks = Chunked::default();
    let mut content = Content::whole();
    let first = stream.gaps.partition_point(|gap| gap.at < range.start);
    let mut gaps = stream.gaps.iter().skip(first).peekable();
    for (at, bytes) in stream.parts(range, payload) {
        while let Some(gap) = gaps.next_if(|gap| gap.at <= at) {
            if !chunks.miss(gap.missing) {
                return content.into_bytes();
            }
        }
        if chunks.take(bytes, &mut content) != Progress::More {
            break;
        }
    }
    content.into_bytes()
}
