//! Reading a capture file, whichever format it has, batch by batch.

use std::io::{self, Read};
use std::sync::Arc;

use super::batch::List;
use super::input::Input;
use super::{
    Batch, CaptureInfo, Damage, Format, Frame, Interface, Recording, SavefileError, Window,
    Windows, found, pcap, pcapng,
};

/// The most bytes that one frame of a link type may have in a file, as libpcap
/// and Wireshark bound it. A record that claims more is damage.
pub(super) fn longest_frame(link_type: u32) -> u32 {
    match link_type {
        // D-Bus, USB (USBPcap) and Elektrobit's serial recordings have longer
        // ones; libpcap reads up to 128 MiB of them, we a pcapng block's size.
        231 | 249 | 279 => 16 << 20,
        _ => 262_144,
    }
}

/// Why a walk over a file's records stopped, at the record it stopped at.
#[derive(Debug)]
pub(super) enum Stop {
    /// It lies only in part in the bytes at hand, and more can be read; or
    /// the list has as many frames as it may.
    Short,
    /// The bytes end behind a whole record, and so does the file.
    End,
    Damage(String),
}

/// The bytes that a walk goes over.
pub(super) struct Stretch<'a> {
    pub bytes: &'a [u8],
    /// Where in the file they begin.
    pub offset: u64,
    /// No more of the file is to come.
    pub last: bool,
}

/// Reads pcap and pcapng, also compressed with gzip or zstd. Memory stays
/// flat: a hostile length cannot make a batch grow beyond what the file really
/// has, nor beyond one block of the format.
pub struct Reader<R: Read> {
    input: Input<R>,
    /// Where the file is looked at in place: no more is read from the input.
    windows: Option<Box<dyn Windows>>,
    name: String,
    records: Records,
    /// What was read and not yet walked over: the start of the next batch.
    tail: Vec<u8>,
    /// Where in the (unpacked) file `tail` begins.
    offset: u64,
    packets: u64,
    damage: Option<Damage>,
    done: bool,
    /// What [`Reader::next_frame`] hands out, and how far it came.
    batch: Batch,
    next: usize,
}

/// The walk over the records of either format.
enum Records {
    Pcap(pcap::Records),
    Pcapng(pcapng::Records),
}

impl Records {
    /// Lists the whole records behind `at`, which moves on to where it stops.
    fn walk(&mut self, stretch: &Stretch<'_>, at: &mut usize, list: &mut List) -> Stop {
        match self {
            Records::Pcap(records) => records.walk(stretch, at, list),
            Records::Pcapng(records) => records.walk(stretch, at, list),
        }
    }
}

impl<R: Read> Reader<R> {
    /// Opens a capture file, whose format its first bytes tell. `name` is what
    /// messages call it.
    ///
    /// Fails where the input cannot be read, is no capture file, is one of an
    /// unsupported version, or is damaged before its first packet.
    pub fn new(input: R, name: &str) -> Result<Self, SavefileError> {
        let mut reader = Start::open(input).map_err(|error| io(name, error))?;
        let (records, size) = reader.format(name)?;
        let Start { input, mut head } = reader;
        head.drain(..size);
        Ok(Reader {
            input,
            windows: None,
            name: name.to_owned(),
            records,
            tail: head,
            offset: size as u64,
            packets: 0,
            damage: None,
            done: false,
            batch: Batch::new(),
            next: 0,
        })
    }

    /// Looks at the file in place from here on, unless it is compressed.
    /// `windows` are of the same file as the input. Nothing was read yet but
    /// what [`Reader::new`] did.
    #[must_use]
    pub fn over(mut self, windows: Box<dyn Windows>) -> Self {
        if self.input.compression().is_none() {
            self.windows = Some(windows);
            self.tail.clear();
        }
        self
    }

    /// The whole file, where it is looked at in place.
    pub fn whole(&mut self) -> Option<Arc<dyn Window>> {
        self.windows.as_mut()?.whole().ok()
    }

    /// Fills `batch` with the next frames; false where there are none, at the
    /// end of the file or at its damage, which [`Reader::finish`] tells. Frames
    /// are handed out as they come: it waits for more only where not one is
    /// complete. Fails only where the input cannot be read.
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, SavefileError> {
        if let Some(mut windows) = self.windows.take() {
            let result = self.next_window(windows.as_mut(), batch);
            self.windows = Some(windows);
            return result;
        }
        batch.restart(self.packets + 1, &self.tail);
        self.tail.clear();
        if self.done {
            return Ok(false);
        }
        let (mut at, mut last) = (0, false);
        loop {
            let (bytes, list) = batch.parts();
            let stretch = Stretch {
                bytes,
                offset: self.offset,
                last,
            };
            let stop = self.records.walk(&stretch, &mut at, list);
            match stop {
                Stop::Short if batch.is_empty() => {
                    self.offset += at as u64;
                    let room = batch.make_room(std::mem::take(&mut at));
                    let count = self.input.read(room);
                    let count = count.map_err(|error| self.fail(error))?;
                    batch.end += count;
                    last = count == 0;
                    continue;
                }
                Stop::Short => {
                    let rest = batch.parts().0.get(at..).unwrap_or_default();
                    self.tail.extend_from_slice(rest);
                }
                Stop::End | Stop::Damage(_) => self.stop(stop, at),
            }
            self.offset += at as u64;
            self.packets += batch.len() as u64;
            return Ok(!batch.is_empty());
        }
    }

    /// As [`Reader::next_batch`], of a file that is looked at in place.
    fn next_window(
        &mut self,
        windows: &mut dyn Windows,
        batch: &mut Batch,
    ) -> Result<bool, SavefileError> {
        batch.clear(self.packets + 1);
        let mut len = batch.block();
        while !self.done {
            let window = windows.window(self.offset, len);
            let window = window.map_err(|error| self.fail(error))?;
            let (bytes, list) = batch.look_at(window, self.offset);
            let stretch = Stretch {
                bytes,
                offset: self.offset,
                last: bytes.len() < len,
            };
            let mut at = 0;
            let stop = self.records.walk(&stretch, &mut at, list);
            if let Some(end) = windows.lost().map_err(|error| self.fail(error))? {
                self.lose(end);
                batch.cut(end.saturating_sub(self.offset));
            } else if matches!(stop, Stop::End | Stop::Damage(_)) {
                self.stop(stop, at);
            } else if batch.is_empty() {
                // A record that is longer than a window.
                len = if at == 0 { 2 * len } else { len };
                self.offset += at as u64;
                continue;
            }
            self.offset += at as u64;
            break;
        }
        self.packets += batch.len() as u64;
        Ok(!batch.is_empty())
    }

    /// The input cannot be read on.
    fn fail(&mut self, error: io::Error) -> SavefileError {
        self.done = true;
        io(&self.name, error)
    }

    /// From `end` on the file's bytes are gone.
    fn lose(&mut self, end: u64) {
        self.done = true;
        self.damage = Some(Damage {
            offset: end,
            reason: "from here on its bytes are gone: it was cut short while it was read, or the \
                     disk fails"
                .to_owned(),
        });
    }

    /// Notes how the file ends, `at` bytes behind [`Reader::offset`].
    fn stop(&mut self, stop: Stop, at: usize) {
        self.done = true;
        let reason = match (self.input.fault(), stop) {
            // It is why the record there is cut off.
            (Some(fault), _) => fault.to_owned(),
            (None, Stop::Damage(reason)) => reason,
            (None, _) => return,
        };
        self.damage = Some(Damage {
            offset: self.offset + at as u64,
            reason,
        });
    }

    /// The next frame, as [`Reader::next_batch`] has it. Not to be mixed with
    /// that.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, SavefileError> {
        if self.next == self.batch.len() {
            let mut batch = std::mem::take(&mut self.batch);
            let result = self.next_batch(&mut batch);
            self.batch = batch;
            self.next = 0;
            result?;
        }
        let frame = self.batch.get(self.next);
        self.next += usize::from(frame.is_some());
        Ok(frame)
    }

    pub fn format(&self) -> Format {
        match self.records {
            Records::Pcap(_) => Format::Pcap,
            Records::Pcapng(_) => Format::Pcapng,
        }
    }

    /// The interfaces that the file has described so far. Those of the frames
    /// handed out are among them.
    pub fn interfaces(&self) -> &[Arc<Interface>] {
        match &self.records {
            Records::Pcap(records) => records.interfaces(),
            Records::Pcapng(records) => records.interfaces(),
        }
    }

    /// What the file says of itself, as far as it was read, and the recording
    /// in it, where there is one.
    pub fn finish(mut self) -> (CaptureInfo, Option<Recording>) {
        // Frames that were handed out may have been looked at only later.
        if let Some(Ok(Some(end))) = self.windows.as_mut().map(|windows| windows.lost()) {
            self.lose(end);
        }
        let compression = self.input.compression();
        let (format, found) = match self.records {
            Records::Pcap(records) => (Format::Pcap, records.finish()),
            Records::Pcapng(records) => (Format::Pcapng, records.finish()),
        };
        let (recording, unreadable) = match found.recording {
            Ok(recording) => (recording, None),
            Err(damage) => (None, Some(damage)),
        };
        let info = CaptureInfo {
            file: self.name,
            format,
            compression,
            interfaces: found.interfaces,
            comments: found.comments,
            packets: self.packets,
            damage: self.damage.or(unreadable),
        };
        (info, recording)
    }
}

/// What a file says beside its packets.
pub(super) struct Beside {
    pub interfaces: Vec<Interface>,
    pub comments: Vec<String>,
    /// Or why it cannot be read.
    pub recording: Result<Option<Recording>, Damage>,
}

/// Does a file begin as a capture, compressed or not?
pub fn is_capture(input: impl Read) -> bool {
    Start::open(input)
        .is_ok_and(|start| pcapng::is_pcapng(&start.head) || pcap::is_pcap(&start.head))
}

/// A file whose format is still to be told.
struct Start<R> {
    input: Input<R>,
    head: Vec<u8>,
}

impl<R: Read> Start<R> {
    fn open(input: R) -> io::Result<Self> {
        let mut start = Start {
            input: Input::open(input)?,
            head: Vec::new(),
        };
        while start.head.len() < pcap::format::FILE_HEADER && start.more()? {}
        Ok(start)
    }

    /// Reads some more of the head; false at the end of the file.
    fn more(&mut self) -> io::Result<bool> {
        let len = self.head.len();
        self.head.resize(len + 4096, 0);
        let room = self.head.get_mut(len..).unwrap_or_default();
        let count = self.input.read(room);
        self.head.truncate(len + count.as_ref().unwrap_or(&0));
        count.map(|count| count > 0)
    }

    /// The walk over the file's records, and the size of the file's header.
    fn format(&mut self, name: &str) -> Result<(Records, usize), SavefileError> {
        let result = if pcapng::is_pcapng(&self.head) {
            self.pcapng(name)?
        } else if pcap::is_pcap(&self.head) {
            pcap::Records::start(&self.head)
                .map(|records| (Records::Pcap(records), pcap::format::FILE_HEADER))
        } else if self.input.fault().is_some() {
            Err(String::new())
        } else {
            return Err(SavefileError::NotACapture {
                name: name.to_owned(),
                found: self.found(),
            });
        };
        let fault = self.input.fault();
        let is_damaged = fault.is_some()
            || (pcapng::is_pcapng(&self.head) && pcapng::is_known(&self.head))
            || self.head.len() < pcap::format::FILE_HEADER;
        result.map_err(|reason| {
            let name = name.to_owned();
            let reason = fault.map_or(reason, str::to_owned);
            match is_damaged {
                true => SavefileError::Damaged { name, reason },
                false => SavefileError::Unsupported { name, reason },
            }
        })
    }

    /// Reads on until the first section header is there.
    fn pcapng(&mut self, name: &str) -> Result<Result<(Records, usize), String>, SavefileError> {
        let mut last = false;
        loop {
            let stretch = Stretch {
                bytes: &self.head,
                offset: 0,
                last,
            };
            match pcapng::Records::start(&stretch) {
                Ok((records, size)) => return Ok(Ok((Records::Pcapng(records), size))),
                Err(Stop::Short) => last = !self.more().map_err(|error| io(name, error))?,
                Err(Stop::Damage(reason)) => return Ok(Err(reason)),
                Err(Stop::End) => return Ok(Err("it is empty".to_owned())),
            }
        }
    }

    fn found(&self) -> String {
        let found = found::describe(&self.head);
        match self.input.compression() {
            None => found,
            Some(compression) => format!("unpacked from {}, {found}", compression.name()),
        }
    }
}

fn io(name: &str, error: io::Error) -> SavefileError {
    SavefileError::Io {
        name: name.to_owned(),
        error,
    }
}
