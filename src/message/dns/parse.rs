//! Bytes to a message.

use super::model::*;
use super::name;

pub(super) const HEADER: usize = 12;
const INTERNET: u16 = 1;

/// Bytes of text that a message may come to: compressed names are many times as long
/// as they are in it, and what is no text four times that.
const MAX_TEXT: usize = 64 * 1024;

/// The same of a message of so many bytes: more than honest ones have.
fn room_for_text(len: usize) -> usize {
    MAX_TEXT.min(2048 + 16 * len)
}

/// Reads one message; None where it is shorter than a header.
pub fn parse(bytes: &[u8], flavour: Flavour) -> Option<Message> {
    let head: &[u8; HEADER] = bytes.first_chunk()?;
    let word = |index: usize| {
        let pair = head.get(2 * index..).and_then(<[u8]>::first_chunk);
        pair.map_or(0, |pair| u16::from_be_bytes(*pair))
    };
    let mut message = Message {
        flavour,
        id: word(0),
        flags: word(1),
        counts: [word(2), word(3), word(4), word(5)],
        questions: Vec::new(),
        answers: Vec::new(),
        authorities: Vec::new(),
        additionals: Vec::new(),
        left_out: 0,
        malformed: None,
    };
    let mut cursor = Cursor {
        message: bytes,
        at: HEADER,
        room: room_for_text(bytes.len()),
    };
    message.malformed = sections(&mut message, &mut cursor).err();
    Some(message)
}

fn sections(message: &mut Message, cursor: &mut Cursor<'_>) -> Result<(), &'static str> {
    let mdns = message.flavour == Flavour::Mdns;
    let [questions, answers, authorities, additionals] = message.counts;
    let mut kept = 0;
    for _ in 0..questions {
        let question = question(cursor, mdns)?;
        kept += 1;
        if cursor.keeps(kept) {
            message.questions.push(question);
        } else {
            message.left_out += 1;
        }
    }
    for (count, section) in [
        (answers, &mut message.answers),
        (authorities, &mut message.authorities),
        (additionals, &mut message.additionals),
    ] {
        for _ in 0..count {
            let record = record(cursor, mdns)?;
            kept += 1;
            if cursor.keeps(kept) {
                section.push(record);
            } else {
                message.left_out += 1;
            }
        }
    }
    Ok(())
}

fn question(cursor: &mut Cursor<'_>, mdns: bool) -> Result<Question, &'static str> {
    let name = cursor.name()?;
    let kind = cursor.u16()?;
    let (class, unicast) = class(cursor.u16()?, mdns);
    Ok(Question {
        name,
        kind,
        class,
        unicast,
    })
}

fn record(cursor: &mut Cursor<'_>, mdns: bool) -> Result<Record, &'static str> {
    let name = cursor.name()?;
    let kind = cursor.u16()?;
    let class_word = cursor.u16()?;
    let (class, cache_flush) = class(class_word, mdns && kind != OPT);
    let ttl = cursor.u32()?;
    let len = usize::from(cursor.u16()?);
    let end = cursor.at + len;
    if end > cursor.message.len() {
        return Err("a record is cut off");
    }
    // Names in it may point to before it, but nothing in it lies behind it.
    let mut inner = Cursor {
        message: cursor.message.get(..end).unwrap_or_default(),
        at: cursor.at,
        room: cursor.room,
    };
    let data = data(&mut inner, kind, class == INTERNET, len)?;
    cursor.at = end;
    cursor.room = inner.room;
    Ok(Record {
        name,
        kind,
        class,
        cache_flush,
        ttl,
        data,
    })
}

/// What the data of `len` bytes say. Bytes behind what a type has are ignored.
fn data(
    cursor: &mut Cursor<'_>,
    kind: u16,
    internet: bool,
    len: usize,
) -> Result<Data, &'static str> {
    Ok(match kind {
        // An update (RFC 2136) names records without what they say.
        _ if len == 0 => Data::Other {
            len: 0,
            bytes: Vec::new(),
        },
        A if internet => Data::A(cursor.array::<4>()?.into()),
        AAAA if internet => Data::Aaaa(cursor.array::<16>()?.into()),
        CNAME | NS | PTR | DNAME => Data::Name(cursor.name()?),
        MX => Data::Mx {
            preference: cursor.u16()?,
            exchange: cursor.name()?,
        },
        TXT => Data::Txt(texts(cursor)?),
        SOA => Data::Soa {
            mname: cursor.name()?,
            rname: cursor.name()?,
            numbers: [
                cursor.u32()?,
                cursor.u32()?,
                cursor.u32()?,
                cursor.u32()?,
                cursor.u32()?,
            ],
        },
        SRV => Data::Srv {
            priority: cursor.u16()?,
            weight: cursor.u16()?,
            port: cursor.u16()?,
            target: cursor.name()?,
        },
        _ => Data::Other {
            len: len as u16,
            bytes: cursor.rest().iter().take(Data::KEPT).copied().collect(),
        },
    })
}

/// Character strings, each with its length before it.
fn texts(cursor: &mut Cursor<'_>) -> Result<Vec<String>, &'static str> {
    let mut texts = Vec::new();
    let mut rest = cursor.rest();
    while let Some((len, behind)) = rest.split_first() {
        let (text, behind) = behind
            .split_at_checked(usize::from(*len))
            .ok_or("a text is longer than its record")?;
        // A hostile record of empty texts is not worth a list of them.
        if texts.len() < MAX_RECORDS && cursor.room > 0 {
            let mut spelled = String::new();
            name::push(&mut spelled, text, false);
            cursor.spelled(&spelled);
            texts.push(spelled);
        }
        rest = behind;
    }
    Ok(texts)
}

/// A class, and the flag that multicast DNS has in its upper bit.
fn class(word: u16, mdns: bool) -> (u16, bool) {
    if mdns {
        (word & 0x7FFF, word & 0x8000 != 0)
    } else {
        (word, false)
    }
}

/// Is it a message of the kind that is known by its looks alone?
pub fn is_evident(bytes: &[u8]) -> bool {
    let word = |at: usize| {
        let pair = bytes.get(at..).and_then(<[u8]>::first_chunk);
        pair.map(|pair| u16::from_be_bytes(*pair))
    };
    let (Some(flags), Some(1), Some(answers), Some(authorities), Some(additionals)) =
        (word(2), word(4), word(6), word(8), word(10))
    else {
        return false;
    };
    // Opcode 0 and the reserved bit clear; a query states no result.
    let response = flags & 0x8000 != 0;
    let sound = flags & 0x7840 == 0
        && if response {
            flags & 0x0F <= 5
        } else {
            flags & 0x068F == 0 && answers == 0 && authorities == 0 && additionals <= 1
        };
    if !sound || !name::is_host(bytes, HEADER) {
        return false;
    }
    let mut cursor = Cursor {
        message: bytes,
        at: HEADER,
        room: 0,
    };
    let Ok(question) = question(&mut cursor, false) else {
        return false;
    };
    let records = usize::from(answers) + usize::from(authorities) + usize::from(additionals);
    question.class == INTERNET
        && type_name(question.kind).is_some()
        && records <= MAX_RECORDS
        && (0..records).all(|_| record(&mut cursor, false).is_ok())
        && cursor.rest().is_empty()
}

/// A number for a message's first question: an answer has the same as its query.
pub(super) fn question_hash(bytes: &[u8], message: &Message) -> Option<u64> {
    let question = message.questions.first()?;
    let rest = u64::from(question.kind) << 16 | u64::from(question.class);
    Some(name::hash(bytes, HEADER).rotate_left(17) ^ rest)
}

struct Cursor<'a> {
    message: &'a [u8],
    at: usize,
    /// Bytes that names and texts may still come to; 0: they are passed over.
    room: usize,
}

impl<'a> Cursor<'a> {
    /// Is the record kept that was read last, the `count`-th of the message? Behind
    /// one that is not, none is.
    fn keeps(&mut self, count: usize) -> bool {
        if count > MAX_RECORDS {
            self.room = 0;
        }
        self.room > 0
    }

    fn spelled(&mut self, text: &str) {
        self.room = self.room.saturating_sub(text.len());
    }

    fn rest(&self) -> &'a [u8] {
        self.message.get(self.at..).unwrap_or_default()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let array = *self.rest().first_chunk().ok_or("a record is cut off")?;
        self.at += N;
        Ok(array)
    }

    fn u16(&mut self) -> Result<u16, &'static str> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_be_bytes)
    }

    fn name(&mut self) -> Result<String, &'static str> {
        if self.room == 0 {
            self.at = name::skip(self.message, self.at)?;
            return Ok(String::new());
        }
        let (name, end) = name::read(self.message, self.at)?;
        self.spelled(&name);
        self.at = end;
        Ok(name)
    }
}
