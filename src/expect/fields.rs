//! The registry of fields: every Wireshark field that a packet of the trace
//! can answer, with its type, its meaning and the way to its values.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::conversation::{Conversation, Seen};
use crate::decode::{Icmp, Net, Packet, Quoted, Transport};
use crate::trace::Trace;

use super::fields_ip as ip;
use super::fields_link as link;
use super::fields_message as message;
use super::fields_transport as transport;

/// The type of a field, which decides what it may be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole protocol: existence, or its bytes for `contains` and `matches`.
    Protocol,
    /// Only existence.
    Label,
    /// Unsigned, of so many bits.
    Unsigned(u8),
    /// 0 or 1.
    Bool,
    /// A moment or a span of time, written in seconds.
    Time,
    Text,
    Bytes,
    Ipv4,
    Ipv6,
    /// A hardware address, `00:11:22:33:44:55`.
    Ether,
}

impl Kind {
    /// In words, for messages and the reference.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Protocol => "protocol",
            Kind::Label => "mark without a value",
            Kind::Unsigned(_) => "number",
            Kind::Bool => "boolean",
            Kind::Time => "time in seconds",
            Kind::Text => "text",
            Kind::Bytes => "bytes",
            Kind::Ipv4 => "IPv4 address",
            Kind::Ipv6 => "IPv6 address",
            Kind::Ether => "hardware address",
        }
    }
}

/// One value of a field. Booleans are the numbers 0 and 1; times are
/// nanoseconds; text and hardware addresses are bytes; marks are empty bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue<'a> {
    Number(i128),
    Ip(IpAddr),
    Bytes(Cow<'a, [u8]>),
}

impl<'a> FieldValue<'a> {
    pub(super) fn bytes(bytes: &'a [u8]) -> Self {
        FieldValue::Bytes(Cow::Borrowed(bytes))
    }

    pub(super) fn text(text: &'a str) -> Self {
        FieldValue::Bytes(Cow::Borrowed(text.as_bytes()))
    }

    pub(super) fn owned(text: String) -> Self {
        FieldValue::Bytes(Cow::Owned(text.into_bytes()))
    }
}

/// What a packet is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One packet and what is known of it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub trace: &'a Trace,
    pub index: usize,
    pub packet: &'a Packet,
    pub frame: &'a [u8],
    pub seen: Option<&'a Seen>,
    pub reading: Reading,
}

impl<'a> View<'a> {
    /// None for an index out of range.
    pub fn new(trace: &'a Trace, index: usize, reading: Reading) -> Option<View<'a>> {
        Some(View {
            trace,
            index,
            packet: trace.packets.get(index)?,
            frame: trace.frame(index),
            seen: trace.seen.get(index),
            reading,
        })
    }

    pub(super) fn conversation(&self) -> Option<&'a Conversation> {
        let index = self.seen?.conversation?;
        self.trace.conversations.get(index)
    }

    /// The packet quoted by an ICMP error, where quoted headers count.
    pub(super) fn quoted(&self) -> Option<&'a Quoted> {
        if self.reading == Reading::Own {
            return None;
        }
        self.packet.icmp()?.quoted.as_deref()
    }

    /// The IP headers in question: the packet's own, then a quoted one.
    pub(super) fn nets(&self) -> impl Iterator<Item = &'a Net> + use<'a> {
        let quoted = self.quoted().map(|q| &q.net);
        self.packet.net.as_ref().into_iter().chain(quoted)
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

    /// The frame's bytes from `start` for `len` bytes, or as many as there are.
    pub(super) fn slice(&self, start: u32, len: usize) -> &'a [u8] {
        let rest = self.frame.get(start as usize..).unwrap_or(&[]);
        rest.get(..len).unwrap_or(rest)
    }
}

/// The way from a packet to a field's values.
pub type Extract = for<'a> fn(&View<'a>, &mut Vec<FieldValue<'a>>);

/// A field of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// As Wireshark spells it.
    pub name: &'static str,
    pub kind: Kind,
    /// One line.
    pub meaning: &'static str,
    extract: Extract,
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Field {
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        meaning: &'static str,
        extract: Extract,
    ) -> Field {
        Field {
            name,
            kind,
            meaning,
            extract,
        }
    }

    /// All values of the field in the packet; none where it does not exist.
    pub fn values<'a>(&self, view: &View<'a>) -> Vec<FieldValue<'a>> {
        let mut values = Vec::new();
        (self.extract)(view, &mut values);
        values
    }
}

const GROUPS: [&[Field]; 9] = [
    link::FRAME,
    link::LINK,
    ip::IP,
    ip::IPV6,
    ip::ICMP,
    transport::TCP,
    transport::UDP,
    message::HTTP,
    message::DATA,
];

/// Every field, grouped by protocol.
pub fn all() -> impl Iterator<Item = &'static Field> {
    GROUPS.into_iter().flatten()
}

/// The field of this name.
pub fn lookup(name: &str) -> Option<&'static Field> {
    all().find(|field| field.name == name)
}

/// Numbers of any width to the registry's.
pub(super) fn number<'a>(value: impl Into<i128>) -> FieldValue<'a> {
    FieldValue::Number(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_lower_case_and_explained() {
        let mut names = BTreeSet::new();
        for field in all() {
            assert!(names.insert(field.name), "{} twice", field.name);
            assert_eq!(field.name, field.name.to_lowercase());
            assert!(!field.meaning.is_empty() && !field.meaning.ends_with('.'));
        }
        assert!(names.len() > 120);
    }

    #[test]
    fn lookup_is_exact() {
        assert_eq!(lookup("tcp.port").map(|f| f.kind), Some(Kind::Unsigned(16)));
        assert!(lookup("TCP.port").is_none());
    }
}
