//! Simulated TCP transfers over a bad network, captured in its middle: losses
//! before and behind the capturing point, repeats, reordering, SACK and D-SACK,
//! readers that stall, probes, keep-alives. The same for the same seed.

use std::collections::BTreeMap;

use crate::traffic::{Chance, file};

const SYN: u8 = 2;
const ACK: u8 = 0x10;
const PSH: u8 = 8;
const FIN: u8 = 1;

/// A pcap file of some transfers, one after the other.
pub fn capture(seed: u64) -> Vec<u8> {
    let mut chance = Chance::new(seed);
    let mut frames = BTreeMap::new();
    let mut start = 1_000_000;
    for number in 0..10 {
        let mut transfer = Transfer::new(&mut chance, number, start);
        transfer.run();
        start = transfer.now + 500_000;
        for (time, frame) in transfer.captured {
            frames.insert((time, frames.len()), frame);
        }
    }
    let frames: Vec<(i64, Vec<u8>)> = frames.into_iter().map(|((t, _), f)| (t, f)).collect();
    file(&frames)
}

#[derive(Clone, Debug)]
struct Segment {
    from: usize,
    /// Relative to the sender's first number.
    seq: u32,
    ack: u32,
    flags: u8,
    len: u32,
    window: u32,
    sack: Vec<(u32, u32)>,
}

enum Event {
    Pass(Segment),
    Arrive(Segment),
    /// The sender's clock.
    Timer,
    /// The reader's.
    Read,
}

struct Transfer<'a> {
    chance: &'a mut Chance,
    number: u16,
    now: i64,
    events: BTreeMap<(i64, u64), Event>,
    order: u64,
    captured: Vec<(i64, Vec<u8>)>,
    isn: [u32; 2],
    scale: [Option<u8>; 2],
    with_sack: bool,
    timestamps: bool,
    /// In percent.
    loss: u64,
    jitter: u64,
    delay: i64,
    // The sender, host 0.
    size: u32,
    una: u32,
    next: u32,
    peer_window: u32,
    duplicates: u32,
    cwnd: u32,
    // The reader, host 1.
    received: u32,
    beyond: Vec<(u32, u32)>,
    buffer: u32,
    unread: u32,
    unacked: u32,
    announced: u32,
}

impl<'a> Transfer<'a> {
    fn new(chance: &'a mut Chance, number: u16, now: i64) -> Transfer<'a> {
        let scaled = chance.percent(70);
        let isn = [chance.isn(), chance.isn()];
        let scale = |shift| scaled.then_some(shift);
        Transfer {
            isn,
            scale: [scale(7), scale(2)],
            with_sack: chance.percent(70),
            timestamps: chance.percent(50),
            loss: chance.one_of(&[0, 1, 3, 10]),
            jitter: chance.one_of(&[0, 100, 3000]),
            delay: chance.one_of(&[50, 1000, 20_000]),
            size: 1 + chance.below(60) as u32 * 1000,
            number,
            now,
            events: BTreeMap::new(),
            order: 0,
            captured: Vec::new(),
            una: 1,
            next: 1,
            peer_window: 8000,
            duplicates: 0,
            cwnd: 4000,
            received: 1,
            beyond: Vec::new(),
            buffer: chance.one_of(&[4000, 8000, 16_000]),
            unread: 0,
            unacked: 0,
            announced: 0,
            chance,
        }
    }

    fn run(&mut self) {
        let handshake = self.chance.percent(80);
        if handshake {
            self.record(&self.segment(0, 0, 0, SYN, 0));
            self.now += self.delay;
            if self.chance.percent(10) {
                self.now += 1_000_000;
                self.record(&self.segment(0, 0, 0, SYN, 0));
            }
            self.record(&self.segment(1, 0, 1, SYN | ACK, 0));
            self.now += self.delay;
            self.record(&self.segment(0, 1, 1, ACK, 0));
        }
        self.send_more();
        self.at(200_000, Event::Timer);
        self.at(5000, Event::Read);
        for _ in 0..3000 {
            let Some(((time, _), event)) = self.events.pop_first() else {
                break;
            };
            self.now = time;
            match event {
                Event::Pass(segment) => {
                    self.record(&segment);
                    // Behind the capturing point.
                    if !self.chance.percent(self.loss) {
                        let delay = self.some_delay();
                        self.at(delay, Event::Arrive(segment));
                    }
                }
                Event::Arrive(segment) if segment.from == 0 => self.reader_gets(&segment),
                Event::Arrive(segment) => self.sender_gets(&segment),
                Event::Timer => self.timer(),
                Event::Read => self.read(),
            }
            if self.una > self.size {
                break;
            }
        }
        self.now += 100_000;
        if self.chance.percent(30) {
            for _ in 0..2 {
                let len = self.chance.below(2) as u32;
                self.record(&self.segment(0, self.next - 1, 1, ACK, len));
                self.now += self.delay;
                let ack = self.segment(1, 1, self.received, ACK, 0);
                self.record(&ack);
                self.now += 1_000_000;
            }
        }
        self.record(&self.segment(0, self.next, 1, FIN | ACK, 0));
        self.now += self.delay;
        self.record(&self.segment(1, 1, self.next + 1, FIN | ACK, 0));
        self.now += self.delay;
        self.record(&self.segment(0, self.next + 1, 2, ACK, 0));
    }

    fn at(&mut self, delay: i64, event: Event) {
        self.order += 1;
        self.events.insert((self.now + delay, self.order), event);
    }

    fn some_delay(&mut self) -> i64 {
        self.delay + self.chance.below(self.jitter + 1) as i64
    }

    fn segment(&self, from: usize, seq: u32, ack: u32, flags: u8, len: u32) -> Segment {
        let window = if from == 0 { 32_000 } else { self.announced };
        Segment {
            from,
            seq,
            ack,
            flags,
            len,
            window: if flags & SYN != 0 { 8000 } else { window },
            sack: Vec::new(),
        }
    }

    fn transmit(&mut self, segment: Segment) {
        // Before the capturing point.
        let delay = self.some_delay();
        if !self.chance.percent(self.loss) {
            self.at(delay, Event::Pass(segment));
        }
    }

    fn send_more(&mut self) {
        loop {
            let window_left = (self.una + self.peer_window).saturating_sub(self.next);
            let room = window_left.min((self.una + self.cwnd).saturating_sub(self.next));
            let left = (self.size + 1).saturating_sub(self.next);
            let len = room.min(left).min(1000);
            if len == 0 {
                return;
            }
            let push = if self.chance.percent(25) { PSH } else { 0 };
            let segment = self.segment(0, self.next, 1, ACK | push, len);
            self.next += len;
            self.transmit(segment);
        }
    }

    fn again(&mut self) {
        let len = (self.size + 1 - self.una)
            .min(1000)
            .min(self.next - self.una);
        if len > 0 {
            let segment = self.segment(0, self.una, 1, ACK, len);
            self.transmit(segment);
        }
    }

    fn timer(&mut self) {
        if self.una == self.next && self.peer_window == 0 {
            // A probe of one byte, or an old number without any.
            let probe = if self.chance.percent(60) {
                self.segment(0, self.next, 1, ACK, 1)
            } else {
                self.segment(0, self.next - 1, 1, ACK, 0)
            };
            self.transmit(probe);
        } else if self.una < self.next {
            self.cwnd = 2000;
            self.again();
        } else {
            self.send_more();
        }
        let pause = self.chance.one_of(&[30_000, 200_000, 400_000]);
        self.at(pause, Event::Timer);
    }

    fn sender_gets(&mut self, segment: &Segment) {
        if segment.ack > self.una {
            self.una = segment.ack;
            self.next = self.next.max(self.una);
            self.duplicates = 0;
            self.cwnd = (self.cwnd + 1000).min(20_000);
        } else if segment.ack == self.una && self.next > self.una {
            self.duplicates += 1;
            if self.duplicates == 3 {
                self.again();
            }
        }
        self.peer_window = segment.window;
        self.send_more();
    }

    fn reader_gets(&mut self, segment: &Segment) {
        let (start, end) = (segment.seq, segment.seq + segment.len);
        let window = self.buffer - self.unread.min(self.buffer);
        if end > self.received + window || segment.len == 0 {
            self.answer(Vec::new());
            return;
        }
        let mut report = Vec::new();
        if end <= self.received {
            report.push((start, end));
        } else if start > self.received {
            self.beyond.push((start, end));
            self.beyond.sort_unstable();
            let mut merged: Vec<(u32, u32)> = Vec::new();
            for (from, to) in self.beyond.drain(..) {
                match merged.last_mut() {
                    Some(last) if from <= last.1 => last.1 = last.1.max(to),
                    _ => merged.push((from, to)),
                }
            }
            self.beyond = merged;
        } else {
            let before = self.received;
            self.received = end;
            while let Some(first) = self.beyond.first().copied()
                && first.0 <= self.received
            {
                self.received = self.received.max(first.1);
                self.beyond.remove(0);
            }
            self.unread += self.received - before;
            self.unacked += 1;
            if self.unacked < 2 && self.beyond.is_empty() && self.chance.percent(70) {
                return;
            }
        }
        report.extend(self.beyond.iter().take(3));
        self.answer(report);
    }

    fn answer(&mut self, sack: Vec<(u32, u32)>) {
        self.unacked = 0;
        let window = self.buffer - self.unread.min(self.buffer);
        let shift = self.scale[1].unwrap_or(0);
        self.announced = window >> shift << shift;
        let mut segment = self.segment(1, 1, self.received, ACK, 0);
        if self.with_sack {
            segment.sack = sack;
        }
        self.transmit(segment);
    }

    fn read(&mut self) {
        let full = self.unread >= self.buffer;
        if self.chance.percent(70) {
            self.unread = 0;
            if full || self.unacked > 0 {
                self.answer(Vec::new());
            }
        }
        let pause = self.chance.one_of(&[1000, 5000, 40_000, 250_000]);
        self.at(pause, Event::Read);
    }

    fn record(&mut self, segment: &Segment) {
        let mut options: Vec<u8> = Vec::new();
        if segment.flags & SYN != 0 {
            options.extend([2, 4, 3, 232]);
            if let Some(shift) = self.scale[segment.from] {
                options.extend([1, 3, 3, shift]);
            }
            if self.with_sack {
                options.extend([1, 1, 4, 2]);
            }
        }
        if self.timestamps {
            options.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
        }
        let peer = 1 - segment.from;
        if !segment.sack.is_empty() {
            options.extend([1, 1, 5, 2 + 8 * segment.sack.len() as u8]);
            for (left, right) in &segment.sack {
                options.extend(self.isn[peer].wrapping_add(*left).to_be_bytes());
                options.extend(self.isn[peer].wrapping_add(*right).to_be_bytes());
            }
        }
        let header = 20 + options.len() as u8;
        let len = 20 + u16::from(header) + segment.len as u16;
        let mut frame = vec![0x45, 0];
        frame.extend(len.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        for side in [segment.from, peer] {
            frame.extend([10, 0, 1, 1 + side as u8]);
        }
        for side in [segment.from, peer] {
            let port = [30_000 + self.number, 9000][side];
            frame.extend(port.to_be_bytes());
        }
        let ack = if segment.flags & ACK != 0 {
            self.isn[peer].wrapping_add(segment.ack)
        } else {
            0
        };
        let window = if segment.flags & SYN != 0 {
            segment.window
        } else {
            segment.window >> self.scale[segment.from].unwrap_or(0)
        };
        frame.extend(
            self.isn[segment.from]
                .wrapping_add(segment.seq)
                .to_be_bytes(),
        );
        frame.extend(ack.to_be_bytes());
        frame.extend([(header / 4) << 4, segment.flags]);
        frame.extend((window as u16).to_be_bytes());
        frame.extend([0, 0, 0, 0]);
        frame.extend(options);
        frame.resize(usize::from(len), b'x');
        self.captured.push((self.now, frame));
    }
}
