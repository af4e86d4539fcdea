//! The walk over the records of a pcap file.

use std::sync::Arc;

use super::format::*;
use crate::savefile::batch::{Entry, List, fetch};
use crate::savefile::bytes::ByteOrder;
use crate::savefile::reader::{Beside, Stop, Stretch, longest_frame};
use crate::savefile::{Interface, Timestamp};

pub(in crate::savefile) struct Records {
    order: ByteOrder,
    /// Length of one unit of the time stamps' fraction.
    nanoseconds_per_unit: i64,
    header: usize,
    lengths: Lengths,
    interface: Arc<Interface>,
}

/// In which order a record states the captured and the original length.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lengths {
    CapturedFirst,
    /// Before version 2.3.
    OriginalFirst,
    /// Version 2.3 has both: the larger is the original one.
    Either,
}

/// Do the first bytes belong to a pcap file?
pub(in crate::savefile) fn is_pcap(head: &[u8]) -> bool {
    byte_order(head).is_some()
}

fn byte_order(head: &[u8]) -> Option<(ByteOrder, u32)> {
    if head.len() < 4 {
        return None;
    }
    [ByteOrder::Little, ByteOrder::Big]
        .into_iter()
        .map(|order| (order, order.u32(head, 0)))
        .find(|(_, magic)| [MAGIC_MICROSECONDS, MAGIC_NANOSECONDS, MAGIC_MODIFIED].contains(magic))
}

impl Records {
    /// Reads the file header; or says why the file cannot be read.
    pub fn start(head: &[u8]) -> Result<Self, String> {
        let Some((order, magic)) = byte_order(head).filter(|_| head.len() >= FILE_HEADER) else {
            return Err(format!(
                "its pcap header is cut off after {} of {FILE_HEADER} bytes",
                head.len()
            ));
        };
        let version = (order.u16(head, 4), order.u16(head, 6));
        let lengths = match version {
            (2, 0..=2) | DG_UX_VERSION => Lengths::OriginalFirst,
            (2, 3) => Lengths::Either,
            VERSION => Lengths::CapturedFirst,
            (major, minor) => {
                return Err(format!(
                    "pcap version {major}.{minor}; versions 2.0 to 2.4 are known"
                ));
            }
        };
        // The upper six bits say how long a frame check sequence is.
        let network = order.u32(head, 20);
        let reserved = network & 0x03FF_0000;
        if reserved != 0 {
            return Err(format!(
                "the reserved bits of its link type are not zero (0x{reserved:08x})"
            ));
        }
        Ok(Records {
            order,
            nanoseconds_per_unit: if magic == MAGIC_NANOSECONDS { 1 } else { 1000 },
            header: if magic == MAGIC_MODIFIED {
                MODIFIED_RECORD_HEADER
            } else {
                RECORD_HEADER
            },
            lengths,
            interface: Arc::new(Interface {
                name: None,
                link_type: network & 0xFFFF,
                snaplen: order.u32(head, 16),
                received: None,
                dropped: None,
                comments: Vec::new(),
            }),
        })
    }

    pub fn walk(&self, stretch: &Stretch<'_>, at: &mut usize, list: &mut List) -> Stop {
        let most = longest_frame(self.interface.link_type);
        loop {
            if list.is_full() {
                return Stop::Short;
            }
            let rest = stretch.bytes.get(*at..).unwrap_or_default();
            let Some((head, frame)) = rest.split_at_checked(self.header) else {
                return match (stretch.last, rest.len()) {
                    (false, _) => Stop::Short,
                    (true, 0) => Stop::End,
                    (true, available) => Stop::Damage(format!(
                        "the file ends inside a record header ({available} of {} bytes)",
                        self.header
                    )),
                };
            };
            let order = self.order;
            let seconds = i64::from(order.u32(head, 0));
            let fraction = i64::from(order.u32(head, 4));
            let (first, second) = (order.u32(head, 8), order.u32(head, 12));
            let swapped = match self.lengths {
                Lengths::CapturedFirst => false,
                Lengths::OriginalFirst => true,
                Lengths::Either => first > second,
            };
            let (captured, len) = if swapped {
                (second, first)
            } else {
                (first, second)
            };
            if captured > most {
                return Stop::Damage(format!(
                    "a record claims {captured} captured bytes; more than {most} are not possible"
                ));
            }
            if frame.len() < captured as usize {
                return if stretch.last {
                    Stop::Damage(format!(
                        "the file ends inside a frame ({} of {captured} bytes)",
                        frame.len()
                    ))
                } else {
                    Stop::Short
                };
            }
            let start = *at + self.header;
            fetch(stretch.bytes, *at, self.header + captured as usize);
            list.frames.push(Entry {
                // A fraction of a second or more counts on, as in Wireshark.
                time: Timestamp(seconds * 1_000_000_000 + fraction * self.nanoseconds_per_unit),
                len,
                interface: 0,
                link_type: self.interface.link_type,
                start: start as u32,
                captured,
            });
            *at = start + captured as usize;
        }
    }

    pub fn interfaces(&self) -> &[Arc<Interface>] {
        std::slice::from_ref(&self.interface)
    }

    pub fn finish(self) -> Beside {
        Beside {
            interfaces: vec![Arc::unwrap_or_clone(self.interface)],
            comments: Vec::new(),
            recording: Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::savefile::{Damage, Reader, SavefileError};

    /// A file header, each number in the order that `to` lays down.
    fn header(magic: u32, minor: u16, to: fn(u32) -> [u8; 4]) -> Vec<u8> {
        let big = to(1)[3] == 1;
        let versions = if big {
            [2u16.to_be_bytes(), minor.to_be_bytes()]
        } else {
            [2u16.to_le_bytes(), minor.to_le_bytes()]
        };
        let mut file = to(magic).to_vec();
        file.extend(versions.concat());
        file.extend([0; 8]);
        file.extend(to(65535));
        file.extend(to(1));
        file
    }

    fn record(fields: [u32; 4], extra: &[u8], data: &[u8], to: fn(u32) -> [u8; 4]) -> Vec<u8> {
        [fields.map(to).concat(), extra.to_vec(), data.to_vec()].concat()
    }

    /// Time, length and bytes of each frame.
    type Frames = Vec<(i64, u32, Vec<u8>)>;

    fn read(file: &[u8]) -> (Frames, Option<Damage>) {
        let mut reader = Reader::new(file, "test").unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            frames.push((frame.time.0, frame.len, frame.data.to_vec()));
        }
        (frames, reader.finish().0.damage)
    }

    #[test]
    fn either_byte_order_either_resolution() {
        for (magic, unit) in [(0xA1B2_C3D4, 1000), (0xA1B2_3C4D, 1)] {
            for to in [u32::to_le_bytes, u32::to_be_bytes] {
                let mut file = header(magic, 4, to);
                file.extend(record([7, 5, 3, 9], &[], b"abc", to));
                let expected = vec![(7_000_000_000 + 5 * unit, 9, b"abc".to_vec())];
                assert_eq!(read(&file), (expected, None));
            }
        }
    }

    #[test]
    fn the_modified_format_has_longer_record_headers() {
        let to = u32::to_le_bytes;
        let mut file = header(0xA1B2_CD34, 4, to);
        file.extend(record([1, 0, 2, 2], &[0xEE; 8], b"ab", to));
        file.extend(record([2, 0, 1, 1], &[0xEE; 8], b"c", to));
        let expected = vec![
            (1_000_000_000, 2, b"ab".to_vec()),
            (2_000_000_000, 1, b"c".to_vec()),
        ];
        assert_eq!(read(&file), (expected, None));
    }

    #[test]
    fn old_versions_have_the_lengths_swapped() {
        let to = u32::to_le_bytes;
        for (minor, lengths) in [
            (0, [9, 2]),
            (2, [9, 2]),
            (3, [9, 2]),
            (3, [2, 9]),
            (4, [2, 9]),
        ] {
            let mut file = header(0xA1B2_C3D4, minor, to);
            file.extend(record([0, 0, lengths[0], lengths[1]], &[], b"ab", to));
            assert_eq!(
                read(&file),
                (vec![(0, 9, b"ab".to_vec())], None),
                "2.{minor}"
            );
        }
    }

    #[test]
    fn damage_has_its_place_and_spares_what_lies_before() {
        let to = u32::to_le_bytes;
        let mut good = header(0xA1B2_C3D4, 4, to);
        good.extend(record([0, 0, 1, 1], &[], b"a", to));
        let before = vec![(0, 1, b"a".to_vec())];
        for (tail, reason) in [
            (
                vec![0; 3],
                "the file ends inside a record header (3 of 16 bytes)",
            ),
            (
                record([0, 0, 5, 5], &[], b"abc", to),
                "the file ends inside a frame (3 of 5 bytes)",
            ),
            (
                record([0, 0, 262_145, 5], &[], b"abc", to),
                "a record claims 262145 captured bytes; more than 262144 are not possible",
            ),
        ] {
            let (frames, damage) = read(&[good.clone(), tail].concat());
            assert_eq!(frames, before);
            let damage = damage.unwrap();
            assert_eq!((damage.offset, damage.reason.as_str()), (41, reason));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let refused = |file: &[u8]| match Reader::new(file, "x") {
            Err(SavefileError::Unsupported { reason, .. }) => reason,
            Err(SavefileError::Damaged { reason, .. }) => format!("damaged: {reason}"),
            _ => panic!("not refused"),
        };
        let mut file = header(0xA1B2_C3D4, 9, u32::to_le_bytes);
        assert_eq!(
            refused(&file),
            "pcap version 2.9; versions 2.0 to 2.4 are known"
        );
        file.truncate(10);
        assert_eq!(
            refused(&file),
            "damaged: its pcap header is cut off after 10 of 24 bytes"
        );
    }
}
