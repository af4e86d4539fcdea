//! The file, stretch by stretch.

use std::io::Read;
use std::sync::Arc;

use super::FileFacts;
use super::stretch::Stretch;
use crate::savefile::{Batch, CaptureInfo, Reader, Recording, SavefileError, Timestamp};

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
    file: Arc<FileFacts>,
    /// Those that were read.
    stretches: usize,
    packets: usize,
    start: Option<Timestamp>,
    previous: Option<Timestamp>,
    fault: Option<SavefileError>,
    over: bool,
}

impl<R: Read> Route<R> {
    pub fn new(reader: Reader<R>) -> Route<R> {
        Route {
            file: Arc::default(),
            reader,
            stretches: 0,
            packets: 0,
            start: None,
            previous: None,
            fault: None,
            over: false,
        }
    }

    /// Fills `stretch` with the next one; false: there was a last one before.
    /// An input that fails ends there.
    pub fn next(&mut self, stretch: &mut Stretch) -> bool {
        if self.over {
            return false;
        }
        stretch.number = self.stretches;
        stretch.first = self.packets;
        stretch.previous = self.previous;
        stretch.last = match self.reader.next_batch(&mut stretch.batch) {
            Ok(more) => !more,
            Err(fault) => {
                self.fault = Some(fault);
                stretch.batch = Batch::default();
                true
            }
        };
        self.stretches += 1;
        self.packets += stretch.batch.len();
        self.over = stretch.last;
        if let Some(first) = stretch.batch.get(0) {
            self.start.get_or_insert(first.time);
        }
        if let Some(place) = stretch.batch.len().checked_sub(1) {
            self.previous = stretch.batch.get(place).map(|frame| frame.time);
        }
        stretch.start = self.start.unwrap_or_default();
        let interfaces = self.reader.interfaces();
        if self.file.interfaces.len() != interfaces.len() {
            self.file = Arc::new(FileFacts {
                format: Some(self.reader.format()),
                interfaces: interfaces.to_vec(),
            });
        }
        stretch.file = self.file.clone();
        true
    }

    /// Behind the last one: what all of the file has, also for a thread that never
    /// had a stretch of it. Says how many there were.
    pub fn behind(&self, stretch: &mut Stretch) -> usize {
        stretch.start = self.start.unwrap_or_default();
        stretch.file = self.file.clone();
        self.stretches
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
