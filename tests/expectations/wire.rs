//! Captures from lines of text: raw IPv4 between a client, 10.0.0.1:40000, and
//! a server, 10.0.0.2:80, a packet on each line.
//!
//! ```text
//! MS WAY FLAGS SEQ ACK [OPTION…] ["PAYLOAD"]     a TCP segment
//! MS WAY udp ["PAYLOAD"]                          a datagram
//! MS WAY icmp TYPE/CODE NUMBER                    an error about packet NUMBER
//! ```
//!
//! MS is milliseconds since the packet before; WAY is `>` from the client or
//! `<` from the server; FLAGS are letters of `SFRPAEW` (E: ECE, W: CWR); SEQ and
//! ACK are relative. Options: `mss=1460`, `wscale=7`, `sackok`, `sack=11-21`,
//! `ts=1/2`, `win=0`, `port=81` (the server's), `pad=1000` (so many bytes of
//! payload).

const CLIENT: ([u8; 4], u16) = ([10, 0, 0, 1], 40_000);
const SERVER: ([u8; 4], u16) = ([10, 0, 0, 2], 80);
/// First sequence numbers of client and server: near the end, so that they wrap.
const FIRST: (u32, u32) = (u32::MAX - 2, 7_000_000);

/// A classic pcap file of these packets.
pub fn capture(lines: &str) -> Vec<u8> {
    let mut file = Vec::new();
    // Nanoseconds, version 2.4, snap length 262144, LINKTYPE_RAW.
    for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    let mut packets: Vec<Vec<u8>> = Vec::new();
    let mut nanoseconds: u64 = 1_700_000_000_000_000_000;
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let (words, payload) = match line.split_once(" \"") {
            Some((words, rest)) => (words, unescaped(rest.strip_suffix('"').unwrap())),
            None => (line, Vec::new()),
        };
        let words: Vec<&str> = words.split_whitespace().collect();
        let milliseconds: f64 = words[0].parse().unwrap();
        nanoseconds += (milliseconds * 1e6) as u64;
        let packet = packet(&words[1..], payload, &packets);
        let len = packet.len() as u32;
        let seconds = (nanoseconds / 1_000_000_000) as u32;
        let rest = (nanoseconds % 1_000_000_000) as u32;
        for word in [seconds, rest, len, len] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&packet);
        packets.push(packet);
    }
    file
}

fn unescaped(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r").replace("\\n", "\n").into_bytes()
}

fn packet(words: &[&str], payload: Vec<u8>, sent: &[Vec<u8>]) -> Vec<u8> {
    let to_server = match words[0] {
        ">" => true,
        "<" => false,
        other => panic!("{other}"),
    };
    let (from, to) = if to_server {
        (CLIENT, SERVER)
    } else {
        (SERVER, CLIENT)
    };
    match words[1] {
        "udp" => {
            let mut datagram = Vec::new();
            for word in [from.1, to.1, 8 + payload.len() as u16, 0] {
                datagram.extend_from_slice(&word.to_be_bytes());
            }
            datagram.extend_from_slice(&payload);
            ip(17, from.0, to.0, &datagram)
        }
        "icmp" => {
            let (kind, code) = words[2].split_once('/').unwrap();
            let about: usize = words[3].parse().unwrap();
            let quoted = &sent[about - 1];
            let mut message = vec![
                kind.parse().unwrap(),
                code.parse().unwrap(),
                0,
                0,
                0,
                0,
                2,
                0,
            ];
            message.extend_from_slice(&quoted[..quoted.len().min(28)]);
            ip(1, from.0, to.0, &message)
        }
        flags => {
            let segment = segment(to_server, flags, &words[2..], payload);
            ip(6, from.0, to.0, &segment)
        }
    }
}

fn segment(to_server: bool, letters: &str, words: &[&str], mut payload: Vec<u8>) -> Vec<u8> {
    let (own, peers) = if to_server { FIRST } else { (FIRST.1, FIRST.0) };
    let seq = own.wrapping_add(words[0].parse().unwrap());
    let ack = match letters.contains('A') {
        true => peers.wrapping_add(words[1].parse().unwrap()),
        false => 0,
    };
    let flags: u8 = letters
        .chars()
        .map(|letter| 1 << "FSRPAUEW".find(letter).unwrap())
        .sum();
    let (mut window, mut port, mut options) = (60_000_u16, SERVER.1, Vec::new());
    for word in &words[2..] {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let two = |mark| value.split_once(mark).unwrap();
        match name {
            "mss" => {
                options.extend_from_slice(&[2, 4]);
                options.extend_from_slice(&value.parse::<u16>().unwrap().to_be_bytes());
            }
            "wscale" => options.extend_from_slice(&[1, 3, 3, value.parse().unwrap()]),
            "sackok" => options.extend_from_slice(&[1, 1, 4, 2]),
            "sack" => {
                options.extend_from_slice(&[1, 1, 5, 10]);
                let (left, right) = two('-');
                for edge in [left, right] {
                    let edge = peers.wrapping_add(edge.parse().unwrap());
                    options.extend_from_slice(&edge.to_be_bytes());
                }
            }
            "ts" => {
                options.extend_from_slice(&[1, 1, 8, 10]);
                let (value, echoed) = two('/');
                for stamp in [value, echoed] {
                    options.extend_from_slice(&stamp.parse::<u32>().unwrap().to_be_bytes());
                }
            }
            "win" => window = value.parse().unwrap(),
            "port" => port = value.parse().unwrap(),
            "pad" => payload.resize(value.parse().unwrap(), b'x'),
            other => panic!("{other}"),
        }
    }
    let ports = if to_server {
        (CLIENT.1, port)
    } else {
        (port, CLIENT.1)
    };
    let header = 20 + options.len();
    let mut segment = Vec::new();
    segment.extend_from_slice(&ports.0.to_be_bytes());
    segment.extend_from_slice(&ports.1.to_be_bytes());
    segment.extend_from_slice(&seq.to_be_bytes());
    segment.extend_from_slice(&ack.to_be_bytes());
    segment.extend_from_slice(&[(header as u8 / 4) << 4, flags]);
    segment.extend_from_slice(&window.to_be_bytes());
    segment.extend_from_slice(&[0; 4]);
    segment.extend_from_slice(&options);
    segment.extend_from_slice(&payload);
    segment
}

fn ip(protocol: u8, from: [u8; 4], to: [u8; 4], content: &[u8]) -> Vec<u8> {
    let len = 20 + content.len() as u16;
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&len.to_be_bytes());
    packet.extend_from_slice(&[0, 1, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend_from_slice(&from);
    packet.extend_from_slice(&to);
    packet.extend_from_slice(content);
    packet
}
