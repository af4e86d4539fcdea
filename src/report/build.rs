//! Trace and outcomes to the report: the document as a whole.

use super::conversation::{
    Close, Conversation, EachWay, Side, Sides, TcpConversation, TcpSide, UdpConversation,
};
use super::http::messages;
use super::listing::Packets;
use super::model::{
    Capture, Damage, Detail, Endpoint, Error, ErrorCode, Expectation, Interface, Place, Program,
    Proof, Report, Scenario, SchemaName, Socket, TextSpan, Verdict,
};
use super::stable::{PortNames, stabilise};
use crate::conversation::{self, Direction, Group, SideFacts, TcpFacts, Ways};
use crate::diagnostic::Source;
use crate::expect::Outcome;
use crate::savefile::{self, CaptureInfo, Recording, Timestamp};
use crate::scenario;
use crate::trace::{Owner, Trace};

/// What the report holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The byte-stable form, for golden files.
    pub stable: bool,
    /// The recording was read from a file, not made just now: its proof is
    /// only claimed.
    pub claimed: bool,
}

impl Report {
    /// The report on one capture, without its packets. Without `scenario` its
    /// name and source come from the recording, where there is one.
    pub fn build(
        trace: &Trace,
        scenario: Option<&scenario::Scenario>,
        outcomes: &[Outcome],
        options: &Options,
    ) -> Report {
        let (report, _) = without_packets(trace, scenario, outcomes, options);
        report
    }

    /// As [`Report::build`], with `packets[]`, which are made out of the trace as
    /// they are asked for.
    pub fn with_packets(
        trace: Trace,
        scenario: Option<&scenario::Scenario>,
        outcomes: &[Outcome],
        options: &Options,
    ) -> Report {
        let (mut report, names) = without_packets(&trace, scenario, outcomes, options);
        report.packets = Some(Packets::of(trace, outcomes, names));
        report
    }

    /// The report where nothing could be recorded or read. `name` is the
    /// scenario or the capture that was asked for.
    pub fn error(name: &str, code: ErrorCode, message: impl Into<String>) -> Report {
        Report {
            schema: SchemaName::V1,
            scenario: Some(Scenario {
                name: name.to_owned(),
                ..Scenario::default()
            }),
            verdict: Some(Verdict::Error),
            error: Some(Error {
                code,
                message: message.into(),
            }),
            duration_ms: None,
            programs: Vec::new(),
            capture: None,
            summary: None,
            packets: None,
            conversations: Vec::new(),
            messages: Vec::new(),
            lookups: Vec::new(),
            expectations: Vec::new(),
        }
    }

    /// The capture file; the name to show where there is none.
    pub fn file(&self) -> &str {
        self.capture
            .as_ref()
            .map_or_else(|| self.name(), |capture| &capture.file)
    }

    /// The name to show: the scenario's, else the capture file's.
    pub fn name(&self) -> &str {
        match (&self.scenario, &self.capture) {
            (Some(scenario), _) => &scenario.name,
            (None, Some(capture)) => &capture.file,
            (None, None) => "",
        }
    }
}

/// The report, and where it is to be byte-stable, the names of ports.
fn without_packets(
    trace: &Trace,
    scenario: Option<&scenario::Scenario>,
    outcomes: &[Outcome],
    options: &Options,
) -> (Report, Option<PortNames>) {
    let recording = trace.recording.as_ref();
    let mut report = frame(&trace.capture, recording, options);
    if let Some(scenario) = scenario {
        report.scenario = Some(scenario_part(scenario));
    }
    report.verdict = verdict(report.error.is_some(), recording, outcomes);
    report.conversations = conversations(trace);
    report.messages = messages(trace);
    report.expectations = outcomes
        .iter()
        .map(|outcome| expectation(outcome, scenario))
        .collect();
    let names = options.stable.then(|| stabilise(&mut report));
    (report, names)
}

/// What the file and the recording in it say, without what the packets say.
pub(super) fn frame(
    info: &CaptureInfo,
    recording: Option<&Recording>,
    options: &Options,
) -> Report {
    let error = error(info, recording);
    Report {
        schema: SchemaName::V1,
        scenario: recording.and_then(recorded_scenario),
        verdict: verdict(error.is_some(), recording, &[]),
        error,
        duration_ms: recording.map(|r| millis_u64(r.duration)),
        programs: recording
            .map(|r| r.programs.iter().map(program).collect())
            .unwrap_or_default(),
        capture: Some(capture(info, recording, options)),
        summary: None,
        packets: None,
        conversations: Vec::new(),
        messages: Vec::new(),
        lookups: Vec::new(),
        expectations: Vec::new(),
    }
}

/// Nanoseconds to milliseconds.
pub(super) fn millis(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e6
}

fn millis_u64(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// Our own failure in mid-run comes before damage of the file: it explains it.
fn error(info: &CaptureInfo, recording: Option<&Recording>) -> Option<Error> {
    let fault = recording.and_then(|r| r.fault.as_ref());
    if let Some(fault) = fault {
        return Some(Error {
            code: ErrorCode::Internal,
            message: fault.clone(),
        });
    }
    let damage = info.damage.as_ref()?;
    Some(Error {
        code: ErrorCode::DamagedCapture,
        message: format!(
            "{} is damaged at byte {}: {}. Everything before it was read",
            info.file, damage.offset, damage.reason
        ),
    })
}

/// None where nothing was to be judged.
fn verdict(error: bool, recording: Option<&Recording>, outcomes: &[Outcome]) -> Option<Verdict> {
    if error {
        return Some(Verdict::Error);
    }
    let judged = outcomes.iter().map(|o| Verdict::from(o.verdict));
    let interrupted = recording
        .filter(|r| r.interrupted)
        .map(|_| Verdict::Inconclusive);
    judged.chain(interrupted).max_by_key(|v| match v {
        Verdict::Pass => 0,
        Verdict::Inconclusive => 1,
        Verdict::Fail => 2,
        Verdict::Error => 3,
    })
}

fn scenario_part(scenario: &scenario::Scenario) -> Scenario {
    Scenario {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        question: scenario.question.clone(),
        answer: scenario.answer.clone(),
        hint: scenario.hint.clone(),
        source: Some(scenario.source.name.clone()),
    }
}

fn recorded_scenario(recording: &Recording) -> Option<Scenario> {
    let scenario = recording.scenario.as_ref()?;
    Some(Scenario {
        name: scenario.name.clone(),
        source: Some(scenario.source.clone()),
        ..Scenario::default()
    })
}

fn program(program: &savefile::Program) -> Program {
    Program {
        role: program.role.clone(),
        argv: program.argv.clone(),
        pid: program.pid,
        exit: program.exit,
        ended: program.ended,
        start_error: program.start_error.clone(),
        note: program.note.clone(),
        stdout: program.stdout.lossy().into_owned(),
        stderr: program.stderr.lossy().into_owned(),
        output_cut: program.output_cut,
        duration_ms: program.duration.map(millis_u64),
        sockets: program
            .sockets
            .iter()
            .map(|s| socket(s, &program.role))
            .collect(),
    }
}

fn socket(socket: &savefile::Socket, role: &str) -> Socket {
    Socket {
        protocol: socket.protocol,
        local: Endpoint {
            address: socket.local.ip(),
            port: socket.local.port().into(),
            role: Some(role.to_owned()),
        },
        remote: socket.remote.map(|remote| Endpoint {
            address: remote.ip(),
            port: remote.port().into(),
            role: None,
        }),
        listening: socket.listening,
        opened_ns: Some(socket.opened),
        closed_ns: socket.closed,
    }
}

fn capture(info: &CaptureInfo, recording: Option<&Recording>, options: &Options) -> Capture {
    let proof = recording.map(|r| &r.proof);
    let first = info.interfaces.first();
    Capture {
        file: info.file.clone(),
        format: None,
        compression: None,
        interfaces: Vec::new(),
        comments: Vec::new(),
        link_type: first.map(|i| i.link_type),
        snaplen: first.map(|i| i.snaplen),
        packets: info.packets,
        displayed: info.packets,
        dropped: proof.map(|p| p.dropped).or_else(|| {
            let known: Vec<u64> = info.interfaces.iter().filter_map(|i| i.dropped).collect();
            (!known.is_empty()).then(|| known.iter().sum())
        }),
        proof: proof.map(|proof| Proof {
            // Of what is in the file: the recording may lie beside another's packets.
            complete: proof.is_complete() && proof.captured == info.packets,
            opening: proof.opening,
            closing: proof.closing,
            interface_counter: proof.interface_counter,
            interface_packets: proof.interface_packets,
            owners: proof.owners,
            claimed: options.claimed,
        }),
        damage: info.damage.as_ref().map(|d| Damage {
            offset: d.offset,
            reason: d.reason.clone(),
        }),
    }
}

impl Capture {
    /// All that the file says of itself.
    pub(super) fn tell_all(&mut self, info: &CaptureInfo) {
        self.format = Some(info.format);
        self.compression = info.compression;
        self.interfaces = info.interfaces.iter().map(interface).collect();
        self.comments = info.comments.clone();
    }
}

fn interface(interface: &savefile::Interface) -> Interface {
    Interface {
        name: interface.name.clone(),
        link_type: interface.link_type,
        snaplen: interface.snaplen,
        received: interface.received,
        dropped: interface.dropped,
        comments: interface.comments.clone(),
    }
}

fn conversations(trace: &Trace) -> Vec<Conversation> {
    let owners = conversation_owners(trace);
    let start = trace.packets.first().map(|packet| packet.time);
    trace
        .conversations
        .iter()
        .zip(owners)
        .map(|(c, owner)| {
            let client = role_name(trace, owner.to_client);
            let server = role_name(trace, owner.to_server);
            conversation(c, start.unwrap_or_default(), client, server)
        })
        .collect()
}

/// One conversation. `start` is the time of the capture's first packet; the
/// roles are those of the client's and the server's owner.
pub fn conversation(
    c: &conversation::Conversation,
    start: Timestamp,
    client: Option<String>,
    server: Option<String>,
) -> Conversation {
    let endpoint = |socket: std::net::SocketAddr, role| Endpoint {
        address: socket.ip(),
        port: socket.port().into(),
        role,
    };
    Conversation {
        index: None,
        id: c.id,
        protocol: c.protocol,
        client: endpoint(c.client, client),
        server: endpoint(c.server, server),
        packets: each_way(&c.packets),
        bytes: each_way(&c.bytes),
        wire_bytes: Some(each_way(&c.wire_bytes)),
        bits_per_second: bits_per_second(&c.bytes, c.last.since(c.earliest)),
        start_ms: c.earliest.elapsed(start).map(millis),
        duration_ms: c.last.elapsed(c.earliest).map(millis),
        tcp: c.tcp.as_ref().map(tcp_conversation),
        tls: None,
        udp: c.udp.as_ref().map(|udp| UdpConversation {
            datagrams: each_way(&udp.datagrams),
            group: Group::of_address(c.server.ip()).or(udp.group),
            lost: udp.lost,
        }),
    }
}

/// Who owns the two ends of each conversation, by its first packet that tells:
/// `to_client` is the client's owner.
fn conversation_owners(trace: &Trace) -> Vec<Ways<Owner>> {
    let unknown = Ways {
        to_server: Owner::Unknown,
        to_client: Owner::Unknown,
    };
    let mut owners = vec![unknown; trace.conversations.len()];
    for (seen, ends) in trace.seen.iter().zip(&trace.ends) {
        let (Some(index), Some(direction)) = (seen.conversation, seen.direction) else {
            continue;
        };
        let Some(known) = owners.get_mut(index) else {
            continue;
        };
        for (way, owner) in [(direction, ends.to), (direction.opposite(), ends.from)] {
            if *known.get(way) == Owner::Unknown {
                *known.get_mut(way) = owner;
            }
        }
    }
    owners
}

/// The name of an owner; None where it is not known.
pub(super) fn role_name(trace: &Trace, owner: Owner) -> Option<String> {
    (owner != Owner::Unknown).then(|| trace.owner_name(owner).to_owned())
}

fn each_way(ways: &Ways<u64>) -> EachWay {
    EachWay {
        to_server: ways.to_server,
        to_client: ways.to_client,
    }
}

/// None where the conversation lasted no time.
fn bits_per_second(bytes: &Ways<u64>, nanoseconds: i64) -> Option<EachWay> {
    let nanoseconds = u128::try_from(nanoseconds).ok().filter(|n| *n > 0)?;
    let rate = |bytes: u64| {
        let rate = u128::from(bytes) * 8 * 1_000_000_000 / nanoseconds;
        u64::try_from(rate).unwrap_or(u64::MAX)
    };
    Some(EachWay {
        to_server: rate(bytes.to_server),
        to_client: rate(bytes.to_client),
    })
}

fn tcp_side(side: &SideFacts) -> TcpSide {
    TcpSide {
        mss_val: side.offered.mss,
        wscale_shift: side.offered.window_scale,
        sack_perm: side.offered.sack_permitted,
        timestamps: side.offered.timestamps,
        max_window_size: side.max_window,
        first_byte_ms: side.first_byte.map(millis),
    }
}

fn tcp_conversation(tcp: &TcpFacts) -> TcpConversation {
    let (close, closed_by) = close(tcp.close);
    TcpConversation {
        completeness: tcp.completeness,
        state: tcp.state,
        history: tcp.history.clone(),
        handshake_rtt_ms: tcp.handshake_rtt.map(millis),
        started_before: tcp.started_before,
        sides: Some(Sides {
            client: tcp_side(&tcp.sides.to_server),
            server: tcp_side(&tcp.sides.to_client),
        }),
        close,
        closed_by,
        analysis: tcp.marks.seen().collect(),
        retransmissions: tcp.retransmissions,
        out_of_order: tcp.out_of_order,
        missing_bytes: tcp.missing_bytes,
        icmp_errors: tcp.icmp_errors,
    }
}

fn close(close: conversation::Close) -> (Close, Option<Side>) {
    // The direction is that of the segment: to the server means by the client.
    let side = |direction| match direction {
        Direction::ToServer => Side::Client,
        Direction::ToClient => Side::Server,
    };
    match close {
        conversation::Close::Open => (Close::Open, None),
        conversation::Close::Fin { first } => (Close::Fin, Some(side(first))),
        conversation::Close::HalfClosed { by } => (Close::HalfClosed, Some(side(by))),
        conversation::Close::Reset { by } => (Close::Reset, Some(side(by))),
        conversation::Close::Refused => (Close::Refused, Some(Side::Server)),
    }
}

fn expectation(outcome: &Outcome, scenario: Option<&scenario::Scenario>) -> Expectation {
    let written = scenario
        .filter(|_| !outcome.implied)
        .and_then(|s| s.expectations.iter().find(|e| e.name == outcome.name));
    let span = outcome.failure.as_ref().and_then(|f| f.span.clone());
    let start = span.as_ref().map_or(0, |s| s.start);
    let place = scenario.zip(written).and_then(|(scenario, written)| {
        if scenario.source.name != scenario::COMMAND_LINE {
            let offset = written.source_span(start..start).start;
            return Some(place(&scenario.source, offset));
        }
        // The file around it is ours. A statement of the command line is called
        // what it says.
        let statement = Source {
            name: "-e".to_owned(),
            text: written.text.clone(),
        };
        (written.name == written.text).then(|| place(&statement, start))
    });
    Expectation {
        name: outcome.name.clone(),
        text: outcome.text.clone(),
        source: place,
        implied: outcome.implied,
        verdict: outcome.verdict.into(),
        evidence: outcome.evidence.clone(),
        detail: outcome.failure.as_ref().map(|f| Detail {
            code: f.code,
            message: f.message.clone(),
            span: f.span.as_ref().map(|s| TextSpan {
                start: s.start,
                end: s.end,
            }),
            expected: f.expected.clone(),
            actual: f.actual.clone(),
            difference: f.difference.clone(),
            diverges_at: f.diverges_at,
            wireshark_filter: f.wireshark_filter.clone(),
            notes: f.notes.clone(),
        }),
        hint: outcome.hint.clone(),
        points: outcome.points,
        visibility: written.and_then(|w| w.visibility.clone()),
    }
}

/// Line and column of a byte offset.
fn place(source: &Source, offset: usize) -> Place {
    let before = source.text.get(..offset).unwrap_or(source.text.as_str());
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    Place {
        file: source.name.clone(),
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or("").chars().count() + 1,
    }
}
