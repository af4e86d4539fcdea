//! The reading half in one pass: frames to packets to conversations to
//! messages, each handed out as soon as it is known.

use std::io::Read;

use crate::conversation::{Closed, Late, Limits, Seen, Streams, Tracker};
use crate::decode::{Defragmenter, Packet, Unfinished, decode};
use crate::message::{self, Bodies, Message, Waits};
use crate::savefile::{Batch, CaptureInfo, Reader, Recording, SavefileError};

/// What a Trace has of a conversation's bytes: the streams, and the messages
/// in them.
pub type Keeper = (Streams, message::Reader);

/// How much of them is kept: where their bytes are, and not the bytes
/// ([`super::Trace::stream_bytes`], [`super::Trace::content`]).
pub const KEEP: ((), message::Settings) = (
    (),
    message::Settings {
        bodies: Bodies::Count,
        packets: usize::MAX,
        parts: false,
        carried: true,
        sent: 0,
        // A verdict must not depend on how much waits at a time.
        waits: Waits::UNBOUNDED,
    },
);

/// Takes what reading a capture comes to.
pub trait Sink {
    /// The next packet in file order, and the bytes of its frame: where in the file
    /// they are, if that is looked at in place.
    fn packet(&mut self, packet: Packet, seen: Seen, frame: &[u8], offset: Option<u64>);

    /// A message, as soon as no more will be added to it.
    fn message(&mut self, message: Message);

    /// A TLS record or a DNS message over TCP, complete.
    fn part(&mut self, part: message::Part);

    /// A conversation to which nothing more will be added.
    fn conversation(&mut self, closed: Closed<Keeper>);

    /// At the end: the bytes that came after they were given up, where the limits say
    /// that they are noted.
    fn late(&mut self, late: Late);

    /// At the end: the fragments whose datagrams were given up, by their packets'
    /// numbers.
    fn unfinished(&mut self, fragments: Vec<(u64, Unfinished)>);
}

/// Reads a capture to its end, or to its damage. Memory is bounded by the
/// conversations that are open at a time (see [`Limits::linger`]).
///
/// Fails where the input cannot be read.
pub fn events(
    mut reader: Reader<impl Read>,
    limits: Limits,
    sink: &mut impl Sink,
) -> Result<(CaptureInfo, Option<Recording>), SavefileError> {
    let mut tracker = Tracker::<Keeper>::new(limits, KEEP);
    let mut found = ((), message::Found::default());
    let mut defragmenter = Defragmenter::noting();
    let mut index = 0;
    let mut batch = Batch::new();
    while reader.next_batch(&mut batch)? {
        for (place, frame) in batch.frames().iter().enumerate() {
            let mut packet = decode(&frame);
            defragmenter.packet(&mut packet, &frame);
            let seen = tracker.packet(index, &packet, packet.data(frame.data), &mut found);
            tracker.take_begun();
            sink.packet(packet, seen, frame.data, batch.offset(place));
            hand_out(&mut tracker, &mut found.1, sink);
            index += 1;
        }
    }
    tracker.close_all(&mut found);
    hand_out(&mut tracker, &mut found.1, sink);
    sink.late(tracker.take_late());
    sink.unfinished(defragmenter.take_unfinished());
    Ok(reader.finish())
}

/// Hands out what was found since the last time.
pub(super) fn hand_out(
    tracker: &mut Tracker<Keeper>,
    found: &mut message::Found,
    sink: &mut impl Sink,
) {
    for message in found.messages.drain(..) {
        sink.message(message);
    }
    for part in found.parts.drain(..) {
        sink.part(part);
    }
    for closed in tracker.take_closed() {
        sink.conversation(closed);
    }
}
