//! IP fragments put together again.
//!
//! The upper layer is read at the fragment that completes the datagram, in
//! whatever order they came (as Wireshark does). The reassembled bytes begin
//! with that frame's own link and IP header, followed by the whole payload: so
//! what is said of positions in the frame's headers holds for both, and
//! [`Packet::data`] is all that a reader needs to know.
//!
//! Where fragments overlap, what came first stays. Bytes that contradict it are
//! reported; over IPv6 they discard the datagram (RFC 5722). Equal copies are no
//! fault. What is unfinished is given up after the time that Linux allows, or
//! where there is too much of it: a capture cannot make this grow.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use super::fault::First;
use super::frame::upwards;
use super::network::{self, Fragment, Network};
use super::{
    Layer, Link, Net, Packet, Reason, Reassembled, Span, Transport, Trouble, Unfinished, Vlan,
};
use crate::savefile::{Frame, Timestamp};

/// Bounds on what is kept of unfinished datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentLimits {
    /// Bytes of all fragments that wait.
    pub bytes: usize,
    /// Datagrams that wait.
    pub datagrams: usize,
    /// Nanoseconds of packet time that an IPv4 datagram waits.
    pub ipv4: i64,
    /// Nanoseconds of packet time that an IPv6 datagram waits.
    pub ipv6: i64,
}

impl Default for FragmentLimits {
    /// The times of Linux: 30 s and 60 s. Its 4 MiB are one host's; a capture has
    /// the datagrams of many.
    fn default() -> FragmentLimits {
        FragmentLimits {
            bytes: 16 << 20,
            datagrams: 16_384,
            ipv4: 30_000_000_000,
            ipv6: 60_000_000_000,
        }
    }
}

/// What came of the fragmented datagrams of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentCounts {
    /// Reassembled.
    pub complete: u64,
    /// Given up: the missing fragments did not come in time.
    pub late: u64,
    /// Given up: too many bytes or datagrams waited.
    pub crowded: u64,
    /// Given up: overlapping fragments contradicted each other (IPv6).
    pub contradictory: u64,
    /// Still waiting.
    pub waiting: u64,
}

/// The longest payload of an IP packet; what claims more is an attack.
const LONGEST: u32 = u16::MAX as u32;

/// What a piece takes beside its bytes, roughly.
const PIECE: usize = 64;

/// What the fragments of one datagram have in common (RFC 791, RFC 8200).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    /// IPv4 only.
    protocol: u8,
    /// How many IP headers are around it.
    depth: u8,
    /// On two networks it is two datagrams.
    vlan: Vlan,
}

/// One fragment's payload and its place in the datagram's.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    offset: u32,
    more: bool,
    /// Protocol of what begins at offset 0.
    next: u8,
    bytes: &'a [u8],
}

impl Piece<'_> {
    fn end(&self) -> u32 {
        self.offset + self.bytes.len() as u32
    }
}

/// A datagram whose fragments did not all come yet.
#[derive(Debug)]
struct Datagram {
    first_seen: Timestamp,
    serial: u64,
    pieces: BTreeMap<u32, Vec<u8>>,
    /// Bytes in `pieces`.
    size: usize,
    /// What they take of the memory allowed.
    cost: usize,
    /// Where it ends, once the last fragment came.
    end: Option<u32>,
    /// Protocol of what it carries, once the first fragment came.
    next: Option<u8>,
    frames: Vec<u64>,
}

/// Keeps fragments until their datagrams are whole.
#[derive(Debug, Default)]
pub struct Defragmenter {
    limits: FragmentLimits,
    waiting: HashMap<Key, Datagram>,
    /// In the order of their first fragments; some are no longer waiting.
    order: VecDeque<(Key, u64)>,
    bytes: usize,
    serial: u64,
    counts: FragmentCounts,
    notes: Option<Box<Notes>>,
}

/// What became of fragments, for who has the packets still.
#[derive(Debug, Default)]
struct Notes {
    /// By the packets' numbers.
    unfinished: Vec<(u64, Unfinished)>,
    /// Datagrams that were put together just now.
    whole: HashMap<Key, Done>,
    /// In the order in which they were.
    order: VecDeque<(Key, Timestamp)>,
}

/// A datagram that was put together.
#[derive(Debug)]
struct Done {
    at: Timestamp,
    /// Of each piece: its place, its length, and a hash of its bytes.
    pieces: Vec<(u32, usize, u64)>,
}

/// A packet that is captured on two interfaces comes twice within this time.
/// Nanoseconds.
const TWICE: i64 = 3_000_000;

impl Notes {
    fn give_up(&mut self, datagram: &Datagram, why: Unfinished) {
        let frames = datagram.frames.iter();
        self.unfinished.extend(frames.map(|number| (*number, why)));
    }

    fn complete(&mut self, key: Key, at: Timestamp, pieces: &BTreeMap<u32, Vec<u8>>) {
        while let Some((key, then)) = self.order.front().copied()
            && at.since(then) >= TWICE
        {
            self.order.pop_front();
            if self.whole.get(&key).is_some_and(|done| done.at == then) {
                self.whole.remove(&key);
            }
        }
        let pieces = pieces.iter();
        let pieces = pieces.map(|(offset, bytes)| (*offset, bytes.len(), hash(bytes)));
        let pieces = pieces.collect();
        self.whole.insert(key, Done { at, pieces });
        self.order.push_back((key, at));
    }

    fn is_copy(&self, key: &Key, now: Timestamp, piece: &Piece<'_>) -> bool {
        let done = self.whole.get(key);
        done.is_some_and(|done| {
            let this = (piece.offset, piece.bytes.len(), hash(piece.bytes));
            now.since(done.at) < TWICE && done.pieces.contains(&this)
        })
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl Defragmenter {
    pub fn new(limits: FragmentLimits) -> Defragmenter {
        Defragmenter {
            limits,
            ..Defragmenter::default()
        }
    }

    /// Notes of each fragment why it did not come to a datagram: memory grows with them.
    pub fn noting() -> Defragmenter {
        Defragmenter {
            notes: Some(Box::default()),
            ..Defragmenter::default()
        }
    }

    /// The fragments whose datagrams were given up, by their packets' numbers. Of others
    /// that are missing in every [`Reassembled::frames`] the rest did not come.
    pub fn take_unfinished(&mut self) -> Vec<(u64, Unfinished)> {
        let notes = self.notes.as_mut();
        notes.map_or_else(Vec::new, |notes| std::mem::take(&mut notes.unfinished))
    }

    pub fn counts(&self) -> FragmentCounts {
        FragmentCounts {
            waiting: self.waiting.len() as u64,
            ..self.counts
        }
    }

    /// Takes the next packet in file order, decoded from `frame`. A fragment's
    /// upper layer is read again where it completes its datagram.
    #[inline]
    pub fn packet(&mut self, packet: &mut Packet, frame: &Frame<'_>) {
        if packet.is_fragment() {
            self.fragment(packet, frame);
        }
    }

    #[inline(never)]
    fn fragment(&mut self, packet: &mut Packet, frame: &Frame<'_>) {
        // Each turn takes one layer of tunnels further in.
        while packet.is_fragment() {
            let Some(mut whole) = self.piece(packet, frame) else {
                return;
            };
            let start = whole.start;
            let upper = Network {
                protocol: whole.next,
                payload: Span {
                    start,
                    len: whole.bytes.len() as u32 - start,
                },
                claimed: whole.bytes.len() as u32 - start,
                fragment: Fragment::Whole,
            };
            let mut first = First::default();
            let upper = network::behind(upper, &whole.bytes, &mut packet.net, &mut first);
            packet.transport = Transport::None;
            whole.frames.sort_unstable();
            let bytes = whole.bytes;
            upwards(&bytes, upper, packet, &mut first);
            packet.extra.get_or_insert_default().reassembled = Some(Reassembled {
                bytes,
                frames: whole.frames,
                start,
                depth: whole.depth,
            });
            if packet.trouble.is_none() {
                packet.trouble = first.0.map(|fault| fault.into_trouble(false));
            }
            if !packet.is_fragment() {
                return;
            }
        }
    }

    /// Keeps one fragment; the whole datagram where it is the last one missing.
    fn piece(&mut self, packet: &mut Packet, frame: &Frame<'_>) -> Option<Whole> {
        let depth = packet.outer().len() as u8;
        let vlan = match packet.link {
            Link::Ethernet(ethernet) => ethernet.vlan,
            Link::LinuxCooked(cooked) => cooked.vlan,
            _ => Vlan::default(),
        };
        let bytes = packet.data(frame.data);
        let net = packet.net.as_ref()?;
        // Of a cut one nothing is kept. Wireshark, too, shows what it has of it.
        let found = network::fragment(net, bytes)?;
        let (layer, protocol) = match net {
            Net::V4(ip) => (Layer::Ip, ip.protocol),
            Net::V6(_) => (Layer::Ipv6Fragment, 0),
        };
        let key = Key {
            src: net.src(),
            dst: net.dst(),
            id: found.id,
            protocol,
            depth,
            vlan,
        };
        let piece = Piece {
            offset: found.offset,
            more: found.more,
            next: found.next,
            bytes: found.payload.of(bytes),
        };
        let notes = self.notes.as_ref();
        let is_copy = notes.is_some_and(|notes| notes.is_copy(&key, packet.time, &piece));
        let outcome = if piece.end() > LONGEST {
            Outcome::Fault(Reason::TooLong { end: piece.end() })
        } else {
            self.add(key, packet.number, packet.time, piece)
        };

        let start = found.payload.start;
        let mut whole = None;
        let mut reason = None;
        match outcome {
            Outcome::Waits if is_copy => {
                packet.extra.get_or_insert_default().unfinished = Some(Unfinished::Copy);
            }
            Outcome::Waits => {}
            Outcome::Fault(fault) => reason = Some(fault),
            Outcome::Complete {
                datagram,
                contradicts,
            } => {
                reason = contradicts.then_some(Reason::Overlap);
                if let Some(notes) = &mut self.notes {
                    notes.complete(key, packet.time, &datagram.pieces);
                }
                let header = bytes.get(..start as usize)?;
                let mut bytes = Vec::with_capacity(header.len() + datagram.size);
                bytes.extend_from_slice(header);
                for piece in datagram.pieces.values() {
                    bytes.extend_from_slice(piece);
                }
                whole = Some(Whole {
                    bytes,
                    start,
                    next: datagram.next?,
                    frames: datagram.frames,
                    depth,
                });
            }
        }
        // It is part of something, and read with that.
        packet.transport = Transport::Fragment;
        if packet.trouble.is_none() {
            packet.trouble = reason.map(|reason| Trouble::Malformed { layer, reason });
        }
        whole
    }

    fn add(&mut self, key: Key, number: u64, now: Timestamp, piece: Piece<'_>) -> Outcome {
        self.give_up_late_ones(now);
        let serial = self.serial;
        let datagram = self.waiting.entry(key).or_insert_with(|| Datagram {
            first_seen: now,
            serial,
            pieces: BTreeMap::new(),
            size: 0,
            cost: 0,
            end: None,
            next: None,
            frames: Vec::new(),
        });
        if datagram.serial == serial {
            self.serial += 1;
            self.order.push_back((key, serial));
        }
        let before = datagram.cost;
        let agrees = datagram.add(piece, number);
        self.bytes += datagram.cost - before;
        let complete = datagram.is_complete();

        if !agrees && key.src.is_ipv6() {
            self.give_up(&key, Unfinished::Contradicted);
            self.counts.contradictory += 1;
            return Outcome::Fault(Reason::Overlap);
        }
        if complete {
            self.counts.complete += 1;
            return match self.remove(&key) {
                Some(datagram) => Outcome::Complete {
                    datagram,
                    contradicts: !agrees,
                },
                None => Outcome::Waits,
            };
        }
        self.make_room();
        if agrees {
            Outcome::Waits
        } else {
            Outcome::Fault(Reason::Overlap)
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Datagram> {
        let datagram = self.waiting.remove(key)?;
        self.bytes -= datagram.cost;
        Some(datagram)
    }

    fn give_up(&mut self, key: &Key, why: Unfinished) {
        let datagram = self.remove(key);
        if let Some((notes, datagram)) = self.notes.as_mut().zip(datagram) {
            notes.give_up(&datagram, why);
        }
    }

    fn give_up_late_ones(&mut self, now: Timestamp) {
        while let Some((key, serial)) = self.order.front().copied() {
            if let Some(datagram) = self.waiting.get(&key).filter(|d| d.serial == serial) {
                let patience = match key.src {
                    IpAddr::V4(_) => self.limits.ipv4,
                    IpAddr::V6(_) => self.limits.ipv6,
                };
                if now.since(datagram.first_seen) <= patience {
                    return;
                }
                self.give_up(&key, Unfinished::Late);
                self.counts.late += 1;
            }
            self.order.pop_front();
        }
    }

    /// The oldest go first.
    fn make_room(&mut self) {
        while self.bytes > self.limits.bytes || self.waiting.len() > self.limits.datagrams {
            let Some((key, serial)) = self.order.pop_front() else {
                return;
            };
            if self.waiting.get(&key).is_some_and(|d| d.serial == serial) {
                self.give_up(&key, Unfinished::CrowdedOut);
                self.counts.crowded += 1;
            }
        }
        // Those that were completed are taken out here, not one by one.
        if self.order.len() > 2 * self.limits.datagrams.max(self.waiting.len()) {
            let waiting = &self.waiting;
            self.order
                .retain(|(key, serial)| waiting.get(key).is_some_and(|d| d.serial == *serial));
        }
    }
}

enum Outcome {
    Waits,
    Fault(Reason),
    Complete {
        datagram: Datagram,
        contradicts: bool,
    },
}

/// A reassembled datagram behind the headers of the frame that completed it.
struct Whole {
    bytes: Vec<u8>,
    /// Where the payload begins.
    start: u32,
    next: u8,
    frames: Vec<u64>,
    depth: u8,
}

impl Datagram {
    /// Adds what is new of a piece. False where it contradicts what is there.
    fn add(&mut self, piece: Piece<'_>, number: u64) -> bool {
        let mut agrees = true;
        let furthest = self
            .pieces
            .last_key_value()
            .map_or(0, |(offset, bytes)| offset + bytes.len() as u32);
        if !piece.more {
            match self.end {
                None if furthest > piece.end() => agrees = false,
                None => self.end = Some(piece.end()),
                Some(end) => agrees = end == piece.end(),
            }
        }
        if self.end.is_some_and(|end| piece.end() > end) {
            agrees = false;
        }
        if !agrees {
            return false;
        }
        if piece.offset == 0 && self.next.is_none() {
            self.next = Some(piece.next);
        }
        self.frames.push(number);
        // A copy, too, takes memory, however often it comes.
        self.cost += size_of::<u64>();
        self.insert(piece.offset, piece.bytes)
    }

    /// Fills the holes between what is there with `bytes`, which begin at
    /// `offset`. False where they differ from what is there.
    fn insert(&mut self, offset: u32, bytes: &[u8]) -> bool {
        let mut agrees = true;
        let mut at = offset;
        let end = offset + bytes.len() as u32;
        let part = |from: u32, to: u32| {
            let range = (from - offset) as usize..(to - offset) as usize;
            bytes.get(range).unwrap_or(&[])
        };
        while at < end {
            // The piece that covers `at`, or the one after it.
            let before = self.pieces.range(..=at).next_back();
            let covering = before.filter(|(start, piece)| **start + piece.len() as u32 > at);
            match covering {
                Some((start, piece)) => {
                    let to = end.min(start + piece.len() as u32);
                    let range = (at - start) as usize..(to - start) as usize;
                    agrees &= piece.get(range) == Some(part(at, to));
                    at = to;
                }
                None => {
                    let next = self.pieces.range(at..).next().map(|(start, _)| *start);
                    let to = next.map_or(end, |next| next.min(end));
                    let new = part(at, to).to_vec();
                    self.size += new.len();
                    self.cost += new.len() + PIECE;
                    self.pieces.insert(at, new);
                    at = to;
                }
            }
        }
        agrees
    }

    fn is_complete(&self) -> bool {
        self.next.is_some() && self.end.is_some_and(|end| end as usize == self.size)
    }
}
