//! Colours, taken out again where no terminal reads.

use anstyle::{AnsiColor, Style};

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

pub fn good(text: &str) -> String {
    paint(AnsiColor::Green.on_default(), text)
}

pub fn bad(text: &str) -> String {
    paint(AnsiColor::Red.on_default(), text)
}
