//! Packets alone: a capture of any format as a classic pcap, which can hold
//! nothing else.

use std::io::{Read, Write};

use super::model::InterfaceDescription;
use super::pcap::Writer;
use super::{Reader, Recording, SavefileError};

/// Copies the packets of a capture as a classic pcap. What was recorded beside
/// them is returned, comments are left out.
///
/// # Errors
/// The capture cannot be read, or the copy not be written.
pub fn packets_only(
    input: impl Read,
    output: impl Write,
) -> Result<Option<Recording>, SavefileError> {
    let written = |error| SavefileError::Io {
        name: "the copy".to_owned(),
        error,
    };
    let mut reader = Reader::new(input, "the capture")?;
    // The recorder's loopback is Ethernet, also where not one packet passed.
    let loopback = InterfaceDescription {
        name: String::new(),
        link_type: 1,
        snaplen: 0,
    };
    let mut writer = Writer::new(output, &loopback).map_err(written)?;
    while let Some(frame) = reader.next_frame()? {
        writer
            .write_frame(frame.time, frame.len, frame.data)
            .map_err(written)?;
    }
    writer.flush().map_err(written)?;
    Ok(reader.finish().1)
}
