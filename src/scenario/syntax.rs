//! Slips of the TOML itself, in the words of this tool where its author is
//! likely to be new to TOML.

use std::ops::Range;

use super::codes;
use crate::diagnostic::{Diagnostic, Severity};

/// A syntax error and where the parser met it.
pub(super) struct Slip {
    pub diagnostic: Diagnostic,
    /// The parser stumbled here; what it is about may stand before it.
    pub at: usize,
}

struct Words {
    message: String,
    span: Range<usize>,
    label: &'static str,
    help: Option<String>,
}

pub(super) fn slip(text: &str, error: &toml::de::Error) -> Slip {
    let end = text.len();
    let span = error.span().unwrap_or(end..end);
    let at = span.start.min(end);
    let span = at..span.end.clamp(at, end);
    let words = words(text, error.message(), span);
    Slip {
        diagnostic: Diagnostic {
            severity: Severity::Error,
            code: codes::SYNTAX,
            message: words.message,
            span: words.span,
            label: words.label.to_owned(),
            help: words.help,
        },
        at,
    }
}

fn words(text: &str, message: &str, span: Range<usize>) -> Words {
    if let Some(quotes) = unclosed(message, &span) {
        let before = text.get(..span.start).unwrap_or_default();
        let opened = before.rfind(quotes).unwrap_or(span.start);
        return Words {
            message: "this string is never closed".to_owned(),
            span: opened..(opened + quotes.len()).min(text.len()),
            label: "opened here",
            help: Some(format!("write {quotes} at its end")),
        };
    }
    let (message, label, help) = if message.contains("duplicate key") {
        (
            "this name is written twice in the same table".to_owned(),
            "again here",
            Some("each key and each table may be written once"),
        )
    } else if message.contains("string values must be quoted") {
        (
            "text must stand between quotes".to_owned(),
            "no quotes",
            Some("for instance: title = \"TCP client before server\""),
        )
    } else {
        (
            format!("this is not valid TOML: {message}"),
            "here",
            Some("a line is `key = value`, or a header such as [program.client]"),
        )
    };
    Words {
        message,
        span,
        label,
        help: help.map(str::to_owned),
    }
}

/// The quotes of a string that goes on to the end of its line or of the file.
/// The parser points at that end, and at nothing there.
fn unclosed(message: &str, span: &Range<usize>) -> Option<&'static str> {
    if !span.is_empty() {
        return None;
    }
    match message {
        "invalid basic string, expected `\"`" => Some("\""),
        "invalid literal string, expected `'`" => Some("'"),
        "invalid multi-line basic string, expected `\"`" => Some("\"\"\""),
        "invalid multi-line literal string, expected `'`" => Some("'''"),
        _ => None,
    }
}
