//! Whatever packets, programs and file names say stays text.

use std::path::Path;

use netlab_capture::render::html::{self, Page, Run};
use netlab_capture::report::Report;
use serde_json::json;

use super::driver::{Browser, available};

/// Markup, script, an end of the block it stands in, turned writing, NUL.
pub const HOSTILE: &str = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>\
    <svg onload=window.hacked=3>\"'`;window.hacked=4;//\u{202e}\u{0}\u{1b}[2J<!--{{data}}&lt;";

/// A classic capture of TCP segments with these payloads, client to server.
pub fn capture(payloads: &[&[u8]]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 0x0004_0000, 101] {
        file.extend(word.to_le_bytes());
    }
    let mut seq = 1u32;
    for (index, payload) in payloads.iter().enumerate() {
        let mut packet = vec![0x45, 0];
        packet.extend(((40 + payload.len()) as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        packet.extend(40000u16.to_be_bytes());
        packet.extend(80u16.to_be_bytes());
        packet.extend(seq.to_be_bytes());
        packet.extend(1u32.to_be_bytes());
        packet.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(*payload);
        seq += payload.len() as u32;
        for word in [1, index as u32, packet.len() as u32, packet.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

/// The report with a hostile text at each place that is a text.
fn poison(report: &mut serde_json::Value) {
    match report {
        serde_json::Value::String(text) => text.push_str(HOSTILE),
        serde_json::Value::Array(values) => values.iter_mut().for_each(poison),
        serde_json::Value::Object(members) => members.values_mut().for_each(poison),
        _ => {}
    }
}

fn write(path: &Path, name: &str, report: Option<&Report>, capture: &[u8]) {
    let run = Run {
        label: name,
        report,
        name,
        capture: Some(capture),
        recording: None,
    };
    let page = Page {
        runs: &[run],
        home: None,
    };
    let mut file = std::fs::File::create(path).unwrap();
    html::write(&page, &mut file).unwrap();
}

/// Nothing ran, and nothing was made into elements. `scripts` are the page's own.
pub fn is_unharmed(browser: &Browser, scripts: u64) {
    assert_eq!(
        browser.run("return window.hacked === undefined"),
        json!(true)
    );
    let elements = "return document.querySelectorAll('img, iframe, object, embed, b, script').length \
        - document.querySelectorAll('#bytes b').length";
    assert_eq!(browser.number(elements), scripts);
    let handlers = "return [...document.querySelectorAll('*')] \
        .filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length";
    assert_eq!(browser.number(handlers), 0);
}

#[test]
fn hostile_packets_and_names_are_shown_and_not_run() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let head = format!(
        "GET /{} HTTP/1.1\r\nHost: {HOSTILE}\r\nX-{}: a\r\n\r\n",
        HOSTILE.replace(' ', "_"),
        "b"
    );
    let line = vec![b'<'; 60_000];
    let mut payloads = vec![head.as_bytes(), HOSTILE.as_bytes()];
    // One line of a megabyte and more.
    payloads.extend(std::iter::repeat_n(&line[..], 20));
    let file = capture(&payloads);
    write(&path, HOSTILE, None, &file);
    let browser = Browser::start(1280, 900, false);
    browser.open(&path, "#packet=2");
    assert_eq!(
        browser.number("return document.querySelectorAll('.arrow').length"),
        22
    );
    assert!(
        browser.text("#chunks").contains("window.hacked = 1"),
        "it is shown"
    );
    assert!(!browser.text("body").contains('\u{1b}'));
    is_unharmed(&browser, 2);
    for packet in 1..=3 {
        browser.click(&format!(".arrow[data-number='{packet}']"));
        is_unharmed(&browser, 2);
    }
    browser.keys(
        "#filter",
        "http contains \"<img src=x onerror=alert(1)>\"\u{e007}",
    );
    is_unharmed(&browser, 2);
}

#[test]
fn a_hostile_report_is_shown_and_not_run() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let bytes = std::fs::read(super::capture("udp-no-server")).unwrap();
    let opened = netlab_capture::view::Capture::open(&bytes, HOSTILE, None).unwrap();
    let mut report = serde_json::to_value(opened.report()).unwrap();
    let verdict = report["verdict"].clone();
    poison(&mut report);
    report["verdict"] = verdict;
    // The page is made of the JSON that the tool writes: put the other in its place.
    write(&path, HOSTILE, Some(&opened.report()), &bytes);
    let html = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = html.split_once("id=\"data\">").unwrap();
    let (data, after) = rest.split_once("</script>").unwrap();
    let mut data: serde_json::Value = serde_json::from_str(data).unwrap();
    data["runs"][0]["report"] = report;
    let data = data.to_string().replace('<', "\\u003c");
    std::fs::write(&path, format!("{before}id=\"data\">{data}</script>{after}")).unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&path, "");
    is_unharmed(&browser, 2);
    assert!(
        browser.text("#top").contains("window.hacked = 1"),
        "it is shown"
    );
}
