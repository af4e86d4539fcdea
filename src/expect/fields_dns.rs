//! Fields of DNS messages in datagrams. (Those over TCP are told by the
//! summary of `inspect`.)

use crate::message::dns::{Data, Flavour, Message, Record, parse};

use super::fields::{Field, FieldValue, Kind, Out, View, number};
use super::fields_ip::bit;

pub(super) const DNS: &[Field] = &[
    protocol("dns", "Domain Name System, in datagrams", |v, out| {
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
                out.extend(m.is_response().then(|| bit(m.is_authoritative())))
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
        |v, out| of_each(v, out, |m, out| out.push(bit(m.recursion_desired()))),
    ),
    flag(
        "dns.flags.recavail",
        "recursion is offered; answers only",
        |v, out| {
            of_each(v, out, |m, out| {
                out.extend(m.is_response().then(|| bit(m.recursion_available())))
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
        of_each(v, out, |m, out| out.push(number(m.counts[0])))
    }),
    header("dns.count.answers", 16, "how many answers", |v, out| {
        of_each(v, out, |m, out| out.push(number(m.counts[1])))
    }),
    header(
        "dns.count.auth_rr",
        16,
        "how many records of authorities",
        |v, out| of_each(v, out, |m, out| out.push(number(m.counts[2]))),
    ),
    header(
        "dns.count.add_rr",
        16,
        "how many additional records",
        |v, out| of_each(v, out, |m, out| out.push(number(m.counts[3]))),
    ),
    Field::new(
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
    ),
    Field::new(
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
    Field::new("dns.a", Kind::Ipv4, "IPv4 address of a record", |v, out| {
        records(v, out, |r| match &r.data {
            Data::A(address) => Some(FieldValue::Ip((*address).into())),
            _ => None,
        })
    }),
    Field::new(
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
    Field::new(
        "dns.cname",
        Kind::Text,
        "the name that another stands for",
        |v, out| records(v, out, |r| name(r, 5)),
    ),
    Field::new("dns.ns", Kind::Text, "name of a name server", |v, out| {
        records(v, out, |r| name(r, 2))
    }),
    Field::new(
        "dns.ptr.domain_name",
        Kind::Text,
        "the name of an address",
        |v, out| records(v, out, |r| name(r, 12)),
    ),
    Field::new(
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
    Field::new(
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

const fn protocol(name: &'static str, meaning: &'static str, extract: Extract) -> Field {
    Field::new(name, Kind::Protocol, meaning, extract)
}

const fn header(name: &'static str, bits: u8, meaning: &'static str, extract: Extract) -> Field {
    Field::new(name, Kind::Unsigned(bits), meaning, extract)
}

const fn flag(name: &'static str, meaning: &'static str, extract: Extract) -> Field {
    Field::new(name, Kind::Bool, meaning, extract)
}

/// The ports that DNS and its relatives have.
fn flavour(ports: (u16, u16)) -> Option<Flavour> {
    [ports.1, ports.0].into_iter().find_map(|port| match port {
        53 => Some(Flavour::Dns),
        5353 => Some(Flavour::Mdns),
        5355 => Some(Flavour::Llmnr),
        _ => None,
    })
}

/// The packet's own message, and a quoted one.
fn messages<'a>(v: &View<'a>) -> impl Iterator<Item = (Flavour, &'a [u8])> + use<'a> {
    let own = v
        .packet
        .udp()
        .map(|udp| ((udp.src_port, udp.dst_port), udp.payload));
    let quoted = v.quoted().filter(|q| q.protocol == 17).and_then(|q| {
        let ports = q.src_port.zip(q.dst_port)?;
        Some((ports, q.payload))
    });
    let data = v.data();
    own.into_iter()
        .chain(quoted)
        .filter_map(move |(ports, payload)| Some((flavour(ports)?, payload.of(data))))
}

fn whole<'a>(v: &View<'a>, out: &mut Out<'a, '_>, wanted: Flavour) {
    let mut messages = messages(v)
        .filter(|(flavour, bytes)| *flavour == wanted && parse(bytes, *flavour).is_some());
    out.extend(messages.by_ref().map(|(_, bytes)| FieldValue::whole(bytes)));
}

fn of_each<'a>(v: &View<'a>, out: &mut Out<'a, '_>, values: impl Fn(&Message, &mut Out<'a, '_>)) {
    for (flavour, bytes) in messages(v) {
        if let Some(message) = parse(bytes, flavour) {
            values(&message, out);
        }
    }
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
