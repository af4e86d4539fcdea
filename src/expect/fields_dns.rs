//! Fields of DNS messages, in datagrams and over TCP.

use std::ops::ControlFlow;

use crate::conversation::At;
use crate::decode::Span;
use crate::message::PartOf;
use crate::message::dns::{Data, Flavour, Message, Record, parse};

use super::fields::{Field, FieldValue, Kind, Needs, Out, View, number};
use super::fields_ip::bit;

pub(super) const DNS: &[Field] = &[
    protocol("dns", "Domain Name System", |v, out| {
        whole(v, out, Flavour::Dns)
    }),
    protocol("mdns", "multicast DNS", |v, out| {
        whole(v, out, Flavour::Mdns)
    }),
    protocol("llmnr", "Link-Local Multicast Name Resolution", |v, out| {
        whole(v, out, Flavour::Llmnr)
    }),
    header(
        "dns.id",
        16,
        "number of the query, which its answer repeats",
        |v, out| of_each(v, out, |m, out| out.push(number(m.id))),
    ),
    header("dns.flags", 16, "all flags", |v, out| {
        of_each(v, out, |m, out| out.push(number(m.flags)))
    }),
    header(
        "dns.length",
        16,
        "over TCP, the bytes of the message",
        lengths,
    ),
    field(
        "dns.time",
        Kind::Time,
        "seconds from the query to this answer",
        |v, out| {
            queries(v, &mut |query| {
                out.extend(v.packet.time.elapsed(query.time).map(number));
            });
        },
    ),
    header(
        "dns.response_to",
        32,
        "the frame of the query that it answers",
        |v, out| queries(v, &mut |query| out.push(number(query.packet as u64 + 1))),
    ),
    flag("dns.flags.response", "it is an answer", |v, out| {
        of_each(v, out, |m, out| out.push(bit(m.is_response())))
    }),
    header(
        "dns.flags.opcode",
        16,
        "kind of query: 0 is the standard one",
        |v, out| of_each(v, out, |m, out| out.push(number(m.opcode()))),
    ),
    flag(
        "dns.flags.authoritative",
        "the answer of an authority; answers only",
        |v, out| {
            of_each(v, out, |m, out| {
                let is = m.is_authoritative().filter(|_| m.is_response());
                out.extend(is.map(bit));
            })
        },
    ),
    flag(
        "dns.flags.truncated",
        "it was cut to fit the datagram",
        |v, out| of_each(v, out, |m, out| out.push(bit(m.is_truncated()))),
    ),
    flag(
        "dns.flags.recdesired",
        "recursion is asked for",
        |v, out| of_each(v, out, |m, out| out.extend(m.recursion_desired().map(bit))),
    ),
    flag(
        "dns.flags.recavail",
        "recursion is offered; answers only",
        |v, out| {
            of_each(v, out, |m, out| {
                let is = m.recursion_available().filter(|_| m.is_response());
                out.extend(is.map(bit));
            })
        },
    ),
    header(
        "dns.flags.rcode",
        16,
        "response code: 0 none, 2 server failure, 3 no such name; answers only",
        |v, out| {
            of_each(v, out, |m, out| {
                out.extend(m.is_response().then(|| number(m.rcode())))
            })
        },
    )
    .names(&[
        ("No error", 0),
        ("Format error", 1),
        ("Server failure", 2),
        ("No such name", 3),
        ("Not implemented", 4),
        ("Refused", 5),
    ]),
    header("dns.count.queries", 16, "how many questions", |v, out| {
        counts(v, out, 0, false)
    }),
    header("dns.count.answers", 16, "how many answers", |v, out| {
        counts(v, out, 1, false)
    }),
    header(
        "dns.count.auth_rr",
        16,
        "how many records of authorities",
        |v, out| counts(v, out, 2, false),
    ),
    header(
        "dns.count.zones",
        16,
        "how many zones to update",
        |v, out| counts(v, out, 0, true),
    ),
    header(
        "dns.count.prerequisites",
        16,
        "how many records must be, or not be, for an update",
        |v, out| counts(v, out, 1, true),
    ),
    header(
        "dns.count.updates",
        16,
        "how many records an update adds or deletes",
        |v, out| counts(v, out, 2, true),
    ),
    header(
        "dns.count.add_rr",
        16,
        "how many additional records",
        |v, out| of_each(v, out, |m, out| out.push(number(m.counts[3]))),
    ),
    field(
        "dns.qry.name",
        Kind::Text,
        "the name that is asked for",
        |v, out| {
            of_each(v, out, |m, out| {
                out.extend(
                    m.questions
                        .iter()
                        .map(|q| FieldValue::owned(q.name.clone())),
                )
            })
        },
    ),
    header(
        "dns.qry.type",
        16,
        "type that is asked for: 1 A, 28 AAAA, 15 MX",
        |v, out| {
            of_each(v, out, |m, out| {
                out.extend(m.questions.iter().map(|q| number(q.kind)))
            })
        },
    ),
    header(
        "dns.qry.class",
        16,
        "class that is asked for: 1 is the Internet's",
        |v, out| {
            of_each(v, out, |m, out| {
                out.extend(m.questions.iter().map(|q| number(q.class)))
            })
        },
    )
    .names(&[("IN", 1)]),
    field(
        "dns.resp.name",
        Kind::Text,
        "name of each record",
        |v, out| {
            records(v, out, |r| {
                is_named(r).then(|| FieldValue::owned(r.name.clone()))
            })
        },
    ),
    header("dns.resp.type", 16, "type of each record", |v, out| {
        records(v, out, |r| Some(number(r.kind)))
    }),
    header(
        "dns.resp.ttl",
        32,
        "seconds that each record may be kept",
        |v, out| records(v, out, |r| is_timed(r).then(|| number(r.ttl))),
    ),
    field("dns.a", Kind::Ipv4, "IPv4 address of a record", |v, out| {
        records(v, out, |r| match &r.data {
            Data::A(address) => Some(FieldValue::Ip((*address).into())),
            _ => None,
        })
    }),
    field(
        "dns.aaaa",
        Kind::Ipv6,
        "IPv6 address of a record",
        |v, out| {
            records(v, out, |r| match &r.data {
                Data::Aaaa(address) => Some(FieldValue::Ip((*address).into())),
                _ => None,
            })
        },
    ),
    field(
        "dns.cname",
        Kind::Text,
        "the name that another stands for",
        |v, out| records(v, out, |r| name(r, 5)),
    ),
    field("dns.ns", Kind::Text, "name of a name server", |v, out| {
        records(v, out, |r| name(r, 2))
    }),
    field(
        "dns.ptr.domain_name",
        Kind::Text,
        "the name of an address",
        |v, out| records(v, out, |r| name(r, 12)),
    ),
    field(
        "dns.mx.mail_exchange",
        Kind::Text,
        "name of a mail server",
        |v, out| {
            records(v, out, |r| match &r.data {
                Data::Mx { exchange, .. } => Some(FieldValue::owned(exchange.clone())),
                _ => None,
            })
        },
    ),
    header(
        "dns.mx.preference",
        16,
        "preference of a mail server, the lowest first",
        |v, out| {
            records(v, out, |r| match &r.data {
                Data::Mx { preference, .. } => Some(number(*preference)),
                _ => None,
            })
        },
    ),
    field(
        "dns.srv.target",
        Kind::Text,
        "name of a service's host",
        |v, out| {
            records(v, out, |r| match &r.data {
                Data::Srv { target, .. } => Some(FieldValue::owned(target.clone())),
                _ => None,
            })
        },
    ),
    header("dns.srv.port", 16, "port of a service", |v, out| {
        records(v, out, |r| match &r.data {
            Data::Srv { port, .. } => Some(number(*port)),
            _ => None,
        })
    }),
];

type Extract = super::fields::Extract;

const fn field(name: &'static str, kind: Kind, meaning: &'static str, extract: Extract) -> Field {
    Field::new(name, kind, meaning, extract).needs(Needs::CARRIED)
}

const fn protocol(name: &'static str, meaning: &'static str, extract: Extract) -> Field {
    field(name, Kind::Protocol, meaning, extract)
}

const fn header(name: &'static str, bits: u8, meaning: &'static str, extract: Extract) -> Field {
    field(name, Kind::Unsigned(bits), meaning, extract)
}

const fn flag(name: &'static str, meaning: &'static str, extract: Extract) -> Field {
    field(name, Kind::Bool, meaning, extract)
}

/// A message of a packet.
struct Sent<'a> {
    flavour: Flavour,
    /// Over TCP, its length before it.
    whole: &'a [u8],
    message: &'a [u8],
}

/// The packet's own message and a quoted one; those that it completes over TCP.
fn messages<'a>(v: &View<'a>) -> Vec<Sent<'a>> {
    let data = v.data();
    let datagram = |ports, payload: Span| {
        let bytes = payload.of(data);
        Some(Sent {
            flavour: Flavour::of(ports, bytes)?,
            whole: bytes,
            message: bytes,
        })
    };
    let own = v.packet.udp();
    let own = own.and_then(|udp| datagram((udp.src_port, udp.dst_port), udp.payload));
    let quoted = v.quoted().filter(|q| q.protocol == 17);
    let quoted = quoted.and_then(|q| datagram(q.src_port.zip(q.dst_port)?, q.payload));
    let mut messages: Vec<Sent<'a>> = own.into_iter().chain(quoted).collect();
    v.known.carried(v.index, &mut |part| {
        // Without bytes it is the datagram's.
        if let (PartOf::Dns(_), false) = (&part.message, part.sent.is_empty()) {
            messages.push(Sent {
                flavour: Flavour::Dns,
                whole: &part.sent,
                message: part.sent.get(2..).unwrap_or_default(),
            });
        }
        ControlFlow::Continue(())
    });
    messages
}

/// The queries of the answers that the packet completes.
fn queries(v: &View<'_>, each: &mut dyn FnMut(At)) {
    v.known.carried(v.index, &mut |part| {
        if let (PartOf::Dns(_), Some(query)) = (&part.message, part.asked) {
            each(query);
        }
        ControlFlow::Continue(())
    });
}

fn whole<'a>(v: &View<'a>, out: &mut Out<'a, '_>, wanted: Flavour) {
    let wanted = |sent: &Sent| sent.flavour == wanted && parse(sent.message, wanted).is_some();
    let messages = messages(v).into_iter().filter(wanted);
    out.extend(messages.map(|sent| FieldValue::whole(sent.whole)));
}

fn of_each<'a>(v: &View<'a>, out: &mut Out<'a, '_>, values: impl Fn(&Message, &mut Out<'a, '_>)) {
    for sent in messages(v) {
        if let Some(message) = parse(sent.message, sent.flavour) {
            values(&message, out);
        }
    }
}

/// How many records the header says that a section has, of updates or of all else.
fn counts<'a>(v: &View<'a>, out: &mut Out<'a, '_>, section: usize, update: bool) {
    of_each(v, out, |m, out| {
        let count = m.counts.get(section).filter(|_| m.is_update() == update);
        out.extend(count.map(|count| number(*count)));
    });
}

/// The length that stands before each message over TCP.
fn lengths<'a>(v: &View<'a>, out: &mut Out<'a, '_>) {
    let messages = messages(v).into_iter();
    let framed = messages.filter(|sent| sent.whole.len() > sent.message.len());
    out.extend(framed.map(|sent| number(sent.message.len() as u64)));
}

fn records<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    value: impl Fn(&Record) -> Option<FieldValue<'a>>,
) {
    of_each(v, out, |message, out| {
        let sections = [&message.answers, &message.authorities, &message.additionals];
        out.extend(sections.into_iter().flatten().filter_map(&value));
    });
}

/// What an OPT record (RFC 6891) has in the place of the time is none.
fn is_timed(record: &Record) -> bool {
    record.kind != 41
}

/// Wireshark spells the name of an SRV record in parts, under other names.
fn is_named(record: &Record) -> bool {
    record.kind != 33
}

fn name(record: &Record, kind: u16) -> Option<FieldValue<'static>> {
    match &record.data {
        Data::Name(name) if record.kind == kind => Some(FieldValue::owned(name.clone())),
        _ => None,
    }
}
