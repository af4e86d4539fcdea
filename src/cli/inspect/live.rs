//! Standard input that Ctrl-C ends: what was read so far is then shown, as
//! tcpdump does.

use std::io::{self, Read, Stdin};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::cli::record::signals::Signals;

/// After Ctrl-C the program before us in the pipe writes what it still has: so
/// long a silence says that it is done.
const SILENCE: Duration = Duration::from_millis(300);
/// And so long it is waited for at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// The input, until it ends or the user ends it.
pub struct Live {
    input: Stdin,
    signals: Signals,
    /// When reading ends, whatever still comes.
    until: Option<Instant>,
}

impl Live {
    pub fn new() -> io::Result<Live> {
        Ok(Live {
            input: io::stdin(),
            signals: Signals::watch()?,
            until: None,
        })
    }

    /// Waits for bytes, or the input's end. False where the user ended it.
    fn wait(&mut self) -> io::Result<bool> {
        loop {
            let timeout = match self.until {
                None => None,
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(false);
                    }
                    Timespec::try_from(left.min(SILENCE)).ok()
                }
            };
            let mut ready = [
                PollFd::new(&self.input, PollFlags::IN),
                PollFd::from_borrowed_fd(self.signals.descriptor(), PollFlags::IN),
            ];
            let count = match rustix::event::poll(&mut ready, timeout.as_ref()) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            let [input, signal] = &ready;
            let (input, signal) = (!input.revents().is_empty(), !signal.revents().is_empty());
            if count == 0 {
                return Ok(false);
            }
            if signal && self.signals.arrived() {
                // The second one does not wait.
                if self.until.is_some() {
                    return Ok(false);
                }
                self.until = Some(Instant::now() + PATIENCE);
            }
            if input {
                return Ok(true);
            }
        }
    }
}

impl Read for Live {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if !self.wait()? {
            return Ok(0);
        }
        Ok(rustix::io::read(self.input.as_fd(), room)?)
    }
}
