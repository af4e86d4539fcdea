//! Ctrl-C and its kin, as something to wait for.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The signals by which a user ends us.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Becomes readable when one of the ending signals has arrived.
pub struct Signals {
    pipe: UnixStream,
}

impl Signals {
    /// From here on the signals no longer end the process.
    pub fn watch() -> io::Result<Signals> {
        let (pipe, write) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        for signal in ENDING {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Signals { pipe })
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// Has one arrived since the last call?
    pub fn arrived(&mut self) -> bool {
        matches!(self.pipe.read(&mut [0; 16]), Ok(n) if n > 0)
    }
}
