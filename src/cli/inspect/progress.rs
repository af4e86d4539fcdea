//! How far the reading of a file has come, on standard error.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::render::terminal::inspect::{size, span};
use crate::savefile::{Window, Windows};

/// Files that are read sooner show none.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two drawings.
const PACE: Duration = Duration::from_millis(100);

/// Passes an input on and shows how much of it was read. At its end what was
/// drawn is wiped off, so that results stand alone.
pub struct Progress<R> {
    input: R,
    /// Bytes of the whole, where that is known.
    size: Option<u64>,
    read: u64,
    begun: Instant,
    drawn: Option<Instant>,
}

impl<R> Progress<R> {
    pub fn new(input: R, size: Option<u64>) -> Progress<R> {
        Progress {
            input,
            size,
            read: 0,
            begun: Instant::now(),
            drawn: None,
        }
    }

    fn draw(&mut self) {
        let elapsed = self.begun.elapsed();
        if elapsed < PATIENCE || self.drawn.is_some_and(|last| last.elapsed() < PACE) {
            return;
        }
        self.drawn = Some(Instant::now());
        write(&format!("\r\x1b[K{}", line(self.read, self.size, elapsed)));
    }

    fn wipe(&mut self) {
        if self.drawn.take().is_some() {
            write("\r\x1b[K");
        }
    }
}

/// Nobody is left to tell that it cannot be written.
fn write(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// `reading  42%  680 MB of 1.6 GB, 1.2 s left`
fn line(read: u64, whole: Option<u64>, elapsed: Duration) -> String {
    let Some(whole) = whole.filter(|whole| *whole >= read && read > 0) else {
        return format!("reading  {}", size(read));
    };
    let part = read as f64 / whole as f64;
    let left = elapsed.as_secs_f64() * (1.0 - part) / part;
    format!(
        "reading {:3.0}%  {} of {}, {} left",
        part * 100.0,
        size(read),
        size(whole),
        span(left * 1000.0)
    )
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(room);
        match read {
            Ok(0) => self.wipe(),
            Ok(more) => {
                self.read += more as u64;
                self.draw();
            }
            Err(_) => {}
        }
        read
    }
}

impl<W: Windows> Windows for Progress<W> {
    fn window(&mut self, offset: u64, len: usize) -> io::Result<Box<dyn Window>> {
        let window = self.input.window(offset, len)?;
        let seen = window.bytes().len();
        self.read = offset + seen as u64;
        match seen < len {
            true => self.wipe(),
            false => self.draw(),
        }
        Ok(window)
    }

    fn whole(&mut self) -> io::Result<Arc<dyn Window>> {
        self.input.whole()
    }

    fn lost(&mut self) -> io::Result<Option<u64>> {
        self.input.lost()
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Would a progress line reach a reader, and harm nothing that is written to
/// the same terminal at the same time?
pub fn is_wanted(streams: bool) -> bool {
    io::stderr().is_terminal() && !(streams && io::stdout().is_terminal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_and_how_long() {
        let second = Duration::from_secs(1);
        assert_eq!(line(1_500, None, second), "reading  1.5 kB");
        assert_eq!(
            line(250_000_000, Some(1_000_000_000), second),
            "reading  25%  250 MB of 1.0 GB, 3.00 s left"
        );
        assert_eq!(
            line(10, Some(10), second),
            "reading 100%  10 B of 10 B, 0 s left"
        );
        // A file that grows while it is read.
        assert_eq!(line(2_000, Some(1_000), second), "reading  2.0 kB");
    }

    #[test]
    fn bytes_pass_unchanged() {
        let mut passed = Vec::new();
        let mut progress = Progress::new(&b"capture"[..], Some(7));
        progress.read_to_end(&mut passed).unwrap();
        assert_eq!(passed, b"capture");
        assert_eq!(progress.read, 7);
    }
}
