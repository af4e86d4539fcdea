//! The hellos of a connection, out of records and chunks.

use super::model::{Hello, Seen};
use super::parse::{self, CLIENT_HELLO, SERVER_HELLO};
use super::wire::{
    ALERT, ALERT_LEN, CHANGE_CIPHER_SPEC, HANDSHAKE, MAX_MESSAGE, MAX_RECORD, MESSAGE_HEADER,
    RECORD_HEADER,
};
use crate::conversation::{At, Beginning, ConversationIndex, Direction, Missing, Receiver, Ways};

/// Reads the start of one TCP connection. Costs no allocation where that is no
/// TLS, and at most 64 KiB each way until it knows.
#[derive(Debug)]
pub struct Reader {
    conversation: ConversationIndex,
    lanes: Ways<Lane>,
}

/// One way.
#[derive(Debug, Default)]
struct Lane {
    /// The record header so far.
    header: [u8; RECORD_HEADER],
    headed: u8,
    /// How many bytes of the record are to come.
    left: usize,
    /// A record of another kind than a handshake, which is passed over.
    skip: bool,
    /// Version of the first record of the message.
    version: u16,
    /// The handshake message so far, without record headers.
    message: Vec<u8>,
    /// A hello whose record has not ended: told when it has, as in Wireshark.
    held: Option<Box<(Hello, At)>>,
    done: bool,
}

impl Receiver for Reader {
    type Settings = ();
    type Found = Vec<Seen>;

    fn begin((): &(), beginning: &Beginning) -> Self {
        Reader {
            conversation: beginning.conversation,
            lanes: Ways::default(),
        }
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, _: u32, found: &mut Vec<Seen>) {
        let lane = self.lanes.get_mut(way);
        if !lane.done
            && lane
                .read(bytes, at, &mut |hello, at| {
                    found.push(Seen {
                        conversation: self.conversation,
                        hello,
                        way,
                        at,
                    });
                })
                .is_none()
        {
            self.stop(way, found);
        }
    }

    fn gap(&mut self, way: Direction, _: Missing, found: &mut Vec<Seen>) {
        self.stop(way, found);
    }

    fn restart(&mut self, way: Direction, found: &mut Vec<Seen>) {
        self.stop(way, found);
    }

    fn end(&mut self, way: Direction, _: At, found: &mut Vec<Seen>) {
        self.stop(way, found);
    }

    fn datagram(&mut self, _: Direction, _: &[u8], _: At, _: &mut Vec<Seen>) {}

    fn close(&mut self, found: &mut Vec<Seen>) {
        self.stop(Direction::ToServer, found);
        self.stop(Direction::ToClient, found);
    }
}

impl Reader {
    /// Nothing that comes can be of interest: it need not be fed any more.
    pub fn is_done(&self) -> bool {
        self.lanes.to_server.done && self.lanes.to_client.done
    }

    /// Nothing more is read of a way; a hello that was held back is told.
    fn stop(&mut self, way: Direction, found: &mut Vec<Seen>) {
        let lane = self.lanes.get_mut(way);
        if let Some((hello, at)) = lane.held.take().map(|held| *held) {
            found.push(Seen {
                conversation: self.conversation,
                hello,
                way,
                at,
            });
        }
        lane.message = Vec::new();
        lane.done = true;
    }
}

impl Lane {
    /// None where nothing more is to be read.
    fn read(&mut self, mut bytes: &[u8], at: At, found: &mut impl FnMut(Hello, At)) -> Option<()> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left == 0 {
                *self.header.get_mut(usize::from(self.headed))? = *first;
                self.headed += 1;
                self.check_header()?;
                bytes = rest;
                continue;
            }
            let (some, rest) = bytes.split_at(self.left.min(bytes.len()));
            self.left -= some.len();
            bytes = rest;
            if !self.skip && self.held.is_none() {
                self.message.extend_from_slice(some);
                self.held = self.complete()?.map(|hello| Box::new((hello, at)));
            }
            if self.left == 0
                && let Some((hello, _)) = self.held.take().map(|held| *held)
            {
                // Behind one that asks for another hello, that is awaited.
                let last = matches!(&hello, Hello::Server(server) if !server.is_retry_request);
                found(hello, at);
                if last {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Looks at the bytes of a record header that are there. None: this is no
    /// TLS, or encrypted from here on.
    fn check_header(&mut self) -> Option<()> {
        let [kind, major, minor, high, low] = self.header;
        let handshake = kind == HANDSHAKE;
        // Sent for the sake of middleboxes, also between hellos.
        let changes = kind == CHANGE_CIPHER_SPEC && self.version != 0;
        // A warning may come before the hello (RFC 6066, section 3).
        let warns = kind == ALERT;
        let skipped = (changes || warns) && self.message.is_empty();
        let sound = (handshake || skipped)
            && (self.headed < 2 || major == 3)
            && (self.headed < 3 || minor <= 4);
        if !sound {
            return None;
        }
        if usize::from(self.headed) == RECORD_HEADER {
            self.headed = 0;
            self.skip = skipped;
            self.left = usize::from(u16::from_be_bytes([high, low]));
            if self.left == 0 || self.left > MAX_RECORD || (warns && self.left != ALERT_LEN) {
                return None;
            }
            if handshake && self.message.is_empty() {
                self.version = u16::from_be_bytes([major, minor]);
            }
        }
        Some(())
    }

    /// The message, where it is whole; None in the outer Option where it is no
    /// hello.
    fn complete(&mut self) -> Option<Option<Hello>> {
        let Some((kind, rest)) = self.message.split_first() else {
            return Some(None);
        };
        if ![CLIENT_HELLO, SERVER_HELLO].contains(kind) {
            return None;
        }
        let Some([a, b, c]) = rest.first_chunk().copied() else {
            return Some(None);
        };
        let len = u32::from_be_bytes([0, a, b, c]) as usize;
        if len > MAX_MESSAGE {
            return None;
        }
        let Some(body) = self.message.get(MESSAGE_HEADER..MESSAGE_HEADER + len) else {
            return Some(None);
        };
        let hello = parse::hello(*kind, self.version, body)?;
        // What follows it in its record is of no interest.
        self.message = Vec::new();
        Some(Some(hello))
    }
}
