//! What `check` holds in memory.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use netlab_capture::savefile::{InterfaceDescription, Timestamp, pcap};

/// Writes one TCP conversation, a segment each time from 0, the client, or 1.
fn conversation(path: &Path) -> impl FnMut(usize, &[u8]) + use<> {
    let raw_ip = InterfaceDescription {
        name: String::new(),
        link_type: 101,
        snaplen: 0,
    };
    let file = BufWriter::new(File::create(path).unwrap());
    let mut writer = pcap::Writer::new(file, &raw_ip).unwrap();
    let mut time = 0;
    let mut next = [1u32, 1];
    move |from: usize, payload: &[u8]| {
        let len = 40 + payload.len() as u16;
        let ports: [u16; 2] = if from == 0 {
            [40_000, 80]
        } else {
            [80, 40_000]
        };
        let mut frame = vec![0x45, 0];
        frame.extend(len.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend(ports.into_iter().flat_map(u16::to_be_bytes));
        frame.extend(next[from].to_be_bytes());
        frame.extend(next[1 - from].to_be_bytes());
        frame.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(payload);
        next[from] += payload.len() as u32;
        time += 1_000_000;
        let captured = frame.len() as u32;
        writer
            .write_frame(Timestamp(time), captured, &frame)
            .unwrap();
    }
}

/// The most bytes that `check` held, which must pass.
fn peak(capture: &Path, words: &[&str]) -> u64 {
    let mut check = Command::new(assert_cmd::cargo::cargo_bin("netlab-capture"))
        .arg("check")
        .arg(capture)
        .args(words)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", check.id());
    let mut most = 0;
    let code = loop {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        most = most.max(peak.map_or(0, |kilobytes| kilobytes << 10));
        if let Some(status) = check.try_wait().unwrap() {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(code, Some(0));
    assert!(most > 0);
    most
}

/// What is held does not grow with what the packets carry: frames stay in the
/// file, and streams and bodies are gathered only for who asks.
#[test]
fn what_packets_carry_stays_in_the_file() {
    const SEGMENT: usize = 60_000;
    const SEGMENTS: usize = 10;
    const TRANSACTIONS: usize = 340;
    /// Of the 204 MB that the capture has.
    const MOST: u64 = 100 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bodies.pcap");
    let mut segment = conversation(&path);
    let body = vec![b'x'; SEGMENT];
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
        SEGMENT * SEGMENTS
    );
    for _ in 0..TRANSACTIONS {
        segment(0, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        segment(1, head.as_bytes());
        (0..SEGMENTS).for_each(|_| segment(1, &body));
    }
    drop(segment);
    assert!(std::fs::metadata(&path).unwrap().len() > 200_000_000);
    let peak = peak(
        &path,
        &[
            "-e",
            "no RST",
            "-e",
            "no http.response.code != 200",
            "-e",
            "len(http[339].response.body) == 600000",
        ],
    );
    assert!(peak < MOST, "{peak} bytes");
}

/// The JSON document has all packets, and is written as they are made: together
/// they once took 5 KB each.
#[test]
fn the_packets_of_the_document_are_not_held() {
    const PACKETS: usize = 30_000;
    const MORE: u64 = 20 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    let mut segment = conversation(&path);
    (0..PACKETS).for_each(|number| segment(number % 2, &[b'x'; 100]));
    drop(segment);
    let without = peak(&path, &["-e", "no RST"]);
    let with = peak(&path, &["-e", "no RST", "--json"]);
    assert!(with < without + MORE, "{with} bytes, and {without} without");
}
