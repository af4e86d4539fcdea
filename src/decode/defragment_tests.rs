//! Fragments in any order, doubled, contradicting, too many, and too late.

use proptest::prelude::*;

use super::samples::frame;
use super::{
    Defragmenter, FragmentCounts, FragmentLimits, Packet, Reason, Transport, Trouble, Unfinished,
    checksum_status, decode,
};
use crate::decode::ChecksumStatus;
use crate::savefile::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// A UDP datagram of 40 bytes of payload from port 5000 to 12000, with its header.
fn datagram() -> Vec<u8> {
    let mut bytes = [5000u16, 12000, 48, 0].map(u16::to_be_bytes).concat();
    bytes.extend(b'a'..b'a' + 26);
    bytes.extend(b'0'..b'0' + 10);
    bytes.extend(*b"----");
    bytes
}

/// A raw IPv4 packet with a part of a payload.
fn v4(id: u16, offset: usize, more: bool, part: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + part.len() as u16).to_be_bytes());
    bytes.extend(id.to_be_bytes());
    let flags = u16::from(more) << 13 | (offset / 8) as u16;
    bytes.extend(flags.to_be_bytes());
    bytes.extend([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    bytes.extend(part);
    bytes
}

/// A raw IPv6 packet with a part of a payload that begins with header `next`.
fn v6(id: u32, next: u8, offset: usize, more: bool, part: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((8 + part.len() as u16).to_be_bytes());
    bytes.extend([44, 64]);
    bytes.extend([1; 16]);
    bytes.extend([2; 16]);
    bytes.extend([next, 0]);
    bytes.extend((offset as u16 | u16::from(more)).to_be_bytes());
    bytes.extend(id.to_be_bytes());
    bytes.extend(part);
    bytes
}

/// A capture of raw IP that is read packet by packet.
#[derive(Default)]
struct Capture {
    defragmenter: Defragmenter,
    number: u64,
    now: i64,
}

impl Capture {
    fn bounded(limits: FragmentLimits) -> Capture {
        Capture {
            defragmenter: Defragmenter::new(limits),
            ..Capture::default()
        }
    }

    fn take(&mut self, data: &[u8]) -> Packet {
        self.take_of(101, data)
    }

    fn take_of(&mut self, link_type: u32, data: &[u8]) -> Packet {
        self.number += 1;
        let mut frame = frame(link_type, data);
        frame.number = self.number;
        frame.time = Timestamp(self.now);
        let mut packet = decode(&frame);
        self.defragmenter.packet(&mut packet, &frame);
        checksum_status(&packet, data);
        packet
    }

    fn counts(&self) -> FragmentCounts {
        self.defragmenter.counts()
    }
}

/// Where the pieces of the datagram begin and end.
const PIECES: [(usize, usize); 4] = [(0, 16), (16, 24), (24, 40), (40, 48)];

fn piece_v4(id: u16, (from, to): (usize, usize)) -> Vec<u8> {
    v4(id, from, to < 48, &datagram()[from..to])
}

fn piece_v6(id: u32, (from, to): (usize, usize)) -> Vec<u8> {
    v6(id, 17, from, to < 48, &datagram()[from..to])
}

fn assert_whole(packet: &Packet, frame: &[u8], numbers: &[u64]) {
    let udp = packet.udp().expect("a datagram");
    assert_eq!((udp.src_port, udp.dst_port), (5000, 12000));
    assert_eq!(udp.payload.of(packet.data(frame)), &datagram()[8..]);
    let whole = packet.reassembled().expect("reassembled");
    assert_eq!(whole.frames, numbers);
    assert_eq!(packet.trouble, None);
    assert!(!packet.is_fragment());
}

/// Those of Linux cooked captures were put together across VLANs.
#[test]
fn in_each_vlan_by_itself() {
    let ethernet = vec![0; 12];
    let cooked = vec![0; 14];
    for (link_type, header) in [(1, ethernet), (113, cooked)] {
        let mut capture = Capture::default();
        let mut completes = |vlan, piece: (usize, usize)| {
            let tag = [0x81, 0, 0, vlan, 8, 0];
            let frame = [&header[..], &tag, &piece_v4(1, piece)].concat();
            let packet = capture.take_of(link_type, &frame);
            assert_eq!(packet.trouble, None);
            packet.udp().is_some()
        };
        let (first, rest) = ((0, 16), (16, 48));
        assert!(!completes(5, first) && !completes(6, rest));
        assert!(completes(6, first) && completes(5, rest));
    }
}

#[test]
fn in_any_order() {
    for first in 0..4 {
        for second in (0..4).filter(|i| *i != first) {
            let mut order = vec![first, second];
            order.extend((0..4).filter(|i| ![first, second].contains(i)));
            for v6 in [false, true] {
                let mut capture = Capture::default();
                for (count, piece) in order.iter().enumerate() {
                    let data = match v6 {
                        true => piece_v6(9, PIECES[*piece]),
                        false => piece_v4(9, PIECES[*piece]),
                    };
                    let packet = capture.take(&data);
                    if count < 3 {
                        assert_eq!(packet.transport, Transport::Fragment);
                        assert_eq!((packet.trouble, packet.reassembled()), (None, None));
                        assert!(packet.is_fragment());
                    } else {
                        assert_whole(&packet, &data, &[1, 2, 3, 4]);
                    }
                }
                let complete = FragmentCounts {
                    complete: 1,
                    ..FragmentCounts::default()
                };
                assert_eq!(capture.counts(), complete);
            }
        }
    }
}

#[test]
fn several_at_a_time_are_told_apart() {
    let mut capture = Capture::default();
    for piece in PIECES {
        for id in [1, 2] {
            let (four, six) = (piece_v4(id, piece), piece_v6(u32::from(id), piece));
            let (packet, other) = (capture.take(&four), capture.take(&six));
            if piece.1 == 48 {
                assert!(packet.udp().is_some() && other.udp().is_some());
            }
        }
    }
    assert_eq!(capture.counts().complete, 4);
    assert_eq!(capture.counts().waiting, 0);
}

#[test]
fn a_copy_is_no_fault_and_the_first_one_stays() {
    let mut capture = Capture::default();
    capture.take(&piece_v4(1, PIECES[0]));
    assert_eq!(capture.take(&piece_v4(1, PIECES[0])).trouble, None);
    // It covers a part of what is there, and adds to it.
    assert_eq!(capture.take(&piece_v4(1, (8, 24))).trouble, None);
    let mut other = piece_v4(1, PIECES[0]);
    other[20 + 10] ^= 1;
    let overlap = Trouble::Malformed {
        layer: super::Layer::Ip,
        reason: Reason::Overlap,
    };
    assert_eq!(capture.take(&other).trouble, Some(overlap));
    let data = piece_v4(1, (24, 48));
    let packet = capture.take(&data);
    assert_whole(&packet, &data, &[1, 2, 3, 4, 5]);
}

#[test]
fn a_contradiction_discards_the_datagram_over_ipv6() {
    let mut capture = Capture::default();
    capture.take(&piece_v6(1, PIECES[0]));
    let mut other = piece_v6(1, PIECES[0]);
    other[48 + 10] ^= 1;
    let packet = capture.take(&other);
    assert!(matches!(
        packet.trouble,
        Some(Trouble::Malformed {
            reason: Reason::Overlap,
            ..
        })
    ));
    assert_eq!(capture.counts().contradictory, 1);
    let data = piece_v6(1, (16, 48));
    assert!(capture.take(&data).reassembled().is_none());
}

#[test]
fn an_end_that_moves_is_a_contradiction() {
    for later in [v4(1, 40, false, &[0; 16]), v4(1, 48, true, &[0; 8])] {
        let mut capture = Capture::default();
        capture.take(&piece_v4(1, PIECES[3]));
        assert!(capture.take(&later).trouble.is_some());
    }
    let mut capture = Capture::default();
    capture.take(&v4(1, 48, true, &[0; 8]));
    assert!(capture.take(&piece_v4(1, PIECES[3])).trouble.is_some());
}

#[test]
fn nothing_ends_beyond_the_longest_packet() {
    let mut capture = Capture::default();
    let packet = capture.take(&v4(1, 65528, false, &[0; 8]));
    assert!(matches!(
        packet.trouble,
        Some(Trouble::Malformed {
            reason: Reason::TooLong { end: 65536 },
            ..
        })
    ));
    assert_eq!(capture.counts().waiting, 0);
}

#[test]
fn what_comes_too_late_begins_another_datagram() {
    for (wait, complete) in [(30, true), (31, false)] {
        let mut capture = Capture::default();
        capture.take(&piece_v4(1, (0, 24)));
        capture.now = wait * SECOND;
        let packet = capture.take(&piece_v4(1, (24, 48)));
        assert_eq!(packet.reassembled().is_some(), complete);
        assert_eq!(capture.counts().late, u64::from(!complete));
    }
    let mut capture = Capture::default();
    capture.take(&piece_v6(1, (0, 24)));
    capture.now = 60 * SECOND;
    assert!(capture.take(&piece_v6(1, (24, 48))).reassembled().is_some());
}

#[test]
fn the_oldest_goes_where_too_many_wait() {
    let limits = FragmentLimits {
        datagrams: 10,
        ..FragmentLimits::default()
    };
    let mut capture = Capture::bounded(limits);
    for id in 0..1000 {
        capture.take(&piece_v4(id, PIECES[0]));
    }
    assert_eq!(
        (capture.counts().waiting, capture.counts().crowded),
        (10, 990)
    );
    assert!(
        capture
            .take(&piece_v4(999, (16, 48)))
            .reassembled()
            .is_some()
    );
    assert!(capture.take(&piece_v4(3, (16, 48))).reassembled().is_none());

    let limits = FragmentLimits {
        bytes: 2000,
        ..FragmentLimits::default()
    };
    let mut capture = Capture::bounded(limits);
    for id in 0..1000 {
        capture.take(&v4(id, 0, true, &[0; 400]));
        assert!(capture.counts().waiting <= 5);
    }
}

#[test]
fn why_a_fragment_came_to_no_datagram_is_noted() {
    let mut capture = Capture {
        defragmenter: Defragmenter::noting(),
        ..Capture::default()
    };
    capture.take(&piece_v4(1, (0, 24)));
    capture.now = 31 * SECOND;
    for fragment in [(24, 48), (0, 24)] {
        capture.take(&piece_v4(2, fragment));
    }
    // Captured on another interface, too; then the number is another datagram's.
    let copy = capture.take(&piece_v4(2, (0, 24)));
    assert_eq!(copy.unfinished(), Some(Unfinished::Copy));
    let other = capture.take(&v4(2, 0, true, &[b'y'; 24]));
    assert_eq!(other.unfinished(), None);
    capture.now += 3_000_000;
    let again = capture.take(&piece_v4(2, (0, 24)));
    assert_eq!(again.unfinished(), None);
    capture.take(&piece_v6(3, (0, 24)));
    capture.take(&v6(3, 17, 8, true, b"contrary"));
    let mut noted = capture.defragmenter.take_unfinished();
    noted.sort_unstable_by_key(|(number, _)| *number);
    let contradicted = Unfinished::Contradicted;
    let expected = [(1, Unfinished::Late), (7, contradicted), (8, contradicted)];
    assert_eq!(noted, expected);

    for id in 0..16_385 {
        capture.take(&piece_v4(id, PIECES[0]));
    }
    let crowded = capture.defragmenter.take_unfinished();
    assert_eq!(
        crowded.first().map(|(_, why)| *why),
        Some(Unfinished::CrowdedOut)
    );
}

#[test]
fn a_cut_fragment_is_not_kept() {
    let mut capture = Capture::default();
    let data = piece_v4(1, PIECES[0]);
    capture.take(&data[..30]);
    assert_eq!(capture.counts().waiting, 0);
    let packet = capture.take(&v4(2, 0, true, &[0; 0]));
    assert_eq!(packet.transport, Transport::Fragment);
}

#[test]
fn extension_headers_behind_the_fragment_header_are_read() {
    // Destination options, then the datagram.
    let payload = [&[17, 0, 1, 4, 0, 0, 0, 0], &datagram()[..]].concat();
    let mut capture = Capture::default();
    capture.take(&v6(1, 60, 24, false, &payload[24..]));
    let data = v6(1, 60, 0, true, &payload[..24]);
    let packet = capture.take(&data);
    assert_whole(&packet, &data, &[1, 2]);
}

#[test]
fn the_checksum_is_that_of_the_whole() {
    let mut whole = datagram();
    let sums = [0x1234u16, 0];
    for sum in sums {
        whole[6..8].copy_from_slice(&sum.to_be_bytes());
        let mut capture = Capture::default();
        capture.take(&v4(1, 0, true, &whole[..24]));
        let data = v4(1, 24, false, &whole[24..]);
        let packet = capture.take(&data);
        let expected = match sum {
            0 => ChecksumStatus::Absent,
            _ => ChecksumStatus::Bad,
        };
        assert_eq!(checksum_status(&packet, &data).transport, Some(expected));
    }
}

proptest! {
    /// Parts of one payload that overlap in any way, then all of it.
    #[test]
    fn overlapping_parts(pieces in prop::collection::vec((0..25usize, 1..26usize), 0..40)) {
        let whole: Vec<u8> = (0..200).collect();
        let mut capture = Capture::default();
        let last = [(0, 12), (12, 25)];
        for (at, len) in pieces.into_iter().chain(last) {
            let (from, to) = (at * 8, (at * 8 + len * 8).min(200));
            let data = v4(1, from, to < 200, &whole[from..to]);
            let packet = capture.take(&data);
            let reason = Reason::Overlap;
            let layer = super::Layer::Ip;
            prop_assert_ne!(packet.trouble, Some(Trouble::Malformed { layer, reason }));
            if let Some(reassembled) = packet.reassembled() {
                prop_assert_eq!(&reassembled.bytes[20..], &whole[..]);
                prop_assert_eq!(&reassembled.bytes[..20], &data[..20]);
            }
        }
        prop_assert!(capture.counts().complete > 0);
    }

    /// Whatever comes: nothing panics, and nothing grows.
    #[test]
    fn any_pieces(
        pieces in prop::collection::vec(
            (0..3u16, 0..8192usize, 0..40usize, any::<bool>(), any::<u8>(), any::<bool>()), 1..60),
    ) {
        let limits = FragmentLimits { bytes: 1000, datagrams: 4, ..FragmentLimits::default() };
        let mut capture = Capture::bounded(limits);
        for (id, at, len, more, byte, near) in pieces {
            let at = if near { at % 8 } else { at } * 8;
            let part = vec![byte; len];
            capture.take(&v4(id, at, more, &part));
            capture.take(&v6(u32::from(id), byte, at, more, &part));
            prop_assert!(capture.counts().waiting <= 4);
        }
    }
}
