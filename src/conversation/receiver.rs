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

/// A conversation that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    pub conversation: ConversationIndex,
    pub protocol: Protocol,
    pub client: SocketAddr,
    pub server: SocketAddr,
}

/// Takes the streams, or the datagrams, of one conversation while the capture
/// is read. Where copies of a byte differ, the first one seen was kept.
///
/// What it finds out goes to `found`, which the caller of
/// [`super::Tracker::packet`] owns.
pub trait Receiver: Sized {
    /// How to receive; the same for all conversations.
    type Settings;
    /// What is found out.
    type Found;

    fn begin(settings: &Self::Settings, beginning: &Beginning) -> Self;

    /// The next bytes of a TCP stream. `at` is the packet that carried them:
    /// an earlier one than the latest, where they waited for bytes before
    /// them. One packet may bring several pieces.
    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, found: &mut Self::Found);

    /// `missing` bytes of a TCP stream were never captured, although later
    /// ones, or the stream's end, were.
    fn gap(&mut self, way: Direction, missing: u64, found: &mut Self::Found);

    /// The stream's end: its FIN, in its place behind all bytes.
    fn end(&mut self, way: Direction, at: At, found: &mut Self::Found);

    /// A UDP payload, as far as captured.
    fn datagram(&mut self, way: Direction, payload: &[u8], at: At, found: &mut Self::Found);

    /// Nothing more comes: the conversation is closed, or the capture ends.
    fn close(&mut self, found: &mut Self::Found);
}
