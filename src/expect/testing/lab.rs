//! The lab's wires, and judging them.

use std::collections::BTreeMap;

use super::{CLIENT, NOBODY, SERVER, ToClient, ToServer, Wire};
use crate::expect::{Outcome, Verdict, judge, parse};
use crate::savefile::{Bytes, Protocol, Socket};
use crate::scenario::ProgramSpec;

pub fn outcomes(wire: &Wire, text: &str, programs: &[ProgramSpec]) -> Vec<Outcome> {
    let roles = wire.trace.roles.clone();
    let expectation = parse("it", text, &roles).unwrap();
    let files = BTreeMap::from([("a.txt".to_owned(), Bytes(b"body".to_vec()))]);
    judge(&wire.trace, &[expectation], programs, &files)
}

pub fn verdict(wire: &Wire, text: &str) -> Verdict {
    outcomes(wire, text, &[]).pop().unwrap().verdict
}

pub fn passes(wire: &Wire, texts: &[&str]) {
    for text in texts {
        assert_eq!(shown(wire, text).lines().next().unwrap(), "Pass", "{text}");
    }
}

pub fn fails(wire: &Wire, texts: &[&str]) {
    for text in texts {
        assert_eq!(verdict(wire, text), Verdict::Fail, "{text}");
    }
}

/// The outcome as a reader sees it.
pub fn shown(wire: &Wire, text: &str) -> String {
    lines(&outcomes(wire, text, &[]).pop().unwrap())
}

pub fn lines(outcome: &Outcome) -> String {
    let Some(failure) = outcome.failure.clone() else {
        return format!("{:?}\nevidence {:?}", outcome.verdict, outcome.evidence);
    };
    let mut lines = vec![format!("{:?}: {}", outcome.verdict, failure.message)];
    lines.extend(
        failure
            .span
            .map(|s| format!("at       {}", &outcome.text[s])),
    );
    lines.extend(failure.expected.map(|e| format!("expected {e}")));
    lines.extend(failure.actual.map(|a| format!("actual   {a}")));
    lines.extend(failure.difference.map(|d| format!("differs  {d}")));
    lines.extend(failure.diverges_at.map(|f| format!("frame    {f}")));
    lines.extend(failure.wireshark_filter.map(|f| format!("filter   {f}")));
    lines.extend(failure.notes.iter().map(|n| format!("note     {n}")));
    lines.join("\n")
}

pub const UPPER: &str = "exactly {
  client > server:12000  SYN
  server > client        SYN,ACK
  client > server        ACK
  client > server        data \"hello\"
  server > client        data \"HELLO\"
  server > client        FIN
  client > server        FIN
}";

/// A capture from elsewhere that lacks these packets.
pub fn lacking(make: impl Fn() -> Wire, lost: &[usize]) -> Wire {
    let whole = make();
    let mut wire = make();
    let trace = &mut wire.trace;
    (trace.frames, trace.packets, trace.ends) = Default::default();
    for index in (0..whole.trace.packets.len()).filter(|index| !lost.contains(index)) {
        trace.frames.push(whole.trace.frame(index), None);
        trace.packets.push(whole.trace.packets[index].clone());
        trace.ends.push(whole.trace.ends[index]);
    }
    let mut wire = wire.reread();
    wire.trace.recording = None;
    wire
}

pub fn upper() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    wire.data(c, ToServer, b"hello");
    wire.ack(c, ToClient);
    wire.data(c, ToClient, b"HEL");
    wire.data(c, ToClient, b"LO");
    wire.fin(c, ToClient);
    wire.fin(c, ToServer);
    wire
}

pub fn refused() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (NOBODY, 12000));
    wire.segment(c, ToServer, 2, b"");
    wire.rst(c, ToClient);
    wire.facts(c).close = crate::conversation::Close::Refused;
    wire.facts(c).state = crate::conversation::ConnState::REJ;
    wire.facts(c).completeness = 37;
    wire
}

pub fn no_udp_server() -> Wire {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (NOBODY, 12000));
    let sent = wire.datagram(c, ToServer, b"hello");
    wire.unreachable(c, sent, 3);
    wire
}

pub fn web() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.http(c, ToServer, "GET /a.txt HTTP/1.1\r\nHost: localhost", b"");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain";
    wire.http(c, ToClient, head, b"body");
    wire.fin(c, ToClient);
    wire.fin(c, ToServer);
    wire
}

/// The server listens on another port than the client tries.
pub fn wrong_port() -> Wire {
    let mut wire = refused();
    wire.recording().programs[1].sockets.push(Socket {
        protocol: Protocol::Tcp,
        local: "127.0.0.1:12001".parse().unwrap(),
        remote: None,
        opened: 0,
        closed: None,
        listening: true,
    });
    wire
}

pub fn spec(role: &str) -> ProgramSpec {
    ProgramSpec {
        role: role.to_owned(),
        run: vec![role.to_owned()],
        stdin: None,
        exit: None,
        stdout: None,
        stderr: None,
        after: None,
        ready: None,
        stop: None,
        ends_waiting: false,
        pty: false,
        cwd: None,
        env: BTreeMap::new(),
        timeout: None,
        span: 0..0,
    }
}
