//! What fields are read from: one packet, and what is known around it.
//!
//! A capture that was read as a whole ([`Trace`]) knows how its conversations
//! ended; a reader that goes through a capture packet by packet knows what came
//! so far. Both implement [`Known`], and the fields are the same.

use std::ops::ControlFlow;

use crate::conversation::{At, ConversationIndex, Seen};
use crate::decode::{Icmp, Net, Outer, Packet, Quoted, Transport};
use crate::message::{self, Body, Head, Message};
use crate::savefile::{Format, Protocol, Timestamp};
use crate::trace::{Ends, Owner, Part, Trace};

use super::message_bytes::MessageBytes;

/// What a packet is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Steps and claims: the packet's own headers only. An HTTP message's
    /// fields are at the packet that completes its head.
    Own,
    /// A display filter: quoted headers count as well. An HTTP message's
    /// fields are at the packet that completes the message, as in Wireshark.
    Filter,
    /// A filter on a step's packet (`where`, `each … has`): quoted headers
    /// count, an HTTP message's fields are at the packet that completes its head.
    Where,
}

/// The times of other packets that a packet's own is measured from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Of the capture's first packet.
    pub first: Timestamp,
    /// Of the packet before in the capture; None for the first.
    pub captured: Option<Timestamp>,
}

/// What is shown of the packets before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Displayed {
    /// All of them.
    All,
    /// What the filter showed: the last one at this time. None where there is
    /// none, or where it is not known.
    Until(Option<Timestamp>),
}

/// What a conversation says of its packets, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub protocol: Protocol,
    /// `tcp.stream`, `udp.stream`.
    pub id: u32,
    /// Of its first packet.
    pub first: Timestamp,
    /// `tcp.completeness` at the conversation's end; None for UDP, and where
    /// only what came so far is known ([`crate::conversation::SeenTcp`]).
    pub completeness: Option<u8>,
}

/// An HTTP message whose fields belong to the packet.
#[derive(Clone, Copy, Debug)]
pub struct Http<'a> {
    pub start: Start<'a>,
    pub head: &'a Head,
    pub body: &'a Body,
    pub bytes: MessageBytes<'a>,
    /// Of a response: the packet that completed the request that it answers.
    pub asked: Option<At>,
}

/// The start line of an HTTP message.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    Request { method: &'a str, target: &'a str },
    Response { code: u16, phrase: &'a str },
}

/// What is known beside a packet and its conversation's verdict on it. What is
/// not known is not there: the fields have no value then.
pub trait Known {
    /// The bytes of a packet's frame.
    fn frame(&self, packet: usize) -> &[u8];

    fn times(&self, packet: usize) -> Times;

    fn conversation(&self, _index: ConversationIndex) -> Option<Facts> {
        None
    }

    /// The same of the datagram that carries the packet through a tunnel.
    fn around(&self, index: ConversationIndex) -> Option<Facts> {
        self.conversation(index)
    }

    /// Hands over the HTTP messages that belong to the packet at `packet`, until
    /// told to break off.
    fn http<'a>(
        &'a self,
        _packet: usize,
        _reading: Reading,
        _each: &mut dyn FnMut(Http<'a>) -> ControlFlow<()>,
    ) {
    }

    /// Hands over the TLS records and the DNS messages over TCP that the packet
    /// completes, until told to break off.
    fn carried<'a>(
        &'a self,
        _packet: usize,
        _each: &mut dyn FnMut(&'a message::Part) -> ControlFlow<()>,
    ) {
    }

    /// Who owns the ends of the packet.
    fn ends(&self, _packet: usize) -> Ends {
        Ends {
            from: Owner::Unknown,
            to: Owner::Unknown,
        }
    }

    /// The name of a role.
    fn role(&self, _role: usize) -> Option<&str> {
        None
    }

    /// The file's format: only pcapng numbers its interfaces.
    fn format(&self) -> Format;

    fn interface_name(&self, _interface: u32) -> Option<&str> {
        None
    }
}

/// One packet and what is known of it. What few fields need is asked for when it
/// is needed: most packets are looked at for a single field.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub packet: &'a Packet,
    /// The packet's place in the capture, from 0.
    pub index: usize,
    /// What its conversation says of it.
    pub seen: Option<&'a Seen>,
    pub displayed: Displayed,
    pub known: &'a dyn Known,
    pub reading: Reading,
}

impl<'a> View<'a> {
    /// Of a capture that was read as a whole, and is shown as a whole; None for
    /// an index out of range.
    pub fn new(trace: &'a Trace, index: usize, reading: Reading) -> Option<View<'a>> {
        Some(View {
            packet: trace.packets.get(index)?,
            index,
            seen: trace.seen.get(index),
            displayed: Displayed::All,
            known: trace,
            reading,
        })
    }

    /// The frame's bytes.
    pub fn frame(&self) -> &'a [u8] {
        self.known.frame(self.index)
    }

    pub fn times(&self) -> Times {
        self.known.times(self.index)
    }

    /// When the packet before came that is shown.
    pub(super) fn shown_before(&self) -> Option<Timestamp> {
        match self.displayed {
            Displayed::All => self.times().captured,
            Displayed::Until(time) => time,
        }
    }

    pub(super) fn conversation(&self) -> Option<Facts> {
        self.known.conversation(self.seen?.conversation?)
    }

    /// The conversation of the datagram that carries the packet through a tunnel.
    pub(super) fn tunnel(&self) -> Option<Facts> {
        self.known.around(self.seen?.tunnel?)
    }

    /// The packet quoted by an ICMP error, where quoted headers count.
    pub(super) fn quoted(&self) -> Option<&'a Quoted> {
        if self.reading == Reading::Own {
            return None;
        }
        self.packet.icmp()?.quoted.as_deref()
    }

    /// The headers around a tunnelled packet, where other headers than its own
    /// count.
    pub(super) fn outer(&self) -> &'a [Outer] {
        match self.reading {
            Reading::Own => &[],
            Reading::Filter | Reading::Where => self.packet.outer(),
        }
    }

    /// The IP headers in question, outermost first: those around the packet, its
    /// own, then a quoted one.
    pub(super) fn nets(&self) -> impl Iterator<Item = &'a Net> + use<'a> {
        let outer = self.outer().iter().map(|outer| &outer.net);
        let quoted = self.quoted().map(|q| &q.net);
        outer.chain(&self.packet.net).chain(quoted)
    }

    pub(super) fn icmp4(&self) -> Option<&'a Icmp> {
        match &self.packet.transport {
            Transport::Icmp(icmp) => Some(icmp),
            _ => None,
        }
    }

    pub(super) fn icmp6(&self) -> Option<&'a Icmp> {
        match &self.packet.transport {
            Transport::Icmpv6(icmp) => Some(icmp),
            _ => None,
        }
    }

    /// The bytes that positions in the packet point into.
    pub(super) fn data(&self) -> &'a [u8] {
        self.packet.data(self.frame())
    }

    /// The packet's bytes from `start` for `len` bytes, or as many as there are.
    pub(super) fn slice(&self, start: u32, len: usize) -> &'a [u8] {
        let rest = self.data().get(start as usize..).unwrap_or(&[]);
        rest.get(..len).unwrap_or(rest)
    }
}

impl Known for Trace {
    fn frame(&self, packet: usize) -> &[u8] {
        Trace::frame(self, packet)
    }

    fn times(&self, packet: usize) -> Times {
        let time = |i: usize| self.packets.get(i).map(|p| p.time);
        Times {
            first: time(0).unwrap_or_default(),
            captured: packet.checked_sub(1).and_then(time),
        }
    }

    fn conversation(&self, index: ConversationIndex) -> Option<Facts> {
        let conversation = self.conversations.get(index)?;
        Some(Facts {
            protocol: conversation.protocol,
            id: conversation.id,
            first: conversation.first,
            completeness: conversation.tcp.as_ref().map(|tcp| tcp.completeness),
        })
    }

    fn http<'a>(
        &'a self,
        packet: usize,
        reading: Reading,
        each: &mut dyn FnMut(Http<'a>) -> ControlFlow<()>,
    ) {
        let mut hand_over = |(message, part): (&'a Message, Part<'a>)| {
            let stream = self.stream(message.conversation, part.way(message.way));
            each(Http {
                start: match part {
                    Part::Request(request) => Start::Request {
                        method: &request.method,
                        target: &request.target,
                    },
                    Part::Response(response) => Start::Response {
                        code: response.code,
                        phrase: &response.phrase,
                    },
                },
                head: part.head(),
                body: part.body(),
                bytes: match stream {
                    Some(stream) => MessageBytes::Captured {
                        trace: self,
                        stream,
                        part,
                    },
                    None => MessageBytes::Kept {
                        sent: &[],
                        content: &[],
                    },
                },
                asked: match part {
                    Part::Request(_) => None,
                    Part::Response(_) => message.request.as_ref().map(|r| r.end),
                },
            })
        };
        let _ = match reading {
            Reading::Own | Reading::Where => self.http_heads(packet).try_for_each(&mut hand_over),
            Reading::Filter => self.http_ends(packet).try_for_each(&mut hand_over),
        };
    }

    fn carried<'a>(
        &'a self,
        packet: usize,
        each: &mut dyn FnMut(&'a message::Part) -> ControlFlow<()>,
    ) {
        let _ = Trace::carried(self, packet).try_for_each(each);
    }

    fn ends(&self, packet: usize) -> Ends {
        self.ends.get(packet).copied().unwrap_or(Ends {
            from: Owner::Unknown,
            to: Owner::Unknown,
        })
    }

    fn role(&self, role: usize) -> Option<&str> {
        self.roles.get(role).map(String::as_str)
    }

    fn format(&self) -> Format {
        self.capture.format
    }

    fn interface_name(&self, interface: u32) -> Option<&str> {
        let interfaces = &self.capture.interfaces;
        interfaces.get(interface as usize)?.name.as_deref()
    }
}

/// A capture that was read as a whole, with what was known when each packet
/// came: what `tshark -Y` sees, and the fields of a reader that streams.
#[derive(Clone, Copy, Debug)]
pub struct SoFar<'t>(pub &'t Trace);

impl Known for SoFar<'_> {
    fn frame(&self, packet: usize) -> &[u8] {
        Known::frame(self.0, packet)
    }

    fn times(&self, packet: usize) -> Times {
        Known::times(self.0, packet)
    }

    fn conversation(&self, index: ConversationIndex) -> Option<Facts> {
        let facts = Known::conversation(self.0, index)?;
        Some(Facts {
            completeness: None,
            ..facts
        })
    }

    fn http<'a>(
        &'a self,
        packet: usize,
        reading: Reading,
        each: &mut dyn FnMut(Http<'a>) -> ControlFlow<()>,
    ) {
        Known::http(self.0, packet, reading, each);
    }

    fn carried<'a>(
        &'a self,
        packet: usize,
        each: &mut dyn FnMut(&'a message::Part) -> ControlFlow<()>,
    ) {
        Known::carried(self.0, packet, each);
    }

    fn ends(&self, packet: usize) -> Ends {
        Known::ends(self.0, packet)
    }

    fn role(&self, role: usize) -> Option<&str> {
        Known::role(self.0, role)
    }

    fn format(&self) -> Format {
        Known::format(self.0)
    }

    fn interface_name(&self, interface: u32) -> Option<&str> {
        Known::interface_name(self.0, interface)
    }
}
