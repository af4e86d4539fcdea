//! Numbers of the format, as <https://ietf-opsawg-wg.github.io/draft-ietf-opsawg-pcap/draft-ietf-opsawg-pcapng.html>
//! names them.

pub const SECTION_HEADER: u32 = 0x0A0D_0D0A;
pub const INTERFACE_DESCRIPTION: u32 = 1;
/// Obsolete, but still found.
pub const PACKET: u32 = 2;
pub const SIMPLE_PACKET: u32 = 3;
pub const INTERFACE_STATISTICS: u32 = 5;
pub const ENHANCED_PACKET: u32 = 6;
/// The recording's block, of a type from the range for local use. A custom
/// block (0x00000BAD) will not do: Wireshark and tshark list it among the
/// packets, as a frame of its own, and two packets would no longer be two.
pub const RECORDING: u32 = 0x8000_0BAD;

pub const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;

pub const OPT_END: u16 = 0;
pub const OPT_COMMENT: u16 = 1;
pub const SHB_USERAPPL: u16 = 4;
pub const IF_NAME: u16 = 2;
pub const IF_TSRESOL: u16 = 9;
pub const IF_TSOFFSET: u16 = 14;
pub const ISB_STARTTIME: u16 = 2;
pub const ISB_ENDTIME: u16 = 3;
pub const ISB_IFRECV: u16 = 4;
pub const ISB_IFDROP: u16 = 5;
pub const ISB_OSDROP: u16 = 7;
pub const EPB_DROPCOUNT: u16 = 4;
/// `drops_count` of an obsolete packet block that does not know it.
pub const LOST_UNKNOWN: u16 = 0xFFFF;

/// Type and both total lengths.
pub const FRAMING: usize = 12;
/// Framing and fixed fields of an enhanced packet block.
pub const ENHANCED_PACKET_FRAMING: usize = 32;
/// As above, for a packet block.
pub const PACKET_FRAMING: usize = 32;
/// As above, for a simple packet block.
pub const SIMPLE_PACKET_FRAMING: usize = 16;

/// A larger block is refused, as Wireshark and libpcap do.
pub const MAX_BLOCK: usize = 16 << 20;
/// A capture of more interfaces, over all sections, is damage: they are kept.
pub const MAX_INTERFACES: usize = 1 << 16;
/// The most bytes of comments on sections and interfaces, and of the names of these,
/// that are kept.
pub const MAX_TEXTS: usize = 1 << 20;
/// The most bytes of recording that are read, over all its blocks.
pub const MAX_RECORDING: usize = 64 << 20;

/// What the recording's block begins with. Types for local use belong to
/// nobody, so the magic says whose block it is.
pub const RECORDING_MAGIC: &[u8; 28] = b"netlab-capture/recording/v1\0";

/// Bytes that fill `len` up to a multiple of four.
pub fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}
