//! Does an event fit a step, and if not, why not.

use std::ops::Range;

use super::condition::{Named, Names, holds};
use crate::conversation::{ConversationIndex, Direction, Marks};
use crate::expect::ast::{Content, EndPattern, EventPattern, Step, StepEnds, Who, Within};
use crate::expect::event::{End, Event, EventIndex, EventKind, Sort};
use crate::expect::events::Events;
use crate::expect::facts::Facts;
use crate::savefile::Timestamp;
use crate::trace::{Owner, Part, Trace};

/// A way of a conversation.
type Flow = (ConversationIndex, Direction);

/// What steps are held against.
#[derive(Clone, Copy)]
pub struct Context<'t> {
    pub trace: &'t Trace,
    pub events: &'t Events<'t>,
}

/// Why an event does not fit a step. In the order in which a reader cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Another kind of event: other flags, another ICMP type.
    Kind,
    /// It goes the other way round.
    Reversed,
    From,
    To,
    FromPort,
    ToPort,
    Content,
    /// It resends something else than what was asked for.
    Resent,
    Method,
    Target,
    Code,
    /// It was sent after the stop signal, or should have been.
    AfterStop,
    Where,
    Within,
}

/// The moments that a step's `within` is measured from.
#[derive(Clone, Copy)]
pub struct Timing<'a> {
    pub previous: Option<EventIndex>,
    pub names: &'a Names,
    /// Only in this order, not also before.
    pub ordered: bool,
}

impl Context<'_> {
    /// Can the event fit the step, by its sort alone?
    pub fn may_fit(&self, step: &Step, event: EventIndex) -> bool {
        let wanted = Sort::asked_for(&step.event);
        let sort = self.events.sort(event);
        sort.is_some_and(|sort| sort.may_be(wanted))
    }

    /// The events that together are this one under other names.
    pub fn covered_by(&self, event: EventIndex) -> &[EventIndex] {
        self.events.covered_by(event)
    }

    /// Does the event fit the step in everything but `within`?
    pub fn fits(&self, step: &Step, event: &Event, names: &Names) -> bool {
        self.is_kind(&step.event, event)
            && ends_difference(self.trace, step.ends.as_ref(), event).is_none()
            && event.after_stop == step.after_stop
            && self.content_difference(&step.event, event, names).is_none()
            && self.where_holds(step, event, names)
    }

    /// Is the event near enough to what its `within` names, and far enough?
    pub fn in_time(&self, within: Option<&Within>, event: &Event, timing: Timing<'_>) -> bool {
        let Some(within) = within else {
            return true;
        };
        let allowed = within.least..=within.limit;
        match self.elapsed(within, event, timing) {
            Some(elapsed) if timing.ordered => allowed.contains(&elapsed),
            Some(elapsed) => allowed.contains(&elapsed.saturating_abs()),
            // What it is measured from was optional and did not happen, or the capture
            // does not have the times.
            None => true,
        }
    }

    /// Nanoseconds from what `within` names to the event.
    pub fn elapsed(&self, within: &Within, event: &Event, timing: Timing<'_>) -> Option<i64> {
        event.time.elapsed(self.measured_from(within, timing)?)
    }

    /// The moment of what `within` names.
    pub fn measured_from(&self, within: &Within, timing: Timing<'_>) -> Option<Timestamp> {
        match &within.of {
            Some(name) => Some(timing.names.get(name)?.time),
            None => Some(self.events.get(timing.previous?)?.time),
        }
    }

    /// Everything in which the event differs from the step, `within` left out.
    pub fn differences(&self, step: &Step, event: &Event, names: &Names) -> Vec<Difference> {
        let mut found = Vec::new();
        if self.is_kind(&step.event, event) {
            found.extend(self.content_difference(&step.event, event, names));
        } else {
            found.push(Difference::Kind);
        }
        found.extend(ends_difference(self.trace, step.ends.as_ref(), event));
        if event.after_stop != step.after_stop {
            found.push(Difference::AfterStop);
        }
        if !self.where_holds(step, event, names) {
            found.push(Difference::Where);
        }
        found.sort();
        found
    }

    fn where_holds(&self, step: &Step, event: &Event, names: &Names) -> bool {
        step.where_.as_ref().is_none_or(|filter| {
            event
                .packets
                .iter()
                .any(|&packet| holds(self.trace, packet, &filter.value, names))
        })
    }

    fn is_kind(&self, pattern: &EventPattern, event: &Event) -> bool {
        match (pattern, &event.kind) {
            (_, EventKind::Packet) => packet_is(self.trace, event.packet(), pattern),
            (EventPattern::Syn, EventKind::Syn)
            | (EventPattern::SynAck, EventKind::SynAck)
            | (EventPattern::Ack, EventKind::HandshakeAck)
            | (EventPattern::Fin, EventKind::Fin)
            | (EventPattern::Rst, EventKind::Rst)
            | (EventPattern::Data(_), EventKind::Data { .. })
            | (EventPattern::Udp(_), EventKind::Udp)
            | (EventPattern::Request { .. }, EventKind::Request(_))
            | (EventPattern::Response { .. }, EventKind::Response { .. })
            | (EventPattern::Retransmission(_), EventKind::Retransmission)
            | (EventPattern::KeepAlive, EventKind::KeepAlive)
            | (EventPattern::WindowUpdate, EventKind::WindowUpdate) => true,
            (EventPattern::Icmp(wanted), EventKind::Icmp { ipv6, kind, code }) => wanted
                .as_ref()
                .is_none_or(|pattern| pattern.fits(*ipv6, *kind, *code)),
            _ => false,
        }
    }

    fn content_difference(
        &self,
        pattern: &EventPattern,
        event: &Event,
        names: &Names,
    ) -> Option<Difference> {
        match pattern {
            EventPattern::Retransmission(Some(name)) => {
                let named = names.get(name);
                (!named.is_some_and(|named| self.resends(event.packet(), named)))
                    .then_some(Difference::Resent)
            }
            EventPattern::Data(Some(content)) | EventPattern::Udp(Some(content)) => {
                (!is_content(content, &event.content(self.trace))).then_some(Difference::Content)
            }
            EventPattern::Request { method, target } => {
                self.request_difference(event, method, target.as_ref())
            }
            EventPattern::Response { code: Some(code) } => {
                (!self.codes(event).any(|c| c == *code)).then_some(Difference::Code)
            }
            _ => None,
        }
    }

    fn request_difference(
        &self,
        event: &Event,
        method: &str,
        target: Option<&Content>,
    ) -> Option<Difference> {
        let is_method = |m: &str| method == "HTTP" || m == method;
        let mut difference = Some(Difference::Method);
        for request in self.requests(event) {
            if !is_method(&request.method) {
                continue;
            }
            difference = Some(Difference::Target);
            if target.is_none_or(|t| is_content(t, request.target.as_bytes())) {
                return None;
            }
        }
        difference
    }

    /// Does a segment bring sequence numbers that a named step's packets sent?
    /// A SYN and a FIN take one each (RFC 9293, section 3.4).
    fn resends(&self, packet: usize, named: &Named) -> bool {
        let Some((flow, again)) = self.numbers(packet) else {
            return false;
        };
        (named.first..=named.completed)
            .filter(|&sent| sent < packet)
            .filter_map(|sent| self.numbers(sent))
            .any(|(other, sent)| {
                // Relative to the beginning of the sent one: numbers wrap.
                let start = again.start.wrapping_sub(sent.start);
                let len = sent.end.wrapping_sub(sent.start);
                let again_len = again.end.wrapping_sub(again.start);
                let begins_inside = start < len;
                let runs_into = again_len != 0 && start.wrapping_neg() < again_len;
                other == flow && len != 0 && (begins_inside || runs_into)
            })
    }

    /// A segment's way and its sequence numbers, from the first to behind the last.
    fn numbers(&self, packet: usize) -> Option<(Flow, Range<u32>)> {
        let tcp = self.trace.packets.get(packet)?.tcp()?;
        let seen = self.trace.seen.get(packet)?;
        let flags = u32::from(tcp.flags.syn()) + u32::from(tcp.flags.fin());
        let end = tcp.seq.wrapping_add(tcp.len).wrapping_add(flags);
        Some(((seen.conversation?, seen.direction?), tcp.seq..end))
    }

    /// The request whose head the event is; of a packet, all that it completes.
    pub fn requests(&self, event: &Event) -> impl Iterator<Item = &crate::message::Request> {
        let packet = (event.kind == EventKind::Packet).then(|| event.packet());
        let heads = packet.map(|packet| self.trace.http_heads(packet));
        let of_packet = heads
            .into_iter()
            .flatten()
            .filter_map(|(_, part)| match part {
                Part::Request(request) => Some(request),
                Part::Response(_) => None,
            });
        let own = event.message(self.trace);
        own.and_then(|m| m.request.as_ref())
            .into_iter()
            .chain(of_packet)
    }

    /// The status code of the response whose head the event is; of a packet,
    /// all that it completes.
    pub fn codes(&self, event: &Event) -> impl Iterator<Item = u16> {
        let own = match event.kind {
            EventKind::Response { interim, .. } => {
                event.message(self.trace).and_then(|m| match interim {
                    Some(interim) => m.interim.get(interim),
                    None => m.response.as_ref(),
                })
            }
            _ => None,
        };
        let packet = (event.kind == EventKind::Packet).then(|| event.packet());
        let heads = packet.map(|packet| self.trace.http_heads(packet));
        let of_packet = heads
            .into_iter()
            .flatten()
            .filter_map(|(_, part)| match part {
                Part::Request(_) => None,
                Part::Response(response) => Some(response),
            });
        own.into_iter()
            .chain(of_packet)
            .map(|response| response.code)
    }
}

/// Does one packet bear what the pattern names, by its own headers? Content is
/// not looked at.
pub fn packet_is(trace: &Trace, index: usize, pattern: &EventPattern) -> bool {
    let Some(packet) = trace.packets.get(index) else {
        return false;
    };
    let seen = trace.seen.get(index).and_then(|s| s.tcp.as_ref());
    let marked = |marks: Marks| seen.is_some_and(|t| t.marks.has_any(marks));
    match pattern {
        EventPattern::Udp(_) => packet.udp().is_some(),
        EventPattern::Icmp(wanted) => {
            let ipv6 = matches!(packet.transport, crate::decode::Transport::Icmpv6(_));
            packet.icmp().is_some_and(|icmp| {
                wanted
                    .as_ref()
                    .is_none_or(|pattern| pattern.fits(ipv6, icmp.kind, icmp.code))
            })
        }
        EventPattern::Request { .. } => trace
            .http_heads(index)
            .any(|(_, part)| matches!(part, Part::Request(_))),
        EventPattern::Response { .. } => trace
            .http_heads(index)
            .any(|(_, part)| matches!(part, Part::Response(_))),
        EventPattern::Retransmission(_) => marked(Marks::RETRANSMISSION),
        EventPattern::KeepAlive => marked(Marks::KEEP_ALIVE | Marks::KEEP_ALIVE_ACK),
        EventPattern::WindowUpdate => marked(Marks::WINDOW_UPDATE),
        _ => packet.tcp().is_some_and(|tcp| {
            let flags = tcp.flags;
            match pattern {
                EventPattern::Syn => flags.syn() && !flags.ack() && !flags.rst(),
                EventPattern::SynAck => flags.syn() && flags.ack() && !flags.rst(),
                EventPattern::Ack => {
                    flags.ack() && !flags.syn() && !flags.fin() && !flags.rst() && tcp.len == 0
                }
                EventPattern::Fin => flags.fin(),
                EventPattern::Rst => flags.rst(),
                EventPattern::Data(_) => tcp.len > 0,
                _ => false,
            }
        }),
    }
}

/// Is this the content asked for?
pub fn is_content(content: &Content, bytes: &[u8]) -> bool {
    match content {
        Content::Exactly(expected) => expected == bytes,
        Content::Matches(regex) => regex.is_match(bytes),
    }
}

pub fn ends_difference(
    trace: &Trace,
    ends: Option<&StepEnds>,
    event: &Event,
) -> Option<Difference> {
    let ends = ends?;
    let (from, to) = (&ends.from.value, &ends.to.value);
    let straight = way_difference(trace, from, to, &event.from, &event.to)?;
    match way_difference(trace, from, to, &event.to, &event.from) {
        None if ends.either_way => None,
        None => Some(Difference::Reversed),
        Some(_) => Some(straight),
    }
}

fn way_difference(
    trace: &Trace,
    from: &EndPattern,
    to: &EndPattern,
    is_from: &End,
    is_to: &End,
) -> Option<Difference> {
    if !is_who(trace, &from.who, is_from.owner) {
        Some(Difference::From)
    } else if !is_who(trace, &to.who, is_to.owner) {
        Some(Difference::To)
    } else if !is_port(from, is_from) {
        Some(Difference::FromPort)
    } else if !is_port(to, is_to) {
        Some(Difference::ToPort)
    } else {
        None
    }
}

fn is_port(pattern: &EndPattern, end: &End) -> bool {
    pattern.port.is_none_or(|port| end.port == Some(port))
}

/// Does a way of a conversation have these ends?
pub fn goes(facts: &Facts<'_>, conversation: usize, way: Direction, ends: &StepEnds) -> bool {
    let Some(c) = facts.conversations.get(conversation) else {
        return false;
    };
    let (from, to) = facts.ends(conversation, way);
    let (from_port, to_port) = match way {
        Direction::ToServer => (c.client.port(), c.server.port()),
        Direction::ToClient => (c.server.port(), c.client.port()),
    };
    let is = |pattern: &EndPattern, owner, port| {
        is_who(facts.trace, &pattern.who, owner) && pattern.port.is_none_or(|wanted| wanted == port)
    };
    let (a, b) = (&ends.from.value, &ends.to.value);
    (is(a, from, from_port) && is(b, to, to_port))
        || (ends.either_way && is(a, to, to_port) && is(b, from, from_port))
}

/// Is the owner of an end who the pattern names?
fn is_who(trace: &Trace, who: &Who, owner: Owner) -> bool {
    match who {
        Who::Any => true,
        Who::Nobody => owner == Owner::Nobody,
        Who::Role(role) => {
            matches!(owner, Owner::Role(_)) && trace.owner_name(owner) == role.as_str()
        }
    }
}
