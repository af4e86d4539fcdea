//! From a closed savefile to a verdict: the same for `run` and `check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::inspect::input;
use super::pages::Kept;
use super::{Exit, code_of, side_by_side};
use crate::expect;
use crate::expect::ast::Expectation;
use crate::report::{Options, Packets, Report};
use crate::savefile::{Bytes, Recording, SavefileError};
use crate::scenario::Scenario;
use crate::trace::{self, Frames, Trace};

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

    /// The file was cut short since it was read, and is read in place: what is
    /// looked at from now on may not be what was in it.
    pub fn is_lost(&self) -> bool {
        let packets = self.report.packets.as_ref();
        packets.is_some_and(Packets::are_lost)
    }
}

/// The name of the file beside a classic `.pcap` that holds its recording.
pub fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// The recording in the file beside a classic `.pcap`, if there is one. Beside
/// standard input there is none.
pub fn recording_beside(path: &Path) -> Option<Recording> {
    if path == Path::new("-") {
        return None;
    }
    let json = std::fs::read(sidecar(path)).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Reads a capture file whole, with its recording where it has one. `-` is
/// standard input.
pub fn read(path: &Path) -> Result<Trace, SavefileError> {
    let input = input::open(path, false)?;
    trace::read_on(input.reader, input.sidecar, Frames::default())
}

/// As [`read`], but frames stay in the file where that can be looked at in place:
/// who asks whether they are still there ([`Frames::are_lost`]) when all is done
/// needs no memory for them.
pub fn read_in_place(path: &Path) -> Result<Trace, SavefileError> {
    let mut input = input::open(path, false)?;
    let frames = Frames::of(input.reader.whole());
    trace::read_on(input.reader, input.sidecar, frames)
}

/// Reads standard input whole, which is kept as it comes.
pub fn read_keeping(kept: &Kept) -> Result<Trace, SavefileError> {
    let input = input::standard_input(false, Some(kept))?;
    trace::read_on(input.reader, input.sidecar, Frames::default())
}

/// Judges what was read. The report holds the trace, to show its packets.
pub fn judge(trace: Trace, yardstick: &Yardstick<'_>, options: &Options) -> Judged {
    let programs = yardstick.scenario.map_or(&[][..], |s| &s.programs);
    let Yardstick {
        expectations,
        files,
        ..
    } = *yardstick;
    let packets = trace.packets.len();
    let outcomes = expect::judge_each(&trace, expectations, programs, files, |all, outcome| {
        side_by_side::map(all, packets, outcome)
    });
    Judged::of_report(Report::with_packets(
        trace,
        yardstick.scenario,
        &outcomes,
        options,
    ))
}

/// The report on a file that cannot be read at all.
pub fn unreadable(path: &Path, error: &SavefileError) -> Judged {
    let name = path.display().to_string();
    Judged::of_report(Report::error(&name, code_of(error), error.to_string()))
}

#[cfg(all(test, feature = "record", target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_cut_while_it_is_judged_is_known_to_be() {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pcapng");
        std::fs::copy(reference.join("tcp-upper.pcapng"), &path).unwrap();
        let in_place = read_in_place(&path).unwrap();
        let copied = read(&path).unwrap();
        assert!(in_place.frames.iter().eq(copied.frames.iter()));
        assert!(!in_place.frames.are_lost());
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(200).unwrap();
        assert!(in_place.frames.are_lost() && !copied.frames.are_lost());
        assert!(read(&path).unwrap().capture.damage.is_some());
    }
}
