//! The module in the page answers as the tool itself does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use netlab_capture::view::Desk;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::driver::{Browser, available};
use super::page_alone;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The files that the module is made from, in the order of their names.
fn sources() -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("src"), root().join("engine/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && is_read(&name) {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    for name in ["engine/Cargo.toml", "engine/Cargo.lock"] {
        found.insert(name.to_owned(), fs::read(root().join(name)).unwrap());
    }
    found
}

/// As `./lab wasm` chooses them: not what records, prints or tests.
fn is_read(name: &str) -> bool {
    let out = [
        "src/cli/",
        "src/lab/",
        "src/sandbox/",
        "src/capture/",
        "src/grade/",
        "src/main.rs",
    ];
    !out.iter().any(|start| name.starts_with(start)) && !name.contains("tests")
}

#[test]
fn the_module_is_made_from_these_sources() {
    let mut all = Sha256::new();
    for (name, bytes) in sources() {
        let digest: String = Sha256::digest(bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        all.update(format!("{digest}  {name}\n"));
    }
    let all: String = all.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let noted = fs::read_to_string(root().join("src/render/html/engine.sha256")).unwrap();
    assert_eq!(
        noted.trim(),
        all,
        "the reading half has changed: ./lab wasm makes the module anew"
    );
}

/// Filters of many kinds: values, sets, slices, functions, quoted headers, marks.
const FILTERS: &[&str] = &[
    "",
    "tcp",
    "udp",
    "icmp || icmpv6",
    "tcp.flags.reset == 1",
    "tcp.flags & 0x12",
    "udp.length == 13",
    "tcp.port in {80, 8000..8080}",
    "ip.addr == 127.0.0.0/8",
    "ipv6.addr == ::1",
    "http.request.method == \"GET\"",
    "http.response.code >= 400",
    "http.host matches \"^127\"",
    "frame contains \"HELLO\"",
    "tcp.payload[0:3] == 47:45:54",
    "lower(http.request.method) == \"get\"",
    "len(http.host) > 3",
    "count(tcp.port) == 2",
    "tcp.analysis.retransmission",
    "tcp.completeness == 31",
    "from == client",
    "to == nobody:12000",
    "frame.time_delta_displayed > 0",
    "tcp.flgs",
    "udp.length == \"x\"",
];

#[test]
fn every_answer_is_the_tools_own() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = page_alone(folder.path());
    let browser = Browser::start(800, 600, false);
    browser.open(&path, "");
    let mut compared = 0;
    for entry in fs::read_dir(root().join("captures/reference")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|e| e != "pcapng") {
            continue;
        }
        let bytes = fs::read(&file).unwrap();
        let mut desk = Desk::default();
        for question in questions() {
            let opens = question["ask"] == "open";
            let data = if opens { &bytes[..] } else { &[] };
            let native = desk.answer(&question.to_string(), data);
            let asked = "const data = Uint8Array.from(atob(arguments[1]), c => c.charCodeAt(0)); \
                return window.netlab.text(arguments[0], data)";
            let packed = BASE64_STANDARD.encode(data);
            let in_page = browser.run_with(asked, vec![question.clone(), json!(packed)]);
            assert_eq!(
                in_page.as_str(),
                Some(&native[..]),
                "{}: {question}",
                file.display()
            );
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

fn questions() -> Vec<Value> {
    let mut questions = vec![json!({ "ask": "open", "name": "x.pcapng" })];
    questions.extend(
        FILTERS
            .iter()
            .map(|text| json!({ "ask": "filter", "text": text })),
    );
    questions.push(json!({ "ask": "rows", "packets": (0..20).collect::<Vec<u32>>() }));
    questions.push(json!({ "ask": "complete", "text": "tcp.fl", "caret": 6 }));
    questions.push(json!({ "ask": "stream", "conversation": 0 }));
    questions.push(json!({ "ask": "series", "conversation": 0 }));
    for packet in [0, 1, 2, 4, 99] {
        questions.push(json!({ "ask": "packet", "packet": packet }));
        questions.push(json!({ "ask": "statement", "packet": packet }));
    }
    for text in [
        "no RST",
        "each udp has udp.length == 13",
        "in order { client > server SYN }",
        "nonsense",
    ] {
        questions.push(json!({ "ask": "judge", "text": text }));
    }
    questions
}
