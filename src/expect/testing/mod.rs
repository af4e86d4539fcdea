//! Traces for tests, packet by packet, with real bytes in their frames.

pub mod lab;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::conversation::{
    At, Close, ConnState, Conversation, Direction, Gap, MarkCounts, Piece, Seen, SeenTcp, TcpFacts,
    Tracker, UdpFacts, Ways,
};
use crate::decode::{Icmp, Ipv4, Link, Net, Packet, Quoted, Span, Tcp, TcpFlags, Transport, Udp};
use crate::message::{Body, Framing, Head, Message, Packets, Request, Response};
use crate::savefile::{
    CaptureInfo, Ended, Exit, Format, Interface, Program, Proof, Protocol, Recording, Timestamp,
};
use crate::trace::{Ends, Frames, Owner, Trace};

pub const CLIENT: Owner = Owner::Role(0);
pub const SERVER: Owner = Owner::Role(1);
pub const NOBODY: Owner = Owner::Nobody;
pub use Direction::{ToClient, ToServer};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A trace in the making. Each packet comes a millisecond after the last.
pub struct Wire {
    pub trace: Trace,
    /// Each conversation's owners: client's, server's.
    owners: Vec<(Owner, Owner)>,
    next: Vec<Ways<u64>>,
    closed: Vec<Ways<bool>>,
    now: i64,
}

impl Wire {
    /// With the roles `client` and `server`, both programs ended well, and a
    /// complete proof.
    pub fn new() -> Wire {
        let program = |role: &str| Program {
            role: role.to_owned(),
            exit: Some(Exit::Code(0)),
            ended: Some(Ended::ByItself),
            ..Program::default()
        };
        Wire {
            trace: Trace {
                frames: Frames::default(),
                packets: Vec::new(),
                seen: Vec::new(),
                ends: Vec::new(),
                conversations: Vec::new(),
                streams: Vec::new(),
                messages: Vec::new(),
                http: Default::default(),
                carried: Vec::new(),
                roles: vec!["client".to_owned(), "server".to_owned()],
                named: Vec::new(),
                capture: CaptureInfo {
                    file: "test.pcapng".to_owned(),
                    format: Format::Pcapng,
                    interfaces: vec![Interface {
                        name: Some("lo".to_owned()),
                        link_type: 101,
                        snaplen: 0,
                        received: None,
                        dropped: None,
                        comments: Vec::new(),
                    }],
                    compression: None,
                    comments: Vec::new(),
                    packets: 0,
                    damage: None,
                },
                recording: Some(Recording {
                    programs: vec![program("client"), program("server")],
                    proof: Proof {
                        opening: true,
                        closing: true,
                        interface_counter: Some(true),
                        owners: true,
                        ..Proof::default()
                    },
                    ..Recording::default()
                }),
            },
            owners: Vec::new(),
            next: Vec::new(),
            closed: Vec::new(),
            now: 1_000_000_000_000,
        }
    }

    /// With these roles instead, in this order.
    pub fn with_roles(roles: &[String]) -> Wire {
        let mut wire = Wire::new();
        wire.trace.roles = roles.to_vec();
        wire
    }

    /// The owner that a role is.
    pub fn role(&self, name: &str) -> Owner {
        let index = self.trace.roles.iter().position(|r| r == name);
        Owner::Role(index.unwrap())
    }

    /// Reads the packets as a capture is read: by the real tracker, which sees
    /// their bytes.
    pub fn reread(mut self) -> Wire {
        let trace = &mut self.trace;
        let limits = crate::trace::LIMITS;
        let mut tracker = Tracker::<crate::trace::Keeper>::new(limits, crate::trace::KEEP);
        let mut found = Default::default();
        trace.seen.clear();
        for index in 0..trace.packets.len() {
            trace.packets[index].number = index as u64 + 1;
            let frame = trace.frame(index).to_vec();
            let seen = tracker.packet(index, &trace.packets[index], &frame, &mut found);
            trace.seen.push(seen);
        }
        tracker.close_all(&mut found);
        trace.conversations.clear();
        trace.streams.clear();
        for closed in tracker.take_closed() {
            trace.conversations.push(closed.conversation);
            trace.streams.push(closed.receiver.0);
        }
        trace.messages = found.1.messages;
        crate::trace::order(&mut trace.messages, &trace.streams);
        let present = trace.packets.len() as u64;
        self.recording().proof.captured = present;
        self
    }

    pub fn recording(&mut self) -> &mut Recording {
        self.trace.recording.as_mut().unwrap()
    }

    /// Lets time pass.
    pub fn wait(&mut self, milliseconds: i64) {
        self.now += milliseconds * 1_000_000;
    }

    /// A conversation from `client`'s port 40000 + n to `server`'s.
    pub fn flow(&mut self, protocol: Protocol, client: Owner, server: (Owner, u16)) -> usize {
        let index = self.trace.conversations.len();
        let same = |c: &&Conversation| c.protocol == protocol;
        let id = self.trace.conversations.iter().filter(same).count() as u32;
        let port = 40_000 + index as u16;
        self.trace.conversations.push(Conversation {
            protocol,
            id,
            client: SocketAddr::new(IpAddr::V4(LOOPBACK), port),
            server: SocketAddr::new(IpAddr::V4(LOOPBACK), server.1),
            first: Timestamp(self.now),
            earliest: Timestamp(self.now),
            last: Timestamp(self.now),
            first_packet: self.trace.packets.len(),
            packets: Ways::default(),
            wire_bytes: Ways::default(),
            bytes: Ways::default(),
            tcp: (protocol == Protocol::Tcp).then(|| TcpFacts {
                completeness: 0,
                state: ConnState::OTH,
                history: String::new(),
                handshake_rtt: None,
                close: Close::Open,
                marks: MarkCounts::default(),
                started_before: false,
                sides: Ways::default(),
                retransmissions: 0,
                out_of_order: 0,
                missing_bytes: 0,
                icmp_errors: 0,
            }),
            udp: (protocol == Protocol::Udp).then(UdpFacts::default),
        });
        self.trace.streams.push(Ways::default());
        self.owners.push((client, server.0));
        self.next.push(Ways::default());
        self.closed.push(Ways::default());
        index
    }

    pub fn tcp(&mut self, client: Owner, server: (Owner, u16)) -> usize {
        self.flow(Protocol::Tcp, client, server)
    }

    pub fn udp(&mut self, client: Owner, server: (Owner, u16)) -> usize {
        self.flow(Protocol::Udp, client, server)
    }

    pub fn facts(&mut self, flow: usize) -> &mut TcpFacts {
        self.trace.conversations[flow].tcp.as_mut().unwrap()
    }

    /// SYN; SYN,ACK; ACK.
    pub fn handshake(&mut self, flow: usize) {
        self.segment(flow, ToServer, TcpFlags::SYN, b"");
        self.segment(flow, ToClient, TcpFlags::SYN | TcpFlags::ACK, b"");
        let ack = self.segment(flow, ToServer, TcpFlags::ACK, b"");
        self.seen(ack).handshake_ack = true;
    }

    pub fn data(&mut self, flow: usize, way: Direction, bytes: &[u8]) -> usize {
        self.segment(flow, way, TcpFlags::ACK | TcpFlags::PSH, bytes)
    }

    pub fn ack(&mut self, flow: usize, way: Direction) -> usize {
        self.segment(flow, way, TcpFlags::ACK, b"")
    }

    pub fn fin(&mut self, flow: usize, way: Direction) -> usize {
        self.segment(flow, way, TcpFlags::FIN | TcpFlags::ACK, b"")
    }

    pub fn rst(&mut self, flow: usize, way: Direction) -> usize {
        self.segment(flow, way, TcpFlags::RST | TcpFlags::ACK, b"")
    }

    pub fn seen(&mut self, packet: usize) -> &mut SeenTcp {
        self.trace.seen[packet].tcp.as_mut().unwrap()
    }

    /// A segment; its payload is new to the stream.
    pub fn segment(&mut self, flow: usize, way: Direction, flags: u16, payload: &[u8]) -> usize {
        let index = self.trace.packets.len();
        let start = *self.next[flow].get(way);
        let end = start + payload.len() as u64;
        *self.next[flow].get_mut(way) = end;
        let seen = SeenTcp {
            new_bytes: (!payload.is_empty()).then_some(start..end),
            new_fin: flags & TcpFlags::FIN != 0,
            ..SeenTcp::default()
        };
        if !payload.is_empty() {
            let stream = self.trace.streams[flow].get_mut(way);
            stream.pieces.push(Piece {
                at: stream.len(),
                packet: index,
                len: payload.len() as u32,
                skip: 0,
            });
        }
        let (src_port, dst_port) = self.ports(flow, way);
        // Both sides begin at 1000; a SYN and a FIN take a number each.
        let seq = if flags & TcpFlags::SYN != 0 {
            1000
        } else {
            1001 + start as u32
        };
        let ack = if flags & TcpFlags::ACK != 0 {
            let fins = u32::from(*self.closed[flow].get(way.opposite()));
            1001 + *self.next[flow].get(way.opposite()) as u32 + fins
        } else {
            0
        };
        *self.closed[flow].get_mut(way) |= flags & TcpFlags::FIN != 0;
        let mut header = Vec::new();
        header.extend_from_slice(&src_port.to_be_bytes());
        header.extend_from_slice(&dst_port.to_be_bytes());
        header.extend_from_slice(&seq.to_be_bytes());
        header.extend_from_slice(&ack.to_be_bytes());
        header.extend_from_slice(&(0x5000 | flags).to_be_bytes());
        header.extend_from_slice(&[0xff, 0xff, 0, 0, 0, 0]);
        let transport = Transport::Tcp(Tcp {
            header: Span { start: 20, len: 20 },
            src_port,
            dst_port,
            seq,
            ack,
            flags: TcpFlags(flags),
            window: 0xffff,
            checksum: 0,
            urgent: 0,
            payload: Span {
                start: 40,
                len: payload.len() as u32,
            },
            len: payload.len() as u32,
        });
        self.push(flow, way, 6, &[&header, payload], transport, Some(seen))
    }

    pub fn datagram(&mut self, flow: usize, way: Direction, payload: &[u8]) -> usize {
        let (src_port, dst_port) = self.ports(flow, way);
        let length = 8 + payload.len() as u16;
        let header: Vec<u8> = [src_port, dst_port, length, 0]
            .iter()
            .flat_map(|n| n.to_be_bytes())
            .collect();
        let transport = Transport::Udp(Udp {
            header: Span { start: 20, len: 8 },
            src_port,
            dst_port,
            length,
            checksum: 0,
            payload: Span {
                start: 28,
                len: payload.len() as u32,
            },
        });
        self.push(flow, way, 17, &[&header, payload], transport, None)
    }

    /// ICMP destination unreachable with this code, about a datagram or segment.
    pub fn unreachable(&mut self, flow: usize, about: usize, code: u8) -> usize {
        let way = self.trace.seen[about].direction.unwrap().opposite();
        let (to, from) = self.trace.packets[about].ports().unwrap();
        let quoted = self.trace.packets[about].net.unwrap();
        let protocol = match quoted {
            Net::V4(ip) => ip.protocol,
            Net::V6(ip) => ip.protocol,
        };
        let transport = Transport::Icmp(Icmp {
            kind: 3,
            code,
            checksum: 0,
            rest: [0; 4],
            payload: Span::default(),
            quoted: Some(Box::new(Quoted {
                undelivered: true,
                net: quoted,
                protocol,
                src_port: Some(to),
                dst_port: Some(from),
                seq: None,
                udp_length: None,
                payload: Span::default(),
            })),
        });
        let header = [3, code, 0, 0, 0, 0, 0, 0];
        let index = self.push(flow, way, 1, &[&header], transport, None);
        self.trace.seen[index].quotes = Some(about);
        index
    }

    /// A request or response in one segment: start line, headers, body.
    pub fn http(&mut self, flow: usize, way: Direction, head: &str, body: &[u8]) -> usize {
        let at = self.trace.streams[flow].get(way).len();
        let text = format!("{head}\r\n\r\n");
        let packet = self.data(flow, way, &[text.as_bytes(), body].concat());
        let mut lines = head.split("\r\n");
        let start: Vec<&str> = lines.next().unwrap().splitn(3, ' ').collect();
        let by = At {
            packet,
            time: self.trace.packets[packet].time,
        };
        let head = Head {
            version: "HTTP/1.1",
            headers: lines.filter_map(|l| l.split_once(": ")).collect(),
            range: at..at + text.len(),
            packet,
            time: by.time,
            trouble: Vec::new(),
        };
        let body = Body {
            len: body.len() as u64,
            complete: true,
            range: at + text.len()..at + text.len() + body.len(),
            framing: Framing::ContentLength,
            ..Body::default()
        };
        if way == ToServer {
            self.trace.messages.push(Message {
                conversation: flow,
                way: ToServer,
                packets: Packets::default(),
                switches_to: None,
                no_response: None,
                given_up: false,
                request: Some(Request {
                    method: start[0].to_owned(),
                    target: start[1].to_owned(),
                    head,
                    body,
                    first: by,
                    end: by,
                }),
                response: None,
                interim: Vec::new(),
            });
        } else {
            let response = Response {
                code: start[1].parse().unwrap(),
                phrase: start[2].to_owned(),
                head,
                body,
                first: by,
                end: by,
            };
            self.trace.messages.last_mut().unwrap().response = Some(response);
        }
        packet
    }

    /// A hole in a stream before its next byte.
    pub fn gap(&mut self, flow: usize, way: Direction, missing: u64) {
        let stream = self.trace.streams[flow].get_mut(way);
        stream.gaps.push(Gap {
            at: stream.len(),
            missing,
        });
        *self.next[flow].get_mut(way) += missing;
    }

    fn ports(&self, flow: usize, way: Direction) -> (u16, u16) {
        let c = &self.trace.conversations[flow];
        match way {
            ToServer => (c.client.port(), c.server.port()),
            ToClient => (c.server.port(), c.client.port()),
        }
    }

    fn push(
        &mut self,
        flow: usize,
        way: Direction,
        protocol: u8,
        payload: &[&[u8]],
        transport: Transport,
        tcp: Option<SeenTcp>,
    ) -> usize {
        self.now += 1_000_000;
        let index = self.trace.packets.len();
        let total = 20 + payload.iter().map(|p| p.len()).sum::<usize>() as u16;
        let mut ip = vec![0x45, 0];
        ip.extend_from_slice(&total.to_be_bytes());
        ip.extend_from_slice(&[0, 0, 0x40, 0, 64, protocol, 0, 0]);
        ip.extend_from_slice(&LOOPBACK.octets());
        ip.extend_from_slice(&LOOPBACK.octets());
        let frame = [&[ip.as_slice()], payload].concat().concat();
        self.trace.frames.push(&frame, None);
        if let Some(recording) = &mut self.trace.recording {
            recording.proof.captured += 1;
        }
        self.trace.packets.push(Packet {
            number: index as u64 + 1,
            time: Timestamp(self.now),
            len: u32::from(total),
            cap_len: u32::from(total),
            interface: 0,
            link: Link::Raw,
            net: Some(Net::V4(Ipv4 {
                header: Span { start: 0, len: 20 },
                dscp: 0,
                ecn: 0,
                total_len: total,
                id: 0,
                dont_fragment: true,
                more_fragments: false,
                fragment_offset: 0,
                ttl: 64,
                protocol,
                checksum: 0,
                src: LOOPBACK,
                dst: LOOPBACK,
            })),
            transport,
            ..Packet::default()
        });
        self.trace.seen.push(Seen {
            conversation: Some(flow),
            direction: Some(way),
            quotes: None,
            tunnel: None,
            tunnel_delta: None,
            udp_delta: None,
            tcp,
        });
        let (client, server) = self.owners[flow];
        self.trace.ends.push(match way {
            ToServer => Ends {
                from: client,
                to: server,
            },
            ToClient => Ends {
                from: server,
                to: client,
            },
        });
        let conversation = &mut self.trace.conversations[flow];
        conversation.last = Timestamp(self.now);
        *conversation.packets.get_mut(way) += 1;
        self.trace.capture.packets += 1;
        index
    }
}
