//! The Trace: what the reading half knows of one capture. It owns packets,
//! conversations, streams and messages; they refer to each other by index.
//!
//! Expectations and reports read it; nothing changes it once it is built.
//! [`events`] reads a capture in one pass and hands out what it finds; [`read`]
//! collects that into a Trace, and reads it once more where bytes of a stream came
//! after they were given up.

mod bytes;
mod events;
mod follow;
mod frames;
mod http;
mod naming;
mod numbers;
mod owners;
mod read;

use crate::conversation::{Conversation, ConversationIndex, Direction, Seen, Stream, Streams};
use crate::decode::Packet;
use crate::message::Message;
use crate::savefile::{CaptureInfo, Recording};

pub use events::{KEEP, Keeper, Sink, events};
pub use follow::{Followed, Numbers, follow};
pub use frames::Frames;
pub use http::{HttpIndex, Part};
pub use naming::{Ambiguity, RoleAt, ambiguity, clients, is_displaced, is_told, servers};
pub use numbers::{first_head, order, reached};
pub use read::{LIMITS, read, read_on};

/// Who owned an end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A program: index into [`Trace::roles`].
    Role(usize),
    /// No program owned the endpoint.
    Nobody,
    /// The capture does not tell.
    Unknown,
}

/// A packet's two ends: for an ICMP error, those of the packet it quotes, reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub from: Owner,
    pub to: Owner,
}

#[derive(Clone, Debug)]
pub struct Trace {
    /// Each packet's frame; same index as `packets`.
    pub frames: Frames,
    pub packets: Vec<Packet>,
    /// What its conversation says of each packet; same index as `packets`.
    pub seen: Vec<Seen>,
    /// Who owned each packet's ends; same index as `packets`.
    pub ends: Vec<Ends>,
    pub conversations: Vec<Conversation>,
    /// The reassembled streams; same index as `conversations`. Empty for UDP.
    pub streams: Vec<Streams>,
    pub messages: Vec<Message>,
    /// Which of them belong to which packet.
    pub http: HttpIndex,
    /// TLS records and DNS messages over TCP, by the packets that complete them.
    pub carried: Vec<crate::message::Part>,
    /// Names of the roles, in the order of their programs.
    pub roles: Vec<String>,
    /// The roles that were given by address.
    pub named: Vec<RoleAt>,
    pub capture: CaptureInfo,
    /// What the packets cannot say: programs, sockets, the proof.
    pub recording: Option<Recording>,
}

impl Trace {
    /// The trace with roles named by address: an end that a name covers is that
    /// role's, whatever else tells of it, unless the wire shows that nobody was
    /// there. Of several the one that tells most of the end counts: a port more than an
    /// address, both more than one. Where no recording names roles either, `client` and `server` are
    /// who opened and who was asked, except for a name that is given; what then
    /// is left belongs to nobody.
    #[must_use]
    pub fn with_roles(mut self, named: &[RoleAt]) -> Trace {
        for name in named {
            if !self.roles.contains(&name.role) {
                self.roles.push(name.role.clone());
            }
        }
        self.ends = owners::ends(&self, named);
        self.named = named.to_vec();
        self
    }

    /// The bytes of the frame at `index`; empty for an index out of range.
    pub fn frame(&self, index: usize) -> &[u8] {
        self.frames.get(index)
    }

    /// The captured payload of the packet at `index`.
    pub fn payload(&self, index: usize) -> &[u8] {
        self.packets
            .get(index)
            .map(|p| p.payload().of(p.data(self.frame(index))))
            .unwrap_or(&[])
    }

    /// One way of a conversation, reassembled.
    pub fn stream(&self, conversation: ConversationIndex, way: Direction) -> Option<&Stream> {
        self.streams.get(conversation).map(|ways| ways.get(way))
    }

    /// Was the packet sent or received by a program that we had told to stop?
    /// Its FIN then is the kernel's, not the program's.
    pub fn after_stop(&self, index: usize) -> bool {
        let (Some(ends), Some(recording)) = (self.ends.get(index), &self.recording) else {
            return false;
        };
        [ends.from, ends.to].into_iter().any(|owner| match owner {
            Owner::Role(role) => recording
                .programs
                .get(role)
                .and_then(|program| program.stopped_after)
                .is_some_and(|before| index as u64 >= before),
            Owner::Nobody | Owner::Unknown => false,
        })
    }

    /// The name to show for an owner.
    pub fn owner_name(&self, owner: Owner) -> &str {
        match owner {
            Owner::Role(i) => self.roles.get(i).map_or("?", String::as_str),
            Owner::Nobody => "nobody",
            Owner::Unknown => "?",
        }
    }
}
