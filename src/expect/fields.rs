//! The registry of fields: every Wireshark field that a packet of the trace
//! can answer, with its type, its meaning and the way to its values.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::{BitOr, ControlFlow};

use super::fields_analysis as analysis;
use super::fields_carried as carried;
use super::fields_dns as dns;
use super::fields_ip as ip;
use super::fields_link as link;
use super::fields_message as message;
pub use super::fields_streamed::Streamed;
use super::fields_tls as tls;
use super::fields_transport as transport;
pub use super::fields_view::{Displayed, Facts, Http, Known, Reading, SoFar, Start, Times, View};
pub use super::message_bytes::MessageBytes;

/// The type of a field, which decides what it may be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole protocol: existence, or its bytes for `contains` and `matches`.
    Protocol,
    /// Only existence.
    Label,
    /// Unsigned, of so many bits.
    Unsigned(u8),
    /// What arithmetic gives, and numbers that may be negative.
    Signed(u8),
    /// 0 or 1.
    Bool,
    /// A span of time, written in seconds.
    Time,
    /// A moment, written as a date.
    Moment,
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
            Kind::Unsigned(_) | Kind::Signed(_) => "number",
            Kind::Bool => "boolean",
            Kind::Time => "time in seconds",
            Kind::Moment => "date and time",
            Kind::Text => "text",
            Kind::Bytes => "bytes",
            Kind::Ipv4 => "IPv4 address",
            Kind::Ipv6 => "IPv6 address",
            Kind::Ether => "hardware address",
        }
    }
}

/// One value of a field. Booleans are the numbers 0 and 1; times are
/// nanoseconds; hardware addresses are bytes; marks are empty bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue<'a> {
    Number(i128),
    Ip(IpAddr),
    Bytes(Cow<'a, [u8]>),
    /// UTF-8, mostly.
    Text(Cow<'a, [u8]>),
    /// A protocol: its header (or the whole of it, for those that end with
    /// themselves), and all bytes from its start to the frame's end.
    Layer {
        header: usize,
        bytes: &'a [u8],
    },
    /// A protocol that is a message: all of it.
    Message(MessageBytes<'a>),
}

impl<'a> FieldValue<'a> {
    pub(super) fn bytes(bytes: &'a [u8]) -> Self {
        FieldValue::Bytes(Cow::Borrowed(bytes))
    }

    pub(super) fn text(text: &'a str) -> Self {
        FieldValue::Text(Cow::Borrowed(text.as_bytes()))
    }

    pub(super) fn owned(text: String) -> Self {
        FieldValue::Text(Cow::Owned(text.into_bytes()))
    }

    /// A protocol that takes in all of `bytes`.
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        FieldValue::Layer {
            header: bytes.len(),
            bytes,
        }
    }
}

/// Takes a field's values, one after the other, until it has had enough.
pub struct Out<'a, 'o> {
    each: &'o mut dyn FnMut(FieldValue<'a>, u8) -> ControlFlow<()>,
    layer: u8,
    enough: bool,
}

impl<'a> Out<'a, '_> {
    pub(super) fn push(&mut self, value: FieldValue<'a>) {
        if !self.enough {
            self.enough = (self.each)(value, self.layer).is_break();
        }
    }

    /// What follows is of the next layer of the protocol. All is of the first
    /// until this is called.
    pub(super) fn next_layer(&mut self) {
        self.layer = self.layer.saturating_add(1);
    }

    /// A value, if there is one; says whether to go on.
    pub(super) fn give(&mut self, value: Option<FieldValue<'a>>) -> ControlFlow<()> {
        if let Some(value) = value {
            self.push(value);
        }
        self.go_on()
    }

    pub(super) fn go_on(&self) -> ControlFlow<()> {
        match self.enough {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = FieldValue<'a>>) {
        for value in values {
            self.push(value);
            if self.enough {
                return;
            }
        }
    }

    /// Values of which each is of another layer of the protocol.
    pub(super) fn layers(&mut self, values: impl IntoIterator<Item = FieldValue<'a>>) {
        for value in values {
            self.push(value);
            self.next_layer();
        }
    }
}

/// The way from a packet to a field's values.
pub type Extract = for<'a> fn(&View<'a>, &mut Out<'a, '_>);

/// What must be known of a packet so that a field has its values: a reader that
/// streams works out only what is asked for. The packet's own headers always
/// are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs(u8);

impl Needs {
    /// The packet's own headers and the capture's first time.
    pub const HEADERS: Needs = Needs(0);
    /// [`View::seen`] and [`Known::conversation`].
    pub const CONVERSATION: Needs = Needs(1);
    /// [`Known::http`].
    pub const HTTP: Needs = Needs(2 | 1);
    /// [`Http::bytes`]: the messages as they were sent.
    pub const HTTP_BYTES: Needs = Needs(32 | 2 | 1);
    /// [`crate::message::Body::bytes`]: the messages' content.
    pub const HTTP_BODIES: Needs = Needs(64 | 2 | 1);
    /// [`Known::carried`].
    pub const CARRIED: Needs = Needs(128 | 1);
    /// [`Known::ends`] and [`Known::role`].
    pub const OWNERS: Needs = Needs(4);
    /// [`Times::captured`].
    pub const CAPTURED: Needs = Needs(8);
    /// [`View::displayed`].
    pub const DISPLAYED: Needs = Needs(16);

    /// Is all of `part` needed?
    pub fn has(self, part: Needs) -> bool {
        self.0 & part.0 == part.0
    }
}

impl BitOr for Needs {
    type Output = Needs;

    fn bitor(self, other: Needs) -> Needs {
        Needs(self.0 | other.0)
    }
}

/// Which packets have the same values of a field; of a protocol, all of them or
/// none have it. Packets within tunnels, or without a conversation, are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alike {
    None,
    /// Those that are of one conversation and way, with the same owners, and of
    /// one kind besides.
    Flow,
    /// Those of one kind: with the same protocols, flags and marks.
    Kind,
}

/// A field of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// As Wireshark spells it.
    pub name: &'static str,
    pub kind: Kind,
    /// One line.
    pub meaning: &'static str,
    pub needs: Needs,
    /// Names of its values, which may stand for them in filters.
    pub names: Names,
    /// Which packets have the same values.
    pub alike: Alike,
    extract: Extract,
}

/// Values with their names, in any case of letters.
pub type Names = &'static [(&'static str, u32)];

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Field {
    /// Of headers alone.
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
            needs: Needs::HEADERS,
            names: &[],
            alike: Alike::None,
            extract,
        }
    }

    pub(super) const fn alike(self, alike: Alike) -> Field {
        Field { alike, ..self }
    }

    pub(super) const fn names(self, names: Names) -> Field {
        Field { names, ..self }
    }

    pub(super) const fn needs(self, needs: Needs) -> Field {
        Field {
            needs: Needs(self.needs.0 | needs.0),
            ..self
        }
    }

    /// Hands over the values of the field in the packet, in their order, until
    /// told to break off. Nothing where it does not exist.
    pub fn visit<'a>(
        &self,
        view: &View<'a>,
        each: &mut dyn FnMut(FieldValue<'a>) -> ControlFlow<()>,
    ) {
        self.visit_layers(view, &mut |value, _| each(value));
    }

    /// The same, with the number of each value's layer among those of its
    /// protocol, from 1.
    pub fn visit_layers<'a>(
        &self,
        view: &View<'a>,
        each: &mut dyn FnMut(FieldValue<'a>, u8) -> ControlFlow<()>,
    ) {
        let mut out = Out {
            each,
            layer: 1,
            enough: false,
        };
        (self.extract)(view, &mut out);
    }

    /// Does the packet have the field?
    pub fn is_in(&self, view: &View<'_>) -> bool {
        let mut found = false;
        self.visit(view, &mut |_| {
            found = true;
            ControlFlow::Break(())
        });
        found
    }

    /// All values of the field in the packet; none where it does not exist.
    pub fn values<'a>(&self, view: &View<'a>) -> Vec<FieldValue<'a>> {
        let mut values = Vec::new();
        self.visit(view, &mut |value| {
            values.push(value);
            ControlFlow::Continue(())
        });
        values
    }
}

const GROUPS: [&[Field]; 14] = [
    link::FRAME,
    link::LINK,
    carried::CARRIED,
    carried::NAMED,
    ip::IP,
    ip::IPV6,
    ip::ICMP,
    transport::TCP,
    analysis::ANALYSIS,
    transport::UDP,
    dns::DNS,
    tls::TLS,
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
