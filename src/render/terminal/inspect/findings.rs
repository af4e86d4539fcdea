//! The trouble found: how much of it, where, and how to see its packets.

use super::super::line::{Line, Tone};
use super::super::screen::{Screen, count, thousands};
use super::{conversations, heading};
use crate::render::text::width;
use crate::report::{Finding, FindingKind, Spot, Summary};

/// Kinds of trouble; a capture of noise has thousands.
const ROWS: usize = 30;
/// Between words and filter.
const GAP: usize = 2;

/// `damaged`: the capture could not be read to its end.
pub fn findings(screen: &mut Screen, summary: &Summary, damaged: bool) {
    if summary.findings.is_empty() {
        let words = match damaged {
            true => "No other trouble found before the damage",
            false => "No trouble found",
        };
        heading(screen, words, None);
        screen.blank();
        return;
    }
    heading(screen, "Trouble", None);
    let numbers = summary.findings.iter().take(ROWS).map(|f| f.count);
    let digits = numbers.map(|n| thousands(n).len()).max().unwrap_or(0);
    for finding in summary.findings.iter().take(ROWS) {
        row(screen, finding, digits);
    }
    let more = summary.findings.len().saturating_sub(ROWS) as u64;
    if more > 0 {
        let text = format!(
            "and {} more: --json has them all",
            count(more, "kind", "kinds")
        );
        screen.text(2, &text, Tone::Dim);
    }
    screen.blank();
}

fn row(screen: &mut Screen, finding: &Finding, digits: usize) {
    let number = thousands(finding.count);
    let mut line = Line::default();
    line.put(
        2 + digits.saturating_sub(number.len()),
        &number,
        tone(finding.kind),
    );
    let (one, many) = finding.kind.words();
    let mut words = if finding.count == 1 { one } else { many }.to_owned();
    match &finding.what {
        Some(what) if what.contains(' ') => words += &format!(": {what}"),
        Some(what) => words += &format!(" ({what})"),
        None => {}
    }
    if !finding.worst.is_empty() {
        words += &place(finding);
    }
    let indent = 2 + digits + 2;
    let words = screen.clean(&words);
    let filter = finding.filter.as_ref();
    let filter = filter.map(|filter| screen.clean(&format!("-Y '{filter}'")));
    let beside = filter
        .as_ref()
        .filter(|filter| indent + width(&words) + GAP + width(filter) <= screen.width);
    if let Some(filter) = beside {
        line.put(indent, &words, Tone::Plain);
        line.put(screen.width - width(filter), filter, Tone::Dim);
        screen.line(&line);
        return;
    }
    screen.hanging(line, indent, &words, Tone::Plain);
    if let Some(filter) = filter {
        screen.paragraph(indent + GAP, &filter, Tone::Dim);
    }
}

/// ` in tcp[4]`, ` in 12 conversations, most in tcp[4] (30), tcp[7] (2)`.
fn place(finding: &Finding) -> String {
    let several = finding.worst.len() > 1;
    let tags: Vec<String> = finding
        .worst
        .iter()
        .map(|spot| match several && spot.count > 1 {
            true => format!("{} ({})", tag(spot), thousands(spot.count)),
            false => tag(spot),
        })
        .collect();
    let tags = tags.join(", ");
    let all = finding.conversations;
    if all > finding.worst.len() as u64 {
        format!(" in {} conversations, most in {tags}", thousands(all))
    } else {
        format!(" in {tags}")
    }
}

fn tag(spot: &Spot) -> String {
    conversations::tag(spot.protocol, spot.stream)
}

fn tone(kind: FindingKind) -> Tone {
    match kind {
        FindingKind::Malformed
        | FindingKind::Refused
        | FindingKind::Rejected
        | FindingKind::Reset
        | FindingKind::HttpServerError => Tone::Bad,
        FindingKind::Unknown | FindingKind::Truncated => Tone::Dim,
        _ => Tone::Notice,
    }
}

/// The bounds that were reached: nobody shall take the rest for the whole.
pub fn limits(screen: &mut Screen, summary: &Summary) {
    for limit in &summary.limits {
        let text = format!(
            "{}{} {} was reached {}: {}",
            if limit.option { "--" } else { "" },
            limit.name,
            thousands(limit.limit),
            count(limit.reached, "time", "times"),
            limit.effect
        );
        let text = screen.clean(&text);
        screen.paragraph(0, &text, Tone::Notice);
    }
}
