//! Which program owned each end of each packet.
//!
//! The recording says which sockets each program had, and when. The wire has
//! the last word, what the kernel refused, nobody owned; but for the user, who says
//! who is at an address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use crate::conversation::{Close, Conversation, Direction};
use crate::decode::{Icmp, Net, Packet, Transport};
use crate::savefile::{Protocol, Recording, Socket};

use super::{Ends, Owner, RoleAt, Trace};

/// Nanoseconds that a socket may send and receive for after its program closed
/// it, where no other socket had the port then: the kernel's last segments.
const LAST_SEGMENTS: i64 = 120_000_000_000;

/// Names of the roles, in the order of the recording's programs; `client` and
/// `server` without a recording of programs.
pub(super) fn roles(recording: Option<&Recording>) -> Vec<String> {
    match recording.filter(|r| !r.programs.is_empty()) {
        Some(recording) => recording.programs.iter().map(|p| p.role.clone()).collect(),
        None => vec!["client".to_owned(), "server".to_owned()],
    }
}

/// The ends of all packets. `named`: roles that are given by address.
pub(super) fn ends(trace: &Trace, named: &[RoleAt]) -> Vec<Ends> {
    let owners = Owners::new(trace, named);
    let connections: Vec<Option<Connection>> = trace
        .conversations
        .iter()
        .map(|conversation| owners.of_connection(conversation))
        .collect();
    let mut ends: Vec<Ends> = Vec::with_capacity(trace.packets.len());
    for index in 0..trace.packets.len() {
        let own = owners.of_packet(trace, index, &connections);
        ends.push(own);
        let Some((icmp, port_unreachable)) = trace.packets.get(index).and_then(error) else {
            continue;
        };
        // An error's ends are those of the packet it quotes, reversed.
        let quotes = trace.seen.get(index).and_then(|s| s.quotes);
        let mut quoted = match quotes.and_then(|quotes| ends.get(quotes)) {
            Some(quoted) => *quoted,
            None => owners.of_quoted(trace, index, icmp, &connections),
        };
        if port_unreachable && !owners.is_given_target(icmp) {
            quoted.to = Owner::Nobody;
            if let Some(place) = quotes.and_then(|quotes| ends.get_mut(quotes)) {
                place.to = Owner::Nobody;
            }
        }
        // It goes to who sent what it quotes (RFC 792; RFC 1122, section 3.2.2).
        let returns = trace
            .packets
            .get(index)
            .and_then(|p| p.net.as_ref())
            .map(Net::dst)
            == icmp.quoted.as_ref().map(|q| q.net.src());
        if let Some(last) = ends.last_mut() {
            *last = Ends {
                from: quoted.to,
                to: if returns {
                    quoted.from
                } else {
                    owners.otherwise.unwrap_or(Owner::Unknown)
                },
            };
        }
    }
    ends
}

/// An ICMP error, and whether it says that nobody has the port.
fn error(packet: &Packet) -> Option<(&Icmp, bool)> {
    let (icmp, port_unreachable) = match &packet.transport {
        Transport::Icmp(icmp) => (icmp, (3, 3)),
        Transport::Icmpv6(icmp) => (icmp, (1, 4)),
        _ => return None,
    };
    icmp.quoted.as_ref()?;
    Some((icmp, (icmp.kind, icmp.code) == port_unreachable))
}

/// A TCP connection's owners do not change: those at its start.
#[derive(Clone, Copy)]
struct Connection {
    client: Owner,
    server: Owner,
}

impl Connection {
    fn ends(self, way: Direction) -> Ends {
        let (from, to) = match way {
            Direction::ToServer => (self.client, self.server),
            Direction::ToClient => (self.server, self.client),
        };
        Ends { from, to }
    }
}

/// A recorded socket and its program.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    role: usize,
    socket: &'a Socket,
}

/// Which part an end plays, which tells what kind of socket owns it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The side that opened a TCP connection.
    Opener,
    /// The side that accepted it: its sockets belong to the listener's owner.
    Accepter,
    Datagrams,
}

struct Owners<'a> {
    sockets: HashMap<(Protocol, u16), Vec<Candidate<'a>>>,
    /// The ephemeral ports of each program, where it had its own.
    ephemeral: Vec<(RangeInclusive<u16>, usize)>,
    /// Whom an end without a socket belongs to. None: no recording, so who
    /// spoke first is the client.
    otherwise: Option<Owner>,
    /// What was given by address, with the role's index.
    named: Vec<(&'a RoleAt, usize)>,
    /// `client` and `server` where no recording names roles.
    implied: Connection,
}

impl<'a> Owners<'a> {
    fn new(trace: &'a Trace, named: &'a [RoleAt]) -> Owners<'a> {
        let recording = trace.recording.as_ref().filter(|r| !r.programs.is_empty());
        let mut sockets: HashMap<_, Vec<Candidate>> = HashMap::new();
        for (role, program) in recording.iter().flat_map(|r| r.programs.iter().enumerate()) {
            for socket in &program.sockets {
                sockets
                    .entry((socket.protocol, socket.local.port()))
                    .or_default()
                    .push(Candidate { role, socket });
            }
        }
        let ephemeral = recording
            .iter()
            .flat_map(|r| r.programs.iter().enumerate())
            .filter_map(|(role, program)| {
                let (first, last) = program.ephemeral_ports?;
                Some((first..=last, role))
            })
            .collect();
        let otherwise = recording.map(|recording| {
            if recording.proof.owners {
                Owner::Nobody
            } else {
                Owner::Unknown
            }
        });
        // A name that is given means what it covers, and nothing else.
        let implied = |index: usize| match trace.roles.get(index) {
            Some(role) if named.iter().any(|n| n.role == *role) => Owner::Nobody,
            _ => Owner::Role(index),
        };
        let index = |role: &str| trace.roles.iter().position(|known| known == role);
        Owners {
            sockets,
            ephemeral,
            otherwise,
            named: named
                .iter()
                .filter_map(|name| Some((name, index(&name.role)?)))
                .collect(),
            implied: Connection {
                client: implied(0),
                server: implied(1),
            },
        }
    }

    /// The role that was given for this end: by what tells most of it, and of several
    /// the first. On loopback an address covers both ends, and a port one of them.
    fn given(&self, end: SocketAddr) -> Option<Owner> {
        let covering = self.named.iter().filter(|(name, _)| name.covers(end));
        let told = |name: &RoleAt| (name.port.is_some(), name.address.is_some());
        // The last of the greatest is taken, which is the first one this way round.
        let best = covering.rev().max_by_key(|(name, _)| told(name));
        best.map(|(_, role)| Owner::Role(*role))
    }

    /// Was a role given for where the quoted packet went?
    fn is_given_target(&self, icmp: &Icmp) -> bool {
        let quoted = icmp.quoted.as_deref();
        let target = quoted.and_then(|q| Some(SocketAddr::new(q.net.dst(), q.dst_port?)));
        target.is_some_and(|target| self.given(target).is_some())
    }

    fn of_connection(&self, conversation: &Conversation) -> Option<Connection> {
        let facts = conversation.tcp.as_ref()?;
        let (client, server) = (conversation.client, conversation.server);
        let time = conversation.first.0;
        let mut connection = match self.otherwise {
            None => self.implied,
            Some(otherwise) => Connection {
                client: self
                    .find(Protocol::Tcp, Part::Opener, client, server, time)
                    .or_else(|| self.sender(client))
                    .unwrap_or(otherwise),
                server: self
                    .find(Protocol::Tcp, Part::Accepter, server, client, time)
                    .unwrap_or(otherwise),
            },
        };
        if facts.close == Close::Refused {
            connection.server = Owner::Nobody;
        }
        // Who was named by address is there, whether it refused or not.
        connection.client = self.given(client).unwrap_or(connection.client);
        connection.server = self.given(server).unwrap_or(connection.server);
        Some(connection)
    }

    /// The ends by the packet's own addresses.
    fn of_packet(&self, trace: &Trace, index: usize, connections: &[Option<Connection>]) -> Ends {
        let unknown = Ends {
            from: Owner::Unknown,
            to: Owner::Unknown,
        };
        let (Some(packet), Some(seen)) = (trace.packets.get(index), trace.seen.get(index)) else {
            return unknown;
        };
        let (Some(conversation), Some(way)) = (seen.conversation, seen.direction) else {
            return unknown;
        };
        match packet.transport {
            Transport::Tcp(_) => connections
                .get(conversation)
                .copied()
                .flatten()
                .map_or(unknown, |connection| connection.ends(way)),
            Transport::Udp(_) => packet.sockets().map_or(unknown, |(src, dst)| {
                self.of_datagram(src, dst, packet.time.0, way)
            }),
            _ => unknown,
        }
    }

    fn of_datagram(&self, src: SocketAddr, dst: SocketAddr, time: i64, way: Direction) -> Ends {
        let owner = |local, remote| self.find(Protocol::Udp, Part::Datagrams, local, remote, time);
        let ends = match self.otherwise {
            None => self.implied.ends(way),
            Some(otherwise) => Ends {
                from: owner(src, dst)
                    .or_else(|| self.sender(src))
                    .unwrap_or(otherwise),
                to: owner(dst, src).unwrap_or(otherwise),
            },
        };
        Ends {
            from: self.given(src).unwrap_or(ends.from),
            to: self.given(dst).unwrap_or(ends.to),
        }
    }

    /// The ends of a quoted packet that was not found among the captured ones.
    fn of_quoted(
        &self,
        trace: &Trace,
        index: usize,
        icmp: &Icmp,
        connections: &[Option<Connection>],
    ) -> Ends {
        let otherwise = self.otherwise.unwrap_or(Owner::Unknown);
        let strangers = Ends {
            from: otherwise,
            to: otherwise,
        };
        let (Some(quoted), Some(packet), Some(seen)) = (
            &icmp.quoted,
            trace.packets.get(index),
            trace.seen.get(index),
        ) else {
            return strangers;
        };
        let (Some(src_port), Some(dst_port)) = (quoted.src_port, quoted.dst_port) else {
            return strangers;
        };
        let (Some(conversation), Some(way)) = (seen.conversation, seen.direction) else {
            return strangers;
        };
        let way = way.opposite();
        match connections.get(conversation).copied().flatten() {
            Some(connection) => connection.ends(way),
            None => self.of_datagram(
                SocketAddr::new(quoted.net.src(), src_port),
                SocketAddr::new(quoted.net.dst(), dst_port),
                packet.time.0,
                way,
            ),
        }
    }

    /// The owner of an address that something was sent from. A socket that was
    /// used several times had several ports, and only its last is recorded.
    fn sender(&self, local: SocketAddr) -> Option<Owner> {
        self.ephemeral
            .iter()
            .find(|(ports, _)| ports.contains(&local.port()))
            .map(|(_, role)| Owner::Role(*role))
    }

    /// The owner of a local address and port at a moment.
    fn find(
        &self,
        protocol: Protocol,
        part: Part,
        local: SocketAddr,
        remote: SocketAddr,
        time: i64,
    ) -> Option<Owner> {
        let candidates = self.sockets.get(&(protocol, local.port()))?;
        candidates
            .iter()
            .filter(|c| covers_address(c.socket.local.ip(), local.ip()))
            .filter_map(|c| {
                let life = life(c.socket, time)?;
                let kind = match part {
                    Part::Opener => !c.socket.listening,
                    Part::Accepter => c.socket.listening,
                    Part::Datagrams => true,
                };
                let peer = peer(c.socket, remote);
                Some(((life, kind, peer, c.socket.opened), c.role))
            })
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, role)| Owner::Role(role))
    }
}

/// How well a socket's life fits a moment; None where it does not.
fn life(socket: &Socket, time: i64) -> Option<Life> {
    match socket.closed {
        _ if time < socket.opened => None,
        Some(closed) if time > closed => {
            // Datagrams to a closed socket are refused; segments may still be due.
            let due =
                socket.protocol == Protocol::Tcp && time.saturating_sub(closed) <= LAST_SEGMENTS;
            due.then_some(Life::Over)
        }
        _ => Some(Life::Open),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Life {
    Over,
    Open,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    /// Connected elsewhere when it was last looked at; perhaps not before.
    Other,
    Any,
    This,
}

fn peer(socket: &Socket, remote: SocketAddr) -> Peer {
    match socket.remote {
        None => Peer::Any,
        Some(peer) if peer.port() == 0 => Peer::Any,
        Some(peer)
            if peer.port() == remote.port()
                && peer.ip().to_canonical() == remote.ip().to_canonical() =>
        {
            Peer::This
        }
        Some(_) => Peer::Other,
    }
}

/// Does a socket that is bound to `bound` receive what is sent to `address`?
fn covers_address(bound: IpAddr, address: IpAddr) -> bool {
    let (bound, address) = (bound.to_canonical(), address.to_canonical());
    match bound {
        IpAddr::V4(any) if any.is_unspecified() => address.is_ipv4(),
        // Linux lets an IPv6 wildcard receive IPv4 as well.
        IpAddr::V6(any) if any.is_unspecified() => true,
        _ => bound == address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::conversation::testing::*;
    use crate::savefile::{CaptureInfo, Format, Program, Proof};

    const NOBODY: Owner = Owner::Nobody;
    const UNKNOWN: Owner = Owner::Unknown;

    fn role(index: usize) -> Owner {
        Owner::Role(index)
    }

    fn socket_of(protocol: Protocol, local: &str, life: (i64, Option<i64>)) -> Socket {
        Socket {
            protocol,
            local: socket(local),
            remote: None,
            opened: life.0 * 1000,
            closed: life.1.map(|t| t * 1000),
            listening: false,
        }
    }

    fn udp_socket(local: &str, opened: i64, closed: i64) -> Socket {
        socket_of(Protocol::Udp, local, (opened, Some(closed)))
    }

    fn tcp_socket(local: &str, opened: i64, closed: i64) -> Socket {
        socket_of(Protocol::Tcp, local, (opened, Some(closed)))
    }

    fn listener(local: &str, opened: i64, closed: i64) -> Socket {
        Socket {
            listening: true,
            ..tcp_socket(local, opened, closed)
        }
    }

    fn connected(socket: Socket, remote: &str) -> Socket {
        let remote: SocketAddr = remote.parse().unwrap();
        Socket {
            remote: Some(remote),
            ..socket
        }
    }

    fn recording(owners: bool, programs: Vec<Vec<Socket>>) -> Option<Recording> {
        let program = |(index, sockets): (usize, Vec<Socket>)| Program {
            role: format!("p{index}"),
            sockets,
            ..Program::default()
        };
        Some(Recording {
            programs: programs.into_iter().enumerate().map(program).collect(),
            proof: Proof {
                owners,
                ..Proof::default()
            },
            ..Recording::default()
        })
    }

    fn ends_of(recording: Option<Recording>, packets: Vec<Made>) -> Vec<(Owner, Owner)> {
        ends_given(recording, packets, &[])
    }

    fn ends_given(
        recording: Option<Recording>,
        mut packets: Vec<Made>,
        named: &[&str],
    ) -> Vec<(Owner, Owner)> {
        let named: Vec<RoleAt> = named.iter().map(|name| name.parse().unwrap()).collect();
        number(&mut packets);
        let (seen, tracked) = track(packets.clone());
        let trace = Trace {
            frames: Default::default(),
            packets: packets.into_iter().map(|made| made.packet).collect(),
            seen,
            ends: Vec::new(),
            conversations: tracked.conversations,
            streams: tracked.streams,
            messages: Vec::new(),
            http: Default::default(),
            carried: Vec::new(),
            roles: roles(recording.as_ref()),
            named: Vec::new(),
            capture: CaptureInfo {
                file: String::new(),
                format: Format::Pcap,
                interfaces: Vec::new(),
                compression: None,
                comments: Vec::new(),
                packets: 0,
                damage: None,
            },
            recording,
        };
        let ends = ends(&trace, &named);
        ends.iter().map(|e| (e.from, e.to)).collect()
    }

    #[test]
    fn datagrams_between_two_programs() {
        let programs = vec![
            vec![udp_socket("0.0.0.0:40000", 5, 1000)],
            vec![udp_socket("[::]:12000", 0, 1000)],
        ];
        let packets = vec![
            udp(CLIENT, SERVER, "a").at(10),
            udp(SERVER, CLIENT, "A").at(20),
            udp("127.0.0.1:50000", SERVER, "?").at(30),
        ];
        let ends = |owners| ends_of(recording(owners, programs.clone()), packets.clone());
        assert_eq!(
            ends(true),
            [(role(0), role(1)), (role(1), role(0)), (NOBODY, role(1))]
        );
        // Where not every socket is known, a stranger may be one of ours.
        assert_eq!(ends(false)[2], (UNKNOWN, role(1)));
    }

    #[test]
    fn a_port_with_one_owner_after_the_other() {
        let programs = vec![
            vec![udp_socket("127.0.0.1:40000", 0, 100)],
            vec![udp_socket("127.0.0.1:40000", 200, 300)],
            vec![udp_socket("127.0.0.1:12000", 0, 1000)],
        ];
        let at = |t| udp(CLIENT, SERVER, "x").at(t);
        let ends = ends_of(
            recording(true, programs),
            vec![at(50), at(150), at(250), at(350)],
        );
        let from: Vec<Owner> = ends.iter().map(|e| e.0).collect();
        assert_eq!(from, [role(0), NOBODY, role(1), NOBODY]);
    }

    #[test]
    fn what_is_refused_nobody_owned() {
        // The first datagram came too early, whatever the times say.
        let programs = vec![
            vec![udp_socket("127.0.0.1:40000", 0, 1000)],
            vec![udp_socket("127.0.0.1:12000", 0, 1000)],
        ];
        let early = udp(CLIENT, SERVER, "early").at(10);
        let packets = vec![
            early.clone(),
            port_unreachable(&early).at(11),
            udp(CLIENT, SERVER, "late").at(20),
            port_unreachable(&udp(CLIENT, "127.0.0.1:9", "never captured")).at(30),
            port_unreachable(&udp(CLIENT, SERVER, "not this one")).at(31),
        ];
        let recorded = ends_of(recording(true, programs), packets.clone());
        assert_eq!(
            recorded,
            [
                (role(0), NOBODY),
                (NOBODY, role(0)),
                (role(0), role(1)),
                (NOBODY, NOBODY),
                (NOBODY, role(0)),
            ]
        );
        // Without a recording the wire alone tells as much.
        let implied = ends_of(None, packets);
        assert_eq!(implied[..3], recorded[..3]);
        assert_eq!(implied[3], (NOBODY, UNKNOWN));
        assert_eq!(implied[4], (NOBODY, role(0)));
    }

    #[test]
    fn an_error_is_received_by_whom_it_was_sent_to() {
        let programs = vec![vec![udp_socket("127.0.0.1:40000", 0, 1000)]];
        let sent = udp(CLIENT, SERVER, "x").at(10);
        let mut astray = port_unreachable(&sent).at(11);
        let Some(Net::V4(ip)) = &mut astray.packet.net else {
            panic!("an IPv4 packet");
        };
        ip.dst = "127.0.0.9".parse().unwrap();
        let ends = ends_of(recording(true, programs), vec![sent, astray]);
        assert_eq!(ends, [(role(0), NOBODY), (NOBODY, NOBODY)]);
    }

    #[test]
    fn accepted_connections_belong_to_the_listener() {
        let programs = vec![
            vec![listener("[::]:12000", 0, 15)],
            // The same port at another address, later.
            vec![listener("127.0.0.2:12000", 5, 1000)],
            vec![connected(
                tcp_socket("[::ffff:127.0.0.1]:40000", 8, 30),
                SERVER,
            )],
        ];
        let packets = vec![
            tcp(CLIENT, SERVER, "S", 0, 0, "").at(10),
            tcp(SERVER, CLIENT, "SA", 0, 1, "").at(11),
            tcp(CLIENT, SERVER, "A", 1, 1, "").at(12),
            // The listener is closed, the connection lives on, and its last
            // ACK comes when the client's socket is gone.
            tcp(SERVER, CLIENT, "FA", 1, 1, "").at(25),
            tcp(CLIENT, SERVER, "FA", 1, 2, "").at(29),
            tcp(CLIENT, SERVER, "A", 2, 2, "").at(40),
        ];
        let ends = ends_of(recording(true, programs), packets);
        let (to, from) = ((role(2), role(0)), (role(0), role(2)));
        assert_eq!(ends, [to, from, to, from, to, to]);
    }

    #[test]
    fn a_refused_connection_has_nobody_at_its_servers_end() {
        let packets = vec![
            tcp(CLIENT, SERVER, "S", 0, 0, ""),
            tcp(SERVER, CLIENT, "RA", 0, 1, ""),
        ];
        let programs = vec![vec![tcp_socket("127.0.0.1:40000", 0, 100_000)]];
        let recorded = ends_of(recording(true, programs), packets.clone());
        assert_eq!(recorded, [(role(0), NOBODY), (NOBODY, role(0))]);
        assert_eq!(ends_of(None, packets), recorded);
    }

    #[test]
    fn who_is_named_by_address_is_there_though_it_refused() {
        let sent = udp(CLIENT, SERVER, "x");
        let packets = vec![
            tcp(CLIENT, SERVER, "S", 0, 0, ""),
            tcp(SERVER, CLIENT, "RA", 0, 1, ""),
            sent.clone(),
            port_unreachable(&sent),
        ];
        let (to, from) = ((role(0), role(1)), (role(1), role(0)));
        let server = format!("server={SERVER}");
        let given = ends_given(None, packets.clone(), &[&server]);
        assert_eq!(given, [to, from, to, from]);
        let other = ends_given(None, packets, &["server=10.0.0.1"]);
        assert_eq!(other[0], (role(0), NOBODY));
    }

    #[test]
    fn a_connected_socket_owns_what_comes_from_its_peer() {
        // Two programs share a port; one of them is connected.
        let programs = vec![
            vec![connected(udp_socket("127.0.0.1:12000", 0, 100), CLIENT)],
            vec![udp_socket("0.0.0.0:12000", 5, 100)],
        ];
        let packets = vec![
            udp(CLIENT, SERVER, "x").at(10),
            udp("127.0.0.1:40001", SERVER, "x").at(11),
        ];
        let to: Vec<Owner> = ends_of(recording(true, programs), packets)
            .iter()
            .map(|e| e.1)
            .collect();
        assert_eq!(to, [role(0), role(1)]);
    }

    #[test]
    fn without_a_recording_the_client_is_who_opened_or_spoke_first() {
        let ends = ends_of(
            None,
            vec![
                udp(CLIENT, SERVER, "x"),
                udp(SERVER, CLIENT, "X"),
                tcp(SERVER, CLIENT, "S", 0, 0, ""),
            ],
        );
        let (to, from) = ((role(0), role(1)), (role(1), role(0)));
        assert_eq!(ends, [to, from, to]);
        assert_eq!(roles(None), ["client", "server"]);
    }
}
