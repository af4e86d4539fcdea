//! Writing classic pcap with nanosecond time stamps.

use std::io::{self, Write};

use super::format::*;
use crate::savefile::{InterfaceDescription, Timestamp};

/// Writes a pcap file, little-endian, with nanosecond time stamps. It has no
/// place for the interface's name, its counters, comments or the recording.
///
/// A frame costs two `write_all` calls and no allocation: give it a writer
/// that buffers.
pub struct Writer<W: Write> {
    output: W,
}

impl<W: Write> Writer<W> {
    /// Writes the file header.
    pub fn new(mut output: W, interface: &InterfaceDescription) -> io::Result<Self> {
        let mut head = Vec::with_capacity(FILE_HEADER);
        head.extend_from_slice(&MAGIC_NANOSECONDS.to_le_bytes());
        head.extend_from_slice(&VERSION.0.to_le_bytes());
        head.extend_from_slice(&VERSION.1.to_le_bytes());
        head.extend_from_slice(&[0; 8]); // time zone and accuracy: always 0
        head.extend_from_slice(&interface.snaplen.to_le_bytes());
        head.extend_from_slice(&u32::from(interface.link_type).to_le_bytes());
        output.write_all(&head)?;
        Ok(Writer { output })
    }

    /// Writes one frame, of which `data` was captured and which had
    /// `original_len` bytes on the wire.
    pub fn write_frame(
        &mut self,
        time: Timestamp,
        original_len: u32,
        data: &[u8],
    ) -> io::Result<()> {
        let seconds = u32::try_from(time.0.div_euclid(1_000_000_000))
            .map_err(|_| invalid("a pcap file holds times from 1970 to 2106"))?;
        let nanoseconds = time.0.rem_euclid(1_000_000_000) as u32;
        let captured =
            u32::try_from(data.len()).map_err(|_| invalid("longer than a frame may be"))?;
        let mut head = [0; RECORD_HEADER];
        let fields = [seconds, nanoseconds, captured, original_len];
        for (place, field) in head.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        self.output.write_all(&head)?;
        self.output.write_all(data)
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

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
