//! Start line and header section, in one contiguous piece of bytes. Read
//! leniently, as servers and clients do; what is against the rules is told.

use std::borrow::Cow;

use memchr::memchr;

use super::Headers;
use super::headers::Field;

/// A head may have so many bytes. Servers accept 8 to 64 KiB.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// A start line is looked for in so many bytes.
const MAX_START_LINE: usize = 16 * 1024;
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
            Ok(_) => Look::Start(Kind::Response),
            Err(look) => look,
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
    let line = match line_end(bytes) {
        Ok(end) => bytes.get(..end).unwrap_or(&[]),
        Err(look) => return look,
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let rest = line.get(method + 1..).unwrap_or(&[]);
    let version = rest.rsplit(|b| *b == b' ').next().unwrap_or(&[]);
    if is_version(version) {
        let has_target = rest.len() > version.len();
        // Of a word that could be any, the target is asked for.
        let is_known = |name: &[u8]| METHODS.iter().any(|m| m.as_bytes() == name);
        return if has_target || line.get(..method).is_some_and(is_known) {
            Look::Start(Kind::Request)
        } else {
            Look::No
        };
    }
    let is_simple = line.starts_with(b"GET /") && !rest.contains(&b' ');
    if simple && is_simple {
        Look::Start(Kind::Simple)
    } else {
        Look::No
    }
}

fn is_version(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(b"HTTP/1.")
        .is_some_and(|minor| matches!(minor, [digit] if digit.is_ascii_digit()))
}

/// Where the LF of the first line stands; else what that means.
fn line_end(bytes: &[u8]) -> Result<usize, Look> {
    let window = bytes.get(..MAX_START_LINE).unwrap_or(bytes);
    memchr(b'\n', window).ok_or(if window.len() < bytes.len() {
        Look::No
    } else {
        Look::Maybe
    })
}

/// RFC 9112, section 2.2: empty lines before a start line are ignored.
fn skip_empty_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n'));
    bytes.get(start.unwrap_or(bytes.len())..).unwrap_or(&[])
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The length of the head that these bytes begin with, its empty line
/// included. `searched` bytes were looked at before; Err: so many are now.
pub(super) fn end(bytes: &[u8], searched: usize) -> Result<usize, usize> {
    let mut at = searched.max(bytes.len() - skip_empty_lines(bytes).len());
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
    let empty = bytes.len() - skip_empty_lines(bytes).len();
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
    let text = String::from_utf8_lossy(skip_empty_lines(bytes));
    let (line, section) = text.split_once('\n').unwrap_or((&text, ""));
    let line = line.strip_suffix('\r').unwrap_or_else(|| {
        trouble.push(BARE_LF);
        line
    });
    let headers = fields(section, &mut trouble);
    let (start, version) = match kind {
        Kind::Request => request_line(line, &mut trouble),
        Kind::Simple => {
            trouble.push(NO_VERSION);
            let target = line.split_once(' ').map_or("", |(_, target)| target);
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

fn request_line(line: &str, trouble: &mut Vec<&'static str>) -> (Start, &'static str) {
    let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (target, version) = rest.rsplit_once(' ').unwrap_or(("", rest));
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
    (start, version_of(version))
}

fn status_line(line: &str, trouble: &mut Vec<&'static str>) -> (Start, &'static str) {
    let (version, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (digits, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
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
    known.unwrap_or("HTTP/1.1")
}

/// The fields of a header or trailer section; an empty line ends it.
pub(super) fn fields(section: &str, trouble: &mut Vec<&'static str>) -> Headers {
    let section = unfolded(section, trouble);
    let mut places: Vec<Field> = Vec::with_capacity(16);
    let mut at = 0;
    let mut end = 0;
    let note = |trouble: &mut Vec<&'static str>, what| {
        if !trouble.contains(&what) {
            trouble.push(what);
        }
    };
    for ended in section.split_inclusive('\n') {
        let start = at;
        at += ended.len();
        let line = ended.strip_suffix('\n').unwrap_or(ended);
        let whole = line.strip_suffix('\r');
        if whole.is_none() && line.len() < ended.len() {
            note(trouble, BARE_LF);
        }
        let line = whole.unwrap_or(line);
        if line.is_empty() {
            break;
        }
        end = start + line.len();
        if line.starts_with([' ', '\t']) {
            // Only before the first field: the others are unfolded.
            note(trouble, SPACE_BEFORE_HEADERS);
            continue;
        }
        let Some(colon) = memchr(b':', line.as_bytes()) else {
            note(trouble, NO_COLON);
            continue;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or("");
        let trimmed = name.trim_end_matches([' ', '\t']);
        if trimmed.len() < name.len() {
            note(trouble, SPACE_BEFORE_COLON);
        }
        if trimmed.is_empty() || !trimmed.bytes().all(is_token) {
            note(trouble, NO_NAME);
        }
        // Without a branch for each byte, so that it is done many at a time.
        let control = |b: u8| (b < b' ' && b != b'\t') | (b == 0x7f);
        if value.bytes().fold(false, |found, b| found | control(b)) {
            note(
                trouble,
                if value.contains('\r') {
                    BARE_CR
                } else {
                    CONTROL
                },
            );
        }
        let left = value.trim_start_matches([' ', '\t']);
        let from = start + colon + 1 + (value.len() - left.len());
        let content = left.trim_end_matches([' ', '\t']);
        places.push(Field::new(
            start..start + trimmed.len(),
            from..from + content.len(),
        ));
    }
    Headers::new(section.get(..end).unwrap_or(""), &places)
}

/// Folded lines made one, joined by a space (RFC 9112, section 5.2).
fn unfolded<'a>(section: &'a str, trouble: &mut Vec<&'static str>) -> Cow<'a, str> {
    let folds = |bytes: &[u8]| {
        let mut newlines = memchr::memchr_iter(b'\n', bytes);
        newlines.any(|n| matches!(bytes.get(n + 1), Some(b' ' | b'\t')))
    };
    if !folds(section.as_bytes()) {
        return Cow::Borrowed(section);
    }
    trouble.push(FOLDED);
    let mut text = String::with_capacity(section.len());
    for line in section.split_inclusive('\n') {
        if line.starts_with([' ', '\t']) && !text.is_empty() {
            text.truncate(text.trim_ascii_end().len());
            text.push(' ');
            text.push_str(line.trim_start_matches([' ', '\t']));
        } else {
            text.push_str(line);
        }
    }
    Cow::Owned(text)
}
