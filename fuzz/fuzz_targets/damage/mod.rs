//! A capture of which something is missing, in each way that can be noticed.

/// A packet of each kind: `captures/make`.
pub const KINDS: Packets = Packets(include_bytes!("../../captures/kinds.pcap"));

/// What is missing of each of [`Packets::damaged`].
pub const WAYS: [&str; 5] = [
    "an answer was acknowledged and is not there",
    "a connection's SYN is not there",
    "a packet was dropped, as the file says",
    "packets are cut",
    "the file ends too early",
];

/// A pcap file.
pub struct Packets(&'static [u8]);

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

impl Packets {
    pub fn whole(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    pub fn damaged(&self) -> [Vec<u8>; WAYS.len()] {
        let answer = self.first(|frame| holds(frame, b"HTTP/1.1 200 OK"));
        // Of TCP from port 40000 to port 80, behind Ethernet and IPv4.
        let syn = self.first(|frame| frame.get(34..38) == Some(&[0x9C, 0x40, 0, 80]));
        let query = self.first(|frame| holds(frame, b"\x07example\x03org"));
        let cut_off = self.0.len() * 2 / 3;
        [
            self.without(answer),
            self.without(syn),
            self.dropped(query),
            self.cut(60),
            self.0.get(..cut_off).unwrap_or_default().to_vec(),
        ]
    }

    fn frames(&self) -> impl Iterator<Item = &'static [u8]> {
        let mut rest = self.0.get(FILE_HEADER..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (header, behind) = rest.split_first_chunk::<RECORD_HEADER>()?;
            let (_, len) = header.split_last_chunk::<8>()?;
            let len = u32::from_le_bytes(*len.first_chunk()?) as usize;
            let (frame, next) = behind.split_at_checked(len)?;
            rest = next;
            Some(frame)
        })
    }

    fn first(&self, is_it: impl Fn(&[u8]) -> bool) -> usize {
        self.frames().position(is_it).expect("it is in the capture")
    }

    /// As pcap, of each frame what `keep` gives.
    fn written(&self, keep: impl Fn(usize, &'static [u8]) -> Option<&'static [u8]>) -> Vec<u8> {
        let mut out = self.0.get(..FILE_HEADER).unwrap_or_default().to_vec();
        for (number, frame) in self.frames().enumerate() {
            let Some(kept) = keep(number, frame) else {
                continue;
            };
            out.extend(SECONDS.to_le_bytes());
            for word in [micros(number), kept.len() as u32, frame.len() as u32] {
                out.extend(word.to_le_bytes());
            }
            out.extend(kept);
        }
        out
    }

    fn without(&self, missing: usize) -> Vec<u8> {
        self.written(|number, frame| (number != missing).then_some(frame))
    }

    fn cut(&self, len: usize) -> Vec<u8> {
        self.written(|_, frame| Some(frame.get(..len).unwrap_or(frame)))
    }

    /// As pcapng, whose interface statistics say that the missing one was dropped.
    fn dropped(&self, missing: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let section = [0x1A2B_3C4D_u32, 1, u32::MAX, u32::MAX];
        block(&mut out, 0x0A0D_0D0A, &section, &[]);
        block(&mut out, 1, &[1, 65_535], &[]);
        for (number, frame) in self.frames().enumerate().filter(|(n, _)| *n != missing) {
            let time = u64::from(SECONDS) * 1_000_000 + u64::from(micros(number));
            let len = frame.len() as u32;
            let fields = [0, (time >> 32) as u32, time as u32, len, len];
            block(&mut out, 6, &fields, frame);
        }
        // isb_ifdrop, of eight bytes, and the options' end.
        block(&mut out, 5, &[0, 0, 0, 0x0008_0005, 1, 0, 0], &[]);
        out
    }
}

/// When `captures/make` has packets sent: each a millisecond behind the one before.
const SECONDS: u32 = 1_700_000_000;

fn micros(number: usize) -> u32 {
    (number as u32 + 1) * 1000
}

fn holds(frame: &[u8], text: &[u8]) -> bool {
    frame.windows(text.len()).any(|window| window == text)
}

/// A block of pcapng: its words, then bytes.
fn block(out: &mut Vec<u8>, kind: u32, words: &[u32], bytes: &[u8]) {
    let padding = bytes.len().next_multiple_of(4) - bytes.len();
    let len = (12 + 4 * words.len() + bytes.len() + padding) as u32;
    out.extend(kind.to_le_bytes());
    out.extend(len.to_le_bytes());
    words.iter().for_each(|word| out.extend(word.to_le_bytes()));
    out.extend(bytes);
    out.extend(std::iter::repeat_n(0, padding));
    out.extend(len.to_le_bytes());
}
