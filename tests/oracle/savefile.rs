//! What we write opens in tshark without a warning, as we meant it; what tshark
//! reads of the corpus we read too.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use netlab_capture::savefile::{
    Batch, Bytes, CaptureInfo, InterfaceDescription, Program, Reader, Recording, SavefileError,
    Timestamp, annotate, pcap, pcapng,
};

use crate::corpus;
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

/// What a file gives: a row for each frame as tshark prints its fields, the
/// bytes of all, and what the file says of itself.
#[derive(PartialEq)]
struct Content {
    rows: Vec<String>,
    bytes: Vec<u8>,
    info: CaptureInfo,
}

const FRAME_FIELDS: [&str; 5] = [
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.comment",
];

fn content(bytes: &[u8], name: &str) -> Result<Content, SavefileError> {
    let mut reader = Reader::new(bytes, name)?;
    let mut batch = Batch::with_block(1500);
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    while reader.next_batch(&mut batch)? {
        for (index, frame) in batch.frames().iter().enumerate() {
            let comments: Vec<_> = batch.comments(index).collect();
            let (seconds, nanoseconds) = (
                frame.time.0.div_euclid(1_000_000_000),
                frame.time.0.rem_euclid(1_000_000_000),
            );
            rows.push(format!(
                "{}\t{seconds}.{nanoseconds:09}\t{}\t{}\t{}",
                frame.number,
                frame.len,
                frame.data.len(),
                comments.join(",")
            ));
            all.extend_from_slice(frame.data);
        }
    }
    Ok(Content {
        rows,
        bytes: all,
        info: reader.finish().0,
    })
}

/// tshark's rows, whatever it complains of behind them.
fn tsharks_rows(path: &Path) -> Vec<String> {
    let mut arguments = vec!["-r", path.to_str().unwrap(), "-n", "-T", "fields"];
    for name in FRAME_FIELDS {
        arguments.extend(["-e", name]);
    }
    let rows = tshark(arguments).stdout;
    rows.lines().map(str::to_owned).collect()
}

/// Files that have fractions of more than a second, which tshark shows as they
/// are, or cut to 32 bits.
const ODD_FRACTIONS: [&str; 5] = [
    "timestamp_invalid_micro.pcap",
    "fuzz-2021-10-13.pcap",
    "crash-eec28dafde1f1ac2299674a75a914ae16d4046fa",
    "fuzz-5781142119907328",
    "fuzz-6604968558198784",
];

/// Do they differ as docs/captures.md says: in a time before 1970, or in what
/// is beyond 31 bits?
fn is_explained(file: &str, ours: &str, theirs: &str) -> bool {
    fn columns(row: &str) -> Vec<&str> {
        row.split('\t').collect()
    }
    let (ours, theirs) = (columns(ours), columns(theirs));
    let time = ours[1].starts_with('-') || ODD_FRACTIONS.contains(&file);
    let len = ours[2] == theirs[2] || theirs[2] == i32::MAX.to_string();
    time && len && ours[0] == theirs[0] && ours[3..] == theirs[3..]
}

#[test]
fn frames_of_the_corpus_are_as_tshark_reads_them() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut wrong = Vec::new();
    for entry in &entries {
        let bytes = std::fs::read(&entry.path).unwrap();
        let ours = content(&bytes, &entry.file).map_or(Vec::new(), |content| content.rows);
        for (ours, theirs) in ours.iter().zip(tsharks_rows(&entry.path)) {
            if *ours != theirs && !is_explained(&entry.file, ours, &theirs) {
                wrong.push(format!("{}: {ours:?}, tshark {theirs:?}", entry.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The corpus in the other formats that Wireshark's tools write, and merged.
#[test]
fn what_editcap_and_mergecap_write_is_read() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("converted");
    let check = |what: &str| {
        let ours = content(&std::fs::read(&target).unwrap(), what).unwrap();
        assert_eq!(ours.rows, tsharks_rows(&target), "{what}");
        assert_eq!(ours.info.damage, None, "{what}");
    };
    let mut merged = Vec::new();
    for entry in entries.iter().filter(|entry| entry.set == "truth") {
        // Its times before 1970 are not what Wireshark's tools copy.
        if entry.file == "pcapng-example.pcapng" {
            continue;
        }
        for format in [["pcap", "nsecpcap"], ["modpcap", "pcapng"]][merged.len() % 2] {
            let output = Command::new("editcap")
                .args(["-F", format])
                .args([&entry.path, &target])
                .output()
                .unwrap();
            // The classic formats hold one link type only.
            if output.status.success() {
                check(&format!("{} as {format}", entry.file));
            } else {
                assert_ne!(format, "pcapng", "{}", entry.file);
            }
        }
        merged.push(&entry.path);
    }
    for arguments in [&["-a"][..], &["-I", "none"], &["-I", "all"]] {
        let output = Command::new("mergecap")
            .args(arguments)
            .arg("-w")
            .arg(&target)
            .args(&merged)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        check("all files merged");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// As it is, and cut anywhere: packed, a file gives what it gives unpacked.
#[test]
fn compressed_files_of_the_corpus_give_the_same() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    for entry in entries.iter().filter(|entry| !entry.file.ends_with(".gz")) {
        let bytes = std::fs::read(&entry.path).unwrap();
        let Ok(plain) = content(&bytes, "x") else {
            assert!(content(&gzip(&bytes), "x").is_err(), "{}", entry.file);
            assert!(content(&zstd(&bytes), "x").is_err(), "{}", entry.file);
            continue;
        };
        for (packed, name) in [(gzip(&bytes), "gzip"), (zstd(&bytes), "zstd")] {
            let mut same = content(&packed, "x").unwrap();
            assert_eq!(same.info.compression.unwrap().name(), name);
            same.info.compression = None;
            assert!(same == plain, "{}: {name}", entry.file);
            let step = (packed.len() / 20).max(1);
            for cut in (1..packed.len()).step_by(step) {
                let Ok(cut) = content(&packed[..cut], "x") else {
                    continue;
                };
                assert!(plain.rows.starts_with(&cut.rows), "{}", entry.file);
                assert!(plain.bytes.starts_with(&cut.bytes), "{}", entry.file);
                let damage = cut.info.damage.unwrap();
                // What is wrong with the file itself may come before the cut.
                let told = damage.reason.contains("is cut off after");
                assert!(told || plain.info.damage == Some(damage), "{}", entry.file);
            }
        }
    }
}
