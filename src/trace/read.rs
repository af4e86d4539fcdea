//! A whole capture to a Trace.

use std::io::Read;

use crate::conversation::{
    Closed, Conversation, ConversationIndex, Late, Limits, Seen, Streams, Tracker,
};
use crate::decode::{Packet, Unfinished};
use crate::message::{self, Message};
use crate::savefile::{Reader, Recording, SavefileError};

use super::events::hand_out;
use super::{Frames, KEEP, Keeper, Sink, Trace, events, numbers, owners};

/// A Trace has every packet, so its memory grows with the capture whatever else is
/// bounded: nothing is forgotten for want of room, as a verdict would be wrong then.
/// Only bytes that wait for others before them are copied. Where they are too many, a
/// gap in the stream tells. Other bytes are missing only if they never come: where some
/// come after they were given up, all is read again (`Collector::read_again`).
pub const LIMITS: Limits = Limits {
    conversations: usize::MAX,
    waiting: 64 << 20,
    waiting_in_all: 256 << 20,
    waiting_segments: usize::MAX,
    unacknowledged: usize::MAX,
    quotable: usize::MAX,
    linger: None,
    notes_late: true,
};

/// Reads a capture file. `name` is what messages call it; `sidecar` is the
/// recording that came beside the file, used where none is in it.
///
/// Fails where the input cannot be read or is no capture; a damaged capture is
/// read up to the damage, which the Trace tells.
pub fn read(
    input: impl Read,
    name: &str,
    sidecar: Option<Recording>,
) -> Result<Trace, SavefileError> {
    read_on(Reader::new(input, name)?, sidecar, Frames::default())
}

/// As [`read`], of a capture file that was opened. `frames` takes its frames, or
/// where they are.
pub fn read_on(
    reader: Reader<impl Read>,
    sidecar: Option<Recording>,
    frames: Frames,
) -> Result<Trace, SavefileError> {
    let mut collected = Collector {
        frames,
        ..Collector::default()
    };
    let (capture, recording) = events(reader, LIMITS, &mut collected)?;
    if !collected.late.is_empty() {
        collected.read_again();
    }
    let recording = recording.or(sidecar);
    let mut trace = Trace {
        frames: collected.frames,
        packets: collected.packets,
        seen: collected.seen,
        ends: Vec::new(),
        conversations: Vec::new(),
        streams: Vec::new(),
        messages: collected.messages,
        http: Default::default(),
        carried: collected.carried,
        roles: owners::roles(recording.as_ref()),
        named: Vec::new(),
        capture,
        recording,
    };
    let mut conversations = collected.conversations;
    conversations.sort_unstable_by_key(|(index, ..)| *index);
    trace.conversations.reserve_exact(conversations.len());
    trace.streams.reserve_exact(conversations.len());
    for (_, conversation, streams) in conversations {
        trace.conversations.push(conversation);
        trace.streams.push(streams);
    }
    numbers::order(&mut trace.messages, &trace.streams);
    trace.carried.sort_by_key(|part| part.at().packet);
    trace.ends = owners::ends(&trace, &[]);
    Ok(trace)
}

#[derive(Default)]
struct Collector {
    frames: Frames,
    packets: Vec<Packet>,
    seen: Vec<Seen>,
    /// In the order of their ends.
    conversations: Vec<(ConversationIndex, Conversation, Streams)>,
    messages: Vec<Message>,
    carried: Vec<message::Part>,
    late: Late,
}

/// From so many packets it is told how many there may be.
const SAMPLE: usize = 4096;

impl Collector {
    /// Makes room for all packets at once, if the rest of the file is as its first
    /// part, `read` bytes, was. Vectors that double are copied again and again, and
    /// the system clears twice the memory for them. What is not used costs nothing.
    fn make_room(&mut self, read: u64) {
        let Some(parts) = self.frames.file_len().and_then(|len| len.checked_div(read)) else {
            return;
        };
        let all = usize::try_from(parts + 1).map_or(0, |parts| SAMPLE.saturating_mul(parts));
        // Without so much room they grow as they must.
        let _ = self.packets.try_reserve_exact(all);
        let _ = self.seen.try_reserve_exact(all);
    }
}

impl Collector {
    /// Reads the packets again, waiting for the bytes that were found to come late.
    fn read_again(&mut self) {
        self.conversations.clear();
        self.messages.clear();
        self.carried.clear();
        let late = std::mem::take(&mut self.late);
        let mut tracker = Tracker::<Keeper>::new(LIMITS, KEEP).awaiting(late);
        let mut found = ((), message::Found::default());
        for (index, (packet, seen)) in self.packets.iter().zip(&mut self.seen).enumerate() {
            let bytes = packet.data(self.frames.get(index));
            *seen = tracker.packet(index, packet, bytes, &mut found);
            tracker.take_begun();
        }
        tracker.close_all(&mut found);
        hand_out(&mut tracker, &mut found.1, self);
    }
}

impl Sink for Collector {
    fn packet(&mut self, packet: Packet, seen: Seen, frame: &[u8], offset: Option<u64>) {
        if self.packets.len() == SAMPLE
            && let Some(read) = offset
        {
            self.make_room(read);
        }
        self.frames.push(frame, offset);
        self.packets.push(packet);
        self.seen.push(seen);
    }

    fn message(&mut self, message: Message) {
        self.messages.push(message);
    }

    fn part(&mut self, part: message::Part) {
        self.carried.push(part);
    }

    fn conversation(&mut self, closed: Closed<Keeper>) {
        let (streams, _) = closed.receiver;
        self.conversations
            .push((closed.index, closed.conversation, streams));
    }

    fn late(&mut self, late: Late) {
        self.late = late;
    }

    fn unfinished(&mut self, fragments: Vec<(u64, Unfinished)>) {
        for (number, why) in fragments {
            let place = self.packets.binary_search_by_key(&number, |p| p.number);
            let packet = place.ok().and_then(|place| self.packets.get_mut(place));
            if let Some(packet) = packet {
                let extra = packet.extra.get_or_insert_default();
                extra.unfinished.get_or_insert(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Direction;
    use crate::savefile::{Program, Proof, Timestamp, pcap};
    use crate::trace::{Ends, Owner};

    /// An IPv4 packet with the given protocol, ports and rest.
    fn ip(protocol: u8, src: u16, dst: u16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![
            0x45,
            0,
            0,
            24 + rest.len() as u8,
            0,
            0,
            0x40,
            0,
            64,
            protocol,
            0,
            0,
        ];
        bytes.extend([127, 0, 0, 1, 127, 0, 0, 1]);
        bytes.extend(src.to_be_bytes());
        bytes.extend(dst.to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    fn segment(to_server: bool, seq: u8, ack: u8, flags: u8, data: &[u8]) -> Vec<u8> {
        let (src, dst) = if to_server {
            (40_000, 80)
        } else {
            (80, 40_000)
        };
        let mut rest = vec![0, 0, 0, seq, 0, 0, 0, ack, 0x50, flags, 4, 0, 0, 0, 0, 0];
        rest.extend(data);
        ip(6, src, dst, &rest)
    }

    fn file(frames: &[Vec<u8>]) -> Vec<u8> {
        let interface = crate::savefile::InterfaceDescription {
            name: String::new(),
            link_type: 101,
            snaplen: 0,
        };
        let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
        for (n, frame) in frames.iter().enumerate() {
            let time = Timestamp(n as i64 * 1_000_000);
            writer.write_frame(time, frame.len() as u32, frame).unwrap();
        }
        writer.into_inner()
    }

    #[test]
    fn a_capture_becomes_packets_conversations_and_messages() {
        let get = b"GET / HTTP/1.1\r\n\r\n";
        let ok = b"HTTP/1.1 204 No Content\r\n\r\n";
        let frames = [
            segment(true, 0, 0, 0x02, b""),
            segment(false, 0, 1, 0x12, b""),
            segment(true, 1, 1, 0x10, b""),
            segment(true, 1, 1, 0x18, get),
            segment(false, 1, 1 + get.len() as u8, 0x18, ok),
            ip(17, 5000, 5001, &[0, 12, 0, 0, b'a', b'b', b'c', b'd']),
        ];
        let sidecar = Recording {
            programs: vec![Program::default()],
            proof: Proof {
                owners: true,
                ..Proof::default()
            },
            ..Recording::default()
        };
        let trace = read(file(&frames).as_slice(), "x.pcap", Some(sidecar.clone())).unwrap();
        assert_eq!(trace.packets.len(), 6);
        assert_eq!(trace.frame(3), frames[3]);
        assert_eq!(trace.payload(3), get);
        assert_eq!(trace.conversations.len(), 2);
        let stream = trace.stream(0, Direction::ToClient).unwrap();
        assert_eq!(*trace.stream_bytes(stream, 0..stream.len()), *ok);
        assert_eq!(trace.messages.len(), 1);
        assert_eq!(trace.messages[0].packet(), Some(3));
        assert_eq!(trace.messages[0].response.as_ref().unwrap().head.packet, 4);
        assert_eq!(trace.recording, Some(sidecar));
        let nobody = Ends {
            from: Owner::Nobody,
            to: Owner::Nobody,
        };
        assert_eq!(trace.ends, [nobody; 6]);
    }

    /// `inspect` closes the longest idle of 65,536: a verdict must not depend on that.
    #[test]
    fn no_conversation_is_closed_for_want_of_room() {
        let syn = |n: u32| {
            let mut rest = vec![0; 16];
            (rest[8], rest[9]) = (0x50, 2);
            ip(
                6,
                1 + (n % 50_000) as u16,
                60_000 + (n / 50_000) as u16,
                &rest,
            )
        };
        let mut frames: Vec<Vec<u8>> = (0..70_000).map(syn).collect();
        let first = frames[0].clone();
        frames.push(first);
        let trace = read(file(&frames).as_slice(), "many.pcap", None).unwrap();
        assert_eq!(trace.conversations.len(), 70_000);
        assert_eq!(trace.conversations[0].packets.to_server, 2);
    }

    /// Regression: behind 16,384 segments that waited, and 3 ms behind their ACK, bytes
    /// that came counted as missing.
    #[test]
    fn a_hole_is_none_if_its_bytes_come() {
        let numbered = |to_server: bool, seq: u32, ack: u32, data: &[u8]| {
            let mut frame = segment(to_server, 0, 0, 0x10, data);
            let len = frame.len() as u16;
            frame[2..4].copy_from_slice(&len.to_be_bytes());
            frame[24..28].copy_from_slice(&seq.to_be_bytes());
            frame[28..32].copy_from_slice(&ack.to_be_bytes());
            frame
        };
        let many = 17_000;
        let mut frames = vec![
            segment(true, 0, 0, 0x02, b""),
            segment(false, 0, 1, 0x12, b""),
        ];
        frames.extend((1..many).map(|n| numbered(true, 1 + n, 1, b"x")));
        // Each comes a millisecond behind the one before.
        frames.extend((0..10).map(|_| numbered(false, 1, 1 + many, b"")));
        frames.push(numbered(true, 1, 1, b"a"));
        frames.push(numbered(true, 1 + many + 5, 1, b"behind a hole"));
        let trace = read(file(&frames).as_slice(), "late.pcap", None).unwrap();
        let stream = trace.stream(0, Direction::ToServer).unwrap();
        assert_eq!(stream.len(), many as usize + 13);
        assert_eq!(trace.stream_bytes(stream, 0..3).as_ref(), b"axx");
        let gaps: Vec<u64> = stream.gaps.iter().map(|gap| gap.missing).collect();
        assert_eq!(gaps, [5]);
        let bytes = trace.conversations[0].bytes.to_server;
        assert_eq!(bytes, stream.len() as u64);
    }

    /// A capture has millions of them.
    #[test]
    fn what_is_known_of_a_packet_is_small() {
        let each = size_of::<Packet>() + size_of::<Seen>() + size_of::<Ends>();
        assert!(each <= 448, "{each} bytes");
    }

    #[test]
    fn a_damaged_capture_is_read_up_to_the_damage() {
        let whole = file(&[segment(true, 0, 0, 2, b""), segment(false, 0, 1, 0x14, b"")]);
        let trace = read(&whole[..whole.len() - 3], "cut.pcap", None).unwrap();
        assert_eq!(trace.packets.len(), 1);
        assert!(trace.capture.damage.is_some());
        assert_eq!(trace.conversations.len(), 1);
        assert!(read(&b"no capture"[..], "x", None).is_err());
    }
}
