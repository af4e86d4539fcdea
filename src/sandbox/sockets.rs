//! The sockets of the private network, read from the kernel by `sock_diag`:
//! who listens, whether the wire is quiet, which sockets are gone.

use std::io;
use std::net::SocketAddr;

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket as NetlinkSocket, SocketAddr as NetlinkAddr};

use crate::savefile::Protocol;

use super::netlink::{Netlink, each_message};

/// One socket as the kernel sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelSocket {
    /// Unique for the life of the machine.
    pub cookie: u64,
    pub protocol: Protocol,
    pub state: State,
    pub local: SocketAddr,
    pub remote: Option<SocketAddr>,
    /// Bytes not yet read; for a listener, connections not yet accepted.
    pub unread: u32,
    /// Bytes not yet acknowledged; for a listener, its backlog.
    pub unacknowledged: u32,
}

/// TCP states as far as they matter here (`include/net/tcp_states.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Handshake,
    Listen,
    TimeWait,
    /// UDP without a peer, a TCP socket not yet used.
    Close,
    Other,
}

impl State {
    fn from_kernel(state: u8) -> State {
        match state {
            // SYN_SENT, SYN_RECV, NEW_SYN_RECV
            2 | 3 | 12 => State::Handshake,
            6 => State::TimeWait,
            7 => State::Close,
            10 => State::Listen,
            _ => State::Other,
        }
    }
}

impl KernelSocket {
    fn read(protocol: Protocol, response: &InetResponse) -> KernelSocket {
        let header = &response.header;
        let id = &header.socket_id;
        KernelSocket {
            cookie: u64::from_ne_bytes(id.cookie),
            protocol,
            state: State::from_kernel(header.state),
            local: SocketAddr::new(id.source_address, id.source_port),
            remote: (id.destination_port != 0)
                .then(|| SocketAddr::new(id.destination_address, id.destination_port)),
            unread: header.recv_queue,
            unacknowledged: header.send_queue,
        }
    }

    /// Nothing is under way on this socket: no handshake, no connection to
    /// accept, no byte unread or unacknowledged. A FIN counts as a byte, so a
    /// delayed acknowledgement of one is waited for.
    pub fn is_quiet(&self) -> bool {
        match self.state {
            State::Handshake => false,
            State::TimeWait => true,
            State::Listen => self.unread == 0,
            State::Close | State::Other => self.unread == 0 && self.unacknowledged == 0,
        }
    }

    /// Peers can reach it: a TCP listener, or a UDP socket with a port.
    pub fn is_ready(&self) -> bool {
        match self.protocol {
            Protocol::Tcp => self.state == State::Listen,
            Protocol::Udp => self.local.port() != 0,
        }
    }
}

/// Asks the kernel for its sockets.
pub struct SocketTable {
    netlink: Netlink,
}

impl SocketTable {
    pub fn open() -> io::Result<SocketTable> {
        Ok(SocketTable {
            netlink: Netlink::open(NETLINK_SOCK_DIAG)?,
        })
    }

    /// All TCP and UDP sockets of the network, in every state.
    pub fn dump(&mut self) -> io::Result<Vec<KernelSocket>> {
        let mut sockets = Vec::new();
        for (protocol, number) in [(Protocol::Tcp, IPPROTO_TCP), (Protocol::Udp, IPPROTO_UDP)] {
            for family in [AF_INET, AF_INET6] {
                let request = InetRequest {
                    family,
                    protocol: number,
                    extensions: ExtensionFlags::empty(),
                    states: StateFlags::from_bits_retain(u32::MAX),
                    socket_id: if family == AF_INET {
                        SocketId::new_v4()
                    } else {
                        SocketId::new_v6()
                    },
                };
                self.netlink
                    .dump(SockDiagMessage::InetRequest(request), |answer| {
                        if let SockDiagMessage::InetResponse(response) = answer {
                            sockets.push(KernelSocket::read(protocol, &response));
                        }
                    })?;
            }
        }
        Ok(sockets)
    }
}

/// Multicast groups of `sock_diag` (`enum sknetlink_groups`).
const DESTROY_GROUPS: [(u32, Protocol); 4] = [
    (1, Protocol::Tcp),
    (2, Protocol::Udp),
    (3, Protocol::Tcp),
    (4, Protocol::Udp),
];

/// Bytes of messages that may wait to be read.
const OBITUARIES: usize = 16 * 1024 * 1024;

/// Hears of every socket that the kernel destroys, with its last addresses.
pub struct Obituaries {
    /// One socket for each protocol: the message does not name it.
    sockets: Vec<(Protocol, NetlinkSocket)>,
    buffer: Vec<u8>,
}

impl Obituaries {
    pub fn subscribe() -> io::Result<Obituaries> {
        let mut sockets = Vec::new();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let mut socket = NetlinkSocket::new(NETLINK_SOCK_DIAG)?;
            socket.bind(&NetlinkAddr::new(0, 0))?;
            for (group, of) in DESTROY_GROUPS {
                if of == protocol {
                    socket.add_membership(group)?;
                }
            }
            socket.set_non_blocking(true)?;
            // A program that ends with thousands of sockets makes as many
            // messages at once, and a lost one is a lost owner.
            if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, OBITUARIES).is_err()
            {
                // Only as large as the system allows everybody.
                let _ = socket.set_rx_buf_sz(OBITUARIES);
            }
            sockets.push((protocol, socket));
        }
        Ok(Obituaries {
            sockets,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// The descriptors to wait on.
    pub fn descriptors(&self) -> impl Iterator<Item = &NetlinkSocket> {
        self.sockets.iter().map(|(_, socket)| socket)
    }

    /// Gives every waiting message to `each`. An error of kind `OutOfMemory`
    /// (ENOBUFS) says that some were lost.
    pub fn read(&mut self, mut each: impl FnMut(KernelSocket)) -> io::Result<()> {
        for (protocol, socket) in &self.sockets {
            loop {
                self.buffer.clear();
                match socket.recv(&mut self.buffer, 0) {
                    Ok(_) => {
                        each_message::<SockDiagMessage>(&self.buffer, &mut |message| {
                            if let SockDiagMessage::InetResponse(response) = message {
                                each(KernelSocket::read(*protocol, &response));
                            }
                        })?;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
