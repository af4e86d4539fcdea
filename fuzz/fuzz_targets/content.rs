//! What HTTP carries, in a content coding or several: it is decoded as far as it can
//! be, within the bound, and the same whatever the bound is.
//!
//! The first byte says which codings; the rest is the content.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use netlab_capture::conversation::{At, Beginning, Direction, Receiver};
use netlab_capture::message::{Bodies, Decoded, Found, Reader, Settings, Waits, decoded};
use netlab_capture::savefile::{Protocol, Timestamp};

const CODINGS: [&str; 8] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, zstd",
    "br, deflate",
    "zstd, zstd",
    "identity, x-gzip",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, content)) = data.split_first() else {
        return;
    };
    let codings = CODINGS[usize::from(*first) % CODINGS.len()];
    let at = At {
        packet: 0,
        time: Timestamp(0),
    };
    let settings = Settings {
        bodies: Bodies::Keep { limit: usize::MAX },
        packets: 0,
        parts: false,
        carried: false,
        sent: 0,
        waits: Waits::default(),
    };
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let beginning = Beginning {
        conversation: 0,
        protocol: Protocol::Tcp,
        client: address(40_000),
        server: address(80),
        at,
    };
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: {codings}\r\n");
    let head = format!("{head}Content-Length: {}\r\n\r\n", content.len());
    let mut reader = Reader::begin(&settings, &beginning);
    let mut found = Found::default();
    reader.bytes(
        Direction::ToServer,
        &[head.as_bytes(), content].concat(),
        at,
        0,
        &mut found,
    );
    reader.close(&mut found);
    let request = found.messages.iter().find_map(|m| m.request.as_ref());
    let request = request.expect("there is one");
    let some: Decoded = decoded(&request.head, &request.body, 1000);
    let more = decoded(&request.head, &request.body, 100_000);
    assert!(some.bytes.len() <= 1000 && more.bytes.len() <= 100_000);
    assert!(more.bytes.starts_with(&some.bytes));
    if more.bytes.len() < 1000 {
        assert_eq!(some, more);
    }
});
