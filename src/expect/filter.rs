//! Display filters on a packet, as Wireshark 4 understands them
//! (`wireshark-filter(4)`).

use std::cmp::Ordering;
use std::ops::ControlFlow;

use crate::trace::Owner;

use super::ast::{EndPattern, Filter, FilterOp, Operand, Quantifier, SetItem, Who};
use super::fields::{FieldValue, Needs, View};
pub use super::filter_values::Steps;
use super::filter_values::{
    Compared, bytes_of, is_not_zero, order, order_by_prefix, visit, written,
};

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
        Filter::Exists(slice @ Operand::Slice { .. }) => {
            any(slice, view, steps, |value| !is_beyond(value))
        }
        Filter::Exists(operand) => any(operand, view, steps, |_| true),
        Filter::NotZero(operand) => any(operand, view, steps, is_not_zero),
        // The same as below, without the ways around it: most comparisons are so.
        Filter::Compare {
            left: Operand::Field(field),
            op,
            quantifier,
            right: Operand::Literal(right),
        } if field.layers.is_empty() => {
            let right = written(right);
            let decisive = *quantifier == Quantifier::Any;
            let (mut tested, mut decided) = (false, false);
            field.field.visit(view, &mut |value| {
                tested = true;
                decided = holds(&Compared::Value(value), *op, &right) == decisive;
                until(decided)
            });
            tested && decided == decisive
        }
        Filter::Compare {
            left,
            op,
            quantifier,
            right,
        } => quantified(*quantifier, left, view, steps, |l, fits| {
            // A slice that lies beyond its value has no text to look into.
            let looks = matches!(op, FilterOp::Contains | FilterOp::Matches);
            let nothing = looks && matches!(left, Operand::Slice { .. }) && is_beyond(l);
            visit(right, view, steps, &mut |r| {
                fits(!nothing && holds(l, *op, &r))
            });
        }),
        Filter::In {
            left,
            quantifier,
            set,
            negated,
        } => {
            // Of all values, one item has to hold them all, as in Wireshark; and of all
            // that are not in it, none may be.
            let quantifier = if *negated {
                &Quantifier::Any
            } else {
                quantifier
            };
            let inside = set.iter().any(|item| {
                quantified(*quantifier, left, view, steps, |value, fits| {
                    let _ = fits(is_in(value, item, view, steps));
                })
            });
            inside != *negated
        }
        Filter::End { to, who, negated } => is_end(view, *to, who) != *negated,
    }
}

/// Which parts of the reading the filter needs.
pub fn needs(filter: &Filter) -> Needs {
    let mut needs = Needs::HEADERS;
    filter.operands(&mut |operand| operand.fields(&mut |f| needs = needs | f.field.needs));
    if reads_http(filter) {
        needs = needs | Needs::HTTP_BYTES;
    }
    if asks_for_ends(filter) {
        needs = needs | Needs::OWNERS;
    }
    needs
}

/// Is the text of HTTP messages looked at, and not only whether there is one?
fn reads_http(filter: &Filter) -> bool {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => reads_http(a) || reads_http(b),
        Filter::Not(inner) => reads_http(inner),
        Filter::Exists(Operand::Field(_)) => false,
        _ => {
            let mut reads = false;
            filter.operands(&mut |operand| {
                operand.fields(&mut |f| reads |= f.field.name == "http");
            });
            reads
        }
    }
}

fn asks_for_ends(filter: &Filter) -> bool {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => {
            asks_for_ends(a) || asks_for_ends(b)
        }
        Filter::Not(inner) => asks_for_ends(inner),
        Filter::End { .. } => true,
        _ => false,
    }
}

/// Is the value of a slice empty: does it lie beyond what it is a part of? It is
/// compared as no bytes are, and does not exist.
fn is_beyond(value: &Compared<'_>) -> bool {
    matches!(value, Compared::Value(FieldValue::Bytes(bytes)) if bytes.is_empty())
}

fn any(
    operand: &Operand,
    view: &View<'_>,
    steps: &Steps<'_>,
    fits: impl Fn(&Compared<'_>) -> bool,
) -> bool {
    let mut found = false;
    visit(operand, view, steps, &mut |value| {
        found = fits(&value);
        until(found)
    });
    found
}

/// Tests the operand's values. `test` hands over what it finds of one of them,
/// once or several times, until told to break off. Nothing to test is false,
/// also for all.
fn quantified(
    quantifier: Quantifier,
    operand: &Operand,
    view: &View<'_>,
    steps: &Steps<'_>,
    test: impl Fn(&Compared<'_>, &mut dyn FnMut(bool) -> ControlFlow<()>),
) -> bool {
    // Of all, one that does not fit decides; of any, one that does.
    let decisive = quantifier == Quantifier::Any;
    let mut tested = false;
    let mut decided = false;
    visit(operand, view, steps, &mut |value| {
        test(&value, &mut |fits| {
            tested = true;
            decided = fits == decisive;
            until(decided)
        });
        until(decided)
    });
    tested && decided == decisive
}

fn until(found: bool) -> ControlFlow<()> {
    match found {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

fn holds(left: &Compared<'_>, op: FilterOp, right: &Compared<'_>) -> bool {
    match op {
        FilterOp::Matches => match (left, right) {
            (Compared::Value(value), Compared::Regex(regex)) => {
                bytes_of(value).is_some_and(|bytes| regex.is_match(&bytes))
            }
            _ => false,
        },
        FilterOp::Contains => match (left, right) {
            (Compared::Value(whole), Compared::Value(part)) => {
                let Some(part) = bytes_of(part) else {
                    return false;
                };
                if part.is_empty() {
                    // As in Wireshark.
                    let has_none = |value| {
                        matches!(
                            value,
                            &FieldValue::Layer { .. }
                                | &FieldValue::Message(_)
                                | &FieldValue::Text(_)
                        )
                    };
                    return !has_none(whole);
                }
                bytes_of(whole).is_some_and(|whole| memchr::memmem::find(&whole, &part).is_some())
            }
            _ => false,
        },
        _ => match compared(left, right) {
            Some(order) => is_so(order, op),
            None => op == FilterOp::Ne,
        },
    }
}

/// Is this how the one must stand to the other?
fn is_so(order: Ordering, op: FilterOp) -> bool {
    match op {
        FilterOp::Eq => order.is_eq(),
        FilterOp::Ne => order.is_ne(),
        FilterOp::Lt => order.is_lt(),
        FilterOp::Le => order.is_le(),
        FilterOp::Gt => order.is_gt(),
        FilterOp::Ge => order.is_ge(),
        FilterOp::Contains | FilterOp::Matches => false,
    }
}

/// Does the comparison hold for a field that has this one value, and a number on
/// the right?
pub fn number_holds(value: i128, op: FilterOp, right: i128) -> bool {
    is_so(value.cmp(&right), op)
}

fn compared(left: &Compared<'_>, right: &Compared<'_>) -> Option<Ordering> {
    match (left, right) {
        (Compared::Value(a), Compared::Value(b)) => order(a, b),
        (Compared::Value(FieldValue::Ip(a)), Compared::Prefix(b, len)) => {
            Some(order_by_prefix(*a, *b, *len))
        }
        (Compared::Prefix(b, len), Compared::Value(FieldValue::Ip(a))) => {
            Some(order_by_prefix(*a, *b, *len).reverse())
        }
        _ => None,
    }
}

fn is_in(value: &Compared<'_>, item: &SetItem, view: &View<'_>, steps: &Steps<'_>) -> bool {
    let fits = |other: &Operand, fits: fn(Ordering) -> bool| {
        any(other, view, steps, |other| {
            compared(value, other).is_some_and(fits)
        })
    };
    match item {
        SetItem::One(one) => fits(one, Ordering::is_eq),
        SetItem::Range(from, to) => fits(from, Ordering::is_ge) && fits(to, Ordering::is_le),
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
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::conversation::{Seen, SeenTcp};
    use crate::decode::{
        Icmp, Ipv4, Ipv6, Layer, Link, Net, Packet, Quoted, Reason, Span, Tcp, TcpFlags, Transport,
        Trouble, Udp,
    };
    use crate::expect::ast::{Selection, Statement, StepOrFilter};
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
            undelivered: true,
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
            frames: std::iter::repeat_n(b"Hello".to_vec(), 3).collect(),
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
            carried: Vec::new(),
            roles: vec!["client".to_owned(), "server".to_owned()],
            named: Vec::new(),
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
        shown_of(&trace(), text)
    }

    fn shown_of(trace: &Trace, text: &str) -> Vec<usize> {
        let expectation = parse("test", &format!("no {text}"), &trace.roles)
            .unwrap_or_else(|found| panic!("{text}: {found:?}"));
        let Statement::No(Selection {
            what: StepOrFilter::Filter(filter),
            ..
        }) = &expectation.statements[0].value
        else {
            panic!("{text} is no filter");
        };
        let view = |i| View::new(trace, i, Reading::Filter).unwrap();
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
    fn malformed_frames_are_shown_by_wiresharks_name() {
        let mut trace = trace();
        let reason = Reason::Short {
            needed: 20,
            available: 10,
        };
        let layer = Layer::Tcp;
        trace.packets[0].trouble = Some(Trouble::Malformed { layer, reason });
        trace.packets[1].trouble = Some(Trouble::Truncated { layer });
        assert_eq!(shown_of(&trace, "_ws.malformed"), [1]);
        assert_eq!(shown_of(&trace, "not _ws.malformed and frame"), [2, 3]);
    }

    #[test]
    fn a_zero_checksum_over_ipv6_is_illegal() {
        let mut trace = trace();
        assert_eq!(shown_of(&trace, "udp.checksum.status == 3"), [3]);
        let ipv6 = Ipv6 {
            header: Span::default(),
            traffic_class: 0,
            flow_label: 0,
            payload_len: 13,
            next_header: 17,
            hop_limit: 64,
            src: Ipv6Addr::LOCALHOST,
            dst: Ipv6Addr::LOCALHOST,
            extensions_len: 0,
            protocol: 17,
            fragment: None,
        };
        trace.packets[2].net = Some(Net::V6(ipv6));
        assert_eq!(shown_of(&trace, "udp.checksum.status == 4"), [3]);
        assert_eq!(shown_of(&trace, "udp.checksum.status == \"Illegal\""), [3]);
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
