//! No verdict rests on evidence that may be missing.
//!
//! The reference captures are damaged at every place: a packet dropped and the
//! proof tells, a packet cut, the canary at the start or the end not seen. What
//! is left could have come of several captures: the one that was, or one in
//! which something else stood where nothing is known. A verdict that is not
//! inconclusive must be that of every one of them.
//!
//! What does not depend on the damage still gets its verdict: the statements
//! about programs always do, and in sum one of five.

use std::collections::BTreeMap;

use netlab_capture::expect::ast::Expectation;
use netlab_capture::expect::{self, Verdict};
use netlab_capture::savefile::{Recording, Timestamp};
use netlab_capture::scenario;
use netlab_capture::trace::Trace;

use crate::mutations::{Frame, Reference, read};

/// One of each construct, true of some of the captures and false of others.
const STATEMENTS: &[&str] = &[
    "no RST",
    "no udp",
    "no client > any SYN",
    "no SYN",
    "no SYN,ACK",
    "no ip.ttl < 10",
    "no frame.number == 6 and tcp.flags.ack == 1",
    "no frame contains \"HELLO\"",
    "no tcp.analysis.retransmission",
    "no tcp.options.mss_val == 65495",
    "no data after FIN",
    "no data until SYN,ACK",
    "no RST between SYN and ACK",
    "nothing for 1s after FIN",
    "nothing after client > any udp",
    "packets(tcp) >= 1",
    "packets(tcp.flags.syn == 1) == 2",
    "packets(frame.len > 60) > 0",
    "packets(udp.payload contains \"hello\") == 1",
    "packets(data before FIN) == 2",
    "exactly { }",
    "exactly on tcp[0] { any > any SYN; any > any RST }",
    "in order { any > any SYN }",
    "in order { any > any SYN where tcp.options.mss_val == 65495 }",
    "in order { client > any SYN }",
    "in order { any > any SYN; any > any FIN }",
    "in order { any > any SYN; any > any RST within 1s }",
    "in order { any > any SYN; any > any SYN,ACK }",
    "in order { any > any SYN; any > any ACK }",
    "in order { any > any ACK }",
    "in order { any <> any data; any <> any data }",
    "in order { any > any data ~ /h/ }",
    "in order { any > any udp; any > any icmp port-unreachable }",
    "in order { any > any udp \"hello, nobody!\" }",
    "in order { any > any HTTP 200 }",
    "in order on http[0] { any > any HTTP }",
    "in order { ( any > any RST | any > any SYN,ACK ) }",
    "in order { any > any FIN where tcp.seq == 15 }",
    "in order packets { any > any ACK; any > any ACK }",
    "in order packets { any > any data where frame.number == 4 }",
    "any order { any > any FIN x2 }",
    "any order { any > any SYN as s; any > any FIN after s }",
    "any order (udp.length > 8) { any > any udp }",
    "in order { any > any SYN as s }\nno retransmission of s",
    "each SYN has tcp.len == 0",
    "each data has tcp.len > 0",
    "maybe each udp has udp.length > 8",
    "each http[] has response.code == 404",
    "each tcp[] has retransmissions == 0",
    "tcp[0].state == \"SF\"",
    "tcp[0].completeness == 31",
    "tcp[0].history == \"ShADadFf\"",
    "tcp[0].handshake_rtt < 10s",
    "tcp[0].close == \"fin\"",
    "tcp[0].client.role == \"client\"",
    "udp[0].lost == 1",
    "stream(client > server) contains \"h\"",
    "len(stream(any > any)) > 0",
    "http[0].response.code == 200 or http[0].response.code == 404",
    "len(http[0].response.body) > 10",
    "not packets(udp) == 0",
    "client.exit == 0",
    "client.stdout contains \"HELLO\"",
    "client.duration < 10s",
];

/// These ask for no packet.
const OF_PROGRAMS: usize = 3;

/// A capture that may lack something, and those that it could have come of.
struct Damage {
    name: String,
    frames: Vec<Frame>,
    recording: Recording,
    possible: Vec<Vec<Frame>>,
    /// The possible captures have a packet more at their start.
    shifted: bool,
}

/// How many packets had come when programs were told to stop.
fn shift_stops(recording: &mut Recording, shift: impl Fn(u64) -> u64) {
    for program in &mut recording.programs {
        program.stopped_after = program.stopped_after.map(&shift);
    }
}

fn proven(recording: &Recording, frames: usize) -> Recording {
    let mut recording = recording.clone();
    recording.proof.captured = frames as u64;
    recording.proof.interface_packets = Some(frames as u64);
    recording
}

/// Where the IP header begins, behind the Ethernet header of `lo`.
const IP: usize = 14;

fn ip_len(frame: &Frame) -> usize {
    if frame.bytes[IP] >> 4 == 6 { 40 } else { 20 }
}

/// Something else that could have stood where a packet is not known.
fn others(frame: &Frame) -> Vec<Frame> {
    let ip_len = ip_len(frame);
    let is_tcp = match ip_len {
        40 => frame.bytes[IP + 6],
        _ => frame.bytes[IP + 9],
    } == 6;
    let changed = |at: usize, to: u8| {
        let mut frame = frame.clone();
        if let Some(byte) = frame.bytes.get_mut(at) {
            *byte = to;
        }
        frame
    };
    let mut others = vec![];
    if is_tcp {
        let flags = IP + ip_len + 13;
        others.extend([0x02, 0x04, 0x10, 0x11, 0x14, 0x18].map(|to| changed(flags, to)));
        others.push(changed(frame.bytes.len() - 1, b'z'));
    } else {
        others.push(changed(frame.bytes.len() - 1, b'z'));
        others.push(changed(IP + ip_len + 1, 99));
    }
    others
}

fn damages(reference: &Reference) -> Vec<Damage> {
    let (frames, recording) = (&reference.frames, &reference.recording);
    let mut damages = Vec::new();
    for (i, lost) in frames.iter().enumerate() {
        let mut left = frames.clone();
        left.remove(i);
        let with = |packet: &Frame| {
            let mut frames = frames.clone();
            frames[i] = packet.clone();
            frames
        };
        let mut told = proven(recording, left.len());
        told.proof.dropped = 1;
        told.proof.interface_counter = Some(false);
        told.proof.interface_packets = Some(frames.len() as u64);
        shift_stops(&mut told, |before| before - u64::from((i as u64) < before));
        let mut possible: Vec<Vec<Frame>> = others(lost).iter().map(with).collect();
        possible.push(frames.clone());
        damages.push(Damage {
            name: format!("packet {} dropped", i + 1),
            frames: left,
            recording: told,
            possible,
            shifted: false,
        });
        let len = lost.bytes.len();
        let above = IP + ip_len(lost);
        // In the IP header, in TCP's, in its options, in the payload.
        for keep in [
            IP + 10,
            above + 8,
            above + 21,
            above + 41,
            above + 55,
            len - 3,
            len - 1,
        ] {
            if keep >= len {
                continue;
            }
            let mut cut = lost.clone();
            cut.bytes.truncate(keep);
            let mut possible = vec![frames.clone()];
            // The first bytes that are missing, and some of the others.
            let step = (len - keep).div_ceil(4);
            for at in (keep..len).step_by(step).chain([keep + 1, len - 1]) {
                if at >= len {
                    continue;
                }
                let mut other = lost.clone();
                other.bytes[at] ^= 0x15;
                possible.push(with(&other));
            }
            damages.push(Damage {
                name: format!("packet {} cut at {keep} of {len}", i + 1),
                frames: with(&cut),
                recording: recording.clone(),
                possible,
                shifted: false,
            });
        }
    }
    for at_start in [true, false] {
        let mut told = recording.clone();
        let (near, at) = match at_start {
            true => (&frames[0], 0),
            false => (&frames[frames.len() - 1], frames.len()),
        };
        match at_start {
            true => told.proof.opening = false,
            false => told.proof.closing = false,
        }
        let mut possible = vec![frames.clone()];
        for mut other in others(near).into_iter().chain([near.clone()]) {
            let mut frames = frames.clone();
            // No sooner than the sockets were opened.
            let later = if at_start { 0 } else { 1_000_000 };
            other.time = Timestamp(near.time.0 + later);
            frames.insert(at, other);
            possible.push(frames);
        }
        damages.push(Damage {
            name: format!(
                "no canary at the {}",
                if at_start { "start" } else { "end" }
            ),
            frames: frames.clone(),
            recording: told,
            possible,
            shifted: at_start,
        });
    }
    damages
}

/// A capture from elsewhere of which a segment is missing, as the ACK of it tells:
/// no verdict may be another than with that segment. That it is missing is known of
/// what takes sequence numbers; of a SYN where its SYN,ACK was captured.
#[test]
fn a_segment_that_is_missing_elsewhere_is_noticed() {
    let mut noticed = 0;
    let mut wrong = Vec::new();
    for name in scenario::catalogue() {
        let reference = Reference::read(name);
        let roles = ["client".to_owned(), "server".to_owned()];
        let pool = STATEMENTS.iter().take(STATEMENTS.len() - OF_PROGRAMS);
        let expectations: Vec<Expectation> = pool
            .map(|text| expect::parse(text, text, &roles).unwrap())
            .collect();
        let frames = &reference.frames;
        let whole = verdicts(&read(frames, None), &expectations, &reference);
        for (i, packet) in reference.trace.packets.iter().enumerate() {
            let Some(tcp) = packet.tcp() else { continue };
            let takes = tcp.len + u32::from(tcp.flags.fin()) + u32::from(tcp.flags.syn());
            let end = tcp.seq.wrapping_add(takes);
            let others = reference.trace.packets.iter().enumerate();
            let is_acknowledged = others.filter(|(j, _)| *j != i).any(|(_, other)| {
                other.tcp().is_some_and(|other| {
                    let acknowledges = other.flags.ack() && !other.flags.rst();
                    other.dst_port == tcp.src_port && acknowledges && other.ack == end
                })
            });
            if end == tcp.seq || tcp.flags.rst() || !is_acknowledged {
                continue;
            }
            let mut left = frames.clone();
            left.remove(i);
            let found = verdicts(&read(&left, None), &expectations, &reference);
            let both = found.iter().zip(&whole).zip(&expectations);
            for ((found, whole), expectation) in both {
                noticed += usize::from(*found == Verdict::Inconclusive);
                let is_sound = found == whole || *found == Verdict::Inconclusive;
                if !is_sound && *whole != Verdict::Inconclusive {
                    let text = &expectation.text;
                    wrong.push(format!("{name}, packet {}: {found:?}: {text}", i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(noticed > 200, "{noticed}");
}

/// The verdict on each expectation, the implied ones left out.
fn verdicts(trace: &Trace, expectations: &[Expectation], reference: &Reference) -> Vec<Verdict> {
    let outcomes = expect::judge(trace, expectations, &[], &reference.files);
    outcomes.iter().map(|outcome| outcome.verdict).collect()
}

#[test]
fn no_verdict_rests_on_evidence_that_may_be_missing() {
    sound(Reference::read);
}

#[test]
fn no_verdict_over_ipv6_rests_on_evidence_that_may_be_missing() {
    sound(Reference::read_ipv6);
}

fn sound(reference: impl Fn(&str) -> Reference) {
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut decided, mut all) = (0, 0);
    for name in scenario::catalogue() {
        let reference = reference(name);
        let roles: Vec<String> = reference
            .scenario
            .programs
            .iter()
            .map(|program| program.role.clone())
            .collect();
        let pool = STATEMENTS
            .iter()
            // A scenario without a server has no such role.
            .filter_map(|text| expect::parse(text, text, &roles).ok());
        let mut expectations = reference.expectations.clone();
        expectations.extend(pool);
        for damage in damages(&reference) {
            let damaged = read(&damage.frames, &damage.recording);
            let found = verdicts(&damaged, &expectations, &reference);
            let possible: Vec<Vec<Verdict>> = damage
                .possible
                .iter()
                .map(|frames| {
                    let mut recording = proven(&reference.recording, frames.len());
                    if damage.shifted && frames.len() > reference.frames.len() {
                        shift_stops(&mut recording, |before| before + 1);
                    }
                    verdicts(&read(frames, &recording), &expectations, &reference)
                })
                .collect();
            for (i, expectation) in expectations.iter().enumerate() {
                let verdict = found[i];
                all += 1;
                let of_programs = i + OF_PROGRAMS >= expectations.len();
                if verdict == Verdict::Inconclusive {
                    assert!(!of_programs, "{}: {}", damage.name, expectation.text);
                    continue;
                }
                decided += 1;
                let contradicts =
                    |other: Verdict| other != verdict && other != Verdict::Inconclusive;
                if possible.iter().any(|verdicts| contradicts(verdicts[i])) {
                    wrong
                        .entry(format!("{verdict:?}: {}", expectation.text))
                        .or_default()
                        .push(format!("{name}, {}", damage.name));
                }
            }
        }
    }
    let wrong: Vec<String> = wrong
        .iter()
        .map(|(text, places)| format!("{text}\n    {} places: {}", places.len(), places[0]))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} are unsound:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // A dropped packet leaves little, a cut one what does not read it.
    assert!(decided * 6 > all, "{decided} of {all} were decided");
}
