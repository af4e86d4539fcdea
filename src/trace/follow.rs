//! One conversation of a capture, its bytes handed out while the capture is
//! read.

use std::io::Read;
use std::net::SocketAddr;
use std::ops::ControlFlow;

use crate::conversation::{
    At, Beginning, ConversationIndex, Direction, Limits, Missing, Receiver, Tracker,
};
use crate::decode::{Defragmenter, decode};
use crate::savefile::{CaptureInfo, Protocol, Reader, SavefileError};

/// What comes of the conversation, in the order in which it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// First of all.
    Begins {
        client: SocketAddr,
        server: SocketAddr,
    },
    /// The next bytes of a TCP stream.
    Bytes { way: Direction, bytes: Vec<u8> },
    /// Bytes of a TCP stream that were never captured.
    Gap { way: Direction, missing: u64 },
    /// Bytes of another connection on the same ports follow.
    Restart { way: Direction },
    /// The payload of a datagram, as far as captured.
    Datagram { way: Direction, payload: Vec<u8> },
}

/// How many conversations a capture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    pub tcp: u32,
    pub udp: u32,
}

impl Numbers {
    pub fn of(&self, protocol: Protocol) -> u32 {
        match protocol {
            Protocol::Tcp => self.tcp,
            Protocol::Udp => self.udp,
        }
    }
}

/// Reads a capture and hands out what the conversation `tcp[id]` or `udp[id]`
/// carries, until told to break off. Says how many conversations there were.
///
/// Fails where the input cannot be read; a damaged capture is read up to the
/// damage.
pub fn follow(
    mut reader: Reader<impl Read>,
    limits: Limits,
    (protocol, id): (Protocol, u32),
    each: &mut dyn FnMut(Followed) -> ControlFlow<()>,
) -> Result<(CaptureInfo, Numbers), SavefileError> {
    let mut tracker: Tracker<Listener> = Tracker::new(limits, ());
    let mut found = Found {
        wanted: (protocol, id),
        place: None,
        begun: 0,
        numbers: Numbers::default(),
        heard: Vec::new(),
    };
    let mut defragmenter = Defragmenter::default();
    let mut index = 0;
    while let Some(frame) = reader.next_frame()? {
        let mut packet = decode(&frame);
        defragmenter.packet(&mut packet, &frame);
        tracker.packet(index, &packet, packet.data(frame.data), &mut found);
        for beginning in tracker.take_begun() {
            if found.begins(&beginning) {
                let Beginning { client, server, .. } = beginning;
                if each(Followed::Begins { client, server }).is_break() {
                    return Ok((reader.finish().0, found.numbers));
                }
            }
        }
        tracker.take_closed();
        for heard in found.heard.drain(..) {
            if each(heard).is_break() {
                return Ok((reader.finish().0, found.numbers));
            }
        }
        index += 1;
    }
    tracker.close_all(&mut found);
    for heard in found.heard.drain(..) {
        if each(heard).is_break() {
            break;
        }
    }
    Ok((reader.finish().0, found.numbers))
}

/// Hears what one of all conversations carries.
struct Listener {
    index: ConversationIndex,
    protocol: Protocol,
}

struct Found {
    wanted: (Protocol, u32),
    /// The conversation that is wanted, once it began.
    place: Option<ConversationIndex>,
    /// Conversations, and those of each protocol, up to the packet before.
    begun: usize,
    numbers: Numbers,
    heard: Vec<Followed>,
}

impl Found {
    /// Counts a conversation. Is it the one?
    fn begins(&mut self, beginning: &Beginning) -> bool {
        let id = self.numbers.of(beginning.protocol);
        self.begun += 1;
        match beginning.protocol {
            Protocol::Tcp => self.numbers.tcp += 1,
            Protocol::Udp => self.numbers.udp += 1,
        }
        let is_wanted = self.wanted == (beginning.protocol, id);
        if is_wanted {
            self.place = Some(beginning.conversation);
        }
        is_wanted
    }

    fn hear(&mut self, listener: &Listener, heard: impl FnOnce() -> Followed) {
        let is_wanted = match self.place {
            Some(place) => place == listener.index,
            // It may begin with this very packet.
            None => {
                let (protocol, id) = self.wanted;
                listener.index >= self.begun
                    && listener.protocol == protocol
                    && self.numbers.of(protocol) == id
            }
        };
        if is_wanted {
            self.heard.push(heard());
        }
    }
}

impl Receiver for Listener {
    type Settings = ();
    type Found = Found;

    fn begin((): &(), beginning: &Beginning) -> Listener {
        Listener {
            index: beginning.conversation,
            protocol: beginning.protocol,
        }
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], _: At, _: u32, found: &mut Found) {
        found.hear(self, || Followed::Bytes {
            way,
            bytes: bytes.to_vec(),
        });
    }

    fn gap(&mut self, way: Direction, missing: Missing, found: &mut Found) {
        found.hear(self, || Followed::Gap {
            way,
            missing: missing.bytes,
        });
    }

    fn restart(&mut self, way: Direction, found: &mut Found) {
        found.hear(self, || Followed::Restart { way });
    }

    fn end(&mut self, _: Direction, _: At, _: &mut Found) {}

    fn datagram(&mut self, way: Direction, payload: &[u8], _: At, found: &mut Found) {
        found.hear(self, || Followed::Datagram {
            way,
            payload: payload.to_vec(),
        });
    }

    fn close(&mut self, _: &mut Found) {}
}
