//! A message's content: how its end is told (RFC 9112, section 6.3), and how
//! much of it was seen.

use super::chunked;
use super::cursor::{Cursor, Taken};
use super::{Body, Framing, Head};

/// What the head says of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Length {
    None,
    Bytes(u64),
    Chunked,
    UntilClose,
    /// The head contradicts itself: why.
    Wrong(&'static str),
}

/// A request's body.
pub(super) fn of_request(head: &Head) -> Length {
    match told(head) {
        Told::Nothing => Length::None,
        Told::Chunked => Length::Chunked,
        Told::OtherCoding => {
            Length::Wrong("a request's Transfer-Encoding must end with \"chunked\"")
        }
        Told::Length(len) => Length::Bytes(len),
        Told::Wrong(why) => Length::Wrong(why),
    }
}

/// The body of a response that answers a request of this method.
pub(super) fn of_response(head: &Head, code: u16, method: Option<&str>) -> Length {
    let tunnel = method == Some("CONNECT") && (200..300).contains(&code);
    if tunnel || method == Some("HEAD") || matches!(code, 100..200 | 204 | 304) {
        return Length::None;
    }
    match told(head) {
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

fn told(head: &Head) -> Told {
    let values = |name: &'static str| {
        head.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
    };
    // Transfer-Encoding overrides Content-Length.
    if let Some(last) = values("transfer-encoding").next_back() {
        return if last.eq_ignore_ascii_case("chunked") {
            Told::Chunked
        } else {
            Told::OtherCoding
        };
    }
    let mut length = None;
    for value in values("content-length") {
        let Some(len) = number(value) else {
            return Told::Wrong("Content-Length is not a number");
        };
        if length.is_some_and(|other| other != len) {
            return Told::Wrong("there are several Content-Length values");
        }
        length = Some(len);
    }
    length.map_or(Told::Nothing, Told::Length)
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Reads a body at the cursor.
pub(super) fn read(cursor: &mut Cursor, length: &Length) -> Body {
    let start = cursor.at();
    let mut body = match length {
        Length::None => Body {
            complete: true,
            ..Body::default()
        },
        Length::Bytes(len) => {
            let taken = cursor.take(*len);
            let mut body = taken_body(cursor, &taken, Framing::ContentLength);
            let came = *len - taken.short;
            if taken.short > 0 && cursor.stream().finished && !cursor.stream().cut {
                body.trouble = Some(format!(
                    "Content-Length says {len} bytes, but the stream ends after {came}"
                ));
            }
            body
        }
        Length::Chunked => {
            let decoded = chunked::decode(cursor);
            let short = !decoded.complete && cursor.stream().finished && !cursor.stream().cut;
            let trouble = decoded
                .trouble
                .or_else(|| not_captured(decoded.missing))
                .or_else(|| short.then(|| "the stream ends before the last chunk".to_owned()));
            Body {
                bytes: decoded.bytes,
                complete: decoded.complete,
                framing: Framing::Chunked,
                trouble,
                ..Body::default()
            }
        }
        Length::UntilClose => {
            let taken = cursor.take(u64::MAX);
            let mut body = taken_body(cursor, &taken, Framing::UntilClose);
            body.complete = taken.missing == 0 && cursor.stream().finished;
            body
        }
        Length::Wrong(why) => Body {
            trouble: Some((*why).to_owned()),
            ..Body::default()
        },
    };
    if cursor.stream().cut && cursor.is_at_end() && *length != Length::None {
        body.complete = false;
        body.trouble.get_or_insert_with(|| {
            "the stream is longer than what is kept of it in memory".to_owned()
        });
    }
    body.range = start..cursor.at();
    body
}

fn taken_body(cursor: &Cursor, taken: &Taken, framing: Framing) -> Body {
    let bytes = cursor.stream().bytes.get(taken.range.clone());
    Body {
        bytes: bytes.unwrap_or(&[]).to_vec(),
        complete: taken.missing == 0 && taken.short == 0,
        framing,
        trouble: not_captured(taken.missing),
        ..Body::default()
    }
}

fn not_captured(missing: u64) -> Option<String> {
    (missing > 0).then(|| format!("{missing} bytes of the body were not captured"))
}
