//! Bytes both ways, in the pieces that the input makes, and each of them cut
//! further: the same messages are found, be they HTTP's, DNS's or TLS's.
//!
//! The first eight bytes are the lengths to cut at; the last of them tells too
//! what kind of conversation it is. Behind them, 0xFF turns to the other way,
//! 0xFE begins a new piece on the same, 0xFD is a gap, 0xFC the way's end, 0xFB
//! its new beginning (the ports are used again), and with 0xFA the piece so far
//! comes 32 times.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use netlab_capture::conversation::{At, Beginning, Direction, Missing, Receiver};
use netlab_capture::message::{Bodies, Found, Lookup, Message, Reader, Settings, Waits};
use netlab_capture::savefile::{Protocol, Timestamp};

enum Comes {
    Bytes(Vec<u8>),
    Gap,
    Restart,
    End,
}

/// What the last of the eight bytes says.
#[derive(Clone, Copy)]
struct Kind(u8);

impl Kind {
    /// Half of the scripts begin as HTTP: what comes later in a conversation that
    /// began otherwise is told by the pieces that it comes in.
    fn begins(self) -> bool {
        self.0 & 1 == 0
    }

    fn port(self) -> u16 {
        if self.0 & 2 == 0 { 8080 } else { 53 }
    }

    fn protocol(self) -> Protocol {
        match self.0 & 0x0C == 0x0C {
            true => Protocol::Udp,
            false => Protocol::Tcp,
        }
    }

    /// How many of a message's packets are listed.
    fn packets(self) -> usize {
        if self.0 & 0x10 == 0 { 0 } else { 20 }
    }
}

fn at(packet: usize) -> At {
    At {
        packet,
        time: Timestamp(packet as i64),
    }
}

fn feed(events: &[(usize, Direction, Comes)], cuts: &[u8], kind: Kind, bodies: Bodies) -> Found {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let settings = Settings {
        bodies,
        packets: kind.packets(),
        parts: true,
        carried: true,
        sent: 1000,
        waits: Waits::default(),
    };
    let beginning = Beginning {
        conversation: 0,
        protocol: kind.protocol(),
        client: address(40_000),
        server: address(kind.port()),
        at: at(0),
    };
    let mut reader = Reader::begin(&settings, &beginning);
    let mut found = Found::default();
    let mut sizes = cuts.iter().cycle();
    for (packet, way, comes) in events {
        match comes {
            Comes::Bytes(bytes) if kind.protocol() == Protocol::Udp => {
                reader.datagram(*way, bytes, at(*packet), &mut found);
            }
            Comes::Bytes(bytes) => {
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let size = sizes
                        .next()
                        .map_or(rest.len(), |size| usize::from(*size) + 1);
                    let (some, later) = rest.split_at(size.min(rest.len()));
                    reader.bytes(*way, some, at(*packet), 0, &mut found);
                    rest = later;
                }
            }
            _ if kind.protocol() == Protocol::Udp => {}
            Comes::Gap => {
                // Of half of them it is known by when they had come.
                let acknowledged = (packet % 2 == 0).then_some(*packet);
                let missing = Missing {
                    bytes: 10,
                    acknowledged,
                };
                reader.gap(*way, missing, &mut found);
            }
            Comes::Restart => reader.restart(*way, &mut found),
            Comes::End => reader.end(*way, at(*packet), &mut found),
        }
    }
    reader.close(&mut found);
    found
}

fn names(lookups: &[Lookup]) -> Vec<String> {
    let text = |lookup: &Lookup| format!("{:?} {:?}", lookup.query, lookup.response);
    lookups.iter().map(text).collect()
}

/// All but where it was seen.
fn content(messages: &[Message]) -> Vec<String> {
    let text = |message: &Message| {
        let mut message = message.clone();
        message.packets = Default::default();
        format!("{message:?}")
    };
    messages.iter().map(text).collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((cuts, script)) = data.split_first_chunk::<8>() else {
        return;
    };
    let kind = Kind(cuts[7]);
    let mut events = Vec::new();
    if kind.begins() {
        let bytes = b"GET / HTTP/1.1\r\nHost:".to_vec();
        events.push((0, Direction::ToServer, Comes::Bytes(bytes)));
    }
    let mut way = Direction::ToServer;
    let mut whole_ways = true;
    let mut piece = Vec::new();
    for byte in script {
        if *byte < 0xFA {
            piece.push(*byte);
            continue;
        }
        if *byte == 0xFA {
            if piece.len() < 4096 {
                piece = piece.repeat(32);
            }
            continue;
        }
        events.push((events.len(), way, Comes::Bytes(std::mem::take(&mut piece))));
        let comes = match byte {
            0xFF => {
                way = way.opposite();
                continue;
            }
            0xFE => continue,
            0xFD => Comes::Gap,
            0xFC => Comes::End,
            _ => Comes::Restart,
        };
        whole_ways &= matches!(comes, Comes::End);
        events.push((events.len(), way, comes));
    }
    events.push((events.len(), way, Comes::Bytes(piece)));

    let keep = Bodies::Keep { limit: usize::MAX };
    let whole = feed(&events, &[], kind, keep);
    let cut = feed(&events, cuts, kind, keep);
    feed(&events, cuts, kind, Bodies::Digest);
    feed(&events, cuts, kind, Bodies::Count);
    // Behind a gap, a message begins where a piece does; and off its port, whether
    // it is DNS is told by the first piece. What is read as HTTP is DNS as far as the
    // same piece was.
    if whole_ways && kind.port() == 53 && whole.messages.is_empty() {
        assert_eq!(names(&whole.lookups), names(&cut.lookups));
    }
    if whole_ways && kind.begins() {
        assert_eq!(content(&whole.messages), content(&cut.messages));
    }
});
