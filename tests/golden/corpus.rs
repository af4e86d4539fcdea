//! Every capture of the corpus, sound or damaged, becomes a report that
//! fulfils the schema and renderings that are safe to show.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use netlab_capture::render::json;
use netlab_capture::render::terminal::{TerminalOptions, full};
use netlab_capture::render::text;
use netlab_capture::report::{Options, Report, schema};
use netlab_capture::trace;

/// The corpus lies at `NETLAB_CORPUS`, else beside the repository; without it
/// there is nothing to test.
fn captures() -> Vec<PathBuf> {
    let folder = match std::env::var_os("NETLAB_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
    };
    let sets = ["truth", "nasty"].map(|set| folder.join(set));
    let files = sets.iter().filter_map(|set| fs::read_dir(set).ok());
    files.flatten().map(|file| file.unwrap().path()).collect()
}

#[test]
fn reports_of_the_corpus() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for path in captures() {
        let name = path.display().to_string();
        let Ok(trace) = trace::read(File::open(&path).unwrap(), &name, None) else {
            continue;
        };
        for stable in [false, true] {
            let options = Options {
                stable,
                ..Options::default()
            };
            let report = Report::with_packets(trace.clone(), None, &[], &options);
            let document = serde_json::to_value(&report).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .take(3)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
            as_serde_json_does(&report, &name);
            for (width, unicode) in [(40, true), (80, false), (200, true)] {
                check(&report, width, unicode, &name);
            }
        }
    }
}

/// Lines are written by ourselves.
fn as_serde_json_does(report: &Report, name: &str) {
    let mut line = Vec::new();
    json::value(report, &mut line);
    let whole = serde_json::to_string(report).unwrap();
    assert!(line == whole.as_bytes(), "{name}");
}

fn check(report: &Report, width: usize, unicode: bool, name: &str) {
    let options = TerminalOptions {
        color: false,
        width,
        unicode,
    };
    for line in full(report, &options).lines() {
        assert!(text::width(line) <= width, "{name} {width}: {line}");
        assert!(!line.chars().any(char::is_control), "{name}: {line:?}");
        assert!(unicode || line.is_ascii(), "{name}: {line}");
    }
}
