//! What we write opens in tshark without a warning, as we meant it.

use std::collections::BTreeMap;
use std::path::Path;

use netlab_capture::savefile::{
    Bytes, InterfaceDescription, Program, Reader, Recording, Timestamp, annotate, pcap, pcapng,
};

use crate::tshark::{self, tshark};

/// Ethernet, IPv4, UDP from 12000 to 12001, with `payload` bytes of it: lengths
/// that need 0 to 3 bytes of padding.
fn datagram(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([0x08, 0x00]);
    let total = 28 + payload.len() as u16;
    frame.extend([
        0x45,
        0,
        (total >> 8) as u8,
        total as u8,
        0,
        1,
        0,
        0,
        64,
        17,
        0,
        0,
    ]);
    frame.extend([127, 0, 0, 1, 127, 0, 0, 1]);
    frame.extend([0x2E, 0xE0, 0x2E, 0xE1]);
    frame.extend((total - 20).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

fn loopback() -> InterfaceDescription {
    InterfaceDescription {
        name: "lo".to_owned(),
        link_type: 1,
        snaplen: 262_144,
    }
}

fn frames() -> Vec<(Timestamp, Vec<u8>)> {
    (0..8)
        .map(|i| {
            let time = Timestamp(1_700_000_000_123_456_789 + i);
            (time, datagram(&vec![b'x'; i as usize]))
        })
        .collect()
}

/// A recording of some size, hostile bytes included.
fn recording(size: usize) -> Recording {
    Recording {
        tool: "test".to_owned(),
        programs: vec![Program {
            role: "client".to_owned(),
            stdout: Bytes("\u{0}\n\u{1F600}".repeat(size / 6).into_bytes()),
            stderr: Bytes(vec![0, 255, 0]),
            ..Program::default()
        }],
        ..Recording::default()
    }
}

fn pcapng_file(recording: &Recording) -> Vec<u8> {
    let mut writer = pcapng::Writer::new(Vec::new(), &loopback()).unwrap();
    for (time, data) in frames() {
        writer.write_frame(time, data.len() as u32, &data).unwrap();
    }
    writer.write_recording(recording).unwrap();
    writer.write_statistics(8, 3).unwrap();
    writer.into_inner()
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// Rows of the fields asked for; no complaint allowed.
fn fields(path: &str, names: &[&str]) -> Vec<String> {
    let mut arguments = vec!["-r", path, "-n", "-T", "fields"];
    for name in names {
        arguments.extend(["-e", name]);
    }
    let output = tshark(arguments);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    output.stdout.lines().map(str::to_owned).collect()
}

fn expected_rows() -> Vec<String> {
    frames()
        .iter()
        .enumerate()
        .map(|(i, (time, data))| {
            let (seconds, nanoseconds) = (time.0 / 1_000_000_000, time.0 % 1_000_000_000);
            let len = data.len();
            format!("{}\t{seconds}.{nanoseconds:09}\t{len}\t{}", i + 1, 8 + i)
        })
        .collect()
}

const ROWS: [&str; 4] = [
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "udp.length",
];

#[test]
fn tshark_reads_our_pcapng_without_a_warning() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for size in [0, 100, 5 << 20] {
        let path = save(folder.path(), "a.pcapng", &pcapng_file(&recording(size)));
        assert_eq!(fields(&path, &ROWS), expected_rows());
        let names = fields(&path, &["frame.interface_name"]);
        assert!(names.iter().all(|name| name == "lo"), "{names:?}");
    }
}

#[test]
fn tshark_reads_an_empty_pcapng_without_a_warning() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut writer = pcapng::Writer::new(Vec::new(), &loopback()).unwrap();
    writer.write_statistics(0, 0).unwrap();
    let path = save(folder.path(), "a.pcapng", &writer.into_inner());
    assert_eq!(fields(&path, &ROWS), Vec::<String>::new());
}

#[test]
fn tshark_reads_our_pcap_without_a_warning() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut writer = pcap::Writer::new(Vec::new(), &loopback()).unwrap();
    for (time, data) in frames() {
        writer.write_frame(time, data.len() as u32, &data).unwrap();
    }
    let path = save(folder.path(), "a.pcap", &writer.into_inner());
    assert_eq!(fields(&path, &ROWS), expected_rows());
}

#[test]
fn tshark_shows_our_comments() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let comments = BTreeMap::from([
        (1, vec!["one".to_owned()]),
        (
            3,
            vec!["Assert: \u{2713} \u{e9}".to_owned(), "two".to_owned()],
        ),
    ]);
    let mut annotated = Vec::new();
    annotate(&pcapng_file(&recording(10))[..], &mut annotated, &comments).unwrap();
    let path = save(folder.path(), "a.pcapng", &annotated);
    assert_eq!(fields(&path, &ROWS), expected_rows());
    let rows = fields(&path, &["frame.comment"]);
    assert_eq!(rows[0], "one [netlab-capture]");
    assert_eq!(rows[1], "");
    assert_eq!(
        rows[2],
        "Assert: \u{2713} \u{e9} [netlab-capture],two [netlab-capture]"
    );
}

/// What Wireshark writes of our file still has its comments, marked as ours.
#[test]
fn our_comments_survive_a_copy_by_tshark() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let comments = BTreeMap::from([(2, vec!["role: client".to_owned()])]);
    let mut annotated = Vec::new();
    annotate(&pcapng_file(&recording(10))[..], &mut annotated, &comments).unwrap();
    let path = save(folder.path(), "a.pcapng", &annotated);
    let copy = save(folder.path(), "b.pcapng", b"");
    let output = tshark(["-r", &path, "-w", &copy]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));

    let mut cleared = Vec::new();
    let bytes = std::fs::read(&copy).unwrap();
    annotate(&bytes[..], &mut cleared, &BTreeMap::new()).unwrap();
    assert!(cleared.len() < bytes.len());
    let mut reader = Reader::new(&cleared[..], "b").unwrap();
    let mut count = 0;
    while reader.next_frame().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 8);
}
