//! The file: its format, how much is in it, when it was captured, and what it
//! says of packets that it lacks.

use super::super::line::Tone;
use super::super::screen::{Screen, count, thousands};
use super::super::status::proof_words;
use super::{names, units};
use crate::render::text::width;
use crate::report::{Capture, Report, Summary};
use crate::savefile::Format;

/// libpcap's and Wireshark's snaplen for whole packets; more is no limit.
const WHOLE: u32 = 65_535;

pub fn capture(screen: &mut Screen, report: &Report) {
    let name = screen.clean(report.file());
    screen.paragraph(0, &name, Tone::Title);
    let Some(capture) = &report.capture else {
        if let Some(error) = &report.error {
            let text = screen.clean_lines(&error.message);
            screen.paragraph(2, &text, Tone::Bad);
        }
        return;
    };
    let dot = screen.symbols.dot;
    let separator = format!(" {dot} ");
    let text = screen.clean(&amount(capture, report.summary.as_ref()).join(&separator));
    screen.paragraph(2, &text, Tone::Plain);
    let time = report.summary.as_ref().and_then(time);
    let rest: Vec<String> = time.into_iter().chain([completeness(capture)]).collect();
    let one_line = rest.join(&separator);
    if width(&one_line) + 2 <= screen.width {
        let text = screen.in_charset(one_line);
        screen.text(2, &text, Tone::Plain);
    } else {
        for text in rest {
            let text = screen.in_charset(text);
            screen.paragraph(2, &text, Tone::Plain);
        }
    }
    remarks(screen, capture);
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

/// What it is, and how much.
fn amount(capture: &Capture, summary: Option<&Summary>) -> Vec<String> {
    let packets = match capture.displayed == capture.packets {
        true => count(capture.packets, "packet", "packets"),
        false => format!(
            "{} of {} displayed ({})",
            thousands(capture.displayed),
            count(capture.packets, "packet", "packets"),
            units::share(capture.displayed, capture.packets)
        ),
    };
    let mut facts = vec![kind(capture)];
    facts.push(match summary {
        Some(summary) => format!("{packets}, {}", units::size(summary.bytes)),
        None => packets,
    });
    facts.retain(|fact| !fact.is_empty());
    facts
}

fn time(summary: &Summary) -> Option<String> {
    let duration = summary.duration_ms.map(units::span)?;
    let start = summary.time_epoch.map(|t| units::date(t.nearest()))?;
    Some(format!("{duration} from {start}"))
}

/// Format, compression and link types: `pcapng, gzip, Ethernet`.
fn kind(capture: &Capture) -> String {
    let format = capture.format.map(|format| match format {
        Format::Pcap => "pcap",
        Format::Pcapng => "pcapng",
    });
    let compression = capture.compression.map(|c| c.name());
    let mut words: Vec<String> = format
        .into_iter()
        .chain(compression)
        .map(str::to_owned)
        .collect();
    let mut links: Vec<u32> = capture.interfaces.iter().map(|i| i.link_type).collect();
    links.extend(capture.link_type);
    links.sort_unstable();
    links.dedup();
    words.extend(links.into_iter().map(names::link_type));
    words.join(", ")
}

/// What was written beside the packets: comments, and the interfaces' names.
fn remarks(screen: &mut Screen, capture: &Capture) {
    /// A file may have thousands.
    const SHOWN: usize = 8;
    let interfaces = &capture.interfaces;
    let names: Vec<&str> = interfaces
        .iter()
        .filter_map(|i| i.name.as_deref())
        .collect();
    if !names.is_empty() {
        let word = if names.len() == 1 {
            "Interface"
        } else {
            "Interfaces"
        };
        let shown = names.get(..SHOWN).unwrap_or(&names).join(", ");
        let more = match names.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = screen.clean(&format!("{word} {shown}{more}"));
        screen.paragraph(2, &text, Tone::Dim);
    }
    let of_interfaces = interfaces.iter().flat_map(|i| &i.comments);
    for comment in capture.comments.iter().chain(of_interfaces).take(SHOWN) {
        let text = screen.clean_lines(&format!("\u{201c}{}\u{201d}", comment.trim()));
        screen.paragraph(2, &text, Tone::Plain);
    }
}

/// What the file itself says of missing packets and bytes.
fn completeness(capture: &Capture) -> String {
    let mut words = match capture.dropped {
        None => "drops not recorded".to_owned(),
        Some(0) => "none dropped, as the file says".to_owned(),
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
