//! The reading thread's part: stretches of the file, and which shard each of
//! their packets belongs to.

use std::io::Read;
use std::sync::Arc;

use super::{Context, FileFacts, Name};
use crate::decode::{self, Defragmenter, Packet};
use crate::savefile::{Batch, CaptureInfo, Reader, Recording, SavefileError, Timestamp};

/// Parts that the conversations are divided into. Fixed, as the bounds on
/// memory hold for each of them: what they do must not depend on the number of
/// threads.
pub(super) const SHARDS: usize = 16;

/// Bytes of a stretch: so many that handing one on costs little beside what is
/// in it.
const STRETCH: usize = 1 << 20;

/// A stretch of the file.
pub(super) struct Work {
    pub batch: Batch,
    /// Of the first frame: its place in the capture, from 0.
    pub first: usize,
    /// For each frame.
    pub routes: Vec<u8>,
    /// Packets that had to be decoded to know their shard, with the places of
    /// their frames in the batch, ascending.
    pub decoded: Vec<(usize, Packet)>,
    pub file: Arc<FileFacts>,
    /// Of the capture's first packet.
    pub start: Timestamp,
    /// Of the packet before the first frame.
    pub previous: Option<Timestamp>,
    /// The capture ends behind it.
    pub last: bool,
}

impl Default for Work {
    fn default() -> Work {
        Work {
            batch: Batch::with_block(STRETCH),
            first: 0,
            routes: Vec::new(),
            decoded: Vec::new(),
            file: Arc::default(),
            start: Timestamp::default(),
            previous: None,
            last: false,
        }
    }
}

impl Work {
    pub fn context(&self, name: Name) -> Context {
        Context {
            name,
            start: self.start,
        }
    }

    /// How many packets of the capture were read with this stretch.
    pub fn end(&self) -> usize {
        self.first + self.batch.len()
    }
}

/// The capture file, when it was read: what it says of itself, the recording in
/// it, and why the input could not be read on.
pub(super) struct File {
    pub capture: CaptureInfo,
    pub recording: Option<Recording>,
    pub fault: Option<SavefileError>,
}

/// Reads a capture file stretch by stretch.
pub(super) struct Route<R: Read> {
    reader: Reader<R>,
    fragments: Defragmenter,
    file: Arc<FileFacts>,
    packets: usize,
    start: Option<Timestamp>,
    previous: Option<Timestamp>,
    fault: Option<SavefileError>,
}

impl<R: Read> Route<R> {
    pub fn open(input: R, name: &str) -> Result<Route<R>, SavefileError> {
        Ok(Route {
            file: Arc::default(),
            reader: Reader::new(input, name)?,
            fragments: Defragmenter::default(),
            packets: 0,
            start: None,
            previous: None,
            fault: None,
        })
    }

    /// Fills `work` with the next stretch. An input that fails ends there.
    pub fn next(&mut self, work: &mut Work) {
        work.routes.clear();
        work.decoded.clear();
        work.first = self.packets;
        work.previous = self.previous;
        work.last = match self.reader.next_batch(&mut work.batch) {
            Ok(more) => !more,
            Err(fault) => {
                self.fault = Some(fault);
                work.batch = Batch::default();
                true
            }
        };
        for (place, frame) in work.batch.frames().enumerate() {
            let hash = decode::flow_hash(frame.link_type, frame.data).unwrap_or_else(|| {
                let mut packet = decode::decode(&frame);
                self.fragments.packet(&mut packet, &frame);
                // The conversation around a tunnel's may hold many others:
                // they share a shard. Packets of none may go anywhere.
                let hash = match packet.outer_sockets().next() {
                    Some(_) => 0,
                    None => packet.flow_hash().unwrap_or(frame.number),
                };
                work.decoded.push((place, packet));
                hash
            });
            work.routes.push((hash % SHARDS as u64) as u8);
            self.start.get_or_insert(frame.time);
            self.previous = Some(frame.time);
        }
        work.start = self.start.unwrap_or_default();
        let interfaces = self.reader.interfaces();
        if self.file.interfaces.len() != interfaces.len() {
            self.file = Arc::new(FileFacts {
                format: Some(self.reader.format()),
                interfaces: interfaces.to_vec(),
            });
        }
        work.file = self.file.clone();
        self.packets += work.batch.len();
    }

    pub fn finish(self) -> File {
        let (capture, recording) = self.reader.finish();
        File {
            capture,
            recording,
            fault: self.fault,
        }
    }
}
