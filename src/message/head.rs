//! Start line and header section.

use crate::conversation::Stream;

use super::cursor::Cursor;
use super::{Body, Head, Request, Response};

/// Header lines that a head may have.
const MAX_HEADERS: usize = 256;
/// A start line is looked for in so many bytes.
const MAX_START_LINE: usize = 16 * 1024;

/// Do these bytes begin a request? Cheap, and strict enough that other
/// protocols of words are not taken for HTTP.
pub(super) fn looks_like_request(bytes: &[u8]) -> bool {
    let line = first_line(bytes);
    let mut words = line.split(|b| *b == b' ');
    let method = words.next().unwrap_or(&[]);
    let version = words.next_back().unwrap_or(&[]);
    !method.is_empty()
        && method.iter().all(|b| is_token(*b))
        && version.len() == b"HTTP/1.1".len()
        && version.starts_with(b"HTTP/1.")
}

/// Do these bytes begin a response?
pub(super) fn looks_like_response(bytes: &[u8]) -> bool {
    let line = first_line(bytes);
    line.starts_with(b"HTTP/1.") && line.get(8) == Some(&b' ')
}

/// Can more bytes make this the beginning of a request?
pub(super) fn may_become_request(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    bytes.is_empty()
        || looks_like_request(bytes)
        || (!bytes.contains(&b'\n') && bytes.first().is_some_and(|b| is_token(*b)))
}

/// Can more bytes make this the beginning of a response?
pub(super) fn may_become_response(bytes: &[u8]) -> bool {
    const START: &[u8] = b"HTTP/1.";
    let bytes = bytes.trim_ascii_start();
    looks_like_response(bytes)
        || bytes.iter().zip(START).all(|(a, b)| a == b) && !bytes.contains(&b'\n')
}

/// The first line, empty ones before it and its end left out; empty where it
/// has no end.
fn first_line(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.get(..MAX_START_LINE).unwrap_or(bytes);
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n'));
    let bytes = bytes.get(start.unwrap_or(0)..).unwrap_or(&[]);
    match bytes.iter().position(|b| *b == b'\n') {
        Some(end) => bytes
            .get(..end)
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .unwrap_or(&[]),
        None => &[],
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads the next request's head. None: no (whole) request begins here.
pub(super) fn request(cursor: &mut Cursor) -> Option<Request> {
    let bytes = cursor.neighbours();
    if !looks_like_request(bytes) {
        return None;
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let mut config = httparse::ParserConfig::default();
    config.ignore_invalid_headers_in_requests(true);
    let Ok(httparse::Status::Complete(len)) = config.parse_request(&mut request, bytes) else {
        return None;
    };
    let method = request.method?.to_owned();
    let target = request.path?.to_owned();
    let head = head(cursor, len, request.version?, request.headers)?;
    Some(Request {
        method,
        target,
        head,
        body: Body::default(),
    })
}

/// Reads the next response's head. None: no (whole) response begins here.
pub(super) fn response(cursor: &mut Cursor) -> Option<Response> {
    let bytes = cursor.neighbours();
    if !looks_like_response(bytes) {
        return None;
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let mut config = httparse::ParserConfig::default();
    config
        .ignore_invalid_headers_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true);
    let Ok(httparse::Status::Complete(len)) = config.parse_response(&mut response, bytes) else {
        return None;
    };
    let code = response.code?;
    let phrase = response.reason.unwrap_or("").to_owned();
    let head = head(cursor, len, response.version?, response.headers)?;
    Some(Response {
        code,
        phrase,
        head,
        body: Body::default(),
    })
}

fn head(
    cursor: &mut Cursor,
    len: usize,
    version: u8,
    headers: &[httparse::Header],
) -> Option<Head> {
    let range = cursor.at()..cursor.at() + len;
    let packet = cursor.stream().completed_by(range.clone())?;
    cursor.step(len);
    let headers = headers
        .iter()
        .map(|h| {
            let value = String::from_utf8_lossy(h.value).into_owned();
            (h.name.to_owned(), value)
        })
        .collect();
    Some(Head {
        version: format!("HTTP/1.{version}"),
        headers,
        range,
        packet,
    })
}

/// The packet that brought the head's first byte.
pub(super) fn first_packet(head: &Head, stream: &Stream) -> usize {
    stream
        .completed_by(head.range.start..head.range.start + 1)
        .unwrap_or(head.packet)
}
