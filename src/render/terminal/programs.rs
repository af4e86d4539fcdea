//! What the programs wrote, and how they ended.

use super::line::{Line, Tone};
use super::screen::{Screen, count};
use crate::render::text::{width, wrap};
use crate::report::{Program, Report};
use crate::savefile::{Ended, Exit};

/// Lines of each output that are shown: the first and the last of many.
const FIRST: usize = 12;
const LAST: usize = 4;
/// Lines of the terminal that one line of output may take.
const WRAPPED: usize = 4;

/// Every program with its output.
pub fn programs(screen: &mut Screen, report: &Report) {
    for program in &report.programs {
        heading(screen, program);
        output(screen, "", &program.stdout);
        output(screen, "stderr", &program.stderr);
        if program.output_cut > 0 {
            let bytes = count(program.output_cut, "byte", "bytes");
            let text = format!("{bytes} more were written and not kept");
            screen.paragraph(4, &text, Tone::Dim);
        }
        for reason in program.start_error.iter().chain(&program.note) {
            let reason = screen.clean(reason);
            screen.paragraph(4, &reason, Tone::Notice);
        }
        screen.blank();
    }
}

/// Role, command, and how it ended.
fn heading(screen: &mut Screen, program: &Program) {
    let role = screen.clean(&program.role);
    let command = screen.clean(&program.argv.join(" "));
    let (ended, tone) = ended(program);
    let mut line = Line::default();
    line.push(&role, Tone::Title);
    let rest = screen.width.saturating_sub(line.end() + width(&ended) + 5);
    if width(&command) <= rest {
        line.push(&format!("  {command}"), Tone::Dim);
        line.push(&format!("  {ended}"), tone);
        screen.line(&line);
        return;
    }
    line.push(&format!("  {ended}"), tone);
    screen.line(&line);
    screen.paragraph(2, &command, Tone::Dim);
}

fn ended(program: &Program) -> (String, Tone) {
    let by = match program.ended {
        Some(Ended::Stopped) => return ("stopped when all was done".to_owned(), Tone::Dim),
        Some(Ended::Waiting) => return ("ended while waiting to receive".to_owned(), Tone::Dim),
        Some(Ended::Timeout) => return ("ran out of time".to_owned(), Tone::Bad),
        Some(Ended::Interrupted) => return ("interrupted".to_owned(), Tone::Notice),
        Some(Ended::ByItself) | None => program.exit,
    };
    match by {
        Some(Exit::Code(0)) => ("exit 0".to_owned(), Tone::Dim),
        Some(Exit::Code(code)) => (format!("exit {code}"), Tone::Notice),
        Some(Exit::Signal(signal)) => (format!("killed by signal {signal}"), Tone::Bad),
        None => ("not started".to_owned(), Tone::Bad),
    }
}

fn output(screen: &mut Screen, label: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let lines: Vec<&str> = text
        .strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .collect();
    let hidden = match lines.len() {
        all if all > FIRST + LAST + 1 => all - FIRST - LAST,
        _ => 0,
    };
    let first = if hidden > 0 { FIRST } else { lines.len() };
    let mut label = label;
    for line in lines.iter().take(first) {
        let line = shown(screen, line);
        gutter(screen, std::mem::take(&mut label), &line, Tone::Plain);
    }
    if hidden > 0 {
        let text = format!("{} {hidden} more lines", screen.symbols.gap);
        gutter(screen, "", &text, Tone::Dim);
    }
    for line in lines.iter().skip(first + hidden) {
        let line = shown(screen, line);
        gutter(screen, "", &line, Tone::Plain);
    }
}

/// One line of output in as many as it needs, up to a bound.
fn gutter(screen: &mut Screen, label: &str, text: &str, tone: Tone) {
    let mut start = 4;
    if !label.is_empty() {
        start += width(label) + 1;
    }
    let room = screen.width.saturating_sub(start);
    let pieces = wrap(text, room);
    let too_many = pieces.len() > WRAPPED;
    for (index, piece) in pieces.iter().take(WRAPPED).enumerate() {
        let mut line = Line::default();
        line.put(2, screen.symbols.lane, Tone::Dim);
        if index == 0 {
            line.put(4, label, Tone::Notice);
        }
        let is_last = index + 1 == WRAPPED && too_many;
        let piece = match is_last {
            true => screen.cut(&format!("{piece} {}", " ".repeat(room)), room),
            false => piece.clone(),
        };
        line.put(start, &piece, tone);
        screen.line(&line);
    }
}

/// Tabs are no danger: they become spaces. A carriage return at the end of a
/// line is what Windows programs and HTTP write.
fn shown(screen: &Screen, line: &str) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    screen.clean(&line.replace('\t', "    "))
}
