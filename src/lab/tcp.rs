//! The textbook's TCP pair. The server is iterative: one connection after the
//! other, one sentence on each.
//!
//! The client sends its sentence and a newline. For the server a sentence ends
//! at its newline, or when the client closes its side, or, as the textbook's
//! Python client does neither, when the client has sent nothing for one second
//! after a first byte. So the reply is one run of bytes after the whole
//! sentence, however the sentence was cut into segments.
//!
//! **Who closes first** does not depend on timing: it is the server. It sends
//! the reply and its FIN; the client reads up to that FIN and then closes. The
//! server reads up to the client's FIN (for five seconds at most) before it
//! closes the socket, so no unread byte makes a kernel send RST.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::error::{cause, tell};
use super::listen::{accept, drain, listen, timed_out};
use super::{Address, Announce, LabError, sentence};

/// The silence that ends a sentence without a newline.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the server waits for the client's FIN after its own.
const LINGER: Duration = Duration::from_secs(5);

/// How long a write may wait for a client that does not read.
const STALLED: Duration = Duration::from_secs(10);

/// The most that the server keeps of one sentence: more than our client sends.
/// A longer one is answered in pieces of this size.
const LARGEST_PIECE: usize = sentence::LONGEST + 1;

/// Answers connections for ever.
///
/// # Errors
/// The address cannot be used.
pub fn serve(address: &Address, announce: &Announce) -> Result<Infallible, LabError> {
    let listener = listen(address, announce)?;
    loop {
        let mut connection = accept(&listener, announce.program);
        if let Err(error) = answer(&mut connection) {
            tell(format_args!(
                "{}: a connection failed: {}",
                announce.program,
                cause(&error)
            ));
        }
    }
}

fn answer(connection: &mut TcpStream) -> io::Result<()> {
    connection.set_write_timeout(Some(STALLED))?;
    loop {
        let piece = read_piece(connection)?;
        let mut reply = piece.bytes;
        reply.make_ascii_uppercase();
        connection.write_all(&reply)?;
        if piece.last {
            break;
        }
    }
    connection.shutdown(Shutdown::Write)?;
    drain(connection, LINGER);
    Ok(())
}

/// A sentence, or a part of one that is longer than [`LARGEST_PIECE`].
struct Piece {
    bytes: Vec<u8>,
    last: bool,
}

fn read_piece(connection: &mut TcpStream) -> io::Result<Piece> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 64 * 1024];
    connection.set_read_timeout(None)?;
    while bytes.len() < LARGEST_PIECE {
        let room = buffer.len().min(LARGEST_PIECE - bytes.len());
        let window = buffer.get_mut(..room).unwrap_or_default();
        let length = match connection.read(window) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if timed_out(&error) => 0,
            Err(error) => return Err(error),
        };
        let new = window.get(..length).unwrap_or_default();
        if let Some(newline) = new.iter().position(|byte| *byte == b'\n') {
            bytes.extend_from_slice(new.get(..=newline).unwrap_or_default());
            return Ok(Piece { bytes, last: true });
        }
        if new.is_empty() {
            return Ok(Piece { bytes, last: true });
        }
        if bytes.is_empty() {
            connection.set_read_timeout(Some(PAUSE))?;
        }
        bytes.extend_from_slice(new);
    }
    Ok(Piece { bytes, last: false })
}

/// Connects, asks for one sentence, sends it and prints the reply.
///
/// # Errors
/// A refusal, no sentence, or a connection that breaks.
pub fn ask(address: &Address) -> Result<(), LabError> {
    let failed =
        |action: &'static str| move |error: io::Error| LabError::network(action, address, &error);
    let mut connection = TcpStream::connect(address.resolve()?).map_err(failed("connect to"))?;
    let mut sentence = sentence::ask()?;
    sentence.push(b'\n');
    connection.write_all(&sentence).map_err(failed("send to"))?;
    let mut reply = Vec::new();
    // A reply is as long as its sentence; a server that never stops sending
    // must not fill the memory.
    let most = u64::try_from(2 * LARGEST_PIECE).unwrap_or(u64::MAX);
    let read = connection
        .take(most)
        .read_to_end(&mut reply)
        .map_err(failed("receive from"))?;
    if u64::try_from(read).is_ok_and(|read| read == most) {
        return Err(LabError::peer(
            address,
            format!("the reply does not end: more than {most} bytes came"),
        ));
    }
    if reply.is_empty() {
        return Err(LabError::peer(
            address,
            "the server closed the connection without a reply",
        ));
    }
    sentence::print(&reply)
}
