//! Trace to what `inspect` tells beside conversations and messages, and to what
//! is left of these behind a display filter.

use std::collections::{BTreeMap, BTreeSet};

use super::build::millis;
use super::model::Report;
use super::summary::{ConversationCount, FindingKind, Findings, ProtocolCount, Summary};
use crate::decode::{Link, Net, Numbering, Packet, Transport, Trouble};
use crate::savefile::Protocol;
use crate::trace::Trace;

/// Leaves only conversations with a displayed packet, and transactions of which
/// a displayed packet carried a part.
pub(super) fn retain(report: &mut Report, trace: &Trace, displayed: &BTreeSet<u64>) {
    let shown = trace.packets.iter().zip(&trace.seen);
    let conversations: BTreeSet<usize> = shown
        .filter(|(packet, _)| displayed.contains(&packet.number))
        .filter_map(|(_, seen)| seen.conversation)
        .collect();
    let mut index = 0;
    report.conversations.retain_mut(|conversation| {
        conversation.index = Some(index);
        index += 1;
        conversations.contains(&(index - 1))
    });
    report
        .messages
        .retain(|message| message.frames.iter().any(|frame| displayed.contains(frame)));
}

pub(super) fn summary(
    report: &Report,
    trace: &Trace,
    displayed: Option<&BTreeSet<u64>>,
) -> Summary {
    let mut summary = Summary::default();
    let mut findings = Findings::default();
    let mut protocols: BTreeMap<Vec<String>, (u64, u64)> = BTreeMap::new();
    let shown = trace.packets.iter();
    let shown = shown.filter(|p| displayed.is_none_or(|numbers| numbers.contains(&p.number)));
    let mut times = None;
    for packet in shown {
        let bytes = u64::from(packet.len);
        summary.bytes += bytes;
        let (first, last) = times.get_or_insert((packet.time, packet.time));
        *first = packet.time.min(*first);
        *last = packet.time.max(*last);
        let count = protocols.entry(path(packet)).or_default();
        count.0 += 1;
        count.1 += bytes;
        if packet.cap_len < packet.len {
            findings.frames(FindingKind::Truncated, None, 1);
        }
        if let Some(Trouble::Malformed { layer, reason }) = &packet.trouble {
            let what = format!("{}: {reason}", layer.name());
            findings.frames(FindingKind::Malformed, Some(what), 1);
        }
    }
    if let Some((first, last)) = times {
        summary.time_epoch = Some(first.0 as f64 / 1e9);
        summary.duration_ms = Some(millis(last.since(first)));
    }
    let count = |((protocols, (packets, bytes)), ())| ProtocolCount {
        protocols,
        packets,
        bytes,
    };
    let protocols = protocols.into_iter().map(|kind| (kind, ()));
    summary.protocols = protocols.map(count).collect();
    for conversation in &report.conversations {
        findings.conversation(conversation);
        let ConversationCount { tcp, udp } = &mut summary.conversations;
        *match conversation.protocol {
            Protocol::Tcp => tcp,
            Protocol::Udp => udp,
        } += 1;
    }
    for message in &report.messages {
        findings.message(message);
        summary.transactions += 1;
    }
    summary.findings = findings.finish();
    summary
}

/// The protocols in a frame, outermost first.
fn path(packet: &Packet) -> Vec<String> {
    let link = match packet.link {
        Link::Ethernet(_) => "eth",
        Link::LinuxCooked { .. } => "sll",
        Link::Null { .. } => "null",
        Link::Raw => "raw",
        _ => "",
    };
    let net = match packet.net {
        Some(Net::V4(_)) => "ip",
        Some(Net::V6(_)) => "ipv6",
        None => "",
    };
    let transport = match &packet.transport {
        Transport::Tcp(_) => "tcp".to_owned(),
        Transport::Udp(_) => "udp".to_owned(),
        Transport::Icmp(_) => "icmp".to_owned(),
        Transport::Icmpv6(_) => "icmpv6".to_owned(),
        Transport::Other { protocol, .. } => format!("IP protocol {protocol}"),
        Transport::Fragment => "fragment".to_owned(),
        _ => String::new(),
    };
    let trouble = match &packet.trouble {
        Some(Trouble::Unknown {
            what: Numbering::EtherType,
            number,
        }) => match number {
            0x0806 => "arp".to_owned(),
            0x88cc => "lldp".to_owned(),
            number => format!("EtherType 0x{number:04x}"),
        },
        Some(Trouble::Unknown { what, number }) => format!("{} {number}", what.name()),
        Some(Trouble::Malformed { .. }) => "malformed".to_owned(),
        _ => String::new(),
    };
    let path = [link.to_owned(), net.to_owned(), transport, trouble];
    path.into_iter().filter(|name| !name.is_empty()).collect()
}
