//! Captures read in one pass, by any number of threads.

use super::*;
use crate::message::Bodies;

/// Lists the messages' targets.
#[derive(Default)]
struct Targets(Vec<String>);

struct Shows;

impl Show for Shows {
    type Item = String;

    fn packet(&self, _: &Shown<'_>, _: &mut Vec<u8>) -> bool {
        true
    }

    fn message(&self, message: &Message, _: &Context) -> Option<String> {
        message.request.as_ref().map(|r| r.target.clone())
    }

    fn lookup(&self, _: &Lookup, _: &Context) -> Option<String> {
        None
    }

    fn conversation(&self, _: &Closed<message::Reader>, _: &Context) -> Option<String> {
        Some(String::new())
    }
}

impl Collect<String> for Targets {
    fn packets(&mut self, _: &[u8], _: &[(usize, Option<usize>)]) -> io::Result<()> {
        Ok(())
    }

    fn message(&mut self, target: String) -> io::Result<()> {
        self.0.push(target);
        Ok(())
    }

    fn conversation(&mut self, _: usize, _: String) -> io::Result<()> {
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a client sends to port 80, in a pcap file of IPv4 packets.
fn capture(sent: &[u8]) -> Vec<u8> {
    let mut file = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(262_144_u32.to_le_bytes());
    file.extend(101_u32.to_le_bytes());
    let mut seq = 1_u32;
    for piece in sent.chunks(60_000) {
        let len = 40 + piece.len();
        file.extend([0; 8]);
        file.extend([(len as u32).to_le_bytes(), (len as u32).to_le_bytes()].concat());
        file.extend([0x45, 0]);
        file.extend((len as u16).to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        file.extend([0x9C, 0x40, 0, 80]);
        file.extend(seq.to_be_bytes());
        file.extend([0, 0, 0, 1, 0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
        file.extend(piece);
        seq += piece.len() as u32;
    }
    file
}

fn targets(file: &[u8], threads: usize) -> Vec<String> {
    let settings = Settings {
        threads,
        limits: Limits::default(),
        messages: message::Settings {
            bodies: Bodies::Count,
            ..message::Settings::default()
        },
        packets: false,
    };
    let mut targets = Targets::default();
    let reader = Reader::new(file, "test").unwrap();
    inspect(reader, &settings, &Shows, &mut targets).unwrap();
    targets.0
}

/// What is shown of them is made piece by piece: before, all of a stretch's waited
/// together.
#[test]
fn messages_beyond_those_made_ahead_are_shown_in_their_order() {
    let get = |n: usize| format!("GET /{n} HTTP/1.1\n\n");
    let sent: String = (0..40_000).map(get).collect();
    let file = capture(sent.as_bytes());
    let expected: Vec<String> = (0..40_000).map(|n| format!("/{n}")).collect();
    assert_eq!(targets(&file, 1), expected);
    assert_eq!(targets(&file, 3), expected);
}
