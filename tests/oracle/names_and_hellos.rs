//! What DNS messages and TLS hellos say, against tshark's dns.* and tls.*
//! fields.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use netlab_capture::conversation::{Limits, Receiver, Tracker};
use netlab_capture::decode::{Defragmenter, decode};
use netlab_capture::message::Waits;
use netlab_capture::message::dns::{self, Data, Record};
use netlab_capture::message::tls::{self, Hello};
use netlab_capture::savefile::Reader;

use crate::corpus;
use crate::tshark::{self, tshark};

#[derive(Default)]
struct Found {
    dns: Vec<dns::Seen>,
    tls: Vec<tls::Seen>,
}

fn found_in(entry: &corpus::Entry) -> Found {
    let mut found = <(dns::Reader, tls::Reader) as Receiver>::Found::default();
    let file = File::open(&entry.path).unwrap();
    let Ok(mut reader) = Reader::new(file, &entry.file) else {
        return Found::default();
    };
    let mut tracker: Tracker<(dns::Reader, tls::Reader)> =
        Tracker::new(Limits::default(), (Waits::default(), ()));
    let mut defragmenter = Defragmenter::default();
    let mut index = 0;
    while let Some(frame) = reader.next_frame().unwrap() {
        let mut packet = decode(&frame);
        defragmenter.packet(&mut packet, &frame);
        tracker.packet(index, &packet, packet.data(frame.data), &mut found);
        index += 1;
    }
    tracker.close_all(&mut found);
    Found {
        dns: found.0,
        tls: found.1,
    }
}

/// tshark's values of these fields, by frame number, of the frames it shows.
fn rows(path: &Path, filter: &str, fields: &[&str]) -> BTreeMap<usize, Vec<String>> {
    let mut arguments = vec!["-r", path.to_str().unwrap(), "-n", "-2", "-Y", filter];
    arguments.extend(["-T", "fields", "-E", "aggregator=|", "-e", "frame.number"]);
    for field in fields {
        arguments.extend(["-e", field]);
    }
    let lines = tshark(arguments).stdout;
    let row = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        (columns.next().unwrap().parse().unwrap(), columns.collect())
    };
    lines.lines().map(row).collect()
}

const DNS_FIELDS: [&str; 25] = [
    "dns.id",
    "dns.flags",
    "dns.flags.rcode",
    "dns.count.queries",
    "dns.count.answers",
    "dns.count.auth_rr",
    "dns.count.add_rr",
    "dns.qry.name",
    "dns.qry.type",
    "dns.qry.class",
    "dns.resp.name",
    "dns.resp.type",
    "dns.resp.ttl",
    "dns.a",
    "dns.aaaa",
    "dns.cname",
    "dns.ns",
    "dns.ptr.domain_name",
    "dns.mx.mail_exchange",
    "dns.txt",
    "dns.soa.mname",
    "dns.srv.target",
    "dns.response_to",
    "dns.time",
    "_ws.malformed",
];

fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    texts.join("|")
}

fn dns_row(seen: &dns::Seen) -> Vec<String> {
    let message = &seen.message;
    let sections = [&message.answers, &message.authorities, &message.additionals];
    let records = || sections.into_iter().flatten();
    let names = |kind: u16| {
        joined(records().filter_map(move |record| match &record.data {
            Data::Name(name) if record.kind == kind => Some(name),
            _ => None,
        }))
    };
    let data = |pick: fn(&Data) -> Option<String>| {
        joined(records().filter_map(move |record: &Record| pick(&record.data)))
    };
    let questions = &message.questions;
    let mut row = vec![
        format!("0x{:04x}", message.id),
        format!("0x{:04x}", message.flags),
        if message.is_response() {
            message.rcode().to_string()
        } else {
            String::new()
        },
    ];
    row.extend(message.counts.map(|count| count.to_string()));
    row.extend([
        joined(questions.iter().map(|q| &q.name)),
        joined(questions.iter().map(|q| q.kind)),
        joined(questions.iter().map(|q| format!("0x{:04x}", q.class))),
        // tshark has an SRV record's name under dns.srv.*.
        joined(records().filter(|r| r.kind != 33).map(|r| &r.name)),
        joined(records().map(|r| r.kind)),
        // An OPT record has other things in that place.
        joined(records().filter(|r| r.kind != 41).map(|r| r.ttl)),
        data(|data| match data {
            Data::A(address) => Some(address.to_string()),
            _ => None,
        }),
        data(|data| match data {
            Data::Aaaa(address) => Some(address.to_string()),
            _ => None,
        }),
        names(5),
        names(2),
        names(12),
        data(|data| match data {
            Data::Mx { exchange, .. } => Some(exchange.clone()),
            _ => None,
        }),
        data(|data| match data {
            Data::Txt(texts) => Some(texts.join("|")),
            _ => None,
        }),
        data(|data| match data {
            Data::Soa { mname, .. } => Some(mname.clone()),
            _ => None,
        }),
        data(|data| match data {
            Data::Srv { target, .. } => Some(target.clone()),
            _ => None,
        }),
        seen.query
            .filter(|_| message.is_response())
            .map_or(String::new(), |query| (query.packet + 1).to_string()),
        seen.time().map_or(String::new(), |time| {
            format!("{}.{:09}", time / 1_000_000_000, time % 1_000_000_000)
        }),
        String::new(),
    ]);
    row
}

/// Why a difference is as it should be.
fn why_dns(
    seen: &dns::Seen,
    entry: &corpus::Entry,
    field: &str,
    ours: &str,
) -> Option<&'static str> {
    let message = &seen.message;
    let sections = [&message.answers, &message.authorities, &message.additionals];
    let has_nsec = sections.into_iter().flatten().any(|r| r.kind == 47);
    match field {
        "dns.response_to" | "dns.time" if message.flavour == dns::Flavour::Mdns => {
            Some("tshark takes any multicast message with id 0 for the answer to another")
        }
        _ if ours.contains('\\') => Some("what is no text is escaped (docs/captures.md)"),
        "dns.resp.type" if has_nsec => Some("tshark lists the types that an NSEC names, too"),
        "dns.response_to" | "dns.time" if seen.query.is_none() && entry.set == "nasty" => {
            Some("tshark compares the id only, we the question too")
        }
        _ => None,
    }
}

#[test]
fn dns_messages_have_tsharks_values() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut wrong = Vec::new();
    let mut explained: BTreeMap<&str, u32> = BTreeMap::new();
    let mut compared = 0;
    for entry in &entries {
        // What an ICMP error quotes is not of this conversation.
        let filter = "(dns || mdns || llmnr) && !icmp && !icmpv6";
        let mut theirs = rows(&entry.path, filter, &DNS_FIELDS);
        // Of what is malformed each reads what it can.
        theirs.retain(|_, row| row.last().is_some_and(String::is_empty));
        for seen in found_in(entry).dns {
            let frame = seen.at.packet + 1;
            let Some(row) = theirs.remove(&frame) else {
                // Frames of the fuzzed file that tshark finds malformed, too.
                if entry.set == "truth" {
                    wrong.push(format!("{} frame {frame}: not DNS in tshark", entry.file));
                }
                continue;
            };
            if seen.message.malformed.is_some() {
                continue; // tshark guesses on
            }
            compared += 1;
            for ((field, ours), theirs) in DNS_FIELDS.iter().zip(dns_row(&seen)).zip(&row) {
                if ours == *theirs {
                    continue;
                }
                match why_dns(&seen, entry, field, &ours) {
                    Some(reason) => *explained.entry(reason).or_default() += 1,
                    None => wrong.push(format!(
                        "{} frame {frame} {field}: {ours:?}, tshark has {theirs:?}",
                        entry.file
                    )),
                }
            }
        }
        for frame in theirs.keys() {
            wrong.push(format!("{} frame {frame}: not seen", entry.file));
        }
    }
    eprintln!("{compared} messages compared; explained differences: {explained:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 300, "{compared} compared");
}

const TLS_FIELDS: [&str; 6] = [
    "tls.handshake.type",
    "tls.handshake.version",
    "tls.handshake.ciphersuite",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.extensions.supported_version",
];

fn tls_row(hello: &Hello) -> [String; 6] {
    let hex = |number: u16| format!("0x{number:04x}");
    match hello {
        Hello::Client(client) => [
            "1".to_owned(),
            hex(client.version),
            joined(client.cipher_suites.iter().copied().map(hex)),
            client.server_name.clone().unwrap_or_default(),
            joined(&client.alpn),
            joined(client.supported_versions.iter().copied().map(hex)),
        ],
        Hello::Server(server) => [
            "2".to_owned(),
            hex(server.version),
            hex(server.cipher_suite),
            String::new(),
            joined(&server.alpn),
            joined(server.supported_version.map(hex)),
        ],
    }
}

#[test]
fn tls_hellos_have_tsharks_values() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut wrong = Vec::new();
    let mut compared = 0;
    let reordered = [("http-wireshark-trace5-2.pcapng", 81)];
    // QUIC carries hellos of its own, encrypted.
    let filter = "tcp && (tls.handshake.type == 1 || tls.handshake.type == 2)";
    for entry in &entries {
        let mut theirs = rows(&entry.path, filter, &TLS_FIELDS);
        // MySQL begins TLS in mid-stream.
        theirs.retain(|frame, _| entry.file != "pcapng-example.pcapng" || ![8, 10].contains(frame));
        for seen in found_in(entry).tls {
            compared += 1;
            let frame = seen.at.packet + 1;
            let Some(row) = theirs.remove(&frame) else {
                // tshark does not put the segments of a record in order.
                if !reordered.contains(&(entry.file.as_str(), frame)) {
                    wrong.push(format!("{} frame {frame}: not TLS in tshark", entry.file));
                }
                continue;
            };
            for ((field, ours), theirs) in TLS_FIELDS.iter().zip(tls_row(&seen.hello)).zip(&row) {
                // Other handshake messages may follow in the same packet.
                let same = ours == *theirs
                    || *field == "tls.handshake.type" && theirs.starts_with(&format!("{ours}|"));
                if !same {
                    wrong.push(format!(
                        "{} frame {frame} {field}: {ours:?}, tshark has {theirs:?}",
                        entry.file
                    ));
                }
            }
        }
        for frame in theirs.keys() {
            wrong.push(format!("{} frame {frame}: not seen", entry.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 20, "{compared} compared");
}
