//! The walk over the packets of a pcapng file, and what it says beside them.

use std::io::{self, Read};

use super::block::{Blocks, Walk};
use super::format::*;
use super::option::Options;
use crate::savefile::bytes::ByteOrder;
use crate::savefile::reader::{MAX_FRAME, Record, Step};
use crate::savefile::source::Source;
use crate::savefile::{Damage, Interface, Recording, SavefileError, Timestamp};

pub(in crate::savefile) struct Records {
    blocks: Blocks,
    /// Of all sections.
    interfaces: Vec<Interface>,
    /// How each interface counts time; same index.
    clocks: Vec<Clock>,
    /// The current section's first interface.
    section: usize,
    recording: RecordingBytes,
}

/// The pieces of the recording, put together.
#[derive(Default)]
struct RecordingBytes {
    /// File position of the first piece.
    offset: u64,
    json: Vec<u8>,
}

/// How an interface's time stamps are to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Clock {
    /// `if_tsresol`: the upper bit set, units of a negative power of two
    /// seconds, else of ten.
    resolution: u8,
    /// `if_tsoffset`, seconds.
    offset: i64,
}

impl Clock {
    /// Microseconds since 1970, where nothing else is stated.
    const DEFAULT: Clock = Clock {
        resolution: 6,
        offset: 0,
    };

    /// A time stamp in nanoseconds; the nearest there is where it does not fit.
    ///
    /// The upper half of the range is read as times before 1970, which is what
    /// tools that write such numbers mean.
    fn time(self, units: u64) -> Timestamp {
        let exponent = u32::from(self.resolution & 0x7F);
        let scaled = i128::from(units.cast_signed()) * 1_000_000_000;
        let nanoseconds = if self.resolution & 0x80 != 0 {
            scaled.checked_shr(exponent).unwrap_or(0)
        } else {
            10i128
                .checked_pow(exponent)
                .map_or(0, |divisor| scaled.div_euclid(divisor))
        };
        let shifted = nanoseconds.saturating_add(i128::from(self.offset) * 1_000_000_000);
        Timestamp(shifted.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

/// Do the first bytes belong to a pcapng file?
pub(in crate::savefile) fn is_pcapng(head: &[u8]) -> bool {
    head.starts_with(&SECTION_HEADER.to_be_bytes())
}

impl Records {
    /// Reads the first section header.
    pub fn start(
        source: &mut Source<impl Read>,
        name: &str,
    ) -> io::Result<Result<Self, SavefileError>> {
        let mut records = Records {
            blocks: Blocks::new(),
            interfaces: Vec::new(),
            clocks: Vec::new(),
            section: 0,
            recording: RecordingBytes::default(),
        };
        let unsupported = |reason| {
            Err(SavefileError::Unsupported {
                name: name.to_owned(),
                reason,
            })
        };
        let result = match records.blocks.next(source)? {
            Walk::Block { size, .. } => {
                let block = source.unread().get(..size).unwrap_or_default();
                match records.section_header(block) {
                    Ok(()) => {
                        source.consume(size);
                        Ok(records)
                    }
                    Err(reason) => unsupported(reason),
                }
            }
            Walk::Damage(damage) => unsupported(damage.reason),
            Walk::End => unsupported("it is empty".to_owned()),
        };
        Ok(result)
    }

    pub fn next(&mut self, source: &mut Source<impl Read>) -> io::Result<Step> {
        loop {
            let (kind, size) = match self.blocks.next(source)? {
                Walk::Block { kind, size } => (kind, size),
                Walk::End => return Ok(Step::End),
                Walk::Damage(damage) => return Ok(Step::Damage(damage)),
            };
            let offset = source.offset();
            let block = source.unread().get(..size).unwrap_or_default();
            let result = match kind {
                ENHANCED_PACKET => self.enhanced_packet(block).map(Some),
                SIMPLE_PACKET => self.simple_packet(block).map(Some),
                PACKET => self.packet(block).map(Some),
                SECTION_HEADER => self.section_header(block).map(|()| None),
                INTERFACE_DESCRIPTION => self.interface_description(block).map(|()| None),
                INTERFACE_STATISTICS => self.interface_statistics(block).map(|()| None),
                RECORDING => self.recording(block, offset).map(|()| None),
                _ => Ok(None),
            };
            match result {
                Ok(Some(record)) => return Ok(Step::Frame(record)),
                Ok(None) => source.consume(size),
                Err(reason) => return Ok(Step::Damage(Damage { offset, reason })),
            }
        }
    }

    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// The interfaces and the recording, or why the recording cannot be read.
    pub fn finish(self) -> (Vec<Interface>, Result<Option<Recording>, Damage>) {
        let recording = if self.recording.json.is_empty() {
            Ok(None)
        } else {
            serde_json::from_slice(&self.recording.json)
                .map(Some)
                .map_err(|error| Damage {
                    offset: self.recording.offset,
                    reason: format!("the recording cannot be read: {error}"),
                })
        };
        (self.interfaces, recording)
    }

    fn order(&self) -> ByteOrder {
        self.blocks.order()
    }

    fn section_header(&mut self, block: &[u8]) -> Result<(), String> {
        let order = self.order();
        let (major, minor) = (order.u16(block, 12), order.u16(block, 14));
        // Some writers said 1.2 and meant 1.0.
        if major != 1 || (minor != 0 && minor != 2) {
            return Err(format!("pcapng version {major}.{minor}; 1.0 is known"));
        }
        for option in options(order, block, 24) {
            option?;
        }
        self.section = self.interfaces.len();
        // A recording speaks of its own section only.
        self.recording = RecordingBytes::default();
        Ok(())
    }

    fn interface_description(&mut self, block: &[u8]) -> Result<(), String> {
        let order = self.order();
        let mut interface = Interface {
            name: None,
            link_type: u32::from(order.u16(block, 8)),
            snaplen: order.u32(block, 12),
            received: None,
            dropped: None,
        };
        let mut clock = Clock::DEFAULT;
        for option in options(order, block, 16) {
            let (code, value) = option?;
            match (code, value) {
                (IF_NAME, name) => interface.name = Some(text(name)),
                (IF_TSRESOL, [resolution]) => clock.resolution = *resolution,
                (IF_TSOFFSET, [_, _, _, _, _, _, _, _]) => {
                    clock.offset = order.u64(value, 0).cast_signed();
                }
                _ => {}
            }
        }
        self.interfaces.push(interface);
        self.clocks.push(clock);
        Ok(())
    }

    fn interface_statistics(&mut self, block: &[u8]) -> Result<(), String> {
        let order = self.order();
        let index = self.interface_index(order.u32(block, 8))?;
        let mut received = None;
        let mut dropped: Option<u64> = None;
        for option in options(order, block, 20) {
            let (code, value) = option?;
            if value.len() != 8 {
                continue;
            }
            let count = order.u64(value, 0);
            match code {
                ISB_IFRECV => received = Some(count),
                // Some tools count what the interface dropped, some what the
                // system dropped behind it, some both.
                ISB_IFDROP | ISB_OSDROP => {
                    dropped = Some(dropped.unwrap_or(0).saturating_add(count));
                }
                _ => {}
            }
        }
        // Of several statistics the last one counts: it is the newest.
        if let Some(interface) = self.interfaces.get_mut(index) {
            interface.received = received.or(interface.received);
            interface.dropped = dropped.or(interface.dropped);
        }
        Ok(())
    }

    fn recording(&mut self, block: &[u8], offset: u64) -> Result<(), String> {
        let body = block.get(8..block.len() - 4).unwrap_or_default();
        let Some(piece) = body.strip_prefix(RECORDING_MAGIC) else {
            return Ok(()); // another tool's block
        };
        // JSON holds no NUL: what is there is padding.
        let padding = piece.iter().rev().take_while(|byte| **byte == 0).count();
        let piece = piece.get(..piece.len() - padding).unwrap_or_default();
        if self.recording.json.is_empty() {
            self.recording.offset = offset;
        }
        if self.recording.json.len() + piece.len() > MAX_RECORDING {
            return Err(format!("the recording has more than {MAX_RECORDING} bytes"));
        }
        self.recording.json.extend_from_slice(piece);
        Ok(())
    }

    fn enhanced_packet(&self, block: &[u8]) -> Result<Record, String> {
        let order = self.order();
        let (high, low) = (order.u32(block, 12), order.u32(block, 16));
        self.record(Claim {
            interface: order.u32(block, 8),
            units: Some(u64::from(high) << 32 | u64::from(low)),
            captured: order.u32(block, 20),
            len: order.u32(block, 24),
            framing: ENHANCED_PACKET_FRAMING,
            size: block.len(),
        })
    }

    fn packet(&self, block: &[u8]) -> Result<Record, String> {
        let order = self.order();
        let (high, low) = (order.u32(block, 12), order.u32(block, 16));
        self.record(Claim {
            interface: u32::from(order.u16(block, 8)),
            units: Some(u64::from(high) << 32 | u64::from(low)),
            captured: order.u32(block, 20),
            len: order.u32(block, 24),
            framing: PACKET_FRAMING,
            size: block.len(),
        })
    }

    /// A simple packet belongs to the section's first interface, has no time
    /// stamp, and does not state how much of it was captured.
    fn simple_packet(&self, block: &[u8]) -> Result<Record, String> {
        let len = self.order().u32(block, 8);
        let snaplen = self
            .interfaces
            .get(self.section)
            .map_or(0, |first| first.snaplen);
        let captured = if snaplen == 0 { len } else { len.min(snaplen) };
        self.record(Claim {
            interface: 0,
            units: None,
            captured,
            len,
            framing: SIMPLE_PACKET_FRAMING,
            size: block.len(),
        })
    }

    fn record(&self, claim: Claim) -> Result<Record, String> {
        let index = self.interface_index(claim.interface)?;
        let room = claim.size.saturating_sub(claim.framing);
        let captured = claim.captured as usize;
        if captured > room {
            return Err(format!(
                "a packet block has room for {room} bytes and claims {captured}"
            ));
        }
        if claim.captured > MAX_FRAME {
            return Err(format!(
                "a packet block claims {captured} captured bytes; more than {MAX_FRAME} are not possible"
            ));
        }
        let clock = self.clocks.get(index).copied().unwrap_or(Clock::DEFAULT);
        let link_type = self.interfaces.get(index).map_or(0, |i| i.link_type);
        let start = claim.framing - 4; // all but the length at the end
        Ok(Record {
            time: claim.units.map_or(Timestamp(0), |units| clock.time(units)),
            len: claim.len,
            interface: index as u32,
            link_type,
            data: start..start + captured,
            size: claim.size,
        })
    }

    /// The index over all sections of the current section's interface `id`.
    fn interface_index(&self, id: u32) -> Result<usize, String> {
        let index = self.section.saturating_add(id as usize);
        if index < self.interfaces.len() {
            return Ok(index);
        }
        Err(format!(
            "a block names interface {id}, but the section has described {}",
            self.interfaces.len() - self.section
        ))
    }
}

/// What a packet block says.
struct Claim {
    interface: u32,
    units: Option<u64>,
    captured: u32,
    len: u32,
    /// Framing and fixed fields.
    framing: usize,
    /// The whole block.
    size: usize,
}

/// Code and value of each option of a block whose fixed part ends at `start`.
fn options(
    order: ByteOrder,
    block: &[u8],
    start: usize,
) -> impl Iterator<Item = Result<(u16, &[u8]), String>> {
    let list = block.get(start..block.len() - 4).unwrap_or_default();
    Options::new(order, list).map(|option| match option {
        Ok(option) => Ok((option.code, option.value)),
        Err(long) => Err(format!(
            "option {} claims {} bytes, more than its block has",
            long.code, long.len
        )),
    })
}

/// The text of an option: a NUL and what is behind it are no part of it.
fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0);
    let value = end.and_then(|end| value.get(..end)).unwrap_or(value);
    String::from_utf8_lossy(value).into_owned()
}
