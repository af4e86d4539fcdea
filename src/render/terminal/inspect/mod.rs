//! A capture that nobody judges, at a glance: the file, what its frames are,
//! who spoke with whom, what went wrong, the HTTP transactions.

mod capture;
mod conversations;
mod dns;
mod findings;
mod frames;
mod http;
mod names;
mod packets;
mod table;
mod units;

use super::TerminalOptions;
use super::heading;
use super::line::Tone;
use super::screen::{Screen, thousands};
use crate::report::Report;

pub use packets::{ends, info, packet, packet_headings, protocol};
pub use units::{size, span};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Rows of each table. None: all.
    pub rows: Option<usize>,
    /// Tables are as wide as they need, each row on one line.
    pub wide: bool,
}

impl Extent {
    /// The columns that tables may have.
    fn room(&self, screen: &Screen) -> usize {
        if self.wide {
            usize::MAX / 2
        } else {
            screen.width
        }
    }

    fn rows(&self) -> usize {
        self.rows.unwrap_or(usize::MAX)
    }
}

/// Everything, at a glance.
pub fn summary(report: &Report, extent: &Extent, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    capture::capture(&mut screen, report);
    if let Some(summary) = &report.summary {
        frames::frames(&mut screen, summary);
        conversations::section(&mut screen, report, summary, extent);
        findings::findings(&mut screen, summary, report.error.is_some());
        http::section(&mut screen, report, summary, extent);
        dns::section(&mut screen, report, summary, extent);
        findings::limits(&mut screen, summary);
    }
    let mut text = screen.finish();
    text.truncate(text.trim_end_matches('\n').len());
    text + "\n"
}

/// The table of conversations alone.
pub fn conversations(report: &Report, extent: &Extent, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    conversations::table(&mut screen, report, extent);
    screen.finish()
}

/// The table of HTTP transactions alone.
pub fn transactions(report: &Report, extent: &Extent, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    http::table(&mut screen, report, extent);
    screen.finish()
}

/// The table of DNS queries alone.
pub fn lookups(report: &Report, extent: &Extent, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    dns::table(&mut screen, report, extent);
    screen.finish()
}

/// Says how many rows are not shown, and how to see them.
fn rest(screen: &mut Screen, all: u64, shown: usize, which: &str, option: &str) {
    let shown = shown as u64;
    if all > shown {
        let text = format!(
            "{which} {} of {} shown: {option} shows all",
            thousands(shown),
            thousands(all)
        );
        screen.text(2, &text, Tone::Dim);
    }
}
