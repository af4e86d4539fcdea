//! Author errors: what is wrong in a scenario or expectation text, where, and
//! the way out. Data only; `render` shows it.

use std::ops::Range;

/// A text that diagnostics point into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name to show: a path, or `builtin:NAME`, or `-e`.
    pub name: String,
    pub text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text is used as it stands, but probably means something else.
    Warning,
}

/// One mistake of an author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable and short: `E012`; the list is in [`crate::expect::codes`] and
    /// [`crate::scenario`].
    pub code: &'static str,
    /// What is wrong, one sentence without full stop.
    pub message: String,
    /// Bytes of the source's text.
    pub span: Range<usize>,
    /// Said at the caret.
    pub label: String,
    /// The way out: the nearest valid name, the fix.
    pub help: Option<String>,
}
