//! The expectations, each with its verdict; the failed ones explained.

use std::collections::BTreeSet;

use super::line::{Line, Tone};
use super::screen::{Screen, numbers};
use crate::render::explain::statement;
use crate::render::text::{visible, width};
use crate::report::{Detail, Expectation, Report, Verdict};

/// Lines of a statement shown before and behind the caret.
const AROUND: usize = 6;

/// All expectations, the authors' own before the implied ones.
pub fn expectations(screen: &mut Screen, report: &Report) {
    if report.expectations.is_empty() {
        return;
    }
    let all = || report.expectations.iter();
    for expectation in all()
        .filter(|e| !e.implied)
        .chain(all().filter(|e| e.implied))
    {
        verdict_line(screen, expectation);
        if let Some(detail) = &expectation.detail {
            explanation(screen, expectation, detail);
        }
    }
    screen.blank();
    more(screen, report);
}

/// The author's hint for who did not pass, and where to read on.
fn more(screen: &mut Screen, report: &Report) {
    let details = report.expectations.iter().filter_map(|e| e.detail.as_ref());
    let codes: BTreeSet<&str> = details.map(|detail| detail.code).collect();
    if codes.is_empty() {
        return;
    }
    let mut said = |name: &str, text: &str| {
        let mut line = Line::default();
        line.put(0, name, Tone::Dim);
        let text = screen.clean_lines(text.trim());
        screen.hanging(line, 9, &text, Tone::Plain);
    };
    if let Some(hint) = report.scenario.as_ref().and_then(|s| s.hint.as_ref()) {
        said("Hint", hint);
    }
    let codes: Vec<&str> = codes.into_iter().collect();
    said(
        "Explain",
        &format!("netlab-capture explain {}", codes.join(" ")),
    );
    screen.blank();
}

/// The sign of a verdict and its colour.
pub fn sign(screen: &Screen, verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Pass => (screen.symbols.pass, Tone::Good),
        Verdict::Fail | Verdict::Error => (screen.symbols.fail, Tone::Bad),
        Verdict::Inconclusive => (screen.symbols.unknown, Tone::Notice),
    }
}

/// `✓ name    packets 1, 2`
fn verdict_line(screen: &mut Screen, expectation: &Expectation) {
    let (sign, sign_tone) = sign(screen, expectation.verdict);
    let tone = match (expectation.verdict, expectation.implied) {
        (Verdict::Pass, true) => Tone::Dim,
        (Verdict::Pass, false) => Tone::Plain,
        _ => Tone::Title,
    };
    let name = screen.clean(&expectation.name);
    let mut line = Line::default();
    line.put(0, sign, sign_tone);
    if let Some(evidence) = evidence(&expectation.evidence) {
        let room = screen.width.saturating_sub(2 + width(&name));
        if room >= width(&evidence) + 2 {
            line.put(2, &name, tone);
            line.push(&format!("  {evidence}"), Tone::Dim);
            screen.line(&line);
            return;
        }
    }
    screen.hanging(line, 2, &name, tone);
}

/// `packet 1`, `packets 1, 2`.
pub fn evidence(frames: &[u64]) -> Option<String> {
    match frames {
        [] => None,
        [one] => Some(format!("packet {one}")),
        many => Some(format!("packets {}", numbers(many))),
    }
}

fn explanation(screen: &mut Screen, expectation: &Expectation, detail: &Detail) {
    let message = format!("[{}] {}", detail.code, detail.message);
    let message = screen.clean_lines(&message);
    screen.paragraph(4, &message, Tone::Plain);
    screen.blank();
    if !expectation.implied {
        quote(screen, expectation, detail);
        if let Some(place) = &expectation.source {
            let place = format!("{}:{}:{}", place.file, place.line, place.column);
            let place = screen.clean(&place);
            screen.text(4, &place, Tone::Dim);
        }
        screen.blank();
    }
    let mut said = false;
    let mut fact = |screen: &mut Screen, name: &str, value: &Option<String>, tone: Tone| {
        if let Some(value) = value {
            said = true;
            labelled(screen, name, value, tone);
        }
    };
    fact(screen, "expected", &detail.expected, Tone::Good);
    fact(screen, "got", &detail.actual, Tone::Bad);
    fact(screen, "difference", &detail.difference, Tone::Plain);
    for note in &detail.notes {
        fact(screen, "note", &Some(note.clone()), Tone::Plain);
    }
    fact(screen, "hint", &expectation.hint, Tone::Plain);
    fact(screen, "Wireshark", &detail.wireshark_filter, Tone::Plain);
    if said {
        screen.blank();
    }
}

/// A name in the left column, its value in lines beside it.
fn labelled(screen: &mut Screen, name: &str, value: &str, tone: Tone) {
    const INDENT: usize = 4;
    const VALUE: usize = 17;
    let mut line = Line::default();
    line.put(INDENT, name, Tone::Dim);
    let value = screen.clean_lines(value);
    screen.hanging(line, VALUE, &value, tone);
}

/// The statement with a caret at the place in question; of a long one only
/// what is around it.
fn quote(screen: &mut Screen, expectation: &Expectation, detail: &Detail) {
    let lines = statement(&expectation.text, detail.span);
    let carets = || lines.iter().enumerate().filter(|(_, l)| l.is_caret);
    let first = carets().next().map_or(0, |(i, _)| i);
    let last = carets().next_back().map_or(0, |(i, _)| i);
    // The columns scrolled away so that the place can be seen.
    let indent = carets()
        .map(|(_, l)| l.text.len() - l.text.trim_start().len())
        .min()
        .unwrap_or(0);
    const GUTTER: usize = 6;
    let room = screen.width.saturating_sub(GUTTER);
    let skip = if indent + 8 > room { indent - 4 } else { 0 };
    let from = first.saturating_sub(AROUND);
    let shown = lines
        .iter()
        .enumerate()
        .skip(from)
        .take(last + AROUND + 1 - from);
    let mut count = from;
    if from > 0 {
        gutter(screen, screen.symbols.ellipsis, Tone::Dim);
    }
    for (index, line) in shown {
        let tone = if line.is_caret {
            Tone::Bad
        } else {
            Tone::Plain
        };
        let text: String = line.text.chars().skip(skip).collect();
        let text = screen.in_charset(visible(&text));
        let text = match line.is_caret {
            true => text.chars().take(room).collect(),
            false => screen.cut(&text, room),
        };
        gutter(screen, &text, tone);
        count = index + 1;
    }
    if count < lines.len() {
        gutter(screen, screen.symbols.ellipsis, Tone::Dim);
    }
}

fn gutter(screen: &mut Screen, text: &str, tone: Tone) {
    let mut line = Line::default();
    line.put(4, screen.symbols.lane, Tone::Dim);
    line.put(6, text, tone);
    screen.line(&line);
}
