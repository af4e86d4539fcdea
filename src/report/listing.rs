//! `packets[]` as a whole.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::build::role_name;
use super::comments::Comments;
use super::packet::Packet;
use super::stable::{PortNames, stabilise_packet};
use crate::expect::Outcome;
use crate::trace::Trace;

/// A capture of so many packets is not excerpted.
const SHORT: usize = 1000;
/// An excerpt has so many packets of each end,
const ENDS: usize = 64;
/// and so many on each side of one where expectation and wire part.
const AROUND: usize = 8;

/// The packets of a report. Each is made when it is asked for, so that a long
/// capture takes no more memory than its trace does, which this holds.
#[derive(Clone, Debug)]
pub struct Packets(Source);

#[derive(Clone, Debug)]
enum Source {
    Trace(Arc<Listing>),
    Made(Vec<Packet<'static>>),
}

#[derive(Debug)]
struct Listing {
    trace: Trace,
    comments: Comments,
    /// Where the byte-stable form is asked for.
    names: Option<PortNames>,
}

impl Listing {
    fn packet(&self, index: usize) -> Option<Packet<'_>> {
        let mut packet = Packet::of(&self.trace, index)?;
        let from = packet.from.as_deref();
        packet.comment = self.comments.on(packet.frame.number, from);
        Some(packet)
    }
}

impl Packets {
    pub(super) fn of(trace: Trace, outcomes: &[Outcome], names: Option<PortNames>) -> Packets {
        let comments = Comments::new(&trace, outcomes);
        Packets(Source::Trace(Arc::new(Listing {
            trace,
            comments,
            names,
        })))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Source::Trace(listing) => listing.trace.packets.len(),
            Source::Made(packets) => packets.len(),
        }
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Packet<'_>> {
        let mut names = match &self.0 {
            Source::Trace(listing) => listing.names.clone(),
            Source::Made(_) => None,
        };
        (0..self.len())
            .filter_map(|index| self.get(index))
            .map(move |mut packet| {
                if let Some(names) = &mut names {
                    stabilise_packet(&mut packet, names);
                }
                packet
            })
    }

    fn get(&self, index: usize) -> Option<Packet<'_>> {
        match &self.0 {
            Source::Trace(listing) => listing.packet(index),
            Source::Made(packets) => packets.get(index).cloned(),
        }
    }

    /// As many as a terminal shows: of a long capture those at its ends, and
    /// around the given frame numbers.
    #[must_use]
    pub fn excerpt(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<Packet<'_>> {
        let all = self.len();
        if all <= SHORT {
            return self.iter().collect();
        }
        let mut indices: BTreeSet<usize> = (0..ENDS).chain(all - ENDS..all).collect();
        for number in numbers {
            let at = self.position(number);
            indices.extend(at.saturating_sub(AROUND)..(at + AROUND).min(all));
        }
        let packets = indices.into_iter().filter_map(|index| self.get(index));
        packets.collect()
    }

    /// Where the frame of this number stands, or would.
    fn position(&self, number: u64) -> usize {
        match &self.0 {
            Source::Trace(listing) => {
                let packets = &listing.trace.packets;
                packets.partition_point(|packet| packet.number < number)
            }
            Source::Made(packets) => packets.partition_point(|p| p.frame.number < number),
        }
    }

    /// The comments of each packet that has some, with its frame number.
    pub fn comments(&self) -> impl Iterator<Item = (u64, Vec<String>)> {
        let of = |index: usize| match &self.0 {
            Source::Trace(listing) => {
                let trace = &listing.trace;
                let number = trace.packets.get(index)?.number;
                let from = trace.ends.get(index).map(|ends| ends.from);
                let from = from.and_then(|owner| role_name(trace, owner));
                Some((number, listing.comments.on(number, from.as_deref())))
            }
            Source::Made(packets) => {
                let packet = packets.get(index)?;
                Some((packet.frame.number, packet.comment.clone()))
            }
        };
        (0..self.len())
            .filter_map(of)
            .filter(|(_, comments)| !comments.is_empty())
    }

    /// The file that they are read from was cut short meanwhile: they may not be
    /// what was in it.
    #[must_use]
    pub fn are_lost(&self) -> bool {
        match &self.0 {
            Source::Trace(listing) => listing.trace.frames.are_lost(),
            Source::Made(_) => false,
        }
    }
}

impl From<Vec<Packet<'static>>> for Packets {
    fn from(packets: Vec<Packet<'static>>) -> Packets {
        Packets(Source::Made(packets))
    }
}

impl Serialize for Packets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl JsonSchema for Packets {
    fn schema_name() -> Cow<'static, str> {
        Vec::<Packet<'_>>::schema_name()
    }

    fn inline_schema() -> bool {
        Vec::<Packet<'_>>::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Packet<'_>>::json_schema(generator)
    }
}
