//! Numbers of the format, as <https://ietf-opsawg-wg.github.io/draft-ietf-opsawg-pcap/draft-ietf-opsawg-pcap.html>
//! and libpcap's `sf-pcap.c` have them.

pub const MAGIC_MICROSECONDS: u32 = 0xA1B2_C3D4;
pub const MAGIC_NANOSECONDS: u32 = 0xA1B2_3C4D;
/// Alexey Kuznetzov's variant: eight more bytes in each record header.
pub const MAGIC_MODIFIED: u32 = 0xA1B2_CD34;

pub const FILE_HEADER: usize = 24;
pub const RECORD_HEADER: usize = 16;
pub const MODIFIED_RECORD_HEADER: usize = 24;

pub const VERSION: (u16, u16) = (2, 4);
/// What `tcpdump` of DG/UX wrote: lengths swapped as in 2.0.
pub const DG_UX_VERSION: (u16, u16) = (543, 0);
