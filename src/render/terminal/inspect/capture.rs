//! The file: its format, how much is in it, when it was captured, and what it
//! says of packets that it lacks.

use super::super::line::Tone;
use super::super::screen::{Screen, count, thousands};
use super::super::status::proof_words;
use super::{names, units};
use crate::report::{Capture, Report, Summary};

/// libpcap's and Wireshark's snaplen for whole packets; more is no limit.
const WHOLE: u32 = 65_535;

pub fn capture(screen: &mut Screen, report: &Report) {
    let name = screen.clean(report.name());
    screen.paragraph(0, &name, Tone::Title);
    let Some(capture) = &report.capture else {
        if let Some(error) = &report.error {
            let text = screen.clean_lines(&error.message);
            screen.paragraph(2, &text, Tone::Bad);
        }
        return;
    };
    let dot = screen.symbols.dot;
    let text = facts(capture, report.summary.as_ref()).join(&format!(" {dot} "));
    let text = screen.clean(&text);
    screen.paragraph(2, &text, Tone::Plain);
    let text = screen.in_charset(completeness(capture));
    screen.paragraph(2, &text, Tone::Dim);
    if capture.proof.is_some() {
        let (words, tone) = proof_words(capture);
        let words = screen.clean(&words);
        screen.paragraph(2, &words, tone);
    }
    if let Some(damage) = &capture.damage {
        let text = format!(
            "Damaged at byte {}: {}. Everything before it was read.",
            thousands(damage.offset),
            damage.reason
        );
        let text = screen.clean(&text);
        screen.paragraph(2, &text, Tone::Bad);
    }
    screen.blank();
}

fn facts(capture: &Capture, summary: Option<&Summary>) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(capture.link_type.map(names::link_type));
    let packets = count(capture.packets, "packet", "packets");
    let Some(summary) = summary else {
        facts.push(packets);
        return facts;
    };
    facts.push(format!("{packets}, {}", units::size(summary.bytes)));
    let duration = summary.duration_ms.map(units::span);
    let start = summary.time_epoch.map(units::date);
    facts.extend(match (duration, start) {
        (Some(duration), Some(start)) => Some(format!("{duration} from {start}")),
        (duration, start) => duration.or(start),
    });
    if capture.displayed != capture.packets {
        facts.push(format!(
            "{} displayed ({})",
            thousands(capture.displayed),
            units::share(capture.displayed, capture.packets)
        ));
    }
    facts
}

/// What the file itself says of missing packets and bytes.
fn completeness(capture: &Capture) -> String {
    let mut words = match capture.dropped {
        None => "The file does not say whether packets were dropped".to_owned(),
        Some(0) => "No packet dropped, as the file says".to_owned(),
        Some(dropped) => format!(
            "{} dropped while capturing, as the file says",
            count(dropped, "packet", "packets")
        ),
    };
    if let Some(snaplen) = capture.snaplen.filter(|s| (1..WHOLE).contains(s)) {
        words += &format!("; frames cut to {} bytes", thousands(snaplen.into()));
    }
    words
}
