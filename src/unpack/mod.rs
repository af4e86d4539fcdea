//! gzip and zstd to the bytes that were packed: captures, and what HTTP carries.
//! Owns the formats around the packed bytes (members, frames, check sums) and the
//! bounds on memory; knows nothing of what the bytes are.

mod gzip;
mod raw;
mod zstd;

use std::io::{self, ErrorKind, Read};

use gzip::Gzip;
use zstd::Zstd;

pub(crate) use raw::Raw;

/// Unpacks one format from a [`Raw`].
pub(crate) enum Decoder {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

/// What a decoder came to.
pub(crate) enum Progress {
    /// This many bytes, at least one.
    Bytes(usize),
    End,
    Fault(Fault),
}

/// Why packed bytes cannot be unpacked any further.
pub(crate) enum Fault {
    /// They end before their end.
    Cut,
    Corrupt(String),
    /// Something else follows them, or was there from the start.
    Followed,
}

impl Decoder {
    pub fn gzip() -> Decoder {
        Decoder::Gzip(Box::new(Gzip::new()))
    }

    /// `max_window`: bytes that a frame may have remembered of what was before.
    pub fn zstd(max_window: u64) -> Decoder {
        Decoder::Zstd(Box::new(Zstd::new(max_window)))
    }

    /// The one for data with these first bytes, four if there are as many.
    pub fn told_by(head: &[u8], max_window: u64) -> Option<Decoder> {
        match head {
            _ if gzip::is_gzip(head) => Some(Decoder::gzip()),
            _ if zstd::is_zstd(head) => Some(Decoder::zstd(max_window)),
            _ => None,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Decoder::Gzip(_) => "gzip",
            Decoder::Zstd(_) => "zstd",
        }
    }

    /// Unpacks into `room`, which has some.
    pub fn read(&mut self, raw: &mut Raw<impl Read>, room: &mut [u8]) -> io::Result<Progress> {
        match self {
            Decoder::Gzip(gzip) => gzip.read(raw, room),
            Decoder::Zstd(zstd) => zstd.read(raw, room),
        }
    }
}

/// Packed bytes, unpacked as they are read. What is wrong with them is an error.
pub(crate) struct Unpacked<R> {
    raw: Raw<R>,
    decoder: Decoder,
    over: bool,
}

impl<R: Read> Unpacked<R> {
    pub fn new(packed: R, decoder: Decoder) -> Unpacked<R> {
        Unpacked {
            raw: Raw::new(packed),
            decoder,
            over: false,
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.over || room.is_empty() {
            return Ok(0);
        }
        let progress = self.decoder.read(&mut self.raw, room)?;
        let Progress::Bytes(count) = progress else {
            self.over = true;
            let name = self.decoder.name();
            return match progress {
                Progress::Fault(Fault::Cut) => Err(ErrorKind::UnexpectedEof.into()),
                Progress::Fault(Fault::Corrupt(reason)) => Err(io::Error::other(reason)),
                Progress::Fault(Fault::Followed) if self.raw.offset() == 0 => {
                    Err(io::Error::other(format!("it is no {name}")))
                }
                Progress::Fault(Fault::Followed) => {
                    Err(io::Error::other(format!("what follows is no {name}")))
                }
                Progress::Bytes(_) | Progress::End => Ok(0),
            };
        };
        Ok(count)
    }
}
