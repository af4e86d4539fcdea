//! What can make reading or rewriting a capture file impossible. Damage inside
//! a file is no error: see [`super::Damage`].

use std::io;

use thiserror::Error;

#[derive(Debug, Error)]
pub enum SavefileError {
    #[error("{name}: {error}")]
    Io { name: String, error: io::Error },
    /// The first bytes belong to no capture format.
    #[error("{name} is no capture file (pcap or pcapng): {found}")]
    NotACapture { name: String, found: String },
    /// A capture format, but a version or variant that cannot be read.
    #[error("{name} cannot be read: {reason}")]
    Unsupported { name: String, reason: String },
    /// A capture file that is cut off or corrupt before its first packet.
    #[error("{name} cannot be read: {reason}")]
    Damaged { name: String, reason: String },
    /// Only pcapng has a place for packet comments.
    #[error("packet comments need a pcapng file; {found}")]
    NoComments { found: String },
    /// Wireshark refuses the block that the comments of one packet would make.
    #[error("frame {frame}: its comments are longer than a pcapng block may be")]
    CommentsTooLong { frame: u64 },
}
