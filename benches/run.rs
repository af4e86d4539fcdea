//! How long a user waits: whole processes, from their start to the verdict on
//! the screen (the output is read up to its end) and to their exit.
//!
//! `cargo bench --bench run`. Where the time goes: docs/performance.md.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};

/// Runs the tool once: the time until the line with the verdict was read, and
/// until the process was gone.
fn once(words: &[&str], folder: &Path) -> (Duration, Duration) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_netlab-capture"))
        .args(words)
        .arg("--out")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let mut stdout = child.stdout.take().expect("its output is ours");
    let mut text = Vec::new();
    let mut verdict = None;
    let mut buffer = [0; 64 * 1024];
    loop {
        match stdout.read(&mut buffer).expect("its output is readable") {
            0 => break,
            n => text.extend_from_slice(&buffer[..n]),
        }
        if verdict.is_none() && text.windows(6).any(|word| word == b"passed") {
            verdict = Some(start.elapsed());
        }
    }
    let status = child.wait().expect("it ends");
    let gone = start.elapsed();
    assert!(status.success(), "{}", String::from_utf8_lossy(&text));
    (verdict.expect("a verdict"), gone)
}

fn run(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut group = criterion.benchmark_group("run");
    group
        .sample_size(50)
        .measurement_time(Duration::from_secs(10));
    group.bench_function("tcp-refused, to the verdict", |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| once(&["run", "tcp-refused"], folder.path()).0)
                .sum()
        });
    });
    group.bench_function("tcp-refused, to the exit", |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| once(&["run", "tcp-refused"], folder.path()).1)
                .sum()
        });
    });
    group.sample_size(20);
    group.bench_function("--all, to the exit", |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| once(&["run", "--all"], folder.path()).1)
                .sum()
        });
    });
    group.finish();
}

criterion_group!(benches, run);
criterion_main!(benches);
