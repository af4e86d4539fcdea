//! The chunked transfer coding (RFC 9112, section 7.1): strict and bounded.

use std::mem;

use memchr::memchr;

use super::Headers;
use super::content::Content;
use super::head;

/// A chunk's size line, extensions included, may have so many bytes.
const MAX_SIZE_LINE: usize = 4096;
/// The trailer section may have so many bytes.
const MAX_TRAILERS: usize = 64 * 1024;

/// Takes a body apart, piece by piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunked {
    state: State,
    /// What has come of a line that is not complete; of the trailer section,
    /// all of it.
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    /// So many bytes of the chunk are still to come.
    Data(u64),
    DataEnd,
    Trailers,
}

/// How far a piece went.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// All of it was taken, and more is expected.
    More,
    /// So many bytes ended the body.
    Done(usize, Headers),
    /// So many bytes were taken before the fault.
    Wrong(usize, &'static str),
}

impl Chunked {
    pub(super) fn take(&mut self, bytes: &[u8], content: &mut Content) -> Progress {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Progress::More;
            }
            match self.state {
                State::Size => {
                    let (taken, size) = match self.size_line(rest) {
                        (taken, Ok(size)) => (taken, size),
                        (taken, Err(why)) => return Progress::Wrong(at + taken, why),
                    };
                    at += taken;
                    self.state = match size {
                        None => State::Size,
                        Some(0) => State::Trailers,
                        Some(size) => State::Data(size),
                    };
                }
                State::Data(left) => {
                    let here = usize::try_from(left).map_or(rest.len(), |l| l.min(rest.len()));
                    content.take(rest.get(..here).unwrap_or(rest));
                    at += here;
                    self.pass(here as u64);
                }
                State::DataEnd => {
                    let expected = if self.line.is_empty() { b'\r' } else { b'\n' };
                    match rest.first() {
                        Some(b) if *b == expected => at += 1,
                        _ => {
                            let why = "a chunk is longer than its size line says \
                                (RFC 9112, section 7.1)";
                            return Progress::Wrong(at, why);
                        }
                    }
                    if expected == b'\r' {
                        self.line.push(b'\r');
                    } else {
                        self.line.clear();
                        self.state = State::Size;
                    }
                }
                State::Trailers => {
                    return match self.trailers(rest) {
                        (_, Ok(None)) => Progress::More,
                        (taken, Ok(Some(trailers))) => Progress::Done(at + taken, trailers),
                        (taken, Err(why)) => Progress::Wrong(at + taken, why),
                    };
                }
            }
        }
    }

    /// Counts bytes of a chunk that were not captured. False: the gap goes
    /// beyond the chunk, or is not in one.
    pub(super) fn miss(&mut self, missing: u64) -> bool {
        match self.state {
            State::Data(left) if missing <= left => {
                self.pass(missing);
                true
            }
            _ => false,
        }
    }

    /// Bytes of the current chunk that are still to come.
    pub(super) fn left(&self) -> u64 {
        match self.state {
            State::Data(left) => left,
            _ => 0,
        }
    }

    fn pass(&mut self, len: u64) {
        if let State::Data(left) = self.state {
            self.state = match left.saturating_sub(len) {
                0 => State::DataEnd,
                left => State::Data(left),
            };
        }
    }

    /// How many bytes were taken, and the size that the line says; None: the
    /// line has no end yet.
    fn size_line(&mut self, bytes: &[u8]) -> (usize, Result<Option<u64>, &'static str>) {
        let room = MAX_SIZE_LINE.saturating_sub(self.line.len());
        let Some(end) = memchr(b'\n', bytes.get(..room).unwrap_or(bytes)) else {
            if bytes.len() >= room {
                return (room, Err("a line of the chunked coding is too long"));
            }
            self.line.extend_from_slice(bytes);
            return (bytes.len(), Ok(None));
        };
        let line = bytes.get(..end).unwrap_or(&[]);
        let size = if self.line.is_empty() {
            size(line)
        } else {
            self.line.extend_from_slice(line);
            size(&mem::take(&mut self.line))
        };
        (end + 1, size.map(Some))
    }

    /// As [`Chunked::size_line`], for the lines up to the empty one.
    fn trailers(&mut self, bytes: &[u8]) -> (usize, Result<Option<Headers>, &'static str>) {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            // More may lie behind the section.
            let room = MAX_TRAILERS.saturating_sub(self.line.len());
            let start = line_start(&self.line);
            let Some(end) = memchr(b'\n', rest.get(..room).unwrap_or(rest)) else {
                if rest.len() > room {
                    return (at + room, Err("the trailer section is too long"));
                }
                self.line.extend_from_slice(rest);
                return (bytes.len(), Ok(None));
            };
            at += end + 1;
            self.line
                .extend_from_slice(rest.get(..=end).unwrap_or(rest));
            let line = self.line.get(start..).unwrap_or(&[]);
            match line.strip_suffix(b"\r\n") {
                None => return (at, Err(NO_CR_LF)),
                Some([]) => {
                    let section = head::text(&self.line);
                    return (at, Ok(Some(head::fields(&section, &mut Vec::new()))));
                }
                Some(line) if line.contains(&b':') => {}
                Some(_) => {
                    let why = "a trailer line has no colon (RFC 9112, section 7.1.2)";
                    return (at, Err(why));
                }
            }
        }
    }
}

const NO_CR_LF: &str =
    "a line of the chunked coding does not end with CR LF (RFC 9112, section 7.1)";

/// Where the line that is not complete begins.
fn line_start(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1)
}

fn size(line: &[u8]) -> Result<u64, &'static str> {
    let line = line.strip_suffix(b"\r").ok_or(NO_CR_LF)?;
    let digits = line
        .iter()
        .position(|b| !b.is_ascii_hexdigit())
        .map_or(line, |end| line.get(..end).unwrap_or(line));
    let behind = line.get(digits.len()..).unwrap_or(&[]);
    let extension = behind.trim_ascii_start();
    if digits.is_empty() || !(extension.is_empty() || extension.starts_with(b";")) {
        return Err(
            "a chunk does not begin with its size in hexadecimal digits (RFC 9112, section 7.1)",
        );
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or("a chunk's size is too large (RFC 9112, section 7.1)")
}
