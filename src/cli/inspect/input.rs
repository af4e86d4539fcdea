//! The files to read: by name, or standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use crate::cli::judge::sidecar;
use crate::savefile::{Recording, SavefileError};

/// A capture to read.
pub struct Input {
    /// What messages call it.
    pub name: String,
    pub reader: Box<dyn Read + Send>,
    /// The recording beside a classic `.pcap`.
    pub sidecar: Option<Recording>,
}

/// Opens a file; `-` is standard input, which must not be a terminal.
pub fn open(path: &Path) -> Result<Input, SavefileError> {
    if path == Path::new("-") {
        return standard_input();
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| SavefileError::Io {
        name: name.clone(),
        error,
    })?;
    let sidecar = std::fs::read(sidecar(path)).ok();
    Ok(Input {
        reader: Box::new(file),
        sidecar: sidecar.and_then(|json| serde_json::from_slice(&json).ok()),
        name,
    })
}

fn standard_input() -> Result<Input, SavefileError> {
    let name = "standard input".to_owned();
    if io::stdin().is_terminal() {
        let words = "a capture is expected, and a terminal sends none: tcpdump -w - | netlab-capture inspect -";
        return Err(SavefileError::Io {
            name,
            error: io::Error::new(io::ErrorKind::InvalidInput, words),
        });
    }
    Ok(Input {
        name,
        reader: Box::new(io::stdin()),
        sidecar: None,
    })
}
