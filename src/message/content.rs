//! What becomes of a body's bytes.

use sha2::{Digest as _, Sha256};

use super::found::Held;
use super::{Bodies, Body};

#[derive(Clone, Debug)]
pub(super) struct Content {
    len: u64,
    store: Store,
}

#[derive(Clone, Debug)]
enum Store {
    Count,
    Digest(Box<Sha256>),
    Keep {
        bytes: Vec<u8>,
        limit: usize,
        /// There is room for so many bytes.
        room: usize,
    },
}

impl Content {
    pub(super) fn new(bodies: Bodies) -> Content {
        let store = match bodies {
            Bodies::Count => Store::Count,
            Bodies::Digest => Store::Digest(Box::default()),
            Bodies::Keep { limit } => Store::Keep {
                bytes: Vec::new(),
                limit,
                room: 0,
            },
        };
        Content { len: 0, store }
    }

    /// Keeps everything.
    pub(super) fn whole() -> Content {
        Content {
            len: 0,
            store: Store::Keep {
                bytes: Vec::new(),
                limit: usize::MAX,
                room: usize::MAX,
            },
        }
    }

    /// Takes room for so many more bytes, where they are to be kept.
    pub(super) fn make_room(&mut self, more: usize, held: &mut Held, most: usize) {
        if let Store::Keep { bytes, limit, room } = &mut self.store {
            let wanted = bytes.len().saturating_add(more).min(*limit);
            *room += held.take(wanted.saturating_sub(*room), most);
        }
    }

    /// Gives back what is not used.
    pub(super) fn leave_room(&mut self, held: &mut Held) {
        if let Store::Keep { bytes, room, .. } = &mut self.store {
            held.leave(*room - bytes.len());
            *room = bytes.len();
        }
    }

    pub(super) fn take(&mut self, more: &[u8]) {
        self.len += more.len() as u64;
        match &mut self.store {
            Store::Count => {}
            Store::Digest(digest) => digest.update(more),
            Store::Keep { bytes, room, .. } => {
                let room = room.saturating_sub(bytes.len());
                bytes.extend_from_slice(more.get(..room).unwrap_or(more));
            }
        }
    }

    /// What was kept.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.store {
            Store::Count | Store::Digest(_) => Vec::new(),
            Store::Keep { bytes, .. } => bytes,
        }
    }

    /// Hands over what there is.
    pub(super) fn finish(self, body: &mut Body) {
        body.len = self.len;
        match self.store {
            Store::Count => {}
            Store::Digest(digest) => body.digest = Some(digest.finalize().into()),
            Store::Keep { bytes, .. } => body.bytes = bytes,
        }
    }
}
