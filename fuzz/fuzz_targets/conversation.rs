//! Packets to conversations, with everything that reads their streams.
//!
//! The input is a capture file, or else a script of TCP segments whose payload
//! tells its own place: the low byte of each byte's sequence number. However
//! they come, each stream must then count up, across gaps too.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use netlab_capture::conversation::{
    At, Beginning, Direction, Limits, Missing, Receiver, Streams, Tracker, Ways,
};
use netlab_capture::decode::{Defragmenter, decode};
use netlab_capture::message::{self, Bodies, Waits, dns, tls};
use netlab_capture::savefile::{Frame, Reader, Timestamp};

/// The port of conversations whose payload counts.
const COUNTS: u16 = 1000;
/// The port of those that speak HTTP.
const TALKS: u16 = 1001;

struct Check {
    counts: bool,
    /// The last byte of each way.
    last: Ways<Option<u8>>,
    closed: bool,
}

impl Receiver for Check {
    /// Whether it is a script.
    type Settings = bool;
    type Found = ();

    fn begin(script: &bool, beginning: &Beginning) -> Self {
        let port = |address: SocketAddr| address.port();
        Check {
            counts: *script && [port(beginning.client), port(beginning.server)].contains(&COUNTS),
            last: Ways::default(),
            closed: false,
        }
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], _: At, _: u32, (): &mut ()) {
        assert!(!bytes.is_empty() && !self.closed);
        if self.counts {
            let last = self.last.get_mut(way);
            for byte in bytes {
                if let Some(last) = last {
                    assert_eq!(*byte, last.wrapping_add(1), "out of place");
                }
                *last = Some(*byte);
            }
        }
    }

    fn gap(&mut self, way: Direction, missing: Missing, (): &mut ()) {
        let missing = missing.bytes;
        assert!(missing > 0 && !self.closed);
        if let Some(last) = self.last.get_mut(way) {
            *last = last.wrapping_add(missing as u8);
        }
    }

    fn restart(&mut self, way: Direction, (): &mut ()) {
        assert!(!self.closed);
        *self.last.get_mut(way) = None;
    }

    fn end(&mut self, way: Direction, _: At, (): &mut ()) {
        assert!(!self.closed);
        // What comes behind a FIN breaks the protocol.
        *self.last.get_mut(way) = None;
    }

    fn datagram(&mut self, _: Direction, _: &[u8], _: At, (): &mut ()) {
        assert!(!self.closed);
    }

    fn close(&mut self, (): &mut ()) {
        assert!(!self.closed);
        self.closed = true;
    }
}

type All = (
    (Check, Streams),
    (message::Reader, (dns::Reader, tls::Reader)),
);

struct Run {
    tracker: Tracker<All>,
    found: <All as Receiver>::Found,
    defragmenter: Defragmenter,
    packets: usize,
}

impl Run {
    fn new(limits: Limits, script: bool) -> Self {
        let messages = message::Settings {
            bodies: Bodies::Keep { limit: 1000 },
            packets: 10,
            parts: true,
            carried: true,
            sent: 1000,
            waits: Waits::default(),
        };
        Run {
            tracker: Tracker::new(limits, ((script, ()), (messages, (Waits::default(), ())))),
            found: Default::default(),
            defragmenter: Defragmenter::default(),
            packets: 0,
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let mut packet = decode(frame);
        self.defragmenter.packet(&mut packet, frame);
        let data = packet.data(frame.data);
        self.tracker
            .packet(self.packets, &packet, data, &mut self.found);
        self.packets += 1;
        self.tracker.take_begun();
        self.tracker.take_closed();
    }

    fn finish(mut self) {
        self.tracker.close_all(&mut self.found);
        for closed in self.tracker.take_closed() {
            std::hint::black_box(format!("{:?}", closed.conversation));
        }
        for seen in &self.found.1.1.0 {
            for record in &seen.message.answers {
                std::hint::black_box(record.data.to_string());
            }
        }
    }
}

const TALK: [&[u8]; 2] = [
    b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHEAD /c HTTP/1.0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
];

/// Where the sequence numbers begin: they soon wrap.
const START: u32 = u32::MAX - 200;

/// A segment from eight bytes of the script. `next` is what each way of each
/// conversation would send next.
fn segment(word: &[u8; 8], next: &mut [[u32; 2]; 4]) -> Vec<u8> {
    let way = usize::from(word[0] & 1);
    let conversation = usize::from(word[0] >> 1 & 3);
    let (client, server) = (
        5000 + conversation as u16,
        if conversation < 3 { COUNTS } else { TALKS },
    );
    let flags = word[1] & 0x3F;
    let seq = next[conversation][way].wrapping_add_signed(match word[0] >> 3 & 7 {
        0..=3 => 0,
        4 => i32::from(word[2].cast_signed()),
        5 => i32::from(word[2].cast_signed()) * 64,
        6 => -1,
        _ => -i32::from(word[2]),
    });
    let len = usize::from(word[3]);
    let start = seq.wrapping_add(u32::from(flags & 2 != 0));
    let payload: Vec<u8> = (0..len as u32)
        .map(|i| {
            let place = start.wrapping_add(i);
            if server == COUNTS {
                place as u8
            } else {
                let text = TALK[way];
                text[place.wrapping_sub(START + 1) as usize % text.len()]
            }
        })
        .collect();
    let syn_or_fin = u32::from(flags & 2 != 0) + u32::from(flags & 1 != 0);
    let end = seq.wrapping_add(len as u32).wrapping_add(syn_or_fin);
    if word[0] & 0x38 < 0x20 {
        next[conversation][way] = end;
    }
    let ack = next[conversation][1 - way].wrapping_add_signed(i32::from(word[4].cast_signed()));

    let (from, to) = if way == 0 {
        (client, server)
    } else {
        (server, client)
    };
    let total = (40 + len) as u16;
    let mut frame = vec![0; 12];
    frame.extend([8, 0, 0x45, 0]);
    frame.extend(total.to_be_bytes());
    frame.extend([
        0,
        1,
        0,
        0,
        64,
        6,
        0,
        0,
        10,
        0,
        0,
        way as u8,
        10,
        0,
        0,
        1 - way as u8,
    ]);
    frame.extend(from.to_be_bytes());
    frame.extend(to.to_be_bytes());
    frame.extend(seq.to_be_bytes());
    frame.extend(ack.to_be_bytes());
    frame.extend([0x50, flags]);
    frame.extend([word[5], word[6], 0, 0, 0, 0]);
    frame.extend(payload);
    frame
}

fuzz_target!(|data: &[u8]| {
    if let Ok(mut reader) = Reader::new(data, "fuzzed") {
        let mut run = Run::new(Limits::default(), false);
        for _ in 0..2000 {
            match reader.next_frame() {
                Ok(Some(frame)) => run.frame(&frame),
                _ => break,
            }
        }
        return run.finish();
    }
    let Some((settings, script)) = data.split_first() else {
        return;
    };
    let limits = Limits {
        conversations: if settings & 1 == 0 { 100 } else { 2 },
        waiting: if settings & 2 == 0 { 4 << 20 } else { 300 },
        waiting_in_all: if settings & 4 == 0 { 16 << 20 } else { 500 },
        quotable: 10,
        linger: (settings & 8 != 0).then_some(1_000_000),
        notes_late: settings & 16 != 0,
        ..Limits::default()
    };
    let mut run = Run::new(limits, true);
    let mut next = [[START; 2]; 4];
    let mut time = 0;
    for (number, word) in script.chunks_exact(8).enumerate() {
        let word = word.first_chunk().expect("eight bytes");
        let data = segment(word, &mut next);
        time += i64::from(word[7]) * 10_000;
        run.frame(&Frame {
            number: number as u64 + 1,
            time: Timestamp(time),
            len: data.len() as u32,
            interface: 0,
            link_type: 1,
            data: &data,
        });
    }
    run.finish();
});
