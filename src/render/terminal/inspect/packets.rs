//! The list of packets, one on a line: what Wireshark shows above and tshark
//! prints. Each line is made from its packet alone, so that a capture of any
//! length can be listed while it is read.

use std::net::IpAddr;

use super::super::TerminalOptions;
use super::super::label;
use super::super::line::{Line, Tone};
use super::super::screen::Screen;
use crate::render::text::width;
use crate::report::{Packet, Port};

/// Columns that numbers are aligned in; longer ones push the rest aside.
const NUMBER: usize = 6;
const TIME: usize = 12;
const ENDS: usize = 42;
const PROTOCOL: usize = 7;
const LENGTH: usize = 6;
/// The longest text that a table for machines says of a packet.
const INFO: usize = 200;

/// The line above the list.
pub fn packet_headings(options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    let arrow = screen.symbols.arrow;
    let mut line = Line::default();
    let mut at = right(&mut line, 0, NUMBER, "no", Tone::Dim);
    at = right(&mut line, at, TIME, "seconds", Tone::Dim);
    at = left(
        &mut line,
        at,
        ENDS,
        &format!("source {arrow} destination"),
        Tone::Dim,
    );
    at = left(&mut line, at, PROTOCOL, "what", Tone::Dim);
    at = right(&mut line, at, LENGTH, "bytes", Tone::Dim);
    line.put(at, "says", Tone::Dim);
    screen.line(&line);
    screen.finish()
}

/// One line, with its line feed. `room`: it may have so many columns.
pub fn packet(packet: &Packet<'_>, room: usize, options: &TerminalOptions, out: &mut Vec<u8>) {
    let screen = Screen::new(options);
    let label = label::label(packet, &heads(packet));
    let (src, dst) = ends(packet);
    let ends = screen.in_charset(format!("{src} {} {dst}", screen.symbols.arrow));
    let mut line = Line::default();
    let number = packet.frame.number.to_string();
    let seconds = packet.frame.time_relative.unwrap_or_default();
    let mut at = right(&mut line, 0, NUMBER, &number, Tone::Dim);
    at = right(&mut line, at, TIME, &format!("{seconds:.6}"), Tone::Plain);
    at = left(&mut line, at, ENDS, &ends, Tone::Plain);
    at = left(&mut line, at, PROTOCOL, protocol(packet), Tone::Title);
    at = right(
        &mut line,
        at,
        LENGTH,
        &packet.frame.len.to_string(),
        Tone::Plain,
    );
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

fn heads(packet: &Packet<'_>) -> Vec<String> {
    let Some(http) = &packet.http else {
        return Vec::new();
    };
    let request = http.request.as_ref();
    let response = http.response.as_ref();
    let request = request.map(|line| format!("{} {}", line.method, line.uri));
    let response = response.map(|line| format!("HTTP {} {}", line.code, line.phrase));
    request.into_iter().chain(response).collect()
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
    let known = [
        (packet.http.is_some(), "HTTP"),
        (packet.tcp.is_some(), "TCP"),
        (packet.udp.is_some(), "UDP"),
        (packet.icmp.is_some(), "ICMP"),
        (packet.icmpv6.is_some(), "ICMPv6"),
        (packet.ip.is_some(), "IPv4"),
        (packet.ipv6.is_some(), "IPv6"),
        (packet.eth.is_some_and(|eth| eth.kind == 0x0806), "ARP"),
        (packet.eth.is_some(), "eth"),
        (packet.sll.is_some(), "SLL"),
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
