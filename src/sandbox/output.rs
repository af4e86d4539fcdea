//! What a program writes: read as it comes, kept up to a bound, the beginning
//! and the end of it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::savefile::{Bytes, Program};

/// Bytes that are kept of the beginning of an output, and of its end.
const HEAD: usize = 512 * 1024;
const TAIL: usize = 512 * 1024;

/// Both outputs of a program. They outlive it: what it forked may go on
/// writing.
#[derive(Default)]
pub struct Outputs {
    stdout: Output,
    stderr: Output,
}

impl Outputs {
    pub fn new(
        stdout: Option<impl Into<OwnedFd>>,
        stderr: Option<impl Into<OwnedFd>>,
    ) -> io::Result<Outputs> {
        Ok(Outputs {
            stdout: Output::new(stdout)?,
            stderr: Output::new(stderr)?,
        })
    }

    /// The pipes that are still open.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.stdout, &self.stderr]
            .into_iter()
            .filter_map(|output| output.pipe.as_ref().map(AsFd::as_fd))
    }

    /// Reads what is there, a bounded amount in one go so that a flood does
    /// not keep the supervisor from its other work.
    pub fn read(&mut self) {
        self.stdout.read();
        self.stderr.read();
    }

    /// Reads what is left in the pipes of programs that are gone.
    pub fn drain(&mut self) {
        while self.stdout.read() || self.stderr.read() {}
    }

    /// Fills in what was written.
    pub fn into_result(self, result: &mut Program) {
        let (stdout, cut) = self.stdout.into_kept();
        let (stderr, also_cut) = self.stderr.into_kept();
        result.output_cut = cut + also_cut;
        result.stdout = Bytes(stdout);
        result.stderr = Bytes(stderr);
    }
}

/// An output pipe of a program and what came out of it.
#[derive(Default)]
struct Output {
    pipe: Option<File>,
    head: Vec<u8>,
    /// What came behind the head: the last [`TAIL`] bytes of it at least.
    tail: Vec<u8>,
    /// Bytes that were between the two.
    cut: u64,
}

impl Output {
    fn new(pipe: Option<impl Into<OwnedFd>>) -> io::Result<Output> {
        let pipe = match pipe {
            Some(pipe) => {
                let fd = pipe.into();
                rustix::io::ioctl_fionbio(&fd, true)?;
                Some(File::from(fd))
            }
            None => None,
        };
        Ok(Output {
            pipe,
            ..Output::default()
        })
    }

    /// True: there may be more to read at once.
    fn read(&mut self) -> bool {
        let mut buffer = [0u8; 16 * 1024];
        for _ in 0..8 {
            let Some(pipe) = &mut self.pipe else {
                return false;
            };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(n) => self.keep(buffer.get(..n).unwrap_or(&[])),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return false,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.pipe = None,
            }
        }
        true
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = HEAD - self.head.len().min(HEAD);
        let (first, rest) = bytes.split_at(bytes.len().min(room));
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(rest);
        // Only when it is worth moving the rest.
        if self.tail.len() > 2 * TAIL {
            self.shorten(TAIL);
        }
    }

    /// Leaves so many bytes of the tail.
    fn shorten(&mut self, most: usize) {
        let over = self.tail.len().saturating_sub(most);
        self.tail.drain(..over);
        self.cut += over as u64;
    }

    /// Beginning and end in one, with a line between them that says how much is
    /// missing there; and how much that is.
    fn into_kept(mut self) -> (Vec<u8>, u64) {
        self.shorten(TAIL);
        if self.cut == 0 {
            self.head.append(&mut self.tail);
            return (self.head, 0);
        }
        // Text stays text: no half characters at the cut.
        if let Err(error) = std::str::from_utf8(&self.head)
            && error.error_len().is_none()
        {
            self.cut += (self.head.len() - error.valid_up_to()) as u64;
            self.head.truncate(error.valid_up_to());
        }
        let continuing = |byte: &&u8| **byte & 0xc0 == 0x80;
        let half = self.tail.iter().take(3).take_while(continuing).count();
        self.shorten(self.tail.len() - half);
        let marker = format!("\n[... {} bytes left out ...]\n", self.cut);
        self.head.extend_from_slice(marker.as_bytes());
        self.head.append(&mut self.tail);
        (self.head, self.cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(parts: &[&[u8]]) -> (Vec<u8>, u64) {
        let mut output = Output::default();
        for part in parts {
            output.keep(part);
        }
        output.into_kept()
    }

    #[test]
    fn up_to_the_bound_it_is_whole() {
        let bytes: Vec<u8> = (0..HEAD + TAIL).map(|i| (i % 251) as u8).collect();
        for size in [1, 1000, HEAD + 1, bytes.len()] {
            let parts: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(kept(&parts), (bytes.clone(), 0));
        }
    }

    #[test]
    fn beyond_it_head_and_tail_are_kept_and_the_rest_is_counted() {
        let total = 5 * (HEAD + TAIL) + 7;
        let bytes: Vec<u8> = (0..total).map(|i| b'a' + (i % 26) as u8).collect();
        for size in [1009, 65_536, total] {
            let parts: Vec<&[u8]> = bytes.chunks(size).collect();
            let (text, cut) = kept(&parts);
            assert_eq!(cut, (total - HEAD - TAIL) as u64);
            assert!(text.starts_with(&bytes[..HEAD]));
            assert!(text.ends_with(&bytes[total - TAIL..]));
            let middle = String::from_utf8_lossy(&text[HEAD..text.len() - TAIL]);
            assert_eq!(middle, format!("\n[... {cut} bytes left out ...]\n"));
        }
    }

    #[test]
    fn a_cut_leaves_no_half_characters() {
        for shift in 0..3 {
            let mut bytes = vec![b'x'; shift];
            bytes.extend("€".repeat(HEAD).bytes());
            let (text, cut) = kept(&[&bytes]);
            let text = String::from_utf8(text).unwrap();
            let left = text.len() - format!("\n[... {cut} bytes left out ...]\n").len();
            assert_eq!(left as u64 + cut, bytes.len() as u64);
        }
    }
}
