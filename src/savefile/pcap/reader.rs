//! The walk over the records of a pcap file.

use std::io::{self, Read};

use super::format::*;
use crate::savefile::bytes::ByteOrder;
use crate::savefile::reader::{MAX_FRAME, Record, Step};
use crate::savefile::source::Source;
use crate::savefile::{Damage, Interface, SavefileError, Timestamp};

pub(in crate::savefile) struct Records {
    order: ByteOrder,
    /// Length of one unit of the time stamps' fraction.
    nanoseconds_per_unit: i64,
    header: usize,
    lengths: Lengths,
    interface: Interface,
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
    /// Reads the file header.
    pub fn start(head: &[u8], name: &str) -> Result<Self, SavefileError> {
        let unsupported = |reason: String| SavefileError::Unsupported {
            name: name.to_owned(),
            reason,
        };
        let Some((order, magic)) = byte_order(head).filter(|_| head.len() >= FILE_HEADER) else {
            return Err(unsupported(format!(
                "its pcap header is cut off after {} of {FILE_HEADER} bytes",
                head.len()
            )));
        };
        let version = (order.u16(head, 4), order.u16(head, 6));
        let lengths = match version {
            (2, 0..=2) | DG_UX_VERSION => Lengths::OriginalFirst,
            (2, 3) => Lengths::Either,
            VERSION => Lengths::CapturedFirst,
            (major, minor) => {
                return Err(unsupported(format!(
                    "pcap version {major}.{minor}; versions 2.0 to 2.4 are known"
                )));
            }
        };
        // The upper six bits say how long a frame check sequence is.
        let network = order.u32(head, 20);
        let reserved = network & 0x03FF_0000;
        if reserved != 0 {
            return Err(unsupported(format!(
                "the reserved bits of its link type are not zero (0x{reserved:08x})"
            )));
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
            interface: Interface {
                name: None,
                link_type: network & 0xFFFF,
                snaplen: order.u32(head, 16),
                received: None,
                dropped: None,
            },
        })
    }

    pub fn next(&mut self, source: &mut Source<impl Read>) -> io::Result<Step> {
        let available = source.fill(self.header)?;
        if available == 0 {
            return Ok(Step::End);
        }
        let damage = |reason| {
            Step::Damage(Damage {
                offset: source.offset(),
                reason,
            })
        };
        if available < self.header {
            return Ok(damage(format!(
                "the file ends inside a record header ({available} of {} bytes)",
                self.header
            )));
        }

        let head = source.unread();
        let seconds = i64::from(self.order.u32(head, 0));
        let fraction = i64::from(self.order.u32(head, 4));
        let (first, second) = (self.order.u32(head, 8), self.order.u32(head, 12));
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
        if captured > MAX_FRAME {
            return Ok(damage(format!(
                "a record claims {captured} captured bytes; more than {MAX_FRAME} are not possible"
            )));
        }

        let size = self.header + captured as usize;
        let available = source.fill(size)?;
        if available < size {
            return Ok(Step::Damage(Damage {
                offset: source.offset(),
                reason: format!(
                    "the file ends inside a frame ({} of {captured} bytes)",
                    available - self.header
                ),
            }));
        }
        Ok(Step::Frame(Record {
            // A fraction of a second or more counts on, as in Wireshark.
            time: Timestamp(seconds * 1_000_000_000 + fraction * self.nanoseconds_per_unit),
            len,
            interface: 0,
            link_type: self.interface.link_type,
            data: self.header..size,
            size,
        }))
    }

    pub fn interfaces(&self) -> &[Interface] {
        std::slice::from_ref(&self.interface)
    }

    pub fn into_interfaces(self) -> Vec<Interface> {
        vec![self.interface]
    }
}
