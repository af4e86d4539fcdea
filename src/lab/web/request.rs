//! Request heads: from bytes to what is asked, or to the status that refuses.

use super::response::{After, Status};

/// The most bytes of a request head.
pub(super) const LONGEST_HEAD: usize = 16 * 1024;
/// The most bytes of a request target (RFC 9112 asks for 8000 at least).
const LONGEST_TARGET: usize = 8 * 1024;
const MOST_FIELDS: usize = 100;

/// What the first bytes of a connection's buffer are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// Not a whole head yet.
    Incomplete,
    Request {
        request: Request,
        /// The head's length in bytes.
        head: usize,
    },
    Refused(Status),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// HEAD: the answer has no body.
    pub(super) head_only: bool,
    pub(super) target: String,
    pub(super) after: After,
    /// How much request body follows. It is read and thrown away.
    pub(super) body: u64,
}

pub(super) fn parse(buffer: &[u8]) -> Parsed {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut raw = httparse::Request::new(&mut fields);
    match raw.parse(buffer) {
        Ok(httparse::Status::Partial) if buffer.len() >= LONGEST_HEAD => {
            Parsed::Refused(too_long(buffer))
        }
        Ok(httparse::Status::Partial) => Parsed::Incomplete,
        Ok(httparse::Status::Complete(head)) if head > LONGEST_HEAD => {
            Parsed::Refused(too_long(buffer))
        }
        Ok(httparse::Status::Complete(head)) => match check(&raw) {
            Ok(request) => Parsed::Request { request, head },
            Err(status) => Parsed::Refused(status),
        },
        Err(httparse::Error::TooManyHeaders) => Parsed::Refused(Status::FieldsTooLarge),
        Err(httparse::Error::Version) if names_a_version(buffer) => {
            Parsed::Refused(Status::VersionNotSupported)
        }
        Err(_) => Parsed::Refused(Status::BadRequest),
    }
}

/// Which part of a head that is too long is to blame.
fn too_long(buffer: &[u8]) -> Status {
    match first_line(buffer) {
        Some(line) if line.len() <= LONGEST_TARGET => Status::FieldsTooLarge,
        _ => Status::UriTooLong,
    }
}

/// The first line that is not empty, if it is whole.
fn first_line(buffer: &[u8]) -> Option<&[u8]> {
    let start = buffer
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let rest = buffer.get(start..)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    rest.get(..end)
}

/// Whether the request line ends with a version of HTTP, of whatever number.
/// The line need not be whole: only the first bytes of the version are looked
/// at.
fn names_a_version(buffer: &[u8]) -> bool {
    let line = first_line(buffer).unwrap_or(buffer);
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(_), Some(_), Some(version), None) => version
            .strip_prefix(b"HTTP/")
            .and_then(|number| number.first())
            .is_some_and(u8::is_ascii_digit),
        _ => false,
    }
}

fn check(raw: &httparse::Request<'_, '_>) -> Result<Request, Status> {
    let (Some(method), Some(target), Some(version)) = (raw.method, raw.path, raw.version) else {
        return Err(Status::BadRequest);
    };
    let head_only = match method {
        "GET" => false,
        "HEAD" => true,
        "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => {
            return Err(Status::MethodNotAllowed);
        }
        _ => return Err(Status::NotImplemented),
    };
    if target.len() > LONGEST_TARGET {
        return Err(Status::UriTooLong);
    }
    let values = |name: &'static str| {
        raw.headers
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    };
    match values("Host").count() {
        1 => {}
        0 if version == 0 => {}
        _ => return Err(Status::BadRequest),
    }
    let body = content_length(values("Content-Length"))?;
    let coded = values("Transfer-Encoding").next().is_some();
    if coded && body.is_some() {
        return Err(Status::BadRequest);
    }
    let says = |word: &str| {
        values("Connection").any(|value| {
            value
                .split(|byte| *byte == b',')
                .any(|token| token.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    // A coded body's end is not looked for, and a client that waits for
    // "100 Continue" may or may not send its body: such connections end here.
    let after = if says("close") || coded || values("Expect").next().is_some() {
        After::Close
    } else if version == 1 {
        After::Open
    } else if says("keep-alive") {
        After::OpenForOld
    } else {
        After::Close
    };
    Ok(Request {
        head_only,
        target: target.to_string(),
        after,
        body: body.unwrap_or(0),
    })
}

/// The one length that all fields agree on.
fn content_length<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<u64>, Status> {
    let mut length = None;
    for value in values {
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(Status::BadRequest);
        }
        let this = std::str::from_utf8(value)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or(Status::BadRequest)?;
        match length {
            Some(other) if other != this => return Err(Status::BadRequest),
            _ => length = Some(this),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(text: &str) -> Request {
        match parse(text.as_bytes()) {
            Parsed::Request { request, head } => {
                assert_eq!(head, text.len());
                request
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn a_plain_get() {
        let asked = request("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(asked.target, "/a");
        assert!(!asked.head_only);
        assert_eq!(asked.after, After::Open);
        assert_eq!(asked.body, 0);
    }

    #[test]
    fn who_closes_follows_the_version_and_the_connection_field() {
        for (text, after) in [
            (
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n",
                After::Close,
            ),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: a, close\r\n\r\n",
                After::Close,
            ),
            ("HEAD / HTTP/1.0\r\n\r\n", After::Close),
            (
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                After::OpenForOld,
            ),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                After::Close,
            ),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
                After::Close,
            ),
        ] {
            assert_eq!(request(text).after, after, "{text}");
        }
    }

    #[test]
    fn refusals() {
        let long_target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(9000));
        let endless_line = "GET /".to_string() + &"a".repeat(LONGEST_HEAD);
        let large_field = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(LONGEST_HEAD));
        let many_fields = format!(
            "GET / HTTP/1.1\r\n{}\r\n",
            "X: y\r\n".repeat(MOST_FIELDS + 1)
        );
        for (text, status) in [
            ("GET / HTTP/2.0\r\n\r\n", Status::VersionNotSupported),
            ("GET / HTTP/1.2\r\n\r\n", Status::VersionNotSupported),
            ("GET / HTTX/1.1\r\n\r\n", Status::BadRequest),
            ("GET /\r\n\r\n", Status::BadRequest),
            ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\n\r\n", Status::BadRequest),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
                Status::BadRequest,
            ),
            ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", Status::BadRequest),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                Status::BadRequest,
            ),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                Status::BadRequest,
            ),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                Status::BadRequest,
            ),
            (
                "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
                Status::MethodNotAllowed,
            ),
            ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", Status::NotImplemented),
            (&long_target, Status::UriTooLong),
            (&endless_line, Status::UriTooLong),
            (&large_field, Status::FieldsTooLarge),
            (&many_fields, Status::FieldsTooLarge),
            ("\u{1}\u{2}\u{3}", Status::BadRequest),
        ] {
            let start: String = text.chars().take(80).collect();
            assert_eq!(parse(text.as_bytes()), Parsed::Refused(status), "{start}");
        }
    }

    #[test]
    fn every_prefix_of_a_good_head_is_incomplete() {
        let text = "GET /HelloWorld.html HTTP/1.1\r\nHost: 127.0.0.1:12000\r\n\r\n";
        for end in 0..text.len() {
            assert_eq!(
                parse(text.as_bytes().get(..end).unwrap()),
                Parsed::Incomplete,
                "{end}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }
    }
}
