//! Display filters on a packet, as Wireshark 4 understands them
//! (`wireshark-filter(4)`).

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::ControlFlow;

use crate::trace::Owner;

use super::ast::{EndPattern, FieldRef, Filter, FilterOp, Literal, Operand, SetItem, Who};
use super::fields::{FieldValue, Kind, Needs, View};

/// The packets that the named steps of a sequence stand for. None for a name
/// without a packet yet: what refers to it is false.
pub type Steps<'s> = dyn Fn(&str) -> Option<View<'s>> + 's;

/// Does the filter show the packet?
pub fn matches(filter: &Filter, view: &View<'_>) -> bool {
    matches_after(filter, view, &|_| None)
}

/// Does the filter show the packet, where it may refer to those of named steps?
pub fn matches_after(filter: &Filter, view: &View<'_>, steps: &Steps<'_>) -> bool {
    let shows = |filter| matches_after(filter, view, steps);
    match filter {
        Filter::And(a, b) => shows(a) && shows(b),
        Filter::Or(a, b) => shows(a) || shows(b),
        Filter::Xor(a, b) => shows(a) != shows(b),
        Filter::Not(inner) => !shows(inner),
        Filter::Exists(field) => field.field.is_in(view),
        Filter::Compare { left, op, right } => compare(left, *op, right, view, steps),
        Filter::In {
            field,
            set,
            negated,
        } => {
            let mut inside = false;
            field.field.visit(view, &mut |value| {
                let value = Compared::Value(value);
                inside = set.iter().any(|item| is_in(&value, item));
                until(inside)
            });
            inside != *negated
        }
        Filter::End { to, who, negated } => is_end(view, *to, who) != *negated,
    }
}

/// Which parts of the reading the filter needs.
pub fn needs(filter: &Filter) -> Needs {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => needs(a) | needs(b),
        Filter::Not(inner) => needs(inner),
        Filter::Exists(field) | Filter::In { field, .. } => field.field.needs,
        Filter::Compare { left, right, .. } => operand_needs(left) | operand_needs(right),
        Filter::End { .. } => Needs::OWNERS,
    }
}

fn operand_needs(operand: &Operand) -> Needs {
    match operand {
        Operand::Field(field) | Operand::Masked { field, .. } | Operand::OfStep { field, .. } => {
            field.field.needs
        }
        Operand::Literal(_) => Needs::HEADERS,
    }
}

fn until(found: bool) -> ControlFlow<()> {
    match found {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

/// One value to compare: of a field, or written.
enum Compared<'a> {
    Value(FieldValue<'a>),
    Written(&'a Literal),
}

/// A field that is not there makes every comparison false, also `!=`.
fn compare(
    left: &Operand,
    op: FilterOp,
    right: &Operand,
    view: &View<'_>,
    steps: &Steps<'_>,
) -> bool {
    let all = matches!(op, FilterOp::Ne | FilterOp::AllEq);
    // With `all`, one pair that does not hold decides; else, one that does.
    let mut compared = false;
    let mut decided = false;
    visit(left, view, steps, &mut |l| {
        visit(right, view, steps, &mut |r| {
            compared = true;
            decided = holds(&l, op, &r) != all;
            until(decided)
        });
        until(decided || !compared)
    });
    compared && decided != all
}

fn visit(
    operand: &Operand,
    view: &View<'_>,
    steps: &Steps<'_>,
    each: &mut dyn FnMut(Compared<'_>) -> ControlFlow<()>,
) {
    match operand {
        Operand::Literal(literal) => {
            let _ = each(Compared::Written(literal));
        }
        Operand::Field(field) => field
            .field
            .visit(view, &mut |value| each(Compared::Value(value))),
        Operand::Masked { field, mask } => {
            visit_changed(field, view, |n| n & i128::from(*mask), each)
        }
        Operand::OfStep { step, field, plus } => {
            let Some(view) = steps(step) else { return };
            let modulus = modulus(field.field.kind);
            let shifted = |n: i128| match modulus {
                Some(modulus) => (n + i128::from(*plus)).rem_euclid(modulus),
                None => n + i128::from(*plus),
            };
            visit_changed(field, &view, shifted, each);
        }
    }
}

fn visit_changed(
    field: &FieldRef,
    view: &View<'_>,
    change: impl Fn(i128) -> i128,
    each: &mut dyn FnMut(Compared<'_>) -> ControlFlow<()>,
) {
    field.field.visit(view, &mut |value| {
        each(Compared::Value(match value {
            FieldValue::Number(number) => FieldValue::Number(change(number)),
            other => other,
        }))
    });
}

/// Sequence numbers wrap around.
fn modulus(kind: Kind) -> Option<i128> {
    match kind {
        Kind::Unsigned(bits) => Some(1 << bits),
        _ => None,
    }
}

fn holds(left: &Compared<'_>, op: FilterOp, right: &Compared<'_>) -> bool {
    if let FilterOp::Matches = op {
        return match (left, right) {
            (
                Compared::Value(FieldValue::Bytes(bytes)),
                Compared::Written(Literal::Regex(regex)),
            ) => regex.0.is_match(bytes),
            _ => false,
        };
    }
    if let FilterOp::Contains = op {
        return match (bytes_of(left), bytes_of(right)) {
            (Some(whole), Some(part)) => contains(whole, part),
            _ => false,
        };
    }
    let Some(order) = order(left, right) else {
        return matches!(op, FilterOp::Ne | FilterOp::AnyNe);
    };
    match op {
        FilterOp::Eq | FilterOp::AllEq => order.is_eq(),
        FilterOp::Ne | FilterOp::AnyNe => order.is_ne(),
        FilterOp::Lt => order.is_lt(),
        FilterOp::Le => order.is_le(),
        FilterOp::Gt => order.is_gt(),
        FilterOp::Ge => order.is_ge(),
        FilterOp::Contains | FilterOp::Matches => false,
    }
}

/// None for values of different kinds, which the parser does not let through.
fn order(left: &Compared<'_>, right: &Compared<'_>) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (bytes_of(left), bytes_of(right)) {
        return Some(a.cmp(b));
    }
    if let (Some(a), Some(b)) = (number_of(left), number_of(right)) {
        return Some(a.cmp(&b));
    }
    let ((a, a_len), (b, b_len)) = (ip_of(left)?, ip_of(right)?);
    let len = a_len.or(b_len);
    Some(first_bits(a, len).cmp(&first_bits(b, len)))
}

fn bytes_of<'v>(compared: &'v Compared<'_>) -> Option<&'v [u8]> {
    match compared {
        Compared::Value(FieldValue::Bytes(bytes)) => Some(bytes),
        Compared::Written(Literal::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}

fn number_of(compared: &Compared<'_>) -> Option<i128> {
    match compared {
        Compared::Value(FieldValue::Number(number)) => Some(*number),
        Compared::Written(Literal::Number(number)) => Some(*number),
        _ => None,
    }
}

/// An address, with the length of its prefix.
fn ip_of(compared: &Compared<'_>) -> Option<(IpAddr, Option<u8>)> {
    match compared {
        Compared::Value(FieldValue::Ip(address)) => Some((*address, None)),
        Compared::Written(Literal::Ip(address, len)) => Some((*address, *len)),
        _ => None,
    }
}

/// The first bits of an address, as a number; all without a length.
fn first_bits(address: IpAddr, len: Option<u8>) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32u8),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let cut = width.saturating_sub(len.unwrap_or(width));
    bits.checked_shr(cut.into()).unwrap_or(0)
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}

fn is_in(value: &Compared<'_>, item: &SetItem) -> bool {
    let against = |literal| order(value, &Compared::Written(literal));
    match item {
        SetItem::One(literal) => against(literal).is_some_and(Ordering::is_eq),
        SetItem::Range(from, to) => {
            against(from).is_some_and(Ordering::is_ge) && against(to).is_some_and(Ordering::is_le)
        }
    }
}

fn is_end(view: &View<'_>, to: bool, pattern: &EndPattern) -> bool {
    let ends = view.known.ends(view.index);
    let owner = if to { ends.to } else { ends.from };
    let is_owner = match &pattern.who {
        Who::Any => true,
        Who::Nobody => owner == Owner::Nobody,
        Who::Role(name) => match owner {
            Owner::Role(role) => view.known.role(role) == Some(name),
            _ => false,
        },
    };
    is_owner
        && pattern
            .port
            .is_none_or(|port| end_port(view, to) == Some(port))
}

/// The port of an end: for an ICMP error, of the packet it quotes, reversed.
fn end_port(view: &View<'_>, to: bool) -> Option<u16> {
    if let Some((src, dst)) = view.packet.ports() {
        return Some(if to { dst } else { src });
    }
    let quoted = view.packet.icmp()?.quoted.as_deref()?;
    match to {
        true => quoted.src_port,
        false => quoted.dst_port,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::conversation::{Seen, SeenTcp};
    use crate::decode::{
        Icmp, Ipv4, Link, Net, Packet, Quoted, Span, Tcp, TcpFlags, Transport, Udp,
    };
    use crate::expect::ast::{Statement, StepOrFilter};
    use crate::expect::fields::Reading;
    use crate::expect::parse;
    use crate::savefile::{CaptureInfo, Format, Timestamp};
    use crate::trace::{Ends, Trace};

    const PAYLOAD: Span = Span { start: 0, len: 5 };

    fn ipv4(src: u8, dst: u8) -> Ipv4 {
        Ipv4 {
            header: Span::default(),
            dscp: 0,
            ecn: 0,
            total_len: 45,
            id: 7,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            ttl: 64,
            protocol: 6,
            checksum: 0,
            src: Ipv4Addr::new(10, 0, 0, src),
            dst: Ipv4Addr::new(10, 0, 0, dst),
        }
    }

    fn packet(number: u64, net: Ipv4, transport: Transport) -> Packet {
        Packet {
            number,
            time: Timestamp(number as i64 * 1_000_000),
            len: 59,
            cap_len: 59,
            interface: 0,
            link: Link::Raw,
            net: Some(Net::V4(net)),
            transport,
            ..Packet::default()
        }
    }

    /// A SYN from client to server, an ICMP error that quotes a datagram, and a
    /// datagram "Hello".
    fn trace() -> Trace {
        let tcp = Tcp {
            header: Span::default(),
            src_port: 40000,
            dst_port: 80,
            seq: u32::MAX,
            ack: 0,
            flags: TcpFlags(TcpFlags::SYN),
            window: 100,
            checksum: 0,
            urgent: 0,
            payload: Span::default(),
            len: 0,
        };
        let quoted = Quoted {
            net: Net::V4(ipv4(1, 2)),
            protocol: 17,
            src_port: Some(5000),
            dst_port: Some(12000),
            seq: None,
            udp_length: Some(13),
            payload: PAYLOAD,
        };
        let icmp = Icmp {
            kind: 3,
            code: 3,
            checksum: 0,
            rest: [0; 4],
            payload: Span::default(),
            quoted: Some(Box::new(quoted)),
        };
        let udp = Udp {
            header: Span::default(),
            src_port: 5000,
            dst_port: 12000,
            length: 13,
            checksum: 0,
            payload: PAYLOAD,
        };
        let packets = vec![
            packet(1, ipv4(1, 2), Transport::Tcp(tcp)),
            packet(2, ipv4(9, 1), Transport::Icmp(icmp)),
            packet(3, ipv4(1, 2), Transport::Udp(udp)),
        ];
        let with_tcp = Seen {
            tcp: Some(SeenTcp::default()),
            ..Seen::default()
        };
        let (client, nobody) = (Owner::Role(0), Owner::Nobody);
        Trace {
            bytes: b"Hello".repeat(3),
            frames: vec![0..5, 5..10, 10..15],
            packets,
            seen: vec![with_tcp, Seen::default(), Seen::default()],
            ends: vec![
                Ends {
                    from: client,
                    to: Owner::Role(1),
                },
                Ends {
                    from: nobody,
                    to: client,
                },
                Ends {
                    from: client,
                    to: nobody,
                },
            ],
            conversations: Vec::new(),
            streams: Vec::new(),
            messages: Vec::new(),
            http: Default::default(),
            roles: vec!["client".to_owned(), "server".to_owned()],
            capture: CaptureInfo {
                file: String::new(),
                format: Format::Pcap,
                interfaces: Vec::new(),
                compression: None,
                comments: Vec::new(),
                packets: 3,
                damage: None,
            },
            recording: None,
        }
    }

    fn shown(text: &str) -> Vec<usize> {
        let trace = trace();
        let expectation = parse("test", &format!("no {text}"), &trace.roles)
            .unwrap_or_else(|found| panic!("{text}: {found:?}"));
        let Statement::No(StepOrFilter::Filter(filter)) = &expectation.statements[0].value else {
            panic!("{text} is no filter");
        };
        let view = |i| View::new(&trace, i, Reading::Filter).unwrap();
        (0..3)
            .filter(|i| matches(&filter.value, &view(*i)))
            .map(|i| i + 1)
            .collect()
    }

    #[test]
    fn existence_and_booleans() {
        assert_eq!(shown("tcp"), [1]);
        assert_eq!(shown("tcp.flags.reset"), [1]);
        assert_eq!(shown("tcp.flags.reset == 1"), [0usize; 0]);
        assert_eq!(shown("tcp.flags.syn == true"), [1]);
        assert_eq!(shown("not tcp"), [2, 3]);
        assert_eq!(shown("!(tcp || icmp)"), [3]);
    }

    #[test]
    fn quoted_headers_count() {
        assert_eq!(shown("udp and frame"), [2, 3]);
        assert_eq!(shown("udp.length == 13"), [2, 3]);
        assert_eq!(shown("ip.addr == 10.0.0.2"), [1, 2, 3]);
        assert_eq!(shown("icmp.type == 3 && udp.dstport == 12000"), [2]);
    }

    #[test]
    fn fields_with_several_values() {
        assert_eq!(shown("tcp.port == 80"), [1]);
        assert_eq!(
            shown("tcp.port != 80"),
            [0usize; 0],
            "all of them, as Wireshark 4"
        );
        assert_eq!(shown("tcp.port !== 80"), [1], "any of them");
        assert_eq!(shown("tcp.port === 80"), [0usize; 0]);
        assert_eq!(shown("!(tcp.port == 80)"), [2, 3]);
        assert_eq!(shown("tcp.port in {1..79, 81..40000}"), [1]);
        assert_eq!(shown("tcp.port not in {80}"), [2, 3]);
        assert_eq!(shown("80 == tcp.port"), [1]);
    }

    #[test]
    fn prefixes_bits_and_bytes() {
        assert_eq!(shown("ip.src == 10.0.0.0/29"), [1, 2, 3]);
        assert_eq!(shown("ip.src == 10.0.0.8/29"), [2]);
        assert_eq!(shown("tcp.flags & 0x02"), [1]);
        assert_eq!(shown("tcp.flags & 0x12 == 0x12"), [0usize; 0]);
        assert_eq!(shown("udp.payload contains \"ell\""), [2, 3]);
        assert_eq!(shown("udp.payload matches \"^HELLO$\""), [2, 3]);
        assert_eq!(shown("udp.payload == 48:65:6c:6c:6f and not icmp"), [3]);
        assert_eq!(shown("frame.time_relative >= 0.001"), [2, 3]);
        assert_eq!(shown("tcp xor ip.src == 10.0.0.1"), [2, 3]);
    }

    #[test]
    fn ends() {
        assert_eq!(shown("from == client"), [1, 3]);
        assert_eq!(shown("to == nobody:12000"), [3]);
        assert_eq!(shown("from == nobody:12000"), [2]);
        assert_eq!(shown("to != client"), [1, 3]);
    }

    #[test]
    fn named_steps_wrap_around() {
        let trace = trace();
        let text = "in order { client > server SYN as syn\n any > any udp where tcp.ack_raw == syn.tcp.seq_raw + 1 }";
        let expectation = parse("test", text, &trace.roles).expect("a sound text");
        let Statement::Sequence(sequence) = &expectation.statements[0].value else {
            panic!("no sequence");
        };
        let filter = &sequence.steps[1]
            .value
            .where_
            .as_ref()
            .expect("a filter")
            .value;
        let syn = View::new(&trace, 0, Reading::Own).unwrap();
        let view = View::new(&trace, 0, Reading::Where).unwrap();
        // The SYN's own acknowledgment number is 0, and u32::MAX + 1 wraps to it.
        let bound = |name: &str| (name == "syn").then_some(syn);
        assert!(matches_after(filter, &view, &bound));
        assert!(!matches(filter, &view));
    }
}
