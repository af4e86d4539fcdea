//! Reports to standard output, in the form that was asked for.

use std::io::IsTerminal;

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
    screen: TerminalOptions,
    /// A list of packets may be so wide.
    room: usize,
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
            How::Lines => self.each(report, Line::Json),
            How::Csv => self.each(report, Line::Csv),
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

    fn terminal(&mut self, report: &Report) {
        if std::mem::replace(&mut self.begun, true) {
            self.buffer.push(b'\n');
        }
        if self.several && self.what != What::Summary {
            let line = format!("{}:\n", text::visible(report.file()));
            self.buffer.extend_from_slice(line.as_bytes());
        }
        let text = match self.what {
            What::Summary => inspect::summary(report, &self.extent, &self.screen),
            What::Conversations => inspect::conversations(report, &self.extent, &self.screen),
            What::Http => inspect::transactions(report, &self.extent, &self.screen),
            What::Packets => {
                let headings = inspect::packet_headings(self.room, &self.screen);
                self.buffer.extend_from_slice(headings.as_bytes());
                self.each(report, Line::Text);
                return;
            }
        };
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// A line for each row of the table.
    fn each(&mut self, report: &Report, line: Line) {
        match self.what {
            What::Summary | What::Packets => {
                for packet in report.packets.iter().flatten() {
                    match line {
                        Line::Json => json::line(packet, &mut self.buffer),
                        Line::Csv => csv::packet(packet, &mut self.buffer),
                        Line::Text => {
                            inspect::packet(packet, self.room, &self.screen, &mut self.buffer);
                        }
                    }
                    self.write_blocks();
                }
            }
            What::Conversations => {
                for conversation in &report.conversations {
                    match line {
                        Line::Json => json::line(conversation, &mut self.buffer),
                        _ => csv::conversation(conversation, &mut self.buffer),
                    }
                    self.write_blocks();
                }
            }
            What::Http => {
                for message in &report.messages {
                    match line {
                        Line::Json => json::line(message, &mut self.buffer),
                        _ => csv::transaction(message, &mut self.buffer),
                    }
                    self.write_blocks();
                }
            }
        }
    }

    fn write_blocks(&mut self) {
        if self.buffer.len() >= BLOCK {
            self.write();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Json,
    Csv,
    Text,
}
