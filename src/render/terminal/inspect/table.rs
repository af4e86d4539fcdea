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
    /// indentation; what is too long is cut in the last column of a line.
    pub fn show(&self, screen: &mut Screen, indent: usize, room: usize) {
        let widths = self.widths();
        let all = 0..self.columns.len();
        let lines = match self.fold {
            Some(fold) if indent + total(&widths) > room => {
                vec![(indent, 0..fold), (indent + FOLD_INDENT, fold..all.end)]
            }
            _ => vec![(indent, all)],
        };
        let headings: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| Cell::dim(column.heading.clone()))
            .collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            for (indent, columns) in &lines {
                let mut line = Line::default();
                self.line(
                    screen,
                    &mut line,
                    row,
                    &widths,
                    (*indent, room),
                    columns.clone(),
                );
                if line.end() > 0 {
                    screen.line(&line);
                }
            }
        }
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

    fn line(
        &self,
        screen: &Screen,
        line: &mut Line,
        row: &[Cell],
        widths: &[usize],
        (indent, room): (usize, usize),
        columns: std::ops::Range<usize>,
    ) {
        let mut at = indent;
        for index in columns {
            let (Some(column), Some(cell), Some(&columns)) =
                (self.columns.get(index), row.get(index), widths.get(index))
            else {
                continue;
            };
            if columns == 0 {
                continue;
            }
            let left = room.saturating_sub(at);
            if left == 0 {
                return;
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
    }
}

fn total(widths: &[usize]) -> usize {
    let used: Vec<usize> = widths.iter().copied().filter(|w| *w > 0).collect();
    used.iter().sum::<usize>() + GAP * used.len().saturating_sub(1)
}
