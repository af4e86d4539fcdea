//! The chunked transfer coding, RFC 9112 section 7.1.

use std::io::{self, BufRead, Read, Write};

/// The longest line of a chunk's size, or of a trailer field.
const LONGEST_LINE: u64 = 8 * 1024;
const MOST_TRAILERS: usize = 100;

/// Copies the chunks' data and reads up to the end of the coding.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] and [`io::ErrorKind::UnexpectedEof`] for a
/// wrong coding and for one that ends too early; else from reading or writing.
pub(super) fn copy(input: &mut impl BufRead, out: &mut impl Write) -> io::Result<()> {
    loop {
        let size = size(&line(input)?)?;
        if size == 0 {
            break;
        }
        if io::copy(&mut input.by_ref().take(size), out)? < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !line(input)?.is_empty() {
            return Err(wrong("a chunk is longer than its size says"));
        }
    }
    for _ in 0..MOST_TRAILERS {
        if line(input)?.is_empty() {
            return Ok(());
        }
    }
    Err(wrong("too many trailer fields"))
}

/// One line without its end.
fn line(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input
        .by_ref()
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)?;
    match line.pop() {
        Some(b'\n') => {}
        _ if line.len() + 1 >= usize::try_from(LONGEST_LINE).unwrap_or(usize::MAX) => {
            return Err(wrong("a line of the chunked coding is too long"));
        }
        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// The size in front of a chunk; extensions after it do not count.
fn size(line: &[u8]) -> io::Result<u64> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong("a chunk's size is not a hexadecimal number"));
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| wrong("a chunk's size is too large"))
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(mut input: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        copy(&mut input, &mut out).map(|()| out)
    }

    #[test]
    fn chunks_extensions_and_trailers() {
        let coded = b"5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\n";
        assert_eq!(decode(coded).unwrap(), b"hello0123456789");
        assert_eq!(decode(b"0\r\n\r\n").unwrap(), b"");
    }

    #[test]
    fn wrong_codings() {
        for (coded, kind) in [
            (&b"x\r\n"[..], io::ErrorKind::InvalidData),
            (b"-1\r\n", io::ErrorKind::InvalidData),
            (b"11111111111111111\r\n", io::ErrorKind::InvalidData),
            (b"2\r\nabc\r\n0\r\n\r\n", io::ErrorKind::InvalidData),
            (b"5\r\nhel", io::ErrorKind::UnexpectedEof),
            (b"5\r\nhello\r\n", io::ErrorKind::UnexpectedEof),
            (b"0\r\n", io::ErrorKind::UnexpectedEof),
            (b"", io::ErrorKind::UnexpectedEof),
        ] {
            assert_eq!(decode(coded).unwrap_err().kind(), kind, "{coded:?}");
        }
    }
}
