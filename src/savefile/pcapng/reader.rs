//! The walk over the packets of a pcapng file, and what it says beside them.

use std::sync::Arc;

use super::block::{Blocks, section_order};
use super::format::*;
use super::option::{Options, TooLong};
use crate::savefile::batch::{Comment, Entry, List, fetch};
use crate::savefile::bytes::ByteOrder;
use crate::savefile::reader::{Beside, Stop, Stretch, longest_frame};
use crate::savefile::{Damage, Interface, Timestamp};

pub(in crate::savefile) struct Records {
    blocks: Blocks,
    /// Of all sections.
    interfaces: Vec<Arc<Interface>>,
    /// How each interface counts time; same index.
    clocks: Vec<Clock>,
    /// Packets that the packet blocks of each say were lost before them; same index.
    lost: Vec<u64>,
    /// The current section's first interface.
    section: usize,
    texts: Texts,
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
        Timestamp(shifted.clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX)) as i64)
    }
}

/// Do the first bytes belong to a pcapng file?
pub(in crate::savefile) fn is_pcapng(head: &[u8]) -> bool {
    head.starts_with(&SECTION_HEADER.to_be_bytes())
}

/// Has the first section a version that can be read, as far as is known of it?
pub(in crate::savefile) fn is_known(head: &[u8]) -> bool {
    /// The version ends there.
    const END: usize = 16;
    match section_order(head) {
        Some(order) if head.len() >= END => version(order, head).is_ok(),
        _ => true,
    }
}

fn version(order: ByteOrder, block: &[u8]) -> Result<(), String> {
    match (order.u16(block, 12), order.u16(block, 14)) {
        // Some writers said 1.2 and meant 1.0.
        (1, 0 | 2) => Ok(()),
        (major, minor) => Err(format!("pcapng version {major}.{minor}; 1.0 is known")),
    }
}

impl Records {
    /// Reads the first section header, and says its size.
    pub fn start(stretch: &Stretch<'_>) -> Result<(Self, usize), Stop> {
        let mut records = Records {
            blocks: Blocks::new(),
            interfaces: Vec::new(),
            clocks: Vec::new(),
            lost: Vec::new(),
            section: 0,
            texts: Texts::default(),
            recording: RecordingBytes::default(),
        };
        let (_, block) = records.blocks.next(stretch, 0)?;
        records.section_header(block).map_err(Stop::Damage)?;
        Ok((records, block.len()))
    }

    pub fn walk(&mut self, stretch: &Stretch<'_>, at: &mut usize, list: &mut List) -> Stop {
        loop {
            if list.is_full() {
                return Stop::Short;
            }
            let (kind, block) = match self.blocks.next(stretch, *at) {
                Ok(found) => found,
                Err(stop) => return stop,
            };
            fetch(stretch.bytes, *at, block.len());
            let result = match kind {
                ENHANCED_PACKET => self.enhanced_packet(block, *at, list),
                SIMPLE_PACKET => self.simple_packet(block, *at, list),
                PACKET => self.packet(block, *at, list),
                SECTION_HEADER => self.section_header(block),
                INTERFACE_DESCRIPTION => self.interface_description(block),
                INTERFACE_STATISTICS => self.interface_statistics(block),
                RECORDING => self.recording(block, stretch.offset + *at as u64),
                _ => Ok(()),
            };
            if let Err(reason) = result {
                return Stop::Damage(reason);
            }
            *at += block.len();
        }
    }

    pub fn interfaces(&self) -> &[Arc<Interface>] {
        &self.interfaces
    }

    pub fn finish(mut self) -> Beside {
        for (interface, lost) in self.interfaces.iter_mut().zip(&self.lost) {
            if *lost > 0 {
                let interface = Arc::make_mut(interface);
                // Statistics may have counted the same ones.
                interface.dropped = Some(interface.dropped.unwrap_or(0).max(*lost));
            }
        }
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
        Beside {
            interfaces: unshared(self.interfaces),
            comments: self.texts.section,
            recording,
        }
    }

    fn order(&self) -> ByteOrder {
        self.blocks.order()
    }

    fn section_header(&mut self, block: &[u8]) -> Result<(), String> {
        let order = self.order();
        version(order, block)?;
        let mut comments = Vec::new();
        for option in options(order, block, 24) {
            if let (OPT_COMMENT, comment) = option? {
                self.texts.comment(comment, &mut comments);
            }
        }
        self.texts.section.append(&mut comments);
        self.section = self.interfaces.len();
        // A recording speaks of its own section only.
        self.recording = RecordingBytes::default();
        Ok(())
    }

    fn interface_description(&mut self, block: &[u8]) -> Result<(), String> {
        let order = self.order();
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(format!("more than {MAX_INTERFACES} interfaces"));
        }
        let mut interface = Interface {
            name: None,
            link_type: u32::from(order.u16(block, 8)),
            snaplen: order.u32(block, 12),
            received: None,
            dropped: None,
            comments: Vec::new(),
        };
        let mut clock = Clock::DEFAULT;
        for option in options(order, block, 16) {
            let (code, value) = option?;
            match (code, value) {
                (OPT_COMMENT, comment) => self.texts.comment(comment, &mut interface.comments),
                (IF_NAME, name) => interface.name = self.texts.name(name),
                (IF_TSRESOL, [resolution]) => clock.resolution = *resolution,
                (IF_TSOFFSET, [_, _, _, _, _, _, _, _]) => {
                    clock.offset = order.u64(value, 0).cast_signed();
                }
                _ => {}
            }
        }
        self.interfaces.push(Arc::new(interface));
        self.clocks.push(clock);
        self.lost.push(0);
        Ok(())
    }

    fn interface_statistics(&mut self, block: &[u8]) -> Result<(), String> {
        let order = self.order();
        // Statistics of an interface that is not described cost no packet.
        let index = self.interface_index(order.u32(block, 8)).ok();
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
        if let Some(interface) = index.and_then(|index| self.interfaces.get_mut(index)) {
            let interface = Arc::make_mut(interface);
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

    fn enhanced_packet(&mut self, block: &[u8], at: usize, list: &mut List) -> Result<(), String> {
        let order = self.order();
        let (high, low) = (order.u32(block, 12), order.u32(block, 16));
        let claim = Claim {
            interface: order.u32(block, 8),
            units: Some(u64::from(high) << 32 | u64::from(low)),
            captured: order.u32(block, 20),
            len: order.u32(block, 24),
            framing: ENHANCED_PACKET_FRAMING,
        };
        self.frame(&claim, block, at, list)
    }

    fn packet(&mut self, block: &[u8], at: usize, list: &mut List) -> Result<(), String> {
        let order = self.order();
        let (high, low) = (order.u32(block, 12), order.u32(block, 16));
        let claim = Claim {
            interface: u32::from(order.u16(block, 8)),
            units: Some(u64::from(high) << 32 | u64::from(low)),
            captured: order.u32(block, 20),
            len: order.u32(block, 24),
            framing: PACKET_FRAMING,
        };
        self.frame(&claim, block, at, list)?;
        let lost = order.u16(block, 10);
        if lost != LOST_UNKNOWN {
            self.lose(claim.interface, lost.into());
        }
        Ok(())
    }

    /// So many packets are missing before one of this interface.
    fn lose(&mut self, id: u32, count: u64) {
        let index = self.interface_index(id).ok();
        if let Some(lost) = index.and_then(|index| self.lost.get_mut(index)) {
            *lost = lost.saturating_add(count);
        }
    }

    /// A simple packet belongs to the section's first interface, has no time
    /// stamp, and does not state how much of it was captured.
    fn simple_packet(&mut self, block: &[u8], at: usize, list: &mut List) -> Result<(), String> {
        let len = self.order().u32(block, 8);
        let snaplen = self
            .interfaces
            .get(self.section)
            .map_or(0, |first| first.snaplen);
        let claim = Claim {
            interface: 0,
            units: None,
            captured: if snaplen == 0 { len } else { len.min(snaplen) },
            len,
            framing: SIMPLE_PACKET_FRAMING,
        };
        self.frame(&claim, block, at, list)
    }

    /// Lists the frame of the packet block that lies at `at` in its stretch.
    fn frame(
        &mut self,
        claim: &Claim,
        block: &[u8],
        at: usize,
        list: &mut List,
    ) -> Result<(), String> {
        let index = self.interface_index(claim.interface)?;
        let room = block.len().saturating_sub(claim.framing);
        let captured = claim.captured as usize;
        if captured > room {
            return Err(format!(
                "a packet block has room for {room} bytes and claims {captured}"
            ));
        }
        let link_type = self.interfaces.get(index).map_or(0, |i| i.link_type);
        let most = longest_frame(link_type);
        if claim.captured > most {
            return Err(format!(
                "a packet block claims {captured} captured bytes; more than {most} are not possible"
            ));
        }
        let clock = self.clocks.get(index).copied().unwrap_or(Clock::DEFAULT);
        let start = claim.framing - 4; // all but the length at the end
        let end = start + captured + padding(captured);
        // A simple packet block has no options: what it has more is no list.
        if block.len() > end + 4 && claim.units.is_some() {
            self.packet_options(claim.interface, block, end, at, list)?;
        }
        list.frames.push(Entry {
            time: claim
                .units
                .map_or(Timestamp::NONE, |units| clock.time(units)),
            len: claim.len,
            interface: index as u32,
            link_type,
            start: (at + start) as u32,
            captured: claim.captured,
        });
        Ok(())
    }

    /// Lists the comments of the frame that comes next in the list, and counts
    /// the packets that were lost before it.
    fn packet_options(
        &mut self,
        interface: u32,
        block: &[u8],
        start: usize,
        at: usize,
        list: &mut List,
    ) -> Result<(), String> {
        let mut place = at + start;
        let frame = list.frames.len() as u32;
        let before = list.comments.len();
        let rest = block.get(start..block.len() - 4).unwrap_or_default();
        for option in Options::new(self.order(), rest) {
            let option = option.map_err(|long| {
                list.comments.truncate(before);
                too_long(long)
            })?;
            match (option.code, option.value) {
                (OPT_COMMENT, comment) => list.comments.push(Comment {
                    frame,
                    start: (place + 4) as u32,
                    len: until_nul(comment).len() as u32,
                }),
                (EPB_DROPCOUNT, [_, _, _, _, _, _, _, _]) => {
                    self.lose(interface, self.order().u64(option.value, 0));
                }
                _ => {}
            }
            place += option.raw.len();
        }
        Ok(())
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
}

/// Keeps the comments of sections and interfaces, and the names of these, as many as
/// there is room for.
#[derive(Default)]
struct Texts {
    /// Comments of sections.
    section: Vec<String>,
    /// Bytes of all.
    kept: usize,
}

impl Texts {
    fn comment(&mut self, comment: &[u8], into: &mut Vec<String>) {
        // Each counts for more than its bytes: a String has some of its own.
        if self.has_room(32 + comment.len()) {
            into.push(text(comment));
        }
    }

    fn name(&mut self, name: &[u8]) -> Option<String> {
        let name = until_nul(name);
        self.has_room(name.len()).then(|| text(name))
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        self.kept += bytes;
        self.kept <= MAX_TEXTS
    }
}

/// Nobody else has them any more, where the capture is read to its end.
fn unshared(interfaces: Vec<Arc<Interface>>) -> Vec<Interface> {
    interfaces.into_iter().map(Arc::unwrap_or_clone).collect()
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
        Err(long) => Err(too_long(long)),
    })
}

fn too_long(option: TooLong) -> String {
    format!(
        "option {} claims {} bytes, more than its block has",
        option.code, option.len
    )
}

/// The text of an option: a NUL and what is behind it are no part of it.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(until_nul(value)).into_owned()
}

fn until_nul(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::savefile::pcapng::option;
    use crate::savefile::{CaptureInfo, Reader};

    fn block(order: ByteOrder, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = padding(body.len());
        let total = order.put_u32((FRAMING + body.len() + padding) as u32);
        let mut block = order.put_u32(kind).to_vec();
        block.extend(total);
        block.extend(body);
        block.resize(block.len() + padding, 0);
        block.extend(total);
        block
    }

    fn section(order: ByteOrder) -> Vec<u8> {
        let mut body = order.put_u32(BYTE_ORDER_MAGIC).to_vec();
        body.extend(order.put_u16(1));
        body.extend(order.put_u16(0));
        body.extend([0xFF; 8]);
        block(order, SECTION_HEADER, &body)
    }

    type Opts<'a> = &'a [(u16, &'a [u8])];

    fn interface(order: ByteOrder, link_type: u16, options: Opts) -> Vec<u8> {
        let mut body = order.put_u16(link_type).to_vec();
        body.extend([0; 2]);
        body.extend(order.put_u32(100));
        for (code, value) in options {
            option::push(&mut body, order, *code, value);
        }
        block(order, INTERFACE_DESCRIPTION, &body)
    }

    fn packet(order: ByteOrder, interface: u32, units: u64, data: &[u8]) -> Vec<u8> {
        let len = data.len() as u32;
        let mut body = Vec::new();
        for word in [interface, (units >> 32) as u32, units as u32, len, len + 1] {
            body.extend(order.put_u32(word));
        }
        body.extend(data);
        block(order, ENHANCED_PACKET, &body)
    }

    /// Interface, link type, time, length and bytes of each frame.
    type Seen = Vec<(u32, u32, i64, u32, Vec<u8>)>;

    fn read(file: &[u8]) -> (Seen, CaptureInfo) {
        let mut reader = Reader::new(file, "test").unwrap();
        let mut frames = Vec::new();
        while let Some(f) = reader.next_frame().unwrap() {
            frames.push((f.interface, f.link_type, f.time.0, f.len, f.data.to_vec()));
        }
        (frames, reader.finish().0)
    }

    const BOTH: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

    #[test]
    fn sections_have_interfaces_and_byte_orders_of_their_own() {
        let mut file = Vec::new();
        for (i, order) in BOTH.into_iter().enumerate() {
            file.extend(section(order));
            file.extend(interface(order, 1, &[(IF_NAME, b"eth\0")]));
            file.extend(interface(order, 101 + i as u16, &[]));
            file.extend(packet(order, 1, 3, b"abc"));
            file.extend(packet(order, 0, 4, b"abcd"));
        }
        let (frames, info) = read(&file);
        assert_eq!(
            frames,
            [
                (1, 101, 3000, 4, b"abc".to_vec()),
                (0, 1, 4000, 5, b"abcd".to_vec()),
                (3, 102, 3000, 4, b"abc".to_vec()),
                (2, 1, 4000, 5, b"abcd".to_vec()),
            ]
        );
        assert_eq!(info.interfaces.len(), 4);
        assert_eq!(info.interfaces[2].name.as_deref(), Some("eth"));
        assert_eq!((info.packets, info.damage), (4, None));
    }

    #[test]
    fn each_interface_counts_time_in_its_own_way() {
        let offset = |order: ByteOrder, seconds: i64| {
            let (high, low) = ((seconds >> 32) as u32, seconds as u32);
            let words = match order {
                ByteOrder::Little => [low, high],
                ByteOrder::Big => [high, low],
            };
            words.map(|word| order.put_u32(word)).concat()
        };
        for order in BOTH {
            let cases: [(Opts, u64, i64); 8] = [
                (&[], 7, 7_000),
                (&[(IF_TSRESOL, &[9])], 7, 7),
                (&[(IF_TSRESOL, &[0])], 7, 7_000_000_000),
                (&[(IF_TSRESOL, &[12])], 7_999, 7),
                (&[(IF_TSRESOL, &[0x88])], 0x1_80, 1_500_000_000),
                (&[(IF_TSRESOL, &[0xFF])], u64::MAX >> 1, 0),
                (&[(IF_TSRESOL, &[0])], u64::MAX >> 1, i64::MAX),
                (
                    &[(IF_TSRESOL, &[9]), (IF_TSOFFSET, &offset(order, -2))],
                    5,
                    -1_999_999_995,
                ),
            ];
            for (options, units, nanoseconds) in cases {
                let mut file = section(order);
                file.extend(interface(order, 1, options));
                file.extend(packet(order, 0, units, b""));
                assert_eq!(read(&file).0[0].2, nanoseconds, "{options:?} {units}");
            }
        }
    }

    #[test]
    fn simple_and_obsolete_packets_count_and_the_unknown_is_skipped() {
        for order in BOTH {
            let mut file = section(order);
            file.extend(interface(order, 1, &[]));
            file.extend(block(order, 0x0BAD_F00D, b"xyz"));
            file.extend(block(order, 0x0BAD, b"\x01\0\0\0custom"));
            let mut simple = order.put_u32(150).to_vec(); // the snap length is 100
            simple.extend([b's'; 100]);
            file.extend(block(order, SIMPLE_PACKET, &simple));
            let mut obsolete = order.put_u16(0).to_vec();
            obsolete.extend(order.put_u16(9));
            for word in [0, 6, 2, 3] {
                obsolete.extend(order.put_u32(word));
            }
            obsolete.extend(b"ob");
            file.extend(block(order, PACKET, &obsolete));
            let (frames, info) = read(&file);
            assert_eq!(info.damage, None);
            assert_eq!(
                frames,
                [
                    (0, 1, Timestamp::NONE.0, 150, vec![b's'; 100]),
                    (0, 1, 6000, 3, b"ob".to_vec())
                ]
            );
        }
    }

    #[test]
    fn packets_lost_before_others_are_counted() {
        for order in BOTH {
            let mut file = section(order);
            file.extend(interface(order, 1, &[]));
            let mut enhanced = Vec::new();
            for word in [0, 0, 0, 4, 4] {
                enhanced.extend(order.put_u32(word));
            }
            enhanced.extend(b"abcd");
            enhanced.extend(order.put_u16(EPB_DROPCOUNT));
            enhanced.extend(order.put_u16(8));
            enhanced.extend(match order {
                ByteOrder::Big => 3u64.to_be_bytes(),
                ByteOrder::Little => 3u64.to_le_bytes(),
            });
            file.extend(block(order, ENHANCED_PACKET, &enhanced));
            assert_eq!(read(&file).1.interfaces[0].dropped, Some(3));
            for (told, in_all) in [(2, 5), (LOST_UNKNOWN, 3)] {
                let mut obsolete = order.put_u16(0).to_vec();
                obsolete.extend(order.put_u16(told));
                for word in [0, 0, 2, 2] {
                    obsolete.extend(order.put_u32(word));
                }
                obsolete.extend(b"ob");
                let mut file = file.clone();
                file.extend(block(order, PACKET, &obsolete));
                assert_eq!(read(&file).1.interfaces[0].dropped, Some(in_all));
            }
        }
    }

    #[test]
    fn statistics_reach_their_interface() {
        let order = ByteOrder::Big;
        let mut file = section(order);
        file.extend(interface(order, 1, &[]));
        file.extend(interface(order, 1, &[]));
        let mut body = order.put_u32(1).to_vec();
        body.extend([0; 8]);
        for (code, count) in [(ISB_IFRECV, 10u64), (ISB_IFDROP, 2), (ISB_OSDROP, 3)] {
            option::push(&mut body, order, code, &count.to_be_bytes());
        }
        file.extend(block(order, INTERFACE_STATISTICS, &body));
        let info = read(&file).1;
        assert_eq!(
            (info.interfaces[0].received, info.interfaces[0].dropped),
            (None, None)
        );
        let second = &info.interfaces[1];
        assert_eq!((second.received, second.dropped), (Some(10), Some(5)));
    }

    #[test]
    fn damage_has_its_place_and_spares_what_lies_before() {
        let order = ByteOrder::Little;
        let mut good = section(order);
        good.extend(interface(order, 1, &[]));
        good.extend(packet(order, 0, 0, b"ok"));
        let mut two_lengths = block(order, 77, b"");
        *two_lengths.last_mut().unwrap() = 1;
        let mut too_much = packet(order, 0, 0, b"ok");
        too_much[20] = 5;
        for (tail, reason) in [
            (
                vec![6, 0, 0],
                "the file ends inside a block header (3 of 12 bytes)",
            ),
            (
                packet(order, 0, 0, b"cut")[..34].to_vec(),
                "the file ends inside an enhanced packet block (34 of 36 bytes)",
            ),
            (
                packet(order, 3, 0, b""),
                "a block names interface 3, but the section has described 1",
            ),
            (
                two_lengths,
                "a block of type 0x0000004d states two lengths: 12 at its start, 16777228 at its end",
            ),
            (too_much, "a packet block has room for 4 bytes and claims 5"),
            (
                [6u32, 8, 8].map(u32::to_le_bytes).concat(),
                "an enhanced packet block claims 8 bytes; it has at least 32",
            ),
            (
                [9u32, u32::MAX, 8].map(u32::to_le_bytes).concat(),
                "a block of type 0x00000009 claims 4294967295 bytes; more than 16777216 are not read",
            ),
        ] {
            let (frames, info) = read(&[good.clone(), tail].concat());
            assert_eq!(frames.len(), 1, "{reason}");
            let damage = info.damage.unwrap();
            assert_eq!(
                (damage.offset, damage.reason.as_str()),
                (good.len() as u64, reason)
            );
        }
    }

    #[test]
    fn a_broken_recording_is_damage_but_costs_no_packet() {
        let order = ByteOrder::Little;
        let mut file = section(order);
        file.extend(interface(order, 1, &[]));
        let place = file.len() as u64;
        file.extend(block(
            order,
            RECORDING,
            &[RECORDING_MAGIC, &b"{"[..]].concat(),
        ));
        file.extend(packet(order, 0, 0, b"ok"));
        let (frames, info) = read(&file);
        assert_eq!(frames.len(), 1);
        let damage = info.damage.unwrap();
        assert_eq!(damage.offset, place);
        assert!(damage.reason.starts_with("the recording cannot be read: "));
    }
}
