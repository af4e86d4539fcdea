//! Lines that are written later than they are made, and in another order: in
//! memory while they are few, then in a temporary file without a name.

use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

/// Bytes that stay in memory.
const MEMORY: usize = 8 << 20;

pub struct Spool {
    file: SpooledTempFile,
    /// The place of each line, and where it lies.
    lines: Vec<(usize, u64, u32)>,
    end: u64,
}

impl Default for Spool {
    fn default() -> Spool {
        Spool {
            file: SpooledTempFile::new(MEMORY),
            lines: Vec::new(),
            end: 0,
        }
    }
}

impl Spool {
    pub fn push(&mut self, place: usize, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        let len = u32::try_from(line.len()).map_err(io::Error::other)?;
        self.lines.push((place, self.end, len));
        self.end += line.len() as u64;
        Ok(())
    }

    /// Hands out the lines in the order of their places.
    pub fn drain(mut self, mut each: impl FnMut(usize, &[u8]) -> io::Result<()>) -> io::Result<()> {
        self.lines.sort_unstable();
        let mut line = Vec::new();
        let mut at = None;
        for (place, start, len) in self.lines {
            // Those that lie one behind the other are read without a search.
            if at != Some(start) {
                self.file.seek(SeekFrom::Start(start))?;
            }
            line.resize(len as usize, 0);
            self.file.read_exact(&mut line)?;
            at = Some(start + u64::from(len));
            each(place, &line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_in_their_order() {
        let mut spool = Spool::default();
        let long = vec![b'x'; MEMORY / 2];
        for (place, line) in [
            (3, &b"three"[..]),
            (0, b""),
            (2, &long),
            (1, &long),
            (4, &long),
        ] {
            spool.push(place, line).unwrap();
        }
        let mut seen = Vec::new();
        spool
            .drain(|place, line| {
                seen.push((place, line.len()));
                Ok(())
            })
            .unwrap();
        let half = long.len();
        assert_eq!(seen, [(0, 0), (1, half), (2, half), (3, 5), (4, half)]);
    }
}
