//! What a divergence usually means, and what to try: for a reader who does not
//! know yet why a kernel answers with a RST.

use std::net::IpAddr;

use regex::bytes::Regex;

use super::ast::{Content, EventPattern, Step, StepEnds, Who};
use super::event::{Event, EventKind};
use super::icmp;
use super::matching::{Context, Difference, Names};
use super::notation::{self, visible};
use crate::conversation::Close;
use crate::savefile::{Program, Protocol};
use crate::trace::{Owner, Trace};

/// Does a socket bound to the one address get what is sent to the other?
fn reaches(bound: IpAddr, sent_to: IpAddr) -> bool {
    match bound {
        // Linux gives the IPv6 wildcard IPv4 as well, unless told otherwise.
        IpAddr::V6(bound) if bound.is_unspecified() => true,
        IpAddr::V4(bound) if bound.is_unspecified() => sent_to.is_ipv4(),
        bound => bound == sent_to,
    }
}

/// What is at hand where a sequence parts from the wire.
pub struct Case<'c> {
    pub context: Context<'c>,
    /// The step that found no event; None where an event was left unnamed.
    pub step: Option<&'c Step>,
    /// The event in question, where there is one.
    pub event: Option<&'c Event>,
    /// The last event that a step took.
    pub last: Option<&'c Event>,
    /// How many events the step had already.
    pub count: u32,
    /// The block looks at a part of the capture only.
    pub scoped: bool,
}

/// The notes, most telling first.
pub fn advise(case: &Case<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let is_other = case.event.is_none() || !case.differences().is_empty();
    if case.count > 0 && case.wants_data() && is_other {
        return vec![A_RUN.to_owned()];
    }
    if let Some(ends) = case.reversed_ends() {
        return vec![match case.step.map(|s| &s.event) {
            Some(EventPattern::Fin) if case.closes_first() => format!(
                "The other side closed first. Where that does not matter, write `{} <> {}  FIN x2` in place of two steps.",
                notation::end(&ends.from.value),
                notation::end(&ends.to.value)
            ),
            _ => "Only the direction differs. Who sends stands left of `>`: are the two ends of the step swapped?".to_owned(),
        }];
    }
    if let Some(event) = case.event {
        match &event.kind {
            EventKind::Rst => notes.extend(case.of_reset(event)),
            EventKind::Icmp { ipv6, kind, code } => {
                notes.extend(case.of_icmp(event, *ipv6, *kind, *code));
            }
            EventKind::Packet if case.is_reset(event) => notes.extend(case.of_reset(event)),
            EventKind::SynAck => notes.extend(case.of_acceptance(event)),
            EventKind::Fin => notes.extend(case.of_fin(event)),
            EventKind::Data { .. } => {
                notes.extend(case.of_content(event));
                notes.extend(case.of_http(event));
            }
            EventKind::Udp => {
                notes.extend(case.of_receiver(event, Protocol::Udp));
                notes.extend(case.of_content(event));
            }
            EventKind::Syn if case.step.is_none() => {
                notes.push("A SYN opens a connection: a further one was opened.".to_owned());
            }
            EventKind::Syn => notes.extend(case.of_receiver(event, Protocol::Tcp)),
            _ => {}
        }
        if event.after_stop && case.step.is_some_and(|s| !s.after_stop) {
            let closes = matches!(event.kind, EventKind::Fin | EventKind::Rst);
            notes.push(if closes {
                "It came only after the program had been told to stop: then the kernel closes what the program left open. The program itself did not do it; does it ever call close()?".to_owned()
            } else {
                "It came only after one of the two programs had been told to stop, and that does not count.".to_owned()
            });
        }
    } else if !case.scoped {
        notes.extend(case.of_silence());
    }
    notes
}

impl Case<'_> {
    fn trace(&self) -> &Trace {
        self.context.trace
    }

    /// The step's ends, where the event would fit, were it sent the other way.
    fn reversed_ends(&self) -> Option<&StepEnds> {
        let ends = self.step?.ends.as_ref()?;
        (self.differences() == [Difference::Reversed]).then_some(ends)
    }

    /// No FIN came before the event in its connection.
    fn closes_first(&self) -> bool {
        let Some(event) = self.event else {
            return false;
        };
        let mut before = self
            .context
            .events
            .iter()
            .take_while(|e| e.packet() < event.packet());
        !before.any(|e| e.kind == EventKind::Fin && e.conversation == event.conversation)
    }

    fn any_retransmission(&self) -> bool {
        let mut events = self.context.events.iter();
        events.any(|e| e.kind == EventKind::Retransmission)
    }

    fn differences(&self) -> Vec<Difference> {
        let both = self.step.zip(self.event);
        both.map_or_else(Vec::new, |(step, event)| {
            self.context.differences(step, event, &Names::default())
        })
    }

    /// It went between the ends of the step.
    fn is_between_the_ends(&self) -> bool {
        let elsewhere = [Difference::Reversed, Difference::From, Difference::To];
        !self.differences().iter().any(|d| elsewhere.contains(d))
    }

    fn wants_data(&self) -> bool {
        matches!(self.step.map(|s| &s.event), Some(EventPattern::Data(_)))
    }

    fn name(&self, owner: Owner) -> String {
        visible(self.trace().owner_name(owner))
    }

    fn is_reset(&self, event: &Event) -> bool {
        let packet = self.trace().packets.get(event.packet());
        packet
            .and_then(|p| p.tcp())
            .is_some_and(|tcp| tcp.flags.rst())
    }

    fn of_reset(&self, event: &Event) -> Vec<String> {
        let refused = event
            .conversation
            .and_then(|c| self.trace().conversations.get(c))
            .and_then(|c| c.tcp.as_ref())
            .is_some_and(|tcp| tcp.close == Close::Refused);
        if refused || (event.from.owner == Owner::Nobody && event.from.serves) {
            let port = event.from.port.unwrap_or_default();
            let fact = format!(
                "Nothing listens on TCP port {port}, so the kernel refuses the connection with RST,ACK."
            );
            let why = self.listening_elsewhere(event.to.owner, Protocol::Tcp, port);
            return with_reason(fact, why, "Is the server running, and on that port?");
        }
        let who = self.name(event.from.owner);
        vec![format!(
            "With a RST {who}'s kernel cuts a connection at once: {who} closed its socket while received data was still unread, or data came for a socket that was gone. An orderly end is a FIN from each side."
        )]
    }

    /// It went to another program, or to another port, than it should.
    fn of_receiver(&self, event: &Event, protocol: Protocol) -> Vec<String> {
        let Some(ends) = self.step.and_then(|s| s.ends.as_ref()) else {
            return Vec::new();
        };
        let port = event.to.port.unwrap_or_default();
        let mut notes = Vec::new();
        match (&ends.to.value.who, event.to.owner) {
            (Who::Role(role), Owner::Nobody) => {
                let fact = format!("No program had a socket on port {port} when this arrived.");
                let why = self.listening_elsewhere(event.from.owner, protocol, port);
                let question = format!("Was {} running by then, and on that port?", visible(role));
                notes.extend(with_reason(fact, why, &question));
            }
            (Who::Nobody, Owner::Role(_)) => notes.push(format!(
                "{} has a socket on port {port}, where nobody should have one.",
                self.name(event.to.owner)
            )),
            _ => {}
        }
        notes
    }

    fn of_icmp(&self, event: &Event, ipv6: bool, kind: u8, code: u8) -> Vec<String> {
        if icmp::name_of(ipv6, kind, code) != "port-unreachable" {
            return Vec::new();
        }
        let port = event.from.port.unwrap_or_default();
        let fact = format!(
            "No socket receives on UDP port {port}, so the kernel answers the datagram with an ICMP error and throws it away."
        );
        let why = self.listening_elsewhere(event.to.owner, Protocol::Udp, port);
        with_reason(fact, why, "Is the server running, and on that port?")
    }

    /// A program listens, but on another port than was tried, or too late.
    fn listening_elsewhere(
        &self,
        who_tried: Owner,
        protocol: Protocol,
        tried: u16,
    ) -> Option<String> {
        let programs = &self.trace().recording.as_ref()?.programs;
        let conversation = self.event.and_then(|event| event.conversation);
        let conversation = conversation.and_then(|c| self.trace().conversations.get(c));
        let to = conversation
            .map(|c| c.server)
            .filter(|to| to.port() == tried);
        programs.iter().find_map(|program| {
            if program.role == self.trace().owner_name(who_tried) {
                return None;
            }
            let role = visible(&program.role);
            let who = self.name(who_tried);
            let mut sockets = program.sockets.iter().filter(|socket| {
                let listens = match protocol {
                    Protocol::Tcp => socket.listening,
                    Protocol::Udp => socket.remote.is_none(),
                };
                socket.protocol == protocol && listens
            });
            let socket = sockets.next()?;
            let port = socket.local.port();
            let too_late = self.event.is_some_and(|e| socket.opened > e.time.0);
            if port == tried.swap_bytes() && port != tried {
                Some(format!(
                    "{role} listens on port {port}, but {who} tried port {tried}: that is the same number with its two bytes swapped. In C one of the two lacks htons()."
                ))
            } else if port != tried {
                let fact = format!(
                    "{role} listens on port {port}, but {who} tried port {tried}: both must use the same one."
                );
                let ours = with_port(programs, &who, tried, port)
                    .or_else(|| with_port(programs, &program.role, port, tried));
                Some(match ours {
                    Some(option) => format!("{fact} To go with the lab's own program on that port: {option}."),
                    None => fact,
                })
            } else if let Some(to) = to.filter(|to| !too_late && !reaches(socket.local.ip(), to.ip())) {
                Some(format!(
                    "{role} listens on {}, but {who} went to {to}: a server that binds \"\" or 0.0.0.0 (in IPv6 ::) is reached on every address.",
                    socket.local
                ))
            } else {
                too_late.then(|| {
                    format!(
                        "{role} opened port {port} only later. To start {who} then, write after = \"{role} ready\" for it."
                    )
                })
            }
        })
    }

    /// Somebody accepted a connection that should have been refused.
    fn of_acceptance(&self, event: &Event) -> Vec<String> {
        match self.step.map(|s| &s.event) {
            Some(EventPattern::Rst) => vec![format!(
                "{} listens on port {}, so the kernel accepts the connection with SYN,ACK. Only a port on which nothing listens is refused with a RST.",
                self.name(event.from.owner),
                event.from.port.unwrap_or_default()
            )],
            _ => Vec::new(),
        }
    }

    fn of_fin(&self, event: &Event) -> Vec<String> {
        let who = self.name(event.from.owner);
        match self.step.map(|s| &s.event) {
            Some(
                EventPattern::Data(_)
                | EventPattern::Request { .. }
                | EventPattern::Response { .. },
            ) => vec![format!(
                "{who} closed its side of the connection (FIN) where data was expected. Did it end too early, or forget to send?"
            )],
            _ => Vec::new(),
        }
    }

    fn of_content(&self, event: &Event) -> Vec<String> {
        if !self.is_between_the_ends() {
            return Vec::new();
        }
        let got = event.content(self.trace());
        let wanted = match self.step.map(|s| &s.event) {
            Some(EventPattern::Data(Some(content)) | EventPattern::Udp(Some(content))) => {
                match content {
                    Content::Exactly(bytes) => bytes,
                    Content::Matches(regex) => return of_no_match(regex, &got),
                }
            }
            _ => return Vec::new(),
        };
        if let Some(note) = of_text(&got, wanted) {
            return vec![note];
        }
        if got.len() > wanted.len() && got.starts_with(wanted) && self.wants_data() {
            return vec![A_RUN.to_owned()];
        }
        Vec::new()
    }

    /// Data where an HTTP head was expected.
    fn of_http(&self, event: &Event) -> Option<String> {
        let what = match self.step?.event {
            EventPattern::Request { .. } => {
                "request begins with a line as `GET /index.html HTTP/1.1`"
            }
            EventPattern::Response { .. } => "response begins with a line as `HTTP/1.1 200 OK`",
            _ => return None,
        };
        let got = event.content(self.trace());
        let has = |what: &[u8]| got.windows(what.len()).any(|w| w == what);
        if !has(b"HTTP/") {
            return Some(format!(
                "This is no HTTP: a {what}, then come header lines, and an empty line before the page."
            ));
        }
        let mut note = "It looks like HTTP, but its head has no end: behind the last header line there must be an empty line.".to_owned();
        if !has(b"\r\n") {
            note.push_str(" Lines of a head end in \\r\\n, here they end in \\n.");
        }
        Some(note)
    }

    fn is_run_of(&self, event: &Event, who: &str) -> bool {
        matches!(event.kind, EventKind::Data { .. })
            && self.trace().owner_name(event.from.owner) == who
    }

    /// There is no (further) FIN.
    fn of_no_fin(&self, who: Option<&str>) -> Vec<String> {
        let closed = self.context.events.iter().any(|e| {
            e.kind == EventKind::Fin
                && who.is_none_or(|who| self.trace().owner_name(e.from.owner) == who)
        });
        match who {
            _ if closed => Vec::new(),
            Some(who) => vec![format!(
                "{} never closed the connection: does it call close()?",
                visible(who)
            )],
            None => {
                vec!["The connection was never closed: does the program call close()?".to_owned()]
            }
        }
    }

    /// Nothing came.
    fn of_silence(&self) -> Vec<String> {
        let Some(step) = self.step else {
            return Vec::new();
        };
        let who = step.ends.as_ref().and_then(|e| match &e.from.value.who {
            Who::Role(role) => Some(role.as_str()),
            Who::Nobody | Who::Any => None,
        });
        match (&step.event, self.last.map(|l| &l.kind)) {
            (EventPattern::SynAck | EventPattern::Rst, Some(EventKind::Syn)) => vec![
                "Nothing answered the SYN at all, not even with a refusal: it was lost or thrown away on its way.".to_owned(),
            ],
            (EventPattern::Fin, _) => self.of_no_fin(who),
            (
                EventPattern::Data(_)
                | EventPattern::Udp(_)
                | EventPattern::Request { .. }
                | EventPattern::Response { .. },
                _,
            ) => vec![match who {
                Some(who)
                    if self.wants_data() && self.last.is_some_and(|l| self.is_run_of(l, who)) =>
                {
                    A_RUN.to_owned()
                }
                Some(who) => format!(
                    "{} sent nothing there. Did it wait for something, or end too early? Its output may tell.",
                    visible(who)
                ),
                None => "Nothing was sent there.".to_owned(),
            }],
            (EventPattern::Icmp(_), Some(EventKind::Udp)) => vec![
                "The kernel sends port-unreachable only where no socket receives on that port: does a server listen there?".to_owned(),
            ],
            (EventPattern::Retransmission(_), _) if !self.any_retransmission() => {
                vec!["Nothing had to be sent again: nothing was lost.".to_owned()]
            }
            (EventPattern::Syn, None) => vec![match who {
                Some(who) => format!("{} never tried to connect.", visible(who)),
                None => "Nobody tried to connect.".to_owned(),
            }],
            _ => Vec::new(),
        }
    }
}

/// The option that starts a program with another port in its command, where it is
/// one of the lab's own.
fn with_port(programs: &[Program], role: &str, port: u16, wanted: u16) -> Option<String> {
    let program = programs.iter().find(|p| p.role == role)?;
    let (first, words) = program.argv.split_first()?;
    let port = port.to_string();
    if first != "netlab-capture" || !words.contains(&port) {
        return None;
    }
    let wanted = wanted.to_string();
    let mut command = first.clone();
    for word in words {
        command.push(' ');
        command.push_str(if *word == port { &wanted } else { word });
    }
    Some(match role {
        "client" | "server" => format!("--{role} '{command}'"),
        _ => format!("--program {role}='{command}'"),
    })
}

/// A fact and its reason; where that is not known, the question after it.
fn with_reason(fact: String, reason: Option<String>, question: &str) -> Vec<String> {
    match reason {
        Some(reason) => vec![fact, reason],
        None => vec![format!("{fact} {question}")],
    }
}

const SENT_NUL: &str = "It is what was expected, and behind it a NUL byte: in C send strlen(line) bytes, not sizeof line or strlen(line) + 1; in Java take packet.getLength() bytes of what was received, not the whole array.";
const ANSWERS_NUL: &str = "What is expected is the same, and behind it a NUL byte. Where a program sent that: in C send strlen(line) bytes, not sizeof line or strlen(line) + 1.";
const SENT_TWICE: &str = "It is what was expected, but twice: does the program send it twice?";

const A_RUN: &str = "`data` is all that one side sends until the other answers, in however many packets: what is sent in several writes is one event. To find a part of it, write `data ~ /…/`.";
pub const ONLY_CASE: &str = "Only upper and lower case differ from what is expected.";

/// Why two texts may differ.
pub fn of_text(got: &[u8], wanted: &[u8]) -> Option<String> {
    if got == wanted {
        return None;
    }
    let note = if got.eq_ignore_ascii_case(wanted) {
        ONLY_CASE
    } else if is_twice(got, |half| half == wanted) {
        SENT_TWICE
    } else if got.split(|byte| *byte == 0).next() == Some(wanted) {
        SENT_NUL
    } else if wanted.split(|byte| *byte == 0).next() == Some(got) {
        ANSWERS_NUL
    } else if got.trim_ascii_end() == wanted.trim_ascii_end() {
        "Only the end of the line differs: is the newline sent, or stripped, as it should be?"
    } else if !got.is_empty() && wanted.starts_with(got) {
        "The beginning is right, the rest is missing. One recv() may return less than was sent: does the program read, and send, until it has everything?"
    } else {
        return None;
    };
    Some(note.to_owned())
}

/// Do the bytes consist of two equal halves, each of which fits?
fn is_twice(bytes: &[u8], fits: impl Fn(&[u8]) -> bool) -> bool {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    first == second && fits(first)
}

/// Why a regular expression may not match.
fn of_no_match(regex: &Regex, got: &[u8]) -> Vec<String> {
    // It is the order or the time that is wrong.
    if regex.is_match(got) {
        return Vec::new();
    }
    if is_twice(got, |half| regex.is_match(half)) {
        return vec![SENT_TWICE.to_owned()];
    }
    // Up to the NUL that ends a string in C.
    let string = got.split(|byte| *byte == 0).next().unwrap_or(got);
    if string.len() < got.len() && regex.is_match(string) {
        return vec![SENT_NUL.to_owned()];
    }
    let either_case = Regex::new(&format!("(?i:{})", regex.as_str()));
    if either_case.is_ok_and(|regex| regex.is_match(got)) {
        return vec![ONLY_CASE.to_owned()];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_byte_is_told_on_whichever_side_it_is() {
        let (line, buffer) = (&b"HI\n"[..], &b"HI\n\0\0\0"[..]);
        assert_eq!(of_text(buffer, line).as_deref(), Some(SENT_NUL));
        assert_eq!(of_text(line, buffer).as_deref(), Some(ANSWERS_NUL));
        assert_eq!(of_text(line, line), None);
    }
}
