//! Drafts of expectations: what could be said of a capture, and of that what
//! holds for every run.

use std::collections::{BTreeMap, BTreeSet};

use sha2::Digest;

use super::ast::Collection;
use super::claim::value::{self, Datum};
use super::event::{Event, EventKind};
use super::events::Events;
use super::facts::Facts;
use super::matching::Context;
use super::notation::{self, quoted};
use super::{Verdict, judge, lint, parse};
use crate::conversation::{Close, Direction, TcpFacts};
use crate::savefile::{Bytes, Ended, Exit, Protocol};
use crate::scenario::ProgramSpec;
use crate::trace::{Owner, Trace};

/// Texts up to this length are said word for word; of longer ones, how long
/// they are.
const SAID: usize = 60;

/// Conversations and messages of which something is said.
const MOST: usize = 8;

/// Something that could be demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its name, a short sentence.
    pub name: String,
    /// Statements, ready to be parsed.
    pub text: String,
}

/// What holds for all runs, and what was left out because it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub kept: Vec<Draft>,
    /// What the first run showed, and another did not.
    pub varied: Vec<Draft>,
}

/// The strictest that can be said of the first run and is true of all of them.
pub fn draft(runs: &[Trace], programs: &[ProgramSpec]) -> Kept {
    let mut out = Kept::default();
    let Some(first) = runs.first() else {
        return out;
    };
    for alternatives in candidates(first) {
        let mut told = false;
        for candidate in alternatives {
            if runs.iter().all(|run| holds(run, &candidate, programs)) {
                out.kept.push(candidate);
                break;
            }
            // What does not even hold for the run that it was taken from was
            // never said.
            if !told && holds(first, &candidate, programs) {
                told = true;
                out.varied.push(candidate);
            }
        }
    }
    out
}

fn holds(run: &Trace, draft: &Draft, programs: &[ProgramSpec]) -> bool {
    let Ok(expectation) = parse(&draft.name, &draft.text, &run.roles) else {
        return false;
    };
    let files: BTreeMap<String, Bytes> = BTreeMap::new();
    let outcomes = judge(run, &[expectation], programs, &files);
    outcomes
        .iter()
        .filter(|outcome| !outcome.implied)
        .all(|outcome| outcome.verdict == Verdict::Pass)
}

/// For each subject the ways to say it, the strictest first.
fn candidates(trace: &Trace) -> Vec<Vec<Draft>> {
    let mut out = vec![sequences(trace)];
    out.extend(streams(trace));
    for (number, conversation) in of(trace, Protocol::Tcp).take(MOST).enumerate() {
        let Some(tcp) = &conversation.tcp else {
            continue;
        };
        let close = match tcp.close {
            Close::Open => "open",
            Close::Fin { .. } => "fin",
            Close::HalfClosed { .. } => "half_closed",
            Close::Reset { .. } => "reset",
            Close::Refused => "refused",
        };
        out.push(vec![one(
            format!("tcp[{number}] {}", ending(tcp)),
            format!(
                "tcp[{number}].completeness == {}\ntcp[{number}].close == \"{close}\"",
                tcp.completeness
            ),
        )]);
        if tcp.retransmissions == 0 {
            out.push(vec![one(
                format!("nothing of tcp[{number}] had to be sent twice"),
                format!("tcp[{number}].retransmissions == 0"),
            )]);
        }
    }
    for (number, conversation) in of(trace, Protocol::Udp).take(MOST).enumerate() {
        let lost = conversation.udp.as_ref().map_or(0, |udp| udp.lost);
        out.push(vec![one(
            match lost {
                0 => format!("no datagram of udp[{number}] is lost"),
                _ => format!("the datagrams of udp[{number}] that nobody received"),
            },
            format!("udp[{number}].lost == {lost}"),
        )]);
    }
    let facts = Facts::new(trace);
    for (number, message) in trace.messages.iter().take(MOST).enumerate() {
        if let Some(response) = &message.response {
            let whole = format!(
                "http[{number}].response.code == {}\nhttp[{number}].response.body_complete == {}",
                response.code, response.body.complete
            );
            let len = format!("len(http[{number}].response.body) == {}", response.body.len);
            let name = format!("http[{number}] has its whole answer");
            let said = body(&facts, number);
            let ways = said.into_iter().chain([len]);
            out.push(
                ways.map(|body| one(name.clone(), format!("{whole}\n{body}")))
                    .collect(),
            );
        }
    }
    for protocol in ["tcp", "udp", "icmp"] {
        out.push(vec![one(
            format!("no other protocol is used: {}", protocol.to_uppercase()),
            format!("no {protocol}"),
        )]);
    }
    out.extend(programs(trace));
    out
}

/// How a connection ended, in words that are true of it.
fn ending(tcp: &TcpFacts) -> &'static str {
    let opened = tcp.completeness & 7 == 7;
    match tcp.close {
        Close::Fin { .. } if opened => "is complete, and ends as it should",
        Close::Fin { .. } => "ends as it should; how it was opened was not captured",
        Close::Open if opened => "is opened, and stays so",
        Close::Open => "stays open; how it was opened was not captured",
        Close::HalfClosed { .. } => "is closed by one side only",
        Close::Reset { .. } => "is cut off by a RST",
        Close::Refused => "is refused",
    }
}

/// What a response's body holds: a long one, or one that is no text, by its digest.
fn body(facts: &Facts<'_>, number: usize) -> Option<String> {
    let path = ["response", "body"].map(str::to_owned);
    let Ok(Datum::Bytes(bytes)) = value::field(facts, Collection::Http, number, &path) else {
        return None;
    };
    let written = quoted(&bytes);
    Some(match bytes.len() <= SAID && !written.contains("\"… (") {
        true => format!("http[{number}].response.body == {written}"),
        false => {
            let digest = sha2::Sha256::digest(&bytes);
            let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("sha256(http[{number}].response.body) == \"{digits}\"")
        }
    })
}

fn one(name: String, text: String) -> Draft {
    Draft { name, text }
}

fn of(
    trace: &Trace,
    protocol: Protocol,
) -> impl Iterator<Item = &crate::conversation::Conversation> {
    trace
        .conversations
        .iter()
        .filter(move |conversation| conversation.protocol == protocol)
}

/// All events in their order; the same with the FINs in either order; in any.
fn sequences(trace: &Trace) -> Vec<Draft> {
    let events = Events::of(trace);
    let context = Context {
        trace,
        events: &events,
    };
    // What has another name, such as GET, is called by that.
    let named: Vec<&Event> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| !event.is_silent() && !event.after_stop)
        .filter(|(index, event)| {
            context.covered_by(*index).is_empty() || !matches!(event.kind, EventKind::Data { .. })
        })
        .map(|(_, event)| event)
        .collect();
    if named.is_empty() {
        return vec![one("nothing happens".to_owned(), "exactly { }".to_owned())];
    }
    let mut begun = BTreeSet::new();
    let steps: Vec<String> = named
        .iter()
        .map(|event| {
            let step = said(&notation::event(&context, event, None));
            match begun.insert(event.conversation) {
                true => with_port(trace, event, &step),
                false => step,
            }
        })
        .collect();
    let fins: Vec<usize> = named
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == EventKind::Fin)
        .map(|(at, _)| at)
        .collect();
    let mut out = vec![one(
        "what happens, in this order, and nothing else".to_owned(),
        block("exactly", &steps),
    )];
    if let [first, second] = fins.as_slice()
        && second == &(first + 1)
        && let Some((ends, _)) = steps.get(*first).and_then(|step| step.split_once("  "))
    {
        let mut either: Vec<String> = steps.clone();
        either.splice(
            *first..=*second,
            [format!("{}  FIN x2", ends.replace(" > ", " <> "))],
        );
        out.push(one(
            "what happens, whoever closes first, and nothing else".to_owned(),
            block("exactly", &either),
        ));
    }
    out.push(one(
        "what happens, in this order".to_owned(),
        block("in order", &steps),
    ));
    out.push(one(
        "what happens, in any order".to_owned(),
        block("any order", &steps),
    ));
    out
}

/// The first step of a conversation tells the server's port, unless the system gave it
/// out.
fn with_port(trace: &Trace, event: &Event, step: &str) -> String {
    let port = event.to.port.filter(|port| !lint::is_ephemeral(*port));
    let (Owner::Role(_), true, Some(port)) = (event.to.owner, event.to.serves, port) else {
        return step.to_owned();
    };
    let server = format!(" > {}  ", trace.owner_name(event.to.owner));
    let told = format!(" > {}:{port}  ", trace.owner_name(event.to.owner));
    step.replacen(&server, &told, 1)
}

/// A step as notation shows it, without a content that was cut.
fn said(step: &str) -> String {
    match step.find(" \"") {
        Some(at) if step.contains("\"… (") => step.get(..at).unwrap_or(step).to_owned(),
        _ => step.to_owned(),
    }
}

fn block(mode: &str, steps: &[String]) -> String {
    let width = steps
        .iter()
        .filter_map(|step| step.split_once("  "))
        .map(|(ends, _)| ends.chars().count())
        .max()
        .unwrap_or(0);
    let lines: String = steps
        .iter()
        .map(|step| match step.split_once("  ") {
            Some((ends, event)) => format!("  {ends:width$}  {event}\n"),
            None => format!("  {step}\n"),
        })
        .collect();
    format!("{mode} {{\n{lines}}}")
}

/// What each side said.
fn streams(trace: &Trace) -> Vec<Vec<Draft>> {
    let mut tcp = trace
        .conversations
        .iter()
        .enumerate()
        .filter(|(_, conversation)| conversation.protocol == Protocol::Tcp);
    // `stream()` joins all connections: of several it would say nothing clear.
    let (Some((index, conversation)), None) = (tcp.next(), tcp.next()) else {
        return Vec::new();
    };
    let Some(ends) = trace.ends.get(conversation.first_packet) else {
        return Vec::new();
    };
    let (client, server) = (trace.owner_name(ends.from), trace.owner_name(ends.to));
    let bytes = |way| {
        trace
            .stream(index, way)
            .map(|stream| trace.stream_bytes(stream, 0..stream.len()))
            .unwrap_or_default()
    };
    let (request, reply) = (bytes(Direction::ToServer), bytes(Direction::ToClient));
    let mut out = Vec::new();
    if !reply.is_empty() && reply == request.to_ascii_uppercase() && reply != request {
        out.push(vec![one(
            "the reply is the request in upper case".to_owned(),
            format!("stream({server} > {client}) == upper(stream({client} > {server}))"),
        )]);
    }
    for (from, to, bytes) in [(client, server, &request), (server, client, &reply)] {
        if bytes.is_empty() {
            continue;
        }
        let written = quoted(bytes);
        out.push(match bytes.len() <= SAID && !written.contains("\"… (") {
            true => vec![one(
                format!("what {from} says"),
                format!("stream({from} > {to}) == {written}"),
            )],
            false => vec![one(
                format!("how much {from} says"),
                format!("len(stream({from} > {to})) == {}", bytes.len()),
            )],
        });
    }
    out
}

/// How programs ended, and what they wrote.
fn programs(trace: &Trace) -> Vec<Vec<Draft>> {
    let mut out = Vec::new();
    for program in trace.recording.iter().flat_map(|r| &r.programs) {
        let role = &program.role;
        if let (Some(Exit::Code(code)), Some(Ended::ByItself)) = (program.exit, program.ended) {
            out.push(vec![one(
                format!("{role} ends with exit code {code}"),
                format!("{role}.exit == {code}"),
            )]);
        }
        let written = quoted(&program.stdout.0);
        let is_short = program.stdout.0.len() <= SAID && !written.contains("\"… (");
        if !program.stdout.0.is_empty() && is_short {
            out.push(vec![one(
                format!("{role} writes its result"),
                format!("{role}.stdout == {written}"),
            )]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::lab::*;
    use super::super::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};
    use super::*;

    fn texts(drafts: &[Draft]) -> Vec<&str> {
        drafts.iter().map(|d| d.text.as_str()).collect()
    }

    #[test]
    fn of_one_run_everything_is_kept() {
        let found = draft(&[refused().reread().trace], &[]);
        let texts = texts(&found.kept);
        assert_eq!(
            texts[0],
            "exactly {\n  client > nobody:12000  SYN\n  nobody:12000 > client  RST\n}"
        );
        assert!(texts.contains(&"no udp"), "{texts:#?}");
        assert!(!texts.contains(&"no tcp"), "{texts:#?}");
        assert_eq!(found.varied, []);
    }

    /// A connection whose closer is given.
    fn closed_by(server_first: bool) -> Trace {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 12000));
        wire.handshake(c);
        wire.data(c, ToServer, b"hello");
        wire.data(c, ToClient, b"HELLO");
        let ways = match server_first {
            true => [ToClient, ToServer],
            false => [ToServer, ToClient],
        };
        for way in ways {
            wire.fin(c, way);
        }
        wire.reread().trace
    }

    #[test]
    fn what_differs_between_runs_is_left_out_and_told() {
        let found = draft(&[closed_by(true), closed_by(false)], &[]);
        assert!(found.kept[0].text.contains("<>"), "{found:#?}");
        assert!(found.kept[0].text.contains("FIN x2"), "{found:#?}");
        let told = &found.varied[0].text;
        assert!(told.starts_with("exactly {"), "{told}");
        let texts = texts(&found.kept);
        let upper = "stream(server > client) == upper(stream(client > server))";
        assert!(texts.contains(&upper), "{texts:#?}");
    }

    #[test]
    fn what_is_kept_holds() {
        for run in [refused(), upper(), no_udp_server(), wrong_port()] {
            let trace = run.reread().trace;
            let found = draft(std::slice::from_ref(&trace), &[]);
            assert!(found.kept.len() >= 3, "{found:#?}");
            for kept in &found.kept {
                assert!(holds(&trace, kept, &[]), "{kept:#?}");
            }
        }
    }

    #[test]
    fn lint_has_nothing_to_say_of_a_draft() {
        let mut wire = Wire::new();
        let u = wire.udp(CLIENT, (SERVER, 53000));
        wire.datagram(u, ToServer, b"hello");
        wire.datagram(u, ToClient, b"HELLO");
        for run in [wire, refused(), upper(), no_udp_server(), wrong_port()] {
            let found = draft(&[run.reread().trace], &[]);
            for kept in &found.kept {
                assert_eq!(lint::lint(&kept.text), [], "{}", kept.text);
            }
        }
    }
}
