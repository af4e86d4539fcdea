//! `--html`: a page in place of the summary.

use std::path::Path;

use super::super::pages::Pages;
use super::super::view;
use super::super::{Exit, output, overwrite};
use super::Args;
use crate::report::Report;

/// Writes the page of each file.
pub fn main(args: &Args, path: &Path) -> Exit {
    let cannot_write = |error: std::io::Error| {
        let message = format!("cannot write {}: {error}", path.display());
        output::tell(output::without_number(&message));
        overwrite::exit(&error)
    };
    let mut pages = match Pages::open(path) {
        Ok(pages) => pages,
        Err(error) => return cannot_write(error),
    };
    if let Err(message) = pages.expect(args.files.len()) {
        output::tell(&message);
        return Exit::Usage;
    }
    let mut exit = Exit::Passed;
    for file in &args.files {
        exit = exit.worst(match view::open(file) {
            Ok((capture, report)) => match pages.put(&report, Some(&capture)) {
                Ok(()) if capture_is_damaged(&report) => Exit::Damaged,
                Ok(()) => Exit::Passed,
                Err(error) => cannot_write(error),
            },
            Err(error) => {
                let message = error.to_string();
                output::tell(output::without_number(&message));
                Exit::Usage
            }
        });
    }
    exit
}

/// Nothing is judged here, whatever the report says of what the capture brought.
fn capture_is_damaged(report: &Report) -> bool {
    let capture = report.capture.as_ref();
    capture.is_some_and(|capture| capture.damage.is_some())
}
