//! What is done with a savefile that was just recorded: judged, given its
//! comments, or turned into a classic pcap.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::cli::judge::{self, Judged, Yardstick};
use crate::render::comments::comments;
use crate::report::{ErrorCode, Options, Report};
use crate::savefile::{self, annotate};
use crate::trace::{self, Trace};

/// Opens and locks a savefile. A run that was about to end may put its finished
/// copy in the file's place between our two steps, so that we would hold the lock
/// of a file that has no name any more: then once again.
pub fn open(path: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(path)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another run is writing it; choose another place"))?;
        let (locked, named) = (file.metadata()?, std::fs::metadata(path));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (locked.dev(), locked.ino())) {
            file.set_len(0)?;
            return Ok(file);
        }
    }
}

/// Reads and judges what was just recorded, which must be there whole.
pub fn judge(path: &Path, yardstick: &Yardstick<'_>, options: &Options) -> Judged {
    match judge::read(path) {
        Ok(trace) => judge_trace(trace, path, yardstick, options),
        Err(error) => judge::unreadable(path, &error),
    }
}

/// As [`judge`], of a file that is open; `path` is its name in messages.
pub fn judge_open(file: File, path: &Path, yardstick: &Yardstick<'_>, options: &Options) -> Judged {
    match trace::read(file, &path.display().to_string(), None) {
        Ok(trace) => judge_trace(trace, path, yardstick, options),
        Err(error) => judge::unreadable(path, &error),
    }
}

fn judge_trace(trace: Trace, path: &Path, yardstick: &Yardstick<'_>, options: &Options) -> Judged {
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
    judge::judge(trace, yardstick, options)
}

/// Writes a report's comments into its savefile: to a temporary file, then
/// renamed, so that the file is whole at every moment.
pub fn write_comments(path: &Path, report: &Report) -> io::Result<()> {
    replace(path, |input, output| {
        annotate(input, output, &comments(report)).map_err(io::Error::other)
    })
}

/// Removes a capture and what lies beside it.
pub fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)?;
    match std::fs::remove_file(judge::sidecar(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Turns a recorded pcapng into a classic pcap with its recording beside it;
/// the new path.
pub fn to_classic_pcap(path: &Path) -> io::Result<PathBuf> {
    let target = path.with_extension("pcap");
    copy_as_classic_pcap(File::open(path)?, &target)?;
    std::fs::remove_file(path)?;
    Ok(target)
}

/// Copies a recorded pcapng as a classic pcap with its recording beside it.
pub fn copy_as_classic_pcap(input: File, target: &Path) -> io::Result<()> {
    let partial = partial_name(target);
    let sidecar = judge::sidecar(target);
    // Of the capture that was there before.
    match std::fs::remove_file(&sidecar) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let output = io::BufWriter::new(File::create(&partial)?);
    let recording = savefile::packets_only(input, output).map_err(io::Error::other)?;
    if let Some(recording) = recording {
        std::fs::write(sidecar, serde_json::to_vec(&recording)?)?;
    }
    std::fs::rename(&partial, target)
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
