//! gzip (RFC 1952): one member after the other, as `cat a.gz b.gz` and bgzip
//! make them.

use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::raw::Raw;
use super::{Fault, Progress};

const MAGIC: [u8; 2] = [0x1F, 0x8B];
const DEFLATE: u8 = 8;
/// Header flags.
const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xE0;

pub fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

pub struct Gzip {
    inflate: Decompress,
    /// Check sum and length of the member so far.
    crc: Crc,
    part: Part,
}

enum Part {
    FirstHeader,
    Header,
    Body,
    Trailer,
    Fault(Fault),
}

/// Reading a member's header or trailer failed.
enum Failure {
    Io(io::Error),
    Fault(Fault),
    /// There is no further member.
    End,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

fn corrupt(reason: &str) -> Fault {
    Fault::Corrupt(reason.to_owned())
}

impl Gzip {
    pub fn new() -> Self {
        Gzip {
            inflate: Decompress::new(false),
            crc: Crc::new(),
            part: Part::FirstHeader,
        }
    }

    pub fn read(&mut self, raw: &mut Raw<impl Read>, room: &mut [u8]) -> io::Result<Progress> {
        loop {
            let result = match self.part {
                Part::FirstHeader => header(raw, true).map(|()| Part::Body),
                Part::Header => header(raw, false).map(|()| {
                    self.inflate.reset(false);
                    self.crc.reset();
                    Part::Body
                }),
                Part::Trailer => trailer(raw, &self.crc).map(|()| Part::Header),
                Part::Body => {
                    let count = self.body(raw, room)?;
                    if count > 0 {
                        return Ok(Progress::Bytes(count));
                    }
                    continue;
                }
                Part::Fault(_) => {
                    let Part::Fault(fault) = std::mem::replace(&mut self.part, Part::Header) else {
                        return Ok(Progress::End);
                    };
                    return Ok(Progress::Fault(fault));
                }
            };
            match result {
                Ok(part) => self.part = part,
                Err(Failure::Io(error)) => return Err(error),
                Err(Failure::Fault(fault)) => return Ok(Progress::Fault(fault)),
                Err(Failure::End) => return Ok(Progress::End),
            }
        }
    }

    /// Unpacks some of the member; the bytes unpacked. 0: its part changed, or
    /// more input is needed.
    fn body(&mut self, raw: &mut Raw<impl Read>, room: &mut [u8]) -> io::Result<usize> {
        let input = raw.peek(1)?;
        let cut = input.is_empty();
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, room, FlushDecompress::None);
        let consumed = (self.inflate.total_in() - before_in) as usize;
        let produced = (self.inflate.total_out() - before_out) as usize;
        raw.consume(consumed);
        self.crc.update(room.get(..produced).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => self.part = Part::Trailer,
            Ok(_) if consumed > 0 || produced > 0 => {}
            Ok(_) if cut => self.part = Part::Fault(Fault::Cut),
            Ok(_) => self.part = Part::Fault(corrupt("it does not go on")),
            Err(error) => {
                let reason = error.message().unwrap_or("no valid deflate data");
                self.part = Part::Fault(corrupt(reason));
            }
        }
        Ok(produced)
    }
}

fn header(raw: &mut Raw<impl Read>, first: bool) -> Result<(), Failure> {
    // Some archives are filled up with zeros.
    while !first && raw.peek(1)?.first() == Some(&0) {
        raw.consume(1);
    }
    match raw.peek(MAGIC.len())? {
        [] if !first => return Err(Failure::End),
        head if !MAGIC.starts_with(head) && !is_gzip(head) => {
            return Err(Failure::Fault(Fault::Followed));
        }
        _ => {}
    }
    let [_, _, method, flags, ..] = take::<10>(raw)?;
    if method != DEFLATE || flags & RESERVED != 0 {
        return Err(Failure::Fault(corrupt(
            "a method or flag that RFC 1952 does not know",
        )));
    }
    if flags & FEXTRA != 0 {
        let len = u16::from_le_bytes(take(raw)?);
        if !raw.skip(u64::from(len))? {
            return Err(Failure::Fault(Fault::Cut));
        }
    }
    for text in [FNAME, FCOMMENT] {
        while flags & text != 0 && take::<1>(raw)? != [0] {}
    }
    if flags & FHCRC != 0 {
        take::<2>(raw)?;
    }
    Ok(())
}

fn trailer(raw: &mut Raw<impl Read>, crc: &Crc) -> Result<(), Failure> {
    let sum = u32::from_le_bytes(take(raw)?);
    let len = u32::from_le_bytes(take(raw)?);
    if sum != crc.sum() {
        return Err(Failure::Fault(corrupt("its check sum differs")));
    }
    if len != crc.amount() {
        return Err(Failure::Fault(corrupt("its length differs")));
    }
    Ok(())
}

fn take<const N: usize>(raw: &mut Raw<impl Read>) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    for byte in &mut bytes {
        *byte = raw.byte()?.ok_or(Failure::Fault(Fault::Cut))?;
    }
    Ok(bytes)
}
