//! From a closed savefile to a verdict: the same for `run` and `check`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::Exit;
use crate::expect;
use crate::expect::ast::Expectation;
use crate::render::comments::comments;
use crate::report::{ErrorCode, Options, Report};
use crate::savefile::{self, Bytes, Recording, SavefileError, annotate};
use crate::scenario::Scenario;
use crate::trace::{self, Trace};

/// What a capture is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Yardstick<'a> {
    pub scenario: Option<&'a Scenario>,
    pub expectations: &'a [Expectation],
    pub files: &'a BTreeMap<String, Bytes>,
}

/// A capture judged.
#[derive(Debug)]
pub struct Judged {
    pub report: Report,
    pub exit: Exit,
}

impl Judged {
    pub fn of_report(report: Report) -> Judged {
        Judged {
            exit: Exit::of(&report),
            report,
        }
    }
}

/// The name of the file beside a classic `.pcap` that holds its recording.
pub fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// Reads a capture file whole, with its recording where it has one.
pub fn read(path: &Path) -> Result<Trace, SavefileError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| SavefileError::Io {
        name: name.clone(),
        error,
    })?;
    let beside: Option<Recording> = std::fs::read(sidecar(path))
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    trace::read(file, &name, beside)
}

/// Judges what was read.
pub fn judge(trace: &Trace, yardstick: &Yardstick<'_>, options: &Options) -> Judged {
    let programs = yardstick.scenario.map_or(&[][..], |s| &s.programs);
    let outcomes = expect::judge(trace, yardstick.expectations, programs, yardstick.files);
    Judged::of_report(Report::build(trace, yardstick.scenario, &outcomes, options))
}

/// Reads and judges what was just recorded, which must be there whole.
pub fn judge_recorded(path: &Path, yardstick: &Yardstick<'_>, options: &Options) -> Judged {
    let trace = match read(path) {
        Ok(trace) => trace,
        Err(error) => return unreadable(path, &error),
    };
    let recorded = trace.recording.as_ref().map(|r| r.proof.captured);
    if recorded != Some(trace.packets.len() as u64) {
        let message = format!(
            "{} does not hold what was recorded: {} packets read",
            path.display(),
            trace.packets.len()
        );
        let name = yardstick.scenario.map_or("", |s| &s.name);
        return Judged::of_report(Report::error(name, ErrorCode::Internal, message));
    }
    judge(&trace, yardstick, options)
}

/// The report on a file that cannot be read at all.
pub fn unreadable(path: &Path, error: &SavefileError) -> Judged {
    let name = path.display().to_string();
    Judged::of_report(Report::error(&name, ErrorCode::Usage, error.to_string()))
}

/// Writes a report's comments into its savefile: to a temporary file, then
/// renamed, so that the file is whole at every moment.
pub fn write_comments(path: &Path, report: &Report) -> io::Result<()> {
    replace(path, |input, output| {
        annotate(input, output, &comments(report)).map_err(io::Error::other)
    })
}

/// Turns a recorded pcapng into a classic pcap with its recording beside it;
/// the new path.
pub fn to_classic_pcap(path: &Path) -> io::Result<PathBuf> {
    let target = path.with_extension("pcap");
    let partial = partial_name(&target);
    let mut reader = savefile::Reader::new(File::open(path)?, "").map_err(io::Error::other)?;
    // The recorder's loopback is Ethernet, also where not one packet passed.
    let loopback = savefile::InterfaceDescription {
        name: String::new(),
        link_type: 1,
        snaplen: 0,
    };
    let output = io::BufWriter::new(File::create(&partial)?);
    let mut writer = savefile::pcap::Writer::new(output, &loopback)?;
    while let Some(frame) = reader.next_frame().map_err(io::Error::other)? {
        writer.write_frame(frame.time, frame.len, frame.data)?;
    }
    writer.flush()?;
    if let (_, Some(recording)) = reader.finish() {
        std::fs::write(sidecar(&target), serde_json::to_vec(&recording)?)?;
    }
    std::fs::rename(&partial, &target)?;
    std::fs::remove_file(path)?;
    Ok(target)
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn replace(
    path: &Path,
    write: impl FnOnce(File, &mut io::BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let partial = partial_name(path);
    let input = File::open(path)?;
    let mut output = io::BufWriter::new(File::create(&partial)?);
    let done = write(input, &mut output)
        .and_then(|()| io::Write::flush(&mut output))
        .and_then(|()| std::fs::rename(&partial, path));
    if done.is_err() {
        // A half-written copy is of no use; the original is untouched.
        let _ = std::fs::remove_file(&partial);
    }
    done
}
