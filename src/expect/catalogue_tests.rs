//! The catalogue's own expectations: they pass on the wire that they describe,
//! and any packet more, fewer or different makes one of them fail.

use std::collections::BTreeMap;

use super::testing::{NOBODY, ToClient, ToServer, Wire};
use super::{Outcome, Verdict, compile, files, judge};
use crate::savefile::{Bytes, Ended, Exit, Program, Socket};
use crate::scenario::{self, OutputPattern, ProgramSpec, RightExit, Scenario};

const HTML: &str = "Content-Type: text/html; charset=utf-8";

fn scenario(name: &str) -> Scenario {
    scenario::parse(scenario::builtin(name).unwrap()).unwrap()
}

/// What the scenario's programs should have come to.
fn program(spec: &ProgramSpec) -> Program {
    let output = |pattern: &Option<OutputPattern>| match pattern {
        Some(OutputPattern::Equals(text) | OutputPattern::Contains(text)) => {
            Bytes(text.clone().into_bytes())
        }
        _ => Bytes::default(),
    };
    let (exit, ended) = if spec.ends_waiting {
        (Exit::Signal(15), Ended::Waiting)
    } else if spec.stop.is_some() {
        (Exit::Signal(15), Ended::Stopped)
    } else {
        let code = match spec.exit {
            Some(RightExit::Code(code)) => code,
            Some(RightExit::Any) => 1,
            None => 0,
        };
        (Exit::Code(code), Ended::ByItself)
    };
    Program {
        role: spec.role.clone(),
        exit: Some(exit),
        ended: Some(ended),
        stdout: output(&spec.stdout),
        stderr: output(&spec.stderr),
        sockets: Vec::<Socket>::new(),
        ..Program::default()
    }
}

/// The packets that the lab's own programs send.
fn wire(scenario: &Scenario) -> Wire {
    let roles: Vec<String> = scenario.programs.iter().map(|p| p.role.clone()).collect();
    let mut wire = Wire::with_roles(&roles);
    wire.recording().programs = scenario.programs.iter().map(program).collect();
    let client = wire.role("client");
    let server = roles
        .iter()
        .any(|r| r == "server")
        .then(|| wire.role("server"));
    match scenario.name.as_str() {
        "tcp-refused" | "tcp-wrong-port" => {
            let c = wire.tcp(client, (NOBODY, 12000));
            wire.segment(c, ToServer, 2, b"");
            wire.rst(c, ToClient);
        }
        "udp-no-server" | "udp-wrong-port" | "udp-connected-refused" => {
            let c = wire.udp(client, (NOBODY, 12000));
            let sent = wire.datagram(c, ToServer, b"hello");
            wire.unreachable(c, sent, 3);
        }
        "udp-upper" => {
            let c = wire.udp(client, (server.unwrap(), 12000));
            wire.datagram(c, ToServer, "hello, grüße & 1 + 1 = 2!".as_bytes());
            let reply = "HELLO, GRüßE & 1 + 1 = 2!".as_bytes();
            wire.datagram(c, ToClient, reply);
            shown(&mut wire, reply);
        }
        "tcp-upper" => {
            let c = wire.tcp(client, (server.unwrap(), 12000));
            wire.handshake(c);
            wire.data(c, ToServer, b"hello, world!\n");
            wire.data(c, ToClient, b"HELLO, WORLD!\n");
            wire.fin(c, ToClient);
            wire.fin(c, ToServer);
        }
        "http-ok" => {
            let page = scenario::builtin_file("../www/HelloWorld.html").unwrap();
            http(&mut wire, "/HelloWorld.html", "200 OK", page);
        }
        "http-not-found" => {
            let page = b"<h1>404</h1>";
            http(&mut wire, "/NoSuchFile.html", "404 Not Found", page);
        }
        other => panic!("{other} has no wire here"),
    }
    wire
}

/// The client shows what came.
fn shown(wire: &mut Wire, output: &[u8]) {
    for program in &mut wire.recording().programs {
        if program.role == "client" {
            program.stdout = Bytes(output.to_vec());
        }
    }
}

fn http(wire: &mut Wire, target: &str, status: &str, body: &[u8]) {
    let (client, server) = (wire.role("client"), wire.role("server"));
    shown(wire, body);
    let c = wire.tcp(client, (server, 8080));
    wire.handshake(c);
    let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close");
    wire.http(c, ToServer, &head, b"");
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{HTML}\r\nContent-Length: {length}");
    wire.http(c, ToClient, &head, body);
    wire.fin(c, ToClient);
    wire.fin(c, ToServer);
}

fn outcomes(scenario: &Scenario, wire: &Wire) -> Vec<Outcome> {
    let expectations = compile(scenario).unwrap();
    let page = scenario::builtin_file("../www/HelloWorld.html").unwrap();
    let contents: BTreeMap<String, Bytes> = files(&expectations)
        .into_iter()
        .map(|name| (name, Bytes(page.to_vec())))
        .collect();
    judge(&wire.trace, &expectations, &scenario.programs, &contents)
}

fn passes(scenario: &Scenario, wire: &Wire) -> bool {
    let outcomes = outcomes(scenario, wire);
    outcomes.iter().all(|o| o.verdict == Verdict::Pass)
}

#[test]
fn the_catalogue_passes_on_what_it_describes() {
    for name in scenario::catalogue() {
        let scenario = scenario(name);
        for outcome in outcomes(&scenario, &wire(&scenario).reread()) {
            assert_eq!(outcome.verdict, Verdict::Pass, "{name}: {outcome:#?}");
        }
    }
}

/// Changes the frames of a capture.
fn change(wire: &mut Wire, how: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut frames = wire.trace.frames.iter().map(<[u8]>::to_vec).collect();
    how(&mut frames);
    wire.trace.frames = frames.into_iter().collect();
}

#[test]
fn any_packet_more_or_fewer_makes_it_fail() {
    for name in scenario::catalogue() {
        let scenario = scenario(name);
        let count = wire(&scenario).trace.packets.len();
        for place in 0..count {
            let mut fewer = wire(&scenario);
            fewer.trace.packets.remove(place);
            change(&mut fewer, |frames| drop(frames.remove(place)));
            fewer.trace.ends.remove(place);
            // The handshake's ACK may come with the first data as well, and a
            // pure ACK more is the kernel's own affair.
            let is_ack = count > 3 && place == 2;
            assert_eq!(
                passes(&scenario, &fewer.reread()),
                is_ack,
                "{name} without {place}"
            );
            let mut more = wire(&scenario);
            change(&mut more, |frames| {
                frames.insert(place, frames[place].clone());
            });
            let trace = &mut more.trace;
            trace.packets.insert(place, trace.packets[place].clone());
            trace.ends.insert(place, trace.ends[place]);
            assert_eq!(
                passes(&scenario, &more.reread()),
                is_ack,
                "{name} with {place} twice"
            );
        }
    }
}

#[test]
fn any_byte_of_payload_different_makes_it_fail() {
    for name in scenario::catalogue() {
        let scenario = scenario(name);
        for place in 0..wire(&scenario).trace.packets.len() {
            let mut other = wire(&scenario);
            let payload = other.trace.packets[place].payload();
            if payload.is_empty() {
                continue;
            }
            change(&mut other, |frames| {
                frames[place][payload.start as usize] ^= 0x01;
            });
            assert!(
                !passes(&scenario, &other.reread()),
                "{name}, packet {place}"
            );
        }
    }
}
