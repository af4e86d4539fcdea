//! What a student sees in the terminal. Pure: options say how wide it is and
//! what it can show.

mod conversations;
mod expectations;
pub mod inspect;
mod label;
mod ladder;
mod lanes;
mod line;
mod programs;
mod screen;
mod status;
mod summary;

use expectations::evidence;
use line::{Line, Tone};
use screen::Screen;

use super::text::width;
use super::wireshark::decode_as;
use crate::report::{Report, Verdict};

pub use summary::Tally;

/// What the terminal is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Write colours (ANSI escape sequences).
    pub color: bool,
    /// Columns; treated as 40 to 200.
    pub width: usize,
    /// It shows UTF-8; else everything is ASCII.
    pub unicode: bool,
}

/// One report in full: title, ladder, output, status, expectations, question
/// and answer, savefile, verdict.
pub fn full(report: &Report, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    title(&mut screen, report);
    ladder::ladder(&mut screen, report);
    if report.packets.is_none() {
        conversations::conversations(&mut screen, report);
    }
    programs::programs(&mut screen, report);
    status::status(&mut screen, report);
    expectations::expectations(&mut screen, report);
    question(&mut screen, report);
    savefile(&mut screen, report);
    summary::closing(&mut screen, report);
    screen.finish()
}

/// One report among several: a line, and everything where it did not pass.
pub fn brief(report: &Report, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    summary::line(&mut screen, report);
    let text = screen.finish();
    let is_bad = matches!(
        report.verdict,
        Some(Verdict::Fail | Verdict::Inconclusive | Verdict::Error)
    );
    // Without a capture the line has said it all.
    match is_bad && report.capture.is_some() {
        true => format!("{text}\n{}\n", full(report, options)),
        false => text,
    }
}

/// The expectations with their verdicts, and whether the capture is complete:
/// what is added to the output of a command that had the terminal.
pub fn verdicts(report: &Report, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    expectations::expectations(&mut screen, report);
    status::status(&mut screen, report);
    summary::closing(&mut screen, report);
    screen.finish()
}

/// One report in one line.
pub fn line(report: &Report, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    summary::line(&mut screen, report);
    screen.finish()
}

/// The verdicts of scenarios that were run many times.
pub fn rounds(rounds: &[(String, Tally)], options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    for (name, tally) in rounds {
        tally.of_rounds(&mut screen, name);
    }
    screen.finish()
}

/// The table behind several reports: `9 passed`.
pub fn closing(tally: &Tally, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options);
    tally.show(&mut screen);
    screen.finish()
}

fn title(screen: &mut Screen, report: &Report) {
    let name = screen.clean(report.name());
    let mut line = Line::default();
    let title = report.scenario.as_ref().and_then(|s| s.title.as_ref());
    let title = title
        .map(|title| screen.clean(title))
        .filter(|t| *t != name);
    let Some(title) = title else {
        screen.paragraph(0, &name, Tone::Title);
        screen.blank();
        return;
    };
    if width(&title) + width(&name) + 2 <= screen.width {
        line.push(&title, Tone::Title);
        line.push(&format!("  {name}"), Tone::Dim);
        screen.line(&line);
    } else {
        screen.paragraph(0, &title, Tone::Title);
        screen.text(0, &name, Tone::Dim);
    }
    screen.blank();
}

/// The lab's question, and its answer with the packets that show it. Where
/// something failed the packets show something else, and the reader's question
/// is another one.
fn question(screen: &mut Screen, report: &Report) {
    let Some(scenario) = &report.scenario else {
        return;
    };
    if report.verdict != Some(Verdict::Pass) {
        return;
    }
    if let Some(question) = &scenario.question {
        heading(screen, "Question", None);
        let text = screen.clean_lines(question.trim());
        screen.paragraph(2, &text, Tone::Plain);
        screen.blank();
    }
    if let Some(answer) = &scenario.answer {
        heading(screen, "Answer", proof_of_answer(report));
        let text = screen.clean_lines(answer.trim());
        screen.paragraph(2, &text, Tone::Plain);
        screen.blank();
    }
}

fn heading(screen: &mut Screen, word: &str, remark: Option<String>) {
    let mut line = Line::default();
    line.push(word, Tone::Title);
    if let Some(remark) = remark {
        line.push(&format!("  {remark}"), Tone::Dim);
    }
    screen.line(&line);
}

/// The packets that the author's expectations rest on, where all passed.
fn proof_of_answer(report: &Report) -> Option<String> {
    if report.verdict != Some(Verdict::Pass) {
        return None;
    }
    let own = report.expectations.iter().filter(|e| !e.implied);
    let frames: Vec<u64> = own.flat_map(|e| e.evidence.iter().copied()).collect();
    let mut frames = frames;
    frames.sort_unstable();
    frames.dedup();
    evidence(&frames).map(|packets| format!("shown by {packets}"))
}

/// Where the packets are, and what Wireshark must be told to show them.
fn savefile(screen: &mut Screen, report: &Report) {
    let Some(capture) = &report.capture else {
        return;
    };
    let file = screen.clean(&capture.file);
    let mut line = Line::default();
    line.push("Capture  ", Tone::Dim);
    let indent = line.end();
    screen.hanging(line, indent, &file, Tone::Plain);
    let options = decode_as(report);
    if !options.is_empty() {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        let name =
            shlex::try_quote(&capture.file).map_or_else(|_| file.clone(), |q| q.into_owned());
        let text = format!("tshark {} -r {name}", options.join(" "));
        let text = screen.clean(&text);
        screen.paragraph(
            indent,
            "Wireshark takes the port for another protocol. Tell it otherwise:",
            Tone::Dim,
        );
        screen.paragraph(indent, &text, Tone::Plain);
    }
    screen.blank();
}
