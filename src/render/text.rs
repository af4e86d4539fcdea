//! Text of others made safe and measured: the one place where control
//! characters of packets and programs are made visible.

use unicode_width::UnicodeWidthChar;

/// Text on one line with nothing in it that a terminal acts on or that hides:
/// control characters, direction marks and invisible characters become escapes
/// as the expectation language writes them (`\n`, `\x1b`, `\u{202e}`).
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        push_visible(&mut shown, c);
    }
    shown
}

/// [`visible`] between double quotes, with quotes and backslashes escaped: a
/// string of the expectation language.
pub fn quoted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            shown.push('\\');
        }
        push_visible(&mut shown, c);
    }
    shown.push('"');
    shown
}

/// [`visible`] for text of several lines: line feeds stay.
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

fn push_visible(shown: &mut String, c: char) {
    match c {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        '\0'..='\x1f' | '\x7f' => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
        c if misleads(c) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => shown.push(c),
    }
}

/// One character for one, where columns count: a control character has its
/// picture (U+2400: `␛`), what reorders or hides text is U+FFFD. A newline is a
/// control character too; a tab stays.
pub fn picture(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\x1f' => {
            char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\x7f' => '\u{2421}',
        c if misleads(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// C1 controls, marks that turn the direction of text, separators that a
/// terminal may take for a line's end, characters without any shape, and those
/// that are none.
pub(super) fn misleads(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}

/// What stands for a character on a terminal that only knows ASCII.
pub fn ascii(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' => shown.push('\''),
            '\u{201c}' | '\u{201d}' => shown.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}' => shown.push('-'),
            '\u{2026}' => shown.push_str("..."),
            '\u{2192}' => shown.push_str("->"),
            '\u{2190}' => shown.push_str("<-"),
            '\u{a0}' => shown.push(' '),
            // What diagnostics are drawn with.
            '\u{2500}' => shown.push('-'),
            '\u{2502}' => shown.push('|'),
            '\u{252c}' => shown.push('+'),
            '\u{256d}' => shown.push(','),
            '\u{2570}' => shown.push('`'),
            '\u{256f}' => shown.push('\''),
            c if c.is_ascii() => shown.push(c),
            c => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
    shown
}

/// The columns that a character takes: 2 for the wide ones of East Asia.
pub fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The text in at most `columns`; what is cut is replaced by `ellipsis`.
pub fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(width(ellipsis)) else {
        return take_columns(text, columns);
    };
    take_columns(text, room) + ellipsis
}

fn take_columns(text: &str, columns: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += char_width(*c);
            used <= columns
        })
        .collect()
}

/// The text in lines of at most `columns`, broken at spaces, and inside a word
/// where it is longer than a line. Line feeds break too; leading spaces of a
/// line stay.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    text.split('\n')
        .flat_map(|line| wrap_line(line.trim_end(), columns))
        .collect()
}

fn wrap_line(line: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let body = line.trim_start_matches(' ');
    let indent = (line.len() - body.len()).min(columns / 2);
    let mut current = " ".repeat(indent);
    let mut used = indent;
    let mut empty = true;
    for word in body.split(' ') {
        let mut word = word;
        let space = usize::from(!empty);
        if !empty && used + space + width(word) > columns {
            lines.push(std::mem::take(&mut current));
            used = 0;
            empty = true;
        }
        if !empty {
            current.push(' ');
            used += 1;
        }
        while used + width(word) > columns {
            let mut piece = take_columns(word, columns - used);
            if piece.is_empty() && used > 0 {
                // A wide character does not fit behind the indentation.
                current.clear();
                used = 0;
                continue;
            }
            if piece.is_empty() {
                // Nor does it fit a line of its own: that is left too long.
                piece = word.chars().take(1).collect();
            }
            word = word.get(piece.len()..).unwrap_or("");
            current.push_str(&piece);
            lines.push(std::mem::take(&mut current));
            used = 0;
        }
        current.push_str(word);
        used += width(word);
        empty = false;
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_acts_on_is_shown() {
        assert_eq!(visible("\x1b[31mred\x07"), "\\x1b[31mred\\x07");
        assert_eq!(visible("a\tb\r\n"), "a\\tb\\r\\n");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(visible("user\u{202e}gpj.exe"), "user\\u{202e}gpj.exe");
        assert_eq!(visible("日本é"), "日本é");
    }

    #[test]
    fn pictures_keep_the_columns() {
        let pictures: String = "a\x1b\n\t\u{202e}\u{9b}\x7fé"
            .chars()
            .map(picture)
            .collect();
        assert_eq!(pictures, "a␛␊\t\u{fffd}\u{fffd}␡é");
    }

    #[test]
    fn quotes_and_backslashes_are_escaped_in_strings_only() {
        assert_eq!(quoted("say \"hi\"\\\n"), r#""say \"hi\"\\\n""#);
        assert_eq!(visible("C:\\x"), "C:\\x");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("日本"), 4);
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("abc", 3, "…"), "abc");
    }

    #[test]
    fn lines_break_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n  b c", 4), ["a", "  b", "c"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap(" 日", 2), ["日"]);
    }

    proptest! {
        #[test]
        fn nothing_visible_is_a_control(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(char::is_control));
            prop_assert!(!quoted(&text).chars().any(char::is_control));
            prop_assert!(ascii(&visible(&text)).is_ascii());
        }

        #[test]
        fn no_line_is_too_long(text in "[a-z 日\n]{0,80}", columns in 2usize..40) {
            for line in wrap(&text, columns) {
                prop_assert!(width(&line) <= columns, "{line:?}");
            }
        }

        #[test]
        fn a_cut_fits(text in any::<String>(), columns in 0usize..40) {
            prop_assert!(width(&cut(&text, columns, "…")) <= columns);
        }
    }
}
