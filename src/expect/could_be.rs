//! Could what is missing be what a statement asks for?

use smallvec::{SmallVec, smallvec};

use super::ast::{
    Anchor, EventPattern, Filter, FilterOp, Literal, Operand, Selection, Step, StepOrFilter, Window,
};
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
    let of_what = match &which.what {
        StepOrFilter::Step(it) => is_step(facts, &it.value, loss),
        StepOrFilter::Filter(filter) => shown(facts, &filter.value, loss),
    };
    of_what || bounds(facts, which, loss)
}

/// Could a packet that was found be another one for the want of it, or lie outside of
/// the window? `concerned`: it is of the conversation of one that was found.
pub fn unfound(facts: &Facts<'_>, which: &Selection, loss: &Loss, concerned: bool) -> bool {
    let moved = match &which.what {
        StepOrFilter::Step(it) => {
            let step = &it.value;
            let whole = matches!(step.event, EventPattern::Data(None));
            let counts = step
                .where_
                .as_ref()
                .is_some_and(|filter| counts(&filter.value));
            let moved = !whole && is_told_by_others(facts, step, loss);
            (concerned && moved) || ((concerned || counts) && is_moved_in(step, loss.what))
        }
        StepOrFilter::Filter(filter) => {
            let filter = &filter.value;
            (concerned || counts(filter)) && is_moved_here(facts, filter, loss)
        }
    };
    moved
        || match which.window.as_ref().map(|window| &window.value) {
            None => false,
            // What lies behind the first A lies behind an earlier one, too.
            Some(Window::After { from, until: None }) => match from {
                Anchor::Step(step) => {
                    let step = &step.value;
                    is_told_by_others(facts, step, loss) || is_moved_in(step, loss.what)
                }
                Anchor::Name(_) => false,
            },
            Some(_) => bounds(facts, which, loss),
        }
}

/// Could it be what bounds the window?
fn bounds(facts: &Facts<'_>, which: &Selection, loss: &Loss) -> bool {
    let window = which.window.as_ref();
    window.is_some_and(|w| w.value.steps().any(|it| is_step(facts, it, loss)))
}

fn is_step(facts: &Facts<'_>, it: &Step, loss: &Loss) -> bool {
    let is_it = event(&it.event, loss.what) && has_ends(facts, it, loss);
    // What was sent again is told by the ACKs of the other way, too.
    let both_ways = matches!(it.event, EventPattern::Data(Some(_))) || is_of_analysis(&it.event);
    is_it
        || (both_ways && is_segments_of(facts, it, loss))
        || is_retimed(&it.event, loss.what)
        || is_moved_in(it, loss.what)
}

/// Is it of a connection between the ends that the step names? A run of data lasts
/// until the other side sends, an answer belongs to its request: the way is not asked
/// for.
fn is_segments_of(facts: &Facts<'_>, step: &Step, loss: &Loss) -> bool {
    let (Lost::Segments { .. }, Some((conversation, way))) = (loss.what, loss.of) else {
        return false;
    };
    [way, way.opposite()].into_iter().any(|way| {
        let of = Some((conversation, way));
        has_ends(facts, step, &Loss { of, ..loss.clone() })
    })
}

fn is_of_messages(event: &EventPattern) -> bool {
    matches!(
        event,
        EventPattern::Request { .. } | EventPattern::Response { .. }
    )
}

fn is_of_analysis(event: &EventPattern) -> bool {
    matches!(
        event,
        EventPattern::Retransmission(_) | EventPattern::KeepAlive | EventPattern::WindowUpdate
    )
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
            | EventPattern::KeepAlive
            | EventPattern::WindowUpdate,
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
        || ends_run(facts, step, loss)
        || (is_of_analysis(&step.event) && is_segments_of(facts, step, loss))
        || is_retimed(&step.event, loss.what)
        || is_moved_in(step, loss.what)
        || (of_handshake && step.event == EventPattern::Ack)
        || (step.event == EventPattern::Ack && may_end_handshake(facts, loss))
}

/// Could a run of data that the step names have ended otherwise?
fn ends_run(facts: &Facts<'_>, step: &Step, loss: &Loss) -> bool {
    matches!(step.event, EventPattern::Data(_)) && is_segments_of(facts, step, loss)
}

/// Could what was found be no such event, or elsewhere, for the want of it? Where a run
/// of data ends, what a message is, and what is sent again, others tell.
pub fn is_told_by_others(facts: &Facts<'_>, step: &Step, loss: &Loss) -> bool {
    let event = &step.event;
    let is_of_segments = is_of_messages(event) || is_of_analysis(event);
    ends_run(facts, step, loss)
        || (is_of_segments && is_segments_of(facts, step, loss))
        || is_retimed(event, loss.what)
}

/// What was sent again is told by the first time between a segment and its ACK, in
/// either way.
fn is_retimed(event: &EventPattern, lost: Lost) -> bool {
    matches!(event, EventPattern::Retransmission(_)) && lost == Lost::Syn
}

/// Could the ACK of the handshake have come with it? Not in a connection that began
/// before the capture.
pub fn may_end_handshake(facts: &Facts<'_>, loss: &Loss) -> bool {
    let (Lost::Segments { .. }, Some((conversation, Direction::ToServer))) = (loss.what, loss.of)
    else {
        return false;
    };
    let conversation = facts.conversations.get(conversation);
    let tcp = conversation.and_then(|c| c.tcp.as_ref());
    tcp.is_some_and(|tcp| tcp.handshake_rtt.is_none() && !tcp.started_before)
}

/// Could it have been bytes of a TCP connection, nobody knows of which?
pub fn may_be_of_any_connection(loss: &Loss) -> bool {
    match loss.what {
        Lost::Datagram { protocol } => protocol == TCP || TUNNELS.contains(&protocol),
        _ => false,
    }
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
    counts || compares_frames(filter)
}

/// Does it compare the number of another frame (`tcp.analysis.acks_frame == 66`)? That
/// there is such a frame is told without its number.
fn compares_frames(filter: &Filter) -> bool {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => {
            compares_frames(a) || compares_frames(b)
        }
        Filter::Not(inner) => compares_frames(inner),
        Filter::Exists(_) | Filter::End { .. } => false,
        Filter::NotZero(_) | Filter::Compare { .. } | Filter::In { .. } => {
            let mut compares = false;
            filter.operands(&mut |operand| {
                operand.fields(&mut |field| {
                    let name = field.field.name;
                    let is_number = name.ends_with("_frame") || name.ends_with("_in");
                    compares |= is_number || name == "dns.response_to";
                });
            });
            compares
        }
    }
}

/// Does the filter ask for times?
pub fn asks_for_times(filter: &Filter) -> bool {
    let mut asks = false;
    filter.operands(&mut |operand| {
        operand.fields(&mut |field| asks |= field.field.name.contains("time"));
    });
    asks
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

/// What a SYN says of later segments: which connection it is, where their numbers
/// begin, and what their windows count.
const AGREED: [&str; 6] = [
    "tcp.stream",
    "tcp.seq",
    "tcp.nxtseq",
    "tcp.ack",
    "tcp.window_size",
    "tcp.window_size_scalefactor",
];

/// Could the filter show it, or another packet for the want of it?
pub fn shown(facts: &Facts<'_>, filter: &Filter, loss: &Loss) -> bool {
    is_moved_here(facts, filter, loss) || itself(facts, filter, loss)
}

/// Could what the filter asks of other packets be another for the want of it, where it
/// asks for that conversation?
fn is_moved_here(facts: &Facts<'_>, filter: &Filter, loss: &Loss) -> bool {
    is_moved(filter, loss.what) && (counts(filter) || !is_elsewhere(facts, filter, loss))
}

/// Does the filter demand another connection?
fn is_elsewhere(facts: &Facts<'_>, filter: &Filter, loss: &Loss) -> bool {
    match filter {
        Filter::And(a, b) => is_elsewhere(facts, a, loss) || is_elsewhere(facts, b, loss),
        Filter::Or(a, b) => is_elsewhere(facts, a, loss) && is_elsewhere(facts, b, loss),
        Filter::Compare {
            left: Operand::Field(field),
            op: FilterOp::Eq,
            right: Operand::Literal(Literal::Number(wanted)),
            ..
        } => ends_known(facts, field.field.name, loss).is_some_and(|is| !is.contains(wanted)),
        _ => false,
    }
}

/// Could the filter show it? Not where it demands another protocol, another flag or
/// another connection. A SYN that is missing is taken to bring no data.
fn itself(facts: &Facts<'_>, filter: &Filter, loss: &Loss) -> bool {
    let lost = loss.what;
    let is_other = |operand: &Operand| match operand {
        Operand::Field(field) => {
            let protocol = field.field.name.split('.').next();
            protocol.is_some_and(|protocol| {
                lacks(lost).contains(&protocol) && !(protocol == "udp" && is_in_udp(facts, loss))
            })
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

/// Does the connection go through a tunnel of UDP?
pub fn is_in_udp(facts: &Facts<'_>, loss: &Loss) -> bool {
    let packets = loss.of.map(|(of, _)| facts.packets(of));
    let first = packets.and_then(|packets| facts.trace.packets.get(*packets.first()?));
    first.is_some_and(|packet| packet.outer_datagrams().next().is_some())
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
    ends_known(facts, name, loss)
}

/// Would the connection with this number have another one?
pub fn renumbers(id: u32, loss: &Loss) -> bool {
    let numbers = loss.numbers.clone();
    numbers.len() > 1 && numbers.contains(&id)
}

/// The values of the field of this name, where the connection tells them.
fn ends_known(facts: &Facts<'_>, name: &str, loss: &Loss) -> Option<SmallVec<[i128; 2]>> {
    let (index, way) = loss.of?;
    let conversation = facts.conversations.get(index)?;
    let ports = [conversation.client.port(), conversation.server.port()].map(i128::from);
    let [from, to] = match way {
        Direction::ToServer => ports,
        Direction::ToClient => [ports[1], ports[0]],
    };
    Some(match name {
        "tcp.stream" => loss.numbers.clone().map(i128::from).collect(),
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
