//! The options of a TCP header.

use super::{Span, Tcp};

/// One TCP option. Field names as Wireshark's `tcp.options.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// Kind 0. What follows is padding.
    EndOfList,
    /// Kind 1.
    NoOperation,
    /// Kind 2: `tcp.options.mss_val`.
    MaximumSegmentSize(u16),
    /// Kind 3: `tcp.options.wscale.shift`.
    WindowScale(u8),
    /// Kind 4.
    SackPermitted,
    /// Kind 5: left and right edge of each block.
    Sack([Option<(u32, u32)>; 4]),
    /// Kind 8: `tcp.options.timestamp.tsval` and `tcp.options.timestamp.tsecr`.
    Timestamps { value: u32, echo_reply: u32 },
    /// Another kind, or one of these with a length that is not its own. `data`
    /// is what follows kind and length.
    Unknown { kind: u8, data: Span },
    /// An option that claims more bytes than the header has, or fewer than two.
    /// It is the last.
    Malformed { kind: u8 },
}

impl TcpOption {
    /// `tcp.option_kind`.
    pub fn kind(&self) -> u8 {
        match self {
            TcpOption::EndOfList => 0,
            TcpOption::NoOperation => 1,
            TcpOption::MaximumSegmentSize(_) => 2,
            TcpOption::WindowScale(_) => 3,
            TcpOption::SackPermitted => 4,
            TcpOption::Sack(_) => 5,
            TcpOption::Timestamps { .. } => 8,
            TcpOption::Unknown { kind, .. } | TcpOption::Malformed { kind } => *kind,
        }
    }
}

impl Tcp {
    /// `tcp.hdr_len` as the header has it, though it be wrong: [`Tcp::header`] lies
    /// within the packet.
    pub fn claimed_header_len(&self, frame: &[u8]) -> u32 {
        const DATA_OFFSET: usize = 12;
        let offset = self.header.of(frame).get(DATA_OFFSET);
        offset.map_or(self.header.len, |byte| u32::from(byte >> 4) * 4)
    }

    /// Where the options lie (`tcp.options`).
    pub fn options_span(&self) -> Span {
        const FIXED: u32 = 20;
        Span {
            start: self.header.start + FIXED,
            len: self.header.len.saturating_sub(FIXED),
        }
    }

    /// The options in the order of the header. `frame` is the frame that this
    /// segment was decoded from.
    pub fn options<'a>(&self, frame: &'a [u8]) -> TcpOptions<'a> {
        let span = self.options_span();
        TcpOptions {
            start: span.start,
            rest: span.of(frame),
        }
    }
}

/// Walks the options of one header.
#[derive(Clone, Debug)]
pub struct TcpOptions<'a> {
    /// Where in the frame `rest` begins.
    start: u32,
    rest: &'a [u8],
}

impl TcpOptions<'_> {
    fn step(&mut self, size: usize) {
        self.rest = self.rest.get(size..).unwrap_or(&[]);
        self.start += size as u32;
    }
}

impl Iterator for TcpOptions<'_> {
    type Item = TcpOption;

    fn next(&mut self) -> Option<TcpOption> {
        let kind = *self.rest.first()?;
        if kind == 0 {
            self.rest = &[];
            return Some(TcpOption::EndOfList);
        }
        if kind == 1 {
            self.step(1);
            return Some(TcpOption::NoOperation);
        }
        let size = self.rest.get(1).map_or(0, |len| usize::from(*len));
        let Some(data) = self.rest.get(2..size) else {
            self.rest = &[];
            return Some(TcpOption::Malformed { kind });
        };
        let span = Span {
            start: self.start + 2,
            len: data.len() as u32,
        };
        let option = known(kind, data).unwrap_or(TcpOption::Unknown { kind, data: span });
        self.step(size);
        Some(option)
    }
}

/// The option's meaning, where its kind is known and its length is right.
fn known(kind: u8, data: &[u8]) -> Option<TcpOption> {
    match (kind, data) {
        (2, [high, low]) => Some(TcpOption::MaximumSegmentSize(u16::from_be_bytes([
            *high, *low,
        ]))),
        (3, [shift]) => Some(TcpOption::WindowScale(*shift)),
        (4, []) => Some(TcpOption::SackPermitted),
        (5, edges) if !edges.is_empty() && edges.len() % 8 == 0 && edges.len() <= 32 => {
            let mut blocks = [None; 4];
            for (block, edges) in blocks.iter_mut().zip(edges.chunks_exact(8)) {
                *block = pair(edges);
            }
            Some(TcpOption::Sack(blocks))
        }
        (8, words) if words.len() == 8 => {
            pair(words).map(|(value, echo_reply)| TcpOption::Timestamps { value, echo_reply })
        }
        _ => None,
    }
}

/// Two numbers of 32 bits.
fn pair(bytes: &[u8]) -> Option<(u32, u32)> {
    let (first, rest) = bytes.split_first_chunk()?;
    let second = rest.first_chunk()?;
    Some((u32::from_be_bytes(*first), u32::from_be_bytes(*second)))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, SACK, frame};
    use super::*;
    use crate::decode::decode;

    fn options(bytes: &[u8]) -> Vec<TcpOption> {
        TcpOptions {
            start: 100,
            rest: bytes,
        }
        .collect()
    }

    #[test]
    fn a_real_sack_block() {
        let data = samples::bytes(SACK.1);
        let packet = decode(&frame(SACK.0, &data));
        let last = packet.tcp().unwrap().options(&data).last();
        let block = Some((630_511_081, 630_512_521));
        assert_eq!(last, Some(TcpOption::Sack([block, None, None, None])));
    }

    #[test]
    fn the_end_is_the_end() {
        assert_eq!(
            options(&[1, 0, 2, 4, 5, 6]),
            [TcpOption::NoOperation, TcpOption::EndOfList]
        );
    }

    #[test]
    fn an_unknown_kind_and_a_wrong_length_keep_their_bytes() {
        let at = |start, len| Span { start, len };
        assert_eq!(
            options(&[254, 4, 7, 8, 2, 3, 9, 4, 2]),
            [
                TcpOption::Unknown {
                    kind: 254,
                    data: at(102, 2)
                },
                TcpOption::Unknown {
                    kind: 2,
                    data: at(106, 1)
                },
                TcpOption::SackPermitted,
            ]
        );
    }

    #[test]
    fn an_option_beyond_the_header_is_the_last() {
        for bytes in [&[8, 10, 1][..], &[8], &[8, 1, 1, 1], &[8, 0]] {
            assert_eq!(options(bytes), [TcpOption::Malformed { kind: 8 }]);
        }
    }
}
