//! The unread part of a file, in one growing buffer.

use std::io::{ErrorKind, Read, Result};

/// How much is asked for in one read.
const BLOCK: usize = 1 << 20;

/// Reads block-wise. The buffer grows only as bytes arrive, so that a length
/// field costs no memory that the file does not back.
pub struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    /// The unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
}

impl<R: Read> Source<R> {
    pub fn new(input: R) -> Self {
        Source {
            input,
            // Zeroed by the system, page by page as they are touched.
            buffer: vec![0; BLOCK],
            start: 0,
            end: 0,
        }
    }

    pub fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or(&[])
    }

    /// Makes `count` unread bytes available, and says how many there are: fewer
    /// only at the end of the file.
    #[inline]
    pub fn fill(&mut self, count: usize) -> Result<usize> {
        let available = self.end - self.start;
        if available >= count {
            return Ok(available);
        }
        self.read_more(count)?;
        Ok(self.end - self.start)
    }

    /// The first `count` bytes are read.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
    }

    fn read_more(&mut self, count: usize) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < count {
            if self.end == self.buffer.len() {
                self.buffer.resize(2 * self.buffer.len(), 0);
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => return Ok(()),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_file_ends_short() {
        let mut source = Source::new(&b"abc"[..]);
        assert_eq!(source.fill(5).unwrap(), 3);
        assert_eq!(source.unread(), b"abc");
        source.consume(2);
        assert_eq!(source.unread(), b"c");
        source.consume(9);
        assert_eq!(source.unread(), b"");
    }

    #[test]
    fn a_claimed_length_costs_no_memory() {
        let mut source = Source::new(&[7; 100][..]);
        source.fill(1 << 40).unwrap();
        assert!(source.buffer.len() <= BLOCK);
    }

    #[test]
    fn bytes_survive_the_growing() {
        let bytes: Vec<u8> = (0..3 * BLOCK).map(|i| (i % 251) as u8).collect();
        let mut source = Source::new(&bytes[..]);
        source.fill(10).unwrap();
        source.consume(7);
        assert!(source.fill(2 * BLOCK + 5).unwrap() >= 2 * BLOCK + 5);
        assert_eq!(source.unread()[..1000], bytes[7..1007]);
        assert_eq!(source.unread()[2 * BLOCK], bytes[7 + 2 * BLOCK]);
    }
}
