//! The bytes of a file as they are in it.

use std::io::{self, ErrorKind, Read};

const BUFFER: usize = 64 << 10;

/// A file with a small buffer before it, for its first bytes and for decoders.
pub struct Raw<R> {
    inner: R,
    buffer: Vec<u8>,
    /// The unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Where in the file `start` lies.
    offset: u64,
    /// What reading came to inside a decoder, which cannot be trusted to hand
    /// it on.
    error: Option<io::Error>,
    ended: bool,
}

impl<R: Read> Raw<R> {
    pub fn new(inner: R) -> Self {
        Raw {
            inner,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            offset: 0,
            error: None,
            ended: false,
        }
    }

    /// How many bytes of the file were taken.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The failed read that a decoder met.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// The first unread bytes, at least `count` of them (which the buffer must
    /// have room for) unless the file has no more.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count && !self.ended {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            let read = read(&mut self.inner, room)?;
            self.ended = read == 0;
            self.end += read;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// The next byte; None at the end.
    pub fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek(1)?.first().copied();
        self.consume(1);
        Ok(byte)
    }

    /// Takes `count` bytes off; false where the file ends before them.
    pub fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            let available = self.peek(1)?.len();
            if available == 0 {
                return Ok(false);
            }
            let some = available.min(usize::try_from(count).unwrap_or(usize::MAX));
            self.consume(some);
            count -= some as u64;
        }
        Ok(true)
    }

    /// What the buffer holds, else what one read gives: without a copy.
    pub fn read_into(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let buffered = self.buffer.get(self.start..self.end).unwrap_or_default();
        let count = if buffered.is_empty() {
            let count = read(&mut self.inner, room)?;
            self.offset += count as u64;
            self.ended = count == 0;
            count
        } else {
            let count = buffered.len().min(room.len());
            if let (Some(room), Some(bytes)) = (room.get_mut(..count), buffered.get(..count)) {
                room.copy_from_slice(bytes);
            }
            self.consume(count);
            count
        };
        Ok(count)
    }
}

/// For decoders: an error is kept for [`Raw::take_error`].
impl<R: Read> Read for Raw<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if let Err(error) = self.peek(1) {
            let kind = error.kind();
            self.error = Some(error);
            return Err(kind.into());
        }
        self.read_into(room)
    }
}

fn read(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
