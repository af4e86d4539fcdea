//! `netlab-capture check`: judge captures again, or captures from elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Exit;
use super::judge::{self, Judged, Yardstick};
use super::load::{self, Mistakes};
use super::sink::{self, Sink};
use crate::diagnostic::{Diagnostic, Severity, Source};
use crate::expect;
use crate::expect::ast::Expectation;
use crate::report::{ErrorCode, Report};
use crate::savefile::Bytes;
use crate::scenario::{self, Scenario};
use crate::trace::Trace;

/// Judge captures by the expectations in them, or by others.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Capture files (.pcapng, .pcap)
    #[arg(value_name = "CAPTURE", required = true)]
    captures: Vec<PathBuf>,
    /// A scenario file whose expectations to use, in place of the capture's own
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// A statement: -e 'no RST'. May be given several times
    #[arg(short = 'e', value_name = "STATEMENT", conflicts_with = "expect")]
    statements: Vec<String>,
    #[command(flatten)]
    output: sink::OutputArgs,
}

pub fn main(args: &Args) -> Exit {
    let mut sink = match Sink::open(&args.output) {
        Ok(sink) => sink,
        Err(exit) => return exit,
    };
    let given = match &args.expect {
        None => None,
        Some(path) => match load::load(&[path.display().to_string()], false) {
            Ok(loaded) => loaded.into_iter().next(),
            Err(mistakes) => return sink.refuse(&mistakes),
        },
    };
    sink.expect(args.captures.len());
    let mut exit = Exit::Passed;
    for path in &args.captures {
        let judged = match judge::read(path) {
            Err(error) => judge::unreadable(path, &error),
            Ok(trace) => {
                let yardstick = match &given {
                    Some(loaded) => Ok(Own {
                        scenario: Some(loaded.scenario.clone()),
                        expectations: loaded.expectations.clone(),
                        files: loaded.files.clone(),
                    }),
                    None => own_yardstick(&trace, path, &args.statements),
                };
                match yardstick {
                    Ok(own) => judge_by(&trace, &own, &sink),
                    Err(mistakes) => {
                        exit = exit.worst(load::complain(&mistakes));
                        author_error(path, &mistakes)
                    }
                }
            }
        };
        exit = exit.worst(judged.exit);
        sink.show(&judged.report);
        sink.keep(judged.report);
    }
    exit.worst(sink.finish())
}

struct Own {
    scenario: Option<Scenario>,
    expectations: Vec<Expectation>,
    files: BTreeMap<String, Bytes>,
}

fn judge_by(trace: &Trace, own: &Own, sink: &Sink) -> Judged {
    let mut options = sink.options();
    options.claimed = true;
    judge::judge(
        trace,
        &Yardstick {
            scenario: own.scenario.as_ref(),
            expectations: &own.expectations,
            files: &own.files,
        },
        &options,
    )
}

/// The statements of the command line, or what the recording brings along.
fn own_yardstick(trace: &Trace, path: &Path, statements: &[String]) -> Result<Own, Vec<Mistakes>> {
    let recorded = trace.recording.as_ref().and_then(|r| r.scenario.as_ref());
    if !statements.is_empty() {
        return Ok(Own {
            scenario: None,
            expectations: load::parse_statements(statements, &trace.roles)?,
            files: BTreeMap::new(),
        });
    }
    let Some(recorded) = recorded else {
        if trace.capture.damage.is_some() {
            // What it brought along came after the damage: the report says so.
            return Ok(Own {
                scenario: None,
                expectations: Vec::new(),
                files: BTreeMap::new(),
            });
        }
        return Err(nothing_to_judge_by(path));
    };
    let source = Source {
        name: recorded.source.clone(),
        text: recorded.text.clone(),
    };
    let wrong = |diagnostics| {
        vec![Mistakes {
            source: source.clone(),
            diagnostics,
        }]
    };
    let scenario = scenario::parse(source.clone()).map_err(wrong)?;
    let expectations = expect::compile(&scenario).map_err(wrong)?;
    Ok(Own {
        scenario: Some(scenario),
        expectations,
        files: recorded.files.clone(),
    })
}

fn author_error(path: &Path, mistakes: &[Mistakes]) -> Judged {
    let messages: Vec<&str> = mistakes
        .iter()
        .flat_map(|m| &m.diagnostics)
        .map(|d| d.message.as_str())
        .collect();
    let name = path.display().to_string();
    Judged::of_report(Report::error(&name, ErrorCode::Usage, messages.join("; ")))
}

/// The capture brings no expectations, and none were given.
fn nothing_to_judge_by(path: &Path) -> Vec<Mistakes> {
    let text = path.display().to_string();
    vec![Mistakes {
        diagnostics: vec![Diagnostic {
            severity: Severity::Error,
            code: scenario::codes::NOTHING_EXPECTED,
            message: "this capture holds no expectations of its own".into(),
            span: 0..text.len(),
            label: "made by another program, or converted by one".into(),
            help: Some("say what to expect: -e 'STATEMENT', or --expect FILE".into()),
        }],
        source: Source {
            name: "command line".into(),
            text,
        },
    }]
}
