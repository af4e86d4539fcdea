//! Trace to `packets[]`.

use std::collections::BTreeSet;

use super::build::role_name;
use super::comments::Comments;
use super::http::{HttpHeads, hex};
use super::packet::{
    Analysis, Checksum, DsField, Eth, Flags, FragmentHeader, Frame, Icmp, Ip, IpFlags, Ipv6, Null,
    Packet, Payload, Quoted, QuotedIp, QuotedTcp, QuotedUdp, Sll, Tcp, TcpOptions, TcpTimestamp,
    Trouble, Udp, Vlan, WindowScale,
};
use crate::conversation::{Seen, SeenTcp};
use crate::decode::{
    self, ChecksumStatus, Link, Net, TcpFlags, TcpOption, Transport, checksum_status,
};
use crate::expect::{Outcome, icmp};
use crate::savefile::Timestamp;
use crate::trace::Trace;

/// Payload bytes that a packet of the document shows at most.
const PAYLOAD_LIMIT: usize = 2048;

/// ICMP type 3 code 4: fragmentation needed.
const FRAGMENTATION_NEEDED: (u8, u8) = (3, 4);
/// ICMPv6 type 2: packet too big.
const PACKET_TOO_BIG: u8 = 2;

pub(super) fn packets(
    trace: &Trace,
    heads: &HttpHeads,
    outcomes: &[Outcome],
    displayed: Option<&BTreeSet<u64>>,
) -> Vec<Packet> {
    let comments = Comments::new(trace, outcomes);
    trace
        .packets
        .iter()
        .enumerate()
        .filter(|(_, p)| displayed.is_none_or(|numbers| numbers.contains(&p.number)))
        .map(|(index, packet)| {
            let mut shown = shown(trace, index, packet);
            shown.http = heads.on(index);
            shown.comment = comments.on(shown.frame.number, shown.from.as_deref());
            shown
        })
        .collect()
}

/// One packet without what needs the rest of the trace.
fn shown(trace: &Trace, index: usize, packet: &decode::Packet) -> Packet {
    let nothing = Seen::default();
    let seen = trace.seen.get(index).unwrap_or(&nothing);
    let frame = trace.frame(index);
    let start = trace.packets.first().map_or(packet.time, |p| p.time);
    let stream = seen
        .conversation
        .and_then(|c| trace.conversations.get(c))
        .map(|c| c.id);
    let mut shown = Packet {
        frame: frame_part(packet, start),
        conversation: seen.conversation,
        after_stop: trace.after_stop(index),
        trouble: packet.trouble.as_ref().map(trouble),
        ..Packet::default()
    };
    if let Some(ends) = trace.ends.get(index) {
        shown.from = role_name(trace, ends.from);
        shown.to = role_name(trace, ends.to);
    }
    link(&mut shown, &packet.link);
    let status = checksum_status(packet, frame);
    let sum = |value| checksum(value, status.transport);
    match &packet.net {
        Some(Net::V4(ipv4)) => shown.ip = Some(ip(ipv4, status.ip)),
        Some(Net::V6(net)) => shown.ipv6 = Some(ipv6(net)),
        None => {}
    }
    match &packet.transport {
        Transport::Tcp(segment) => {
            shown.tcp = Some(tcp(
                segment,
                seen.tcp.as_ref(),
                stream,
                frame,
                sum(segment.checksum),
            ));
        }
        Transport::Udp(datagram) => {
            shown.udp = Some(udp(datagram, stream, frame, sum(datagram.checksum)))
        }
        Transport::Icmp(message) => {
            let quotes = quoted_number(trace, seen);
            let sum = sum(message.checksum);
            shown.icmp = Some(icmp_part(message, false, quotes, frame, sum));
        }
        Transport::Icmpv6(message) => {
            let quotes = quoted_number(trace, seen);
            let sum = sum(message.checksum);
            shown.icmpv6 = Some(icmp_part(message, true, quotes, frame, sum));
        }
        Transport::Fragment | Transport::Other { .. } | Transport::None => {}
    }
    shown
}

fn frame_part(packet: &decode::Packet, start: Timestamp) -> Frame {
    let seconds = |nanoseconds: i64| nanoseconds as f64 / 1e9;
    Frame {
        number: packet.number,
        time_relative: Some(seconds(packet.time.since(start))),
        time_epoch: Some(seconds(packet.time.0)),
        len: packet.len,
        cap_len: packet.cap_len,
    }
}

fn link(shown: &mut Packet, link: &Link) {
    match link {
        Link::Ethernet(eth) => {
            shown.eth = Some(Eth {
                dst: mac(&eth.dst),
                src: mac(&eth.src),
                kind: eth.ethertype,
            });
            shown.vlan = eth.vlan.iter().flatten().map(|&id| Vlan { id }).collect();
        }
        Link::LinuxCooked {
            packet_type,
            ethertype,
        } => {
            shown.sll = Some(Sll {
                pkttype: *packet_type,
                etype: *ethertype,
            });
        }
        Link::Null { family } => shown.null = Some(Null { family: *family }),
        Link::Raw | Link::Unknown => {}
    }
}

fn mac(bytes: &[u8; 6]) -> String {
    bytes.map(|b| format!("{b:02x}")).join(":")
}

/// A checksum that cannot be verified for want of bytes is `unverified`.
fn checksum(value: u16, status: Option<ChecksumStatus>) -> Checksum {
    Checksum {
        value,
        status: status.unwrap_or(ChecksumStatus::Unverified),
    }
}

fn ip(ip: &decode::Ipv4, status: Option<ChecksumStatus>) -> Ip {
    Ip {
        src: ip.src,
        dst: ip.dst,
        hdr_len: ip.header.len,
        dsfield: DsField {
            value: ip.dscp << 2 | ip.ecn,
            dscp: ip.dscp,
            ecn: ip.ecn,
        },
        len: ip.total_len,
        id: Some(ip.id),
        flags: IpFlags {
            df: ip.dont_fragment,
            mf: ip.more_fragments,
        },
        frag_offset: ip.fragment_offset / 8,
        ttl: ip.ttl,
        proto: ip.protocol,
        checksum: Some(checksum(ip.checksum, status)),
    }
}

fn ipv6(ip: &decode::Ipv6) -> Ipv6 {
    Ipv6 {
        src: ip.src,
        dst: ip.dst,
        tclass: DsField {
            value: ip.traffic_class,
            dscp: ip.traffic_class >> 2,
            ecn: ip.traffic_class & 3,
        },
        flow: Some(ip.flow_label),
        plen: ip.payload_len,
        nxt: ip.next_header,
        hlim: ip.hop_limit,
        fraghdr: ip.fragment.map(|f| FragmentHeader {
            ident: Some(f.id),
            offset: f.offset / 8,
            more: f.more,
        }),
    }
}

fn tcp(
    tcp: &decode::Tcp,
    seen: Option<&SeenTcp>,
    stream: Option<u32>,
    frame: &[u8],
    checksum: Checksum,
) -> Tcp {
    let with_ack = tcp.flags.ack();
    Tcp {
        srcport: tcp.src_port.into(),
        dstport: tcp.dst_port.into(),
        stream,
        flags: flags(tcp.flags),
        seq: seen.map(|s| s.seq),
        seq_raw: Some(tcp.seq),
        nxtseq: seen.map(|s| s.next_seq),
        ack: seen.filter(|_| with_ack).map(|s| s.ack),
        ack_raw: with_ack.then_some(tcp.ack),
        hdr_len: tcp.header.len,
        len: tcp.len,
        window_size_value: Some(tcp.window),
        window_size: seen.map(|s| s.window),
        checksum: Some(checksum),
        urgent_pointer: tcp.flags.has(TcpFlags::URG).then_some(tcp.urgent),
        options: options(tcp, frame),
        analysis: seen.map(analysis).filter(|a| *a != Analysis::default()),
        payload: payload(tcp.payload.of(frame)),
    }
}

fn flags(flags: TcpFlags) -> Flags {
    /// Wireshark's order: the highest bit first.
    const LETTERS: [(u16, char); 9] = [
        (TcpFlags::AE, 'A'),
        (TcpFlags::CWR, 'C'),
        (TcpFlags::ECE, 'E'),
        (TcpFlags::URG, 'U'),
        (TcpFlags::ACK, 'A'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::SYN, 'S'),
        (TcpFlags::FIN, 'F'),
    ];
    Flags {
        value: flags.0,
        letters: LETTERS
            .iter()
            .filter(|(bit, _)| flags.has(*bit))
            .map(|(_, letter)| letter)
            .collect(),
        syn: flags.syn(),
        ack: flags.ack(),
        fin: flags.fin(),
        reset: flags.rst(),
        push: flags.has(TcpFlags::PSH),
        urg: flags.has(TcpFlags::URG),
        ece: flags.has(TcpFlags::ECE),
        cwr: flags.has(TcpFlags::CWR),
        ae: flags.has(TcpFlags::AE),
    }
}

/// None where the header has no options.
fn options(tcp: &decode::Tcp, frame: &[u8]) -> Option<TcpOptions> {
    let mut shown = TcpOptions::default();
    let mut any = false;
    for option in tcp.options(frame) {
        any = true;
        match option {
            TcpOption::EndOfList | TcpOption::NoOperation => {}
            TcpOption::MaximumSegmentSize(size) => shown.mss_val = Some(size),
            TcpOption::WindowScale(shift) => shown.wscale = Some(WindowScale { shift }),
            TcpOption::SackPermitted => shown.sack_perm = true,
            TcpOption::Sack(blocks) => {
                for (left, right) in blocks.into_iter().flatten() {
                    shown.sack_le.push(left);
                    shown.sack_re.push(right);
                }
            }
            TcpOption::Timestamps { value, echo_reply } => {
                shown.timestamp = Some(TcpTimestamp {
                    tsval: Some(value),
                    tsecr: Some(echo_reply),
                });
            }
            TcpOption::Unknown { kind, .. } | TcpOption::Malformed { kind } => {
                shown.unknown.push(kind);
            }
        }
    }
    any.then_some(shown)
}

fn analysis(seen: &SeenTcp) -> Analysis {
    Analysis {
        retransmission: seen.retransmission,
        out_of_order: seen.out_of_order,
        duplicate_ack: seen.duplicate_ack,
        keep_alive: seen.keep_alive,
        keep_alive_ack: seen.keep_alive_ack,
        window_update: seen.window_update,
        zero_window: seen.zero_window,
    }
}

fn udp(udp: &decode::Udp, stream: Option<u32>, frame: &[u8], checksum: Checksum) -> Udp {
    Udp {
        srcport: udp.src_port.into(),
        dstport: udp.dst_port.into(),
        stream,
        length: udp.length,
        checksum: Some(checksum),
        payload: payload(udp.payload.of(frame)),
    }
}

fn quoted_number(trace: &Trace, seen: &Seen) -> Option<u64> {
    let packet = trace.packets.get(seen.quotes?)?;
    Some(packet.number)
}

fn icmp_part(
    message: &decode::Icmp,
    v6: bool,
    quotes: Option<u64>,
    frame: &[u8],
    checksum: Checksum,
) -> Icmp {
    let [a, b, c, d] = message.rest;
    let kind_and_code = (message.kind, message.code);
    let echo = if v6 {
        matches!(message.kind, 128 | 129)
    } else {
        matches!(message.kind, 0 | 8)
    };
    let mtu = match (v6, kind_and_code) {
        (false, FRAGMENTATION_NEEDED) => Some(u32::from(u16::from_be_bytes([c, d]))),
        (true, (PACKET_TOO_BIG, _)) => Some(u32::from_be_bytes(message.rest)),
        _ => None,
    };
    Icmp {
        kind: message.kind,
        code: message.code,
        name: icmp::name_of(v6, message.kind, message.code),
        checksum: Some(checksum),
        ident: echo.then(|| u16::from_be_bytes([a, b])),
        seq: echo.then(|| u16::from_be_bytes([c, d])),
        mtu,
        quoted: message.quoted.as_ref().map(|q| quoted(q, quotes, frame)),
    }
}

fn quoted(quoted: &decode::Quoted, number: Option<u64>, frame: &[u8]) -> Quoted {
    const TCP: u8 = 6;
    const UDP: u8 = 17;
    let addresses = QuotedIp {
        src: quoted.net.src(),
        dst: quoted.net.dst(),
        proto: quoted.protocol,
    };
    let (ip, ipv6) = match quoted.net {
        Net::V4(_) => (Some(addresses), None),
        Net::V6(_) => (None, Some(addresses)),
    };
    let ports = quoted.src_port.zip(quoted.dst_port);
    Quoted {
        frame: number,
        ip,
        ipv6,
        udp: ports
            .filter(|_| quoted.protocol == UDP)
            .map(|(src, dst)| QuotedUdp {
                srcport: src.into(),
                dstport: dst.into(),
                length: quoted.udp_length,
                payload: payload(quoted.payload.of(frame)),
            }),
        tcp: ports
            .filter(|_| quoted.protocol == TCP)
            .map(|(src, dst)| QuotedTcp {
                srcport: src.into(),
                dstport: dst.into(),
                seq_raw: quoted.seq,
            }),
    }
}

/// None where there is no byte.
fn payload(bytes: &[u8]) -> Option<Payload> {
    if bytes.is_empty() {
        return None;
    }
    let cut = bytes.len() > PAYLOAD_LIMIT;
    let shown = bytes.get(..PAYLOAD_LIMIT).unwrap_or(bytes);
    let text = match std::str::from_utf8(shown) {
        Ok(text) => Some(text),
        // The bound may have cut a character in two: that is still text.
        Err(e) if cut && e.error_len().is_none() => shown
            .get(..e.valid_up_to())
            .and_then(|whole| std::str::from_utf8(whole).ok()),
        Err(_) => None,
    };
    Some(Payload {
        text: text.map(str::to_owned),
        hex: text.is_none().then(|| hex(shown)),
        cut,
    })
}

fn trouble(trouble: &decode::Trouble) -> Trouble {
    match trouble {
        decode::Trouble::Malformed { layer, reason } => Trouble::Malformed {
            layer: (*layer).to_owned(),
            reason: reason.clone(),
        },
        decode::Trouble::Truncated { layer } => Trouble::Truncated {
            layer: (*layer).to_owned(),
        },
        decode::Trouble::Unknown { what, number } => Trouble::Unknown {
            layer: (*what).to_owned(),
            number: *number,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_text_hex_or_nothing() {
        assert_eq!(payload(b""), None);
        assert_eq!(payload("hé\n".as_bytes()).unwrap().text.unwrap(), "hé\n");
        let binary = payload(&[0xff, 0x00]).unwrap();
        assert_eq!((binary.text, binary.hex.as_deref()), (None, Some("ff00")));
    }

    #[test]
    fn a_character_cut_by_the_bound_is_still_text() {
        let long = "é".repeat(PAYLOAD_LIMIT);
        let odd = format!("a{long}");
        let shown = payload(odd.as_bytes()).unwrap();
        assert!(shown.cut);
        assert_eq!(shown.text.unwrap().len(), PAYLOAD_LIMIT - 1);
    }

    /// As Wireshark shows it, and not in bytes as decoded.
    #[test]
    fn fragment_offsets_are_in_units_of_8_bytes() {
        let decoded = |bytes: Vec<u8>| {
            decode::decode(&crate::savefile::Frame {
                number: 1,
                time: Timestamp(0),
                interface: 0,
                link_type: 101,
                len: bytes.len() as u32,
                data: &bytes,
            })
            .net
        };
        let mut bytes = vec![0x45, 0, 0, 28, 0, 7, 0x20, 185, 64, 17, 0, 0];
        bytes.extend([127, 0, 0, 1, 127, 0, 0, 1]);
        bytes.extend([0; 8]);
        let Some(Net::V4(net)) = decoded(bytes) else {
            panic!("no IPv4");
        };
        assert_eq!(net.fragment_offset, 1480);
        assert_eq!(ip(&net, None).frag_offset, 185);

        let mut bytes = vec![0x60, 0, 0, 0, 0, 16, 44, 64];
        bytes.extend([0; 32]);
        bytes.extend([17, 0, 0x05, 0xc9, 0, 0, 0, 7]);
        bytes.extend([0; 8]);
        let Some(Net::V6(net)) = decoded(bytes) else {
            panic!("no IPv6");
        };
        assert_eq!(ipv6(&net).fraghdr.unwrap().offset, 185);
    }

    #[test]
    fn flags_are_spelled_as_wireshark_orders_them() {
        let shown = flags(TcpFlags(TcpFlags::SYN | TcpFlags::ACK));
        assert_eq!((shown.value, shown.letters.as_str()), (0x12, "AS"));
        assert!(shown.syn && shown.ack && !shown.reset);
    }
}
