//! Start line and header section, in one contiguous piece of bytes. Read
//! leniently, as servers and clients do; what is against the rules is told.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::Headers;
use super::headers::Field;

/// A head may have so many bytes. Servers accept 8 to 64 KiB.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// Methods are short words: the longest registered has 17 letters.
const MAX_METHOD: usize = 64;

/// RFC 9110, section 9.3; RFC 5789.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

const FOLDED: &str = "a header line is folded (RFC 9112, section 5.2)";
const BARE_LF: &str = "a line ends with LF alone (RFC 9112, section 2.2)";
const BARE_CR: &str = "a CR stands alone (RFC 9112, section 2.2)";
const CONTROL: &str = "a header value has a control character (RFC 9110, section 5.5)";
const NO_COLON: &str = "a header line has no colon (RFC 9112, section 5)";
const NO_NAME: &str = "a header name is no token (RFC 9110, section 5.1)";
const SPACE_BEFORE_COLON: &str = "white space stands before a colon (RFC 9112, section 5.1)";
const SPACE_BEFORE_HEADERS: &str =
    "white space stands between start line and header lines (RFC 9112, section 2.2)";
const TARGET_SPACE: &str = "the request target has white space (RFC 9112, section 3.2)";
const TARGET_FORM: &str = "the request target has none of its forms (RFC 9112, section 3.2)";
const NO_HOST: &str = "an HTTP/1.1 request has no Host (RFC 9112, section 3.2)";
const SEVERAL_HOSTS: &str = "a request has several Host lines (RFC 9112, section 3.2)";
const NO_STATUS: &str = "the status code has not three digits (RFC 9112, section 4)";
const BAD_VERSION: &str = "the request line does not end with a version (RFC 9112, section 3)";
const NO_VERSION: &str =
    "the request line has no version: read as HTTP/0.9 (RFC 1945, section 4.1)";
pub(super) const TOO_LONG: &str = "the head is longer than 65536 bytes: its rest is not read";

/// What bytes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A start line, complete.
    Start(Kind),
    /// More bytes can make it one.
    Maybe,
    /// Neither.
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    /// A request of HTTP/0.9: a line without a version, and nothing else.
    Simple,
    Response,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub request: bool,
    pub simple: bool,
    pub response: bool,
}

/// Do these bytes begin a head? Cheap, and strict enough that other protocols
/// of words are not taken for HTTP. What is `No` stays so with more bytes.
pub(super) fn look(bytes: &[u8], wanted: Wanted) -> Look {
    let bytes = skip_empty_lines(bytes);
    let Some(first) = bytes.first() else {
        return Look::Maybe;
    };
    let response = if wanted.response && *first == b'H' {
        look_for_response(bytes)
    } else {
        Look::No
    };
    if response != Look::No || !wanted.request {
        return response;
    }
    look_for_request(bytes, wanted.simple)
}

/// Does a piece from the midst of a stream begin with a head? Asks for a whole
/// start line, and a method in capital letters, as all registered ones are.
pub(super) fn begins(bytes: &[u8], wanted: Wanted) -> bool {
    bytes.first().is_some_and(u8::is_ascii_uppercase)
        && matches!(look(bytes, wanted), Look::Start(_))
}

fn look_for_response(bytes: &[u8]) -> Look {
    const START: &[u8] = b"HTTP/1.";
    if bytes.iter().zip(START).any(|(a, b)| a != b) {
        return Look::No;
    }
    match (bytes.get(7), bytes.get(8)) {
        (Some(minor), Some(b' ')) if minor.is_ascii_digit() => match line_end(bytes) {
            Some(_) => Look::Start(Kind::Response),
            None => Look::Maybe,
        },
        (None, _) => Look::Maybe,
        (Some(minor), None) if minor.is_ascii_digit() => Look::Maybe,
        _ => Look::No,
    }
}

fn look_for_request(bytes: &[u8], simple: bool) -> Look {
    let start = bytes.get(..MAX_METHOD).unwrap_or(bytes);
    let method = match start.iter().position(|b| !is_token(*b)) {
        Some(0) => return Look::No,
        Some(end) if start.get(end) == Some(&b' ') => end,
        None if start.len() < MAX_METHOD => return Look::Maybe,
        _ => return Look::No,
    };
    let Some(end) = line_end(bytes) else {
        return Look::Maybe;
    };
    let is_cut = bytes.get(end) != Some(&b'\n');
    let line = bytes.get(..end).unwrap_or(&[]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_known = |name: &[u8]| METHODS.iter().any(|m| m.as_bytes() == name);
    let rest = line.get(method + 1..).unwrap_or(&[]);
    let version = rest.rsplit(|b| *b == b' ').next().unwrap_or(&[]);
    if is_version(version) {
        let has_target = rest.len() > version.len();
        // Of a word that could be any, the target is asked for.
        return if has_target || line.get(..method).is_some_and(is_known) {
            Look::Start(Kind::Request)
        } else {
            Look::No
        };
    }
    let has_path = matches!(rest.first(), Some(b'/' | b'*'));
    match line.get(..method) {
        Some(b"GET") if has_path && !rest.contains(&b' ') && !is_cut => match simple {
            true => Look::Start(Kind::Simple),
            false => Look::No,
        },
        // Nothing else looks like that, but the requests that students write.
        Some(name) if has_path && is_known(name) => Look::Start(Kind::Request),
        _ => Look::No,
    }
}

fn is_version(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(b"HTTP/1.")
        .is_some_and(|minor| matches!(minor, [digit] if digit.is_ascii_digit()))
}

/// Where the first line ends: its LF, or all that a head may have. None: that did not
/// come yet.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let window = bytes.get(..MAX_HEAD).unwrap_or(bytes);
    let whole = (window.len() == MAX_HEAD).then_some(MAX_HEAD);
    memchr(b'\n', window).or(whole)
}

/// RFC 9112, section 2.2: empty lines before a start line are ignored.
fn skip_empty_lines(bytes: &[u8]) -> &[u8] {
    bytes.get(empty_lines(bytes)..).unwrap_or(&[])
}

/// How many bytes those are.
pub(super) fn empty_lines(bytes: &[u8]) -> usize {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n'));
    start.unwrap_or(bytes.len())
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let others = b"!#$%&'*+-.^_`|~";
        let mut at = 0;
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        table
    };
    TOKEN[usize::from(byte)]
}

/// The length of the head that these bytes begin with, its empty line
/// included. `searched` bytes were looked at before; Err: so many are now.
pub(super) fn end(bytes: &[u8], searched: usize) -> Result<usize, usize> {
    // Who searched before has passed the empty lines.
    let mut at = match searched {
        0 => empty_lines(bytes),
        searched => searched,
    };
    loop {
        let rest = bytes.get(at..).unwrap_or(&[]);
        let Some(newline) = memchr(b'\n', rest) else {
            return Err(bytes.len());
        };
        match rest.get(newline + 1..).unwrap_or(&[]) {
            [b'\n', ..] => return Ok(at + newline + 2),
            [b'\r', b'\n', ..] => return Ok(at + newline + 3),
            [] | [b'\r'] => return Err(at + newline),
            _ => at += newline + 1,
        }
    }
}

/// The length of a simple request: its line.
pub(super) fn line_len(bytes: &[u8]) -> usize {
    let empty = empty_lines(bytes);
    let line = bytes.get(empty..).unwrap_or(&[]);
    memchr(b'\n', line).map_or(bytes.len(), |end| empty + end + 1)
}

/// What a head says.
#[derive(Debug)]
pub(super) struct Parsed {
    pub start: Start,
    pub version: &'static str,
    pub headers: Headers,
    pub trouble: Vec<&'static str>,
}

#[derive(Debug)]
pub(super) enum Start {
    Request { method: String, target: String },
    Response { code: u16, phrase: String },
}

/// Reads a head that [`look`] found to be of this kind.
pub(super) fn parse(bytes: &[u8], kind: Kind) -> Parsed {
    let mut trouble = Vec::new();
    let text = text(skip_empty_lines(bytes));
    let whole = cut(&text, b'\n');
    // Of a line without an end, the rest was not read.
    let is_cut = whole.is_none();
    let (line, section) = whole.unwrap_or((&text, ""));
    let line = line.strip_suffix('\r').unwrap_or_else(|| {
        if !is_cut {
            trouble.push(BARE_LF);
        }
        line
    });
    let headers = fields(section, &mut trouble);
    let (start, version) = match kind {
        Kind::Request => request_line(line, is_cut, &mut trouble),
        Kind::Simple => {
            trouble.push(NO_VERSION);
            let target = cut(line, b' ').map_or("", |(_, target)| target);
            let start = Start::Request {
                method: "GET".to_owned(),
                target: target.to_owned(),
            };
            (start, "HTTP/0.9")
        }
        Kind::Response => status_line(line, &mut trouble),
    };
    if let (Start::Request { .. }, "HTTP/1.1") = (&start, version) {
        match headers.named("host").count() {
            0 => trouble.push(NO_HOST),
            1 => {}
            _ => trouble.push(SEVERAL_HOSTS),
        }
    }
    Parsed {
        start,
        version,
        headers,
        trouble,
    }
}

/// Text is looked at many bytes at a time; what is none is rare.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// What stands before and behind the first such byte, which is ASCII.
fn cut(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr(byte, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn request_line(
    line: &str,
    is_cut: bool,
    trouble: &mut Vec<&'static str>,
) -> (Start, &'static str) {
    let (method, rest) = cut(line, b' ').unwrap_or((line, ""));
    let (target, version) = match rest.rsplit_once(' ') {
        Some((target, version)) => (target, version),
        None if is_version(rest.as_bytes()) => ("", rest),
        None => (rest, ""),
    };
    let version = version_of(version);
    if version.is_empty() && !is_cut {
        trouble.push(BAD_VERSION);
    }
    let shown = target.trim_matches(' ');
    if shown.len() < target.len() || shown.contains([' ', '\t']) {
        trouble.push(TARGET_SPACE);
    }
    let has_form = match method {
        "CONNECT" => shown.contains(':') && !shown.contains('/'),
        "OPTIONS" if shown == "*" => true,
        _ => shown.starts_with('/') || shown.contains("://"),
    };
    if !has_form {
        trouble.push(TARGET_FORM);
    }
    let start = Start::Request {
        method: method.to_owned(),
        target: shown.to_owned(),
    };
    (start, version)
}

fn status_line(line: &str, trouble: &mut Vec<&'static str>) -> (Start, &'static str) {
    let (version, rest) = cut(line, b' ').unwrap_or((line, ""));
    let (digits, phrase) = cut(rest, b' ').unwrap_or((rest, ""));
    let digits = digits.trim_ascii();
    let is_code = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_code {
        trouble.push(NO_STATUS);
    }
    let start = Start::Response {
        code: if is_code {
            digits.parse().unwrap_or(0)
        } else {
            0
        },
        phrase: phrase.to_owned(),
    };
    (start, version_of(version))
}

fn version_of(text: &str) -> &'static str {
    const MINOR: [&str; 10] = [
        "HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/1.3", "HTTP/1.4", "HTTP/1.5", "HTTP/1.6",
        "HTTP/1.7", "HTTP/1.8", "HTTP/1.9",
    ];
    let known = MINOR.into_iter().find(|known| *known == text);
    known.unwrap_or("")
}

/// The fields of a header or trailer section; an empty line ends it.
pub(super) fn fields(section: &str, trouble: &mut Vec<&'static str>) -> Headers {
    let bytes = section.as_bytes();
    let lines = memchr::memchr_iter(b'\n', bytes).count();
    let mut places: Vec<Field> = Vec::with_capacity(lines.saturating_sub(1));
    let mut note = Notes(trouble);
    let (mut at, mut end, mut pairs) = (0, 0, 0);
    while at < section.len() {
        let start = at;
        let rest = bytes.get(start..).unwrap_or(&[]);
        let newline = memchr(b'\n', rest);
        let line = rest.get(..newline.unwrap_or(rest.len())).unwrap_or(rest);
        at = start + line.len() + usize::from(newline.is_some());
        let line = match line.strip_suffix(b"\r") {
            Some(line) => {
                pairs += 1;
                line
            }
            None => {
                note.when(newline.is_some(), BARE_LF);
                line
            }
        };
        match line.first() {
            None => break,
            Some(first) if is_blank(*first) => {
                if places.is_empty() {
                    note.when(true, SPACE_BEFORE_HEADERS);
                    continue;
                }
                trouble.push(FOLDED);
                return fields(&unfolded(section), trouble);
            }
            Some(_) => {}
        }
        end = start + line.len();
        let Some(colon) = memchr(b':', line) else {
            note.when(true, NO_COLON);
            continue;
        };
        let mut name = 0..colon;
        if !is_name(line, &name) {
            name = trimmed(line, 0..colon);
            note.when(name.end < colon, SPACE_BEFORE_COLON);
            note.when(!is_name(line, &name), NO_NAME);
        }
        let value = trimmed(line, colon + 1..line.len());
        let place = |range: Range<usize>| start + range.start..start + range.end;
        places.push(Field::new(place(name), place(value)));
    }
    let read = bytes.get(..at).unwrap_or(bytes);
    // Without a branch for each byte, so that many are looked at at a time.
    let control = |b: u8| ((b < b' ') & !matches!(b, b'\t' | b'\r' | b'\n')) | (b == 0x7f);
    note.when(
        read.iter().fold(false, |found, b| found | control(*b)),
        CONTROL,
    );
    note.when(memchr::memchr_iter(b'\r', read).count() > pairs, BARE_CR);
    Headers::new(section.get(..end).unwrap_or(""), places)
}

/// What is told, each once.
struct Notes<'a>(&'a mut Vec<&'static str>);

impl Notes<'_> {
    fn when(&mut self, is_so: bool, what: &'static str) {
        if is_so && !self.0.contains(&what) {
            self.0.push(what);
        }
    }
}

fn is_name(line: &[u8], range: &Range<usize>) -> bool {
    let name = line.get(range.clone()).unwrap_or(&[]);
    !name.is_empty() && name.iter().all(|b| is_token(*b))
}

/// The range without the white space at its ends.
fn trimmed(line: &[u8], range: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = range;
    let blank = |at: usize| line.get(at).is_some_and(|b| is_blank(*b));
    while start < end && blank(start) {
        start += 1;
    }
    while start < end && blank(end - 1) {
        end -= 1;
    }
    start..end
}

/// RFC 9110, section 5.6.3.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Folded lines made one, joined by a space (RFC 9112, section 5.2). White
/// space before the first field is left out.
fn unfolded(section: &str) -> String {
    let mut text = String::with_capacity(section.len());
    for line in section.split_inclusive('\n') {
        if !line.starts_with([' ', '\t']) {
            text.push_str(line);
        } else if !text.is_empty() {
            text.truncate(text.trim_ascii_end().len());
            text.push(' ');
            text.push_str(line.trim_start_matches([' ', '\t']));
        }
    }
    text
}
