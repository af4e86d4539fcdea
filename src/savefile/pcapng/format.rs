//! Numbers of the format, as <https://ietf-opsawg-wg.github.io/draft-ietf-opsawg-pcap/draft-ietf-opsawg-pcapng.html>
//! names them.

pub const SECTION_HEADER: u32 = 0x0A0D_0D0A;
pub const INTERFACE_DESCRIPTION: u32 = 1;
/// Obsolete, but still found.
pub const PACKET: u32 = 2;
pub const SIMPLE_PACKET: u32 = 3;
pub const INTERFACE_STATISTICS: u32 = 5;
pub const ENHANCED_PACKET: u32 = 6;
/// A custom block that other tools may copy into new files.
pub const CUSTOM: u32 = 0x0000_0BAD;

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

/// Type and both total lengths.
pub const FRAMING: usize = 12;
/// Framing and fixed fields of an enhanced packet block.
pub const ENHANCED_PACKET_FRAMING: usize = 32;

/// A larger block is refused, as Wireshark and libpcap do.
pub const MAX_BLOCK: usize = 16 << 20;
/// Our own block may be larger: it holds the programs' output.
pub const MAX_RECORDING: usize = 64 << 20;

/// The example number of RFC 5612: a private enterprise number of our own is
/// not registered, so the magic behind it says whose block it is.
pub const RECORDING_PEN: u32 = 32473;
pub const RECORDING_MAGIC: &[u8; 28] = b"netlab-capture/recording/v1\0";

/// Bytes that fill `len` up to a multiple of four.
pub fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}
