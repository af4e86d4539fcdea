//! A display filter: parsed, written out, parsed again, and evaluated on the
//! packets of some traces.
#![no_main]

mod words;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use netlab_capture::expect::fields::{Reading, SoFar, View};
use netlab_capture::expect::{filter, parse_filter};
use netlab_capture::trace::{self, Trace};

static TRACES: LazyLock<Vec<Trace>> = LazyLock::new(|| {
    let files: [&[u8]; 5] = [
        include_bytes!("../../captures/reference/http-ok.pcapng"),
        include_bytes!("../../captures/reference/http-not-found-ipv6.pcapng"),
        include_bytes!("../../captures/reference/udp-no-server.pcapng"),
        include_bytes!("../../captures/reference/tcp-refused.pcapng"),
        include_bytes!("../captures/kinds.pcap"),
    ];
    files
        .map(|file| trace::read(file, "reference", None).expect("a capture"))
        .into()
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    words::mutate(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (Some(parsed), _) = parse_filter(text, &[]) else {
        return;
    };
    let written = parsed.to_string();
    let (again, found) = parse_filter(&written, &[]);
    let Some(again) = again else {
        assert!(words::is_too_deep(&found), "{written}: {found:#?}");
        return;
    };
    assert_eq!(written, again.to_string());

    for trace in TRACES.iter() {
        let known = SoFar(trace);
        for index in 0..trace.packets.len() {
            let view = View::new(trace, index, Reading::Filter).expect("a packet");
            let view = View {
                known: &known,
                ..view
            };
            assert_eq!(
                filter::matches(&parsed, &view),
                filter::matches(&again, &view),
                "{written}"
            );
        }
    }
});
