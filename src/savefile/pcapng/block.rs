//! The walk over the blocks of a pcapng file: framing only.

use super::format::*;
use crate::savefile::bytes::ByteOrder;
use crate::savefile::reader::{Stop, Stretch};

/// Finds the blocks. The byte order is that of the last section header.
pub struct Blocks {
    order: ByteOrder,
}

impl Blocks {
    pub fn new() -> Self {
        Blocks {
            order: ByteOrder::Little,
        }
    }

    pub fn order(&self) -> ByteOrder {
        self.order
    }

    /// Type and bytes (framing included) of the block at `at`.
    pub fn next<'a>(&mut self, stretch: &Stretch<'a>, at: usize) -> Result<(u32, &'a [u8]), Stop> {
        let rest = stretch.bytes.get(at..).unwrap_or_default();
        let available = rest.len();
        if available < FRAMING {
            return Err(match (stretch.last, available) {
                (false, _) => Stop::Short,
                (true, 0) => Stop::End,
                (true, _) => Stop::Damage(format!(
                    "the file ends inside a block header ({available} of {FRAMING} bytes)"
                )),
            });
        }
        // The type of a section header is the same in both byte orders.
        if self.order.u32(rest, 0) == SECTION_HEADER {
            let Some(order) = section_order(rest) else {
                return Err(Stop::Damage(
                    "a section header without a byte order".to_owned(),
                ));
            };
            self.order = order;
        }
        let kind = self.order.u32(rest, 0);
        let claimed = self.order.u32(rest, 4);
        // Some writers forget the padding in the length, as Wireshark knows.
        let size = (claimed as usize).saturating_add(padding(claimed as usize));
        let least = least_size(kind);
        if size < least {
            return Err(Stop::Damage(format!(
                "{} claims {claimed} bytes; it has at least {least}",
                name(kind)
            )));
        }
        if size > MAX_BLOCK {
            return Err(Stop::Damage(format!(
                "{} claims {claimed} bytes; more than {MAX_BLOCK} are not read",
                name(kind)
            )));
        }
        let Some(block) = rest.get(..size) else {
            return Err(if stretch.last {
                Stop::Damage(format!(
                    "the file ends inside {} ({available} of {claimed} bytes)",
                    name(kind)
                ))
            } else {
                Stop::Short
            });
        };
        let repeated = self.order.u32(block, size - 4);
        if repeated != claimed {
            return Err(Stop::Damage(format!(
                "{} states two lengths: {claimed} at its start, {repeated} at its end",
                name(kind)
            )));
        }
        Ok((kind, block))
    }
}

/// The byte order that a section header states.
pub fn section_order(head: &[u8]) -> Option<ByteOrder> {
    [ByteOrder::Little, ByteOrder::Big]
        .into_iter()
        .find(|order| order.u32(head, 8) == BYTE_ORDER_MAGIC)
}

/// Framing and fixed fields.
fn least_size(kind: u32) -> usize {
    match kind {
        SECTION_HEADER => 28,
        INTERFACE_DESCRIPTION => 20,
        PACKET => PACKET_FRAMING,
        SIMPLE_PACKET => SIMPLE_PACKET_FRAMING,
        INTERFACE_STATISTICS => 24,
        ENHANCED_PACKET => ENHANCED_PACKET_FRAMING,
        _ => FRAMING,
    }
}

fn name(kind: u32) -> String {
    match kind {
        SECTION_HEADER => "a section header block".to_owned(),
        INTERFACE_DESCRIPTION => "an interface description block".to_owned(),
        PACKET => "a packet block".to_owned(),
        SIMPLE_PACKET => "a simple packet block".to_owned(),
        INTERFACE_STATISTICS => "an interface statistics block".to_owned(),
        ENHANCED_PACKET => "an enhanced packet block".to_owned(),
        RECORDING => "a recording block".to_owned(),
        other => format!("a block of type 0x{other:08x}"),
    }
}
