//! Packets of which the capture holds a part (`tcpdump -s`, tshark's snapshot length).
//!
//! What was cut off their payload matters to those who read it ([`contents`]); what was
//! cut off their headers to every condition, for a field that is missing there may have
//! been sent.
//!
//! [`contents`]: super::contents

use fixedbitset::FixedBitSet;

use super::ast::Filter;
use super::facts::Facts;
use crate::decode::{Icmp, Transport, Trouble};
use crate::trace::Trace;

/// The packets that are not there as a whole (`frame.cap_len < frame.len`).
pub fn truncated(trace: &Trace) -> FixedBitSet {
    let packets = trace.packets.iter().enumerate();
    packets
        .filter(|(_, packet)| packet.cap_len < packet.len)
        .map(|(index, _)| index)
        .collect()
}

/// Of some packets those that lack headers which could change what a condition comes to.
pub fn in_headers(facts: &Facts<'_>, packets: &FixedBitSet, condition: &Filter) -> FixedBitSet {
    let is_of_fixed_parts = asks_for_fixed_parts(condition);
    let truncated = packets.intersection(facts.truncated());
    truncated
        .filter(|packet| is_in_headers(facts.trace, *packet))
        .filter(|packet| {
            // Of TCP only options are missing: else there would be no TCP.
            let transport = facts.trace.packets.get(*packet).map(|p| &p.transport);
            !is_of_fixed_parts || !matches!(transport, Some(Transport::Tcp(_)))
        })
        .collect()
}

/// Does a condition ask only for what stands before the options of TCP?
fn asks_for_fixed_parts(condition: &Filter) -> bool {
    const LAYERS: [&str; 7] = ["frame", "eth", "vlan", "sll", "null", "ip", "ipv6"];
    const OF_TCP: [&str; 4] = ["tcp.port", "tcp.srcport", "tcp.dstport", "tcp.len"];
    let mut all = true;
    condition.operands(&mut |operand| {
        operand.fields(&mut |field| {
            let name = field.field.name;
            let layer = name.split('.').next().unwrap_or_default();
            all &= (LAYERS.contains(&layer) && name != layer)
                || OF_TCP.contains(&name)
                || name.starts_with("tcp.flags");
        });
    });
    all
}

/// Is something missing of what says where a truncated packet belongs: of its
/// headers, their options, or the headers that an ICMP error quotes?
pub fn is_in_headers(trace: &Trace, index: usize) -> bool {
    let Some(packet) = trace.packets.get(index) else {
        return false;
    };
    match &packet.transport {
        Transport::Icmp(icmp) if matches!(icmp.kind, 3 | 4 | 5 | 11 | 12) => !quotes_ports(icmp),
        Transport::Icmpv6(icmp) if icmp.kind < 128 => !quotes_ports(icmp),
        Transport::Tcp(tcp) => {
            let captured = packet
                .data(trace.frame(index))
                .get(tcp.header.start as usize..);
            let captured = captured.unwrap_or_default();
            // RFC 9293 §3.1: the data offset, in words of 32 bits.
            captured
                .get(12)
                .is_none_or(|offset| usize::from(offset >> 4) * 4 > captured.len())
        }
        Transport::None => matches!(packet.trouble, Some(Trouble::Truncated { .. })),
        _ => false,
    }
}

fn quotes_ports(icmp: &Icmp) -> bool {
    let quoted = icmp.quoted.as_deref();
    quoted.is_some_and(|quoted| quoted.src_port.is_some())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::expect::{Verdict, judge, parse};
    use crate::trace::{self, Trace};

    /// A SYN whose options say MSS 536 and a window scale of 7, as much of it as is kept.
    fn syn(kept: usize) -> Trace {
        let mut packet = vec![0x45, 0, 0, 48, 0, 1, 0, 0, 64, 6, 0, 0];
        packet.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x9C, 0x40, 0, 80]);
        packet.extend([0, 0, 0, 9, 0, 0, 0, 0, 0x70, 2, 2, 0, 0, 0, 0, 0]);
        packet.extend([2, 4, 2, 24, 1, 3, 3, 7]);
        let mut file = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
        file.extend([
            2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 101, 0, 0, 0,
        ]);
        file.extend([1, 0, 0, 0, 0, 0, 0, 0, kept as u8, 0, 0, 0, 48, 0, 0, 0]);
        file.extend(&packet[..kept]);
        trace::read(file.as_slice(), "syn", None).unwrap()
    }

    fn verdict(trace: &Trace, text: &str) -> Verdict {
        let expectation = parse("test", text, &trace.roles).unwrap();
        judge(trace, &[expectation], &[], &BTreeMap::new())[0].verdict
    }

    /// Regression: found by fuzzing. Options that were cut off were taken for options
    /// that were not sent, wherever a packet that was found decided.
    #[test]
    fn options_that_were_cut_off_may_have_been_sent() {
        let (whole, cut) = (syn(48), syn(44));
        for (text, of_whole) in [
            ("each SYN has tcp.options.wscale.shift > 6", Verdict::Pass),
            ("no SYN where not tcp.options.wscale.shift", Verdict::Pass),
            ("no tcp and not tcp.options.wscale.shift", Verdict::Pass),
            (
                "packets(SYN where not tcp.options.wscale) >= 1",
                Verdict::Fail,
            ),
            (
                "in order { SYN where not tcp.options.wscale }",
                Verdict::Fail,
            ),
            ("in order (not tcp.options.wscale) { SYN }", Verdict::Fail),
        ] {
            assert_eq!(verdict(&whole, text), of_whole, "{text}");
            assert_eq!(verdict(&cut, text), Verdict::Inconclusive, "{text}");
        }
        // What stands before the options was not cut off.
        for (text, verdict_of) in [
            ("each SYN has ip.ttl == 63", Verdict::Fail),
            ("in order { SYN where tcp.dstport == 80 }", Verdict::Pass),
            ("no SYN", Verdict::Fail),
        ] {
            assert_eq!(verdict(&whole, text), verdict_of, "{text}");
            assert_eq!(verdict(&cut, text), verdict_of, "{text}");
        }
    }
}
