//! Reports to standard output, in the form that was asked for.

use std::io::{self, ErrorKind, IsTerminal};
use std::ops::ControlFlow;

use super::args::{Args, How, What};
use super::{Exit, Stdout, output, sink};
use crate::render::terminal::TerminalOptions;
use crate::render::terminal::inspect::{self, Extent};
use crate::render::{csv, json, text};
use crate::report::Report;

pub struct Showing {
    pub out: Stdout,
    what: What,
    how: How,
    extent: Extent,
    pub screen: TerminalOptions,
    /// A list of packets may be so wide.
    pub room: usize,
    several: bool,
    /// Something was shown already.
    begun: bool,
    buffer: Vec<u8>,
}

/// Written at once.
const BLOCK: usize = 64 * 1024;

impl Showing {
    pub fn new(args: &Args) -> Showing {
        let what = args.what();
        let screen = TerminalOptions {
            color: output::color(),
            ..sink::screen()
        };
        // Where a program reads the lines of a table they are not cut.
        let wide = args.wide || (what != What::Summary && !std::io::stdout().is_terminal());
        Showing {
            out: Stdout::default(),
            what,
            how: args.how(),
            extent: Extent {
                rows: (what == What::Summary).then_some(args.rows),
                wide,
            },
            room: if wide { usize::MAX / 2 } else { screen.width },
            screen,
            several: args.files.len() > 1,
            begun: false,
            buffer: Vec::new(),
        }
    }

    /// Writes what stands above everything.
    pub fn begin(&mut self) {
        let headings = match (self.how, self.what) {
            (How::Csv, What::Packets) => csv::PACKETS,
            (How::Csv, What::Conversations) => csv::CONVERSATIONS,
            (How::Csv, What::Http) => csv::TRANSACTIONS,
            _ => return,
        };
        if self.several {
            self.buffer.extend_from_slice(csv::FILE.as_bytes());
        }
        self.buffer.extend_from_slice(headings.as_bytes());
        self.write();
    }

    /// Shows what was found in a capture.
    pub fn report(&mut self, report: &Report) {
        match self.how {
            How::Json => {
                // Writing to a buffer does not fail.
                let _ = json::write(report, &mut self.buffer);
            }
            How::Lines | How::Csv => {}
            How::Terminal => self.terminal(report),
        }
        self.write();
    }

    pub fn write(&mut self) {
        let _ = self.out.write_out(&mut self.buffer);
    }

    pub fn is_json(&self) -> bool {
        self.how == How::Json
    }

    /// A line of the list of extracted files.
    pub fn extracted(&mut self, line: &[u8]) {
        self.buffer.extend_from_slice(line);
        self.write();
    }

    pub fn finish(self) -> Exit {
        self.out.exit()
    }

    /// What stands above what is shown of a file.
    pub fn head(&mut self, file: &str) {
        if std::mem::replace(&mut self.begun, true) {
            self.buffer.push(b'\n');
        }
        if self.several && self.what != What::Summary {
            let line = format!("{}:\n", text::visible(file));
            self.buffer.extend_from_slice(line.as_bytes());
        }
        if self.what == What::Packets {
            let headings = inspect::packet_headings(self.room, &self.screen);
            self.buffer.extend_from_slice(headings.as_bytes());
        }
    }

    fn terminal(&mut self, report: &Report) {
        self.head(report.file());
        let text = match self.what {
            What::Summary => inspect::summary(report, &self.extent, &self.screen),
            What::Conversations => inspect::conversations(report, &self.extent, &self.screen),
            What::Http => inspect::transactions(report, &self.extent, &self.screen),
            What::Packets => return,
        };
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Whole lines, however many.
    pub fn lines(&mut self, lines: &[u8]) -> io::Result<()> {
        self.flush()?;
        match self.out.write(lines) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    /// Pieces of a line, to be written with others.
    pub fn append(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        for piece in pieces {
            self.buffer.extend_from_slice(piece);
        }
        match self.buffer.len() < BLOCK {
            true => Ok(()),
            false => self.flush(),
        }
    }

    /// Writes all that waits.
    pub fn flush(&mut self) -> io::Result<()> {
        match self.out.write_out(&mut self.buffer) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    /// What could not be written to standard output was told already.
    pub fn cannot_write(&self, error: &io::Error) -> Exit {
        if self.out.is_broken() {
            return self.out.exit();
        }
        output::tell(&format!("cannot write: {error}"));
        Exit::Environment
    }
}
