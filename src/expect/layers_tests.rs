//! Display filters on layers that few captures have: tunnels, tags, IEEE 802.11, and
//! link layers other than Ethernet.

use super::fields::{Reading, View};
use super::filter::matches;
use super::parse_filter;
use crate::decode::samples::{self, GRE_IPV6_UDP, ICMP_PORT_UNREACHABLE, RADIOTAP_QOS_UDP};
use crate::trace::read;

/// The numbers of the frames that the filter shows.
fn shown(link_type: u32, frames: &[Vec<u8>], filter: &str) -> Vec<usize> {
    let trace = read(&samples::pcap(link_type, frames)[..], "test.pcap", None).unwrap();
    let (Some(parsed), _) = parse_filter(filter, &[]) else {
        panic!("{filter}");
    };
    let view = |index| View::new(&trace, index, Reading::Filter).unwrap();
    let all = 0..trace.packets.len();
    all.filter(|index| matches(&parsed, &view(*index)))
        .map(|index| index + 1)
        .collect()
}

/// Which of the filters show the frame.
fn showing<'f>(link_type: u32, frame: &[u8], filters: &[&'f str]) -> Vec<&'f str> {
    let frames = [frame.to_vec()];
    let filters = filters.iter().copied();
    filters
        .filter(|filter| !shown(link_type, &frames, filter).is_empty())
        .collect()
}

/// Its bytes were those that it carries.
#[test]
fn gre_begins_with_its_header() {
    let (link_type, hex) = GRE_IPV6_UDP;
    let bytes = samples::bytes(hex);
    let shows = ["gre[0:2] == 30:00", "gre[2:2] == 86:dd", "len(gre) == 12"];
    let not = ["gre[0] == 60", "gre[12] == 60"];
    let filters = [shows.as_slice(), &not].concat();
    assert_eq!(showing(link_type, &bytes, &filters), shows);
}

/// Its bytes were the whole frame's, with what the radio says of it.
#[test]
fn an_802_11_header_begins_behind_radiotap() {
    let (link_type, hex) = RADIOTAP_QOS_UDP;
    let bytes = samples::bytes(hex);
    let shows = ["wlan[0:2] == 88:02", "len(wlan) == 26"];
    let not = ["wlan[0] == 00", "wlan[26:2] == aa:aa"];
    let filters = [shows.as_slice(), &not].concat();
    assert_eq!(showing(link_type, &bytes, &filters), shows);
    // Without radiotap; an acknowledgment has 10 bytes, and a request to send 16.
    for (control, header) in [(0xD4, 10), (0xB4, 16), (0x80, 24), (0xC0, 24)] {
        let mut frame = vec![control, 0, 0, 0];
        frame.extend([2; 30]);
        let filter = format!("len(wlan) == {header}");
        assert_eq!(showing(105, &frame, &[&filter]).len(), 1, "{control:x}");
    }
}

/// IPv4, without options and with a right header checksum for none of its readers.
fn ipv4(protocol: u8, id: u8, offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, id]);
    bytes.extend((u16::from(more) << 13 | (offset / 8) as u16).to_be_bytes());
    bytes.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    bytes.extend(payload);
    bytes
}

/// UDP from port 1000 to 2000.
fn udp(payload: &[u8]) -> Vec<u8> {
    let mut bytes = [1000u16, 2000, 8 + payload.len() as u16, 0]
        .map(u16::to_be_bytes)
        .concat();
    bytes.extend(payload);
    bytes
}

/// They were told of the inner header, which is of the other version.
#[test]
fn fragments_are_told_of_the_header_that_was_fragmented() {
    let mut inner = vec![0x60, 0, 0, 0, 0, 28, 17, 64];
    inner.extend([[1; 16], [2; 16]].concat());
    inner.extend(udp(&[b'a'; 20]));
    let frames = [
        ipv4(41, 5, 0, true, &inner[..40]),
        ipv4(41, 5, 40, false, &inner[40..]),
    ];
    for filter in ["ip.fragment == 1", "ip.fragment.count == 2"] {
        assert_eq!(shown(101, &frames, filter), [2], "{filter}");
    }
    assert_eq!(shown(101, &frames, "ip.reassembled.length == 68"), [2]);
    for filter in ["ipv6.fragment", "ipv6.reassembled.length"] {
        assert_eq!(shown(101, &frames, filter), [0usize; 0], "{filter}");
    }
}

/// Each was taken for a quoted UDP header.
#[test]
fn an_error_that_quotes_no_transport_header_is_none_of_that_protocol() {
    let (link_type, hex) = ICMP_PORT_UNREACHABLE;
    let bytes = samples::bytes(hex);
    assert_eq!(showing(link_type, &bytes, &["udp"]), ["udp"]);
    let mut later = bytes.clone();
    later[49] = 5;
    let mut cut = bytes;
    cut[16..18].copy_from_slice(&[0, 48]);
    cut.truncate(14 + 48);
    for frame in [later, cut] {
        let filters = ["udp", "udp.payload", "icmp", "ip.proto == 17"];
        let shows = showing(link_type, &frame, &filters);
        assert_eq!(shows, ["icmp", "ip.proto == 17"]);
    }
}

/// Behind Ethernet, with a number of the type's place.
fn ethernet(number: u16, inner: &[u8]) -> Vec<u8> {
    [&[2; 12][..], &number.to_be_bytes(), inner].concat()
}

/// IEEE 802.2 with an EtherType.
fn snap(ethertype: u16, inner: &[u8]) -> Vec<u8> {
    [
        &[0xAA, 0xAA, 3, 0, 0, 0],
        &ethertype.to_be_bytes()[..],
        inner,
    ]
    .concat()
}

/// An IPv4 packet behind a tag of VLAN 5; the EtherType of the tag is before.
fn tagged() -> Vec<u8> {
    [&[0, 5, 8, 0], &ipv4(17, 1, 0, false, &udp(b"hi"))[..]].concat()
}

/// It had neither name.
#[test]
fn an_older_tag_is_a_tag_too() {
    let filters = ["vlan", "vlan.id == 5", "udp", "ieee8021ad"];
    let shows = showing(1, &ethernet(0x9100, &tagged()), &filters);
    assert_eq!(shows, filters[..3]);
    let inner = [&[0, 6, 0x81, 0], &tagged()[..]].concat();
    let filters = ["vlan.id#1 == 6", "vlan.id#2 == 5", "len(vlan) == 4"];
    assert_eq!(showing(1, &ethernet(0x9100, &inner), &filters).len(), 3);
}

/// Only tags and labels right behind Ethernet were.
#[test]
fn tags_and_labels_are_found_wherever_they_stand() {
    let packet = ipv4(17, 1, 0, false, &udp(b"hi"));
    let labelled = [&[0, 1, 0x11, 0x40], &packet[..]].concat();
    let geneve = |ethertype: [u8; 2], inner: &[u8]| {
        let message = [&[0, 0], &ethertype[..], &[0, 0, 42, 0], inner].concat();
        let mut datagram = udp(&message);
        datagram[2..4].copy_from_slice(&6081u16.to_be_bytes());
        ipv4(17, 1, 0, false, &datagram)
    };
    for (link_type, frame) in [
        (9, [&[0xFF, 3, 2, 0x81], &labelled[..]].concat()),
        (104, [&[0x0F, 0, 0x88, 0x47], &labelled[..]].concat()),
        (
            101,
            ipv4(
                47,
                1,
                0,
                false,
                &[&[0, 0, 0x88, 0x47], &labelled[..]].concat(),
            ),
        ),
        (101, geneve([0x88, 0x47], &labelled)),
    ] {
        let filters = ["mpls", "udp.dstport == 2000", "vlan"];
        assert_eq!(showing(link_type, &frame, &filters), filters[..2]);
    }
    let in_snap = snap(0x8100, &tagged());
    for (link_type, frame) in [
        (1, ethernet(in_snap.len() as u16, &in_snap)),
        (101, geneve([0x81, 0], &tagged())),
        (
            105,
            [&[8, 0, 0, 0], &[2; 18][..], &[0x10, 0], &in_snap].concat(),
        ),
    ] {
        let filters = ["vlan.id == 5", "udp.dstport == 2000", "mpls"];
        assert_eq!(showing(link_type, &frame, &filters), filters[..2]);
    }
}

/// They were read as an ARP message and as LLC of so many bytes.
#[test]
fn numbers_that_are_no_ethertypes_are_none() {
    let slarp = [&[0x8F, 0, 0x80, 0x35], &[0; 18][..]].concat();
    let filters = ["slarp", "arp", "chdlc"];
    assert_eq!(showing(104, &slarp, &filters), ["slarp", "chdlc"]);
    for (protocol, name) in [
        (1, Some("ipx")),
        (12, Some("can")),
        (13, Some("canfd")),
        (3, None),
    ] {
        let frame = [&[0; 15], &[protocol][..], &[0xFF; 16]].concat();
        let shows = showing(113, &frame, &["llc", "ipx", "can", "canfd"]);
        assert_eq!(shows, name.into_iter().collect::<Vec<_>>(), "{protocol}");
    }
}

/// Its header was told of in no way.
#[test]
fn a_tunnel_with_an_unknown_packet_has_a_header() {
    let echo = [0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0];
    let datagram = [&[0x08, 0x68, 8, 0x68, 0, 20, 0, 0], &echo[..]].concat();
    let frame = ipv4(17, 1, 0, false, &datagram);
    let filters = ["gtp", "gtp.teid == 0", "udp.length == 20", "vxlan"];
    assert_eq!(showing(101, &frame, &filters), filters[..3]);
}
