//! Invented TCP traffic: segments as chance has them, the same for the same
//! seed.

use std::ops::Range;

use netlab_capture::savefile::{InterfaceDescription, Timestamp, pcap};

const SYN: u8 = 2;
const RST: u8 = 4;
const PSH_ACK: u8 = 0x18;
const ACK: u8 = 0x10;
const FIN: u8 = 1;

/// So many are tried; others by `NETLAB_SEEDS=FIRST..END`, to look for what these
/// do not show.
pub fn seeds(usual: u64) -> Range<u64> {
    let Ok(wanted) = std::env::var("NETLAB_SEEDS") else {
        return 1..usual + 1;
    };
    let ends = wanted
        .split_once("..")
        .and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    ends.unwrap_or_else(|| panic!("NETLAB_SEEDS={wanted}: write FIRST..END"))
}

/// A pcap file of some dozens of connections.
pub fn capture(seed: u64) -> Vec<u8> {
    let mut traffic = Traffic {
        chance: Chance::new(seed),
        microseconds: 1_000_000,
        frames: Vec::new(),
    };
    for _ in 0..40 {
        traffic.connection();
    }
    file(&traffic.frames)
}

/// A pcap file of raw IP packets; times in microseconds.
pub fn file(frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let interface = InterfaceDescription {
        name: String::new(),
        link_type: 101,
        snaplen: 0,
    };
    let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
    for (microseconds, frame) in frames {
        let time = Timestamp(microseconds * 1000);
        writer.write_frame(time, frame.len() as u32, frame).unwrap();
    }
    writer.into_inner()
}

/// SplitMix64.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// An initial sequence number, often near the wrap.
    pub fn isn(&mut self) -> u32 {
        if self.percent(50) {
            self.next() as u32
        } else {
            u32::MAX - self.below(4000) as u32
        }
    }
}

/// What one side of a connection has sent.
struct Side {
    port: u16,
    next: u32,
    /// What it acknowledges.
    ack: u32,
    window: u16,
    sent: Vec<(u32, Vec<u8>)>,
}

struct Traffic {
    chance: Chance,
    microseconds: i64,
    frames: Vec<(i64, Vec<u8>)>,
}

impl Traffic {
    fn connection(&mut self) {
        let port = 40_000 + self.chance.below(30) as u16;
        let isn = [self.chance.isn(), self.chance.isn()];
        let side = |port, own: u32, peer: u32| Side {
            port,
            next: own.wrapping_add(1),
            ack: peer.wrapping_add(1),
            window: 500,
            sent: Vec::new(),
        };
        let mut sides = [side(port, isn[0], isn[1]), side(9000, isn[1], isn[0])];
        if self.chance.percent(85) && !self.handshake(&sides, isn) {
            return;
        }
        for _ in 0..self.chance.below(40) {
            self.event(&mut sides);
        }
    }

    /// Returns false for a refused connection.
    fn handshake(&mut self, sides: &[Side; 2], isn: [u32; 2]) -> bool {
        let scale = [self.chance.one_of(&[0, 7]), self.chance.one_of(&[0, 3])];
        let syns = if self.chance.percent(20) { 2 } else { 1 };
        for _ in 0..syns {
            self.send(sides, 0, isn[0], 0, SYN, 8000, &[], scale[0]);
        }
        let ack = isn[0].wrapping_add(1);
        if self.chance.percent(10) {
            self.send(sides, 1, 0, ack, RST | ACK, 0, &[], 0);
            return false;
        }
        let answers = self.chance.one_of(&[1, 1, 1, 1, 1, 1, 1, 2, 0]);
        for _ in 0..answers {
            self.send(sides, 1, isn[1], ack, SYN | ACK, 9000, &[], scale[1]);
        }
        if self.chance.percent(90) {
            self.send(sides, 0, ack, sides[0].ack, ACK, 500, &[], 0);
        }
        true
    }

    fn event(&mut self, sides: &mut [Side; 2]) {
        let from = usize::from(self.chance.percent(40));
        if self.chance.percent(15) {
            sides[from].window = self.chance.one_of(&[0, 0, 100, 500, 700]);
        }
        let (seq, ack, window) = (sides[from].next, sides[from].ack, sides[from].window);
        match self.chance.below(100) {
            0..30 => {
                let len = self.chance.one_of(&[1, 1, 5, 100, 1400]);
                let data: Vec<u8> = (0..len).map(|_| self.chance.next() as u8).collect();
                // Some segments are never seen.
                if self.chance.percent(85) {
                    self.send(sides, from, seq, ack, PSH_ACK, window, &data, 0);
                }
                sides[from].next = seq.wrapping_add(len);
                sides[from].sent.push((seq, data));
            }
            30..45 if !sides[from].sent.is_empty() => {
                let back = 1 + self.chance.below(4.min(sides[from].sent.len() as u64)) as usize;
                let (seq, data) = sides[from].sent[sides[from].sent.len() - back].clone();
                self.send(sides, from, seq, ack, PSH_ACK, window, &data, 0);
            }
            45..55 => {
                let data = self.chance.one_of(&[&b""[..], b"z"]);
                self.send(sides, from, seq.wrapping_sub(1), ack, ACK, window, data, 0);
            }
            55..60 => self.send(sides, from, seq, ack, ACK, window, b"q", 0),
            60..63 => {
                self.send(sides, from, seq, ack, FIN | ACK, window, &[], 0);
                sides[from].next = seq.wrapping_add(u32::from(self.chance.percent(80)));
            }
            63 => {
                let flags = self.chance.one_of(&[RST, RST | ACK]);
                self.send(sides, from, seq, ack, flags, 0, &[], 0);
            }
            _ => {
                if self.chance.percent(50) {
                    sides[from].ack = sides[1 - from].next;
                }
                self.send(sides, from, seq, sides[from].ack, ACK, window, &[], 0);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a header has as many fields")]
    fn send(
        &mut self,
        sides: &[Side; 2],
        from: usize,
        seq: u32,
        ack: u32,
        flags: u8,
        window: u16,
        data: &[u8],
        scale: u8,
    ) {
        let options: &[u8] = if scale > 0 { &[1, 3, 3, scale] } else { &[] };
        let header = 20 + options.len() as u8;
        let len = 20 + u16::from(header) + data.len() as u16;
        let mut frame = vec![0x45, 0];
        frame.extend(len.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        for side in [from, 1 - from] {
            frame.extend([10, 0, 0, 1 + side as u8]);
        }
        for side in [from, 1 - from] {
            frame.extend(sides[side].port.to_be_bytes());
        }
        frame.extend(seq.to_be_bytes());
        frame.extend(ack.to_be_bytes());
        frame.extend([(header / 4) << 4, flags]);
        frame.extend(window.to_be_bytes());
        frame.extend([0, 0, 0, 0]);
        frame.extend(options);
        frame.extend(data);
        self.frames.push((self.microseconds, frame));
        let pauses = [10, 100, 1000, 2500, 5000, 25_000, 300_000];
        self.microseconds += self.chance.one_of(&pauses);
    }
}
