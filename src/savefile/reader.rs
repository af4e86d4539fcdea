//! Reading a capture file, whichever format it has, frame by frame.

use std::io::{self, Read};
use std::ops::Range;

use super::source::Source;
use super::{
    CaptureInfo, Damage, Format, Frame, Recording, SavefileError, Timestamp, found, pcap, pcapng,
};

/// The most bytes that one frame may have in a file: libpcap's and Wireshark's
/// bound. A record that claims more is damage.
pub(super) const MAX_FRAME: u32 = 262_144;

/// What a walk over a file's records comes to next.
pub(super) enum Step {
    Frame(Record),
    End,
    Damage(Damage),
}

/// Where a frame lies in the source's unread bytes, and what its record says.
pub(super) struct Record {
    pub time: Timestamp,
    pub len: u32,
    pub interface: u32,
    pub link_type: u32,
    pub data: Range<usize>,
    /// Bytes of the whole record, to be consumed when the frame is done with.
    pub size: usize,
}

/// Reads pcap and pcapng. Memory stays flat: one buffer, which a hostile
/// length cannot grow beyond what the file really has, nor beyond one block.
pub struct Reader<R: Read> {
    source: Source<R>,
    name: String,
    records: Records,
    packets: u64,
    damage: Option<Damage>,
    /// Bytes of the record that was handed out last.
    pending: usize,
    done: bool,
}

/// The walk over the records of either format.
enum Records {
    Pcap(pcap::Records),
    Pcapng(pcapng::Records),
}

impl<R: Read> Reader<R> {
    /// Opens a capture file, whose format its first bytes tell. `name` is what
    /// messages call it.
    ///
    /// Fails where the input cannot be read, is no capture file, or is one of
    /// an unsupported version.
    pub fn new(input: R, name: &str) -> Result<Self, SavefileError> {
        let mut source = Source::new(input);
        let io_error = |error| io(name, error);
        source.fill(pcap::format::FILE_HEADER).map_err(io_error)?;
        let head = source.unread();
        let records = if pcapng::is_pcapng(head) {
            Records::Pcapng(pcapng::Records::start(&mut source, name).map_err(io_error)??)
        } else if pcap::is_pcap(head) {
            let records = pcap::Records::start(head, name)?;
            source.consume(pcap::format::FILE_HEADER);
            Records::Pcap(records)
        } else {
            return Err(SavefileError::NotACapture {
                name: name.to_owned(),
                found: found::describe(head),
            });
        };
        Ok(Reader {
            source,
            name: name.to_owned(),
            records,
            packets: 0,
            damage: None,
            pending: 0,
            done: false,
        })
    }

    /// The next frame; None at the end of the file or at its damage, which
    /// [`Reader::finish`] tells. Fails only where the input cannot be read.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, SavefileError> {
        self.source.consume(self.pending);
        self.pending = 0;
        if self.done {
            return Ok(None);
        }
        let step = match &mut self.records {
            Records::Pcap(records) => records.next(&mut self.source),
            Records::Pcapng(records) => records.next(&mut self.source),
        };
        let record = match step {
            Ok(Step::Frame(record)) => record,
            Ok(Step::End) => {
                self.done = true;
                return Ok(None);
            }
            Ok(Step::Damage(damage)) => {
                self.done = true;
                self.damage = Some(damage);
                return Ok(None);
            }
            Err(error) => {
                self.done = true;
                return Err(io(&self.name, error));
            }
        };
        self.packets += 1;
        self.pending = record.size;
        Ok(Some(Frame {
            number: self.packets,
            time: record.time,
            len: record.len,
            interface: record.interface,
            link_type: record.link_type,
            data: self.source.unread().get(record.data).unwrap_or(&[]),
        }))
    }

    /// What the file says of itself, as far as it was read, and the recording
    /// in it, where there is one.
    pub fn finish(self) -> (CaptureInfo, Option<Recording>) {
        let (format, interfaces, recording) = match self.records {
            Records::Pcap(records) => (Format::Pcap, records.into_interfaces(), Ok(None)),
            Records::Pcapng(records) => {
                let (interfaces, recording) = records.finish();
                (Format::Pcapng, interfaces, recording)
            }
        };
        let (recording, unreadable) = match recording {
            Ok(recording) => (recording, None),
            Err(damage) => (None, Some(damage)),
        };
        let info = CaptureInfo {
            file: self.name,
            format,
            interfaces,
            packets: self.packets,
            damage: self.damage.or(unreadable),
        };
        (info, recording)
    }
}

fn io(name: &str, error: io::Error) -> SavefileError {
    SavefileError::Io {
        name: name.to_owned(),
        error,
    }
}
