//! What the ladder says of a packet, in the words of the expectation language.

use super::line::Tone;
use super::screen::{Screen, count};
use crate::render::text::{self, width};
use crate::report::{Analysis, Arp, ArpEnd, Flags, Icmp, Packet, Payload, Tcp, Trouble, Udp};

/// The words on an arrow, the most important first.
#[derive(Clone, Debug, Default)]
pub struct Label {
    main: String,
    preview: Option<Preview>,
    /// Left out from the end where the room is short.
    extra: Vec<String>,
    pub tone: Tone,
}

/// The first bytes of a payload.
#[derive(Clone, Debug)]
struct Preview {
    text: String,
    is_hex: bool,
    /// There is more than `text`.
    cut: bool,
}

/// Characters of a payload that are worth reading in a ladder.
const PREVIEW: usize = 60;
/// Hexadecimal digits are read less.
const HEX_PREVIEW: usize = 24;

impl Label {
    /// The label in at most `columns`.
    pub fn fit(&self, screen: &Screen, columns: usize) -> String {
        let mut text = screen.clean(&self.main);
        if let Some(preview) = &self.preview {
            let room = columns.saturating_sub(width(&text) + 1);
            if let Some(shown) = preview.fit(screen, room) {
                text = format!("{text} {shown}");
            }
        }
        for extra in &self.extra {
            let longer = format!("{text}  {extra}");
            if width(&longer) > columns {
                break;
            }
            text = longer;
        }
        screen.cut(&text, columns)
    }

    /// The columns that it likes to have.
    pub fn width(&self, screen: &Screen) -> usize {
        width(&self.fit(screen, usize::MAX / 2))
    }
}

impl Preview {
    /// As much as fits, the string closed; None where nothing does.
    fn fit(&self, screen: &Screen, columns: usize) -> Option<String> {
        let most = if self.is_hex { HEX_PREVIEW } else { PREVIEW };
        let characters = self.text.chars().count().min(most);
        (1..=characters).rev().find_map(|take| {
            let part: String = self.text.chars().take(take).collect();
            let is_all = !self.cut && part.len() == self.text.len();
            let shown = if self.is_hex {
                part
            } else {
                screen.in_charset(text::quoted(&part))
            };
            let shown = if is_all {
                shown
            } else {
                shown + screen.symbols.ellipsis
            };
            (width(&shown) <= columns).then_some(shown)
        })
    }
}

fn preview(payload: Option<&Payload<'_>>) -> Option<Preview> {
    let payload = payload?;
    let (text, is_hex) = match (&payload.text, &payload.hex) {
        (Some(text), _) => (text.to_string(), false),
        (None, Some(hex)) => (hex.to_string(), true),
        (None, None) => return None,
    };
    Some(Preview {
        text,
        is_hex,
        cut: payload.cut,
    })
}

/// What there is to say of a packet. `heads` are the start lines of the HTTP
/// heads that it completes, or what other messages in it say.
pub fn label(packet: &Packet<'_>, heads: &[String]) -> Label {
    let mut label = if let Some(tcp) = &packet.tcp {
        tcp_label(tcp, heads)
    } else if let Some(udp) = &packet.udp {
        udp_label(udp, heads)
    } else if let Some(icmp) = packet.icmp.as_ref().or(packet.icmpv6.as_ref()) {
        icmp_label(icmp, heads)
    } else {
        other_label(packet)
    };
    if packet.after_stop {
        label.main += " (after stop)";
    }
    match &packet.trouble {
        Some(Trouble::Malformed { layer, reason }) => {
            label.main += &format!(" (malformed {layer}: {reason})");
            label.tone = Tone::Bad;
        }
        Some(Trouble::Truncated { layer }) => label.main += &format!(" ({layer} cut short)"),
        Some(Trouble::Encrypted { layer }) => label.main += &format!(" ({layer} encrypted)"),
        Some(Trouble::Unknown { .. }) | None => {}
    }
    label
}

fn tcp_label(tcp: &Tcp<'_>, heads: &[String]) -> Label {
    let mut words = Vec::new();
    let mut label = Label::default();
    let flags = flag_words(&tcp.flags);
    if !heads.is_empty() {
        words.push(heads.join(", "));
        label.tone = Tone::Data;
    } else if tcp.len > 0 {
        label.preview = preview(tcp.payload.as_ref());
        words.push("data".to_owned());
        label.tone = Tone::Data;
    }
    // A segment with bytes says its flags only where they are an event.
    let is_event = tcp.flags.syn || tcp.flags.fin || tcp.flags.reset;
    if tcp.len == 0 || is_event {
        words.insert(0, flags);
    }
    if tcp.flags.reset {
        label.tone = Tone::Notice;
    }
    if let Some(analysis) = tcp.analysis {
        words.extend(marks(analysis).map(|word| format!("({word})")));
    }
    label.main = words.join(" ");
    if tcp.len > 0 {
        label.extra.push(count(tcp.len.into(), "byte", "bytes"));
    }
    let numbers = [("seq", tcp.seq), ("ack", tcp.ack)];
    let known = numbers
        .iter()
        .filter_map(|(n, v)| v.map(|v| format!("{n}={v}")));
    let numbers: Vec<String> = known.collect();
    if !numbers.is_empty() {
        label.extra.push(numbers.join(" "));
    }
    label
}

/// `SYN,ACK`, as expectations write it; a segment without any flag is `none`.
fn flag_words(flags: &Flags) -> String {
    let words = [
        (flags.syn, "SYN"),
        (flags.fin, "FIN"),
        (flags.reset, "RST"),
        (flags.ack, "ACK"),
        (flags.urg, "URG"),
    ];
    let set: Vec<&str> = words
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, w)| *w)
        .collect();
    if set.is_empty() {
        return "no flags".to_owned();
    }
    set.join(",")
}

/// In the words of Wireshark's list.
fn marks(analysis: Analysis) -> impl Iterator<Item = &'static str> {
    let (fast, spurious) = (
        analysis.fast_retransmission,
        analysis.spurious_retransmission,
    );
    let plain = analysis.retransmission && !fast && !spurious;
    [
        (plain, "retransmission"),
        (fast, "fast retransmission"),
        (spurious, "spurious retransmission"),
        (analysis.out_of_order, "out of order"),
        (analysis.duplicate_ack, "duplicate ACK"),
        (analysis.lost_segment, "previous segment not captured"),
        (analysis.ack_lost_segment, "ACKed unseen segment"),
        (analysis.keep_alive, "keep-alive"),
        (analysis.keep_alive_ack, "keep-alive ACK"),
        (analysis.window_update, "window update"),
        (analysis.window_full, "window full"),
        (analysis.zero_window, "zero window"),
        (analysis.zero_window_probe, "zero window probe"),
        (analysis.zero_window_probe_ack, "zero window probe ACK"),
        (analysis.reused_ports, "port numbers reused"),
    ]
    .into_iter()
    .filter_map(|(set, word)| set.then_some(word))
}

fn udp_label(udp: &Udp<'_>, heads: &[String]) -> Label {
    const HEADER: u16 = 8;
    let length = match udp.length.checked_sub(HEADER) {
        Some(payload) => format!("length {} = {HEADER} + {payload}", udp.length),
        None => format!("length {}", udp.length),
    };
    let (main, preview) = match heads {
        [] => ("udp".to_owned(), preview(udp.payload.as_ref())),
        heads => (heads.join(", "), None),
    };
    Label {
        main,
        preview,
        extra: vec![length],
        tone: Tone::Data,
    }
}

fn icmp_label(icmp: &Icmp<'_>, heads: &[String]) -> Label {
    let mut label = Label {
        main: match heads {
            // In expectations `icmp` is either version.
            [] => format!("icmp {}", icmp.name),
            heads => heads.join(", "),
        },
        ..Label::default()
    };
    if let Some(quoted) = &icmp.quoted {
        label.tone = Tone::Notice;
        if let Some(number) = quoted.frame {
            label.extra.push(format!("quotes packet {number}"));
        }
    }
    if let (Some(ident), Some(seq)) = (icmp.ident, icmp.seq) {
        label.extra.push(format!("id={ident} seq={seq}"));
    }
    label
}

/// As Wireshark words it.
fn arp_words(arp: &Arp) -> String {
    let address = |end: &ArpEnd| end.proto_ipv4.map_or("?".to_owned(), |ip| ip.to_string());
    let (src, dst) = (address(&arp.src), address(&arp.dst));
    match (arp.opcode, arp.src.hw_mac) {
        (1, _) => format!("ARP who has {dst}? tell {src}"),
        (2, Some(mac)) => format!("ARP {src} is at {mac}"),
        (opcode, _) => format!("ARP operation {opcode}"),
    }
}

/// `offset` is in units of 8 bytes.
fn fragment(protocol: u8, offset: u16) -> String {
    let byte = u32::from(offset) * 8;
    format!("fragment of IP protocol {protocol} at byte {byte}")
}

fn other_label(packet: &Packet<'_>) -> Label {
    let main = if let Some(name) = packet.protocol {
        name.to_owned()
    } else if let Some(arp) = &packet.arp {
        arp_words(arp)
    } else if let Some(igmp) = &packet.igmp {
        let groups: Vec<String> = igmp.maddr.iter().map(|group| group.to_string()).collect();
        format!("igmp type {} {}", igmp.kind, groups.join(", "))
    } else if let Some(sctp) = &packet.sctp {
        format!("sctp {} > {}", sctp.srcport, sctp.dstport)
    } else if let Some(gre) = &packet.gre {
        format!("GRE with protocol 0x{:04x}", gre.proto)
    } else if let Some(ip) = &packet.ip {
        match (ip.flags.mf, ip.frag_offset) {
            (false, 0) => format!("IP protocol {}", ip.proto),
            (_, offset) => fragment(ip.proto, offset),
        }
    } else if let Some(ip) = &packet.ipv6 {
        match &ip.fraghdr {
            Some(header) if header.more || header.offset > 0 => fragment(header.nxt, header.offset),
            _ => format!("IPv6 next header {}", ip.nxt),
        }
    } else if let Some(eth) = &packet.eth {
        match eth.kind {
            Some(0x0806) => "ARP".to_owned(),
            Some(kind) => format!("Ethernet type 0x{kind:04x}"),
            None => "IEEE 802.3 frame".to_owned(),
        }
    } else {
        "not decoded".to_owned()
    };
    Label {
        main,
        extra: vec![count(packet.frame.len.into(), "byte", "bytes")],
        ..Label::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retransmission_is_named_once_by_what_is_known_of_it() {
        let words = |analysis| marks(analysis).collect::<Vec<_>>();
        let again = Analysis {
            retransmission: true,
            ..Analysis::default()
        };
        assert_eq!(words(again), ["retransmission"]);
        let fast = Analysis {
            fast_retransmission: true,
            window_full: true,
            ..again
        };
        assert_eq!(words(fast), ["fast retransmission", "window full"]);
        let spurious = Analysis {
            spurious_retransmission: true,
            ..again
        };
        assert_eq!(words(spurious), ["spurious retransmission"]);
    }
}
