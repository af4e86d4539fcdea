//! A packet of the trace to one of `packets[]`.

use std::borrow::Cow;

use super::build::role_name;
use super::http::{heads, http_heads};
use super::packet::{
    Analysis, Checksum, DsField, Eth, Flags, FragmentHeader, Frame, Icmp, Ip, IpFlags, Ipv6, Null,
    Packet, Payload, Quoted, QuotedIp, QuotedTcp, QuotedUdp, Reassembled, Sll, Tcp, TcpOptions,
    TcpTimestamp, Trouble, Udp, Vlan, WindowScale,
};
use super::spelled::{FlagLetters, Hex, Mac, Seconds};
use crate::conversation::{Marks, Seen, SeenTcp};
use crate::decode::{
    self, ChecksumStatus, FIRST_TYPE, Layer, Link, Net, TcpFlags, TcpOption, Transport,
    checksum_status,
};
use crate::expect::icmp;
use crate::inspect::Shown;
use crate::savefile::Timestamp;
use crate::trace::Trace;

/// Payload bytes that a packet of the document shows at most.
const PAYLOAD_LIMIT: usize = 2048;

/// ICMP type 3 code 4: fragmentation needed.
const FRAGMENTATION_NEEDED: (u8, u8) = (3, 4);
/// ICMPv6 type 2: packet too big.
const PACKET_TOO_BIG: u8 = 2;

/// All that is known of a packet where its part of the document is made.
#[derive(Clone, Copy, Debug)]
struct Sight<'a> {
    packet: &'a decode::Packet,
    frame: &'a [u8],
    seen: &'a Seen,
    /// The time of the capture's first packet.
    start: Timestamp,
    /// The number of the packet's conversation among those of its protocol.
    stream: Option<u32>,
    /// `frame.number` of the packet that an ICMP error quotes.
    quotes: Option<u64>,
}

fn sight<'a>(trace: &'a Trace, index: usize, packet: &'a decode::Packet) -> Sight<'a> {
    static NOTHING: Seen = Seen {
        conversation: None,
        direction: None,
        quotes: None,
        tunnel: None,
        tunnel_delta: None,
        udp_delta: None,
        tcp: None,
    };
    let seen = trace.seen.get(index).unwrap_or(&NOTHING);
    let conversation = seen.conversation.and_then(|c| trace.conversations.get(c));
    Sight {
        packet,
        frame: trace.frame(index),
        seen,
        start: trace.packets.first().map_or(packet.time, |p| p.time),
        stream: conversation.map(|c| c.id),
        quotes: seen
            .quotes
            .and_then(|index| trace.packets.get(index))
            .map(|quoted| quoted.number),
    }
}

impl<'a> Packet<'a> {
    /// The packet at `index` with all that the trace knows of it, but for
    /// comments; None for an index out of range.
    pub fn of(trace: &'a Trace, index: usize) -> Option<Packet<'a>> {
        let packet = trace.packets.get(index)?;
        let mut shown = Packet::new(&sight(trace, index, packet));
        if let Some(ends) = trace.ends.get(index) {
            shown.from = role_name(trace, ends.from).map(Cow::Owned);
            shown.to = role_name(trace, ends.to).map(Cow::Owned);
        }
        shown.after_stop = trace.after_stop(index);
        shown.http = heads(trace, index);
        shown.said = super::said::ended(trace, index);
        Some(shown)
    }

    /// The packet as it is shown while its capture is read, with its comments; without
    /// roles, and without what its messages say.
    pub fn streamed(shown: &Shown<'a>) -> Packet<'a> {
        let sight = Sight {
            packet: shown.packet,
            frame: shown.frame.data,
            seen: shown.seen,
            start: shown.start,
            stream: shown.name.map(|name| name.id),
            quotes: shown.seen.quotes.map(|index| index as u64 + 1),
        };
        let mut packet = Packet::new(&sight);
        packet.conversation = shown.name.map(|name| name.index);
        packet.http = http_heads(shown.parts);
        packet.comment = shown.comments().map(Cow::into_owned).collect();
        packet
    }

    /// What packet and conversation say; without roles, HTTP heads and
    /// comments, which need more of the trace.
    fn new(sight: &Sight<'a>) -> Packet<'a> {
        let Sight {
            packet,
            frame,
            seen,
            ..
        } = *sight;
        let mut shown = Packet {
            frame: frame_part(packet, sight.start),
            conversation: seen.conversation,
            trouble: packet.trouble.as_ref().map(trouble),
            ..Packet::default()
        };
        let frame = packet.data(frame);
        link(&mut shown, packet, frame);
        let status = checksum_status(packet, frame);
        let sum = |value| checksum(value, status.transport);
        let whole = packet.completed(packet.outer().len());
        match &packet.net {
            Some(Net::V4(net)) => shown.ip = Some(ip(net, status.ip, whole)),
            Some(Net::V6(net)) => shown.ipv6 = Some(ipv6(net, whole)),
            None => {}
        }
        match &packet.transport {
            Transport::Tcp(segment) => {
                let sum = sum(segment.checksum);
                let seen = seen.tcp.as_ref();
                shown.tcp = Some(tcp(segment, seen, sight.stream, frame, sum));
            }
            Transport::Udp(datagram) => {
                let sum = sum(datagram.checksum);
                shown.udp = Some(udp(datagram, sight.stream, frame, sum));
            }
            Transport::Icmp(message) => {
                let sum = sum(message.checksum);
                shown.icmp = Some(icmp_part(message, false, sight.quotes, frame, sum));
            }
            Transport::Icmpv6(message) => {
                let sum = sum(message.checksum);
                shown.icmpv6 = Some(icmp_part(message, true, sight.quotes, frame, sum));
            }
            _ => {}
        }
        super::layers::fill(&mut shown, packet, frame);
        shown
    }
}

/// The frames of the datagram that the packet completes, and its size.
fn frames_and_size(whole: Option<&decode::Reassembled>) -> (Vec<u64>, Option<Reassembled>) {
    whole.map_or_else(Default::default, |whole| {
        let length = whole.bytes.len() as u32 - whole.start;
        (whole.frames.clone(), Some(Reassembled { length }))
    })
}

fn frame_part(packet: &decode::Packet, start: Timestamp) -> Frame {
    Frame {
        number: packet.number,
        time_relative: packet.time.elapsed(start).map(Seconds),
        time_epoch: packet.time.is_known().then_some(Seconds(packet.time.0)),
        len: packet.len,
        cap_len: packet.cap_len,
    }
}

fn link(shown: &mut Packet<'_>, packet: &decode::Packet, frame: &[u8]) {
    match &packet.link {
        Link::Ethernet(eth) => shown.eth = Some(ethernet(eth)),
        Link::LinuxCooked(cooked) => {
            shown.sll = Some(Sll {
                pkttype: cooked.packet_type,
                etype: cooked.protocol,
            });
        }
        Link::Null { family } => shown.null = Some(Null { family: *family }),
        _ => {}
    }
    packet.link_layers(frame, &mut |layer, at| {
        let control = frame.get(at..).and_then(|tag| tag.first_chunk());
        if let (Layer::Vlan | Layer::Ieee8021ad, Some(control)) = (layer, control) {
            let id = u16::from_be_bytes(*control) & 0x0fff;
            shown.vlan.push(Vlan { id });
        }
    });
}

pub(super) fn ethernet(eth: &decode::Ethernet) -> Eth {
    let is_type = eth.ethertype >= FIRST_TYPE;
    Eth {
        dst: Mac(eth.dst),
        src: Mac(eth.src),
        kind: is_type.then_some(eth.ethertype),
        len: (!is_type).then_some(eth.ethertype),
    }
}

/// A checksum that cannot be verified for want of bytes is `unverified`.
fn checksum(value: u16, status: Option<ChecksumStatus>) -> Checksum {
    Checksum {
        value,
        status: status.unwrap_or(ChecksumStatus::Unverified),
    }
}

/// `whole`: the datagram that the fragment behind the header completes.
pub(super) fn ip(
    ip: &decode::Ipv4,
    status: Option<ChecksumStatus>,
    whole: Option<&decode::Reassembled>,
) -> Ip {
    let (fragments, reassembled) = frames_and_size(whole);
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
        fragments,
        reassembled,
        checksum: Some(checksum(ip.checksum, status)),
    }
}

pub(super) fn ipv6(ip: &decode::Ipv6, whole: Option<&decode::Reassembled>) -> Ipv6 {
    let (fragments, reassembled) = frames_and_size(whole);
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
        fragments,
        reassembled,
        fraghdr: ip.fragment.map(|f| FragmentHeader {
            nxt: f.next,
            ident: Some(f.id),
            offset: f.offset / 8,
            more: f.more,
        }),
    }
}

fn tcp<'a>(
    tcp: &decode::Tcp,
    seen: Option<&SeenTcp>,
    stream: Option<u32>,
    frame: &'a [u8],
    checksum: Checksum,
) -> Tcp<'a> {
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
        hdr_len: tcp.claimed_header_len(frame),
        len: tcp.len,
        window_size_value: Some(tcp.window),
        window_size: seen.map(|s| s.window),
        checksum: Some(checksum),
        urgent_pointer: tcp.flags.has(TcpFlags::URG).then_some(tcp.urgent),
        options: options(tcp, seen, frame),
        analysis: seen.and_then(analysis),
        payload: payload(tcp.payload.of(frame)),
    }
}

fn flags(flags: TcpFlags) -> Flags {
    Flags {
        value: flags.0,
        letters: FlagLetters(flags.0),
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
fn options(tcp: &decode::Tcp, seen: Option<&SeenTcp>, frame: &[u8]) -> Option<TcpOptions> {
    let mut shown = TcpOptions::default();
    let mut any = false;
    // What `tcp.ack` is relative to, the edges are too.
    let acked = seen.filter(|_| tcp.flags.ack());
    let first = acked.map_or(0, |seen| tcp.ack.wrapping_sub(seen.ack));
    for option in tcp.options(frame) {
        any = true;
        match option {
            TcpOption::EndOfList | TcpOption::NoOperation => {}
            TcpOption::MaximumSegmentSize(size) => shown.mss_val = Some(size),
            TcpOption::WindowScale(shift) => shown.wscale = Some(WindowScale { shift }),
            TcpOption::SackPermitted => shown.sack_perm = true,
            TcpOption::Sack(blocks) => {
                for (left, right) in blocks.into_iter().flatten() {
                    shown.sack_le.push(left.wrapping_sub(first));
                    shown.sack_re.push(right.wrapping_sub(first));
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

/// None where nothing is of note.
fn analysis(seen: &SeenTcp) -> Option<Analysis> {
    if seen.marks.is_empty() {
        return None;
    }
    let number = |packet: usize| packet as u64 + 1;
    let rto = seen.rto.as_deref();
    let duplicate = seen.duplicate.as_deref();
    Some(Analysis {
        retransmission: seen.is(Marks::RETRANSMISSION),
        fast_retransmission: seen.is(Marks::FAST_RETRANSMISSION),
        spurious_retransmission: seen.is(Marks::SPURIOUS_RETRANSMISSION),
        rto: rto.map(|rto| Seconds(rto.time)),
        rto_frame: rto.map(|rto| number(rto.packet)),
        out_of_order: seen.is(Marks::OUT_OF_ORDER),
        duplicate_ack: seen.is(Marks::DUPLICATE_ACK),
        duplicate_ack_num: duplicate.map(|duplicate| duplicate.number),
        duplicate_ack_frame: duplicate.map(|duplicate| duplicate.of.map_or(0, number)),
        lost_segment: seen.is(Marks::LOST_SEGMENT),
        ack_lost_segment: seen.is(Marks::ACK_LOST_SEGMENT),
        keep_alive: seen.is(Marks::KEEP_ALIVE),
        keep_alive_ack: seen.is(Marks::KEEP_ALIVE_ACK),
        window_update: seen.is(Marks::WINDOW_UPDATE),
        window_full: seen.is(Marks::WINDOW_FULL),
        zero_window: seen.is(Marks::ZERO_WINDOW),
        zero_window_probe: seen.is(Marks::ZERO_WINDOW_PROBE),
        zero_window_probe_ack: seen.is(Marks::ZERO_WINDOW_PROBE_ACK),
        reused_ports: seen.is(Marks::REUSED_PORTS),
    })
}

fn udp<'a>(udp: &decode::Udp, stream: Option<u32>, frame: &'a [u8], checksum: Checksum) -> Udp<'a> {
    Udp {
        srcport: udp.src_port.into(),
        dstport: udp.dst_port.into(),
        stream,
        length: udp.length,
        checksum: Some(checksum),
        payload: payload(udp.payload.of(frame)),
    }
}

fn icmp_part<'a>(
    message: &decode::Icmp,
    v6: bool,
    quotes: Option<u64>,
    frame: &'a [u8],
    checksum: Checksum,
) -> Icmp<'a> {
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

fn quoted<'a>(quoted: &decode::Quoted, number: Option<u64>, frame: &'a [u8]) -> Quoted<'a> {
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
fn payload(bytes: &[u8]) -> Option<Payload<'_>> {
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
        text: text.map(Cow::Borrowed),
        hex: text.is_none().then_some(Hex(Cow::Borrowed(shown))),
        cut,
    })
}

fn trouble(trouble: &decode::Trouble) -> Trouble<'static> {
    match trouble {
        decode::Trouble::Malformed { layer, reason } => Trouble::Malformed {
            layer: Cow::Borrowed(layer.name()),
            reason: Cow::Owned(reason.to_string()),
        },
        decode::Trouble::Truncated { layer } => Trouble::Truncated {
            layer: Cow::Borrowed(layer.name()),
        },
        decode::Trouble::Encrypted { layer } => Trouble::Encrypted {
            layer: Cow::Borrowed(layer.name()),
        },
        decode::Trouble::Unknown { what, number } => Trouble::Unknown {
            layer: Cow::Borrowed(what.name()),
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
        assert_eq!(binary.text, None);
        assert_eq!(binary.hex.unwrap().to_string(), "ff00");
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
        assert_eq!(ip(&net, None, None).frag_offset, 185);

        let mut bytes = vec![0x60, 0, 0, 0, 0, 16, 44, 64];
        bytes.extend([0; 32]);
        bytes.extend([17, 0, 0x05, 0xc9, 0, 0, 0, 7]);
        bytes.extend([0; 8]);
        let Some(Net::V6(net)) = decoded(bytes) else {
            panic!("no IPv6");
        };
        assert_eq!(ipv6(&net, None).fraghdr.unwrap().offset, 185);
    }

    #[test]
    fn flags_are_spelled_as_wireshark_orders_them() {
        let shown = flags(TcpFlags(TcpFlags::SYN | TcpFlags::ACK));
        assert_eq!(
            (shown.value, shown.letters.to_string().as_str()),
            (0x12, "AS")
        );
        assert!(shown.syn && shown.ack && !shown.reset);
    }

    /// Only some were told once.
    #[test]
    fn each_mark_of_the_analysis_is_told_by_its_name() {
        assert_eq!(analysis(&SeenTcp::default()), None);
        for (marks, name) in Marks::NAMES {
            let seen = SeenTcp {
                marks,
                ..SeenTcp::default()
            };
            let json = serde_json::to_value(analysis(&seen)).unwrap();
            assert_eq!(json, serde_json::json!({ name: true }));
        }
    }
}
