//! A DNS message and its parts.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::parse::is_evident;

/// Which of the protocols that share the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Dns,
    /// Multicast DNS: the upper bit of a class is a flag.
    Mdns,
    Llmnr,
}

impl Flavour {
    /// What a datagram between these ports carries: by the port, on others by its
    /// looks, except where NetBIOS looks the same.
    pub fn of(ports: (u16, u16), bytes: &[u8]) -> Option<Flavour> {
        let by_looks = || (!may_be_netbios(ports) && is_evident(bytes)).then_some(Flavour::Dns);
        Flavour::by_port(ports).or_else(by_looks)
    }

    /// What is spoken between these ports.
    pub(super) fn by_port(ports: (u16, u16)) -> Option<Flavour> {
        [ports.1, ports.0].into_iter().find_map(|port| match port {
            53 => Some(Flavour::Dns),
            5353 => Some(Flavour::Mdns),
            5355 => Some(Flavour::Llmnr),
            _ => None,
        })
    }
}

/// The NetBIOS name service looks like DNS.
pub(super) fn may_be_netbios(ports: (u16, u16)) -> bool {
    const NETBIOS: u16 = 137;
    ports.0 == NETBIOS || ports.1 == NETBIOS
}

/// One message, as far as it could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub flavour: Flavour,
    /// `dns.id`.
    pub id: u16,
    /// `dns.flags`.
    pub flags: u16,
    /// `dns.count.queries`, `.answers`, `.auth_rr`, `.add_rr`, in an update
    /// `.zones`, `.prerequisites`, `.updates`, `.add_rr`: as the header states them.
    pub counts: [u16; 4],
    pub questions: Vec<Question>,
    pub answers: Vec<Record>,
    pub authorities: Vec<Record>,
    pub additionals: Vec<Record>,
    /// How many records there are beyond the first [`MAX_RECORDS`], or beyond those
    /// whose names and texts have room, which are not kept.
    pub left_out: usize,
    /// What is wrong with its bytes; what lies behind that was not read.
    pub malformed: Option<&'static str>,
}

/// The most records of one message that are kept, over all its sections.
pub const MAX_RECORDS: usize = 256;

impl Message {
    /// `dns.flags.response`.
    pub fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// `dns.flags.opcode`: 0 is a standard query.
    pub fn opcode(&self) -> u8 {
        (self.flags >> 11 & 0x0F) as u8
    }

    /// It changes a zone (RFC 2136). Its sections are the zone, what must hold, the
    /// changes and additional records.
    pub fn is_update(&self) -> bool {
        self.opcode() == 5
    }

    /// It asks for all records of a zone, or for what changed in it: IXFR and AXFR
    /// (RFC 1995; RFC 5936).
    pub fn asks_for_zone(&self) -> bool {
        let first = self.questions.first();
        !self.is_response() && first.is_some_and(|question| matches!(question.kind, 251 | 252))
    }

    /// LLMNR gives the bits that DNS has for authority and recursion another meaning
    /// (RFC 4795, section 2.1.1).
    fn unless_llmnr(&self, bit: u16) -> Option<bool> {
        (self.flavour != Flavour::Llmnr).then_some(self.flags & bit != 0)
    }

    /// `dns.flags.authoritative`; LLMNR has none.
    pub fn is_authoritative(&self) -> Option<bool> {
        self.unless_llmnr(0x0400)
    }

    /// `dns.flags.truncated`.
    pub fn is_truncated(&self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// `dns.flags.recdesired`; LLMNR has none.
    pub fn recursion_desired(&self) -> Option<bool> {
        self.unless_llmnr(0x0100)
    }

    /// `dns.flags.recavail`; LLMNR has none.
    pub fn recursion_available(&self) -> Option<bool> {
        self.unless_llmnr(0x0080)
    }

    /// `dns.flags.rcode`: the four bits of the header.
    pub fn rcode(&self) -> u8 {
        (self.flags & 0x0F) as u8
    }

    /// The response code with the upper bits that EDNS (RFC 6891) adds.
    pub fn extended_rcode(&self) -> u16 {
        let upper = self
            .additionals
            .iter()
            .find(|record| record.kind == OPT)
            .map_or(0, |record| record.ttl >> 24);
        (upper as u16) << 4 | u16::from(self.rcode())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// `dns.qry.name`: labels between dots, the root as `<Root>`. A dot or
    /// backslash within a label has a backslash before it, a byte that is no
    /// text is `\DDD` (RFC 1035, section 5.1).
    pub name: String,
    /// `dns.qry.type`.
    pub kind: u16,
    /// `dns.qry.class`, without the flag of multicast DNS.
    pub class: u16,
    /// `dns.qry.qu`: asked by multicast, the answer may come by unicast.
    pub unicast: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// `dns.resp.name`, spelled as [`Question::name`].
    pub name: String,
    /// `dns.resp.type`.
    pub kind: u16,
    /// `dns.resp.class`, without the flag of multicast DNS; in an OPT record
    /// the size of datagrams that are accepted.
    pub class: u16,
    /// `dns.resp.cache_flush`.
    pub cache_flush: bool,
    /// `dns.resp.ttl`, seconds; in an OPT record flags.
    pub ttl: u32,
    pub data: Data,
}

/// What a record says. Names are spelled as [`Question::name`].
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `dns.a`.
    A(Ipv4Addr),
    /// `dns.aaaa`.
    Aaaa(Ipv6Addr),
    /// `dns.cname`, `dns.ns`, `dns.ptr.domain_name`.
    Name(String),
    /// `dns.mx.preference`, `dns.mx.mail_exchange`.
    Mx { preference: u16, exchange: String },
    /// `dns.txt`: bytes that are no text as in a name.
    Txt(Vec<String>),
    /// `dns.soa.*`: names, then serial number, refresh, retry, expire and
    /// minimum time, seconds.
    Soa {
        mname: String,
        rname: String,
        numbers: [u32; 5],
    },
    /// `dns.srv.*`.
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    /// Of another type, or of a class that is not the Internet's: its length
    /// (`dns.resp.len`) and first bytes, at most [`Data::KEPT`].
    Other { len: u16, bytes: Vec<u8> },
}

impl Data {
    /// How many bytes of [`Data::Other`] are kept.
    pub const KEPT: usize = 64;
}

/// As in a zone file (RFC 1035, section 5.1, and RFC 3597), but for the dot
/// that names end with there.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::A(address) => write!(f, "{address}"),
            Data::Aaaa(address) => write!(f, "{address}"),
            Data::Name(name) => f.write_str(name),
            Data::Mx {
                preference,
                exchange,
            } => write!(f, "{preference} {exchange}"),
            Data::Txt(texts) => {
                for (index, text) in texts.iter().enumerate() {
                    let space = if index == 0 { "" } else { " " };
                    write!(f, "{space}\"{}\"", text.replace('"', "\\\""))?;
                }
                Ok(())
            }
            Data::Soa {
                mname,
                rname,
                numbers: [serial, refresh, retry, expire, minimum],
            } => write!(
                f,
                "{mname} {rname} {serial} {refresh} {retry} {expire} {minimum}"
            ),
            Data::Srv {
                priority,
                weight,
                port,
                target,
            } => write!(f, "{priority} {weight} {port} {target}"),
            Data::Other { len, bytes } => {
                write!(f, "\\# {len} ")?;
                for byte in bytes {
                    write!(f, "{byte:02x}")?;
                }
                let more = usize::from(*len) > bytes.len();
                f.write_str(if more { "\u{2026}" } else { "" })
            }
        }
    }
}

pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const SOA: u16 = 6;
pub(super) const PTR: u16 = 12;
pub(super) const MX: u16 = 15;
pub(super) const TXT: u16 = 16;
pub(super) const AAAA: u16 = 28;
pub(super) const SRV: u16 = 33;
pub(super) const DNAME: u16 = 39;
pub(super) const OPT: u16 = 41;

/// The mnemonic of a record type, as IANA registers it.
pub fn type_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        A => "A",
        NS => "NS",
        CNAME => "CNAME",
        SOA => "SOA",
        PTR => "PTR",
        13 => "HINFO",
        MX => "MX",
        TXT => "TXT",
        17 => "RP",
        18 => "AFSDB",
        24 => "SIG",
        25 => "KEY",
        AAAA => "AAAA",
        29 => "LOC",
        SRV => "SRV",
        35 => "NAPTR",
        36 => "KX",
        37 => "CERT",
        DNAME => "DNAME",
        OPT => "OPT",
        42 => "APL",
        43 => "DS",
        44 => "SSHFP",
        45 => "IPSECKEY",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        49 => "DHCID",
        50 => "NSEC3",
        51 => "NSEC3PARAM",
        52 => "TLSA",
        53 => "SMIMEA",
        55 => "HIP",
        59 => "CDS",
        60 => "CDNSKEY",
        61 => "OPENPGPKEY",
        62 => "CSYNC",
        63 => "ZONEMD",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        108 => "EUI48",
        109 => "EUI64",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        _ => return None,
    })
}

/// The mnemonic of a response code (RFC 6895).
pub fn rcode_name(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "DSOTYPENI",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        _ => return None,
    })
}
