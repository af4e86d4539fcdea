//! Fields of TCP and UDP.

use crate::conversation::{Seen, SeenTcp, WindowScaling};
use crate::decode::{Net, Quoted, Tcp, TcpFlags, TcpOption, Transport, Udp};
use crate::savefile::Protocol;

use super::fields::{Alike, Facts, Field, FieldValue, Kind, Needs, Out, View, number};
use super::fields_ip::{SET, STATUS};

const IP_PROTOCOL_TCP: u8 = 6;
const IP_PROTOCOL_UDP: u8 = 17;

pub(super) const TCP: &[Field] = &[
    Field::new(
        "tcp",
        Kind::Protocol,
        "Transmission Control Protocol",
        |v, out| {
            out.extend(tcp(v).map(|t| {
                let len = t.header.len as usize + t.payload.len as usize;
                FieldValue::Layer {
                    header: t.header.len as usize,
                    bytes: v.slice(t.header.start, len),
                }
            }));
            out.extend(quoted(v, IP_PROTOCOL_TCP).map(|_| FieldValue::whole(&[])));
        },
    )
    .alike(Alike::Kind),
    Field::new(
        "tcp.srcport",
        Kind::Unsigned(16),
        "source port",
        |v, out| {
            out.extend(tcp(v).map(|t| number(t.src_port)));
            out.extend(
                quoted(v, IP_PROTOCOL_TCP)
                    .and_then(|q| q.src_port)
                    .map(number),
            );
        },
    )
    .alike(Alike::Flow),
    Field::new(
        "tcp.dstport",
        Kind::Unsigned(16),
        "destination port",
        |v, out| {
            out.extend(tcp(v).map(|t| number(t.dst_port)));
            out.extend(
                quoted(v, IP_PROTOCOL_TCP)
                    .and_then(|q| q.dst_port)
                    .map(number),
            );
        },
    )
    .alike(Alike::Flow),
    Field::new("tcp.port", Kind::Unsigned(16), "either port", |v, out| {
        out.extend(
            tcp(v)
                .into_iter()
                .flat_map(|t| [number(t.src_port), number(t.dst_port)]),
        );
        out.extend(quoted_ports(v, IP_PROTOCOL_TCP));
    })
    .alike(Alike::Flow),
    Field::new(
        "tcp.stream",
        Kind::Unsigned(32),
        "number of the TCP conversation, from 0",
        |v, out| out.extend(stream(v, Protocol::Tcp)),
    )
    .alike(Alike::Flow)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.completeness",
        Kind::Unsigned(8),
        "what was seen of the conversation: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32",
        |v, out| {
            let known = v.conversation().and_then(|c| c.completeness);
            let so_far = seen(v).map(|s| s.completeness);
            out.extend(tcp(v).and(known.or(so_far)).map(number));
        },
    )
    .alike(Alike::Flow)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.len",
        Kind::Unsigned(32),
        "payload length in bytes",
        |v, out| out.extend(tcp(v).map(|t| number(t.len))),
    ),
    Field::new(
        "tcp.seq",
        Kind::Unsigned(32),
        "sequence number, relative to the first of its direction; as sent in a quoted segment",
        |v, out| {
            out.extend(seen(v).map(|s| number(s.seq)));
            out.extend(quoted(v, IP_PROTOCOL_TCP).and_then(|q| q.seq).map(number));
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.seq_raw",
        Kind::Unsigned(32),
        "sequence number as sent",
        |v, out| out.extend(tcp(v).map(|t| number(t.seq))),
    ),
    Field::new(
        "tcp.nxtseq",
        Kind::Unsigned(32),
        "next sequence number, relative",
        |v, out| out.extend(seen(v).map(|s| number(s.next_seq))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.ack",
        Kind::Unsigned(32),
        "acknowledgment number, relative",
        |v, out| out.extend(seen(v).map(|s| number(s.ack))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.ack_raw",
        Kind::Unsigned(32),
        "acknowledgment number as sent",
        |v, out| out.extend(tcp(v).map(|t| number(t.ack))),
    ),
    Field::new(
        "tcp.hdr_len",
        Kind::Unsigned(8),
        "header length in bytes, options included",
        |v, out| out.extend(tcp(v).map(|t| number(t.claimed_header_len(v.data())))),
    ),
    Field::new(
        "tcp.flags",
        Kind::Unsigned(12),
        "the twelve flag bits",
        |v, out| out.extend(tcp(v).map(|t| number(t.flags.0))),
    )
    .alike(Alike::Kind),
    Field::new("tcp.flags.res", Kind::Bool, "reserved bits", |v, out| {
        out.extend(tcp(v).map(|t| number(u8::from(t.flags.0 & 0xe00 != 0))))
    })
    .alike(Alike::Kind),
    Field::new("tcp.flags.ae", Kind::Bool, "accurate ECN", |v, out| {
        out.extend(flag(v, TcpFlags::AE))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new(
        "tcp.flags.cwr",
        Kind::Bool,
        "congestion window reduced",
        |v, out| out.extend(flag(v, TcpFlags::CWR)),
    )
    .alike(Alike::Kind)
    .names(SET),
    Field::new("tcp.flags.ece", Kind::Bool, "ECN echo", |v, out| {
        out.extend(flag(v, TcpFlags::ECE))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new("tcp.flags.urg", Kind::Bool, "URG", |v, out| {
        out.extend(flag(v, TcpFlags::URG))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new("tcp.flags.ack", Kind::Bool, "ACK", |v, out| {
        out.extend(flag(v, TcpFlags::ACK))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new("tcp.flags.push", Kind::Bool, "PSH", |v, out| {
        out.extend(flag(v, TcpFlags::PSH))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new("tcp.flags.reset", Kind::Bool, "RST", |v, out| {
        out.extend(flag(v, TcpFlags::RST))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new("tcp.flags.syn", Kind::Bool, "SYN", |v, out| {
        out.extend(flag(v, TcpFlags::SYN))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new("tcp.flags.fin", Kind::Bool, "FIN", |v, out| {
        out.extend(flag(v, TcpFlags::FIN))
    })
    .alike(Alike::Kind)
    .names(SET),
    Field::new(
        "tcp.flags.str",
        Kind::Text,
        "the flags as letters, a middle dot for each that is not set",
        |v, out| out.extend(tcp(v).map(|t| FieldValue::owned(flag_letters(t.flags)))),
    )
    .alike(Alike::Kind),
    Field::new(
        "tcp.window_size_value",
        Kind::Unsigned(16),
        "window as sent, not scaled",
        |v, out| out.extend(tcp(v).map(|t| number(t.window))),
    ),
    Field::new(
        "tcp.window_size",
        Kind::Unsigned(32),
        "window in bytes, scaled where the handshake was seen",
        |v, out| out.extend(seen(v).map(|s| number(s.window))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.window_size_scalefactor",
        Kind::Signed(32),
        "factor of the window; -1 where the handshake was not seen, -2 where it is not used",
        |v, out| {
            let unscaled = |t: &Tcp| t.flags.syn();
            let scaled = tcp(v).filter(|t| !unscaled(t)).and_then(|_| seen(v));
            out.extend(scaled.map(|s| match s.scaling {
                WindowScaling::Unknown => number(-1),
                WindowScaling::NotUsed => number(-2),
                WindowScaling::Shift(shift) => number(1i64 << shift.min(14)),
            }));
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new("tcp.checksum", Kind::Unsigned(16), "checksum", |v, out| {
        out.extend(tcp(v).map(|t| number(t.checksum)))
    }),
    Field::new(
        "tcp.checksum.status",
        Kind::Unsigned(8),
        "checksum: 0 bad, 1 good, 2 not verified, which is Wireshark's default",
        |v, out| out.extend(tcp(v).map(|_| number(2u8))),
    )
    .names(STATUS),
    Field::new(
        "tcp.urgent_pointer",
        Kind::Unsigned(16),
        "urgent pointer",
        |v, out| out.extend(tcp(v).map(|t| number(t.urgent))),
    ),
    Field::new("tcp.options", Kind::Bytes, "all options", |v, out| {
        let options = tcp(v)
            .map(|t| t.options_span().of(v.data()))
            .filter(|o| !o.is_empty());
        out.extend(options.map(FieldValue::bytes));
    }),
    Field::new(
        "tcp.option_kind",
        Kind::Unsigned(8),
        "kind of each option",
        |v, out| out.extend(options(v).map(|o| number(o.kind()))),
    ),
    Field::new(
        "tcp.option_len",
        Kind::Unsigned(8),
        "length of each option that has one",
        |v, out| {
            out.extend(whole_options(v).filter_map(|o| Some(number(*o.get(1)?))));
        },
    ),
    Field::new(
        "tcp.options.nop",
        Kind::Protocol,
        "no operation: a byte between options",
        |v, out| of_kind(v, out, 1),
    ),
    Field::new(
        "tcp.options.eol",
        Kind::Protocol,
        "the end of the options",
        |v, out| of_kind(v, out, 0),
    ),
    Field::new(
        "tcp.options.mss",
        Kind::Protocol,
        "maximum segment size: the option",
        |v, out| of_kind(v, out, 2),
    ),
    Field::new(
        "tcp.options.wscale",
        Kind::Protocol,
        "window scale: the option",
        |v, out| of_kind(v, out, 3),
    ),
    Field::new(
        "tcp.options.sack",
        Kind::Protocol,
        "selective acknowledgments: the option",
        |v, out| of_kind(v, out, 5),
    ),
    Field::new(
        "tcp.options.sack.count",
        Kind::Unsigned(8),
        "how many selective acknowledgments",
        |v, out| {
            let sacks = whole_options(v).filter(|o| o.first() == Some(&5));
            out.extend(sacks.map(|o| number(o.len().saturating_sub(2) as u64 / 8)));
        },
    ),
    Field::new(
        "tcp.options.timestamp",
        Kind::Protocol,
        "time stamps: the option",
        |v, out| of_kind(v, out, 8),
    ),
    Field::new(
        "tcp.options.md5",
        Kind::Protocol,
        "MD5 signature (RFC 2385): the option",
        |v, out| of_kind(v, out, 19),
    ),
    Field::new(
        "tcp.options.tfo",
        Kind::Protocol,
        "TCP Fast Open (RFC 7413): the option",
        |v, out| of_kind(v, out, 34),
    ),
    Field::new(
        "tcp.options.mss_val",
        Kind::Unsigned(16),
        "maximum segment size",
        |v, out| {
            out.extend(options(v).filter_map(|o| match o {
                TcpOption::MaximumSegmentSize(size) => Some(number(size)),
                _ => None,
            }))
        },
    ),
    Field::new(
        "tcp.options.wscale.shift",
        Kind::Unsigned(8),
        "window scale: the shift count",
        |v, out| out.extend(window_scale(v).map(number)),
    ),
    Field::new(
        "tcp.options.wscale.multiplier",
        Kind::Unsigned(16),
        "window scale: the factor",
        |v, out| out.extend(window_scale(v).map(|shift| number(1u16 << shift.min(14)))),
    ),
    Field::new(
        "tcp.options.sack_perm",
        Kind::Protocol,
        "selective acknowledgments are allowed",
        |v, out| of_kind(v, out, 4),
    ),
    Field::new(
        "tcp.options.sack_le",
        Kind::Unsigned(32),
        "left edge of each selective acknowledgment, relative",
        |v, out| out.extend(sack(v).map(|(left, _)| number(left))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.options.sack_re",
        Kind::Unsigned(32),
        "right edge of each selective acknowledgment, relative",
        |v, out| out.extend(sack(v).map(|(_, right)| number(right))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.options.timestamp.tsval",
        Kind::Unsigned(32),
        "time stamp",
        |v, out| out.extend(timestamps(v).map(|(value, _)| number(value))),
    ),
    Field::new(
        "tcp.options.timestamp.tsecr",
        Kind::Unsigned(32),
        "time stamp that is echoed",
        |v, out| out.extend(timestamps(v).map(|(_, echo)| number(echo))),
    ),
    Field::new("tcp.payload", Kind::Bytes, "payload", |v, out| {
        // Wireshark shows that of a RST as its cause (RFC 9293, section 3.5.3).
        let payload = tcp(v)
            .filter(|t| !t.flags.rst())
            .map(|t| t.payload.of(v.data()))
            .filter(|p| !p.is_empty());
        out.extend(payload.map(FieldValue::bytes));
    }),
    Field::new(
        "tcp.time_relative",
        Kind::Time,
        "seconds since the first packet of the conversation",
        |v, out| out.extend(timed(v).map(|s| number(s.time_relative))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.time_delta",
        Kind::Time,
        "seconds since the packet before in the conversation",
        |v, out| out.extend(timed(v).map(|s| number(s.time_delta))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.connection.syn",
        Kind::Label,
        "a connection is asked for (SYN)",
        |v, out| label(out, tcp(v).is_some_and(|t| t.flags.syn() && !t.flags.ack())),
    ),
    Field::new(
        "tcp.connection.synack",
        Kind::Label,
        "a connection is accepted (SYN, ACK)",
        |v, out| label(out, tcp(v).is_some_and(|t| t.flags.syn() && t.flags.ack())),
    ),
    Field::new("tcp.connection.fin", Kind::Label, "a FIN", |v, out| {
        label(out, tcp(v).is_some_and(|t| t.flags.fin()))
    }),
    Field::new("tcp.connection.rst", Kind::Label, "a RST", |v, out| {
        label(out, tcp(v).is_some_and(|t| t.flags.rst()))
    }),
];

pub(super) const UDP: &[Field] = &[
    Field::new("udp", Kind::Protocol, "User Datagram Protocol", |v, out| {
        out.layers(udps(v).map(|u| FieldValue::Layer {
            header: 8,
            bytes: v.slice(u.header.start, usize::from(u.length)),
        }));
        out.extend(quoted(v, IP_PROTOCOL_UDP).map(|q| {
            let start = q.payload.start.saturating_sub(8);
            FieldValue::Layer {
                header: 8,
                bytes: v.slice(start, 8 + q.payload.len as usize),
            }
        }));
    })
    .alike(Alike::Kind),
    Field::new(
        "udp.srcport",
        Kind::Unsigned(16),
        "source port",
        |v, out| {
            out.layers(udps(v).map(|u| number(u.src_port)));
            out.extend(
                quoted(v, IP_PROTOCOL_UDP)
                    .and_then(|q| q.src_port)
                    .map(number),
            );
        },
    )
    .alike(Alike::Flow),
    Field::new(
        "udp.dstport",
        Kind::Unsigned(16),
        "destination port",
        |v, out| {
            out.layers(udps(v).map(|u| number(u.dst_port)));
            out.extend(
                quoted(v, IP_PROTOCOL_UDP)
                    .and_then(|q| q.dst_port)
                    .map(number),
            );
        },
    )
    .alike(Alike::Flow),
    Field::new("udp.port", Kind::Unsigned(16), "either port", |v, out| {
        for udp in udps(v) {
            out.push(number(udp.src_port));
            out.push(number(udp.dst_port));
            out.next_layer();
        }
        out.extend(quoted_ports(v, IP_PROTOCOL_UDP));
    })
    .alike(Alike::Flow),
    Field::new(
        "udp.length",
        Kind::Unsigned(16),
        "length in bytes: the header's 8 and the payload",
        |v, out| {
            out.layers(udps(v).map(|u| number(u.length)));
            out.extend(
                quoted(v, IP_PROTOCOL_UDP)
                    .and_then(|q| q.udp_length)
                    .map(number),
            );
        },
    ),
    Field::new("udp.checksum", Kind::Unsigned(16), "checksum", |v, out| {
        out.layers(udps(v).map(|u| number(u.checksum)));
        out.extend(quoted_udp_checksum(v).map(number));
    }),
    Field::new(
        "udp.checksum.status",
        Kind::Unsigned(8),
        "checksum: 0 bad, 1 good, 2 not verified, which is Wireshark's default, 3 absent, \
         4 absent over IPv6",
        |v, out| {
            let status = |checksum: u16, absent: u8| match checksum {
                0 => number(absent),
                _ => number(2u8),
            };
            // RFC 8200, section 8.1; what is quoted is another's fault.
            out.layers(datagrams(v).map(|(net, u)| match net {
                Net::V4(_) => status(u.checksum, 3),
                Net::V6(_) => status(u.checksum, 4),
            }));
            out.extend(quoted_udp_checksum(v).map(|checksum| status(checksum, 3)));
        },
    )
    .names(STATUS),
    Field::new(
        "udp.stream",
        Kind::Unsigned(32),
        "number of the UDP conversation, from 0; of a tunnel's first",
        |v, out| {
            out.extend(v.tunnel().map(|tunnel| number(tunnel.id)));
            out.extend(stream(v, Protocol::Udp));
        },
    )
    .alike(Alike::Flow)
    .needs(Needs::CONVERSATION),
    Field::new("udp.payload", Kind::Bytes, "payload", |v, out| {
        let own = udps(v).map(|u| u.payload);
        let quoted = quoted(v, IP_PROTOCOL_UDP).map(|q| q.payload);
        let payloads = own.chain(quoted).map(|p| p.of(v.data()));
        out.extend(payloads.filter(|p| !p.is_empty()).map(FieldValue::bytes));
    }),
    Field::new(
        "udp.time_relative",
        Kind::Time,
        "seconds since the first packet of the conversation",
        |v, out| {
            let of = |facts: Facts| v.packet.time.elapsed(facts.first).map(number);
            out.extend(v.tunnel().and_then(of));
            let with_payload = udp(v).filter(|u| u.length != 8);
            out.extend(with_payload.and_then(|_| v.conversation()).and_then(of));
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "udp.time_delta",
        Kind::Time,
        "seconds since the packet before in the conversation",
        |v, out| {
            let deltas = |seen: &Seen| [v.tunnel().and(seen.tunnel_delta), seen.udp_delta];
            out.extend(
                v.seen
                    .map(deltas)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(number),
            );
        },
    )
    .needs(Needs::CONVERSATION),
];

pub(super) fn tcp<'a>(v: &View<'a>) -> Option<&'a Tcp> {
    v.packet.tcp()
}

fn udp<'a>(v: &View<'a>) -> Option<&'a Udp> {
    v.packet.udp()
}

/// The datagrams in question: those that carry the packet, then its own.
fn udps<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Udp> + use<'a> {
    datagrams(v).map(|(_, udp)| udp)
}

/// The same, each with the header before it.
fn datagrams<'a>(v: &View<'a>) -> impl Iterator<Item = (&'a Net, &'a Udp)> + use<'a> {
    let outer = v.outer().iter().filter_map(|outer| match &outer.transport {
        Transport::Udp(udp) => Some((&outer.net, udp)),
        _ => None,
    });
    outer.chain(v.packet.net.as_ref().zip(udp(v)))
}

pub(super) fn seen<'a>(v: &View<'a>) -> Option<&'a SeenTcp> {
    tcp(v).and(v.seen)?.tcp.as_ref()
}

/// The same, of a packet whose time is known.
fn timed<'a>(v: &View<'a>) -> Option<&'a SeenTcp> {
    seen(v).filter(|_| v.packet.time.is_known())
}

fn options<'a>(v: &View<'a>) -> impl Iterator<Item = TcpOption> + use<'a> {
    let frame = v.data();
    tcp(v).into_iter().flat_map(move |t| t.options(frame))
}

/// Each option as sent, its kind first. What is cut off is left out.
fn whole_options<'a>(v: &View<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let mut rest = tcp(v).map_or(&[][..], |t| t.options_span().of(v.data()));
    std::iter::from_fn(move || {
        let len = match rest.first()? {
            0 | 1 => 1,
            _ => usize::from(*rest.get(1)?).max(2),
        };
        let option = rest.get(..len)?;
        // What stands behind the end is padding.
        rest = match option {
            [0] => &[],
            _ => rest.get(len..)?,
        };
        Some(option)
    })
}

fn of_kind<'a>(v: &View<'a>, out: &mut Out<'a, '_>, kind: u8) {
    let options = whole_options(v).filter(|o| o.first() == Some(&kind));
    out.extend(options.map(FieldValue::whole));
}

fn window_scale<'a>(v: &View<'a>) -> impl Iterator<Item = u8> + use<'a> {
    options(v).filter_map(|o| match o {
        TcpOption::WindowScale(shift) => Some(shift),
        _ => None,
    })
}

fn sack<'a>(v: &View<'a>) -> impl Iterator<Item = (u32, u32)> + use<'a> {
    let blocks = options(v).filter_map(|o| match o {
        TcpOption::Sack(blocks) => Some(blocks),
        _ => None,
    });
    // What `tcp.ack` is relative to, the edges are too.
    let first = match (tcp(v), seen(v)) {
        (Some(tcp), Some(seen)) if tcp.flags.ack() => tcp.ack.wrapping_sub(seen.ack),
        _ => 0,
    };
    let relative = move |edge: u32| edge.wrapping_sub(first);
    blocks
        .flatten()
        .flatten()
        .map(move |(left, right)| (relative(left), relative(right)))
}

fn timestamps<'a>(v: &View<'a>) -> impl Iterator<Item = (u32, u32)> + use<'a> {
    options(v).filter_map(|o| match o {
        TcpOption::Timestamps { value, echo_reply } => Some((value, echo_reply)),
        _ => None,
    })
}

fn flag(v: &View<'_>, bit: u16) -> Option<FieldValue<'static>> {
    tcp(v).map(|t| number(u8::from(t.flags.has(bit))))
}

pub(super) fn label(out: &mut Out<'_, '_>, present: bool) {
    if present {
        out.push(FieldValue::bytes(&[]));
    }
}

/// The quoted packet, if a header of this protocol is in it: not that of a later
/// fragment, nor of one that was cut behind its IP header.
fn quoted<'a>(v: &View<'a>, protocol: u8) -> Option<&'a Quoted> {
    v.quoted()
        .filter(|q| q.protocol == protocol && q.src_port.is_some())
}

fn quoted_ports<'a>(v: &View<'a>, protocol: u8) -> impl Iterator<Item = FieldValue<'a>> + use<'a> {
    let quoted = quoted(v, protocol);
    let ports = [
        quoted.and_then(|q| q.src_port),
        quoted.and_then(|q| q.dst_port),
    ];
    ports.into_iter().flatten().map(number)
}

/// The last two bytes of a quoted datagram's header.
fn quoted_udp_checksum(v: &View<'_>) -> Option<u16> {
    let end = quoted(v, IP_PROTOCOL_UDP)?.payload.start;
    let bytes = v.data().get(end.checked_sub(2)? as usize..end as usize)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

/// The number of the conversation of this protocol; for an ICMP error, where
/// quoted headers count, that of the conversation it is about.
fn stream(v: &View<'_>, protocol: Protocol) -> Option<FieldValue<'static>> {
    let own = v.packet.ports().is_some();
    let conversation = v.conversation().filter(|c| c.protocol == protocol)?;
    (own || v.quoted().is_some()).then(|| number(conversation.id))
}

/// As Wireshark's `tcp.flags.str`: twelve places, most significant bit first.
fn flag_letters(flags: TcpFlags) -> String {
    "RRRACEUAPRSF"
        .chars()
        .enumerate()
        .map(|(place, letter)| {
            let set = flags.0 & (0x800 >> place) != 0;
            if set { letter } else { '·' }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_written_as_wireshark_writes_them() {
        assert_eq!(flag_letters(TcpFlags(0x012)), "·······A··S·");
        assert_eq!(flag_letters(TcpFlags(0x1ff)), "···ACEUAPRSF");
    }
}
