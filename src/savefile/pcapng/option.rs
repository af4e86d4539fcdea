//! The list of options at the end of a block.

use super::format::{OPT_END, padding};
use crate::savefile::bytes::ByteOrder;

/// One option, and where it lies in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opt<'a> {
    pub code: u16,
    pub value: &'a [u8],
    /// The whole option: code, length, value and padding.
    pub raw: &'a [u8],
}

/// An option that claims more bytes than its block has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TooLong {
    pub code: u16,
    pub len: usize,
}

/// The options of a block up to the end mark, which is not among them.
pub struct Options<'a> {
    order: ByteOrder,
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    pub fn new(order: ByteOrder, list: &'a [u8]) -> Self {
        Options { order, rest: list }
    }

    /// What was not walked over yet: at the end, the end mark and what is
    /// behind it.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<Opt<'a>, TooLong>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.len() < 4 {
            return None;
        }
        let code = self.order.u16(self.rest, 0);
        if code == OPT_END {
            return None;
        }
        let len = usize::from(self.order.u16(self.rest, 2));
        let size = 4 + len + padding(len);
        let Some((raw, rest)) = self.rest.split_at_checked(size) else {
            self.rest = &[];
            return Some(Err(TooLong { code, len }));
        };
        self.rest = rest;
        Some(Ok(Opt {
            code,
            value: raw.get(4..4 + len).unwrap_or_default(),
            raw,
        }))
    }
}

/// Appends an option. A value beyond 65,535 bytes is cut there: no option can
/// hold more.
pub fn push(list: &mut Vec<u8>, order: ByteOrder, code: u16, value: &[u8]) {
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let value = value.get(..usize::from(len)).unwrap_or(value);
    list.extend_from_slice(&order.put_u16(code));
    list.extend_from_slice(&order.put_u16(len));
    list.extend_from_slice(value);
    list.resize(list.len() + padding(value.len()), 0);
}
