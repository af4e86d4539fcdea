//! IGMP (RFC 2236, RFC 3376) and SCTP's common header (RFC 9260).

use std::net::Ipv4Addr;

use super::fault::Fault;
use super::network::Network;
use super::{Layer, Span};

/// One IGMP message. Field names as Wireshark's `igmp.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Igmp {
    /// `igmp.type`: 0x11 query, 0x12 and 0x16 report, 0x17 leave, 0x22 report of
    /// version 3.
    pub kind: u8,
    /// `igmp.max_resp`, in tenths of a second.
    pub max_resp: u8,
    pub checksum: u16,
    /// `igmp.maddr`; None in a report of version 3, which has several.
    pub group: Option<Ipv4Addr>,
    /// The whole message.
    pub message: Span,
}

/// The kind of message that names several groups.
const REPORT_V3: u8 = 0x22;

pub fn decode(frame: &[u8], network: Network) -> Result<Igmp, Fault> {
    let bytes = network.payload.of(frame);
    let Some([kind, max_resp, c1, c0, group @ ..]) = bytes.first_chunk::<8>() else {
        return Err(Fault::short(Layer::Igmp, 8, bytes.len()));
    };
    Ok(Igmp {
        kind: *kind,
        max_resp: *max_resp,
        checksum: u16::from_be_bytes([*c1, *c0]),
        group: (*kind != REPORT_V3).then(|| Ipv4Addr::from(*group)),
        message: network.payload,
    })
}

impl Igmp {
    /// `igmp.maddr`: the group, or those of a report of version 3.
    pub fn groups<'a>(&self, frame: &'a [u8]) -> impl Iterator<Item = Ipv4Addr> + use<'a> {
        let message = self.message.of(frame);
        let mut records = match self.group {
            Some(_) => &[],
            None => message.get(8..).unwrap_or(&[]),
        };
        let mut left = message
            .get(6..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |count| u16::from_be_bytes(*count));
        let of_records = std::iter::from_fn(move || {
            let [_, aux, s1, s0, a, b, c, d] = records.first_chunk()?;
            left = left.checked_sub(1)?;
            let sources = usize::from(u16::from_be_bytes([*s1, *s0]));
            let size = 8 + 4 * (sources + usize::from(*aux));
            records = records.get(size..).unwrap_or(&[]);
            Some(Ipv4Addr::new(*a, *b, *c, *d))
        });
        self.group.into_iter().chain(of_records)
    }
}

/// SCTP's common header. Field names as Wireshark's `sctp.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sctp {
    pub src_port: u16,
    pub dst_port: u16,
    /// `sctp.verification_tag`.
    pub tag: u32,
    pub checksum: u32,
    /// The chunks.
    pub payload: Span,
}

pub fn decode_sctp(frame: &[u8], network: Network) -> Result<Sctp, Fault> {
    const HEADER: u32 = 12;
    let bytes = network.payload.of(frame);
    let Some([s1, s0, d1, d0, t3, t2, t1, t0, c3, c2, c1, c0]) = bytes.first_chunk() else {
        return Err(Fault::short(Layer::Sctp, HEADER as usize, bytes.len()));
    };
    Ok(Sctp {
        src_port: u16::from_be_bytes([*s1, *s0]),
        dst_port: u16::from_be_bytes([*d1, *d0]),
        tag: u32::from_be_bytes([*t3, *t2, *t1, *t0]),
        checksum: u32::from_be_bytes([*c3, *c2, *c1, *c0]),
        payload: network.payload.behind(HEADER),
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, IGMP_V3_REPORT, SCTP_INIT, frame};
    use crate::decode::{Transport, decode};

    #[test]
    fn a_report_of_several_groups() {
        let data = samples::bytes(IGMP_V3_REPORT.1);
        let packet = decode(&frame(IGMP_V3_REPORT.0, &data));
        let Transport::Igmp(igmp) = &packet.transport else {
            panic!("{packet:?}");
        };
        let groups: Vec<String> = igmp.groups(&data).map(|g| g.to_string()).collect();
        assert_eq!((igmp.kind, igmp.group), (0x22, None));
        assert_eq!(groups, ["239.1.1.1", "239.1.1.2"]);
    }

    #[test]
    fn sctp_ports() {
        let data = samples::bytes(SCTP_INIT.1);
        let packet = decode(&frame(SCTP_INIT.0, &data));
        let Transport::Sctp(sctp) = &packet.transport else {
            panic!("{packet:?}");
        };
        assert_eq!((sctp.src_port, sctp.dst_port), (32836, 2905));
        assert_eq!((sctp.tag, sctp.payload.len), (0, 20));
    }
}
