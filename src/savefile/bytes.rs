//! Numbers out of bytes whose order the file states.

/// The order in which the writer of a file laid down its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The number at `at`; 0 where `bytes` ends before it: callers have
    /// checked the length of what they read.
    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let word = array(bytes, at);
        match self {
            ByteOrder::Little => u16::from_le_bytes(word),
            ByteOrder::Big => u16::from_be_bytes(word),
        }
    }

    /// As [`ByteOrder::u16`].
    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let word = array(bytes, at);
        match self {
            ByteOrder::Little => u32::from_le_bytes(word),
            ByteOrder::Big => u32::from_be_bytes(word),
        }
    }

    /// As [`ByteOrder::u16`].
    pub fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let word = array(bytes, at);
        match self {
            ByteOrder::Little => u64::from_le_bytes(word),
            ByteOrder::Big => u64::from_be_bytes(word),
        }
    }

    pub fn put_u16(self, value: u16) -> [u8; 2] {
        match self {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    pub fn put_u32(self, value: u32) -> [u8; 4] {
        match self {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}
