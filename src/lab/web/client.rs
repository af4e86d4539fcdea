//! Fetches one path.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::chunked;
use crate::lab::error::{cause, tell};
use crate::lab::listen::drain;
use crate::lab::sentence::visible;
use crate::lab::{Address, LabError};

const LONGEST_HEAD: u64 = 64 * 1024;
const MOST_FIELDS: usize = 100;
/// How long the client waits for the server's FIN after a whole answer.
const LINGER: Duration = Duration::from_secs(5);

/// Sends `GET path HTTP/1.1` and prints the answer: the body on stdout byte for
/// byte, the status line on stderr; with `include` the whole head on stdout
/// before the body.
///
/// Every status is an answer, 404 too: an error is only what is none.
///
/// # Errors
/// A refusal, a connection that breaks, an answer that is not HTTP/1.x or is
/// cut short.
pub fn get(address: &Address, path: &str, include: bool) -> Result<(), LabError> {
    let failed =
        |action: &'static str| move |error: io::Error| LabError::network(action, address, &error);
    let mut connection = TcpStream::connect(address.resolve()?).map_err(failed("connect to"))?;
    connection
        .write_all(request(address, path).as_bytes())
        .map_err(failed("send to"))?;
    let mut out = io::stdout().lock();
    let head = {
        let mut input = BufReader::new(&connection);
        let head = read_head(&mut input).map_err(|trouble| trouble.at(address))?;
        if include {
            out.write_all(&head.text)
                .map_err(|error| LabError::output(&error))?;
        } else {
            tell(format_args!("{}", visible(head.status_line())));
        }
        copy_body(head.framing, &mut input, &mut out).map_err(|trouble| trouble.at(address))?;
        head
    };
    out.flush().map_err(|error| LabError::output(&error))?;
    if head.framing != Framing::UntilClose {
        drain(&mut connection, LINGER);
    }
    Ok(())
}

/// The request. Bytes of the path that a request target cannot have are
/// percent-encoded.
fn request(address: &Address, path: &str) -> String {
    let mut target = String::new();
    if !path.starts_with('/') {
        target.push('/');
    }
    for byte in path.bytes() {
        if byte.is_ascii_graphic() {
            target.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(target, "%{byte:02X}");
        }
    }
    format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        address.authority()
    )
}

/// Where an answer's body ends, RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Empty,
    Length(u64),
    Chunked,
    UntilClose,
}

#[derive(Debug)]
struct Head {
    /// As it came, with the empty line.
    text: Vec<u8>,
    framing: Framing,
}

impl Head {
    fn status_line(&self) -> &[u8] {
        let line = self.text.split(|byte| *byte == b'\n').next();
        line.unwrap_or_default().trim_ascii_end()
    }
}

/// What keeps the client from its answer.
#[derive(Debug)]
enum Trouble {
    Receive(io::Error),
    Output(io::Error),
    Answer(String),
}

impl Trouble {
    fn at(self, address: &Address) -> LabError {
        match self {
            Trouble::Receive(error) => LabError::network("receive from", address, &error),
            Trouble::Output(error) => LabError::Output(cause(&error)),
            Trouble::Answer(what) => LabError::peer(address, what),
        }
    }
}

/// Reads heads up to the final one: an interim answer (1xx) is passed over.
fn read_head(input: &mut impl BufRead) -> Result<Head, Trouble> {
    // Interim answers share the limit, so that they end.
    let mut input = input.take(LONGEST_HEAD);
    loop {
        let text = read_head_text(&mut input)?;
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let wrong = |error: httparse::Error| {
            Trouble::Answer(format!("the answer is not valid HTTP: {error}"))
        };
        let parsed = response.parse(&text).map_err(wrong)?;
        let Some(code) = response.code.filter(|_| parsed.is_complete()) else {
            return Err(wrong(httparse::Error::Status));
        };
        if (100..200).contains(&code) && code != 101 {
            continue;
        }
        let framing = framing(code, response.headers).map_err(Trouble::Answer)?;
        return Ok(Head { text, framing });
    }
}

/// Lines up to the first empty one.
fn read_head_text(input: &mut io::Take<impl BufRead>) -> Result<Vec<u8>, Trouble> {
    let mut text = Vec::new();
    loop {
        let start = text.len();
        let length = input
            .read_until(b'\n', &mut text)
            .map_err(Trouble::Receive)?;
        let line = text.get(start..).unwrap_or_default();
        if line.last() != Some(&b'\n') {
            let what = if input.limit() == 0 {
                "the head of the answer is too long"
            } else if length == 0 && text.is_empty() {
                "the server closed the connection without an answer"
            } else {
                "the server closed the connection in the head of its answer"
            };
            return Err(Trouble::Answer(what.to_string()));
        }
        if start > 0 && matches!(line, b"\n" | b"\r\n") {
            return Ok(text);
        }
    }
}

fn framing(code: u16, fields: &[httparse::Header<'_>]) -> Result<Framing, String> {
    let values = |name: &'static str| {
        fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    };
    if matches!(code, 101 | 204 | 304) {
        return Ok(Framing::Empty);
    }
    if let Some(coding) = values("Transfer-Encoding").next_back() {
        let last = coding.rsplit(|byte| *byte == b',').next();
        let chunked =
            last.is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        return Ok(if chunked {
            Framing::Chunked
        } else {
            Framing::UntilClose
        });
    }
    let mut framing = Framing::UntilClose;
    for value in values("Content-Length") {
        let length = std::str::from_utf8(value)
            .ok()
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| format!("Content-Length is not a number: {}", visible(value)))?;
        if framing != Framing::UntilClose && framing != Framing::Length(length) {
            return Err("the answer has two different Content-Length fields".to_string());
        }
        framing = Framing::Length(length);
    }
    Ok(framing)
}

fn copy_body(
    framing: Framing,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> Result<(), Trouble> {
    let mut out = Output { out, failed: None };
    let copied = match framing {
        Framing::Empty => Ok(()),
        Framing::UntilClose => io::copy(input, &mut out).map(|_| ()),
        Framing::Chunked => chunked::copy(input, &mut out),
        Framing::Length(length) => {
            let copied = io::copy(&mut input.by_ref().take(length), &mut out);
            match copied {
                Ok(copied) if copied < length && out.failed.is_none() => {
                    return Err(Trouble::Answer(format!(
                        "the body was cut short: {copied} of {length} bytes came"
                    )));
                }
                other => other.map(|_| ()),
            }
        }
    };
    match (out.failed, copied) {
        (Some(error), _) => Err(Trouble::Output(error)),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Trouble::Answer("the body was cut short: its last chunk did not come".to_string())
            }
            io::ErrorKind::InvalidData => Trouble::Answer(error.to_string()),
            _ => Trouble::Receive(error),
        }),
    }
}

/// Remembers that it was writing, not reading, that failed.
struct Output<'a, W> {
    out: &'a mut W,
    failed: Option<io::Error>,
}

impl<W: Write> Output<'_, W> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed = Some(error);
            }
            kind.into()
        })
    }
}

impl<W: Write> Write for Output<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.note(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(answer: &[u8]) -> Result<(String, Vec<u8>), Trouble> {
        // One byte at a time: no answer may depend on how it is cut.
        let mut input = BufReader::with_capacity(1, answer);
        let head = read_head(&mut input)?;
        let mut body = Vec::new();
        copy_body(head.framing, &mut input, &mut body)?;
        Ok((visible(head.status_line()), body))
    }

    fn trouble(answer: &[u8]) -> String {
        match fetch(answer) {
            Err(Trouble::Answer(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bodies_by_length_in_chunks_and_until_the_close() {
        for (answer, body) in [
            (
                &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"[..],
                &b"abc"[..],
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                b"abc",
            ),
            (b"HTTP/1.1 200 OK\r\n\r\nabc\r\n\r\n", b"abc\r\n\r\n"),
            (b"HTTP/1.1 200 OK\n\nabc", b"abc"),
            (
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
                b"a",
            ),
        ] {
            let (status, got) = fetch(answer).unwrap();
            assert_eq!(status, "HTTP/1.1 200 OK");
            assert_eq!(got, body);
        }
        let (status, body) =
            fetch(b"HTTP/1.0 304 Not Modified\r\nContent-Length: 9\r\n\r\n").unwrap();
        assert_eq!(status, "HTTP/1.0 304 Not Modified");
        assert!(body.is_empty());
    }

    #[test]
    fn what_is_no_answer_is_said() {
        assert!(trouble(b"").contains("without an answer"));
        assert!(trouble(b"HTTP/1.1 200 OK\r\nConte").contains("in the head"));
        assert!(trouble(b"SSH-2.0-OpenSSH\r\n\r\n").contains("not valid HTTP"));
        assert!(trouble(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").contains("2 of 5"));
        assert!(trouble(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n").contains("not a number"));
        assert!(
            trouble(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab")
                .contains("cut")
        );
        let endless = [&b"HTTP/1.1 200 OK\r\n"[..], &b"X: y\r\n".repeat(20_000)].concat();
        assert!(trouble(&endless).contains("too long"));
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000);
        assert!(trouble(&interim).contains("too long"));
    }

    #[test]
    fn a_path_becomes_a_target() {
        let address = Address::new("::1", 12000);
        for (path, line) in [
            ("/HelloWorld.html", "GET /HelloWorld.html HTTP/1.1"),
            ("HelloWorld.html", "GET /HelloWorld.html HTTP/1.1"),
            ("/a b\r\nX: y", "GET /a%20b%0D%0AX:%20y HTTP/1.1"),
            ("/ü", "GET /%C3%BC HTTP/1.1"),
            ("/%2e%2e/x?q=1", "GET /%2e%2e/x?q=1 HTTP/1.1"),
        ] {
            let text = request(&address, path);
            assert_eq!(text.lines().next(), Some(line));
            assert!(text.contains("\r\nHost: [::1]:12000\r\n"), "{text}");
            assert!(text.ends_with("Connection: close\r\n\r\n"), "{text}");
        }
    }
}
