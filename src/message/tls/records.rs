//! All records of a connection, as far as they are in the clear.

use super::model::{Handshake, Hello, Record, is_tls_1_3};
use super::parse;
use super::wire::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, MAX_MESSAGE, MAX_RECORD,
    MESSAGE_HEADER, RECORD_HEADER,
};
use crate::conversation::{At, Direction, Ways};

/// Reads the records of one connection. Holds one of each way, and one
/// handshake message.
#[derive(Debug, Default)]
pub struct Records {
    /// That is the version that the server chose.
    tls_1_3: bool,
    /// The header of a record was there.
    evident: bool,
    lanes: Ways<Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    /// The record so far, with its header.
    record: Vec<u8>,
    /// The handshake message so far, that goes on in the next record.
    message: Vec<u8>,
    /// The latest packet that brought some of the record.
    at: Option<At>,
    encrypted: bool,
    /// A record may only begin where a piece does.
    lost: bool,
}

impl Records {
    /// Takes the next bytes of a way, and hands over the records that they
    /// complete, each with its bytes and the packet that completed it.
    pub fn bytes(
        &mut self,
        way: Direction,
        mut bytes: &[u8],
        at: At,
        each: &mut dyn FnMut(Record, &[u8], At),
    ) {
        let mut lane = std::mem::take(self.lanes.get_mut(way));
        if lane.lost && may_begin(bytes) {
            lane.lost = false;
        }
        while !lane.lost && !bytes.is_empty() {
            let wanted = match header(&lane.record) {
                Some((_, _, len)) => RECORD_HEADER + len,
                None => RECORD_HEADER,
            };
            let missing = wanted.saturating_sub(lane.record.len());
            let (some, rest) = bytes.split_at(missing.min(bytes.len()));
            lane.record.extend_from_slice(some);
            bytes = rest;
            let before = lane.at.filter(|before| before.packet > at.packet);
            let latest = before.unwrap_or(at);
            lane.at = Some(latest);
            if !may_begin(&lane.record) {
                lane.lose();
            } else if let Some((kind, version, len)) = header(&lane.record) {
                self.evident = true;
                if lane.record.len() == RECORD_HEADER + len {
                    let record = std::mem::take(&mut lane.record);
                    lane.at = None;
                    let body = record.get(RECORD_HEADER..).unwrap_or_default();
                    each(self.record(&mut lane, kind, version, body), &record, latest);
                }
            }
        }
        *self.lanes.get_mut(way) = lane;
    }

    /// Was there a record, or the header of one?
    pub fn is_evident(&self) -> bool {
        self.evident
    }

    /// Bytes are missing on this way.
    pub fn gap(&mut self, way: Direction) {
        self.lanes.get_mut(way).lose();
    }

    fn record(&mut self, lane: &mut Lane, kind: u8, version: u16, body: &[u8]) -> Record {
        let mut record = Record {
            content_type: kind,
            version,
            length: u16::try_from(body.len()).unwrap_or(u16::MAX),
            is_opaque: false,
            is_encrypted: lane.encrypted,
            handshakes: Vec::new(),
            alert: None,
        };
        match kind {
            CHANGE_CIPHER_SPEC if !self.tls_1_3 => lane.encrypted = true,
            APPLICATION_DATA => record.is_opaque = self.tls_1_3,
            // Encrypted it would be longer.
            ALERT if !lane.encrypted || body.len() == 2 => {
                if let [level, description] = body {
                    record.alert = Some((*level, *description));
                }
            }
            HANDSHAKE if !lane.encrypted => {
                lane.message.extend_from_slice(body);
                while let Some(handshake) = lane.handshake(version) {
                    if let Some(Hello::Server(hello)) = &handshake.hello {
                        self.tls_1_3 = is_tls_1_3(hello.chosen_version());
                    }
                    record.handshakes.push(handshake);
                }
            }
            _ => {}
        }
        record
    }
}

impl Lane {
    fn lose(&mut self) {
        *self = Lane {
            lost: true,
            encrypted: self.encrypted,
            ..Lane::default()
        };
    }

    /// Takes the next message that is whole.
    fn handshake(&mut self, version: u16) -> Option<Handshake> {
        let [kind, a, b, c] = *self.message.first_chunk::<MESSAGE_HEADER>()?;
        let length = u32::from_be_bytes([0, a, b, c]);
        let end = MESSAGE_HEADER + length as usize;
        if end > MAX_MESSAGE {
            self.message = Vec::new();
            return None;
        }
        let body = self.message.get(MESSAGE_HEADER..end)?;
        let hello = parse::hello(kind, version, body);
        self.message.drain(..end);
        Some(Handshake {
            kind,
            length,
            hello,
        })
    }
}

/// Content type, version and length of a record whose header is there.
fn header(bytes: &[u8]) -> Option<(u8, u16, usize)> {
    let [kind, major, minor, high, low] = *bytes.first_chunk::<RECORD_HEADER>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    Some((kind, u16::from_be_bytes([major, minor]), length))
}

/// May these be the first bytes of a record? Also of a connection whose beginning
/// was not captured.
fn may_begin(bytes: &[u8]) -> bool {
    let byte = |at: usize, fits: &dyn Fn(u8) -> bool| bytes.get(at).is_none_or(|b| fits(*b));
    byte(0, &|b| (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&b))
        && byte(1, &|b| b == 3)
        && byte(2, &|b| b <= 4)
        && header(bytes).is_none_or(|(_, _, len)| (1..=MAX_RECORD).contains(&len))
}
