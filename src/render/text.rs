//! Text that others wrote, made fit to be shown.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The character to show for `c`, one for one: a control character has its
/// picture (U+2400: `␛`), what reorders or hides text is U+FFFD. A newline is
/// a control character too; a tab stays.
pub fn visible_char(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        // C1 controls, line and paragraph separators, zero width and
        // bidirectional formatting, the byte order mark, tags.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// `text` with every control character made visible; for one line.
pub fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

/// Columns that a character takes on a terminal; a tab counts as four.
pub fn columns(c: char) -> usize {
    match c {
        '\t' => 4,
        c => c.width().unwrap_or(0),
    }
}

/// Breaks `text` at white space into lines of at most `width` columns, each of
/// its own lines apart. A longer word stays whole on a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_made_visible_one_for_one() {
        assert_eq!(visible("a\u{1b}[31m\r\n\0é\t漢"), "a␛[31m␍␊␀é\t漢");
        assert_eq!(
            visible("x\u{202e}y\u{85}z\u{feff}\u{7f}"),
            "x\u{fffd}y\u{fffd}z\u{fffd}␡"
        );
    }

    #[test]
    fn text_is_wrapped_at_white_space() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("a\n\nlongword b", 4), ["a", "", "longword", "b"]);
        assert_eq!(wrap("漢字 漢字", 5), ["漢字", "漢字"]);
        assert!(wrap("", 5).is_empty());
    }
}
