//! How a message's end is told (RFC 9112, section 6.3).

use super::Headers;

/// What the head says of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    None,
    Bytes(u64),
    Chunked,
    UntilClose,
    /// The head contradicts itself: why.
    Wrong(&'static str),
}

/// What a response answers, as far as its length depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asked {
    #[default]
    Other,
    Head,
    Connect,
}

impl Asked {
    pub(super) fn by(method: &str) -> Asked {
        match method {
            "HEAD" => Asked::Head,
            "CONNECT" => Asked::Connect,
            _ => Asked::Other,
        }
    }

    /// Does a response with this code make the connection a tunnel?
    pub(super) fn is_tunnel(self, code: u16) -> bool {
        self == Asked::Connect && (200..300).contains(&code)
    }
}

const BOTH: &str = "Transfer-Encoding and Content-Length are both there: \
    Transfer-Encoding counts (RFC 9112, section 6.1)";
const OLD_CODING: &str = "Transfer-Encoding stands in an HTTP/1.0 message (RFC 9112, section 6.1)";
const SEVERAL_CHUNKED: &str = "\"chunked\" is named more than once (RFC 9112, section 6.1)";
const ODD_CODING: &str = "a transfer coding is unknown (RFC 9112, section 7)";
const REPEATED: &str = "Content-Length is repeated (RFC 9110, section 8.6)";
const NO_BODY: &str = "Transfer-Encoding or Content-Length stands in a response that has no content \
    (RFC 9110, section 8.6; RFC 9112, section 6.1)";

/// A request's body.
pub(super) fn of_request(
    headers: &Headers,
    version: &str,
    trouble: &mut Vec<&'static str>,
) -> Length {
    match told(headers, version, trouble) {
        Told::Nothing => Length::None,
        Told::Chunked => Length::Chunked,
        Told::OtherCoding => Length::Wrong(
            "a request's Transfer-Encoding must end with \"chunked\" (RFC 9112, section 6.3)",
        ),
        Told::Length(len) => Length::Bytes(len),
        Told::Wrong(why) => Length::Wrong(why),
    }
}

/// The body of a response.
pub(super) fn of_response(
    headers: &Headers,
    version: &str,
    code: u16,
    asked: Asked,
    trouble: &mut Vec<&'static str>,
) -> Length {
    if asked == Asked::Head || code == 304 {
        return Length::None;
    }
    if asked.is_tunnel(code) || matches!(code, 100..200 | 204) {
        let named = |name| headers.named(name).next().is_some();
        if named("transfer-encoding") || (code != 101 && named("content-length")) {
            trouble.push(NO_BODY);
        }
        return Length::None;
    }
    match told(headers, version, trouble) {
        Told::Nothing | Told::OtherCoding => Length::UntilClose,
        Told::Chunked => Length::Chunked,
        Told::Length(len) => Length::Bytes(len),
        Told::Wrong(why) => Length::Wrong(why),
    }
}

enum Told {
    Nothing,
    Chunked,
    /// A transfer coding that does not tell the end.
    OtherCoding,
    Length(u64),
    Wrong(&'static str),
}

fn told(headers: &Headers, version: &str, trouble: &mut Vec<&'static str>) -> Told {
    let mut codings = elements(headers, "transfer-encoding").peekable();
    // Transfer-Encoding overrides Content-Length.
    if codings.peek().is_some() {
        if headers.named("content-length").next().is_some() {
            trouble.push(BOTH);
        }
        if version == "HTTP/1.0" {
            trouble.push(OLD_CODING);
        }
        let (mut chunked, mut last, mut odd) = (0, false, false);
        for coding in codings {
            last = coding.eq_ignore_ascii_case("chunked");
            chunked += u32::from(last);
            odd |= !KNOWN.iter().any(|known| coding.eq_ignore_ascii_case(known));
        }
        if odd {
            trouble.push(ODD_CODING);
        }
        if chunked > 1 {
            trouble.push(SEVERAL_CHUNKED);
        }
        return if last {
            Told::Chunked
        } else {
            Told::OtherCoding
        };
    }
    let mut length = None;
    for value in elements(headers, "content-length") {
        let Some(len) = number(value) else {
            return Told::Wrong("Content-Length is not a number (RFC 9110, section 8.6)");
        };
        match length {
            Some(other) if other != len => {
                return Told::Wrong(
                    "there are several Content-Length values (RFC 9112, section 6.3)",
                );
            }
            Some(_) => trouble.push(REPEATED),
            None => length = Some(len),
        }
    }
    length.map_or(Told::Nothing, Told::Length)
}

/// The transfer codings that are registered (RFC 9112, section 7).
const KNOWN: [&str; 7] = [
    "chunked",
    "gzip",
    "x-gzip",
    "deflate",
    "compress",
    "x-compress",
    "identity",
];

/// The elements of a list, which may stand in several fields.
fn elements<'a>(headers: &'a Headers, name: &'static str) -> impl Iterator<Item = &'a str> {
    headers
        .named(name)
        .flat_map(|value| value.split(','))
        .map(str::trim_ascii)
        .filter(|value| !value.is_empty())
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}
