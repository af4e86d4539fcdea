//! The chunked transfer coding (RFC 9112, section 7.1): strict and bounded.

use super::cursor::Cursor;

/// A chunk's size line, extensions included, may have so many bytes.
const MAX_SIZE_LINE: usize = 4096;
/// The trailer section may have so many bytes.
const MAX_TRAILERS: usize = 64 * 1024;

/// A decoded body, as far as it goes.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub bytes: Vec<u8>,
    /// The last chunk and the end of the trailers were seen.
    pub complete: bool,
    /// Bytes of chunks that were not captured.
    pub missing: u64,
    pub trouble: Option<String>,
}

/// Reads chunks up to the last one and its trailers.
pub(super) fn decode(cursor: &mut Cursor) -> Decoded {
    let mut decoded = Decoded::default();
    match chunks(cursor, &mut decoded) {
        Ok(complete) => decoded.complete = complete && decoded.missing == 0,
        Err(trouble) => decoded.trouble = Some(trouble.to_owned()),
    }
    decoded
}

/// Ok(false): the stream ends before the body does.
fn chunks(cursor: &mut Cursor, decoded: &mut Decoded) -> Result<bool, &'static str> {
    loop {
        let Some(line) = line(cursor, MAX_SIZE_LINE)? else {
            return Ok(false);
        };
        let size = size(line)?;
        if size == 0 {
            return trailers(cursor);
        }
        let taken = cursor.take(size);
        decoded.missing += taken.missing;
        let bytes = &cursor.stream().bytes;
        decoded
            .bytes
            .extend_from_slice(bytes.get(taken.range).unwrap_or(&[]));
        if taken.short > 0 {
            return Ok(false);
        }
        match line_end(cursor) {
            LineEnd::Here => {}
            LineEnd::NotYet => return Ok(false),
            LineEnd::Other => return Err("a chunk is longer than its size line says"),
        }
    }
}

/// The next line without its CR LF. None: the stream ends before it does.
fn line<'a>(cursor: &mut Cursor<'a>, max: usize) -> Result<Option<&'a [u8]>, &'static str> {
    let bytes = cursor.neighbours();
    let window = bytes.get(..max).unwrap_or(bytes);
    let Some(end) = window.iter().position(|b| *b == b'\n') else {
        return if window.len() < bytes.len() {
            Err("a line of the chunked coding is too long")
        } else {
            Ok(None)
        };
    };
    let line = window
        .get(..end)
        .and_then(|line| line.strip_suffix(b"\r"))
        .ok_or("a line of the chunked coding does not end with CR LF")?;
    cursor.step(end + 1);
    Ok(Some(line))
}

fn size(line: &[u8]) -> Result<u64, &'static str> {
    let digits = line
        .iter()
        .position(|b| !b.is_ascii_hexdigit())
        .map_or(line, |end| line.get(..end).unwrap_or(line));
    let behind = line.get(digits.len()..).unwrap_or(&[]);
    let extension = behind.trim_ascii_start();
    if digits.is_empty() || !(extension.is_empty() || extension.starts_with(b";")) {
        return Err("a chunk does not begin with its size in hexadecimal digits");
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or("a chunk's size is too large")
}

enum LineEnd {
    Here,
    NotYet,
    Other,
}

fn line_end(cursor: &mut Cursor) -> LineEnd {
    match cursor.neighbours() {
        [b'\r', b'\n', ..] => {
            cursor.step(2);
            LineEnd::Here
        }
        [] | [b'\r'] => LineEnd::NotYet,
        _ => LineEnd::Other,
    }
}

fn trailers(cursor: &mut Cursor) -> Result<bool, &'static str> {
    let start = cursor.at();
    loop {
        if cursor.at() - start > MAX_TRAILERS {
            return Err("the trailer section is too long");
        }
        match line(cursor, MAX_TRAILERS)? {
            None => return Ok(false),
            Some([]) => return Ok(true),
            Some(line) if line.contains(&b':') => {}
            Some(_) => return Err("a trailer line has no colon"),
        }
    }
}
