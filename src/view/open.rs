//! A capture that is open: read whole, its report made, its questions answered.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Severity, Source};
use crate::expect::{self, fields::SoFar, fields::View, filter};
use crate::report::{Options, Report};
use crate::savefile::{Bytes, Recording, SavefileError};
use crate::scenario::{self, Scenario};
use crate::trace::{self, Trace};

/// A capture and what is known of it.
pub struct Capture {
    pub trace: Trace,
    scenario: Option<Scenario>,
}

/// A mistake in a text that was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    pub code: &'static str,
    pub warning: bool,
    pub message: String,
    /// Bytes of the text.
    pub start: usize,
    pub end: usize,
    pub label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<&Diagnostic> for Mistake {
    fn from(diagnostic: &Diagnostic) -> Mistake {
        Mistake {
            code: diagnostic.code,
            warning: diagnostic.severity == Severity::Warning,
            message: diagnostic.message.clone(),
            start: diagnostic.span.start,
            end: diagnostic.span.end,
            label: diagnostic.label.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// A statement judged on the spot.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    pub mistakes: Vec<Mistake>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expectation: Option<crate::report::Expectation>,
}

impl Capture {
    /// Reads a capture file. What is said of its recording's scenario is judged
    /// again, as `check` does.
    ///
    /// # Errors
    /// The bytes are no capture.
    pub fn open(
        bytes: &[u8],
        name: &str,
        sidecar: Option<Recording>,
    ) -> Result<Capture, SavefileError> {
        let trace = trace::read(bytes, name, sidecar)?;
        let recorded = trace.recording.as_ref().and_then(|r| r.scenario.as_ref());
        let scenario = recorded.and_then(|recorded| {
            scenario::parse(Source {
                name: recorded.source.clone(),
                text: recorded.text.clone(),
            })
            .ok()
        });
        Ok(Capture { trace, scenario })
    }

    /// The report, without `packets[]`: those are asked for row by row.
    pub fn report(&self) -> Report {
        let programs = self.scenario.as_ref().map_or(&[][..], |s| &s.programs);
        let compiled = self.scenario.as_ref().map(expect::compile);
        let expectations = compiled.and_then(Result::ok).unwrap_or_default();
        let recorded = self.trace.recording.as_ref();
        let recorded = recorded.and_then(|recording| recording.scenario.as_ref());
        let nothing = BTreeMap::new();
        let files: &BTreeMap<String, Bytes> = recorded.map_or(&nothing, |r| &r.files);
        let outcomes = expect::judge(&self.trace, &expectations, programs, files);
        let options = Options {
            claimed: true,
            ..Options::default()
        };
        let mut report = Report::build(&self.trace, self.scenario.as_ref(), &outcomes, &options);
        if outcomes.is_empty() && report.error.is_none() {
            // Nothing was to be judged.
            report.verdict = None;
        }
        report
    }

    /// The numbers (`frame.number`) of the packets that a display filter shows;
    /// an empty one shows all.
    ///
    /// # Errors
    /// The mistakes in the filter.
    pub fn filter(&self, text: &str) -> Result<Vec<u32>, Vec<Mistake>> {
        let number = |index: usize| {
            let packet = self.trace.packets.get(index)?;
            u32::try_from(packet.number).ok()
        };
        let all = 0..self.trace.packets.len();
        if text.trim().is_empty() {
            return Ok(all.filter_map(number).collect());
        }
        let (parsed, mistakes) = expect::parse_filter(text, &self.trace.roles);
        let Some(parsed) = parsed else {
            return Err(mistakes.iter().map(Mistake::from).collect());
        };
        // As `-Y` does, which knows at each packet what came so far.
        let so_far = SoFar(&self.trace);
        let mut displayed = None;
        let shown = all.filter(|index| {
            let Some(view) = View::new(&self.trace, *index, expect::fields::Reading::Filter) else {
                return false;
            };
            let view = View {
                known: &so_far,
                displayed: expect::fields::Displayed::Until(displayed),
                ..view
            };
            let matches = filter::matches(&parsed, &view);
            if matches {
                displayed = Some(view.packet.time);
            }
            matches
        });
        Ok(shown.filter_map(number).collect())
    }

    /// Judges a statement about this capture.
    pub fn judge(&self, text: &str) -> Judged {
        let parsed = expect::parse(text, text, &self.trace.roles);
        let expectation = match parsed {
            Ok(expectation) => expectation,
            Err(diagnostics) => {
                return Judged {
                    mistakes: diagnostics.iter().map(Mistake::from).collect(),
                    expectation: None,
                };
            }
        };
        let mistakes = expectation.warnings.iter().map(Mistake::from).collect();
        let outcomes = expect::judge(&self.trace, &[expectation], &[], &BTreeMap::new());
        let report = Report::build(&self.trace, None, &outcomes, &Options::default());
        Judged {
            mistakes,
            expectation: report.expectations.into_iter().find(|e| !e.implied),
        }
    }
}
