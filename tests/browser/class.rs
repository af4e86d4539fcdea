//! The pages of a class that was graded: the table, a student's page, the packets
//! beside it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use netlab_capture::grade::{
    CaseResult, Check, Class, ClassCase, Grade, ResultsSchema, Submission, Visibility, keys,
};
use serde_json::{Value, json};

use super::driver::{Browser, available};
use super::hostile::{HOSTILE, is_unharmed};

const NAMES: [&str; 4] = ["Émile", "bert", "Anna", HOSTILE];

/// For each name: what the two visible cases and the hidden one came to.
const GRADES: [[Grade; 3]; 4] = [
    [Grade::Pass, Grade::Fail, Grade::Fail],
    [Grade::Fail, Grade::Fail, Grade::Pass],
    [Grade::Pass, Grade::Pass, Grade::Pass],
    [Grade::Fail, Grade::Inconclusive, Grade::Fail],
];

/// The captures of the three cases.
const CAPTURES: [&str; 3] = ["tcp-refused", "http-ok", "udp-no-server"];

fn class() -> Class {
    let case = |name: &str, points: f64, visibility| ClassCase {
        name: name.to_owned(),
        points,
        visibility,
        hint: Some(format!("hint of {name}")),
    };
    Class {
        schema: ResultsSchema::V1,
        suite: "lab5".to_owned(),
        title: Some("Lab 5".to_owned()),
        digest: "d".to_owned(),
        cases: vec![
            case("tcp <b>server</b>", 10.0, Visibility::Visible),
            case("web", 4.0, Visibility::Visible),
            case("secret", 1.0, Visibility::Hidden),
        ],
        submissions: NAMES
            .iter()
            .zip(keys(NAMES))
            .map(|(name, key)| Submission {
                key,
                name: (*name).to_owned(),
                digest: "x".to_owned(),
            })
            .collect(),
    }
}

fn result(class: &Class, student: usize, index: usize) -> CaseResult {
    let (submission, case) = (&class.submissions[student], &class.cases[index]);
    let grade = GRADES[student][index];
    CaseResult {
        submission: submission.key.clone(),
        digest: submission.digest.clone(),
        case: case.name.clone(),
        grade,
        score: match grade {
            Grade::Pass => Some(case.points),
            Grade::Fail => Some(0.0),
            Grade::Inconclusive => None,
        },
        attempts: 1,
        duration_ms: 1.0,
        packets: 2,
        complete: true,
        message: match grade {
            Grade::Pass => String::new(),
            _ => format!("why {} {HOSTILE}", case.name),
        },
        checks: vec![
            Check {
                name: format!("open {HOSTILE}"),
                grade,
                visibility: Visibility::Visible,
                message: "expected SYN,ACK".to_owned(),
                place: None,
            },
            Check {
                name: "covert check".to_owned(),
                grade,
                visibility: Visibility::Hidden,
                message: String::new(),
                place: None,
            },
        ],
        text: format!("the run of {}\n{HOSTILE}", case.name),
        capture: Some(format!("{}-x.pcapng", index + 1)),
    }
}

/// What `merge` makes of a class that was graded elsewhere.
fn merged(folder: &Path) -> PathBuf {
    let class = class();
    let part = folder.join("part");
    let mut lines = vec![serde_json::to_string(&class).unwrap()];
    for (student, submission) in class.submissions.iter().enumerate() {
        let own = part.join("students").join(&submission.key);
        fs::create_dir_all(&own).unwrap();
        for (index, capture) in CAPTURES.iter().enumerate() {
            let result = result(&class, student, index);
            let name = result.capture.as_ref().unwrap();
            fs::copy(super::capture(capture), own.join(name)).unwrap();
            lines.push(serde_json::to_string(&result).unwrap());
        }
    }
    fs::write(part.join("results.jsonl"), lines.join("\n") + "\n").unwrap();
    let out = folder.join("grades");
    let output = Command::new(env!("CARGO_BIN_EXE_netlab-capture"))
        .arg("merge")
        .arg(&part)
        .arg("--out")
        .arg(&out)
        .arg("--html")
        .arg(folder.join("elsewhere.html"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    out
}

fn key(name: &str) -> String {
    let place = NAMES.iter().position(|one| *one == name).unwrap();
    keys(NAMES)[place].clone()
}

fn student(out: &Path, name: &str, file: &str) -> PathBuf {
    out.join("students").join(key(name)).join(file)
}

/// The first words of the rows that are shown, from the top.
const ROWS: &str = "return [...document.querySelectorAll('tbody tr:not([hidden]) th')] \
    .map(head => head.textContent.slice(0, 5))";

#[test]
fn the_table_is_sorted_by_any_column_and_searched() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = merged(folder.path());
    let browser = Browser::start(1280, 900, false);
    browser.load(&out.join("class.html"));
    is_unharmed(&browser, 1);
    assert!(
        browser
            .text("header")
            .contains("4 submissions: 1 pass · 2 fail · 1 inconclusive")
    );
    // By name, as people sort names: without regard to case and accents.
    browser.click("thead th:nth-child(1) button");
    assert_eq!(browser.run(ROWS), json!(["</scr", "Anna", "bert", "Émile"]));
    // By points as numbers: 0, 0, 10, 14; a second time the other way round.
    browser.click("thead th:nth-child(4) button");
    browser.click("thead th:nth-child(3) button");
    let points = "return [...document.querySelectorAll('tbody td:nth-child(3)')] \
        .map(cell => cell.firstChild.textContent)";
    assert_eq!(
        browser.run(points),
        json!(["0/15", "1/15", "10/15", "15/15"])
    );
    let sorted = "return [...document.querySelectorAll('thead th')] \
        .map(head => head.getAttribute('aria-sort'))";
    assert_eq!(
        browser.run(sorted),
        json!([null, null, "ascending", null, null, null])
    );
    browser.click("thead th:nth-child(3) button");
    assert_eq!(
        browser.run(points),
        json!(["15/15", "10/15", "1/15", "0/15"])
    );
    assert_eq!(
        browser.run(sorted),
        json!([null, null, "descending", null, null, null])
    );
    // A score that is not known comes before a zero.
    browser.click("thead th:nth-child(5) button");
    assert_eq!(
        browser.run(ROWS).as_array().unwrap()[0],
        json!("</scr"),
        "inconclusive"
    );
    browser.keys("#name", "emi");
    browser.wait("return document.querySelector('#shown').textContent === '1 of 4 are shown'");
    assert_eq!(browser.run(ROWS), json!(["Émile"]));
    browser.run("document.querySelector('#name').value = ''");
    browser.run(
        "const grade = document.querySelector('#grade'); grade.value = 'inconclusive'; \
         grade.dispatchEvent(new Event('change'))",
    );
    assert_eq!(browser.run(ROWS), json!(["</scr"]));
    // What a case came to is a word, and why is there.
    assert!(browser.text("tbody").contains("? inconclusive ?/4"));
    assert!(browser.text("tbody details").contains("why"));
    is_unharmed(&browser, 1);
}

#[test]
fn pages_of_a_class_lead_to_each_other() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = merged(folder.path());
    let browser = Browser::start(1280, 900, false);
    browser.load(&out.join("class.html"));
    let leads = |selector: &str| {
        let script = "return document.querySelector(arguments[0]).href";
        let address = browser.run_with(script, vec![json!(selector)]);
        let address = address.as_str().unwrap().to_owned();
        browser.go(&address);
    };
    // From each name; the hostile one is no other address.
    let links = "return [...document.querySelectorAll('tbody th a')].map(a => a.href)";
    let links = browser.run(links);
    assert_eq!(links.as_array().unwrap().len(), 4);
    for link in links.as_array().unwrap() {
        browser.go(link.as_str().unwrap());
        assert!(browser.text("header").contains("Lab 5"), "{link}");
        is_unharmed(&browser, 0);
    }
    // The table that was asked for elsewhere leads there too.
    browser.load(&folder.path().join("elsewhere.html"));
    assert_eq!(
        browser.run("return [...document.querySelectorAll('tbody th a')].map(a => a.href)"),
        links
    );
    browser.load(&student(&out, "bert", "report.html"));
    leads("nav a");
    assert!(browser.text("h1").contains("Lab 5"));
    browser.load(&student(&out, "bert", "report.html"));
    // The second of the cases that failed.
    leads("#case-2 a[href*=packets]");
    browser.wait("return document.body.dataset.ready === 'yes'");
    assert!(browser.text("#top h1").contains("Web"), "http-ok's title");
    assert_eq!(
        browser.number("return document.querySelectorAll('.arrow').length"),
        10
    );
    assert_eq!(browser.text("#home"), "← bert");
    // Another run, and a link to a packet of it.
    browser.run(
        "const run = document.querySelector('#run'); run.value = '0'; \
         run.dispatchEvent(new Event('change'))",
    );
    browser.wait("return document.querySelectorAll('.arrow').length === 2");
    let packets = student(&out, "bert", "packets.html");
    browser.open(&packets, "#run=2&packet=3");
    let chosen = "return document.querySelector('#detail-tools').textContent.includes('Packet 3')";
    browser.wait(chosen);
    assert_eq!(
        browser.run("return document.querySelector('#run').value"),
        json!("1")
    );
    leads("#home");
    assert_eq!(browser.text("h1"), "bert");
}

#[test]
fn a_student_sees_what_is_visible_and_no_more() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = merged(folder.path());
    let browser = Browser::start(1280, 900, false);
    browser.load(&student(&out, "Émile", "report.html"));
    let shown = browser.text("body");
    for part in [
        "1 more scenario is not shown here",
        "tcp <b>server</b>",
        "✗ fail",
        "0/4 points",
        "hint of web",
        "expected SYN,ACK",
        "the run of web",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // The case that passed has no hint.
    for part in ["secret", "covert", "10/15", "hint of tcp"] {
        assert!(!shown.contains(part), "{part}: {shown}");
    }
    // Of the packets only those of the visible case that failed, and without the
    // scenario, which has the answer in it.
    let html = fs::read_to_string(student(&out, "Émile", "packets.html")).unwrap();
    let (_, rest) = html.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    let runs = data["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["label"], "web");
    assert!(runs[0]["recording"]["scenario"].is_null());
    assert!(runs[0]["report"]["scenario"]["answer"].is_null());
    let packed = BASE64_STANDARD.decode(runs[0]["capture"].as_str().unwrap());
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed.unwrap()[..])
        .read_to_end(&mut bytes)
        .unwrap();
    let whole = fs::read(super::capture("http-ok")).unwrap();
    let holds = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"answer");
    assert!(holds(&whole), "the capture as it was recorded has it");
    assert!(!holds(&bytes));
    // Who passed everything has no packets to look at.
    assert!(!student(&out, "Anna", "packets.html").exists());
    browser.load(&student(&out, "Anna", "report.html"));
    assert_eq!(
        browser.number("return document.querySelectorAll('a[href*=packets]').length"),
        0
    );
}

#[test]
fn everybody_can_use_the_pages_of_a_class() {
    if !available() {
        return;
    }
    let axe = super::axe();
    let folder = tempfile::tempdir().unwrap();
    let out = merged(folder.path());
    let pages = [
        out.join("class.html"),
        student(&out, "Émile", "report.html"),
        student(&out, HOSTILE, "report.html"),
    ];
    for (width, dark) in [(1280, false), (1280, true), (360, false)] {
        let browser = Browser::start(width, 900, dark);
        for page in &pages {
            browser.load(page);
            let what = format!("{} at {width}, dark: {dark}", page.display());
            let overflow = "return document.documentElement.scrollWidth";
            assert!(browser.number(overflow) <= width.into(), "{what}");
            super::is_accessible(&browser, axe.as_deref(), &what);
        }
    }
}
