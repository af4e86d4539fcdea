//! Display filters on layers that few captures have: tunnels, tags, IEEE 802.11, and
//! link layers other than Ethernet.

use super::fields::{Reading, View};
use super::filter::matches;
use super::parse_filter;
use crate::decode::samples::{self, GRE_IPV6_UDP, RADIOTAP_QOS_UDP};
use crate::trace::read;

/// The numbers of the frames that the filter shows. Each frame comes a second after
/// the last.
fn shown(link_type: u32, frames: &[Vec<u8>], filter: &str) -> Vec<usize> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([0, 0, 4, 0]);
    file.extend(link_type.to_le_bytes());
    for (second, frame) in (1u32..).zip(frames) {
        let len = (frame.len() as u32).to_le_bytes();
        file.extend(second.to_le_bytes());
        file.extend([[0; 4], len, len].concat());
        file.extend(frame);
    }
    let trace = read(&file[..], "test.pcap", None).unwrap();
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
