//! TCP and UDP, and the way to ICMP.

use etherparse::{IpNumber, TcpHeaderSlice, UdpHeaderSlice, ip_number};

use super::fault::{Fault, part, span};
use super::network::{Fragment, Network};
use super::{Tcp, TcpFlags, Transport, Udp, icmp};

const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

/// Decodes what the IP packet carries.
pub fn decode(frame: &[u8], network: &Network) -> (Transport, Option<Fault>) {
    if network.fragment == Fragment::Later {
        return (Transport::Fragment, None);
    }
    let bytes = part(frame, &network.payload);
    let decoded = match IpNumber(network.protocol) {
        ip_number::TCP => tcp(bytes, network).map(|(tcp, fault)| (Transport::Tcp(tcp), fault)),
        ip_number::UDP => udp(bytes, network).map(|(udp, fault)| (Transport::Udp(udp), fault)),
        ip_number::ICMP => {
            icmp::decode_v4(frame, network).map(|icmp| (Transport::Icmp(icmp), None))
        }
        ip_number::IPV6_ICMP => {
            icmp::decode_v6(frame, network).map(|icmp| (Transport::Icmpv6(icmp), None))
        }
        _ => {
            let other = Transport::Other {
                protocol: network.protocol,
                payload: span(network.payload.clone()),
            };
            return (other, None);
        }
    };
    match decoded {
        Ok((transport, fault)) => match network.fragment {
            // What a header claims of the whole is not there: no fault.
            Fragment::First => (transport, None),
            _ => (transport, fault),
        },
        Err(_) if network.fragment == Fragment::First => (Transport::Fragment, None),
        Err(fault) => (Transport::None, Some(fault)),
    }
}

fn tcp(bytes: &[u8], network: &Network) -> Result<(Tcp, Option<Fault>), Fault> {
    let Some(fixed) = bytes.first_chunk::<TCP_HEADER>() else {
        return Err(Fault::short("tcp", TCP_HEADER, bytes.len()));
    };
    let claimed = usize::from(fixed[12] >> 4) * 4;
    let mut fault = None;
    let header_len = if claimed < TCP_HEADER {
        fault = Some(Fault::wrong(
            "tcp",
            format!("the header length {claimed} is less than {TCP_HEADER} bytes"),
        ));
        TCP_HEADER
    } else if claimed > bytes.len() {
        fault = Some(Fault::short("tcp", claimed, bytes.len()));
        bytes.len()
    } else {
        claimed
    };

    // The fixed fields are good even where the header length is not.
    let mut sound = *fixed;
    sound[12] = 0x50 | (sound[12] & 0x0F);
    let header = TcpHeaderSlice::from_slice(&sound)
        .map_err(|error| Fault::wrong("tcp", error.to_string()))?;
    let start = network.payload.start;
    let payload = match fault {
        None => start + header_len..network.payload.end,
        Some(_) => start + header_len..start + header_len,
    };
    let tcp = Tcp {
        header: span(start..start + header_len),
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: TcpFlags(u16::from_be_bytes([fixed[12] & 0x0F, fixed[13]])),
        window: header.window_size(),
        checksum: header.checksum(),
        urgent: header.urgent_pointer(),
        options: span(start + TCP_HEADER..start + header_len),
        payload: span(payload),
        len: network.claimed.saturating_sub(claimed.max(TCP_HEADER)) as u32,
    };
    Ok((tcp, fault))
}

fn udp(bytes: &[u8], network: &Network) -> Result<(Udp, Option<Fault>), Fault> {
    let header = UdpHeaderSlice::from_slice(bytes)
        .map_err(|error| Fault::short("udp", error.required_len, error.len))?;
    let start = network.payload.start;
    let (payload, fault) = udp_payload(header.length(), bytes.len(), network);
    let udp = Udp {
        header: span(start..start + UDP_HEADER),
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        length: header.length(),
        checksum: header.checksum(),
        payload: span(start + UDP_HEADER..start + UDP_HEADER + payload),
    };
    Ok((udp, fault))
}

/// How many of the `available` bytes are payload by the header's `length`, and
/// what is wrong with that length.
fn udp_payload(length: u16, available: usize, network: &Network) -> (usize, Option<Fault>) {
    let length = match usize::from(length) {
        // RFC 2675: longer than the field can say.
        0 if network.claimed > usize::from(u16::MAX) => network.claimed,
        length if length < UDP_HEADER => {
            let fault = Fault::wrong(
                "udp",
                format!("the length {length} is less than the header's {UDP_HEADER} bytes"),
            );
            return (0, Some(fault));
        }
        length => length,
    };
    let fault = (length > network.claimed).then(|| {
        Fault::wrong(
            "udp",
            format!(
                "the length {length} is more than the {} bytes that the IP packet has",
                network.claimed
            ),
        )
    });
    (length.min(available) - UDP_HEADER, fault)
}
