//! Writing one section with one interface: what a live recording needs.

use std::io::{self, Write};

use super::format::*;
use super::option;
use crate::savefile::bytes::ByteOrder;
use crate::savefile::{InterfaceDescription, Recording, Timestamp};

/// How much of a recording goes into one block. Readers refuse blocks
/// of more than 16 MiB, so a long recording is split over several.
const RECORDING_PIECE: usize = 4 << 20;

/// Writes a pcapng file, little-endian, with nanosecond time stamps.
///
/// A frame costs a few small `write_all` calls and no allocation: give it a
/// writer that buffers.
pub struct Writer<W: Write> {
    output: W,
    /// Time of the earliest and the latest frame so far.
    times: Option<(u64, u64)>,
}

impl<W: Write> Writer<W> {
    /// Writes the section header and the interface description.
    pub fn new(mut output: W, interface: &InterfaceDescription) -> io::Result<Self> {
        write_section_header(&mut output)?;
        write_interface(&mut output, interface)?;
        Ok(Writer {
            output,
            times: None,
        })
    }

    /// Writes one frame, of which `data` was captured and which had
    /// `original_len` bytes on the wire.
    pub fn write_frame(
        &mut self,
        time: Timestamp,
        original_len: u32,
        data: &[u8],
    ) -> io::Result<()> {
        let nanoseconds = unsigned(time)?;
        let padding = padding(data.len());
        let total = block_length(ENHANCED_PACKET_FRAMING + data.len() + padding)?;

        let mut head = [0; 28];
        let (time_high, time_low) = halves(nanoseconds);
        let fields = [
            ENHANCED_PACKET,
            total,
            0, // the only interface
            time_high,
            time_low,
            data.len() as u32, // below MAX_BLOCK
            original_len,
        ];
        for (place, field) in head.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        self.output.write_all(&head)?;
        self.output.write_all(data)?;
        write_tail(&mut self.output, padding, total)?;

        self.times = Some(match self.times {
            None => (nanoseconds, nanoseconds),
            Some((first, last)) => (first.min(nanoseconds), last.max(nanoseconds)),
        });
        Ok(())
    }

    /// Writes what the packets cannot say, as blocks that other tools skip.
    /// Fails with `InvalidInput` where it is longer than a reader takes (64 MiB).
    pub fn write_recording(&mut self, recording: &Recording) -> io::Result<()> {
        let json = serde_json::to_vec(recording)?;
        if json.len() > MAX_RECORDING {
            return Err(invalid("the recording is longer than 64 MiB"));
        }
        for piece in json.chunks(RECORDING_PIECE) {
            let padding = padding(piece.len());
            let total = block_length(FRAMING + RECORDING_MAGIC.len() + piece.len() + padding)?;
            self.output.write_all(&RECORDING.to_le_bytes())?;
            self.output.write_all(&total.to_le_bytes())?;
            self.output.write_all(RECORDING_MAGIC)?;
            self.output.write_all(piece)?;
            // JSON holds no NUL: a reader takes the padding off again.
            write_tail(&mut self.output, padding, total)?;
        }
        Ok(())
    }

    /// Writes the interface's counters: packets received by it, and packets
    /// dropped for want of room.
    pub fn write_statistics(&mut self, received: u64, dropped: u64) -> io::Result<()> {
        let (first, last) = self.times.unwrap_or_default();
        let mut body = Vec::with_capacity(80);
        body.extend_from_slice(&0u32.to_le_bytes()); // the only interface
        body.extend_from_slice(&time_bytes(last));
        if self.times.is_some() {
            push_option(&mut body, ISB_STARTTIME, &time_bytes(first));
            push_option(&mut body, ISB_ENDTIME, &time_bytes(last));
        }
        push_option(&mut body, ISB_IFRECV, &received.to_le_bytes());
        push_option(&mut body, ISB_IFDROP, &dropped.to_le_bytes());
        push_option(&mut body, OPT_END, &[]);
        write_block(&mut self.output, INTERFACE_STATISTICS, &body)
    }

    /// Hands buffered bytes to the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// The output, unflushed.
    pub fn into_inner(self) -> W {
        self.output
    }
}

fn write_section_header(output: &mut impl Write) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
    body.extend_from_slice(&1u16.to_le_bytes());
    body.extend_from_slice(&0u16.to_le_bytes());
    body.extend_from_slice(&u64::MAX.to_le_bytes()); // the section's length is not known
    let tool = concat!("netlab-capture ", env!("CARGO_PKG_VERSION"));
    push_option(&mut body, SHB_USERAPPL, tool.as_bytes());
    push_option(&mut body, OPT_END, &[]);
    write_block(output, SECTION_HEADER, &body)
}

fn write_interface(output: &mut impl Write, interface: &InterfaceDescription) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend_from_slice(&interface.link_type.to_le_bytes());
    body.extend_from_slice(&0u16.to_le_bytes());
    body.extend_from_slice(&interface.snaplen.to_le_bytes());
    if !interface.name.is_empty() {
        push_option(&mut body, IF_NAME, interface.name.as_bytes());
    }
    push_option(&mut body, IF_TSRESOL, &[9]);
    push_option(&mut body, OPT_END, &[]);
    write_block(output, INTERFACE_DESCRIPTION, &body)
}

/// `body` is a multiple of four bytes long.
fn write_block(output: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let total = block_length(FRAMING + body.len())?;
    output.write_all(&kind.to_le_bytes())?;
    output.write_all(&total.to_le_bytes())?;
    output.write_all(body)?;
    write_tail(output, 0, total)
}

fn write_tail(output: &mut impl Write, padding: usize, total: u32) -> io::Result<()> {
    let mut tail = [0; 7];
    if let Some(end) = tail.get_mut(padding..padding + 4) {
        end.copy_from_slice(&total.to_le_bytes());
    }
    output.write_all(tail.get(..padding + 4).unwrap_or(&tail))
}

/// Appends an option to a block's body.
fn push_option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    option::push(body, ByteOrder::Little, code, value);
}

/// The two 32-bit words of a time stamp, the upper one first.
fn halves(nanoseconds: u64) -> (u32, u32) {
    ((nanoseconds >> 32) as u32, nanoseconds as u32)
}

fn time_bytes(nanoseconds: u64) -> [u8; 8] {
    let (high, low) = halves(nanoseconds);
    (u64::from(low) << 32 | u64::from(high)).to_le_bytes()
}

fn unsigned(time: Timestamp) -> io::Result<u64> {
    u64::try_from(time.0).map_err(|_| invalid("a time before 1970 cannot be written"))
}

fn block_length(len: usize) -> io::Result<u32> {
    if len > MAX_BLOCK {
        return Err(invalid("longer than a pcapng block may be (16 MiB)"));
    }
    Ok(len as u32)
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::savefile::{Bytes, Program, Reader, pcap};

    fn interface() -> InterfaceDescription {
        InterfaceDescription {
            name: "lo".to_owned(),
            link_type: 1,
            snaplen: 65_535,
        }
    }

    type Frames = Vec<(i64, u32, Vec<u8>)>;

    fn frames() -> impl Strategy<Value = Frames> {
        let data = prop::collection::vec(any::<u8>(), 0..70);
        // Up to the year 2106: what a pcap file can hold.
        let time = 0..i64::from(u32::MAX) * 1_000_000_000;
        prop::collection::vec((time, any::<u32>(), data), 0..20)
    }

    fn read_back(file: &[u8]) -> (Frames, crate::savefile::CaptureInfo, Option<Recording>) {
        let mut reader = Reader::new(file, "test").unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            frames.push((frame.time.0, frame.len, frame.data.to_vec()));
        }
        let (info, recording) = reader.finish();
        (frames, info, recording)
    }

    fn recording(output: Vec<u8>) -> Recording {
        Recording {
            programs: vec![Program {
                stdout: Bytes(output),
                ..Program::default()
            }],
            ..Recording::default()
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(frames in frames(), output in any::<Vec<u8>>(), counts in any::<(u64, u64)>()) {
            let recording = recording(output);
            let mut writer = Writer::new(Vec::new(), &interface()).unwrap();
            let mut classic = pcap::Writer::new(Vec::new(), &interface()).unwrap();
            for (time, len, data) in &frames {
                writer.write_frame(Timestamp(*time), *len, data).unwrap();
                classic.write_frame(Timestamp(*time), *len, data).unwrap();
            }
            writer.write_recording(&recording).unwrap();
            writer.write_statistics(counts.0, counts.1).unwrap();

            let (read, info, read_recording) = read_back(&writer.into_inner());
            prop_assert_eq!(&read, &frames);
            prop_assert_eq!(read_recording, Some(recording));
            prop_assert_eq!(info.damage, None);
            let lo = &info.interfaces[0];
            prop_assert_eq!(lo.name.as_deref(), Some("lo"));
            prop_assert_eq!((lo.received, lo.dropped), (Some(counts.0), Some(counts.1)));

            let (read, info, none) = read_back(&classic.into_inner());
            prop_assert_eq!(&read, &frames);
            prop_assert_eq!((none, info.damage), (None, None));
        }

        /// A file may end, or be wrong, at any byte.
        #[test]
        fn no_damage_makes_reading_panic(frames in frames(), cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut writer = Writer::new(Vec::new(), &interface()).unwrap();
            let mut classic = pcap::Writer::new(Vec::new(), &interface()).unwrap();
            for (time, len, data) in &frames {
                writer.write_frame(Timestamp(*time), *len, data).unwrap();
                classic.write_frame(Timestamp(*time), *len, data).unwrap();
            }
            writer.write_recording(&recording(Vec::new())).unwrap();
            writer.write_statistics(1, 2).unwrap();
            for mut file in [writer.into_inner(), classic.into_inner()] {
                let cut = cut.index(file.len());
                if let Ok(mut reader) = Reader::new(&file[..cut], "cut") {
                    let mut count = 0;
                    while let Some(frame) = reader.next_frame().unwrap() {
                        let (time, len, data) = &frames[count];
                        prop_assert_eq!((frame.time.0, frame.len), (*time, *len));
                        prop_assert_eq!(frame.data, &data[..]);
                        count += 1;
                    }
                }
                let at = at.index(file.len());
                file[at] = byte;
                if let Ok(mut reader) = Reader::new(&file[..], "changed") {
                    while reader.next_frame().unwrap().is_some() {}
                    reader.finish();
                }
            }
        }
    }

    #[test]
    fn a_long_recording_is_split_and_put_together_again() {
        let recording = recording(vec![b'"'; RECORDING_PIECE * 3 / 2]);
        let mut writer = Writer::new(Vec::new(), &interface()).unwrap();
        writer.write_recording(&recording).unwrap();
        let file = writer.into_inner();
        let pieces = file
            .windows(RECORDING_MAGIC.len())
            .filter(|window| window == RECORDING_MAGIC)
            .count();
        assert_eq!(pieces, 4);
        assert_eq!(read_back(&file).2, Some(recording));
    }

    #[test]
    fn what_the_format_cannot_hold_is_refused() {
        let mut writer = Writer::new(Vec::new(), &interface()).unwrap();
        assert!(writer.write_frame(Timestamp(-1), 0, b"").is_err());
        assert!(
            writer
                .write_frame(Timestamp(0), 0, &vec![0; MAX_BLOCK])
                .is_err()
        );
        let mut classic = pcap::Writer::new(Vec::new(), &interface()).unwrap();
        assert!(classic.write_frame(Timestamp(-1), 0, b"").is_err());
        assert!(classic.write_frame(Timestamp(i64::MAX), 0, b"").is_err());
    }
}
