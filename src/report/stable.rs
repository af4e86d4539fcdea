//! The byte-stable form, for golden files.
//!
//! Left out: times and durations, process ids, raw sequence numbers and TCP
//! time stamps, `ip.id` and the IPv6 flow label, checksums, window sizes, what
//! the sides of a connection offered, the wire's bytes of a conversation, the
//! values of `Date` headers, and the directories of the capture file and of
//! the programs.
//!
//! A port of the ephemeral range is written as a name made from the role that
//! owned it: `client`, and `client.2` for the second one of that role, counted
//! in the order of the conversations; `ephemeral`, `ephemeral.2` where the
//! owner is not known.
//!
//! What two runs may still differ in is what TCP itself leaves open: how many
//! pure ACKs there are and between which segments they stand, and where a long
//! stream is cut into segments. Verdicts, conversations (without their packet
//! counts) and messages are equal; to compare two runs, compare those.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::conversation::{HttpRequest, HttpResponse};
use super::model::{Endpoint, Report};
use super::packet::{Packet, Payload, Port, TcpTimestamp};
use crate::savefile::Protocol;

/// Linux's default `net.ipv4.ip_local_port_range`.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32768..=60999;

/// What stands for a value that differs from run to run.
const VARIES: &str = "…";

/// All but the packets, which follow with the names that were given to ports.
pub(super) fn stabilise(report: &mut Report) -> PortNames {
    let mut names = PortNames::default();
    report.duration_ms = None;
    for conversation in &mut report.conversations {
        let protocol = conversation.protocol;
        names.rename(protocol, &mut conversation.client);
        names.rename(protocol, &mut conversation.server);
        conversation.start_ms = None;
        conversation.duration_ms = None;
        conversation.wire_bytes = None;
        conversation.bits_per_second = None;
        if let Some(tcp) = &mut conversation.tcp {
            tcp.handshake_rtt_ms = None;
            tcp.sides = None;
            tcp.analysis.clear();
        }
    }
    for program in &mut report.programs {
        program.pid = None;
        program.duration_ms = None;
        if let Some(first) = program.argv.first_mut() {
            *first = base_name(first);
        }
        for socket in &mut program.sockets {
            socket.opened_ns = None;
            socket.closed_ns = None;
            names.rename(socket.protocol, &mut socket.local);
            if let Some(remote) = &mut socket.remote {
                names.rename_remote(socket.protocol, remote);
            }
        }
    }
    if let Some(capture) = &mut report.capture {
        capture.file = base_name(&capture.file);
    }
    for message in &mut report.messages {
        message.start_ms = None;
        let http = &mut message.http;
        http.time_ms = None;
        http.first_byte_ms = None;
        http.transfer_ms = None;
        http.request.iter_mut().for_each(stabilise_request);
        http.response.iter_mut().for_each(stabilise_response);
        http.interim.iter_mut().for_each(stabilise_response);
    }
    names
}

fn base_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The names given to ephemeral ports so far.
#[derive(Clone, Debug, Default)]
pub(super) struct PortNames {
    /// The name of a socket, by protocol, address, port and owner.
    given: BTreeMap<(bool, IpAddr, u16, String), String>,
    /// The first name of each port, for those who do not know the owner.
    by_port: BTreeMap<(bool, u16), String>,
    /// How many names a role has.
    counts: BTreeMap<String, usize>,
}

impl PortNames {
    fn rename(&mut self, protocol: Protocol, endpoint: &mut Endpoint) {
        let role = endpoint.role.clone();
        self.rename_port(protocol, endpoint.address, role, &mut endpoint.port);
    }

    /// A socket does not say who owns its other end: the conversations did.
    fn rename_remote(&mut self, protocol: Protocol, endpoint: &mut Endpoint) {
        if let Port::Number(number) = endpoint.port
            && let Some(name) = self.by_port.get(&(protocol == Protocol::Tcp, number))
        {
            endpoint.port = Port::Name(name.clone());
        } else {
            self.rename(protocol, endpoint);
        }
    }

    fn rename_port(
        &mut self,
        protocol: Protocol,
        address: IpAddr,
        role: Option<String>,
        port: &mut Port,
    ) {
        let Port::Number(number) = *port else {
            return;
        };
        if !EPHEMERAL.contains(&number) {
            return;
        }
        let tcp = protocol == Protocol::Tcp;
        let owner = role.unwrap_or_else(|| "ephemeral".to_owned());
        // A socket bound to a wildcard is the one that conversations show
        // with an address.
        if address.is_unspecified()
            && let Some(known) = self.by_port.get(&(tcp, number))
        {
            *port = Port::Name(known.clone());
            return;
        }
        let key = (tcp, address, number, owner);
        let name = match self.given.get(&key) {
            Some(name) => name.clone(),
            None => {
                let count = self.counts.entry(key.3.clone()).or_default();
                *count += 1;
                let name = match *count {
                    1 => key.3.clone(),
                    n => format!("{}.{n}", key.3),
                };
                self.by_port
                    .entry((tcp, number))
                    .or_insert_with(|| name.clone());
                self.given.insert(key, name.clone());
                name
            }
        };
        *port = Port::Name(name);
    }
}

pub(super) fn stabilise_packet(packet: &mut Packet<'_>, names: &mut PortNames) {
    packet.frame.time_relative = None;
    packet.frame.time_epoch = None;
    for outer in &mut packet.outer {
        if let Some(ip) = &mut outer.ip {
            ip.id = None;
            ip.checksum = None;
        }
        if let Some(ip) = &mut outer.ipv6 {
            ip.flow = None;
        }
    }
    let mut ends: Option<(IpAddr, IpAddr)> = None;
    if let Some(ip) = &mut packet.ip {
        ip.id = None;
        ip.checksum = None;
        ends = Some((ip.src.into(), ip.dst.into()));
    }
    if let Some(ip) = &mut packet.ipv6 {
        ip.flow = None;
        if let Some(fragment) = &mut ip.fraghdr {
            fragment.ident = None;
        }
        ends = Some((ip.src.into(), ip.dst.into()));
    }
    let owner = |role: &Option<Cow<'_, str>>| role.as_deref().map(str::to_owned);
    let (from, to) = (owner(&packet.from), owner(&packet.to));
    if let Some(tcp) = &mut packet.tcp {
        tcp.seq_raw = None;
        tcp.ack_raw = None;
        tcp.checksum = None;
        tcp.window_size = None;
        tcp.window_size_value = None;
        if let Some(options) = &mut tcp.options {
            options.timestamp = options.timestamp.map(|_| TcpTimestamp::default());
            options.sack_le.clear();
            options.sack_re.clear();
        }
        if let Some(analysis) = &mut tcp.analysis {
            analysis.rto = None;
        }
        tcp.payload.iter_mut().for_each(mask_date);
        if let Some((src, dst)) = ends {
            names.rename_port(Protocol::Tcp, src, from.clone(), &mut tcp.srcport);
            names.rename_port(Protocol::Tcp, dst, to.clone(), &mut tcp.dstport);
        }
    }
    if let Some(udp) = &mut packet.udp {
        udp.checksum = None;
        if let Some((src, dst)) = ends {
            names.rename_port(Protocol::Udp, src, from.clone(), &mut udp.srcport);
            names.rename_port(Protocol::Udp, dst, to.clone(), &mut udp.dstport);
        }
    }
    for icmp in packet.icmp.iter_mut().chain(&mut packet.icmpv6) {
        icmp.checksum = None;
        let Some(quoted) = &mut icmp.quoted else {
            continue;
        };
        let Some((src, dst)) = quoted
            .ip
            .as_ref()
            .or(quoted.ipv6.as_ref())
            .map(|ip| (ip.src, ip.dst))
        else {
            continue;
        };
        // The quoted packet went the other way.
        if let Some(tcp) = &mut quoted.tcp {
            tcp.seq_raw = None;
            names.rename_port(Protocol::Tcp, src, to.clone(), &mut tcp.srcport);
            names.rename_port(Protocol::Tcp, dst, from.clone(), &mut tcp.dstport);
        }
        if let Some(udp) = &mut quoted.udp {
            names.rename_port(Protocol::Udp, src, to.clone(), &mut udp.srcport);
            names.rename_port(Protocol::Udp, dst, from.clone(), &mut udp.dstport);
        }
    }
}

fn stabilise_request(request: &mut HttpRequest) {
    mask_headers(&mut request.headers);
}

fn stabilise_response(response: &mut HttpResponse) {
    mask_headers(&mut response.headers);
}

fn mask_headers(headers: &mut [super::conversation::Header]) {
    for header in headers {
        if header.name.eq_ignore_ascii_case("date") {
            header.value = VARIES.into();
        }
    }
}

/// The value of a `Date:` line, in a payload that shows one.
fn mask_date(payload: &mut Payload<'_>) {
    let Some(text) = &mut payload.text else {
        return;
    };
    let is_date = |line: &str| {
        line.get(..5)
            .is_some_and(|name| name.eq_ignore_ascii_case("date:"))
    };
    if !text.lines().any(is_date) {
        return;
    }
    let masked: String = text
        .split_inclusive('\n')
        .map(|line| match is_date(line) {
            true => {
                let end = line.len() - line.trim_end_matches(['\r', '\n']).len();
                let ending = line.get(line.len() - end..).unwrap_or("");
                format!("{}: {VARIES}{ending}", line.get(..4).unwrap_or(""))
            }
            false => line.to_owned(),
        })
        .collect();
    *text = Cow::Owned(masked);
}
