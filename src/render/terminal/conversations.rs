//! Conversations and HTTP transactions as a list: for captures whose packets
//! are not shown one by one.

use super::line::{Line, Tone};
use super::screen::{Screen, count, duration};
use crate::report::{Close, Conversation, Endpoint, Message, Report, Side, answer};
use crate::savefile::Protocol;

/// Conversations that are listed; the JSON has them all.
const SHOWN: usize = 100;

pub fn conversations(screen: &mut Screen, report: &Report) {
    if report.conversations.is_empty() {
        return;
    }
    for (index, conversation) in report.conversations.iter().enumerate().take(SHOWN) {
        let heading = heading(screen, conversation);
        let mut tag = Line::default();
        tag.push(&tag_of(conversation), Tone::Title);
        let indent = tag.end() + 2;
        screen.hanging(tag, indent, &heading, Tone::Plain);
        let facts = facts(conversation);
        screen.paragraph(4, &facts, Tone::Dim);
        for message in report.messages.iter().filter(|m| m.conversation == index) {
            let text = screen.clean(&transaction(message));
            screen.text(4, &text, Tone::Data);
        }
    }
    let rest = report.conversations.len().saturating_sub(SHOWN) as u64;
    if rest > 0 {
        let text = format!(
            "and {}",
            count(rest, "conversation more", "conversations more")
        );
        screen.text(0, &text, Tone::Dim);
    }
    screen.blank();
}

/// `tcp[0]`, as expectations write it.
pub fn tag_of(conversation: &Conversation) -> String {
    match conversation.protocol {
        Protocol::Tcp => format!("tcp[{}]", conversation.id),
        Protocol::Udp => format!("udp[{}]", conversation.id),
    }
}

fn heading(screen: &Screen, conversation: &Conversation) -> String {
    let text = format!(
        "{} {} {}",
        end(&conversation.client),
        screen.symbols.arrow,
        end(&conversation.server)
    );
    screen.clean(&text)
}

fn end(endpoint: &Endpoint) -> String {
    let socket = socket(endpoint);
    match &endpoint.role {
        Some(role) => format!("{role} {socket}"),
        None => socket,
    }
}

/// Address and port.
pub fn socket(endpoint: &Endpoint) -> String {
    match endpoint.address {
        std::net::IpAddr::V4(address) => format!("{address}:{}", endpoint.port),
        std::net::IpAddr::V6(address) => format!("[{address}]:{}", endpoint.port),
    }
}

fn facts(conversation: &Conversation) -> String {
    let packets = conversation.packets;
    let bytes = conversation.bytes;
    let mut facts = vec![
        count(packets.to_server + packets.to_client, "packet", "packets"),
        format!(
            "{} to the server, {} back",
            count(bytes.to_server, "byte", "bytes"),
            count(bytes.to_client, "byte", "bytes")
        ),
    ];
    if let Some(tcp) = &conversation.tcp {
        facts.push(format!("{:?} {}", tcp.state, tcp.history));
        facts.push(close(tcp.close, tcp.closed_by).to_owned());
        if tcp.retransmissions > 0 {
            let again = count(
                tcp.retransmissions.into(),
                "retransmission",
                "retransmissions",
            );
            facts.push(again);
        }
        if tcp.icmp_errors > 0 {
            facts.push(count(tcp.icmp_errors, "ICMP error", "ICMP errors"));
        }
    }
    if let Some(udp) = conversation.udp.filter(|u| u.lost > 0) {
        facts.push(count(udp.lost, "datagram lost", "datagrams lost"));
    }
    let duration_ms = conversation.duration_ms.filter(|&ms| ms > 0.0);
    facts.extend(duration_ms.map(duration));
    facts.join(", ")
}

fn close(close: Close, by: Option<Side>) -> &'static str {
    match (close, by) {
        (Close::Open, _) => "still open",
        (Close::Fin, Some(Side::Server)) => "closed, the server first",
        (Close::Fin, _) => "closed, the client first",
        (Close::HalfClosed, Some(Side::Server)) => "half closed by the server",
        (Close::HalfClosed, _) => "half closed by the client",
        (Close::Reset, Some(Side::Server)) => "reset by the server",
        (Close::Reset, _) => "reset by the client",
        (Close::Refused, _) => "refused",
    }
}

fn transaction(message: &Message) -> String {
    let http = &message.http;
    let request = match &http.request {
        Some(request) => format!("{} {}", request.method, request.uri),
        None if http.given_up => "an earlier request".to_owned(),
        None => "request not seen".to_owned(),
    };
    let response = match &http.response {
        Some(response) => format!(
            "{}, {}",
            answer(response.code, &response.phrase),
            count(response.body.len, "byte", "bytes")
        ),
        None if http.response_lost && http.unread.is_some() => {
            "its response cannot be told".to_owned()
        }
        None if http.response_lost => "response not captured".to_owned(),
        None if http.given_up => "response not waited for".to_owned(),
        None => match http.unread.and_then(|unread| unread.len) {
            Some(len) => format!("no response, but {}", count(len, "byte", "bytes")),
            None => "no response".to_owned(),
        },
    };
    format!("{request}: {response}")
}
