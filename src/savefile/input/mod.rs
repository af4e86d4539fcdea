//! The bytes of a capture, unpacked where they are compressed: gzip and zstd,
//! told by their first bytes.

mod gzip;
mod raw;
mod zstd;

use std::io::{self, Read};

use gzip::Gzip;
use raw::Raw;
use zstd::Zstd;

use super::Compression;

/// Reads a capture's bytes as they come. What is wrong with compressed data
/// ends the bytes; [`Input::fault`] tells it.
pub struct Input<R> {
    raw: Raw<R>,
    decoder: Option<Decoder>,
    fault: Option<String>,
    ended: bool,
}

enum Decoder {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

/// What a decoder came to.
enum Progress {
    /// This many bytes, at least one.
    Bytes(usize),
    End,
    Fault(Fault),
}

/// Why compressed data cannot be unpacked any further.
enum Fault {
    /// It ends before its end.
    Cut,
    Corrupt(String),
    /// Something else follows it.
    Followed,
}

impl<R: Read> Input<R> {
    pub fn open(inner: R) -> io::Result<Self> {
        let mut raw = Raw::new(inner);
        let head = raw.peek(4)?;
        let decoder = if gzip::is_gzip(head) {
            Some(Decoder::Gzip(Box::new(Gzip::new())))
        } else if zstd::is_zstd(head) {
            Some(Decoder::Zstd(Box::new(Zstd::new())))
        } else {
            None
        };
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
            Some(Decoder::Gzip(gzip)) => gzip.read(&mut self.raw, room)?,
            Some(Decoder::Zstd(zstd)) => zstd.read(&mut self.raw, room)?,
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
        let name = self.compression().map_or("", Compression::name);
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
