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
    let (mut length, mut coding) = (None, None);
    for (name, value) in headers.iter() {
        match name.len() {
            14 if name.eq_ignore_ascii_case(CONTENT_LENGTH) => {
                length = Some(if length.is_some() {
                    Values::Several
                } else {
                    Values::One(value)
                });
            }
            17 if name.eq_ignore_ascii_case(TRANSFER_ENCODING) => coding = Some(()),
            _ => {}
        }
    }
    // Transfer-Encoding overrides Content-Length.
    if coding.is_some()
        && let Some(told) = coded(headers, version, length.is_some(), trouble)
    {
        return told;
    }
    match length {
        None => Told::Nothing,
        // Nearly every message.
        Some(Values::One(value)) if !value.is_empty() && number(value).is_some() => {
            number(value).map_or(Told::Nothing, Told::Length)
        }
        Some(_) => counted(headers, trouble),
    }
}

const CONTENT_LENGTH: &str = "content-length";
const TRANSFER_ENCODING: &str = "transfer-encoding";

enum Values<'a> {
    One(&'a str),
    Several,
}

/// By Transfer-Encoding; None: it names nothing.
fn coded(
    headers: &Headers,
    version: &str,
    with_length: bool,
    trouble: &mut Vec<&'static str>,
) -> Option<Told> {
    let (mut chunked, mut last, mut odd, mut any) = (0, false, false, false);
    for coding in elements(headers, TRANSFER_ENCODING) {
        any = true;
        last = coding.eq_ignore_ascii_case("chunked");
        chunked += u32::from(last);
        odd |= !KNOWN.iter().any(|known| coding.eq_ignore_ascii_case(known));
    }
    if !any {
        return None;
    }
    for (is_so, what) in [
        (with_length, BOTH),
        (version == "HTTP/1.0", OLD_CODING),
        (odd, ODD_CODING),
        (chunked > 1, SEVERAL_CHUNKED),
    ] {
        if is_so {
            trouble.push(what);
        }
    }
    Some(if last {
        Told::Chunked
    } else {
        Told::OtherCoding
    })
}

/// By Content-Length, where it is a list, stands in several fields, or is no
/// number.
fn counted(headers: &Headers, trouble: &mut Vec<&'static str>) -> Told {
    let mut length = None;
    for value in elements(headers, CONTENT_LENGTH) {
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
