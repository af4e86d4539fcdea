//! IEEE 802.11, with or without radiotap, up to what LLC carries.

use super::carried::{Inside, llc};
use super::fault::Fault;
use super::{Layer, Link};

/// The header of a frame in the air. Field names as Wireshark's `wlan.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wlan {
    /// Type, subtype and flags: the first two bytes, the first one low.
    pub frame_control: u16,
    /// `wlan.da`; of a control frame its receiver (`wlan.ra`).
    pub dst: [u8; 6],
    /// `wlan.sa`; zero where the frame has none.
    pub src: [u8; 6],
    /// `wlan.bssid`; zero where the frame has none.
    pub bssid: [u8; 6],
    /// Where in the frame it begins: behind radiotap, if that came with it.
    pub start: u16,
}

const CONTROL: u16 = 1;
const DATA: u16 = 2;
const EXTENSION: u16 = 3;
const TO_DS: u16 = 0x0100;
const FROM_DS: u16 = 0x0200;
const MORE_FRAGMENTS: u16 = 0x0400;
const PROTECTED: u16 = 0x4000;
const ORDER: u16 = 0x8000;
/// Subtypes of data frames, as bits of the frame control.
const NO_DATA: u16 = 0x0040;
const QOS: u16 = 0x0080;

impl Wlan {
    /// `wlan.fc.type`: 0 management, 1 control, 2 data.
    pub fn kind(&self) -> u8 {
        (self.frame_control >> 2 & 3) as u8
    }

    /// `wlan.fc.subtype`.
    pub fn subtype(&self) -> u8 {
        (self.frame_control >> 4 & 15) as u8
    }

    /// `wlan.fc.type_subtype`.
    pub fn type_subtype(&self) -> u8 {
        self.kind() << 4 | self.subtype()
    }

    /// `wlan.fc.protected`: the payload is encrypted.
    pub fn protected(&self) -> bool {
        self.frame_control & PROTECTED != 0
    }

    /// It came with radiotap before it.
    pub fn has_radiotap(&self) -> bool {
        self.start != 0
    }

    /// Bytes of the header, by what it says that it is.
    pub fn header_len(&self) -> usize {
        let control = self.frame_control;
        match (u16::from(self.kind()), self.subtype()) {
            // Clear to send and acknowledgment, and what wraps another frame.
            (CONTROL, 7 | 12 | 13) | (EXTENSION, _) => 10,
            (CONTROL, _) => 16,
            (DATA, _) => {
                let fourth = control & (TO_DS | FROM_DS) == TO_DS | FROM_DS;
                let quality = control & QOS != 0;
                24 + 6 * usize::from(fourth)
                    + 2 * usize::from(quality)
                    + 4 * usize::from(quality && control & ORDER != 0)
            }
            _ => 24,
        }
    }

    /// A data frame with data.
    pub fn has_payload(&self) -> bool {
        u16::from(self.kind()) == DATA && self.frame_control & NO_DATA == 0
    }
}

/// Where in `frame` the 802.11 frame is, and how it was padded.
struct Air {
    start: usize,
    end: usize,
    /// The header is filled up to four bytes.
    padded: bool,
}

pub fn plain(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let air = Air {
        start: 0,
        end: frame.len(),
        padded: false,
    };
    decode(frame, &air, link, each)
}

/// <https://www.radiotap.org>: little-endian throughout. Of its fields only the
/// flags tell how to read the frame.
pub fn radiotap(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    const HEADER: usize = 8;
    const FCS_AT_END: u8 = 0x10;
    const DATA_PAD: u8 = 0x20;
    let short = |needed| Fault::short(Layer::Radiotap, needed, frame.len());
    let Some([_, _, l0, l1, ..]) = frame.first_chunk::<HEADER>() else {
        return Err(short(HEADER));
    };
    let start = usize::from(u16::from_le_bytes([*l0, *l1]));
    let Some(header) = frame.get(..start).filter(|_| start >= HEADER) else {
        return Err(short(start.max(HEADER)));
    };
    let flags = radiotap_flags(header).unwrap_or(0);
    let fcs = if flags & FCS_AT_END != 0 { 4 } else { 0 };
    let air = Air {
        start,
        end: frame.len().saturating_sub(fcs).max(start),
        padded: flags & DATA_PAD != 0,
    };
    each(Layer::Radiotap, 0);
    each(Layer::WlanRadio, 0);
    decode(frame, &air, link, each)
}

/// The flags of a radiotap header, where it has them.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    const TIME: u32 = 1;
    const FLAGS: u32 = 2;
    const MORE_WORDS: u32 = 1 << 31;
    let word = |at: usize| {
        let bytes = header.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let present = word(4)?;
    let mut at = 4;
    loop {
        let more = word(at)? & MORE_WORDS != 0;
        at += 4;
        if !more {
            break;
        }
    }
    if present & FLAGS == 0 {
        return None;
    }
    if present & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    header.get(at).copied()
}

fn decode(
    frame: &[u8],
    air: &Air,
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let bytes = frame.get(air.start..air.end).unwrap_or(&[]);
    let short = |needed| Fault::short(Layer::Wlan, needed, bytes.len());
    let address = |at: usize| -> Option<[u8; 6]> { bytes.get(at..)?.first_chunk().copied() };
    let Some(control) = bytes.first_chunk() else {
        return Err(short(10));
    };
    let control = u16::from_le_bytes(*control);
    let Some(first) = address(4) else {
        return Err(short(10));
    };
    each(Layer::Wlan, air.start);
    let mut wlan = Wlan {
        frame_control: control,
        dst: first,
        src: [0; 6],
        bssid: [0; 6],
        start: air.start as u16,
    };
    let named = Ok(Inside::Named(Layer::Wlan, air.start..air.end));
    if wlan.kind() == 1 || wlan.kind() == 3 {
        // Some control frames name their sender as well.
        wlan.src = match wlan.subtype() {
            8..=11 | 14 | 15 if wlan.kind() == 1 => address(10).unwrap_or_default(),
            _ => [0; 6],
        };
        *link = Link::Wlan(wlan);
        return named;
    }

    let (Some(second), Some(third)) = (address(10), address(16)) else {
        *link = Link::Wlan(wlan);
        return Err(short(24));
    };
    let is_data = u16::from(wlan.kind()) == DATA;
    let ways = if is_data {
        control & (TO_DS | FROM_DS)
    } else {
        0
    };
    (wlan.dst, wlan.src, wlan.bssid) = match ways {
        0 => (first, second, third),
        TO_DS => (third, second, first),
        FROM_DS => (first, third, second),
        // Between two distribution systems there is no BSSID.
        _ => {
            let Some(fourth) = address(24) else {
                wlan.dst = third;
                *link = Link::Wlan(wlan);
                return Err(short(wlan.header_len()));
            };
            (third, fourth, [0; 6])
        }
    };
    *link = Link::Wlan(wlan);
    if !is_data || !wlan.has_payload() {
        return named;
    }

    let mut header = wlan.header_len();
    // The last bit of the quality control's first byte: several frames in one.
    let quality = if ways == TO_DS | FROM_DS { 30 } else { 24 };
    let aggregate = control & QOS != 0 && bytes.get(quality).is_some_and(|qos| qos & 0x80 != 0);
    if air.padded {
        header = header.next_multiple_of(4);
    }
    if bytes.len() < header {
        return Err(short(header));
    }
    if wlan.protected() {
        return Ok(Inside::Encrypted(Layer::Wlan));
    }
    // The lower half byte of the sequence control numbers the fragments.
    let fragment = bytes.get(22).is_some_and(|sequence| sequence & 0x0F != 0);
    if aggregate || fragment || control & MORE_FRAGMENTS != 0 {
        return named;
    }
    llc(
        frame.get(..air.end).unwrap_or(frame),
        air.start + header,
        each,
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{RADIOTAP_QOS_UDP, bytes, frame};
    use super::*;
    use crate::decode::{Packet, Transport, Trouble, decode};

    fn wlan(packet: &Packet) -> Wlan {
        match packet.link {
            Link::Wlan(wlan) => wlan,
            other => panic!("{other:?}"),
        }
    }

    /// The sample has 26 bytes of radiotap, of which the 16th is the flags.
    const AIR: usize = 26;

    #[test]
    fn from_the_distribution_system() {
        let data = bytes(RADIOTAP_QOS_UDP.1);
        let packet = decode(&frame(127, &data));
        let wlan = wlan(&packet);
        assert_eq!((wlan.kind(), wlan.subtype()), (2, 8));
        assert_eq!(wlan.dst, [2, 0, 0, 0, 0, 1]);
        assert_eq!(wlan.bssid, [2, 0, 0, 0, 0, 2]);
        assert_eq!(wlan.src, [2, 0, 0, 0, 0, 3]);
        let udp = packet.udp().unwrap();
        assert_eq!((udp.src_port, udp.dst_port), (5000, 12000));
        assert_eq!(udp.payload.of(&data), b"air!");
        assert_eq!(packet.trouble, None);
    }

    #[test]
    fn without_radiotap() {
        let data = bytes(RADIOTAP_QOS_UDP.1);
        // The frame check sequence is not told of now; IP's length is.
        let packet = decode(&frame(105, &data[AIR..]));
        assert!(packet.udp().is_some());
        assert!(!wlan(&packet).has_radiotap());
    }

    #[test]
    fn the_four_layouts_of_addresses() {
        let (one, two, three) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 3]);
        for (ways, dst, src, bssid) in [
            (0, one, two, three),
            (1, three, two, one),
            (2, one, three, two),
        ] {
            let mut data = bytes(RADIOTAP_QOS_UDP.1);
            data[AIR + 1] = ways;
            let wlan = wlan(&decode(&frame(127, &data)));
            assert_eq!(
                (wlan.dst, wlan.src, wlan.bssid),
                (dst, src, bssid),
                "{ways}"
            );
        }
        let mut data = bytes(RADIOTAP_QOS_UDP.1);
        data[AIR + 1] = 3;
        let four = [2, 0, 0, 0, 0, 4];
        data.splice(AIR + 24..AIR + 24, four);
        let packet = decode(&frame(127, &data));
        let wlan = wlan(&packet);
        assert_eq!((wlan.dst, wlan.src, wlan.bssid), (three, four, [0; 6]));
        assert!(packet.udp().is_some());
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let mut data = bytes(RADIOTAP_QOS_UDP.1);
        data[AIR + 1] |= 0x40;
        let packet = decode(&frame(127, &data));
        let layer = Layer::Wlan;
        assert_eq!(packet.trouble, Some(Trouble::Encrypted { layer }));
        assert_eq!(packet.net, None);
        // Several frames in one, and a piece of one.
        for (at, bit) in [(24, 0x80), (1, 0x04), (22, 0x01)] {
            let mut data = bytes(RADIOTAP_QOS_UDP.1);
            data[AIR + at] |= bit;
            let packet = decode(&frame(127, &data));
            assert!(matches!(packet.transport, Transport::Named { .. }), "{at}");
        }
    }

    #[test]
    fn the_flags_stand_behind_all_words_and_the_time() {
        let mut header = vec![0, 0, 33, 0, 3, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0];
        header.extend([9; 8]);
        header.push(0x10);
        assert_eq!(radiotap_flags(&header), Some(0x10));
        assert_eq!(radiotap_flags(&[0, 0, 8, 0, 1, 0, 0, 0]), None);
    }
}
