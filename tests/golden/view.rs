//! What a page is told of each packet: the layers agree with the bytes and with
//! the display filters.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use netlab_capture::savefile::Reader;
use netlab_capture::view::tree::{Node, tree};
use netlab_capture::view::{Capture, Chunk, row, statement, stream};

fn captures() -> Vec<(String, Capture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let mut captures = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "pcapng")
        {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let capture = Capture::open(&fs::read(&path).unwrap(), &name, None).unwrap();
            captures.push((name, capture));
        }
    }
    assert!(captures.len() > 10);
    captures
}

fn visit<'n>(nodes: &'n [Node], each: &mut dyn FnMut(&'n Node)) {
    for node in nodes {
        each(node);
        visit(&node.children, each);
    }
}

#[test]
fn each_field_lies_in_its_packet_and_its_filter_shows_it() {
    let mut filters = 0;
    for (name, capture) in captures() {
        // Each filter is asked once for all packets.
        let mut asked: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (index, packet) in capture.trace.packets.iter().enumerate() {
            let layers = tree(&capture.trace, index);
            let size = packet.data(capture.trace.frame(index)).len() as u32;
            visit(&layers, &mut |node| {
                let end = node.start + node.len;
                assert!(end <= size, "{name} {index}: {node:?}");
                let Some(filter) = &node.filter else { return };
                let shown = asked.entry(filter.clone()).or_insert_with(|| {
                    capture
                        .filter(filter)
                        .unwrap_or_else(|m| panic!("{filter}: {m:?}"))
                });
                let number = packet.number as u32;
                assert!(shown.contains(&number), "{name} {number}: {filter}");
                filters += 1;
            });
        }
    }
    assert!(filters > 3000, "{filters}");
}

#[test]
fn the_header_fields_are_the_headers_bytes() {
    for (name, capture) in captures() {
        for index in 0..capture.trace.packets.len() {
            let layers = tree(&capture.trace, index);
            let data = capture.trace.frame(index);
            visit(&layers, &mut |node| {
                let bytes = &data[node.start as usize..(node.start + node.len) as usize];
                let number = bytes
                    .iter()
                    .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
                let value = node.value.split(' ').next().unwrap();
                match node.field {
                    Some(
                        "tcp.srcport"
                        | "tcp.dstport"
                        | "udp.srcport"
                        | "udp.dstport"
                        | "udp.length"
                        | "ip.len"
                        | "ip.ttl"
                        | "ip.proto"
                        | "tcp.seq_raw"
                        | "tcp.ack_raw"
                        | "ipv6.plen"
                        | "tcp.window_size_value",
                    ) => {
                        assert_eq!(value, number.to_string(), "{name} {index}: {node:?}");
                    }
                    Some("eth.type" | "udp.checksum" | "tcp.checksum" | "ip.id") => {
                        assert_eq!(value, format!("0x{number:04x}"), "{name} {index}: {node:?}");
                    }
                    _ => {}
                }
            });
        }
    }
}

#[test]
fn a_packet_that_carries_an_event_has_a_statement_that_holds() {
    for (name, capture) in captures() {
        let trace = &capture.trace;
        let mut stated = 0;
        for index in 0..trace.packets.len() {
            let Some(text) = statement(trace, index) else {
                continue;
            };
            stated += 1;
            let judged = capture.judge(&text);
            let expectation = judged
                .expectation
                .unwrap_or_else(|| panic!("{name}: {text}"));
            assert_eq!(
                format!("{:?}", expectation.verdict),
                "Pass",
                "{name}: {text}"
            );
        }
        assert!(stated >= 2, "{name}: {stated}");
    }
}

#[test]
fn the_stream_that_is_shown_is_the_stream() {
    for (name, capture) in captures() {
        for (index, conversation) in capture.trace.conversations.iter().enumerate() {
            let whole = stream(&capture.trace, index, usize::MAX, usize::MAX);
            assert_eq!(whole.beyond, 0);
            let len = |chunks: &[Chunk]| chunks.iter().map(|chunk| chunk.len as u64).sum::<u64>();
            let bytes = conversation.bytes.to_server + conversation.bytes.to_client;
            assert_eq!(len(&whole.chunks), bytes, "{name}");
            // The beginning of it, and the rest counted.
            let first = stream(&capture.trace, index, usize::MAX, 1);
            assert!(first.chunks.len() <= 1, "{name}");
            assert_eq!(first.chunks, whole.chunks[..first.chunks.len()], "{name}");
            assert_eq!(len(&first.chunks) + first.beyond, bytes, "{name}");
        }
    }
}

/// Any capture at all: what is asked of a packet has an answer, and never a panic.
#[test]
fn every_truncated_capture_has_rows_and_layers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let bytes = fs::read(folder.join("http-ok.pcapng")).unwrap();
    assert!(Reader::new(&bytes[..], "whole").is_ok());
    for end in (0..bytes.len()).step_by(7) {
        let Ok(capture) = Capture::open(&bytes[..end], "cut", None) else {
            continue;
        };
        for index in 0..=capture.trace.packets.len() {
            row(&capture.trace, index);
            tree(&capture.trace, index);
        }
        capture.report();
    }
}
