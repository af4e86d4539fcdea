//! Display filters over the truth set and the reference captures: the same
//! frames as tshark shows, in one pass.
//!
//! tshark is started once for each file, with a listener for each filter: a
//! display filter of a listener is that of `-Y`, which the last test shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use netlab_capture::conversation::{Closed, Limits};
use netlab_capture::expect::ast::Filter;
use netlab_capture::expect::fields::{Needs, Reading, SoFar, Streamed, View};
use netlab_capture::expect::{filter, parse_filter};
use netlab_capture::inspect::{self, Collect, Context, Settings, Show, Shown};
use netlab_capture::message::{self, Bodies, Lookup, Message, Waits};
use netlab_capture::savefile::Reader;
use netlab_capture::trace::{self, Trace};

use crate::tshark;
use crate::{corpus, fields};

/// One filter on a line; `#` begins a comment's.
const FILTERS: &str = include_str!("filters.txt");

fn filters() -> Vec<&'static str> {
    let lines = FILTERS.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// What stands before the rows of the documented differences.
const TABLE: &str = "| capture | frames | why |\n| --- | --- | --- |\n";

/// What stands before the frames that a capture's reader tells too late.
const LATE: &str = "| capture | frames |\n| --- | --- |\n";

#[test]
fn filters_show_tsharks_frames() {
    let Some(files) = files() else {
        return;
    };
    let filters: Vec<(&str, Filter)> = filters().into_iter().map(|f| (f, parsed(f))).collect();
    assert!(filters.len() >= 250);
    // Two runs of tshark at a time.
    let halves: Vec<Vec<&Path>> = (0..2)
        .map(|half| {
            files
                .iter()
                .skip(half)
                .step_by(2)
                .map(PathBuf::as_path)
                .collect()
        })
        .collect();
    let compared: Vec<Compared> = std::thread::scope(|scope| {
        let filters = &filters;
        let running: Vec<_> = halves
            .into_iter()
            .map(|half| scope.spawn(move || compare(filters, &half)))
            .collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let mut all = Compared::default();
    for half in compared {
        all.shown += half.shown;
        all.wrong.extend(half.wrong);
        all.explained.extend(half.explained);
        all.late.extend(half.late);
    }
    eprintln!(
        "{} filters over {} files showed {} frames",
        filters.len(),
        files.len(),
        all.shown,
    );
    let explained: Vec<String> = all
        .explained
        .iter()
        .map(|((reason, file), frames)| format!("| {file} | {} | {reason} |", ranges(frames)))
        .collect();
    assert!(
        all.wrong.is_empty(),
        "{} wrong:\n{}",
        all.wrong.len(),
        all.wrong.join("\n")
    );
    let late = all.late.iter().filter(|(_, frames)| !frames.is_empty());
    let late: Vec<String> = late
        .map(|(file, frames)| format!("| {file} | {} |", ranges(frames)))
        .collect();
    documented(TABLE, &explained);
    documented(LATE, &late);
}

/// The rows of a table of the documented differences are these. With BLESS they
/// are written.
fn documented(table: &str, rows: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/wireshark-differences.md");
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once("\n## Display filters\n").unwrap();
    let (within, rest) = rest.split_once(table).unwrap();
    let there = |line: &&str| line.starts_with('|');
    let shown: Vec<&str> = rest.lines().take_while(there).collect();
    if std::env::var_os("BLESS").is_some() {
        let behind: Vec<&str> = rest.lines().skip_while(there).collect();
        let lines = rows.iter().map(String::as_str).chain(behind);
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        let text = format!("{before}\n## Display filters\n{within}{table}{lines}");
        return fs::write(&path, text).unwrap();
    }
    assert_eq!(
        shown, rows,
        "docs/wireshark-differences.md, \"Display filters\""
    );
}

/// `1, 3-5`.
fn ranges(frames: &BTreeSet<u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for frame in frames {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *frame => *last = *frame,
            _ => ranges.push((*frame, *frame)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[derive(Default)]
struct Compared {
    shown: usize,
    /// Reason and file: the frames where a filter differs.
    explained: BTreeMap<(&'static str, String), BTreeSet<u64>>,
    /// File: the frames that are shown where a capture was read as a whole, and
    /// not by a reader that streams.
    late: BTreeMap<String, BTreeSet<u64>>,
    wrong: Vec<String>,
}

fn compare(filters: &[(&str, Filter)], files: &[&Path]) -> Compared {
    let texts: Vec<&str> = filters.iter().map(|(text, _)| *text).collect();
    let mut compared = Compared::default();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let theirs = tsharks(&texts, path);
        let trace = trace::read(File::open(path).unwrap(), name, None).unwrap();
        let streamed = streamed(filters, path);
        for (((text, filter), theirs), streamed) in filters.iter().zip(&theirs).zip(&streamed) {
            let ours = ours(filter, &trace);
            for frame in ours.symmetric_difference(streamed) {
                if filter::needs(filter).has(Needs::HTTP) {
                    let late = compared.late.entry(name.to_owned()).or_default();
                    late.insert(*frame);
                } else {
                    compared
                        .wrong
                        .push(format!("{name} {frame} differs streamed: {text}"));
                }
            }
            compared.shown += theirs.len();
            for frame in ours.symmetric_difference(theirs) {
                if let Some(reason) = why(name, filter, &trace, *frame) {
                    let frames = compared.explained.entry((reason, name.to_owned()));
                    frames.or_default().insert(*frame);
                    continue;
                }
                let whose = match ours.contains(frame) {
                    true => "ours",
                    false => "tshark's",
                };
                compared
                    .wrong
                    .push(format!("{name} {frame} only {whose}: {text}"));
            }
        }
    }
    compared
}

/// The captures that are compared; None, and a printed reason, where they or
/// tshark are absent.
fn files() -> Option<Vec<PathBuf>> {
    let entries = corpus::entries()?;
    if !tshark::available() {
        return None;
    }
    let truth = entries.into_iter().filter(|e| e.set == "truth");
    let mut files: Vec<PathBuf> = truth.map(|e| e.path).collect();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    for entry in fs::read_dir(reference).unwrap() {
        let path = entry.unwrap().path();
        files.extend(Some(path).filter(|p| p.extension().is_some_and(|e| e == "pcapng")));
    }
    files.sort();
    Some(files)
}

fn parsed(text: &str) -> Filter {
    let (filter, found) = parse_filter(text, &[]);
    filter.unwrap_or_else(|| panic!("{text}: {found:#?}"))
}

/// In one pass: with what was known when each packet came.
fn ours(filter: &Filter, trace: &Trace) -> BTreeSet<u64> {
    let known = SoFar(trace);
    let shows = |index: &usize| {
        let view = View::new(trace, *index, Reading::Filter).unwrap();
        filter::matches(
            filter,
            &View {
                known: &known,
                ..view
            },
        )
    };
    (0..trace.packets.len())
        .filter(shows)
        .map(|index| index as u64 + 1)
        .collect()
}

/// The frames that `inspect -Y` shows for each of the filters.
fn streamed(filters: &[(&str, Filter)], path: &Path) -> Vec<BTreeSet<u64>> {
    let settings = Settings {
        threads: 2,
        limits: Limits::default(),
        messages: message::Settings {
            bodies: Bodies::Keep { limit: 1 << 20 },
            packets: 100_000,
            parts: true,
            carried: true,
            sent: 1 << 20,
            waits: Waits::default(),
        },
        packets: true,
    };
    let show = Filtered {
        filters,
        frames: Mutex::new(vec![BTreeSet::new(); filters.len()]),
    };
    let file = File::open(path).unwrap();
    let reader = Reader::new(file, "x").unwrap();
    inspect::inspect(reader, &settings, &show, &mut Ignore).unwrap();
    show.frames.into_inner().unwrap()
}

struct Filtered<'a> {
    filters: &'a [(&'a str, Filter)],
    frames: Mutex<Vec<BTreeSet<u64>>>,
}

impl Show for Filtered<'_> {
    type Item = ();

    fn packet(&self, shown: &Shown<'_>, _: &mut Vec<u8>) -> bool {
        let now = Streamed::new(shown);
        // What is displayed before, all filters have in common here.
        let view = now.view(shown.previous);
        let mut frames = self.frames.lock().unwrap();
        for ((_, filter), frames) in self.filters.iter().zip(frames.iter_mut()) {
            if filter::matches(filter, &view) {
                frames.insert(shown.frame.number);
            }
        }
        true
    }

    fn message(&self, _: &Message, _: &Context) -> Option<()> {
        None
    }

    fn lookup(&self, _: &Lookup, _: &Context) -> Option<()> {
        None
    }

    fn conversation(&self, _: &Closed<message::Reader>, _: &Context) -> Option<()> {
        None
    }
}

struct Ignore;

impl Collect<()> for Ignore {
    fn packets(&mut self, _: &[u8], _: &[(usize, Option<usize>)]) -> io::Result<()> {
        Ok(())
    }

    fn message(&mut self, (): ()) -> io::Result<()> {
        Ok(())
    }

    fn conversation(&mut self, _: usize, (): ()) -> io::Result<()> {
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The frames that tshark shows for each of the filters.
fn tsharks(filters: &[&str], path: &Path) -> Vec<BTreeSet<u64>> {
    if !tshark::speaks_lua() {
        return filters.iter().map(|f| displayed(f, path)).collect();
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("filters.lua");
    fs::write(&script, listeners(filters)).unwrap();
    let script = format!("lua_script:{}", script.display());
    let path = path.display().to_string();
    let output = tshark::tshark(["-q", "-r", &path, "-X", &script]);
    let mut frames = vec![BTreeSet::new(); filters.len()];
    for line in output.stdout.lines() {
        let Some((number, shown)) = line.split_once(':') else {
            continue;
        };
        let index: usize = number.parse().unwrap();
        frames[index] = shown
            .split_whitespace()
            .map(|f| f.parse().unwrap())
            .collect();
    }
    assert!(
        output.stdout.contains("done"),
        "{path}: {}\n{}",
        output.stdout,
        output.stderr
    );
    frames
}

/// A script of listeners that prints `INDEX:FRAMES` for each filter.
fn listeners(filters: &[&str]) -> String {
    let mut script = String::from("local shown = {}\n");
    for (index, filter) in filters.iter().enumerate() {
        writeln!(
            script,
            "shown[{index}] = {{}}\n\
             Listener.new(nil, [==[{filter}]==]).packet = function(p) \
             table.insert(shown[{index}], p.number) end"
        )
        .unwrap();
    }
    let last = filters.len() - 1;
    writeln!(
        script,
        "local all = Listener.new(nil, 'frame')\n\
         function all.draw() for i = 0, {last} do \
         print(i .. ':' .. table.concat(shown[i], ' ')) end print('done') end"
    )
    .unwrap();
    script
}

/// `tshark -Y`.
fn displayed(filter: &str, path: &Path) -> BTreeSet<u64> {
    let path = path.display().to_string();
    let arguments = [
        "-r",
        &path,
        "-Y",
        filter,
        "-T",
        "fields",
        "-e",
        "frame.number",
    ];
    let output = tshark::tshark(arguments);
    assert_eq!(output.code, Some(0), "{filter}: {}", output.stderr);
    output
        .stdout
        .lines()
        .map(|line| line.parse().unwrap())
        .collect()
}

/// Why a difference is no mistake; None where it is one: a field that the
/// filter reads has another value there, for a reason that is known.
fn why(file: &str, filter: &Filter, trace: &Trace, frame: u64) -> Option<&'static str> {
    let view = View::new(trace, frame as usize - 1, Reading::Filter)?;
    let mut reason = None;
    filter.operands(&mut |operand| {
        operand.fields(&mut |field| {
            let ours = fields::our_values(&view, field.field);
            let why = || fields::why(file, trace, &view, field.field.name, &ours);
            reason = reason.or_else(why);
            if field.field.name == "frame.protocols" {
                reason = reason.or_else(|| why_not_named(file, trace, &view));
            }
        });
    });
    reason
}

/// Why Wireshark names a protocol in `frame.protocols`, and we do not.
fn why_not_named(file: &str, trace: &Trace, view: &View<'_>) -> Option<&'static str> {
    if view.packet.icmp().is_some() {
        return Some("the protocols of a quoted packet are not among the frame's");
    }
    let absent = ["http", "tls"].into_iter().filter(|name| {
        let field = netlab_capture::expect::fields::lookup(name).unwrap();
        // Nothing else speaks HTTP over UDP there.
        !field.is_in(view) && (*name == "tls" || view.packet.udp().is_none())
    });
    absent
        .filter_map(|name| fields::why(file, trace, view, name, &[]))
        .next()
}

/// What of a layer Wireshark takes for its own depends on what else it is asked
/// for: these it is asked alone.
#[test]
fn the_length_of_a_layer_is_its_headers() {
    let Some(files) = files() else {
        return;
    };
    let alone = [
        "tcp[20]",
        "tcp[20:] contains 01",
        "len(tcp) == 32",
        "len(tcp) == 20",
    ];
    for path in files.iter().filter(|p| p.ends_with("tcp_teardown.pcapng")) {
        let trace = trace::read(File::open(path).unwrap(), "x", None).unwrap();
        for text in alone {
            assert_eq!(ours(&parsed(text), &trace), displayed(text, path), "{text}");
        }
    }
}

#[test]
fn a_listener_shows_what_a_display_filter_shows() {
    let Some(files) = files() else {
        return;
    };
    let sample = [
        "tcp.port == 80",
        "http",
        "tcp.analysis.flags",
        "frame.time_delta > 0.1",
    ];
    for path in files
        .iter()
        .filter(|p| p.ends_with("http-wireshark-trace5-2.pcapng"))
    {
        let listened = tsharks(&sample, path);
        let displayed: Vec<BTreeSet<u64>> = sample.iter().map(|f| displayed(f, path)).collect();
        assert_eq!(listened, displayed);
    }
}

/// What Wireshark refuses, we refuse; and what it has and we have not.
#[test]
fn what_tshark_refuses_is_refused() {
    let Some(files) = files() else {
        return;
    };
    let refused = [
        "tcp.port == \"80\"",
        "tcp.port == eighty",
        "tcp.port == 70000",
        "tcp.port == 1.5",
        "tcp.port contains 80",
        "tcp.port matches \"80\"",
        "tcp.port[0] == 1",
        "tcp.port in {80 443}",
        "tcp.port in {}",
        "tcp.port in {80,}",
        "ip.src == 10.0.0.256",
        "ip.src == 10.0.0.0/33",
        "ip.src == \"10.0.0.1\"",
        "ip.src == eth.src",
        "ip.src + 1 == 10.0.0.2",
        "eth.src == 00:11:22",
        "http.host matches gaia",
        "http.host matches \"[\"",
        "http.host == \"\\q\"",
        "http.host & 1",
        "lower(tcp.port) == \"80\"",
        "string(http.host) == \"a\"",
        "abs(ip.src) == 1",
        "abs(tcp.len, 1) == 1",
        "max(tcp.srcport, ip.src) == 1",
        "nothing(tcp.port) == 1",
        "len() == 1",
        "len(tcp.payload)",
        "tcp.payload[0:0] == 00",
        "tcp.payload[2-1] == 00",
        "tcp.payload[-4-2] == 00",
        "tcp.payload == GET",
        "frame.time > 1600000000",
        "frame.time == frame.time_relative",
        "frame.time_relative > 50ms",
        "frame.time_relative * 2 > 1",
        "tcp.analysis.flags == 1",
        "tcp.nothing == 1",
        "tcp udp",
        "tcp and",
        "tcp.port ==",
        "tcp.port == (80)",
        "()",
        "(tcp",
        "tcp)",
        "any tcp",
        "@tcp.port == 1",
        "tcp.port | 1",
        "1 == 1",
        "tcp. port",
    ];
    for text in refused {
        let path = files[0].display().to_string();
        let output = tshark::tshark(["-r", &path, "-Y", text]);
        assert_ne!(output.code, Some(0), "tshark takes {text}");
        assert!(parse_filter(text, &[]).0.is_none(), "we take {text}");
    }
}

/// Queries and answers over TCP, in segments that are cut anywhere.
#[test]
fn dns_over_tcp_is_at_tsharks_frames() {
    if !tshark::available() {
        return;
    }
    let question = [b"\x03www\x07example\x03com\x00".as_slice(), &[0, 1, 0, 1]].concat();
    let record = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7];
    let query = |id: u8| {
        let head = [0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        framed(&[&head, question.as_slice()].concat())
    };
    let answer = |id: u8| {
        let head = [0, id, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        framed(&[&head, question.as_slice(), &record].concat())
    };
    let up = [query(1), query(2)].concat();
    let down = [answer(1), answer(2)].concat();
    for cut in [1, 2, 7, 30, 40, 1000] {
        let mut frames = vec![
            (0, segment(true, 0, 0, 2, &[])),
            (10, segment(false, 0, 1, 0x12, &[])),
            (20, segment(true, 1, 1, 0x10, &[])),
        ];
        for (to_server, bytes) in [(true, &up), (false, &down)] {
            let ack = if to_server { 1 } else { 1 + up.len() as u8 };
            let mut seq = 1;
            for piece in bytes.chunks(cut) {
                let time = 30 + frames.len() as i64;
                frames.push((time, segment(to_server, seq, ack, 0x18, piece)));
                seq += piece.len() as u8;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dns.pcap");
        fs::write(&path, crate::traffic::file(&frames)).unwrap();
        let texts = [
            "dns",
            "dns.id == 2",
            "dns.qry.name == \"www.example.com\"",
            "dns.a == 192.0.2.7",
            "dns.flags.response == 1",
            "dns.length == 33",
            "dns[0:2] == 00:21",
            "frame.protocols contains \"tcp:dns\"",
        ];
        let filters: Vec<(&str, Filter)> = texts.iter().map(|f| (*f, parsed(f))).collect();
        let trace = trace::read(File::open(&path).unwrap(), "x", None).unwrap();
        let streamed = streamed(&filters, &path);
        for ((text, filter), streamed) in filters.iter().zip(streamed) {
            let theirs = displayed(text, &path);
            assert!(!theirs.is_empty(), "{text}");
            assert_eq!(streamed, theirs, "{text}, pieces of {cut}");
            assert_eq!(ours(filter, &trace), theirs, "{text}, pieces of {cut}");
        }
    }
}

/// A DNS message with its length before it.
fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

/// A segment to or from port 53.
fn segment(to_server: bool, seq: u8, ack: u8, flags: u8, data: &[u8]) -> Vec<u8> {
    let (src, dst) = match to_server {
        true => ([0x9C, 0x40], [0, 53]),
        false => ([0, 53], [0x9C, 0x40]),
    };
    let (from, to) = match to_server {
        true => (1, 2),
        false => (2, 1),
    };
    let len = 40 + data.len() as u8;
    let ip = [
        0x45, 0, 0, len, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, from, 10, 0, 0, to,
    ];
    let tcp = [0, 0, 0, seq, 0, 0, 0, ack, 0x50, flags, 4, 0, 0, 0, 0, 0];
    [&ip[..], &src, &dst, &tcp, data].concat()
}
