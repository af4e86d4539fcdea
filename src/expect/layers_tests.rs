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
    let shows = ["gre[0:2] == 30:00", "gre[12] == 60", "gre[2:2] == 86:dd"];
    let not = ["gre[0] == 60", "len(gre) == 12"];
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
