//! The terminal, JUnit, TAP, JSON and comments of the samples.

use netlab_capture::render::terminal::{Tally, TerminalOptions, brief, closing, full};
use netlab_capture::render::{comments, json, junit, tap, text};
use netlab_capture::report::{self, ErrorCode, Packet, Report};

use super::samples::*;

fn options(width: usize) -> TerminalOptions {
    TerminalOptions {
        color: false,
        width,
        unicode: true,
    }
}

fn no_namespace() -> Report {
    Report::error(
        "udp-upper",
        ErrorCode::Environment,
        "A private network cannot be made: unshare: Operation not permitted\nRun `netlab-capture doctor` to see each step and its fix.",
    )
}

fn samples() -> Vec<Report> {
    vec![
        tcp_refused(),
        tcp_refused_wrongly_expected(),
        udp_no_server(),
        tcp_wrong_port(),
        http_ok(),
        crowded(),
        no_namespace(),
        empty("empty"),
    ]
}

#[test]
fn terminal() {
    let shown = |report: &Report| full(report, &options(80));
    insta::assert_snapshot!("tcp_refused", shown(&tcp_refused()));
    insta::assert_snapshot!("wrongly_expected", shown(&tcp_refused_wrongly_expected()));
    insta::assert_snapshot!("udp_no_server", shown(&udp_no_server()));
    insta::assert_snapshot!("wrong_port", shown(&tcp_wrong_port()));
    insta::assert_snapshot!("http_ok", shown(&http_ok()));
    insta::assert_snapshot!("crowded", shown(&crowded()));
    insta::assert_snapshot!("error", shown(&no_namespace()));
}

#[test]
fn terminal_of_a_long_capture() {
    let shown = full(&long(), &options(80));
    assert!(shown.lines().count() < 120, "{shown}");
    insta::assert_snapshot!("long", shown);
}

#[test]
fn terminal_without_packets() {
    let mut report = crowded();
    report.packets = None;
    insta::assert_snapshot!("conversations", full(&report, &options(80)));
}

#[test]
fn terminal_narrow_and_wide() {
    insta::assert_snapshot!(
        "narrow",
        full(&tcp_refused_wrongly_expected(), &options(40))
    );
    insta::assert_snapshot!("narrow_list", full(&crowded(), &options(40)));
    insta::assert_snapshot!("list", full(&crowded(), &options(70)));
    insta::assert_snapshot!("wide", full(&crowded(), &options(200)));
}

#[test]
fn terminal_in_ascii() {
    let ascii = TerminalOptions {
        unicode: false,
        ..options(80)
    };
    insta::assert_snapshot!("ascii", full(&crowded(), &ascii));
    for report in samples() {
        assert!(full(&report, &ascii).is_ascii());
        assert!(brief(&report, &ascii).is_ascii());
    }
}

#[test]
fn terminal_in_colour_says_the_same() {
    let color = TerminalOptions {
        color: true,
        ..options(80)
    };
    for report in samples() {
        let colored = full(&report, &color);
        assert!(colored.contains("\x1b["));
        let plain = colored
            .split("\x1b[")
            .enumerate()
            .map(|(i, part)| match i {
                0 => part,
                _ => part.split_once('m').unwrap().1,
            })
            .collect::<String>();
        assert_eq!(plain, full(&report, &options(80)));
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for report in samples() {
        for width in 40..=200 {
            for shown in [
                full(&report, &options(width)),
                brief(&report, &options(width)),
            ] {
                for line in shown.lines() {
                    assert!(text::width(line) <= width, "{width}: {line}\n{shown}");
                    assert!(!line.chars().any(char::is_control), "{line:?}");
                }
            }
        }
    }
}

#[test]
fn several() {
    let mut tally = Tally::default();
    let mut shown = String::new();
    for report in samples() {
        tally.add(&report);
        if report.verdict != Some(netlab_capture::report::Verdict::Inconclusive) {
            shown += &brief(&report, &options(80));
        }
    }
    shown += &closing(&tally, &options(80));
    insta::assert_snapshot!("several", shown);
}

#[test]
fn junit_document() {
    let mut document = Vec::new();
    junit::write(&samples(), &mut document).unwrap();
    let document = String::from_utf8(document).unwrap();
    assert!(!document.contains('\u{1b}'));
    insta::assert_snapshot!("junit", document);
}

#[test]
fn tap_stream() {
    let mut stream = Vec::new();
    tap::write(&samples(), &mut stream).unwrap();
    insta::assert_snapshot!("tap", String::from_utf8(stream).unwrap());
}

#[test]
fn json_lines() {
    let schema = report::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in samples() {
        let mut line = Vec::new();
        json::write(&report, &mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        let document: serde_json::Value = serde_json::from_str(&line).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{line}");
    }
    let document = serde_json::to_string_pretty(&tcp_refused()).unwrap();
    insta::assert_snapshot!("json", document);
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let schema = report::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = serde_json::to_value(tcp_refused()).unwrap();
    for (path, wrong) in [
        ("/schema", serde_json::json!("netlab-capture/report/v2")),
        ("/verdict", serde_json::json!("maybe")),
        ("/packets/0/tcp/flags/syn", serde_json::json!("1")),
        ("/packets/0/frame/number", serde_json::json!("1")),
        ("/conversations/0/tcp/completeness", serde_json::json!("37")),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(path).unwrap() = wrong;
        assert!(!validator.is_valid(&document), "{path}");
    }
}

#[test]
fn packet_comments() {
    let mut report = tcp_refused();
    let packets = report.packets.take().unwrap();
    let mut packets: Vec<_> = packets.iter().map(Packet::into_owned).collect();
    packets[1].comment = vec![
        "role: nobody (the kernel)".to_owned(),
        "Assert: two\nlines ✓".to_owned(),
    ];
    report.packets = Some(packets.into());
    let comments = comments::comments(&report);
    assert_eq!(comments.len(), 1);
    assert_eq!(
        comments[&2],
        ["role: nobody (the kernel)", "Assert: two\\nlines ✓"]
    );
}

/// The schema is a promise: it changes only with the version in its name, or
/// by what readers may ignore.
#[test]
fn json_schema() {
    insta::assert_snapshot!("schema", format!("{:#}", report::schema()));
}
