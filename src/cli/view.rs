//! `netlab-capture view`: the page alone, with a capture in it or waiting for one.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pages::{self, CaptureFile};
use super::{Exit, code_of, output, overwrite};
use crate::render::html::Page;
use crate::report::Report;
use crate::savefile::SavefileError;
use crate::view::Capture;

/// Open a capture in the browser: ladder, packets, streams, display filters.
///
/// The page works without a network and sends nothing anywhere. Without FILE it
/// waits for a capture to be dropped on it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A capture file (.pcapng, .pcap; also .gz, .zst)
    #[arg(value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Write the page here and open nothing
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn main(args: &Args) -> Exit {
    let opened = match args.capture.as_deref().map(open).transpose() {
        Ok(opened) => opened,
        Err(error) => return refuse(code_of(&error).into(), &error.to_string()),
    };
    let run = opened
        .as_ref()
        .map(|(file, report)| pages::run(Some(report), Some(file)));
    let page = Page {
        runs: run.as_slice(),
        home: None,
    };
    let written = match &args.out {
        Some(path) => overwrite::create(path)
            .and_then(|file| pages::write(&page, &file))
            .map(|()| path.clone())
            .map_err(|error| (format!("cannot write {}", path.display()), error)),
        None => temporary(&page).map_err(|error| ("cannot write the page".to_owned(), error)),
    };
    let path = match written {
        Ok(path) => path,
        Err((cannot, error)) => {
            return refuse(overwrite::exit(&error), &format!("{cannot}: {error}"));
        }
    };
    if args.out.is_none() && !show(&path) {
        output::tell("no browser was found; open the page yourself:");
    }
    output::print(&format!("{}\n", path.display()))
}

/// Reads a capture file for a page, and makes its report.
pub(super) fn open(path: &Path) -> Result<(CaptureFile, Report), SavefileError> {
    let file = pages::read(path)?;
    let capture = Capture::open(&file.bytes, &file.name, file.recording.clone())?;
    let report = capture.report();
    Ok((file, report))
}

fn refuse(exit: Exit, message: &str) -> Exit {
    output::tell(output::without_number(message));
    exit
}

/// A page in the folder for temporary files. It stays: the browser reads it
/// after we have ended.
fn temporary(page: &Page<'_>) -> io::Result<PathBuf> {
    let file = tempfile::Builder::new()
        .prefix("netlab-capture-")
        .suffix(".html")
        .tempfile()?;
    pages::write(page, file.as_file())?;
    let (_, path) = file.keep()?;
    Ok(path)
}

/// Hands the page to the desktop's browser. False: there is none.
fn show(path: &Path) -> bool {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = Command::new(opener)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.is_ok_and(|status| status.success())
}
