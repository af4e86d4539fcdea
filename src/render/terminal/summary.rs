//! The last line of a report, the one line of a report among several, and the
//! table behind them.

use super::expectations::sign;
use super::line::{Line, Tone};
use super::screen::{Screen, count, duration};
use crate::render::text::width;
use crate::report::{Report, Verdict};

/// The verdict in one line, in full sentences where there is an error.
pub fn closing(screen: &mut Screen, report: &Report) {
    let Some(verdict) = report.verdict else {
        return;
    };
    let (sign, tone) = sign(screen, verdict);
    let mut line = Line::default();
    line.push(&format!("{sign} {}", word(verdict)), tone);
    let indent = line.end() + 2;
    let remark = screen.clean_lines(&remark(report));
    screen.hanging(line, indent, &remark, Tone::Plain);
}

/// `✓ tcp-refused   2 packets   5 expectations   18 ms`
pub fn line(screen: &mut Screen, report: &Report) {
    let (sign, tone) = match report.verdict {
        Some(verdict) => sign(screen, verdict),
        None => (screen.symbols.dot, Tone::Dim),
    };
    let name = screen.clean(report.name());
    let mut line = Line::default();
    line.put(0, sign, tone);
    const NAME: usize = 24;
    let room = screen.width.saturating_sub(2);
    let end = line.put(2, &screen.cut(&name, room), Tone::Plain);
    let remark = screen.clean_lines(&remark(report));
    let start = (end + 2).max(2 + NAME.min(screen.width / 2));
    let first = remark.lines().next().unwrap_or("");
    let room = screen.width.saturating_sub(start);
    if report.verdict == Some(Verdict::Error) && width(&remark) > room {
        screen.line(&line);
        screen.paragraph(4, &remark, Tone::Plain);
        return;
    }
    if room > 0 {
        line.put(start, &screen.cut(first, room), Tone::Dim);
    }
    screen.line(&line);
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Error => "error",
    }
}

fn remark(report: &Report) -> String {
    let all = report.expectations.len() as u64;
    let with = |wanted: Verdict| {
        let found = report.expectations.iter().filter(|e| e.verdict == wanted);
        found.count() as u64
    };
    let mut facts = Vec::new();
    match report.verdict {
        None => {}
        Some(Verdict::Error) => {
            return report
                .error
                .as_ref()
                .map_or_else(String::new, |e| e.message.clone());
        }
        Some(Verdict::Pass) => facts.push(count(all, "expectation", "expectations")),
        Some(Verdict::Fail) => {
            let of = count(all, "expectation", "expectations");
            facts.push(format!("{} of {of}", with(Verdict::Fail)));
        }
        Some(Verdict::Inconclusive) => {
            let of = count(all, "expectation", "expectations");
            let doubtful = with(Verdict::Inconclusive);
            facts.push(format!("{doubtful} of {of}: evidence may be missing"));
        }
    }
    if let Some(capture) = &report.capture {
        facts.push(count(capture.packets, "packet", "packets"));
    }
    facts.extend(report.duration_ms.map(duration));
    facts.join(" · ")
}

/// How many of several reports came to which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub inconclusive: u64,
    pub errors: u64,
    /// Reports in which nothing was judged.
    pub unjudged: u64,
}

impl Tally {
    pub fn add(&mut self, report: &Report) {
        let field = match report.verdict {
            Some(Verdict::Pass) => &mut self.passed,
            Some(Verdict::Fail) => &mut self.failed,
            Some(Verdict::Inconclusive) => &mut self.inconclusive,
            Some(Verdict::Error) => &mut self.errors,
            None => &mut self.unjudged,
        };
        *field += 1;
    }

    /// Runs that did not pass.
    pub fn not_passed(&self) -> u64 {
        self.failed + self.inconclusive + self.errors
    }

    /// `tcp-upper  100 runs: 97 passed · 3 failed  flaky: 3.0 % did not pass`
    pub(super) fn of_rounds(&self, screen: &mut Screen, name: &str) {
        let all = self.passed + self.not_passed() + self.unjudged;
        let mut line = Line::default();
        let name = screen.clean(name);
        let end = line.put(0, &screen.cut(&name, screen.width / 2), Tone::Title);
        line.put(
            (end + 2).max(24.min(screen.width / 2)),
            &count(all, "run", "runs"),
            Tone::Plain,
        );
        line.push(": ", Tone::Plain);
        self.parts(screen, &mut line);
        if self.passed > 0 && self.not_passed() > 0 {
            let share = self.not_passed() as f64 * 100.0 / all as f64;
            line.push(&format!("  flaky: {share:.1} % did not pass"), Tone::Notice);
        }
        screen.line(&line);
    }

    /// `8 passed · 1 failed`, zeros left out.
    pub(super) fn show(&self, screen: &mut Screen) {
        let mut line = Line::default();
        self.parts(screen, &mut line);
        if line.end() > 0 {
            screen.blank();
            screen.line(&line);
        }
    }

    fn parts(&self, screen: &Screen, line: &mut Line) {
        let parts = [
            (self.passed, "passed", Tone::Good),
            (self.failed, "failed", Tone::Bad),
            (self.inconclusive, "inconclusive", Tone::Notice),
            (self.errors, "with errors", Tone::Bad),
            (self.unjudged, "read", Tone::Plain),
        ];
        let present = parts.into_iter().filter(|(number, ..)| *number > 0);
        for (index, (number, word, tone)) in present.enumerate() {
            if index > 0 {
                line.push(&format!(" {} ", screen.symbols.dot), Tone::Dim);
            }
            line.push(&format!("{number} {word}"), tone);
        }
    }
}
