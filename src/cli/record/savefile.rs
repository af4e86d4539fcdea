//! What is done with a savefile that was just recorded: judged, given its
//! comments, or turned into a classic pcap.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::judge::{self, Judged, Yardstick};
use crate::render::comments::comments;
use crate::report::{ErrorCode, Options, Report};
use crate::savefile::{self, annotate};

/// Reads and judges what was just recorded, which must be there whole.
pub fn judge(path: &Path, yardstick: &Yardstick<'_>, options: &Options) -> Judged {
    let trace = match judge::read(path) {
        Ok(trace) => trace,
        Err(error) => return judge::unreadable(path, &error),
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
    judge::judge(&trace, yardstick, options)
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
        std::fs::write(judge::sidecar(&target), serde_json::to_vec(&recording)?)?;
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
