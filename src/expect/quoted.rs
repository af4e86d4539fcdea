//! What a filter found only in the headers that an ICMP error quotes: it surprises
//! who knows filters from `tcpdump`, and who counts datagrams.

use std::borrow::Cow;

use fixedbitset::FixedBitSet;

use super::ast::{Filter, Selection, StepOrFilter};
use super::claim::World;
use super::fields::{Reading, View};
use super::filter;
use crate::decode::Transport;
use crate::trace::Trace;

/// So many packets are looked at.
const MOST: usize = 1000;

/// Says it of the first such packet among those that were found.
pub fn note(world: &World<'_>, which: &Selection, found: &FixedBitSet) -> Option<String> {
    let StepOrFilter::Filter(condition) = &which.what else {
        return None;
    };
    let trace = world.facts.trace;
    let packet = found
        .ones()
        .take(MOST)
        .find(|&packet| is_quoted(world, &condition.value, packet))?;
    let frame = trace.packets.get(packet)?.number;
    let (name, field) = icmp(trace, packet)?;
    let mut written = Cow::Borrowed(world.written(&condition.span));
    if matches!(condition.value, Filter::Or(..) | Filter::Xor(..)) {
        written = Cow::Owned(format!("({written})"));
    }
    Some(format!(
        "Packet {frame} is an {name} error: as in Wireshark, a filter also sees the headers of the packet that it quotes. `{written} and not {field}` leaves it out."
    ))
}

fn is_quoted(world: &World<'_>, condition: &Filter, packet: usize) -> bool {
    let trace = world.facts.trace;
    let of_step = |name: &str| View::new(trace, world.names.get(name)?.packet, Reading::Own);
    icmp(trace, packet).is_some()
        && View::new(trace, packet, Reading::Own)
            .is_some_and(|view| !filter::matches_after(condition, &view, &of_step))
}

/// What the packet's ICMP is called, and the field that every such packet has.
fn icmp(trace: &Trace, packet: usize) -> Option<(&'static str, &'static str)> {
    match trace.packets.get(packet)?.transport {
        Transport::Icmp(_) => Some(("ICMP", "icmp")),
        Transport::Icmpv6(_) => Some(("ICMPv6", "icmpv6")),
        _ => None,
    }
}
