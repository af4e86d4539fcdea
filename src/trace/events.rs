//! The reading half in one pass: frames to packets to conversations to
//! messages, each handed out as soon as it is known.

use std::io::Read;

use crate::conversation::{Closed, Limits, STREAM_LIMIT, Seen, Streams, Tracker};
use crate::decode::{Packet, decode};
use crate::message::{Message, messages_of};
use crate::savefile::{CaptureInfo, Reader, Recording, SavefileError};

/// Takes what reading a capture comes to.
pub trait Sink {
    /// The next packet in file order, and the bytes of its frame.
    fn packet(&mut self, packet: Packet, seen: Seen, frame: &[u8]);

    /// The message of a conversation that was closed, before the conversation.
    fn message(&mut self, message: Message);

    /// A conversation to which nothing more will be added.
    fn conversation(&mut self, closed: Closed<Streams>);
}

/// Reads a capture to its end, or to its damage. Memory is bounded by the
/// conversations that are open at a time (see [`Limits::linger`]).
///
/// Fails where the input cannot be read or is no capture.
pub fn events(
    input: impl Read,
    name: &str,
    limits: Limits,
    sink: &mut impl Sink,
) -> Result<(CaptureInfo, Option<Recording>), SavefileError> {
    let mut reader = Reader::new(input, name)?;
    let mut tracker = Tracker::new(limits, STREAM_LIMIT);
    let mut index = 0;
    while let Some(frame) = reader.next_frame()? {
        let packet = decode(&frame);
        let seen = tracker.packet(index, &packet, frame.data, &mut ());
        tracker.take_begun();
        sink.packet(packet, seen, frame.data);
        hand_out(&mut tracker, sink);
        index += 1;
    }
    tracker.close_all(&mut ());
    hand_out(&mut tracker, sink);
    Ok(reader.finish())
}

fn hand_out(tracker: &mut Tracker<Streams>, sink: &mut impl Sink) {
    for closed in tracker.take_closed() {
        for message in messages_of(closed.index, &closed.receiver.ways) {
            sink.message(message);
        }
        sink.conversation(closed);
    }
}
