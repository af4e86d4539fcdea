//! The catalogue's expectations are complete: for each scenario, any event
//! more, fewer or different makes one fail. Tried on what the scenarios really
//! put on the wire, each capture changed in every such way.

use std::collections::BTreeMap;
use std::fs::File;

use netlab_capture::decode::Transport;
use netlab_capture::expect::{self, Verdict};
use netlab_capture::savefile::{Bytes, InterfaceDescription, Recording, Timestamp, pcapng};
use netlab_capture::scenario::{self, Scenario};
use netlab_capture::trace::{self, Trace};

use crate::programs::stderr;
use crate::record::Folder;

/// A capture taken apart, to be changed and put together again.
#[derive(Clone)]
struct Capture {
    frames: Vec<(Timestamp, Vec<u8>)>,
    recording: Recording,
}

impl Capture {
    fn of(trace: &Trace) -> Capture {
        let packets = trace.packets.iter().enumerate();
        Capture {
            frames: packets
                .map(|(i, packet)| (packet.time, trace.frame(i).to_vec()))
                .collect(),
            recording: trace.recording.clone().expect("a recording"),
        }
    }

    /// The same recording with other frames, as complete as before: only the
    /// frames are to tell the difference.
    fn with(&self, frames: Vec<(Timestamp, Vec<u8>)>) -> Capture {
        let mut recording = self.recording.clone();
        let count = frames.len() as u64;
        recording.proof.captured = count;
        recording.proof.interface_packets = Some(count);
        for program in &mut recording.programs {
            // What came before a signal still does: all of it.
            program.stopped_after = program.stopped_after.map(|_| count);
        }
        Capture { frames, recording }
    }

    fn trace(&self) -> Trace {
        let lo = InterfaceDescription {
            name: "lo".to_owned(),
            link_type: 1,
            snaplen: 0,
        };
        let mut writer = pcapng::Writer::new(Vec::new(), &lo).unwrap();
        for (time, bytes) in &self.frames {
            let len = u32::try_from(bytes.len()).unwrap();
            writer.write_frame(*time, len, bytes).unwrap();
        }
        writer.write_recording(&self.recording).unwrap();
        let bytes = writer.into_inner();
        trace::read(bytes.as_slice(), "changed.pcapng", None).unwrap()
    }
}

/// Runs the catalogue and reads its captures back.
fn recorded() -> Vec<(Scenario, Trace)> {
    let folder = Folder::new();
    let (output, reports) = folder.run(&["--all"]);
    assert_eq!(
        reports.len(),
        scenario::catalogue().len(),
        "{}",
        stderr(&output)
    );
    let one = |name: &str| {
        let scenario = scenario::parse(scenario::builtin(name).unwrap()).unwrap();
        let path = folder.path().join(format!("{name}.pcapng"));
        let trace = trace::read(File::open(path).unwrap(), name, None).unwrap();
        (scenario, trace)
    };
    scenario::catalogue().into_iter().map(one).collect()
}

/// Judges a trace: each expectation's name and verdict.
fn verdicts(scenario: &Scenario, trace: &Trace) -> Vec<(String, Verdict)> {
    let expectations = expect::compile(scenario).unwrap();
    let files: BTreeMap<String, Bytes> = expect::files(&expectations)
        .into_iter()
        .map(|name| {
            let bytes = scenario::builtin_file(&name).unwrap();
            (name, Bytes(bytes.to_vec()))
        })
        .collect();
    expect::judge(trace, &expectations, &scenario.programs, &files)
        .into_iter()
        .map(|outcome| (outcome.name, outcome.verdict))
        .collect()
}

/// Does an expectation fail? To be inconclusive is not enough.
fn is_noticed(scenario: &Scenario, capture: &Capture) -> bool {
    verdicts(scenario, &capture.trace())
        .iter()
        .any(|(_, verdict)| *verdict == Verdict::Fail)
}

/// Indices of the packets that carry an event: all but pure acknowledgements.
fn with_events(trace: &Trace) -> Vec<usize> {
    let carries = |i: &usize| {
        let acknowledgement = trace.packets[*i]
            .tcp()
            .is_some_and(|tcp| !tcp.flags.syn() && !tcp.flags.fin() && !tcp.flags.rst());
        !acknowledgement || !trace.payload(*i).is_empty()
    };
    (0..trace.packets.len()).filter(carries).collect()
}

/// Where in an Ethernet frame with IPv4 (no options) the TCP flags stand.
const FLAGS: usize = 14 + 20 + 13;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;

/// Every change, with what to call it.
fn changes(trace: &Trace) -> Vec<(String, Capture)> {
    let capture = Capture::of(trace);
    let mut changes = Vec::new();
    for i in with_events(trace) {
        let mut fewer = capture.frames.clone();
        fewer.remove(i);
        changes.push((format!("without packet {}", i + 1), capture.with(fewer)));

        let mut more = capture.frames.clone();
        more.insert(i, more[i].clone());
        changes.push((format!("packet {} twice", i + 1), capture.with(more)));

        let mut later = capture.frames.clone();
        let (time, frame) = later[i].clone();
        later.push((Timestamp(time.0 + 1_000_000_000), frame));
        changes.push((
            format!("packet {} again at the end", i + 1),
            capture.with(later),
        ));

        let payload = trace.payload(i).to_vec();
        let start = capture.frames[i].1.len() - payload.len();
        for at in [0, payload.len().saturating_sub(1)] {
            if payload.is_empty() || matches!(trace.packets[i].transport, Transport::Icmp(_)) {
                continue;
            }
            let mut other = capture.frames.clone();
            other[i].1[start + at] ^= 0x15;
            let name = format!("packet {} with another byte {at}", i + 1);
            changes.push((name, capture.with(other)));
        }
        if trace.packets[i].tcp().is_some() {
            for flag in [SYN, FIN, RST] {
                let mut other = capture.frames.clone();
                other[i].1[FLAGS] ^= flag;
                let name = format!("packet {} with flag {flag:#x} changed", i + 1);
                changes.push((name, capture.with(other)));
            }
        }
        if matches!(trace.packets[i].transport, Transport::Icmp(_)) {
            let mut other = capture.frames.clone();
            other[i].1[14 + 20 + 1] = 1;
            let name = format!("packet {} with ICMP code 1", i + 1);
            changes.push((name, capture.with(other)));
        }
    }
    changes
}

#[test]
fn any_event_more_fewer_or_different_makes_an_expectation_fail() {
    for (scenario, trace) in recorded() {
        let name = &scenario.name;
        let unchanged = Capture::of(&trace);
        let same = unchanged.with(unchanged.frames.clone()).trace();
        for (expectation, verdict) in verdicts(&scenario, &same) {
            assert_eq!(verdict, Verdict::Pass, "{name}: {expectation}");
        }

        let mut unnoticed = Vec::new();
        let changes = changes(&trace);
        assert!(changes.len() >= 6, "{name}: {} changes", changes.len());
        for (change, capture) in changes {
            if !is_noticed(&scenario, &capture) {
                unnoticed.push(change);
            }
        }
        assert!(
            unnoticed.is_empty(),
            "{name}: nobody noticed {unnoticed:#?}"
        );
    }
}

/// A server that answers although the scenario says that it is not reached, a
/// datagram of a stranger: what no packet of the capture is a copy of.
#[test]
fn a_stranger_is_noticed() {
    let recorded = recorded();
    let upper = recorded.iter().find(|(s, _)| s.name == "udp-upper");
    let stranger = Capture::of(&upper.unwrap().1).frames.remove(0).1;
    for (scenario, trace) in &recorded {
        let capture = Capture::of(trace);
        let mut frames = capture.frames.clone();
        let end = frames.last().map_or(0, |(time, _)| time.0);
        frames.push((Timestamp(end + 1_000), stranger.clone()));
        let changed = capture.with(frames);
        assert!(is_noticed(scenario, &changed), "{}", scenario.name);
    }
}
