//! `netlab-capture inspect`: what captures hold.

mod args;
mod extract;
mod follow;
mod input;
#[cfg(all(feature = "record", target_os = "linux"))]
mod live;
mod progress;
mod show;

use std::collections::HashMap;

use super::load::{self, Mistakes};
use super::output::{self, Stdout};
use super::{Exit, sink};
use crate::expect::ast::Filter;
use crate::expect::fields::{Reading, View};
use crate::expect::filter;
use crate::message;
use crate::report::{self, ErrorCode, Options, Report};
use crate::savefile::SavefileError;
use crate::trace::{self, Trace};

pub use args::Args;
use args::How;
use extract::Extractor;
use input::Input;
use show::Showing;

pub fn main(args: &Args) -> Exit {
    if let Some(target) = args.follow {
        return follow::main(args, target);
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
        let read = input::open(file, args.streams()).and_then(|input| read(input));
        exit = exit.worst(match read {
            Err(error) => unreadable(&mut showing, args, &file.display().to_string(), &error),
            Ok(trace) => {
                let report = report(&trace, args, filter.as_ref());
                let ended = Exit::of(&report);
                if let Some(error) = report.error.as_ref().filter(|_| args.how() != How::Json) {
                    output::complain(&format!("netlab-capture: {}\n", error.message));
                }
                match &mut extractor {
                    Some(extractor) => {
                        ended.worst(bodies(extractor, &trace, &report, &mut showing))
                    }
                    None => {
                        showing.report(&report);
                        ended
                    }
                }
            }
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

/// Extracts the bodies of the transactions that the report has.
fn bodies(
    extractor: &mut Extractor,
    trace: &Trace,
    report: &Report,
    showing: &mut Showing,
) -> Exit {
    let mut exit = Exit::Passed;
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut wanted = report.messages.iter().peekable();
    for message in &trace.messages {
        let number = numbers.entry(message.conversation).or_default();
        let transaction = *number;
        *number += 1;
        // The report's are some of the trace's, in the same order.
        let Some(shown) = wanted.next_if(|shown| is_of(shown, message)) else {
            continue;
        };
        exit = exit.worst(extractor.message(message, shown.stream, transaction, showing));
        if exit != Exit::Passed || showing.out.is_broken() {
            break;
        }
    }
    exit
}

/// Is this what the report tells of the message?
fn is_of(shown: &report::Message, message: &message::Message) -> bool {
    let uri = |request: &report::HttpRequest| request.uri.clone();
    shown.conversation == message.conversation
        && shown.http.request.as_ref().map(uri)
            == message.request.as_ref().map(|r| r.target.clone())
        && shown.http.response.as_ref().map(|r| r.code) == message.response.as_ref().map(|r| r.code)
}

fn read(input: Input) -> Result<Trace, SavefileError> {
    trace::read(input.reader, &input.name, input.sidecar)
}

fn report(trace: &Trace, args: &Args, filter: Option<&Filter>) -> Report {
    let displayed = filter.map(|filter| {
        let shown = |index: &usize| {
            View::new(trace, *index, Reading::Filter)
                .is_some_and(|view| filter::matches(filter, &view))
        };
        let numbers = (0..trace.packets.len()).filter(shown);
        numbers.map(|index| index as u64 + 1).collect()
    });
    let options = Options {
        packets: args.what() == args::What::Packets,
        claimed: true,
        digests: args.digest,
        displayed,
        at_a_glance: true,
        ..Options::default()
    };
    Report::build(trace, None, &[], &options)
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
    output::complain(&format!("netlab-capture: {message}\n"));
    document(showing, args, name, ErrorCode::Usage, message);
    Exit::Usage
}

fn environment(showing: &mut Showing, args: &Args, message: &str) -> Exit {
    output::complain(&format!("netlab-capture: {message}\n"));
    document(showing, args, "--extract", ErrorCode::Environment, message);
    Exit::Environment
}

/// Readers of JSON get a document about an error too.
fn document(showing: &mut Showing, args: &Args, name: &str, code: ErrorCode, message: &str) {
    if args.how() == How::Json && args.extract.is_none() {
        showing.report(&Report::error(name, code, message));
    }
}
