//! A stretch of the file, and what can be said of its packets without knowing
//! those before them.

use std::sync::Arc;

use super::totals::Tally;
use super::{Context, FileFacts, Name};
use crate::decode::{Defragmenter, Packet, datagram_hash, decode_into};
use crate::savefile::{Batch, Frame, Frames, Timestamp, prefetch};

/// Parts that the conversations are divided into. Fixed, as the bounds on
/// memory hold for each of them: what they do must not depend on the number of
/// threads.
pub(super) const SHARDS: usize = 16;

/// Bytes of a stretch: so many that what is done once for each, and what goes
/// from one thread to another with it, costs little.
const BYTES: usize = 8 << 20;
/// The same where each packet is to be shown, and what is shown of them waits for
/// the stretches before.
const BYTES_TO_SHOW: usize = 4 << 20;

/// Packets between the one that is read and the one that the processor fetches
/// meanwhile.
pub(super) const AHEAD: usize = 4;

/// A stretch of the file. Each thread has one and fills it again and again.
pub(super) struct Stretch {
    /// Among all of the capture.
    pub number: usize,
    pub batch: Batch,
    /// Of the first frame: its place in the capture, from 0.
    pub first: usize,
    /// Of each frame, at the same index; those behind are of no meaning.
    packets: Vec<Packet>,
    /// The places of the fragments among them.
    fragments: Vec<usize>,
    /// What each shard has to read, in the order of the file.
    shards: [Vec<Share>; SHARDS],
    pub file: Arc<FileFacts>,
    /// Of the capture's first packet.
    pub start: Timestamp,
    /// Of the packet before the first frame.
    pub previous: Option<Timestamp>,
    /// The capture ends behind it.
    pub last: bool,
}

impl Stretch {
    /// An empty one. `show`: each packet is to be shown.
    pub fn new(show: bool) -> Stretch {
        Stretch {
            number: 0,
            batch: Batch::with_block(if show { BYTES_TO_SHOW } else { BYTES }),
            first: 0,
            packets: Vec::new(),
            fragments: Vec::new(),
            shards: Default::default(),
            file: Arc::default(),
            start: Timestamp::default(),
            previous: None,
            last: false,
        }
    }

    pub fn context(&self, name: Name) -> Context {
        Context {
            name,
            start: self.start,
        }
    }

    /// Decodes its frames.
    pub fn decode(&mut self) {
        self.fragments.clear();
        if self.packets.len() < self.batch.len() {
            self.packets.resize_with(self.batch.len(), Packet::default);
        }
        let frames = self.batch.frames();
        for (place, (frame, packet)) in frames.iter().zip(&mut self.packets).enumerate() {
            frames.prefetch(place + AHEAD);
            decode_into(&frame, packet);
            if packet.is_fragment() {
                self.fragments.push(place);
            }
        }
    }

    /// Its packets, each with the frame that it was decoded from.
    #[inline]
    pub fn packets(&self) -> Packets<'_> {
        Packets {
            packets: &self.packets,
            frames: self.batch.frames(),
        }
    }

    /// Reads the upper layers again of fragments that complete a datagram.
    pub fn complete(&mut self, fragments: &mut Defragmenter) {
        for &place in &self.fragments {
            if let (Some(packet), Some(frame)) =
                (self.packets.get_mut(place), self.batch.get(place))
            {
                fragments.packet(packet, &frame);
            }
        }
    }

    /// Deals its packets out to the shards, and counts them where asked for.
    pub fn deal(&mut self, mut tally: Option<&mut Tally>) {
        for shard in &mut self.shards {
            shard.clear();
        }
        let frames = self.batch.frames().iter();
        for (place, (frame, packet)) in frames.zip(&self.packets).enumerate() {
            let carriers = packet.outer_datagrams().enumerate();
            let around = carriers.map(|(depth, (src, dst, _))| {
                let share = Share::around(place, depth);
                (datagram_hash(src, dst), share)
            });
            // Packets of no conversation may go anywhere.
            let own = packet.flow_hash().unwrap_or(packet.number);
            for (hash, share) in around.chain([(own, Share::own(place))]) {
                if let Some(shard) = self.shards.get_mut((hash % SHARDS as u64) as usize) {
                    shard.push(share);
                }
            }
            if let Some(tally) = &mut tally {
                tally.packet(packet, frame.data);
            }
        }
    }

    /// What a shard has to read, in the order of the file.
    pub fn of_shard(&self, shard: usize) -> &[Share] {
        self.shards.get(shard).map_or(&[], Vec::as_slice)
    }
}

/// What of a packet a shard has to read: its own conversation, or that of a datagram
/// that carries it through a tunnel. Each flow has one shard, whether it is seen in a
/// tunnel or beside it.
#[derive(Clone, Copy)]
pub(super) struct Share(u32);

impl Share {
    /// Bits for the depth, of which there are no more than tunnels inside one
    /// another.
    const BITS: u32 = 4;
    const OWN: u32 = (1 << Self::BITS) - 1;

    fn own(place: usize) -> Share {
        Share((place as u32) << Self::BITS | Self::OWN)
    }

    fn around(place: usize, depth: usize) -> Share {
        Share((place as u32) << Self::BITS | (depth as u32).min(Self::OWN - 1))
    }

    /// Of the packet in the stretch.
    pub fn place(self) -> usize {
        (self.0 >> Self::BITS) as usize
    }

    /// Which of the datagrams around the packet, from the outermost; None: the
    /// packet's own conversation.
    pub fn depth(self) -> Option<usize> {
        let depth = self.0 & Self::OWN;
        (depth != Self::OWN).then_some(depth as usize)
    }
}

/// The packets of a stretch.
#[derive(Clone, Copy)]
pub(super) struct Packets<'a> {
    packets: &'a [Packet],
    frames: Frames<'a>,
}

impl<'a> Packets<'a> {
    #[inline]
    pub fn get(&self, place: usize) -> Option<(&'a Packet, Frame<'a>)> {
        Some((self.packets.get(place)?, self.frames.get(place)?))
    }

    /// Has the processor fetch the packet at a place, where there is one.
    #[inline]
    pub fn prefetch(&self, place: usize) {
        self.packets.get(place).map(prefetch);
        self.frames.prefetch(place);
    }
}
