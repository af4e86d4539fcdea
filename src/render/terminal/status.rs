//! The status line as Wireshark writes it, and the proof in a few words.

use super::line::Tone;
use super::screen::{Screen, count, thousands};
use crate::report::{Capture, Proof, Report};

/// `Packets: 2 · Displayed: 2 (100.0%) · Dropped: 0 (0.0%)`, and why it can be
/// believed.
pub fn status(screen: &mut Screen, report: &Report) {
    let Some(capture) = &report.capture else {
        return;
    };
    let line = screen.in_charset(status_line(capture));
    screen.paragraph(0, &line, Tone::Title);
    let (words, tone) = proof_words(capture);
    let words = screen.clean(&words);
    screen.paragraph(0, &words, tone);
    if let Some(damage) = &capture.damage {
        let text = format!(
            "Damaged at byte {}: {}. Everything before it was read.",
            thousands(damage.offset),
            damage.reason
        );
        let text = screen.clean(&text);
        screen.paragraph(0, &text, Tone::Bad);
    }
    screen.blank();
}

/// In Wireshark's own words and digits. Where a file does not say what was
/// dropped, neither does the line.
pub fn status_line(capture: &Capture) -> String {
    let share = |part: u64| match (part, capture.packets) {
        (0, _) => 0.0,
        (_, 0) => 100.0,
        (part, all) => part as f64 * 100.0 / all as f64,
    };
    let displayed = capture.displayed;
    let dropped = match capture.dropped {
        Some(dropped) => format!("{dropped} ({:.1}%)", share(dropped)),
        None => "not recorded".to_owned(),
    };
    format!(
        "Packets: {} · Displayed: {displayed} ({:.1}%) · Dropped: {dropped}",
        capture.packets,
        share(displayed)
    )
}

/// Whether the capture can be believed to be complete, in a few words.
pub fn proof_words(capture: &Capture) -> (String, Tone) {
    let Some(proof) = &capture.proof else {
        let words = "No proof that the capture is complete: netlab-capture did not record it";
        return (words.to_owned(), Tone::Notice);
    };
    let claimed = if proof.claimed {
        ", as the file claims"
    } else {
        ""
    };
    if proof.complete {
        let words = format!(
            "Capture complete{claimed}: canaries seen, {}",
            witness(proof)
        );
        return (words, Tone::Dim);
    }
    let words = format!(
        "Capture not proven complete{claimed}: {}",
        doubts(capture, proof).join("; ")
    );
    (words, Tone::Notice)
}

fn witness(proof: &Proof) -> String {
    match (proof.interface_counter, proof.interface_packets) {
        (Some(true), Some(packets)) => format!("interface counted {}", thousands(packets)),
        (Some(true), None) => "interface counted the same".to_owned(),
        _ => "no interface counter to compare with".to_owned(),
    }
}

fn doubts(capture: &Capture, proof: &Proof) -> Vec<String> {
    let mut doubts = Vec::new();
    if !proof.opening {
        doubts.push("the opening canary was not seen".to_owned());
    }
    if !proof.closing {
        doubts.push("the closing canary was not seen".to_owned());
    }
    if let Some(dropped) = capture.dropped.filter(|&d| d > 0) {
        doubts.push(format!("{} dropped", count(dropped, "packet", "packets")));
    }
    if proof.interface_counter == Some(false) {
        doubts.push(match proof.interface_packets {
            Some(packets) => format!(
                "the interface counted {}, the capture holds {}",
                thousands(packets),
                thousands(capture.packets)
            ),
            None => "the interface counted otherwise".to_owned(),
        });
    }
    doubts
}
