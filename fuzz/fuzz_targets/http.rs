//! Bytes both ways, in the pieces that the input makes, and each of them cut
//! further: the same messages are found.
//!
//! The first eight bytes are the lengths to cut at. Behind them, 0xFF turns to
//! the other way, 0xFE begins a new piece on the same, 0xFD is a gap, 0xFC the
//! way's end.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use netlab_capture::conversation::{At, Beginning, Direction, Receiver};
use netlab_capture::message::{Bodies, Found, Message, Reader, Settings};
use netlab_capture::savefile::{Protocol, Timestamp};

enum Comes<'a> {
    Bytes(&'a [u8]),
    Gap,
    End,
}

fn at(packet: usize) -> At {
    At {
        packet,
        time: Timestamp(packet as i64),
    }
}

fn feed(events: &[(usize, Direction, Comes<'_>)], cuts: &[u8], bodies: Bodies) -> Found {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let settings = Settings {
        bodies,
        packets: 0,
        parts: true,
        carried: true,
        sent: 1000,
    };
    let beginning = Beginning {
        conversation: 0,
        protocol: Protocol::Tcp,
        client: address(40_000),
        server: address(8080),
        at: at(0),
    };
    let mut reader = Reader::begin(&settings, &beginning);
    let mut found = Found::default();
    let mut sizes = cuts.iter().cycle();
    for (packet, way, comes) in events {
        match comes {
            Comes::Bytes(bytes) => {
                let mut rest = *bytes;
                while !rest.is_empty() {
                    let size = sizes
                        .next()
                        .map_or(rest.len(), |size| usize::from(*size) + 1);
                    let (some, later) = rest.split_at(size.min(rest.len()));
                    reader.bytes(*way, some, at(*packet), 0, &mut found);
                    rest = later;
                }
            }
            Comes::Gap => reader.gap(*way, 10, &mut found),
            Comes::End => reader.end(*way, at(*packet), &mut found),
        }
    }
    reader.close(&mut found);
    found
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
    // Half of the scripts begin as HTTP: what comes later in a conversation that
    // began otherwise is told by the pieces that it comes in.
    let begins = cuts[7] & 1 == 0;
    let mut events = Vec::new();
    if begins {
        events.push((
            0,
            Direction::ToServer,
            Comes::Bytes(b"GET / HTTP/1.1\r\nHost:"),
        ));
    }
    let mut way = Direction::ToServer;
    let mut gaps = false;
    let mut start = 0;
    for (place, byte) in script.iter().enumerate() {
        if *byte < 0xFC {
            continue;
        }
        events.push((events.len(), way, Comes::Bytes(&script[start..place])));
        match byte {
            0xFF => way = way.opposite(),
            0xFD => {
                gaps = true;
                events.push((events.len(), way, Comes::Gap));
            }
            0xFC => events.push((events.len(), way, Comes::End)),
            _ => {}
        }
        start = place + 1;
    }
    events.push((events.len(), way, Comes::Bytes(&script[start..])));

    let keep = Bodies::Keep { limit: usize::MAX };
    let whole = feed(&events, &[], keep);
    let cut = feed(&events, cuts, keep);
    feed(&events, cuts, Bodies::Digest);
    // The same is so behind a gap.
    if begins && !gaps {
        assert_eq!(content(&whole.messages), content(&cut.messages));
    }
});
