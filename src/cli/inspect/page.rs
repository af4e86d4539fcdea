//! `--html`: a page in place of the summary.

use std::path::Path;

use super::super::pages::Pages;
use super::super::view;
use super::super::{Exit, output};
use super::Args;
use crate::report::Report;

/// Writes the page of each file.
pub fn main(args: &Args, path: &Path) -> Exit {
    let cannot_write = |error| {
        output::complain(&format!(
            "netlab-capture: cannot write {}: {error}\n",
            path.display()
        ));
        Exit::Environment
    };
    let mut pages = match Pages::open(path) {
        Ok(pages) => pages,
        Err(error) => return cannot_write(error),
    };
    if let Err(message) = pages.expect(args.files.len()) {
        output::complain(&format!("netlab-capture: {message}\n"));
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
                let message = output::without_number(&message);
                output::complain(&format!("netlab-capture: {message}\n"));
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
