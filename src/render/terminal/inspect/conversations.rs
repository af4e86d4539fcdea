//! Who spoke with whom: the table of conversations.

use std::collections::HashMap;

use super::super::conversations::{socket, tag_of};
use super::super::line::Tone;
use super::super::screen::{Screen, thousands};
use super::table::{Cell, Table, left, right};
use super::{Extent, heading, rest, units};
use crate::report::{
    Close, Conversation, Endpoint, Group, Report, Side, Summary, TcpConversation, UdpConversation,
};
use crate::savefile::Protocol;

pub fn section(screen: &mut Screen, report: &Report, summary: &Summary, extent: &Extent) {
    let all = summary.conversations.tcp + summary.conversations.udp;
    if all == 0 {
        return;
    }
    let kinds = [
        (summary.conversations.tcp, "TCP"),
        (summary.conversations.udp, "UDP"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{} {name}", thousands(*number)))
        .collect();
    heading(screen, "Conversations", Some(kinds.join(", ")));
    let shown = table(screen, report, extent);
    rest(screen, all, shown, "The largest", "--conversations");
    screen.blank();
}

/// Writes the largest conversations, in the order of their beginnings. Says how
/// many.
pub fn table(screen: &mut Screen, report: &Report, extent: &Extent) -> usize {
    let all = report.conversations.iter().enumerate();
    let mut shown: Vec<(usize, &Conversation)> = all
        .map(|(place, conversation)| (conversation.index.unwrap_or(place), conversation))
        .collect();
    if shown.len() > extent.rows() {
        shown.sort_by_key(|(index, c)| (std::cmp::Reverse(c.size()), *index));
        shown.truncate(extent.rows());
        shown.sort_by_key(|(index, _)| *index);
    }
    let hosts = hosts(report);
    let arrow = screen.symbols.arrow;
    let (to, from) = (screen.symbols.right, screen.symbols.left);
    let mut table = Table::new(vec![
        left(""),
        left(format!("client {arrow} server")),
        left(""),
        right(format!("packets{to}")),
        right(from),
        right(format!("bytes{to}")),
        right(from),
        right("at"),
        right("for"),
        right("RTT"),
        left("state"),
        left(""),
    ])
    .folded_at(3);
    for (index, conversation) in &shown {
        let (words, tone) = how_it_went(conversation);
        let tcp = conversation.tcp.as_ref();
        let client = socket(&conversation.client);
        let server = socket(&conversation.server);
        let tls = conversation.tls.as_ref();
        let named = tls.and_then(|tls| tls.server_name.as_deref().or(tls.version.as_deref()));
        let host = named.unwrap_or_else(|| hosts.get(index).map_or("", |host| host));
        let host = match is_named_in(&conversation.server, host) {
            true => "",
            false => host,
        };
        table.row(vec![
            Cell::new(tag_of(conversation), Tone::Title),
            Cell::plain(screen.clean(&format!("{client} {arrow} {server}"))),
            Cell::new(words, tone),
            Cell::plain(thousands(conversation.packets.to_server)),
            Cell::plain(thousands(conversation.packets.to_client)),
            Cell::plain(units::size(conversation.bytes.to_server)),
            Cell::plain(units::size(conversation.bytes.to_client)),
            Cell::plain(conversation.start_ms.map(units::moment).unwrap_or_default()),
            Cell::plain(
                conversation
                    .duration_ms
                    .map(units::span)
                    .unwrap_or_default(),
            ),
            Cell::plain(
                tcp.and_then(|tcp| tcp.handshake_rtt_ms)
                    .map(units::span)
                    .unwrap_or_default(),
            ),
            Cell::dim(tcp.map_or_else(String::new, |tcp| format!("{:?}", tcp.state))),
            Cell::new(screen.clean(host), Tone::Data),
        ]);
    }
    let room = extent.room(screen);
    table.show(screen, 2, room);
    shown.len()
}

/// `tcp[0]`, as expectations write it.
pub fn tag(protocol: Protocol, stream: u32) -> String {
    match protocol {
        Protocol::Tcp => format!("tcp[{stream}]"),
        Protocol::Udp => format!("udp[{stream}]"),
    }
}

/// Is the host no more than the address?
fn is_named_in(server: &Endpoint, host: &str) -> bool {
    let socket = socket(server);
    let address = server.address.to_string();
    [socket.as_str(), &address, &format!("[{address}]")].contains(&host)
}

/// The host that each conversation's first HTTP request names.
fn hosts(report: &Report) -> HashMap<usize, String> {
    let mut hosts = HashMap::new();
    for message in &report.messages {
        hosts.entry(message.conversation).or_insert_with(|| {
            let request = message.http.request.as_ref();
            match request.and_then(|request| request.header("host")) {
                Some(host) => host.to_owned(),
                None => "HTTP".to_owned(),
            }
        });
    }
    hosts
}

/// How it began and ended, in words.
fn how_it_went(conversation: &Conversation) -> (String, Tone) {
    if let Some(tcp) = &conversation.tcp {
        return of_tcp(tcp);
    }
    match &conversation.udp {
        Some(udp) => of_udp(udp),
        None => (String::new(), Tone::Plain),
    }
}

fn of_udp(udp: &UdpConversation) -> (String, Tone) {
    if udp.lost > 0 {
        let text = format!("{} undelivered", thousands(udp.lost));
        return (text, Tone::Notice);
    }
    // Who answers what was said to many does so from an address of its own.
    let words = match udp.group {
        _ if udp.datagrams.to_client > 0 => return (String::new(), Tone::Plain),
        Some(Group::Broadcast) => "broadcast",
        Some(Group::Multicast) => "multicast",
        None => "no reply",
    };
    (words.to_owned(), Tone::Dim)
}

fn of_tcp(tcp: &TcpConversation) -> (String, Tone) {
    const SYN: u8 = 1;
    const SYN_ACK: u8 = 2;
    let (end, tone) = ended(tcp);
    let seen = tcp.completeness & (SYN | SYN_ACK);
    let began = match seen {
        0 => Some("begun before"),
        SYN if tcp.completeness == SYN && tcp.icmp_errors > 0 => {
            return ("rejected by ICMP".to_owned(), Tone::Bad);
        }
        SYN if tcp.completeness == SYN => return ("no answer".to_owned(), Tone::Notice),
        _ => None,
    };
    let words: Vec<&str> = began.into_iter().chain([end]).collect();
    (words.join(", "), tone)
}

fn ended(tcp: &TcpConversation) -> (&'static str, Tone) {
    match (tcp.close, tcp.closed_by) {
        (Close::Open, _) => ("open", Tone::Plain),
        (Close::Fin, Some(Side::Server)) => ("server closed", Tone::Plain),
        (Close::Fin, _) => ("client closed", Tone::Plain),
        (Close::HalfClosed, Some(Side::Server)) => ("server half-closed", Tone::Notice),
        (Close::HalfClosed, _) => ("client half-closed", Tone::Notice),
        (Close::Reset, Some(Side::Server)) => ("server reset", Tone::Bad),
        (Close::Reset, _) => ("client reset", Tone::Bad),
        (Close::Refused, _) => ("refused", Tone::Bad),
    }
}
