//! The list of packets, one on a line: what Wireshark shows above and tshark
//! prints. Each line is made from its packet alone, so that a capture of any
//! length can be listed while it is read.

use std::net::IpAddr;

use super::super::TerminalOptions;
use super::super::label;
use super::super::line::{Line, Tone};
use super::super::screen::Screen;
use crate::render::text::width;
use crate::report::{self, Packet, Port, answer};

/// The columns of a line, but for the last one. Longer text pushes the rest
/// aside.
struct Layout {
    number: usize,
    time: usize,
    ends: usize,
    /// Where there is room: the protocol and the frame's length.
    protocol: Option<usize>,
    length: Option<usize>,
}

const WIDE: Layout = Layout {
    number: 6,
    time: 12,
    ends: 42,
    protocol: Some(7),
    length: Some(6),
};

const NARROW: Layout = Layout {
    number: 5,
    time: 10,
    ends: 38,
    protocol: None,
    length: None,
};

/// Narrower screens have the narrow layout.
const WIDE_FROM: usize = 110;

fn layout(room: usize) -> &'static Layout {
    if room >= WIDE_FROM { &WIDE } else { &NARROW }
}

/// The longest text that a table for machines says of a packet.
const INFO: usize = 200;

/// The line above the list.
pub fn packet_headings(room: usize, options: &TerminalOptions) -> String {
    let screen = Screen::new(options);
    let ends = format!("source {} destination", screen.symbols.arrow);
    let layout = layout(room);
    let mut line = Line::default();
    let mut at = right(&mut line, 0, layout.number, "no", Tone::Dim);
    at = right(&mut line, at, layout.time, "seconds", Tone::Dim);
    at = left(
        &mut line,
        at,
        layout.ends,
        &screen.cut(&ends, room.saturating_sub(at)),
        Tone::Dim,
    );
    if let Some(columns) = layout.protocol {
        at = left(&mut line, at, columns, "what", Tone::Dim);
    }
    if let Some(columns) = layout.length {
        at = right(&mut line, at, columns, "bytes", Tone::Dim);
    }
    line.put(at, &screen.cut("says", room.saturating_sub(at)), Tone::Dim);
    line.render(options.color) + "\n"
}

/// One line, with its line feed. `room`: it may have so many columns.
pub fn packet(packet: &Packet<'_>, room: usize, options: &TerminalOptions, out: &mut Vec<u8>) {
    let screen = Screen::new(options);
    let label = label::label(packet, &heads(packet));
    let (src, dst) = ends(packet);
    let ends = screen.in_charset(format!("{src} {} {dst}", screen.symbols.arrow));
    let layout = layout(room);
    let mut line = Line::default();
    let number = packet.frame.number.to_string();
    let seconds = packet.frame.time_relative;
    let seconds = seconds.map_or_else(String::new, |time| format!("{:.6}", time.nearest()));
    let mut at = right(&mut line, 0, layout.number, &number, Tone::Dim);
    at = right(&mut line, at, layout.time, &seconds, Tone::Plain);
    at = left(
        &mut line,
        at,
        layout.ends,
        &screen.cut(&ends, room.saturating_sub(at)),
        Tone::Plain,
    );
    if let Some(columns) = layout.protocol {
        at = left(&mut line, at, columns, protocol(packet), Tone::Title);
    }
    if let Some(columns) = layout.length {
        at = right(
            &mut line,
            at,
            columns,
            &packet.frame.len.to_string(),
            Tone::Plain,
        );
    }
    let room = room.saturating_sub(at);
    line.put(at, &label.fit(&screen, room), label.tone);
    out.extend_from_slice(line.render(options.color).as_bytes());
    out.push(b'\n');
}

/// What the list says of a packet behind its ends, in plain text.
pub fn info(packet: &Packet<'_>) -> String {
    let options = TerminalOptions {
        color: false,
        width: usize::MAX,
        unicode: true,
    };
    label::label(packet, &heads(packet)).fit(&Screen::new(&options), INFO)
}

/// What its messages say. Beside the head of an HTTP message stands the end of the
/// one before, and nothing else.
fn heads(packet: &Packet<'_>) -> Vec<String> {
    if let Some(icmp) = &packet.icmpv6 {
        return vec![format!("icmpv6 {}", icmp.name)];
    }
    let said = packet.said.iter();
    let said = said.filter(|said| packet.http.is_none() || said.protocol == report::HTTP);
    let mut heads: Vec<String> = said.map(|said| said.words.clone()).collect();
    if let Some(http) = &packet.http {
        let request = http.request.as_ref();
        let response = http.response.as_ref();
        heads.extend(request.map(|line| format!("{} {}", line.method, line.uri)));
        heads.extend(response.map(|line| answer(line.code, &line.phrase)));
    }
    heads
}

/// Source and destination: of TCP and UDP with ports, without IP the Ethernet
/// addresses.
pub fn ends(packet: &Packet<'_>) -> (String, String) {
    let v4 = packet.ip.as_ref().map(|ip| (ip.src.into(), ip.dst.into()));
    let v6 = packet
        .ipv6
        .as_ref()
        .map(|ip| (ip.src.into(), ip.dst.into()));
    let Some((src, dst)) = v4.or(v6) else {
        let eth = packet
            .eth
            .map(|eth| (eth.src.to_string(), eth.dst.to_string()));
        return eth.unwrap_or_default();
    };
    let tcp = packet.tcp.as_ref().map(|tcp| (&tcp.srcport, &tcp.dstport));
    let udp = packet.udp.as_ref().map(|udp| (&udp.srcport, &udp.dstport));
    let (srcport, dstport) = tcp.or(udp).unzip();
    (end(src, srcport), end(dst, dstport))
}

fn end(address: IpAddr, port: Option<&Port>) -> String {
    match (address, port) {
        (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
        (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
        (address, None) => address.to_string(),
    }
}

/// The innermost protocol, as Wireshark's column names it.
pub fn protocol(packet: &Packet<'_>) -> &'static str {
    if let Some(name) = packet.protocol {
        return name;
    }
    if let (None, Some(said)) = (&packet.http, &packet.said) {
        return said.protocol;
    }
    let known = [
        (packet.http.is_some(), "HTTP"),
        (packet.tcp.is_some(), "TCP"),
        (packet.udp.is_some(), "UDP"),
        (packet.icmp.is_some(), "ICMP"),
        (packet.icmpv6.is_some(), "ICMPv6"),
        (packet.igmp.is_some(), "IGMP"),
        (packet.sctp.is_some(), "SCTP"),
        (packet.gre.is_some(), "GRE"),
        (packet.arp.is_some(), "ARP"),
        (packet.ip.is_some(), "IPv4"),
        (packet.ipv6.is_some(), "IPv6"),
        (
            packet.eth.is_some_and(|eth| eth.kind == Some(0x0806)),
            "ARP",
        ),
        (packet.eth.is_some(), "eth"),
        (packet.sll.is_some(), "SLL"),
        (packet.wlan.is_some(), "802.11"),
        (packet.ppp.is_some(), "PPP"),
    ];
    let found = known.iter().find(|(is_there, _)| *is_there);
    found.map_or("", |(_, name)| name)
}

fn right(line: &mut Line, at: usize, columns: usize, text: &str, tone: Tone) -> usize {
    let pad = columns.saturating_sub(width(text));
    line.put(at + pad, text, tone) + 2
}

fn left(line: &mut Line, at: usize, columns: usize, text: &str, tone: Tone) -> usize {
    line.put(at, text, tone).max(at + columns) + 2
}
