//! The sentence that a client sends: one line of standard input, any bytes.

use std::io::{self, BufRead, IsTerminal, Write};

use super::LabError;
use super::error::cause;

/// The longest sentence, in bytes, without its newline.
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

/// Asks for one sentence and reads it. The prompt is for people: it is written
/// only when somebody types.
pub(super) fn ask() -> Result<Vec<u8>, LabError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let mut out = io::stdout().lock();
        write!(out, "Input lowercase sentence:")
            .and_then(|()| out.flush())
            .map_err(|error| LabError::output(&error))?;
    }
    read(stdin.lock())
}

/// Reads up to the first newline, which is no part of the sentence, or to the
/// end of the input.
fn read(input: impl BufRead) -> Result<Vec<u8>, LabError> {
    let mut sentence = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    input
        .take(most)
        .read_until(b'\n', &mut sentence)
        .map_err(|error| LabError::Input(cause(&error)))?;
    if sentence.is_empty() {
        return Err(LabError::NoSentence);
    }
    if sentence.last() == Some(&b'\n') {
        sentence.pop();
    }
    if sentence.len() > LONGEST {
        return Err(LabError::LongSentence(format!(
            "the limit is {LONGEST} bytes"
        )));
    }
    Ok(sentence)
}

/// Prints a reply byte for byte, with a newline after it if it has none. On a
/// terminal its control characters are made visible: they are the server's,
/// and a terminal would obey them.
pub(super) fn print(reply: &[u8]) -> Result<(), LabError> {
    let mut out = io::stdout().lock();
    let written = if out.is_terminal() {
        out.write_all(visible(reply).as_bytes())
    } else {
        out.write_all(reply)
    };
    written
        .and_then(|()| match reply.last() {
            Some(b'\n') => Ok(()),
            _ => out.write_all(b"\n"),
        })
        .and_then(|()| out.flush())
        .map_err(|error| LabError::output(&error))
}

/// Text in which control characters, other than newline and tab, are spelled
/// `\u{1b}`.
pub(super) fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_at_its_newline_and_keeps_every_other_byte() {
        assert_eq!(read(&b"hello\nworld\n"[..]).unwrap(), b"hello");
        assert_eq!(read(&b"\xff\x00\r\n"[..]).unwrap(), b"\xff\x00\r");
        assert_eq!(read(&b"no newline"[..]).unwrap(), b"no newline");
        assert_eq!(read(&b"\n"[..]).unwrap(), b"");
    }

    #[test]
    fn the_end_of_input_is_no_sentence() {
        assert!(matches!(read(&b""[..]), Err(LabError::NoSentence)));
    }

    #[test]
    fn the_longest_sentence_is_read_and_one_byte_more_is_refused() {
        let mut input = vec![b'x'; LONGEST];
        input.push(b'\n');
        assert_eq!(read(&input[..]).unwrap().len(), LONGEST);
        input.insert(0, b'x');
        assert!(matches!(read(&input[..]), Err(LabError::LongSentence(_))));
    }

    #[test]
    fn control_characters_are_visible() {
        assert_eq!(visible(b"a\x1b[2Jb\n"), "a\\u{1b}[2Jb\n");
        assert_eq!(visible("Größe".as_bytes()), "Größe");
    }
}
