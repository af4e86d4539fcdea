//! The bytes of a capture, unpacked where they are compressed: gzip and zstd,
//! told by their first bytes.

use std::io::{self, Read};

use super::Compression;
use crate::unpack::{Decoder, Fault, Progress, Raw};

/// The largest window that is unpacked, so that a hostile file cannot ask for
/// more memory: what `zstd` itself accepts unless told otherwise.
const MAX_WINDOW: u64 = 128 << 20;

/// Reads a capture's bytes as they come. What is wrong with compressed data
/// ends the bytes; [`Input::fault`] tells it.
pub struct Input<R> {
    raw: Raw<R>,
    decoder: Option<Decoder>,
    fault: Option<String>,
    ended: bool,
}

impl<R: Read> Input<R> {
    pub fn open(inner: R) -> io::Result<Self> {
        let mut raw = Raw::new(inner);
        let decoder = Decoder::told_by(raw.peek(4)?, MAX_WINDOW);
        Ok(Input {
            raw,
            decoder,
            fault: None,
            ended: false,
        })
    }

    /// Reads into `room`, which has some, as many bytes as are there without
    /// waiting for more; 0 at the end.
    pub fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let progress = match &mut self.decoder {
            None => self.raw.read_into(room).map(Progress::Bytes)?,
            Some(decoder) => decoder.read(&mut self.raw, room)?,
        };
        match progress {
            Progress::Bytes(count) => {
                self.ended = count == 0;
                Ok(count)
            }
            Progress::End => {
                self.ended = true;
                Ok(0)
            }
            Progress::Fault(fault) => {
                self.ended = true;
                self.fault = Some(self.words(&fault));
                Ok(0)
            }
        }
    }

    /// Why the compressed data ended early.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub fn compression(&self) -> Option<Compression> {
        self.decoder.as_ref().map(|decoder| match decoder {
            Decoder::Gzip(_) => Compression::Gzip,
            Decoder::Zstd(_) => Compression::Zstd,
        })
    }

    fn words(&self, fault: &Fault) -> String {
        let name = self.decoder.as_ref().map_or("", Decoder::name);
        let offset = self.raw.offset();
        match fault {
            Fault::Cut => format!("the {name} data is cut off after {offset} bytes"),
            Fault::Corrupt(reason) => {
                format!("the {name} data is corrupt near its byte {offset}: {reason}")
            }
            Fault::Followed => format!(
                "the {name} data ends whole at its byte {offset}, and something else follows"
            ),
        }
    }
}
