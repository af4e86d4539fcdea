//! Could what is missing be what a statement asks for?

use smallvec::{SmallVec, smallvec};

use super::ast::{EventPattern, Filter, FilterOp, Literal, Operand, Selection, Step, StepOrFilter};
use super::facts::Facts;
use super::losses::{Loss, Lost};
use super::matching;
use crate::conversation::Direction;
use crate::trace::Owner;

/// ICMP and ICMPv6.
const ICMP: [u8; 2] = [1, 58];
const TCP: u8 = 6;
const UDP: u8 = 17;
/// Inside of IPv4, IPv6 and GRE there may be all others.
const TUNNELS: [u8; 3] = [4, 41, 47];

/// Could it be one of a claim's packets, or move its window?
pub fn selected(facts: &Facts<'_>, which: &Selection, loss: &Loss) -> bool {
    let is_step = |it: &Step| {
        let is_it = event(&it.event, loss.what) && has_ends(facts, it, loss);
        is_it || is_moved_in(it, loss.what)
    };
    let of_what = match &which.what {
        StepOrFilter::Step(it) => is_step(&it.value),
        StepOrFilter::Filter(filter) => shown(facts, &filter.value, loss),
    };
    let window = which.window.as_ref();
    of_what || window.is_some_and(|w| w.value.steps().any(is_step))
}

/// Went it from and to whom the step names?
fn has_ends(facts: &Facts<'_>, step: &Step, loss: &Loss) -> bool {
    let (Some(ends), Some((conversation, way))) = (&step.ends, loss.of) else {
        return true;
    };
    let (from, to) = facts.ends(conversation, way);
    let is_unknown = [from, to].contains(&Owner::Unknown);
    is_unknown || matching::goes(facts, conversation, way, ends)
}

/// Could it be such an event, or bring one, by its own headers?
pub fn event(event: &EventPattern, lost: Lost) -> bool {
    match (event, lost) {
        (EventPattern::Syn, Lost::Syn) | (EventPattern::SynAck, Lost::SynAck) => true,
        (_, Lost::Syn | Lost::SynAck) => false,
        (EventPattern::Fin, Lost::Segments { may_be_end }) => may_be_end,
        (
            EventPattern::Data(_)
            | EventPattern::Request { .. }
            | EventPattern::Response { .. }
            | EventPattern::Retransmission(_)
            | EventPattern::KeepAlive,
            Lost::Segments { .. },
        ) => true,
        (_, Lost::Segments { .. }) => false,
        (_, Lost::Datagram { protocol }) if TUNNELS.contains(&protocol) => true,
        (EventPattern::Udp(_), Lost::Datagram { protocol }) => protocol == UDP,
        (EventPattern::Icmp(_), Lost::Datagram { protocol }) => ICMP.contains(&protocol),
        (_, Lost::Datagram { protocol }) => protocol == TCP,
    }
}

/// Could it be what a step of a block names? There the handshake's ACK is only where
/// the handshake is.
pub fn step(facts: &Facts<'_>, step: &Step, loss: &Loss) -> bool {
    let of_handshake = matches!(loss.what, Lost::Syn | Lost::SynAck);
    (event(&step.event, loss.what) && has_ends(facts, step, loss))
        || is_moved_in(step, loss.what)
        || (of_handshake && step.event == EventPattern::Ack)
}

/// Could what a step's condition asks of other packets be another for the want of it?
pub fn is_moved_in(step: &Step, lost: Lost) -> bool {
    let condition = step.where_.as_ref();
    condition.is_some_and(|condition| is_moved(&condition.value, lost))
}

/// Does the filter ask for numbers and times that are counted from other packets,
/// whatever they are?
pub fn counts(filter: &Filter) -> bool {
    let mut counts = false;
    filter.operands(&mut |operand| {
        operand.fields(&mut |field| {
            let name = field.field.name;
            counts |= name == "frame.number" || name.contains("time");
        });
    });
    counts
}

/// Could what the filter asks of other packets be another for the want of it: numbers
/// that are counted, what the analysis says of a connection, what a SYN agrees on?
pub fn is_moved(filter: &Filter, lost: Lost) -> bool {
    let is_of_tcp = match lost {
        Lost::Segments { .. } | Lost::Syn | Lost::SynAck => true,
        Lost::Datagram { protocol } => protocol == TCP || TUNNELS.contains(&protocol),
    };
    let of_handshake = matches!(lost, Lost::Syn | Lost::SynAck);
    let mut moved = counts(filter);
    filter.operands(&mut |operand| {
        operand.fields(&mut |field| {
            let name = field.field.name;
            let analysis = ["tcp.analysis", "tcp.completeness"];
            moved |= is_of_tcp && analysis.iter().any(|part| name.starts_with(part));
            moved |= of_handshake && AGREED.contains(&name);
        });
    });
    moved
}

/// What a SYN says of later segments: where their numbers begin, and what their
/// windows count.
const AGREED: [&str; 5] = [
    "tcp.seq",
    "tcp.nxtseq",
    "tcp.ack",
    "tcp.window_size",
    "tcp.window_size_scalefactor",
];

/// Could the filter show it, or another packet for the want of it?
pub fn shown(facts: &Facts<'_>, filter: &Filter, loss: &Loss) -> bool {
    is_moved(filter, loss.what) || itself(facts, filter, loss)
}

/// Could the filter show it? Not where it demands another protocol, another flag or
/// another connection. A SYN that is missing is taken to bring no data.
fn itself(facts: &Facts<'_>, filter: &Filter, loss: &Loss) -> bool {
    let lost = loss.what;
    let is_other = |operand: &Operand| match operand {
        Operand::Field(field) => {
            let protocol = field.field.name.split('.').next();
            protocol.is_some_and(|protocol| lacks(lost).contains(&protocol))
        }
        _ => false,
    };
    match filter {
        Filter::And(a, b) => itself(facts, a, loss) && itself(facts, b, loss),
        Filter::Or(a, b) => itself(facts, a, loss) || itself(facts, b, loss),
        Filter::Exists(operand) => !is_other(operand),
        Filter::Compare {
            left: Operand::Field(field),
            op: FilterOp::Eq,
            right: Operand::Literal(Literal::Number(wanted)),
            ..
        } if let Some(is) = known(facts, field.field.name, loss) => is.contains(wanted),
        // A comparison with a field that is not there is false.
        Filter::Compare { left, .. }
        | Filter::In {
            left,
            negated: false,
            ..
        } => !is_other(left),
        _ => true,
    }
}

/// Protocols of which it has no header. An ICMP error has those that it quotes.
fn lacks(lost: Lost) -> &'static [&'static str] {
    match lost {
        Lost::Segments { .. } | Lost::Datagram { protocol: TCP } => {
            &["udp", "icmp", "icmpv6", "arp", "igmp", "sctp"]
        }
        Lost::Syn | Lost::SynAck => &[
            "udp", "icmp", "icmpv6", "arp", "igmp", "sctp", "http", "tls", "dns", "data",
        ],
        Lost::Datagram { protocol: UDP } => &[
            "tcp", "http", "tls", "icmp", "icmpv6", "arp", "igmp", "sctp",
        ],
        Lost::Datagram { protocol } if ICMP.contains(&protocol) => &["arp", "igmp", "sctp"],
        Lost::Datagram { .. } => &["arp"],
    }
}

/// The values of the field of this name, where they are known.
fn known(facts: &Facts<'_>, name: &str, loss: &Loss) -> Option<SmallVec<[i128; 2]>> {
    if let Some(set) = flag(name, loss.what) {
        return Some(smallvec![i128::from(set)]);
    }
    let (index, way) = loss.of?;
    let conversation = facts.conversations.get(index)?;
    let ports = [conversation.client.port(), conversation.server.port()].map(i128::from);
    let [from, to] = match way {
        Direction::ToServer => ports,
        Direction::ToClient => [ports[1], ports[0]],
    };
    Some(match name {
        "tcp.stream" => smallvec![i128::from(conversation.id)],
        "tcp.port" => smallvec![from, to],
        "tcp.srcport" => smallvec![from],
        "tcp.dstport" => smallvec![to],
        _ => return None,
    })
}

/// Is the flag of this name set, where that is known?
fn flag(name: &str, lost: Lost) -> Option<bool> {
    match (name, lost) {
        ("tcp.flags.syn", Lost::Segments { .. }) => Some(false),
        ("tcp.flags.syn", Lost::Syn | Lost::SynAck) => Some(true),
        ("tcp.flags.ack", Lost::Syn) => Some(false),
        ("tcp.flags.ack", Lost::SynAck) => Some(true),
        ("tcp.flags.fin", Lost::Syn | Lost::SynAck) => Some(false),
        ("tcp.flags.reset", Lost::Segments { .. } | Lost::Syn | Lost::SynAck) => Some(false),
        _ => None,
    }
}
