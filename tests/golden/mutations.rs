//! The catalogue's expectations are complete: whatever else had been on the
//! wire, one of them would not have passed.
//!
//! Each reference capture is changed packet by packet: one packet fewer, one
//! twice, two neighbours swapped, a TCP flag, a port, an ICMP type or code, a
//! byte of payload, of the numbers or of any other header changed, a packet
//! cut short. The same recording stands beside the changed packets, with a
//! proof that fits them, so that only the expectations can tell.
//!
//! What passes all the same is listed in `mutations/NAME.txt`, each with the
//! rule of [`Rule`] that frees it; a change that passes without a rule fails
//! the test. `docs/mutations.md` holds the score. After a wanted change of the expectations:
//! `BLESS=1 cargo test --test golden mutations`, then read the difference.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use netlab_capture::expect::ast::Expectation;
use netlab_capture::expect::{self, Verdict};
use netlab_capture::savefile::{Bytes, InterfaceDescription, Recording, Timestamp, pcapng};
use netlab_capture::scenario::{self, Scenario};
use netlab_capture::trace::{self, Trace};

/// A captured frame.
#[derive(Clone)]
pub struct Frame {
    pub time: Timestamp,
    /// Bytes on the wire.
    pub len: u32,
    pub bytes: Vec<u8>,
}

/// A reference capture, taken apart, with what judges it.
pub struct Reference {
    pub scenario: Scenario,
    pub expectations: Vec<Expectation>,
    pub files: BTreeMap<String, Bytes>,
    pub trace: Trace,
    pub frames: Vec<Frame>,
    pub recording: Recording,
}

/// The trace of a capture of these frames with this recording.
pub fn read<'a>(frames: &[Frame], recording: impl Into<Option<&'a Recording>>) -> Trace {
    let lo = InterfaceDescription {
        name: "lo".to_owned(),
        link_type: 1,
        snaplen: 0,
    };
    let mut writer = pcapng::Writer::new(Vec::new(), &lo).unwrap();
    for frame in frames {
        writer
            .write_frame(frame.time, frame.len, &frame.bytes)
            .unwrap();
    }
    if let Some(recording) = recording.into() {
        writer.write_recording(recording).unwrap();
    }
    let file = writer.into_inner();
    trace::read(file.as_slice(), "changed.pcapng", None).unwrap()
}

impl Reference {
    /// Of a scenario over IPv4.
    pub fn read(name: &str) -> Reference {
        Reference::of(name, name)
    }

    /// Of a scenario over IPv6.
    pub fn read_ipv6(name: &str) -> Reference {
        Reference::of(name, &format!("{name}-ipv6"))
    }

    fn of(scenario: &str, name: &str) -> Reference {
        let scenario = scenario::parse(scenario::builtin(scenario).unwrap()).unwrap();
        let path = folder("captures/reference").join(format!("{name}.pcapng"));
        let trace = trace::read(File::open(path).unwrap(), name, None).unwrap();
        let recording = trace.recording.clone().unwrap();
        let frames = (0..trace.packets.len()).map(|i| Frame {
            time: trace.packets[i].time,
            len: trace.packets[i].len,
            bytes: trace.frame(i).to_vec(),
        });
        Reference {
            expectations: expect::compile(&scenario).unwrap(),
            files: recording.scenario.clone().unwrap().files,
            frames: frames.collect(),
            scenario,
            recording,
            trace,
        }
    }

    /// The verdict on these frames, in the words of the recording.
    fn judge(&self, change: &Change) -> Verdict {
        let mut recording = self.recording.clone();
        let count = change.frames.len() as u64;
        recording.proof.captured = count;
        recording.proof.interface_packets = Some(count);
        for program in &mut recording.programs {
            // What came before a signal still does.
            if let Some(before) = &mut program.stopped_after {
                *before = match change.kind {
                    Kind::Dropped if (change.packet as u64) < *before => *before - 1,
                    Kind::Doubled if (change.packet as u64) < *before => *before + 1,
                    _ => *before,
                };
            }
        }
        let trace = read(&change.frames, &recording);
        let outcomes = expect::judge(
            &trace,
            &self.expectations,
            &self.scenario.programs,
            &self.files,
        );
        let of = |verdict| outcomes.iter().any(|outcome| outcome.verdict == verdict);
        match (of(Verdict::Fail), of(Verdict::Inconclusive)) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Inconclusive,
            (false, false) => Verdict::Pass,
        }
    }
}

fn folder(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What is done to a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Dropped,
    Doubled,
    /// With the next packet.
    Swapped,
    /// The frame was cut by its last byte when it was captured.
    Cut,
    /// The sender sent a byte less, by all the headers' account.
    Shorter,
    /// A bit of the flags' byte.
    Flag(u8),
    SourcePort,
    DestinationPort,
    IcmpType(u8),
    IcmpCode(u8),
    /// A bit of a byte of payload.
    Payload(usize, u8),
    /// A bit of another byte of the frame.
    Header(usize, u8),
}

struct Change {
    packet: usize,
    kind: Kind,
    frames: Vec<Frame>,
}

/// Offsets in a frame of Ethernet and IPv4 without options.
const IP: usize = 14;
const TRANSPORT: usize = IP + 20;
const TCP_FLAGS: usize = TRANSPORT + 13;

impl Reference {
    fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        (0..self.frames.len()).flat_map(move |packet| {
            self.kinds(packet)
                .into_iter()
                .map(move |kind| self.change(packet, kind))
        })
    }

    /// Everything that can be done to a packet.
    fn kinds(&self, index: usize) -> Vec<Kind> {
        let packet = &self.trace.packets[index];
        let len = self.frames[index].bytes.len();
        let payload = len - packet.payload().len as usize;
        let mut kinds = vec![Kind::Dropped, Kind::Doubled, Kind::Cut];
        if index + 1 < self.frames.len() {
            kinds.push(Kind::Swapped);
        }
        if payload < len {
            kinds.push(Kind::Shorter);
        }
        // What a field of its own is changed in.
        let mut done: Vec<usize> = Vec::new();
        if packet.tcp().is_some() {
            kinds.extend((0..8).map(|bit| Kind::Flag(1 << bit)));
            done.push(TCP_FLAGS);
        }
        if packet.icmp().is_some() {
            let others = |now: u8| (0..=255).filter(move |value| *value != now);
            let bytes = &self.frames[index].bytes;
            kinds.extend(others(bytes[TRANSPORT]).map(Kind::IcmpType));
            kinds.extend(others(bytes[TRANSPORT + 1]).map(Kind::IcmpCode));
            done.extend([TRANSPORT, TRANSPORT + 1]);
        } else {
            kinds.extend([Kind::SourcePort, Kind::DestinationPort]);
        }
        let header = (0..payload).filter(|at| !done.contains(at));
        for bit in [0x01, 0x20, 0x80] {
            kinds.extend(header.clone().map(|at| Kind::Header(at, bit)));
            kinds.extend((payload..len).map(|at| Kind::Payload(at - payload, bit)));
        }
        kinds
    }

    fn change(&self, packet: usize, kind: Kind) -> Change {
        let mut frames = self.frames.clone();
        let payload = frames[packet].bytes.len() - self.trace.payload(packet).len();
        let bytes = &mut frames[packet].bytes;
        match kind {
            Kind::Dropped => {
                frames.remove(packet);
            }
            Kind::Doubled => frames.insert(packet, frames[packet].clone()),
            Kind::Swapped => {
                frames.swap(packet, packet + 1);
                // Time goes on as it did.
                let time = frames[packet].time;
                frames[packet].time = frames[packet + 1].time;
                frames[packet + 1].time = time;
            }
            Kind::Cut => {
                bytes.pop();
            }
            Kind::Shorter => {
                bytes.pop();
                minus_one(bytes, IP + 2);
                if self.trace.packets[packet].udp().is_some() {
                    minus_one(bytes, TRANSPORT + 4);
                }
                frames[packet].len -= 1;
            }
            Kind::Flag(bit) => bytes[TCP_FLAGS] ^= bit,
            Kind::SourcePort => bytes[TRANSPORT + 1] ^= 0x01,
            Kind::DestinationPort => bytes[TRANSPORT + 3] ^= 0x01,
            Kind::IcmpType(value) => bytes[TRANSPORT] = value,
            Kind::IcmpCode(value) => bytes[TRANSPORT + 1] = value,
            Kind::Payload(at, bit) => bytes[payload + at] ^= bit,
            Kind::Header(at, bit) => bytes[at] ^= bit,
        }
        Change {
            packet,
            kind,
            frames,
        }
    }
}

fn minus_one(bytes: &mut [u8], at: usize) {
    let value = u16::from_be_bytes([bytes[at], bytes[at + 1]]) - 1;
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// Why a change may pass: what it changes is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    PureAck,
    WhoClosesFirst,
    LinkAddress,
    TrafficClass,
    IpLength,
    Identification,
    IpFlags,
    TimeToLive,
    IpChecksum,
    RefusalNumber,
    AckNumber,
    AckBit,
    DataOffset,
    Reserved,
    Push,
    Urgent,
    Congestion,
    Window,
    TcpChecksum,
    Options,
    UdpChecksum,
    IcmpChecksum,
    IcmpUnused,
    IcmpSource,
    IcmpQuote,
    HttpVersion,
    HttpPhrase,
    HttpLineEnd,
    HttpFields,
}

impl Rule {
    /// The rule in words, and where it stands.
    fn words(self) -> &'static str {
        match self {
            Rule::PureAck => {
                "how many pure ACKs there are, when and where to: the receiver's choice, RFC 9293 3.8.6.3; the handshake's may come with data, 3.5"
            }
            Rule::WhoClosesFirst => "either side may close first, RFC 9293 3.6",
            Rule::LinkAddress => "hardware addresses mean nothing on loopback, RFC 894",
            Rule::TrafficClass => "precedence and congestion bits of IP, RFC 2474 3, RFC 3168 5",
            Rule::IpLength => "a length beyond the frame: what is there is read, RFC 791 3.1",
            Rule::Identification => "identification, for fragments only, RFC 6864 4",
            Rule::IpFlags => "reserved bit, RFC 791 3.1",
            Rule::TimeToLive => "hops left, RFC 791 3.1",
            Rule::IpChecksum => "a checksum is reported, no event, RFC 791 3.1",
            Rule::RefusalNumber => {
                "the number of a RST that answers a SYN is not looked at, RFC 9293 3.10.7.3"
            }
            Rule::AckNumber => "acknowledgment numbers are no events, RFC 9293 3.4",
            Rule::AckBit => {
                "FIN and data with or without ACK, as Wireshark reads them, RFC 9293 3.10.7.4"
            }
            Rule::DataOffset => "where options end; no payload follows, RFC 9293 3.1",
            Rule::Reserved => "reserved bits, RFC 9293 3.1",
            Rule::Push => "PSH is a hint to the receiver's buffer, RFC 9293 3.9.1",
            Rule::Urgent => "urgent data stays in the stream, RFC 9293 3.8.5",
            Rule::Congestion => "congestion notification, RFC 3168 6.1",
            Rule::Window => "flow control, RFC 9293 3.8.6",
            Rule::TcpChecksum => "left to hardware that loopback lacks, RFC 9293 3.1",
            Rule::Options => "options: MSS, window scale, time stamps, RFC 9293 3.2, RFC 7323",
            Rule::UdpChecksum => "left to hardware that loopback lacks, RFC 768",
            Rule::IcmpChecksum => "a checksum is reported, no event, RFC 792",
            Rule::IcmpUnused => "unused in destination unreachable, RFC 792, RFC 4884 4.1",
            Rule::IcmpSource => "a gateway may send the error too, RFC 792",
            Rule::IcmpQuote => {
                "of what an error quotes, protocol, addresses and ports tell whom it is for, RFC 792"
            }
            Rule::HttpVersion => "minor versions understand each other, RFC 9110 2.5",
            Rule::HttpPhrase => "a reason phrase is for people, in capitals or not, RFC 9112 4",
            Rule::HttpLineEnd => "a line may end in LF without CR, RFC 9112 2.2",
            Rule::HttpFields => "a sender chooses its header fields, RFC 9110 5 and 6.3",
        }
    }
}

impl Reference {
    /// The rule by which a change may pass. Only where none of the events of
    /// `docs/judging.md` changes.
    fn rule(&self, packet: usize, kind: Kind) -> Option<Rule> {
        let flags = |i: usize| Some(self.trace.packets.get(i)?.tcp()?.flags);
        let is_pure_ack = |i: usize| {
            flags(i).is_some_and(|f| !f.syn() && !f.fin() && !f.rst())
                && self.trace.payload(i).is_empty()
        };
        let is_fin = |i: usize| flags(i).is_some_and(|f| f.fin());
        if is_pure_ack(packet) {
            return Some(Rule::PureAck);
        }
        match kind {
            Kind::Swapped if is_pure_ack(packet + 1) => Some(Rule::PureAck),
            Kind::Swapped if is_fin(packet) && is_fin(packet + 1) => Some(Rule::WhoClosesFirst),
            // The last byte of a SYN is an option's.
            Kind::Cut if flags(packet).is_some_and(|f| f.syn()) => Some(Rule::Options),
            Kind::Shorter if self.trace.packets[packet].icmp().is_some() => Some(Rule::IcmpQuote),
            Kind::Flag(0x08) => Some(Rule::Push),
            Kind::Flag(0x10) => Some(Rule::AckBit),
            Kind::Flag(0x20) => Some(Rule::Urgent),
            Kind::Flag(0x40 | 0x80) => Some(Rule::Congestion),
            Kind::Header(at, bit) => self.rule_of_header(packet, at, bit),
            Kind::Payload(at, bit) => self.rule_of_payload(packet, at, bit),
            _ => None,
        }
    }

    fn rule_of_header(&self, index: usize, at: usize, bit: u8) -> Option<Rule> {
        let packet = &self.trace.packets[index];
        if at < TRANSPORT {
            return Some(match at {
                0..12 => Rule::LinkAddress,
                15 => Rule::TrafficClass,
                16 | 17 if packet.tcp().is_none() => Rule::IpLength,
                18 | 19 => Rule::Identification,
                20 => Rule::IpFlags,
                22 => Rule::TimeToLive,
                24 | 25 => Rule::IpChecksum,
                26..30 if packet.icmp().is_some() => Rule::IcmpSource,
                _ => return None,
            });
        }
        let at = at - TRANSPORT;
        if let Some(tcp) = packet.tcp() {
            let is_rst = tcp.flags.rst();
            return Some(match at {
                4..8 if is_rst => Rule::RefusalNumber,
                8..12 if !is_rst => Rule::AckNumber,
                12 if bit == 0x01 => Rule::Reserved,
                12 if tcp.payload.is_empty() => Rule::DataOffset,
                14 | 15 => Rule::Window,
                16 | 17 => Rule::TcpChecksum,
                18 | 19 => Rule::Urgent,
                20.. => Rule::Options,
                _ => return None,
            });
        }
        if packet.icmp().is_some() {
            return Some(match at {
                2 | 3 => Rule::IcmpChecksum,
                4..8 => Rule::IcmpUnused,
                _ => return None,
            });
        }
        matches!(at, 6 | 7).then_some(Rule::UdpChecksum)
    }

    fn rule_of_payload(&self, index: usize, at: usize, bit: u8) -> Option<Rule> {
        if self.trace.packets[index].icmp().is_some() {
            // Protocol, addresses and ports.
            let tells = at == 9 || (12..24).contains(&at);
            return (!tells).then_some(Rule::IcmpQuote);
        }
        let payload = self.trace.payload(index);
        let find = |what: &[u8]| payload.windows(what.len()).position(|w| w == what);
        let version = find(b"HTTP/1.1")? + 5..find(b"HTTP/1.1")? + 8;
        let fields = find(b"\r\n")? + 2..find(b"\r\n\r\n")? + 1;
        // Behind `HTTP/1.1 404 `.
        let phrase = payload.starts_with(b"HTTP/").then_some(13..fields.start);
        if version.contains(&at) {
            Some(Rule::HttpVersion)
        } else if phrase.is_some_and(|phrase| phrase.contains(&at)) && bit == 0x20 {
            Some(Rule::HttpPhrase)
        } else if !fields.contains(&at) {
            None
        } else if payload.get(at) == Some(&b'\r') {
            Some(Rule::HttpLineEnd)
        } else {
            Some(Rule::HttpFields)
        }
    }
}

impl Kind {
    /// Bytes of a stream can be missing then, which the peer acknowledged: also
    /// where a header hides the segment, or gives it to another connection.
    fn can_lose_bytes(self) -> bool {
        matches!(
            self,
            Kind::Dropped
                | Kind::Cut
                | Kind::Shorter
                | Kind::SourcePort
                | Kind::DestinationPort
                | Kind::Header(..)
        )
    }

    /// A bit of a header that has no flag or port: tried beyond what programs
    /// can get wrong.
    fn is_header(self) -> bool {
        matches!(self, Kind::Header(..))
    }
}

/// How many changes were tried, and what came of them.
#[derive(Clone, Copy, Default)]
struct Score {
    tried: usize,
    failed: usize,
    inconclusive: usize,
    passed: usize,
}

impl Score {
    fn count(&mut self, verdict: Verdict) {
        self.tried += 1;
        match verdict {
            Verdict::Fail => self.failed += 1,
            Verdict::Inconclusive => self.inconclusive += 1,
            Verdict::Pass => self.passed += 1,
        }
    }

    fn add(&mut self, other: Score) {
        self.tried += other.tried;
        self.failed += other.failed;
        self.inconclusive += other.inconclusive;
        self.passed += other.passed;
    }

    fn row(&self, name: &str) -> String {
        let noticed = (self.failed + self.inconclusive) as f64 / self.tried as f64;
        format!(
            "| {name} | {} | {} | {} | {} | {:.1} % |\n",
            self.tried,
            self.failed,
            self.inconclusive,
            self.passed,
            100.0 * noticed
        )
    }
}

const TABLE: &str = "| scenario | tried | failed | inconclusive | freed by a rule | noticed |\n| --- | --- | --- | --- | --- | --- |\n";

/// docs/mutations.md from the scores: what programs can get wrong, and bits of
/// other headers; and from how many changes each rule frees.
fn document(scores: &[(&str, Score, Score)], rules: &BTreeMap<Rule, usize>) -> String {
    let table = |of: fn(&(&str, Score, Score)) -> Score| {
        let mut all = Score::default();
        let mut text = TABLE.to_owned();
        for score in scores {
            text.push_str(&of(score).row(score.0));
            all.add(of(score));
        }
        text + &all.row("**all**")
    };
    let rules: String = rules
        .iter()
        .map(|(rule, count)| format!("| {count} | {} |\n", rule.words()))
        .collect();
    format!(
        "\
# Would anybody notice?

An expectation that never fails is worth nothing. So each scenario of the catalogue
is tried against its own reference capture, changed in one packet: the packet left
out, sent twice, swapped with its neighbour, cut when captured, one byte shorter;
each TCP flag flipped, each port changed, each ICMP type and code set to each other
value, three bits of each byte of payload flipped, one at a time. The recording
beside the packets stays, with a proof that fits, so that only the expectations can
tell. A test (`tests/golden/mutations.rs`) makes and judges all of them and writes
this page.

{}
**Inconclusive** is right where bytes are missing: nobody knows what they were.
**Freed by a rule**: a rule of an RFC leaves it open, so that a stack may do it and
the scenario must not mind. Each of these is listed, packet by packet with its rule,
in `tests/golden/mutations/NAME.txt`; one that passes without a rule fails the test.

## Bits of other headers

Three bits of each byte of the Ethernet, IP, TCP, UDP and ICMP headers, one at a
time. Most of these fields are no business of a program, and loopback leaves some of
them empty.

{}
## The rules

| changes | what frees them |
| --- | --- |
{rules}",
        table(|(_, programs, _)| *programs),
        table(|(_, _, headers)| *headers),
    )
}

/// What passed, packet by packet and rule by rule, in lines to read.
fn listed(passed: &BTreeMap<(usize, Rule), Vec<Kind>>) -> String {
    let mut text = String::new();
    let mut last = None;
    for ((packet, rule), kinds) in passed {
        if last != Some(packet) {
            text.push_str(&format!("packet {}\n", packet + 1));
            last = Some(packet);
        }
        text.push_str(&format!(
            "  {}: {}\n",
            rule.words(),
            changes_in_words(kinds)
        ));
    }
    text
}

fn changes_in_words(kinds: &[Kind]) -> String {
    let mut words: Vec<String> = Vec::new();
    // Bytes by where they are and what was done to them.
    let mut bytes: BTreeMap<(&str, u8), Vec<usize>> = BTreeMap::new();
    let mut masks: BTreeMap<(&str, usize), u8> = BTreeMap::new();
    for kind in kinds {
        match kind {
            Kind::Header(at, bit) => *masks.entry(("byte", *at)).or_default() |= bit,
            Kind::Payload(at, bit) => *masks.entry(("payload byte", *at)).or_default() |= bit,
            Kind::Flag(bit) => words.push(format!("flag {bit:#04x}")),
            other => words.push(format!("{other:?}")),
        }
    }
    for ((place, at), mask) in masks {
        bytes.entry((place, mask)).or_default().push(at);
    }
    for ((place, mask), list) in bytes {
        words.push(format!("{place} {} by {mask:#04x}", ranges(&list)));
    }
    words.join(", ")
}

/// `0-3 7` of ascending numbers.
fn ranges(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &n in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => ranges.push((n, n)),
        }
    }
    let words = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    words.collect::<Vec<String>>().join(" ")
}

#[test]
fn every_change_of_an_event_is_noticed_and_what_passes_is_known() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut scores = Vec::new();
    let mut rules: BTreeMap<Rule, usize> = BTreeMap::new();
    for name in scenario::catalogue() {
        let (mut programs, mut headers) = (Score::default(), Score::default());
        let reference = Reference::read(name);
        let mut passed: BTreeMap<(usize, Rule), Vec<Kind>> = BTreeMap::new();
        let mut without_a_rule = Vec::new();
        let mut tried = 0;
        for change in reference.changes() {
            tried += 1;
            let Change { packet, kind, .. } = change;
            let verdict = reference.judge(&change);
            match kind.is_header() {
                true => headers.count(verdict),
                false => programs.count(verdict),
            }
            match verdict {
                Verdict::Fail => {}
                // Nobody knows what the missing bytes were.
                Verdict::Inconclusive if kind.can_lose_bytes() => {}
                verdict => match reference.rule(packet, kind) {
                    Some(rule) if verdict == Verdict::Pass => {
                        *rules.entry(rule).or_default() += 1;
                        passed.entry((packet, rule)).or_default().push(kind);
                    }
                    _ => without_a_rule.push((packet + 1, kind, verdict)),
                },
            }
        }
        scores.push((name, programs, headers));
        assert!(tried > 100, "{name}: {tried} changes");
        assert!(without_a_rule.is_empty(), "{name}: {without_a_rule:#?}");
        let text = listed(&passed);
        let path = folder("tests/golden/mutations").join(format!("{name}.txt"));
        if bless {
            fs::write(&path, &text).unwrap();
        }
        let pinned = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            text, pinned,
            "{name}: what passes is not what {path:?} says"
        );
    }
    let page = document(&scores, &rules);
    let path = folder("docs/mutations.md");
    if bless {
        fs::write(&path, &page).unwrap();
    }
    let pinned = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(page, pinned, "the score is not what {path:?} says");
}

/// The reference captures themselves pass.
#[test]
fn unchanged_they_pass() {
    for name in scenario::catalogue() {
        let reference = Reference::read(name);
        let unchanged = Change {
            packet: 0,
            kind: Kind::Cut,
            frames: reference.frames.clone(),
        };
        assert_eq!(reference.judge(&unchanged), Verdict::Pass, "{name}");
    }
}
