//! A conversation's bytes in the order in which they came, both ways.

use serde::Serialize;

use crate::conversation::{ConversationIndex, Direction};
use crate::trace::Trace;

/// Bytes one way, until the other side spoke; or a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chunk {
    pub way: Direction,
    /// `frame.number` of the packet that brought the first of them.
    pub packet: u64,
    /// So many bytes before these were never captured.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// All bytes of the chunk, whether shown or not.
    pub len: usize,
    /// As UTF-8; bytes that are none are U+FFFD.
    pub text: String,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The beginning of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stream {
    pub chunks: Vec<Chunk>,
    /// Bytes that are not in them.
    pub beyond: u64,
}

/// The chunks of a conversation: `most` bytes of it at most, in `chunks` chunks at
/// most. What is beyond is counted.
pub fn stream(
    trace: &Trace,
    conversation: ConversationIndex,
    most: usize,
    chunks: usize,
) -> Stream {
    let mut pieces = pieces(trace, conversation);
    // Stable: of equal packets those to the server come first.
    pieces.sort_by_key(|piece| piece.packet);
    let mut found: Vec<(Chunk, Vec<u8>)> = Vec::new();
    let (mut room, mut beyond) = (most, 0);
    let mut is_full = false;
    for piece in pieces {
        let goes_on = found.last().is_some_and(|(chunk, _)| {
            chunk.way == piece.way && piece.missing == 0 && !piece.datagram
        });
        is_full |= !goes_on && found.len() == chunks;
        if is_full {
            beyond += piece.bytes.len() as u64;
            continue;
        }
        if !goes_on {
            let chunk = Chunk {
                way: piece.way,
                packet: trace.packets.get(piece.packet).map_or(0, |p| p.number),
                missing: piece.missing,
                len: 0,
                text: String::new(),
            };
            found.push((chunk, Vec::new()));
        }
        let Some((chunk, bytes)) = found.last_mut() else {
            continue;
        };
        let kept = piece.bytes.get(..room).unwrap_or(piece.bytes);
        bytes.extend_from_slice(kept);
        room -= kept.len();
        chunk.len += piece.bytes.len();
        beyond += (piece.bytes.len() - kept.len()) as u64;
    }
    let chunks = found.into_iter().map(|(chunk, bytes)| Chunk {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        ..chunk
    });
    Stream {
        chunks: chunks.collect(),
        beyond,
    }
}

/// What one packet brought.
struct Piece<'t> {
    packet: usize,
    way: Direction,
    missing: u64,
    /// A datagram stands by itself.
    datagram: bool,
    bytes: &'t [u8],
}

fn pieces(trace: &Trace, conversation: ConversationIndex) -> Vec<Piece<'_>> {
    let is_tcp = trace
        .conversations
        .get(conversation)
        .is_some_and(|c| c.tcp.is_some());
    if is_tcp {
        let ways = [Direction::ToServer, Direction::ToClient];
        return ways
            .into_iter()
            .flat_map(|way| segments(trace, conversation, way))
            .collect();
    }
    let seen = trace.seen.iter().enumerate();
    seen.filter(|(_, seen)| seen.conversation == Some(conversation) && seen.quotes.is_none())
        .filter_map(|(packet, seen)| {
            trace.packets.get(packet)?.udp()?;
            Some(Piece {
                packet,
                way: seen.direction?,
                missing: 0,
                datagram: true,
                bytes: trace.payload(packet),
            })
        })
        .collect()
}

fn segments(
    trace: &Trace,
    conversation: ConversationIndex,
    way: Direction,
) -> impl Iterator<Item = Piece<'_>> {
    let stream = trace.stream(conversation, way).into_iter();
    stream.flat_map(move |stream| {
        // Bytes come in the order of the stream, also those that waited for
        // an earlier one: they are shown when they could be read.
        let mut latest = 0;
        stream.pieces.iter().map(move |piece| {
            latest = latest.max(piece.packet);
            let gap = stream.gaps.iter().find(|gap| gap.at == piece.at);
            Piece {
                packet: latest,
                way,
                missing: gap.map_or(0, |gap| gap.missing),
                datagram: false,
                bytes: piece.of(trace.payload(piece.packet)),
            }
        })
    })
}
