//! Hellos, sound and hostile.

use proptest::prelude::*;

use super::*;
use crate::conversation::{At, Beginning, Direction, Receiver};
use crate::savefile::{Protocol, Timestamp};

use Direction::{ToClient, ToServer};

fn vector8(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector16(data)].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    [&[kind], &len[1..], body].concat()
}

/// Records of at most `most` bytes.
fn records(message: &[u8], most: usize) -> Vec<u8> {
    message
        .chunks(most)
        .flat_map(|chunk| [&[22, 3, 1][..], &vector16(chunk)].concat())
        .collect()
}

fn client_hello() -> Vec<u8> {
    let name = [&[0][..], &vector16(b"example.org")].concat();
    let alpn = [vector8(b"h2"), vector8(b"http/1.1")].concat();
    let extensions = [
        extension(0x0A0A, &[]),
        extension(0, &vector16(&name)),
        extension(16, &vector16(&alpn)),
        extension(43, &vector8(&[0x1A, 0x1A, 3, 4, 3, 3])),
    ];
    let body = [
        &[3, 3][..],
        &[7; 32],
        &vector8(&[9; 32]),
        &vector16(&[0x13, 1, 0xC0, 0x2F]),
        &vector8(&[0]),
        &vector16(&extensions.concat()),
    ];
    message(1, &body.concat())
}

fn server_hello(random: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let body = [
        &[3, 3][..],
        random,
        &vector8(&[]),
        &[0x13, 1, 0],
        &vector16(&extensions.concat()),
    ];
    message(2, &body.concat())
}

fn at() -> At {
    At {
        packet: 0,
        time: Timestamp(0),
    }
}

fn reader() -> Reader {
    let address = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let beginning = Beginning {
        conversation: 0,
        protocol: Protocol::Tcp,
        client: address(40_000),
        server: address(443),
        at: at(),
    };
    Reader::begin(&(), &beginning)
}

fn expected() -> ClientHello {
    ClientHello {
        record_version: 0x0301,
        version: 0x0303,
        cipher_suites: vec![0x1301, 0xC02F],
        server_name: Some("example.org".to_owned()),
        alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
        supported_versions: vec![0x1A1A, 0x0304, 0x0303],
    }
}

proptest! {
    #[test]
    fn records_and_chunks_do_not_matter(most in 1..300usize, size in 1..300usize) {
        let stream = records(&client_hello(), most);
        let mut tls = reader();
        let mut found = Vec::new();
        for chunk in stream.chunks(size) {
            prop_assert!(found.is_empty());
            tls.bytes(ToServer, chunk, at(), 0, &mut found);
        }
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(&found[0].hello, &Hello::Client(expected()));
        prop_assert_eq!(expected().newest_version(), 0x0304);
    }

    #[test]
    fn no_damage_makes_it_panic(
        at_byte in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut stream = records(&[client_hello(), server_hello(&[1; 32], &[])].concat(), 1000);
        let place = at_byte.index(stream.len());
        stream[place] = byte;
        let cut = cut.index(stream.len());
        reader().bytes(ToServer, &stream[..cut], at(), 0, &mut Vec::new());
        reader().bytes(ToServer, &stream, at(), 0, &mut Vec::new());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let stream = records(&message(1, &bytes), 100);
        reader().bytes(ToServer, &stream, at(), 0, &mut Vec::new());
        reader().bytes(ToServer, &bytes, at(), 0, &mut Vec::new());
    }
}

#[test]
fn a_server_may_ask_for_another_hello() {
    let retry = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8,
        0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8,
        0x33, 0x9C,
    ];
    let version = || extension(43, &[3, 4]);
    let mut stream = records(&server_hello(&retry, &[version()]), 1000);
    stream.extend([20, 3, 3, 0, 1, 1]);
    stream.extend(records(&server_hello(&[1; 32], &[version()]), 1000));
    stream.extend([23, 3, 3, 0, 9]);
    let mut tls = reader();
    let mut found = Vec::new();
    tls.bytes(ToClient, &stream, at(), 0, &mut found);
    let chosen: Vec<_> = found
        .iter()
        .map(|seen| match &seen.hello {
            Hello::Server(server) => (server.is_retry_request, server.chosen_version()),
            Hello::Client(_) => panic!("a client"),
        })
        .collect();
    assert_eq!(chosen, [(true, 0x0304), (false, 0x0304)]);
    tls.bytes(ToServer, b"no TLS", at(), 0, &mut found);
}

#[test]
fn a_server_of_an_early_draft_has_no_session() {
    let body = [&[0x7F, 18][..], &[1; 32], &[0x13, 2], &vector16(&[])];
    let mut found = Vec::new();
    let stream = records(&message(2, &body.concat()), 1000);
    reader().bytes(ToClient, &stream, at(), 0, &mut found);
    let Hello::Server(server) = &found[0].hello else {
        panic!("a client");
    };
    assert_eq!((server.version, server.cipher_suite), (0x7F12, 0x1302));
}

#[test]
fn an_older_server_tells_its_protocol() {
    let alpn = extension(16, &vector16(&vector8(b"http/1.1")));
    let mut found = Vec::new();
    let stream = records(&server_hello(&[1; 32], &[alpn]), 1000);
    reader().bytes(ToClient, &stream, at(), 0, &mut found);
    let Hello::Server(server) = &found[0].hello else {
        panic!("a client");
    };
    assert_eq!(server.alpn.as_deref(), Some("http/1.1"));
    assert_eq!(version_name(server.chosen_version()), Some("TLS 1.2"));
}

/// RFC 6066, section 3: `unrecognized_name`, and the handshake goes on.
#[test]
fn a_server_may_warn_before_its_hello() {
    let warning = [21, 3, 1, 0, 2, 1, 112];
    let hello = records(&server_hello(&[5; 32], &[]), 30);
    for size in [1, 3, 1000] {
        let bytes = [&warning[..], &hello].concat();
        let mut reader = reader();
        let mut found = Vec::new();
        for piece in bytes.chunks(size) {
            reader.bytes(ToClient, piece, at(), 0, &mut found);
        }
        assert!(matches!(
            &found[..],
            [Seen {
                hello: Hello::Server(_),
                ..
            }]
        ));
    }
    // Another length is none of an alert in the clear.
    let mut reader = reader();
    let bytes = [&[21, 3, 1, 0, 3, 1, 112, 0][..], &hello].concat();
    let mut found = Vec::new();
    reader.bytes(ToClient, &bytes, at(), 0, &mut found);
    assert!(found.is_empty());
}

#[test]
fn other_streams_are_given_up_at_once() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        &[22, 2, 1, 0, 5],
        &[22, 3, 9, 0, 5],
        &[22, 3, 1, 0xFF, 0xFF],
        &[22, 3, 1, 0, 0],
        &[22, 3, 1, 0, 4, 11, 0, 0, 9],
        &[22, 3, 1, 0, 4, 1, 0xFF, 0, 0],
        &[20, 3, 1, 0, 1, 1],
        &[23, 3, 3, 0, 1],
    ] {
        let mut tls = reader();
        let mut found = Vec::new();
        tls.bytes(ToServer, bytes, at(), 0, &mut found);
        tls.end(ToClient, at(), &mut found);
        assert!(found.is_empty(), "{bytes:?}");
    }
}

/// A ServerHello often shares its record with the certificates.
#[test]
fn a_hello_is_told_when_its_record_is_complete_or_never_will_be() {
    let at = |packet| At { packet, ..at() };
    let stream = records(&[server_hello(&[1; 32], &[]), vec![11; 500]].concat(), 1000);
    let (first, second) = stream.split_at(200);
    let mut found = Vec::new();
    let mut tls = reader();
    tls.bytes(ToClient, first, at(1), 0, &mut found);
    assert!(found.is_empty());
    tls.bytes(ToClient, second, at(2), 0, &mut found);
    let mut tls = reader();
    tls.bytes(ToClient, first, at(1), 0, &mut found);
    tls.end(ToClient, at(3), &mut found);
    tls.end(ToClient, at(3), &mut found);
    let packets: Vec<usize> = found.iter().map(|seen| seen.at.packet).collect();
    assert_eq!(packets, [2, 1]);
}
