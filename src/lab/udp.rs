//! The textbook's UDP pair. The client sends its sentence in one datagram,
//! without a newline; the server answers each datagram with the same bytes,
//! ASCII letters in upper case.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::error::{cause, tell};
use super::{Address, Announce, LabError, sentence};

/// The most that a datagram can carry, and more: a whole one always fits.
const BUFFER: usize = 65_536;

/// Answers datagrams for ever.
///
/// # Errors
/// The address cannot be used.
pub fn serve(address: &Address, announce: &Announce) -> Result<Infallible, LabError> {
    let failed = |error: &io::Error| LabError::listen(address, error);
    let socket = UdpSocket::bind(address.resolve()?).map_err(|error| failed(&error))?;
    let bound = socket.local_addr().map_err(|error| failed(&error))?;
    announce.ready(address, bound)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let answered = socket.recv_from(&mut buffer).and_then(|(length, from)| {
            let datagram = buffer.get_mut(..length).unwrap_or_default();
            datagram.make_ascii_uppercase();
            socket.send_to(datagram, from)
        });
        match answered {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                tell(format_args!(
                    "{}: one datagram was not answered: {}",
                    announce.program,
                    cause(&error)
                ));
            }
            _ => {}
        }
    }
}

/// Sends one sentence and waits for one reply, for as long as it takes: that no
/// reply ever comes is what the lab's second question is about.
///
/// With `connected` the socket is connected first; then the kernel hands an
/// ICMP error to the client, which ends with "Connection refused".
///
/// # Errors
/// No sentence, an unusable address, or (connected) a refusal.
pub fn ask(address: &Address, connected: bool) -> Result<(), LabError> {
    let server = address.resolve()?;
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let failed =
        |action: &'static str| move |error: io::Error| LabError::network(action, address, &error);
    let socket = UdpSocket::bind(any).map_err(failed("open a socket for"))?;
    if connected {
        socket.connect(server).map_err(failed("connect to"))?;
    }
    let sentence = sentence::ask()?;
    let most = longest(server);
    if sentence.len() > most {
        return Err(LabError::LongSentence(format!(
            "it has {} bytes, and one datagram carries at most {most}",
            sentence.len()
        )));
    }
    if connected {
        socket.send(&sentence)
    } else {
        socket.send_to(&sentence, server)
    }
    .map_err(failed("send to"))?;
    let mut buffer = vec![0; BUFFER];
    let length = loop {
        let received = if connected {
            socket.recv(&mut buffer)
        } else {
            socket.recv_from(&mut buffer).map(|(length, _)| length)
        };
        match received {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other.map_err(failed("receive from"))?,
        }
    };
    sentence::print(buffer.get(..length).unwrap_or_default())
}

/// The longest payload, in bytes: 65535 of the length field, less the UDP
/// header of 8 and, in IPv4, the IP header of 20 that shares its 65535.
fn longest(server: SocketAddr) -> usize {
    match server {
        SocketAddr::V4(_) => 65_535 - 20 - 8,
        SocketAddr::V6(_) => 65_535 - 8,
    }
}
