//! Which HTTP message of a capture is which: the order that gives them their numbers.

use std::collections::HashMap;

use crate::conversation::{ConversationIndex, Direction, Stream, Streams};
use crate::message::Message;

/// Puts messages in the order in which their streams reached the ends of their first
/// heads. Where segments were captured in another order than they were sent in, that
/// may be later than the packet that brought a head's last byte: a request stays
/// behind those that were sent before it.
pub fn order(messages: &mut [Message], streams: &[Streams]) {
    let mut reaches: HashMap<(ConversationIndex, Direction), Vec<usize>> = HashMap::new();
    messages.sort_by_cached_key(|message| {
        let (way, end) = first_head(message)?;
        let stream = streams.get(message.conversation)?.get(way);
        let reach = reaches
            .entry((message.conversation, way))
            .or_insert_with(|| reach(stream));
        let pieces = stream.pieces.partition_point(|piece| piece.at < end);
        reach.get(pieces.checked_sub(1)?).copied()
    });
}

/// The packet with which a stream had reached this place.
pub fn reached(stream: &Stream, end: usize) -> Option<usize> {
    let pieces = stream.pieces.iter().take_while(|piece| piece.at < end);
    pieces.map(|piece| piece.packet).max()
}

/// The way and the end of the head that began a message.
pub fn first_head(message: &Message) -> Option<(Direction, usize)> {
    let request = message.request.as_ref();
    let response = message.interim.first().or(message.response.as_ref());
    request
        .map(|request| (message.way, request.head.range.end))
        .or_else(|| Some((message.way.opposite(), response?.head.range.end)))
}

/// Of each piece the packet with which the stream had reached its end.
fn reach(stream: &Stream) -> Vec<usize> {
    let pieces = stream.pieces.iter();
    pieces
        .scan(0, |latest, piece| {
            *latest = piece.packet.max(*latest);
            Some(*latest)
        })
        .collect()
}
