//! What `inspect` finds does not depend on how many threads look, and is what
//! a Trace of the same capture holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use netlab_capture::conversation::{Closed, Limits};
use netlab_capture::inspect::{Collect, Context, Settings, Show, Shown, Tally, inspect};
use netlab_capture::message::{self, Lookup, Message};
use netlab_capture::savefile::{self, InterfaceDescription, Timestamp, pcap};
use netlab_capture::trace;

/// Shows everything in words.
struct Words;

impl Show for Words {
    type Item = String;

    fn packet(&self, shown: &Shown<'_>, lines: &mut Vec<u8>) -> bool {
        let name = shown.name.map(|name| (name.index, name.id));
        let tcp = &shown.seen.tcp;
        let since = shown.packet.time.since(shown.start);
        let before = shown.previous.map(|time| shown.packet.time.since(time));
        let line = writeln!(
            lines,
            "{} {since} {before:?} {name:?} {:?} {tcp:?}",
            shown.packet.number, shown.seen.direction
        );
        line.is_ok()
    }

    fn message(&self, message: &Message, context: &Context) -> Option<String> {
        let name = context.name;
        let mut message = message.clone();
        message.conversation = name.index;
        Some(format!("{} {message:?}", name.id))
    }

    fn lookup(&self, lookup: &Lookup, context: &Context) -> Option<String> {
        let mut lookup = lookup.clone();
        lookup.conversation = context.name.index;
        Some(format!("{lookup:?}"))
    }

    fn conversation(&self, closed: &Closed<message::Reader>, context: &Context) -> Option<String> {
        let name = context.name;
        let mut facts = closed.conversation.clone();
        facts.id = name.id;
        Some(format!("{facts:?}"))
    }
}

#[derive(Debug, Default, PartialEq)]
struct Collected {
    packets: String,
    displayed: u64,
    messages: Vec<String>,
    conversations: BTreeMap<usize, String>,
}

impl Collect<String> for Collected {
    fn packets(&mut self, lines: &[u8], displayed: &[(usize, Option<usize>)]) -> io::Result<()> {
        self.displayed += displayed.len() as u64;
        let text = std::str::from_utf8(lines).map_err(io::Error::other)?;
        self.packets.write_str(text).map_err(io::Error::other)
    }

    fn message(&mut self, item: String) -> io::Result<()> {
        self.messages.push(item);
        Ok(())
    }

    fn conversation(&mut self, index: usize, item: String) -> io::Result<()> {
        assert!(self.conversations.insert(index, item).is_none());
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn look(file: &[u8], threads: usize, limits: Limits) -> (Collected, Tally) {
    let settings = Settings {
        threads,
        limits,
        messages: message::Settings {
            packets: usize::MAX,
            parts: true,
            carried: true,
            sent: 0,
            ..message::Settings::default()
        },
        packets: true,
    };
    let mut collected = Collected::default();
    let reader = savefile::Reader::new(file, "x").unwrap();
    let totals = inspect(reader, &settings, &Words, &mut collected).unwrap();
    (collected, totals.tally)
}

/// The reference captures, and the corpus where it is.
fn captures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("NETLAB_CORPUS")
        .map_or_else(|| root.join("../shared/corpus"), PathBuf::from);
    let folders = [
        root.join("captures/reference"),
        corpus.join("truth"),
        corpus.join("nasty"),
    ];
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    files.flatten().map(|file| file.unwrap().path()).collect()
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let mut read = 0;
    for path in captures() {
        let file = fs::read(&path).unwrap();
        if savefile::Reader::new(file.as_slice(), "x").is_err() {
            continue;
        }
        read += 1;
        let alone = look(&file, 1, Limits::default());
        for threads in [2, 3, 16] {
            let several = look(&file, threads, Limits::default());
            assert_eq!(several, alone, "{} with {threads} threads", path.display());
        }
    }
    assert!(read > 10, "the reference captures are not where they were");
}

#[test]
fn what_is_found_is_what_a_trace_holds() {
    for path in captures() {
        let name = path.display().to_string();
        let Ok(trace) = trace::read(File::open(&path).unwrap(), &name, None) else {
            continue;
        };
        let (found, tally) = look(&fs::read(&path).unwrap(), 2, Limits::default());
        assert_eq!(tally.all.frames, trace.packets.len() as u64, "{name}");
        assert_eq!(found.displayed, tally.all.frames, "{name}");
        let conversations: Vec<String> = trace
            .conversations
            .iter()
            .map(|facts| format!("{facts:?}"))
            .collect();
        let in_order: Vec<String> = found.conversations.into_values().collect();
        assert_eq!(in_order, conversations, "{name}");
        let lookups = |m: &&String| m.starts_with("Lookup");
        let lookups = found.messages.iter().filter(lookups).count();
        assert_eq!(
            found.messages.len() - lookups,
            trace.messages.len(),
            "{name}"
        );
    }
}

/// Each of some flows beside a tunnel, in it, and back through another one: raw IP,
/// with VXLAN and Ethernet around it.
fn in_and_beside_tunnels(flows: u16) -> Vec<u8> {
    let interface = InterfaceDescription {
        name: String::new(),
        link_type: 101,
        snaplen: 0,
    };
    let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
    let datagram = |src: (u8, u16), dst: (u8, u16), payload: &[u8]| {
        let mut bytes = vec![0x45, 0];
        bytes.extend((28 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, src.0, 10, 0, 0, dst.0]);
        bytes.extend(src.1.to_be_bytes());
        bytes.extend(dst.1.to_be_bytes());
        bytes.extend((8 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(payload);
        bytes
    };
    let through = |src, dst, inner: &[u8]| {
        let header = [8, 0, 0, 0, 0, 0, 5, 0];
        let ethernet = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        datagram(src, dst, &[&header, &ethernet[..], inner].concat())
    };
    let mut time = 0;
    for flow in 0..flows {
        let (client, server) = ((1, 40000 + flow), (2, 7000));
        let (there, back) = (
            datagram(client, server, b"hello"),
            datagram(server, client, b"HELLO"),
        );
        for frame in [
            through((8, 50000 + flow), (9, 4789), &there),
            there,
            through((9, 60000 + flow), (8, 4789), &back),
            through((8, 50000 + flow), (9, 4789), &back),
            back,
        ] {
            time += 1_000_000;
            let len = frame.len() as u32;
            writer.write_frame(Timestamp(time), len, &frame).unwrap();
        }
    }
    writer.into_inner()
}

/// As in Wireshark: addresses and ports tell conversations apart, and nothing else.
#[test]
fn a_flow_in_a_tunnel_and_beside_it_is_one_conversation() {
    let file = in_and_beside_tunnels(40);
    let trace = trace::read(file.as_slice(), "x", None).unwrap();
    let conversations: Vec<String> = trace
        .conversations
        .iter()
        .map(|facts| format!("{facts:?}"))
        .collect();
    // The flow, the tunnel there and the one back.
    assert_eq!(conversations.len(), 3 * 40);
    for threads in [1, 3] {
        let (found, _) = look(&file, threads, Limits::default());
        let found: Vec<String> = found.conversations.into_values().collect();
        assert_eq!(found, conversations);
    }
}

/// Many short connections, some of them at the same time.
fn many(connections: u32) -> Vec<u8> {
    let interface = InterfaceDescription {
        name: String::new(),
        link_type: 101,
        snaplen: 0,
    };
    let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
    let mut time = 0;
    let mut write =
        |to_server: bool, connection: u32, seq: u32, ack: u32, flags: u8, data: &[u8]| {
            let client = (
                Ipv4Addr::from_bits(0x0A00_0000 + connection / 100),
                1024 + connection as u16,
            );
            let server = (Ipv4Addr::new(10, 1, 0, 1), 80);
            let (src, dst) = if to_server {
                (client, server)
            } else {
                (server, client)
            };
            let mut frame = vec![0x45, 0];
            frame.extend((40 + data.len() as u16).to_be_bytes());
            frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
            frame.extend(src.0.octets());
            frame.extend(dst.0.octets());
            frame.extend(src.1.to_be_bytes());
            frame.extend(dst.1.to_be_bytes());
            frame.extend(seq.to_be_bytes());
            frame.extend(ack.to_be_bytes());
            frame.extend([0x50, flags, 4, 0, 0, 0, 0, 0]);
            frame.extend(data);
            time += 1_000_000;
            writer
                .write_frame(Timestamp(time), frame.len() as u32, &frame)
                .unwrap();
        };
    let get = b"GET / HTTP/1.1\r\n\r\n";
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    // Each step of a connection comes beside other steps of the next ones.
    for tick in 0..connections + 8 {
        for step in 0..8 {
            let Some(n) = tick.checked_sub(step).filter(|n| *n < connections) else {
                continue;
            };
            let (up, down) = (1 + get.len() as u32, 1 + ok.len() as u32);
            match step {
                0 => write(true, n, 0, 0, 0x02, b""),
                1 => write(false, n, 0, 1, 0x12, b""),
                2 => write(true, n, 1, 1, 0x10, b""),
                3 => write(true, n, 1, 1, 0x18, get),
                4 => write(false, n, 1, up, 0x18, ok),
                5 if n % 3 == 0 => write(false, n, down, up, 0x14, b""),
                5 => write(true, n, up, down, 0x11, b""),
                6 if n % 3 == 1 => write(false, n, down, up + 1, 0x11, b""),
                _ => {}
            }
        }
    }
    writer.into_inner()
}

/// Conversations that are closed for want of room are the same ones.
#[test]
fn bounds_do_not_depend_on_threads_either() {
    let file = many(3000);
    let narrow = Limits {
        conversations: 200,
        ..Limits::default()
    };
    let alone = look(&file, 1, narrow);
    assert!(alone.1.bitten.conversations.conversations > 0);
    assert_eq!(alone.0.conversations.len(), 3000);
    assert_eq!(alone.0.messages.len(), 3000);
    for threads in [2, 5] {
        assert_eq!(look(&file, threads, narrow), alone);
    }
}
