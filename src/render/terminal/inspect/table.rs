//! Rows under headings, aligned; folded into two lines where they are too wide.

use super::super::line::{Line, Tone};
use super::super::screen::Screen;
use crate::render::text::width;

/// Between two columns.
const GAP: usize = 2;
/// The second line of a folded row begins here.
const FOLD_INDENT: usize = 4;

#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

impl Cell {
    pub fn new(text: impl Into<String>, tone: Tone) -> Cell {
        Cell {
            text: text.into(),
            tone,
        }
    }

    pub fn plain(text: impl Into<String>) -> Cell {
        Cell::new(text, Tone::Plain)
    }

    pub fn dim(text: impl Into<String>) -> Cell {
        Cell::new(text, Tone::Dim)
    }
}

/// What stands above a column, and to which side its cells are pushed.
#[derive(Clone, Debug)]
pub struct Column {
    heading: String,
    right: bool,
}

pub fn left(heading: impl Into<String>) -> Column {
    Column {
        heading: heading.into(),
        right: false,
    }
}

pub fn right(heading: impl Into<String>) -> Column {
    Column {
        heading: heading.into(),
        right: true,
    }
}

/// The cells of a row are those of the columns, in their order. A column
/// without any text is left out.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// Where a row that is too wide is folded: the first column of its second
    /// line.
    fold: Option<usize>,
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Table {
        Table {
            columns,
            rows: Vec::new(),
            fold: None,
        }
    }

    pub fn folded_at(self, column: usize) -> Table {
        Table {
            fold: Some(column),
            ..self
        }
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Writes the table in at most `room` columns, counted with the
    /// indentation; what is too long is cut in the last column of a line. The
    /// cells of a folded row's first line follow one another; those that do not
    /// fit it go to the second line, before its last cell.
    pub fn show(&self, screen: &mut Screen, indent: usize, room: usize) {
        let widths = self.widths();
        let fold = self.fold.filter(|_| indent + total(&widths) > room);
        let headings: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| Cell::dim(column.heading.clone()))
            .collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let Some(fold) = fold else {
                let line = self.aligned(screen, row, &widths, (indent, room), 0);
                screen.line(&line);
                continue;
            };
            let (line, rest) = self.ragged(screen, row, &widths, (indent, room), fold);
            screen.line(&line);
            let mut row = row.clone();
            if let Some(last) = row.last_mut().filter(|_| !rest.is_empty()) {
                let text = [rest.as_str(), &last.text].join("  ");
                last.text = text.trim_end().to_owned();
                last.tone = Tone::Notice;
            }
            let line = self.aligned(screen, &row, &widths, (indent + FOLD_INDENT, room), fold);
            screen.line(&line);
        }
    }

    /// The cells before the fold: the first one aligned, the others as they
    /// come. And those that do not fit.
    fn ragged(
        &self,
        screen: &Screen,
        row: &[Cell],
        widths: &[usize],
        (indent, room): (usize, usize),
        fold: usize,
    ) -> (Line, String) {
        let mut line = Line::default();
        let mut at = indent;
        let mut rest = Vec::new();
        for (index, cell) in row.iter().take(fold).enumerate() {
            if index > 0 && cell.text.is_empty() {
                continue;
            }
            let left = room.saturating_sub(at);
            if index > 1 && width(&cell.text) > left {
                rest.push(cell.text.as_str());
                continue;
            }
            let end = line.put(at, &screen.cut(&cell.text, left), cell.tone);
            at = match index {
                0 => indent + widths.first().copied().unwrap_or(0),
                _ => end,
            } + GAP;
        }
        (line, rest.join(", "))
    }

    /// The widest cell of each column, its heading included; 0 where there is
    /// nothing but the heading.
    fn widths(&self) -> Vec<usize> {
        let widest = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| width(&cell.text)).max().unwrap_or(0)
        };
        let with_heading = |(index, column): (usize, &Column)| match widest(index) {
            0 => 0,
            widest => widest.max(width(&column.heading)),
        };
        self.columns.iter().enumerate().map(with_heading).collect()
    }

    /// The cells from `first` on, each in its column.
    fn aligned(
        &self,
        screen: &Screen,
        row: &[Cell],
        widths: &[usize],
        (indent, room): (usize, usize),
        first: usize,
    ) -> Line {
        let mut line = Line::default();
        let mut at = indent;
        for index in first..self.columns.len() {
            let (Some(column), Some(cell), Some(&columns)) =
                (self.columns.get(index), row.get(index), widths.get(index))
            else {
                continue;
            };
            let has_overflow = index + 1 == self.columns.len() && !cell.text.is_empty();
            if columns == 0 && !has_overflow {
                continue;
            }
            let left = room.saturating_sub(at);
            if left == 0 {
                break;
            }
            let text = screen.cut(&cell.text, left);
            let pad = match column.right {
                true => columns.saturating_sub(width(&text)),
                false => 0,
            };
            if !text.is_empty() {
                line.put(
                    at + pad.min(left.saturating_sub(width(&text))),
                    &text,
                    cell.tone,
                );
            }
            at += columns + GAP;
        }
        line
    }
}

fn total(widths: &[usize]) -> usize {
    let used: Vec<usize> = widths.iter().copied().filter(|w| *w > 0).collect();
    used.iter().sum::<usize>() + GAP * used.len().saturating_sub(1)
}
