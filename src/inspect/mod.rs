//! A capture of any length in one pass: frames to packets to conversations to
//! messages, each shown as soon as it is known, in the order of the file.
//!
//! Each thread takes stretches of the file as they come, decodes them, and goes
//! with them through the shards of the conversations, in the order of the file.
//! What is found is numbered by that order too, so that nothing depends on the
//! number of threads. Memory holds the conversations that are open, and one
//! stretch of the file for each thread.
//!
//! What is shown, and where to, is the caller's: see [`Show`] and [`Collect`].

mod gate;
mod order;
mod present;
mod route;
mod shard;
mod stretch;
mod threads;
mod totals;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use crate::conversation::{Closed, Limits, Seen};
use crate::decode::Packet;
use crate::message::{self, Lookup, Message};
use crate::savefile::{Batch, Format, Frame, Interface, Protocol, Reader, Timestamp};

pub use totals::{Bitten, Count, Kind, Rest, Tally, Totals};

/// What to find out, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many threads work, the caller's among them.
    pub threads: usize,
    /// Bounds on memory, of the whole.
    pub limits: Limits,
    pub messages: message::Settings,
    /// Whether [`Show::packet`] is to be called; else all packets are displayed.
    pub packets: bool,
}

/// A conversation's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub protocol: Protocol,
    /// Among all conversations of the capture, by their first packets.
    pub index: usize,
    /// Among those of its protocol: `tcp.stream`, `udp.stream`.
    pub id: u32,
    /// The time of its first packet.
    pub first: Timestamp,
}

/// One packet and what is known of it when it is shown.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    pub packet: &'a Packet,
    pub frame: &'a Frame<'a>,
    /// Its conversation's number is a shard's own: see `name`.
    pub seen: &'a Seen,
    pub name: Option<Name>,
    /// The conversation of the datagram that carries the packet through a tunnel.
    pub tunnel: Option<Name>,
    /// The messages whose heads or bodies it completes.
    pub parts: &'a [message::Part],
    /// Of the capture's first packet.
    pub start: Timestamp,
    /// Of the packet before; None for the first.
    pub previous: Option<Timestamp>,
    pub file: &'a FileFacts,
    batch: &'a Batch,
    /// In the batch.
    place: usize,
}

impl<'a> Shown<'a> {
    /// The packet's comments (`frame.comment`), in file order.
    pub fn comments(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.batch.comments(self.place)
    }

    /// The packet's place in the capture, from 0.
    pub fn index(&self) -> usize {
        usize::try_from(self.frame.number.saturating_sub(1)).unwrap_or(usize::MAX)
    }
}

/// What is known of the file while it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileFacts {
    /// None before the first frame.
    pub format: Option<Format>,
    /// Those that were described by now.
    pub interfaces: Vec<Arc<Interface>>,
}

/// What is known beside a message or a conversation when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub name: Name,
    /// Of the capture's first packet.
    pub start: Timestamp,
}

/// Makes what is shown. Called from several threads at a time, in any order.
pub trait Show: Sync {
    /// What is made of a message or a conversation.
    type Item: Send;

    /// Appends what is to be shown of a packet. Says whether it is displayed:
    /// whether the display filter, if there is one, lets it through.
    fn packet(&self, packet: &Shown<'_>, lines: &mut Vec<u8>) -> bool;

    fn message(&self, message: &Message, context: &Context) -> Option<Self::Item>;

    fn lookup(&self, lookup: &Lookup, context: &Context) -> Option<Self::Item>;

    fn conversation(
        &self,
        closed: &Closed<message::Reader>,
        context: &Context,
    ) -> Option<Self::Item>;
}

/// Takes what is shown: on one thread at a time, whichever.
pub trait Collect<Item> {
    /// Packets, in the order of the file: what was appended for them, and which
    /// of them are displayed (from 0), each with the index of its conversation.
    fn packets(&mut self, lines: &[u8], displayed: &[(usize, Option<usize>)]) -> io::Result<()>;

    /// HTTP transactions and DNS lookups, in the order in which they were
    /// complete.
    fn message(&mut self, item: Item) -> io::Result<()>;

    /// Conversations, in any order: `index` tells their place.
    fn conversation(&mut self, index: usize, item: Item) -> io::Result<()>;

    /// Nothing more is due before the input goes on: what is held back can be
    /// written.
    fn pause(&mut self) -> io::Result<()>;
}

/// Reads a capture to its end, or to its damage, and shows what is in it.
///
/// Fails where the output cannot be written. An input that cannot be read to
/// its end is told in the totals, beside all that was read before.
pub fn inspect<S: Show>(
    reader: Reader<impl Read + Send>,
    settings: &Settings,
    show: &S,
    collect: &mut (impl Collect<S::Item> + Send),
) -> io::Result<Totals> {
    threads::run(reader, settings, show, collect)
}
