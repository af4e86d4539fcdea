//! One line of the terminal, drawn by columns, and its colours.

use anstyle::{AnsiColor, Style};

use crate::render::text::char_width;

/// What a piece of text means; its colour follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    /// Frames of the drawing, and what is only of second interest.
    Dim,
    Title,
    /// Bytes that programs sent.
    Data,
    Good,
    Bad,
    /// Worth a look, but not wrong by itself: RST, ICMP errors, unknown.
    Notice,
}

impl Tone {
    fn style(self) -> Style {
        let color = |color: AnsiColor| color.on_default();
        match self {
            Tone::Plain => Style::new(),
            Tone::Dim => Style::new().dimmed(),
            Tone::Title => Style::new().bold(),
            Tone::Data => color(AnsiColor::Cyan),
            Tone::Good => color(AnsiColor::Green),
            Tone::Bad => color(AnsiColor::Red).bold(),
            Tone::Notice => color(AnsiColor::Yellow),
        }
    }
}

/// Cells of one column each. A wide character fills two.
#[derive(Clone, Debug, Default)]
pub struct Line {
    cells: Vec<Cell>,
}

#[derive(Clone, Debug, Default)]
struct Cell {
    /// A character and what combines with it; empty for the second column of a
    /// wide character.
    text: String,
    tone: Tone,
}

impl Line {
    /// The first column behind the last cell.
    pub fn end(&self) -> usize {
        self.cells.len()
    }

    /// Writes `text` from `column` on, over what is there. Returns the column
    /// behind it.
    pub fn put(&mut self, column: usize, text: &str, tone: Tone) -> usize {
        let mut at = column;
        for c in text.chars() {
            match char_width(c) {
                0 => self.combine(at, c),
                columns => {
                    self.set(at, c.to_string(), tone);
                    for extra in 1..columns {
                        self.set(at + extra, String::new(), tone);
                    }
                    at += columns;
                }
            }
        }
        at
    }

    /// Writes behind the last cell.
    pub fn push(&mut self, text: &str, tone: Tone) {
        self.put(self.end(), text, tone);
    }

    fn combine(&mut self, column: usize, c: char) {
        if let Some(before) = column.checked_sub(1).and_then(|i| self.cells.get_mut(i)) {
            before.text.push(c);
        }
    }

    fn set(&mut self, column: usize, text: String, tone: Tone) {
        if self.cells.len() <= column {
            let space = Cell {
                text: " ".to_owned(),
                tone: Tone::Plain,
            };
            self.cells.resize(column + 1, space);
        }
        self.split_wide(column);
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = Cell { text, tone };
        }
    }

    /// Overwriting one half of a wide character leaves a space for the other.
    fn split_wide(&mut self, column: usize) {
        let is_second_half =
            |cells: &[Cell], i: usize| cells.get(i).is_some_and(|c| c.text.is_empty());
        if is_second_half(&self.cells, column)
            && let Some(first) = column.checked_sub(1).and_then(|i| self.cells.get_mut(i))
        {
            " ".clone_into(&mut first.text);
        }
        if is_second_half(&self.cells, column + 1)
            && let Some(second) = self.cells.get_mut(column + 1)
        {
            " ".clone_into(&mut second.text);
        }
    }

    /// The line as text, without spaces at its end; with escape sequences
    /// where `color` asks for them.
    pub fn render(&self, color: bool) -> String {
        let used = self
            .cells
            .iter()
            .rposition(|c| c.text != " ")
            .map_or(0, |i| i + 1);
        let mut rendered = String::new();
        let mut tone = Tone::Plain;
        for cell in self.cells.iter().take(used) {
            if color && cell.tone != tone {
                rendered += &tone.style().render_reset().to_string();
                rendered += &cell.tone.style().render().to_string();
                tone = cell.tone;
            }
            rendered += &cell.text;
        }
        if tone != Tone::Plain {
            rendered += &tone.style().render_reset().to_string();
        }
        rendered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_put_by_columns() {
        let mut line = Line::default();
        assert_eq!(line.put(2, "日本", Tone::Plain), 6);
        line.put(6, "|", Tone::Dim);
        assert_eq!(line.render(false), "  日本|");
        assert_eq!(line.end(), 7);
    }

    #[test]
    fn half_a_wide_character_becomes_a_space() {
        let mut line = Line::default();
        line.put(0, "日本", Tone::Plain);
        line.put(1, "x", Tone::Plain);
        assert_eq!(line.render(false), " x本");
        line.put(2, "y", Tone::Plain);
        assert_eq!(line.render(false), " xy");
    }

    #[test]
    fn combining_marks_stay_with_their_letter() {
        let mut line = Line::default();
        assert_eq!(line.put(0, "e\u{301}x", Tone::Plain), 2);
        assert_eq!(line.render(false), "e\u{301}x");
    }

    #[test]
    fn colour_is_reset_at_the_end_and_only_written_if_asked_for() {
        let mut line = Line::default();
        line.push("a", Tone::Plain);
        line.push("b", Tone::Good);
        assert_eq!(line.render(false), "ab");
        assert_eq!(line.render(true), "a\x1b[32mb\x1b[0m");
    }
}
