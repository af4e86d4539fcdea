//! What a conversation's bytes are handed to, in order, as they come.

use std::net::SocketAddr;

use super::{ConversationIndex, Direction};
use crate::savefile::{Protocol, Timestamp};

/// The packet that brought something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Its place in the capture, from 0.
    pub packet: usize,
    pub time: Timestamp,
}

/// Bytes of a TCP stream that were never captured, although later ones, or the
/// stream's end, were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// How many.
    pub bytes: u64,
    /// The packet that acknowledges them, where one was captured: who sent it had
    /// them by then.
    pub acknowledged: Option<usize>,
}

/// A conversation that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    pub conversation: ConversationIndex,
    pub protocol: Protocol,
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// Its first packet.
    pub at: At,
}

/// Takes the streams, or the datagrams, of one conversation while the capture
/// is read. Where copies of a byte differ, the first one seen was kept.
///
/// What it finds out goes to `found`, which the caller of
/// [`super::Tracker::packet`] owns. Two receivers side by side are a receiver.
pub trait Receiver: Sized {
    /// How to receive; the same for all conversations.
    type Settings;
    /// What is found out.
    type Found;

    fn begin(settings: &Self::Settings, beginning: &Beginning) -> Self;

    /// The next bytes of a TCP stream. `at` is the packet that carried them:
    /// an earlier one than the latest, where they waited for bytes before
    /// them. One packet may bring several pieces; this one begins `skip` bytes
    /// behind the beginning of its payload.
    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, skip: u32, found: &mut Self::Found);

    /// The next bytes of a TCP stream are missing.
    fn gap(&mut self, way: Direction, missing: Missing, found: &mut Self::Found);

    /// What comes next on this way belongs to another connection on the same
    /// ports: its SYN,ACK was captured, its SYN was not.
    fn restart(&mut self, way: Direction, found: &mut Self::Found);

    /// The stream's end: its FIN, in its place behind all bytes. Comes once;
    /// a sender that breaks the protocol may send bytes behind it.
    fn end(&mut self, way: Direction, at: At, found: &mut Self::Found);

    /// A UDP payload, as far as captured.
    fn datagram(&mut self, way: Direction, payload: &[u8], at: At, found: &mut Self::Found);

    /// Nothing more comes: the conversation is closed, or the capture ends.
    fn close(&mut self, found: &mut Self::Found);

    /// Is what the conversation says of a protocol that the receiver reads, by what
    /// came so far?
    fn reads(&self) -> bool {
        false
    }
}

/// Where only the conversations' facts are asked for.
impl Receiver for () {
    type Settings = ();
    type Found = ();

    fn begin((): &(), _: &Beginning) {}
    fn bytes(&mut self, _: Direction, _: &[u8], _: At, _: u32, (): &mut ()) {}
    fn gap(&mut self, _: Direction, _: Missing, (): &mut ()) {}
    fn restart(&mut self, _: Direction, (): &mut ()) {}
    fn end(&mut self, _: Direction, _: At, (): &mut ()) {}
    fn datagram(&mut self, _: Direction, _: &[u8], _: At, (): &mut ()) {}
    fn close(&mut self, (): &mut ()) {}
}

impl<A: Receiver, B: Receiver> Receiver for (A, B) {
    type Settings = (A::Settings, B::Settings);
    type Found = (A::Found, B::Found);

    fn begin(settings: &Self::Settings, beginning: &Beginning) -> Self {
        let first = A::begin(&settings.0, beginning);
        (first, B::begin(&settings.1, beginning))
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, skip: u32, found: &mut Self::Found) {
        self.0.bytes(way, bytes, at, skip, &mut found.0);
        self.1.bytes(way, bytes, at, skip, &mut found.1);
    }

    fn gap(&mut self, way: Direction, missing: Missing, found: &mut Self::Found) {
        self.0.gap(way, missing, &mut found.0);
        self.1.gap(way, missing, &mut found.1);
    }

    fn restart(&mut self, way: Direction, found: &mut Self::Found) {
        self.0.restart(way, &mut found.0);
        self.1.restart(way, &mut found.1);
    }

    fn end(&mut self, way: Direction, at: At, found: &mut Self::Found) {
        self.0.end(way, at, &mut found.0);
        self.1.end(way, at, &mut found.1);
    }

    fn datagram(&mut self, way: Direction, payload: &[u8], at: At, found: &mut Self::Found) {
        self.0.datagram(way, payload, at, &mut found.0);
        self.1.datagram(way, payload, at, &mut found.1);
    }

    fn close(&mut self, found: &mut Self::Found) {
        self.0.close(&mut found.0);
        self.1.close(&mut found.1);
    }

    fn reads(&self) -> bool {
        self.0.reads() || self.1.reads()
    }
}

/// One way of one conversation, and what takes it.
pub(super) struct Outlet<'a, R: Receiver> {
    pub receiver: &'a mut R,
    pub found: &'a mut R::Found,
    pub way: Direction,
}

impl<R: Receiver> Outlet<'_, R> {
    pub(super) fn bytes(&mut self, bytes: &[u8], at: At, skip: u32) {
        self.receiver.bytes(self.way, bytes, at, skip, self.found);
    }

    pub(super) fn gap(&mut self, missing: Missing) {
        self.receiver.gap(self.way, missing, self.found);
    }

    pub(super) fn restart(&mut self) {
        self.receiver.restart(self.way, self.found);
    }

    pub(super) fn end(&mut self, at: At) {
        self.receiver.end(self.way, at, self.found);
    }
}
