//! Expectations: parsed, written out, formatted, parsed again, and judged on some
//! traces. What is written out or formatted must mean the same; a verdict must
//! come, and soon; and where packets are missing, it is that on the whole capture or
//! none.
#![no_main]

mod damage;
mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use netlab_capture::expect::{Verdict, format, judge, lint, parse};
use netlab_capture::trace::{self, Trace};

static TRACES: LazyLock<Vec<Trace>> = LazyLock::new(|| {
    let files: [&[u8]; 6] = [
        include_bytes!("../../captures/reference/http-ok.pcapng"),
        include_bytes!("../../captures/reference/tcp-upper.pcapng"),
        include_bytes!("../../captures/reference/udp-upper-ipv6.pcapng"),
        include_bytes!("../../captures/reference/udp-no-server.pcapng"),
        include_bytes!("../../captures/reference/tcp-refused.pcapng"),
        include_bytes!("../captures/kinds.pcap"),
    ];
    let read = |file: &[u8]| trace::read(file, "reference", None).expect("a capture");
    let mut traces: Vec<Trace> = files.map(read).into();
    let mut elsewhere = read(files[1]);
    elsewhere.recording = None;
    traces.push(elsewhere);
    traces
});

/// The same packets, and some of them missing in each way that can be noticed. The roles
/// are named, as whoever was first may be what is missing.
static WHOLE: LazyLock<Trace> = LazyLock::new(|| named(&damage::KINDS.whole()));

static DAMAGED: LazyLock<Vec<Trace>> = LazyLock::new(|| {
    damage::KINDS
        .damaged()
        .iter()
        .map(|file| named(file))
        .collect()
});

/// Fields that tell of the file, and not of what was on the wire.
const OF_THE_FILE: [&str; 3] = ["frame.cap_len", "frame.interface", "frame.comment"];

fn named(file: &[u8]) -> Trace {
    let roles = [
        "client=10.0.0.1",
        "client=fd00::1",
        "server=10.0.0.2",
        "server=fd00::2",
    ];
    let roles = roles.map(|role| role.parse().expect("a role"));
    let trace = trace::read(file, "damaged", None).expect("a capture");
    trace.with_roles(&roles)
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    words::mutate(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let roles = ["client".to_owned(), "server".to_owned()];
    let Ok(expectation) = parse("fuzzed", text, &roles) else {
        return;
    };
    let formatted = format(text);
    assert_eq!(formatted, format(&formatted));
    let written = expectation.to_string();
    let same = parse("fuzzed", &formatted, &roles)
        .unwrap_or_else(|found| panic!("{formatted}\n{found:#?}"));
    assert_eq!(written, same.to_string());
    std::hint::black_box(lint::lint(text));
    let again = match parse("fuzzed", &written, &roles) {
        Ok(again) => again,
        Err(found) => {
            assert!(words::is_too_deep(&found), "{written}\n{found:#?}");
            return;
        }
    };
    assert_eq!(written, again.to_string());
    let files = BTreeMap::new();
    let both = [expectation, again];
    for trace in TRACES.iter() {
        let outcomes = judge(trace, &both, &[], &files);
        if let [.., one, two] = outcomes.as_slice() {
            assert_eq!(one.verdict, two.verdict, "{written}");
            assert_eq!(one.evidence, two.evidence, "{written}");
        }
    }
    let [expectation, _] = both;
    let verdict = |trace: &Trace| {
        let outcomes = judge(trace, std::slice::from_ref(&expectation), &[], &files);
        outcomes.last().map(|outcome| outcome.verdict)
    };
    let whole = verdict(&WHOLE);
    let is_of_the_file = OF_THE_FILE.iter().any(|field| written.contains(field));
    if is_of_the_file || whole == Some(Verdict::Inconclusive) {
        return;
    }
    for (way, trace) in damage::WAYS.iter().zip(DAMAGED.iter()) {
        let damaged = verdict(trace);
        assert!(
            damaged == whole || damaged == Some(Verdict::Inconclusive),
            "{written}\n{way}: {damaged:?}, whole: {whole:?}"
        );
    }
});
