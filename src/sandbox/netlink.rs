//! One request to the kernel over netlink, and its answers.

use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable,
};
use netlink_sys::{Socket, SocketAddr};

/// A kernel's answer to a dump may be longer than one read; this is what one
/// read takes at most.
const BUFFER: usize = 64 * 1024;

/// A netlink socket with its buffer.
pub struct Netlink {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens a socket of one netlink protocol (`NETLINK_ROUTE`, …).
    pub fn open(protocol: isize) -> io::Result<Netlink> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Netlink {
            socket,
            buffer: Vec::with_capacity(BUFFER),
        })
    }

    /// Sends a request and waits for its acknowledgement. Other answers are
    /// given to `answer`.
    pub fn request<M>(&mut self, message: M, flags: u16, answer: impl FnMut(M)) -> io::Result<()>
    where
        M: NetlinkSerializable + NetlinkDeserializable,
    {
        self.exchange(message, NLM_F_REQUEST | NLM_F_ACK | flags, answer)
    }

    /// Sends a dump request and gives each answer to `answer`.
    pub fn dump<M>(&mut self, message: M, answer: impl FnMut(M)) -> io::Result<()>
    where
        M: NetlinkSerializable + NetlinkDeserializable,
    {
        self.exchange(message, NLM_F_REQUEST | NLM_F_DUMP, answer)
    }

    fn exchange<M>(&mut self, message: M, flags: u16, mut answer: impl FnMut(M)) -> io::Result<()>
    where
        M: NetlinkSerializable + NetlinkDeserializable,
    {
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        packet.finalize();
        let mut request = vec![0; packet.buffer_len()];
        packet.serialize(&mut request);
        self.socket.send(&request, 0)?;
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer, 0)?;
            if each_message::<M>(&self.buffer, &mut answer)? {
                return Ok(());
            }
        }
    }
}

/// Gives each message in `bytes` to `answer`; true where the exchange is over.
pub fn each_message<M: NetlinkDeserializable>(
    mut bytes: &[u8],
    answer: &mut impl FnMut(M),
) -> io::Result<bool> {
    while !bytes.is_empty() {
        let message = NetlinkMessage::<M>::deserialize(bytes)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
        // Messages are aligned to four bytes; the last may end short of it.
        let length = (message.header.length as usize).max(16).next_multiple_of(4);
        match message.payload {
            NetlinkPayload::InnerMessage(inner) => answer(inner),
            NetlinkPayload::Error(error) => {
                return match error.code {
                    None => Ok(true),
                    Some(code) => Err(io::Error::from_raw_os_error(code.get().abs())),
                };
            }
            NetlinkPayload::Done(_) => return Ok(true),
            _ => {}
        }
        bytes = bytes.get(length..).unwrap_or(&[]);
    }
    Ok(false)
}
