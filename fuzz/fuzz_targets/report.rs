//! A capture through the whole reading half, to what people and programs see: the
//! report as JSON, CSV and text, the list of packets, the answers to a page, drafts of
//! expectations. One thread and two see the same; what a terminal gets has nothing in
//! it that moves a cursor or turns text around; a statement made of a packet holds.
#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;
use netlab_capture::conversation::{Closed, Limits};
use netlab_capture::expect;
use netlab_capture::inspect::{Collect, Context, Settings, Show, Shown, inspect};
use netlab_capture::message::{self, Bodies, Lookup, Message};
use netlab_capture::render::terminal::{self, TerminalOptions, inspect as screens};
use netlab_capture::render::{comments, csv, json, junit, tap, wireshark};
use netlab_capture::report::{self, Counts, Findings, Options, Packet, Report};
use netlab_capture::savefile::{Protocol, Reader};
use netlab_capture::trace;
use netlab_capture::view::Desk;
use serde_json::{Value, json};

/// Packets of which each is looked at by itself: to judge a statement takes its time.
const MOST: usize = 10;

/// Packets of captures for which expectations are drafted.
const FEW: usize = 30;

/// Writes each packet, message and conversation in all forms.
struct Writes(TerminalOptions);

enum Item {
    Message(String, Box<report::Message<'static>>),
    Lookup(Box<report::Lookup>),
    Conversation(String, Box<report::Conversation>),
}

impl Show for Writes {
    type Item = Item;

    fn packet(&self, shown: &Shown<'_>, lines: &mut Vec<u8>) -> bool {
        let data = shown.packet.data(shown.frame.data);
        let mut packet = Packet::streamed(shown);
        packet.said = report::said(shown.packet, data, shown.parts);
        lines.extend(is_json(|out| json::line(&packet, out)));
        lines.extend(is_one_record(|out| csv::packet(&packet, out)));
        let at = lines.len();
        screens::packet(&packet, self.0.width, &self.0, lines);
        is_harmless(&lines[at..], self.0.color);
        true
    }

    fn message(&self, message: &Message, context: &Context) -> Option<Item> {
        let mut told = report::message(message, context.name.id, context.start, true);
        told.conversation = context.name.index;
        let mut line = is_json(|out| json::line(&told, out));
        line.extend(is_one_record(|out| csv::transaction(&told, out)));
        let line = String::from_utf8(line).expect("text");
        Some(Item::Message(line, Box::new(told.into_owned())))
    }

    fn lookup(&self, lookup: &Lookup, context: &Context) -> Option<Item> {
        let name = context.name;
        let mut told = report::lookup(lookup, name.protocol, name.id, context.start);
        told.conversation = name.index;
        is_json(|out| json::line(&told, out));
        Some(Item::Lookup(Box::new(told)))
    }

    fn conversation(&self, closed: &Closed<message::Reader>, context: &Context) -> Option<Item> {
        let mut told = report::conversation(&closed.conversation, context.start, None, None);
        told.id = context.name.id;
        told.index = Some(context.name.index);
        told.tls = closed.receiver.tls().map(report::tls);
        let mut line = is_json(|out| json::line(&told, out));
        line.extend(is_one_record(|out| csv::conversation(&told, out)));
        let line = String::from_utf8(line).expect("text");
        Some(Item::Conversation(line, Box::new(told)))
    }
}

/// All that was shown.
#[derive(Default)]
struct Seen {
    lines: Vec<u8>,
    messages: Vec<(String, report::Message<'static>)>,
    lookups: Vec<report::Lookup>,
    conversations: Vec<(usize, String, report::Conversation)>,
    findings: Findings,
    counts: Counts,
}

impl Collect<Item> for Seen {
    fn packets(&mut self, lines: &[u8], _: &[(usize, Option<usize>)]) -> io::Result<()> {
        self.lines.extend_from_slice(lines);
        Ok(())
    }

    fn message(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Message(line, told) => {
                self.counts.transactions += 1;
                self.findings.message(&told);
                self.messages.push((line, *told));
            }
            Item::Lookup(told) => {
                self.counts.lookups += 1;
                self.findings.lookup(&told);
                self.lookups.push(*told);
            }
            Item::Conversation(..) => unreachable!("conversations come by themselves"),
        }
        Ok(())
    }

    fn conversation(&mut self, index: usize, item: Item) -> io::Result<()> {
        if let Item::Conversation(line, told) = item {
            match told.protocol {
                Protocol::Tcp => self.counts.conversations.tcp += 1,
                Protocol::Udp => self.counts.conversations.udp += 1,
            }
            self.findings.conversation(&told);
            self.conversations.push((index, line, *told));
        }
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written is JSON; gives it.
fn is_json(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text);
    if let Err(error) = serde_json::from_slice::<Value>(&text) {
        panic!("{error}: {}", String::from_utf8_lossy(&text));
    }
    is_harmless(&text, false);
    text
}

/// What is written is one record of CSV (RFC 4180), whatever is in it; gives it.
fn is_one_record(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text);
    let mut quoted = false;
    let ends = text.iter().filter(|byte| {
        quoted ^= **byte == b'"';
        **byte == b'\n' && !quoted
    });
    assert_eq!(ends.count(), 1, "{}", String::from_utf8_lossy(&text));
    assert!(!quoted && text.ends_with(b"\n"));
    is_harmless(&text, false);
    text
}

/// Nothing of it moves a terminal's cursor but line feeds and our own colours, or turns
/// text around.
fn is_harmless(text: &[u8], color: bool) {
    let text = std::str::from_utf8(text).expect("text");
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let moves = |c: char| c.is_control() && c != '\n' && !(color && c == '\x1b');
    assert!(!text.contains(|c| turns(c) || moves(c)), "{text:?}");
    // Of an escape sequence of ours there are letters, digits and no more behind it.
    for sequence in text.split('\x1b').skip(1) {
        let end = sequence.find('m').unwrap_or(0);
        let inside = sequence[..end].strip_prefix('[').unwrap_or("?");
        assert!(
            inside.bytes().all(|b| b.is_ascii_digit() || b == b';'),
            "{sequence:?}"
        );
    }
}

fn streamed(data: &[u8], threads: usize, screen: &TerminalOptions) -> Option<Seen> {
    let reader = Reader::new(data, "fuzzed").ok()?;
    let settings = Settings {
        threads,
        limits: Limits::default(),
        messages: message::Settings {
            bodies: Bodies::Digest,
            packets: 10,
            parts: true,
            carried: true,
            ..message::Settings::default()
        },
        packets: true,
    };
    let mut seen = Seen::default();
    let totals = inspect(reader, &settings, &Writes(screen.clone()), &mut seen);
    let totals = totals.expect("writing to memory does not fail");
    seen.conversations.sort_by_key(|(index, ..)| *index);
    let findings = std::mem::take(&mut seen.findings);
    let mut report = Report::at_a_glance(&totals, &settings.limits, findings, &seen.counts);
    report.messages = seen.messages.iter().map(|(_, told)| told.clone()).collect();
    report.lookups = seen.lookups.clone();
    report.conversations = seen
        .conversations
        .iter()
        .map(|(.., told)| told.clone())
        .collect();
    seen.lines.extend(is_json(|out| {
        json::write(&report, out).expect("writing to memory does not fail");
    }));
    for wide in [false, true] {
        let extent = screens::Extent {
            rows: (!wide).then_some(3),
            wide,
        };
        for screenful in [
            screens::summary(&report, &extent, screen),
            screens::conversations(&report, &extent, screen),
            screens::transactions(&report, &extent, screen),
            screens::lookups(&report, &extent, screen),
        ] {
            is_harmless(screenful.as_bytes(), screen.color);
            seen.lines.extend(screenful.into_bytes());
        }
    }
    Some(seen)
}

/// A question of the page, and the answer.
fn asked(desk: &mut Desk, question: &Value, data: &[u8]) -> Value {
    let answer = desk.answer(&question.to_string(), data);
    let mut answer: Value = serde_json::from_str(&answer).expect("answers are JSON");
    assert!(answer.get("error").is_none(), "{question}: {answer}");
    answer["answer"].take()
}

fn page(data: &[u8]) {
    let mut desk = Desk::default();
    let report = asked(&mut desk, &json!({"ask": "open", "name": "fuzzed"}), data);
    let packets = report["capture"]["packets"].as_u64().unwrap_or_default();
    let packets: Vec<u64> = (1..=packets.min(MOST as u64)).collect();
    let rows = asked(&mut desk, &json!({"ask": "rows", "packets": packets}), &[]);
    assert_eq!(rows.as_array().map(Vec::len), Some(packets.len()));
    for packet in packets {
        asked(&mut desk, &json!({"ask": "packet", "packet": packet}), &[]);
        let statement = asked(
            &mut desk,
            &json!({"ask": "statement", "packet": packet}),
            &[],
        );
        let Some(text) = statement.as_str() else {
            continue;
        };
        let judged = asked(&mut desk, &json!({"ask": "judge", "text": text}), &[]);
        let verdict = &judged["expectation"]["verdict"];
        assert!(
            verdict == "pass" || verdict == "inconclusive",
            "{text}: {judged}"
        );
    }
    let conversations = report["conversations"].as_array().map_or(0, Vec::len);
    for conversation in 0..conversations.min(8) {
        asked(
            &mut desk,
            &json!({"ask": "stream", "conversation": conversation}),
            &[],
        );
        asked(
            &mut desk,
            &json!({"ask": "series", "conversation": conversation}),
            &[],
        );
    }
}

fuzz_target!(|data: &[u8]| {
    let shape = data.last().copied().unwrap_or_default();
    let screen = TerminalOptions {
        color: shape & 1 == 1,
        width: 40 + usize::from(shape >> 2) * 2,
        unicode: shape & 2 == 2,
    };
    let Some(one) = streamed(data, 1, &screen) else {
        return;
    };
    let two = streamed(data, 2, &screen).expect("it was a capture");
    assert_eq!(one.lines, two.lines);
    let lines = |seen: &Seen| -> Vec<String> {
        let messages = seen.messages.iter().map(|(line, _)| line.clone());
        messages
            .chain(seen.conversations.iter().map(|(_, line, _)| line.clone()))
            .collect()
    };
    assert_eq!(lines(&one), lines(&two));

    page(data);

    let trace = trace::read(data, "fuzzed", None).expect("it was a capture");
    if trace.packets.len() <= FEW {
        for draft in expect::draft(std::slice::from_ref(&trace), &[]).kept {
            expect::parse(&draft.name, &draft.text, &trace.roles).expect("drafts are statements");
        }
    }
    let report = Report::with_packets(trace, None, &[], &Options::default());
    is_json(|out| json::write(&report, out).expect("writing to memory does not fail"));
    for text in [
        terminal::full(&report, &screen),
        terminal::brief(&report, &screen),
        terminal::verdicts(&report, &screen),
        terminal::line(&report, &screen),
    ] {
        is_harmless(text.as_bytes(), screen.color);
    }
    comments::comments(&report);
    wireshark::decode_as(&report);
    let reports = [report];
    let mut out = Vec::new();
    junit::write(&reports, &mut out).expect("writing to memory does not fail");
    tap::write(&reports, &mut out).expect("writing to memory does not fail");
});
