//! The files to read: by name, or standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use super::progress::{self, Progress};
use crate::cli::judge::recording_beside;
use crate::cli::pages::{Kept, STANDARD_INPUT};
use crate::savefile::{Reader, Recording, SavefileError, Windows};

/// A capture to read.
pub struct Input {
    /// What messages call it.
    pub name: String,
    pub reader: Reader<Box<dyn Read + Send>>,
    /// The recording beside a classic `.pcap`.
    pub sidecar: Option<Recording>,
}

/// Opens a file; `-` is standard input, which must not be a terminal. `streams`:
/// output is written while it is read.
pub fn open(path: &Path, streams: bool) -> Result<Input, SavefileError> {
    if path == Path::new("-") {
        return standard_input(streams, None);
    }
    let name = path.display().to_string();
    let fail = |error| SavefileError::Io {
        name: name.clone(),
        error,
    };
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    let size = metadata.is_file().then_some(metadata.len());
    let windows = size.and_then(|size| map(&file, size, streams));
    let mut reader = Reader::new(watched(file, size, streams), &name)?;
    if let Some(windows) = windows {
        reader = reader.over(windows);
    }
    Ok(Input {
        reader,
        sidecar: recording_beside(path),
        name,
    })
}

/// A file of this size to be looked at in place; None: read it.
#[cfg(all(feature = "record", target_os = "linux"))]
fn map(file: &File, size: u64, streams: bool) -> Option<Box<dyn Windows>> {
    let map = super::map::Map::new(file)?;
    Some(match progress::is_wanted(streams) {
        true => Box::new(Progress::new(map, Some(size))),
        false => Box::new(map),
    })
}

#[cfg(not(all(feature = "record", target_os = "linux")))]
fn map(_: &File, _: u64, _: bool) -> Option<Box<dyn Windows>> {
    None
}

/// Standard input; what comes is also given to `kept`.
pub fn standard_input(streams: bool, kept: Option<&Kept>) -> Result<Input, SavefileError> {
    let name = STANDARD_INPUT.to_owned();
    let reader = match from_others() {
        Ok(input) => match kept {
            Some(kept) => watched(kept.keeping(input), None, streams),
            None => watched(input, None, streams),
        },
        Err(error) => return Err(SavefileError::Io { name, error }),
    };
    Ok(Input {
        reader: Reader::new(reader, &name)?,
        name,
        sidecar: None,
    })
}

/// Standard input, which must not be a terminal.
pub fn from_others() -> io::Result<impl Read + Send + 'static> {
    if io::stdin().is_terminal() {
        let words = "a capture is expected, and a terminal sends none: tcpdump -w - | netlab-capture inspect -";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
    }
    live()
}

#[cfg(all(feature = "record", target_os = "linux"))]
fn live() -> io::Result<impl Read + Send + 'static> {
    super::live::Live::new()
}

#[cfg(not(all(feature = "record", target_os = "linux")))]
fn live() -> io::Result<impl Read + Send + 'static> {
    Ok(io::stdin())
}

/// With a progress line, where that is wanted.
fn watched(
    input: impl Read + Send + 'static,
    size: Option<u64>,
    streams: bool,
) -> Box<dyn Read + Send> {
    match progress::is_wanted(streams) {
        true => Box::new(Progress::new(input, size)),
        false => Box::new(input),
    }
}
