//! The walk over the blocks of a pcapng file: framing only.

use std::io::{self, Read};

use super::format::*;
use crate::savefile::Damage;
use crate::savefile::bytes::ByteOrder;
use crate::savefile::source::Source;

/// What comes next in the file.
pub enum Walk {
    /// A block of this type and size (framing included), which is the start of
    /// the source's unread bytes.
    Block {
        kind: u32,
        size: usize,
    },
    End,
    Damage(Damage),
}

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

    /// Makes the next whole block available in `source`. The caller consumes it.
    pub fn next(&mut self, source: &mut Source<impl Read>) -> io::Result<Walk> {
        let offset = source.offset();
        let damage = |reason| Ok(Walk::Damage(Damage { offset, reason }));

        let available = source.fill(FRAMING)?;
        if available == 0 {
            return Ok(Walk::End);
        }
        if available < FRAMING {
            return damage(format!(
                "the file ends inside a block header ({available} of {FRAMING} bytes)"
            ));
        }
        // The type of a section header is the same in both byte orders.
        let head = source.unread();
        if self.order.u32(head, 0) == SECTION_HEADER {
            let Some(order) = section_order(head) else {
                return damage("a section header without a byte order".to_owned());
            };
            self.order = order;
        }
        let kind = self.order.u32(head, 0);
        let claimed = self.order.u32(head, 4);
        // Some writers forget the padding in the length, as Wireshark knows.
        let size = (claimed as usize).saturating_add(padding(claimed as usize));
        let least = least_size(kind);
        if size < least {
            return damage(format!(
                "{} claims {claimed} bytes; it has at least {least}",
                name(kind)
            ));
        }
        if size > MAX_BLOCK {
            return damage(format!(
                "{} claims {claimed} bytes; more than {MAX_BLOCK} are not read",
                name(kind)
            ));
        }
        let available = source.fill(size)?;
        if available < size {
            return damage(format!(
                "the file ends inside {} ({available} of {claimed} bytes)",
                name(kind)
            ));
        }
        let repeated = self.order.u32(source.unread(), size - 4);
        if repeated != claimed {
            return damage(format!(
                "{} states two lengths: {claimed} at its start, {repeated} at its end",
                name(kind)
            ));
        }
        Ok(Walk::Block { kind, size })
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
