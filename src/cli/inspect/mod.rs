//! `netlab-capture inspect`: what captures hold. The flags become settings
//! (`args`), what is found becomes lines on the threads that found it (`paint`),
//! and these come together in the order of the file (`gather`).

mod args;
mod extract;
mod follow;
mod gather;
pub(super) mod input;
#[cfg(all(feature = "record", target_os = "linux"))]
mod live;
#[cfg(all(feature = "record", target_os = "linux"))]
mod map;
mod page;
mod paint;
mod progress;
mod show;
mod spool;
#[cfg(all(feature = "record", target_os = "linux"))]
mod sys;

use std::io;

use super::load::{self, Mistakes};
use super::output::{self, Stdout};
use super::{Exit, code_of, sink};
use crate::expect::ast::Filter;
use crate::inspect::{Settings, inspect};
use crate::message::{self, Bodies, Waits};
use crate::report::{ErrorCode, Report};
use crate::savefile::SavefileError;

pub use args::Args;
use args::How;
use extract::Extractor;
use gather::Gather;
use input::Input;
use paint::Painter;
use show::Showing;

/// Bytes of a body that are held to be extracted.
const LARGEST_BODY: usize = 256 << 20;
/// Bytes of a message, and of a body, that a display filter looks at.
const FILTERED_BODY: usize = 1 << 20;
/// Packets that are listed of one transaction.
const MOST_PACKETS: usize = 100_000;

pub fn main(args: &Args) -> Exit {
    if args.digest && !args.shows_digests() {
        output::tell("--digest is shown by --json, and by --http with --ndjson or --csv");
        return Exit::Usage;
    }
    if let Some(target) = args.follow {
        return follow::main(args, target);
    }
    if let Some(path) = &args.html {
        return page::main(args, path);
    }
    let mut showing = Showing::new(args);
    let filter = match args.filter() {
        Ok((filter, warnings)) => {
            warn(warnings.as_ref());
            filter
        }
        Err(mistakes) => return refuse(&mut showing, args, &mistakes),
    };
    let mut extractor = match &args.extract {
        None => None,
        Some(folder) => match Extractor::new(folder, args.decode, args.extract_limit) {
            Ok(extractor) => Some(extractor),
            Err(error) => return environment(&mut showing, args, &error),
        },
    };
    showing.begin();
    let mut exit = Exit::Passed;
    for file in &args.files {
        let name = file.display().to_string();
        let read = input::open(file, args.streams()).map(|input| {
            capture(
                input,
                args,
                filter.as_ref(),
                &mut showing,
                extractor.as_mut(),
            )
        });
        exit = exit.worst(match read {
            Ok(Ok(exit)) => exit,
            Ok(Err(error)) => showing.cannot_write(&error),
            Err(error) => unreadable(&mut showing, args, &name, &error),
        });
        if showing.out.is_broken() {
            break;
        }
    }
    if let Some(extractor) = &extractor {
        extractor.finish();
    }
    exit.worst(showing.finish())
}

/// Reads a capture and shows what is asked for of it.
fn capture(
    input: Input,
    args: &Args,
    filter: Option<&Filter>,
    showing: &mut Showing,
    extractor: Option<&mut Extractor>,
) -> io::Result<Exit> {
    let (room, screen) = (showing.room, showing.screen);
    let painter = Painter::new(args, filter, &input.name, room, &screen);
    let limits = args.limits();
    let largest = largest_body(args);
    let settings = Settings {
        threads: if painter.needs_order() {
            1
        } else {
            args.threads()
        },
        limits,
        messages: message::Settings {
            bodies: match &extractor {
                Some(_) => Bodies::Keep { limit: largest },
                None if painter.needs_bodies() => Bodies::Keep {
                    limit: FILTERED_BODY,
                },
                None if args.digest => Bodies::Digest,
                None => Bodies::Count,
            },
            packets: MOST_PACKETS,
            parts: painter.needs_parts(),
            carried: painter.needs_carried(),
            sent: if painter.needs_sent() {
                FILTERED_BODY
            } else {
                0
            },
            waits: match &extractor {
                Some(_) => Waits {
                    bodies_in_all: largest.max(Waits::default().bodies_in_all),
                    ..Waits::default()
                },
                None => Waits::default(),
            },
        },
        packets: painter.needs_packets(),
    };
    let mut gather = Gather::new(showing, extractor, args, filter.is_some(), &input.name);
    let mut totals = inspect(input.reader, &settings, &painter, &mut gather)?;
    totals.recording = totals.recording.or(input.sidecar);
    if painter.filters_messages() && totals.tally.late > 0 {
        let (late, s) = match totals.tally.late {
            1 => ("1 HTTP message".to_owned(), "s"),
            late => (format!("{late} HTTP messages"), ""),
        };
        output::complain(&format!(
            "netlab-capture: {late} lie{s} behind bytes that were never captured: the filter \
             finds {} at no packet. --http lists all\n",
            if s.is_empty() { "them" } else { "it" },
        ));
    }
    gather.finish(&totals, &limits)
}

/// Bytes of a body that are held to be extracted: no more than may be written, and one
/// that tells that it is too much. Decoded it may have fewer.
fn largest_body(args: &Args) -> usize {
    let limit = usize::try_from(args.extract_limit).unwrap_or(usize::MAX);
    match args.decode {
        true => LARGEST_BODY,
        false => LARGEST_BODY.min(limit.saturating_add(1)),
    }
}

/// What is allowed in a filter, but probably not meant.
fn warn(warnings: Option<&Mistakes>) {
    if let Some(mistakes) = warnings {
        load::complain(std::slice::from_ref(mistakes));
    }
}

/// The filter cannot be understood.
fn refuse(showing: &mut Showing, args: &Args, mistakes: &Mistakes) -> Exit {
    let exit = load::complain(std::slice::from_ref(mistakes));
    let messages: Vec<&str> = mistakes
        .diagnostics
        .iter()
        .map(|d| d.message.as_str())
        .collect();
    document(showing, args, "-Y", ErrorCode::Usage, &messages.join("; "));
    exit
}

fn unreadable(showing: &mut Showing, args: &Args, name: &str, error: &SavefileError) -> Exit {
    let message = error.to_string();
    let message = output::without_number(&message);
    output::tell(message);
    document(showing, args, name, code_of(error), message);
    code_of(error).into()
}

fn environment(showing: &mut Showing, args: &Args, message: &str) -> Exit {
    output::tell(message);
    document(showing, args, "--extract", ErrorCode::Environment, message);
    Exit::Environment
}

/// Readers of JSON get a document about an error too.
fn document(showing: &mut Showing, args: &Args, name: &str, code: ErrorCode, message: &str) {
    if args.how() == How::Json && args.extract.is_none() {
        showing.report(&Report::error(name, code, message));
    }
}
