//! What is wrong or unknown about a frame: small plain values, so that a
//! capture full of broken frames costs no more than another.

use std::fmt;

use super::Layer;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// A header claims more bytes than there are, or forbidden values.
    Malformed { layer: Layer, reason: Reason },
    /// The frame was cut when it was captured (`cap_len < len`).
    Truncated { layer: Layer },
    /// A link type or protocol that is not decoded.
    Unknown { what: Numbering, number: u32 },
    /// What the layer carries cannot be read without a key.
    Encrypted { layer: Layer },
}

/// Why a header is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There are fewer bytes than the layer needs or claims.
    Short { needed: u32, available: u32 },
    /// The header's own length field.
    HeaderLength { claimed: u32, least: u32 },
    /// The field for the length of header and payload.
    TotalLength { claimed: u32, header: u32 },
    /// A length beyond the end of the packet around it.
    BeyondPacket { claimed: u32, available: u32 },
    /// The version in a header is not what the layer before says.
    Version { found: u8 },
    /// A fragment contradicts an earlier one of the same datagram.
    Overlap,
    /// A fragment ends beyond what a datagram can hold.
    TooLong { end: u32 },
    /// More layers of tunnels than are followed.
    TooDeep { limit: u8 },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Short { needed, available } => write!(
                f,
                "{needed} bytes are needed or claimed, {available} are there"
            ),
            Reason::HeaderLength { claimed, least } => {
                write!(f, "the header length {claimed} is less than {least} bytes")
            }
            Reason::TotalLength { claimed, header } => write!(
                f,
                "the length {claimed} is less than the header's {header} bytes"
            ),
            Reason::BeyondPacket { claimed, available } => write!(
                f,
                "the length {claimed} is more than the {available} bytes that the packet around it has"
            ),
            Reason::Version { found } => write!(f, "the header's version is {found}"),
            Reason::Overlap => f.write_str("the fragment contradicts an earlier one"),
            Reason::TooLong { end } => {
                write!(
                    f,
                    "the fragment ends at byte {end}, beyond any packet's end"
                )
            }
            Reason::TooDeep { limit } => {
                write!(f, "more than {limit} packets are inside one another")
            }
        }
    }
}

/// What a number that is not decoded counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Numbering {
    LinkType,
    EtherType,
    /// A length in the EtherType's place (IEEE 802.3).
    Length,
    /// Of BSD's null and loop.
    AddressFamily,
    IpVersion,
    PppProtocol,
    /// Of Linux cooked captures, where it is no EtherType (`sll.ltype`).
    LinuxProtocol,
}

impl Numbering {
    pub fn name(self) -> &'static str {
        match self {
            Numbering::LinkType => "link type",
            Numbering::EtherType => "EtherType",
            Numbering::Length => "802.3 frame of length",
            Numbering::AddressFamily => "address family",
            Numbering::IpVersion => "IP version",
            Numbering::PppProtocol => "PPP protocol",
            Numbering::LinuxProtocol => "Linux protocol",
        }
    }
}
