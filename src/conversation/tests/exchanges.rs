//! UDP exchanges, and ICMP errors about them.

use super::*;
use crate::decode::Transport;
use crate::savefile::Timestamp;

#[test]
fn udp_exchanges_count_both_ways() {
    let (seen, tracked) = track(vec![
        udp(CLIENT, SERVER, "hello"),
        udp(SERVER, CLIENT, "HELLO"),
        udp("127.0.0.1:40001", SERVER, "x"),
        udp(CLIENT, SERVER, "again"),
    ]);
    let which: Vec<_> = seen.iter().map(|s| s.conversation.unwrap()).collect();
    assert_eq!(which, [0, 0, 1, 0]);
    let first = &tracked.conversations[0];
    assert_eq!(first.client, socket(CLIENT));
    assert_eq!(
        first.bytes,
        Ways {
            to_server: 10,
            to_client: 5
        }
    );
    let facts = first.udp.as_ref().unwrap();
    assert_eq!(
        facts.datagrams,
        Ways {
            to_server: 2,
            to_client: 1
        }
    );
    assert_eq!(facts.lost, 0);
    assert_eq!(tracked.conversations[1].id, 1);
}

/// A redirect tells of a better way; the datagram went on.
#[test]
fn a_redirected_datagram_is_not_lost() {
    let mut redirect = port_unreachable(&udp(CLIENT, SERVER, "hello"));
    if let Transport::Icmp(icmp) = &mut redirect.packet.transport {
        icmp.kind = 5;
        icmp.quoted.as_mut().unwrap().undelivered = false;
    }
    let (seen, tracked) = track(vec![udp(CLIENT, SERVER, "hello"), redirect]);
    assert_eq!(seen[1].quotes, Some(0));
    assert_eq!(tracked.conversations[0].udp.as_ref().unwrap().lost, 0);
}

/// What `iptables -j REJECT` does.
#[test]
fn a_syn_rejected_by_icmp_counts_its_errors() {
    let syn = || tcp(CLIENT, SERVER, "S", 7, 0, "");
    let (seen, tracked) = track(vec![
        syn(),
        port_unreachable(&syn()),
        syn(),
        port_unreachable(&syn()),
    ]);
    assert_eq!(seen[1].conversation, Some(0));
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!((facts.icmp_errors, facts.state), (2, ConnState::S0));
}

/// Any number counted: a forged error, or one about an earlier connection, rejected it.
#[test]
fn an_icmp_error_about_a_number_that_was_never_sent_is_about_no_connection() {
    let syn = |seq| tcp(CLIENT, SERVER, "S", seq, 0, "");
    let (seen, tracked) = track(vec![syn(5), port_unreachable(&syn(77))]);
    assert_eq!(seen[1], Seen::default());
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!(facts.icmp_errors, 0);

    // Of so few bytes that they have no number, it is about the ports.
    let mut short = port_unreachable(&syn(77));
    if let Transport::Icmp(icmp) = &mut short.packet.transport {
        icmp.quoted.as_mut().unwrap().seq = None;
    }
    let (_, tracked) = track(vec![syn(5), short]);
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!(facts.icmp_errors, 1);
}

/// The window allowed it; what is beyond was sent by nobody.
#[test]
fn an_icmp_error_may_quote_a_segment_that_was_not_captured() {
    for (seq, belongs) in [(2, true), (900, true), (1100, false), (u32::MAX, false)] {
        let (seen, _) = track(after_handshake(vec![
            c("PA", 1, 1, "a"),
            port_unreachable(&c("PA", seq, 1, "b")),
        ]));
        assert_eq!(seen[4].conversation.is_some(), belongs, "{seq}");
    }
}

/// As `tshark -z conv,tcp` has it.
#[test]
fn a_conversation_lasts_from_its_earliest_packet_to_its_latest() {
    let (seen, tracked) = track(vec![
        c("S", 0, 0, "").at(500_000),
        s("SA", 0, 1, "").at(250_000),
        c("A", 1, 1, "").at(1_250_000),
    ]);
    let conversation = &tracked.conversations[0];
    let times = (conversation.earliest, conversation.last);
    assert_eq!(times, (Timestamp(250_000_000), Timestamp(1_250_000_000)));
    // Wireshark's relative times count from the first one in the file.
    assert_eq!(conversation.first, Timestamp(500_000_000));
    assert_eq!(seen[1].tcp.as_ref().unwrap().time_relative, -250_000_000);
}

/// `udp.time_delta`: in the order of the file, also where time goes back.
#[test]
fn a_datagram_knows_how_long_after_the_one_before_it_came() {
    let (seen, _) = track(vec![
        udp(CLIENT, SERVER, "one").at(1_000),
        udp("127.0.0.1:40001", SERVER, "x").at(2_000),
        udp(SERVER, CLIENT, "ONE").at(5_000),
        udp(CLIENT, SERVER, "two").at(4_000),
        tcp(CLIENT, SERVER, "S", 0, 0, ""),
    ]);
    let deltas: Vec<_> = seen.iter().map(|s| s.udp_delta).collect();
    let microseconds = |n: i64| Some(n * 1_000);
    assert_eq!(
        deltas,
        [
            microseconds(0),
            microseconds(0),
            microseconds(4_000),
            microseconds(-1_000),
            None
        ]
    );
}

#[test]
fn an_icmp_error_finds_the_datagram_that_it_quotes() {
    let datagram = |payload: &str| udp(CLIENT, SERVER, payload);
    let (seen, tracked) = track(vec![
        datagram("one"),
        datagram("two"),
        datagram("two"),
        port_unreachable(&datagram("two")),
        port_unreachable(&datagram("two")),
        port_unreachable(&datagram("one")),
        // Twice the same error loses no further datagram.
        port_unreachable(&datagram("one")),
    ]);
    let quotes: Vec<_> = seen.iter().map(|s| s.quotes).collect();
    assert_eq!(
        quotes,
        [None, None, None, Some(1), Some(2), Some(0), Some(0)]
    );
    assert_eq!(seen[3].conversation, Some(0));
    assert_eq!(seen[3].direction, Some(Direction::ToClient));
    assert_eq!(tracked.conversations.len(), 1);
    assert_eq!(tracked.conversations[0].udp.as_ref().unwrap().lost, 3);
    assert_eq!(
        tracked.conversations[0].packets,
        Ways {
            to_server: 3,
            to_client: 0
        }
    );
}

#[test]
fn the_ip_id_tells_equal_datagrams_apart() {
    let datagram = |id| udp(CLIENT, SERVER, "same").ip_id(id);
    let (seen, _) = track(vec![
        datagram(1),
        datagram(2),
        port_unreachable(&datagram(2)),
        port_unreachable(&datagram(1)),
    ]);
    assert_eq!(seen[2].quotes, Some(1));
    assert_eq!(seen[3].quotes, Some(0));
}

#[test]
fn an_icmp_error_about_tcp_finds_the_segment_by_its_number() {
    let (seen, _) = track(after_handshake(vec![
        c("PA", 1, 1, "a"),
        c("PA", 2, 1, "b"),
        port_unreachable(&c("PA", 2, 1, "b")),
    ]));
    assert_eq!(seen[5].quotes, Some(4));
    assert_eq!(seen[5].direction, Some(Direction::ToClient));
}

#[test]
fn an_icmp_error_about_strangers_begins_no_conversation() {
    let (seen, tracked) = track(vec![port_unreachable(&udp(CLIENT, SERVER, "x"))]);
    assert_eq!(seen[0], Seen::default());
    assert!(tracked.conversations.is_empty());
}

/// The broadcast address of a subnet is known by its frame alone.
#[test]
fn a_datagram_to_all_of_a_subnet_is_a_broadcast() {
    use crate::decode::{Cooked, Ethernet, Link, Vlan};
    let ethernet = |dst| {
        Link::Ethernet(Ethernet {
            dst,
            src: [2; 6],
            ethertype: 0x0800,
            vlan: Vlan::default(),
        })
    };
    let cooked = |packet_type| {
        Link::LinuxCooked(Cooked {
            header_len: 16,
            packet_type,
            protocol: 0x0800,
            ethertype: 0x0800,
            vlan: Vlan::default(),
        })
    };
    for (link, group) in [
        (ethernet([0xFF; 6]), Some(Group::Broadcast)),
        (ethernet([1, 0, 0x5E, 0, 0, 1]), Some(Group::Multicast)),
        (ethernet([2; 6]), None),
        (cooked(0), None),
        (cooked(1), Some(Group::Broadcast)),
        (cooked(2), Some(Group::Multicast)),
        (Link::Raw, None),
    ] {
        let mut first = udp(CLIENT, SERVER, "who is there");
        first.packet.link = link;
        let (_, tracked) = track(vec![first, udp(CLIENT, SERVER, "again")]);
        let facts = tracked.conversations[0].udp.as_ref().unwrap();
        assert_eq!(facts.group, group);
    }
    let address = |text: &str| Group::of_address(text.parse().unwrap());
    assert_eq!(address("255.255.255.255"), Some(Group::Broadcast));
    assert_eq!(address("ff02::fb"), Some(Group::Multicast));
    assert_eq!(address("192.168.1.255"), None);
}
