//! Expectations: parsed, written out, formatted, parsed again, and judged on some
//! traces. What is written out or formatted must mean the same; a verdict must
//! come, and soon.
#![no_main]

mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use netlab_capture::expect::{format, judge, lint, parse};
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
});
