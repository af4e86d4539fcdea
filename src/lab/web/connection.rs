//! One connection: its requests in order, each with its answer.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::request::{Parsed, Request, parse};
use super::response::{After, Status, head};
use super::site::{Body, Found, Site};
use super::target;
use crate::lab::listen::{drain, timed_out};

/// How long the server waits for the client's FIN after its own.
const LINGER: Duration = Duration::from_secs(5);
/// A longer request body is not read to its end: the connection is closed.
const LONGEST_BODY: u64 = 64 * 1024;
const BLOCK: usize = 16 * 1024;

/// A connection and what was read from it but not yet used.
pub(super) struct Connection<'a> {
    stream: TcpStream,
    site: &'a Site,
    /// For each request head from the first wait to its end, for each body, and
    /// for each write that makes no progress.
    timeout: Duration,
    unread: Vec<u8>,
}

/// What came next.
enum Next {
    Request(Request),
    Refused(Status),
    /// The client closed, or was silent for too long between requests.
    Over,
}

impl<'a> Connection<'a> {
    pub(super) fn new(stream: TcpStream, site: &'a Site, timeout: Duration) -> Self {
        Self {
            stream,
            site,
            timeout,
            unread: Vec::new(),
        }
    }

    /// Serves the connection to its end.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn serve(mut self) -> io::Result<()> {
        self.stream.set_write_timeout(Some(self.timeout))?;
        self.stream.set_nodelay(true)?;
        loop {
            match self.next()? {
                Next::Request(request) => {
                    let whole = self.answer(&request)?;
                    if !whole || request.after == After::Close || !self.skip(request.body)? {
                        break;
                    }
                }
                Next::Refused(status) => {
                    self.refuse(status, After::Close, false)?;
                    break;
                }
                Next::Over => break,
            }
        }
        self.stream.shutdown(Shutdown::Write)?;
        drain(&mut self.stream, LINGER.min(self.timeout));
        Ok(())
    }

    fn next(&mut self) -> io::Result<Next> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match parse(&self.unread) {
                Parsed::Request { request, head } => {
                    self.unread.drain(..head.min(self.unread.len()));
                    return Ok(Next::Request(request));
                }
                Parsed::Refused(status) => return Ok(Next::Refused(status)),
                Parsed::Incomplete => {}
            }
            match self.more(deadline) {
                Ok(0) => return Ok(Next::Over),
                Ok(_) => {}
                Err(error) if timed_out(&error) && self.unread.is_empty() => {
                    return Ok(Next::Over);
                }
                Err(error) if timed_out(&error) => {
                    return Ok(Next::Refused(Status::RequestTimeout));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads some more bytes; 0 at the end of the stream.
    fn more(&mut self, deadline: Instant) -> io::Result<usize> {
        let mut block = [0; BLOCK];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut block) {
                Ok(length) => {
                    self.unread
                        .extend_from_slice(block.get(..length).unwrap_or_default());
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a request body and throws it away. False if the connection cannot
    /// go on.
    fn skip(&mut self, body: u64) -> io::Result<bool> {
        let Some(length) = usize::try_from(body).ok().filter(|_| body <= LONGEST_BODY) else {
            return Ok(false);
        };
        let deadline = Instant::now() + self.timeout;
        while self.unread.len() < length {
            match self.more(deadline) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if timed_out(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.unread.drain(..length);
        Ok(true)
    }

    /// False if the answer could not be sent whole: then the connection's end is
    /// all that tells the client.
    fn answer(&mut self, request: &Request) -> io::Result<bool> {
        let after = if request.body > LONGEST_BODY {
            After::Close
        } else {
            request.after
        };
        let found = target::names(&request.target).and_then(|names| self.site.find(&names));
        match found {
            Ok(found) => self.send(found, after, request.head_only),
            Err(status) => self.refuse(status, after, request.head_only),
        }
    }

    fn send(&mut self, found: Found, after: After, head_only: bool) -> io::Result<bool> {
        let mut bytes = head(Status::Ok, found.content_type, found.length, after).into_bytes();
        if head_only {
            self.stream.write_all(&bytes)?;
            return Ok(true);
        }
        match found.body {
            Body::Bytes(body) => {
                bytes.extend_from_slice(body);
                self.stream.write_all(&bytes)?;
                Ok(true)
            }
            Body::File(file) => self.send_file(bytes, file.take(found.length), found.length),
        }
    }

    /// The head goes out with the first block of the file, each further block by
    /// itself.
    fn send_file(
        &mut self,
        mut bytes: Vec<u8>,
        mut file: impl Read,
        length: u64,
    ) -> io::Result<bool> {
        let mut block = [0; BLOCK];
        let mut sent = 0;
        loop {
            let read = match file.read(&mut block) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            bytes.extend_from_slice(block.get(..read).unwrap_or_default());
            self.stream.write_all(&bytes)?;
            bytes.clear();
            sent += u64::try_from(read).unwrap_or(u64::MAX);
            if read == 0 || sent >= length {
                return Ok(sent == length);
            }
        }
    }

    fn refuse(&mut self, status: Status, after: After, head_only: bool) -> io::Result<bool> {
        let page = status.page();
        let length = u64::try_from(page.len()).unwrap_or(u64::MAX);
        let mut text = head(status, "text/html; charset=utf-8", length, after);
        if !head_only {
            text.push_str(&page);
        }
        self.stream.write_all(text.as_bytes())?;
        Ok(true)
    }
}
