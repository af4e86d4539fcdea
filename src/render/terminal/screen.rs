//! Lines of text in the making: width, symbols, safe text.

use super::TerminalOptions;
use super::line::{Line, Tone};
use crate::render::text;

/// The signs of the drawing, for terminals with and without UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Symbols {
    pub lane: &'static str,
    pub bar: &'static str,
    pub crossing: &'static str,
    pub right: &'static str,
    pub left: &'static str,
    /// From a lane to itself.
    pub turn: &'static str,
    /// Packets left out.
    pub gap: &'static str,
    pub arrow: &'static str,
    pub ellipsis: &'static str,
    pub dot: &'static str,
    pub pass: &'static str,
    pub fail: &'static str,
    pub unknown: &'static str,
}

const UNICODE: Symbols = Symbols {
    lane: "│",
    bar: "─",
    crossing: "┼",
    right: "▶",
    left: "◀",
    turn: "↺",
    gap: "⋮",
    arrow: "→",
    ellipsis: "…",
    dot: "·",
    pass: "✓",
    fail: "✗",
    unknown: "?",
};

const ASCII: Symbols = Symbols {
    lane: "|",
    bar: "-",
    crossing: "+",
    right: ">",
    left: "<",
    turn: "@",
    gap: ":",
    arrow: "->",
    ellipsis: "...",
    dot: "-",
    pass: "+",
    fail: "x",
    unknown: "?",
};

/// Narrower and wider terminals are treated as these.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=200;

/// Text is easier to read in lines of no more than this.
const PROSE: usize = 100;

pub struct Screen {
    pub width: usize,
    pub symbols: Symbols,
    color: bool,
    unicode: bool,
    text: String,
}

impl Screen {
    pub fn new(options: &TerminalOptions) -> Screen {
        Screen {
            width: options.width.clamp(*WIDTHS.start(), *WIDTHS.end()),
            symbols: if options.unicode { UNICODE } else { ASCII },
            color: options.color,
            unicode: options.unicode,
            text: String::new(),
        }
    }

    pub fn finish(self) -> String {
        self.text
    }

    /// Text of others on one line, safe to show.
    pub fn clean(&self, text: &str) -> String {
        self.in_charset(text::visible(text))
    }

    /// The same, line feeds kept.
    pub fn clean_lines(&self, text: &str) -> String {
        let lines: Vec<String> = text.split('\n').map(|line| self.clean(line)).collect();
        lines.join("\n")
    }

    /// Text that is safe already, in the terminal's character set.
    pub fn in_charset(&self, text: String) -> String {
        if self.unicode {
            text
        } else {
            text::ascii(&text)
        }
    }

    pub fn cut(&self, text: &str, columns: usize) -> String {
        text::cut(text, columns, self.symbols.ellipsis)
    }

    /// An empty line, if there is none yet.
    pub fn blank(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A line that fits already.
    pub fn line(&mut self, line: &Line) {
        self.text += &line.render(self.color);
        self.text.push('\n');
    }

    /// One line of text, cut where it is too long.
    pub fn text(&mut self, indent: usize, text: &str, tone: Tone) {
        let mut line = Line::default();
        let cut = self.cut(text, self.width.saturating_sub(indent));
        line.put(indent, &cut, tone);
        self.line(&line);
    }

    /// Text in as many lines as it needs.
    pub fn paragraph(&mut self, indent: usize, text: &str, tone: Tone) {
        self.hanging(Line::default(), indent, text, tone);
    }

    /// Text behind what `first` begins, its further lines indented.
    pub fn hanging(&mut self, first: Line, indent: usize, text: &str, tone: Tone) {
        let columns = self.width.min(PROSE + indent).saturating_sub(indent);
        let mut line = first;
        for part in text::wrap(text, columns) {
            line.put(indent, &part, tone);
            self.line(&line);
            line = Line::default();
        }
    }
}

/// `1 packet`, `2 packets`, `1,024 packets`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", thousands(number))
}

/// With a comma between groups of three digits.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Frame numbers as a reader writes them: `1, 2, 5-9`; `and 12 more` behind
/// the first few.
pub fn numbers(numbers: &[u64]) -> String {
    const SHOWN: usize = 6;
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in sorted {
        match ranges.last_mut() {
            Some((_, last)) if number == last.saturating_add(1) => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let mut parts: Vec<String> = ranges
        .iter()
        .take(SHOWN)
        .map(|&(first, last)| match last - first {
            0 => first.to_string(),
            1 => format!("{first}, {last}"),
            _ => format!("{first}-{last}"),
        })
        .collect();
    let rest: u64 = ranges.iter().skip(SHOWN).map(|(a, b)| b - a + 1).sum();
    if rest > 0 {
        parts.push(format!("and {} more", thousands(rest)));
    }
    parts.join(", ")
}

/// Milliseconds in words: `0.021 ms`, `18 ms`, `1.25 s`.
pub fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 1.0 => format!("{ms:.3} ms"),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_numbers_are_grouped() {
        assert_eq!(numbers(&[2, 1]), "1, 2");
        assert_eq!(numbers(&[5, 6, 7, 1]), "1, 5-7");
        assert_eq!(
            numbers(&[1, 3, 5, 7, 9, 11, 13, 15, 16]),
            "1, 3, 5, 7, 9, 11, and 3 more"
        );
    }

    #[test]
    fn large_numbers_have_commas() {
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1, "packet", "packets"), "1 packet");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(0.021), "0.021 ms");
        assert_eq!(duration(18.4), "18 ms");
        assert_eq!(duration(1250.0), "1.25 s");
    }
}
