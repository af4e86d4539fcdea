//! The typed content of a suite file.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diagnostic::Source;

/// A suite as its author wrote it. Paths are relative to its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// The file's stem.
    pub name: String,
    pub source: Source,
    pub title: Option<String>,
    /// Run once in each submission's folder before its cases, as words.
    pub build: Option<Vec<String>>,
    pub build_timeout: Duration,
    /// A folder whose content is put over each submission's.
    pub overlay: Option<String>,
    /// The folder that the author's own programs find as theirs.
    pub reference: Option<String>,
    /// Further files and folders that programs may read.
    pub readable: Vec<String>,
    /// Variables for the submission's programs and the build.
    pub env: BTreeMap<String, String>,
    pub limits: SuiteLimits,
    /// Never empty; names are unique.
    pub cases: Vec<Case>,
}

/// `[limits]`: what is not written is the tool's usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuiteLimits {
    /// Bytes.
    pub memory: Option<u64>,
    pub processes: Option<u64>,
    pub files: Option<u64>,
    /// Bytes.
    pub scratch: Option<u64>,
    pub cpu: Option<Duration>,
}

/// `[[case]]`: one scenario, with the submission in some of its roles.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub name: String,
    /// A built-in name, or a path.
    pub scenario: String,
    pub points: f64,
    pub visibility: Visibility,
    /// For those who fail.
    pub hint: Option<String>,
    /// By role, the ways to start the submission's program: the first whose
    /// patterns each match a file is taken. All other roles are the scenario's own.
    pub run: BTreeMap<String, Vec<Command>>,
    /// Where the case stands in the file.
    pub span: std::ops::Range<usize>,
}

/// A command in which words may be patterns of file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// As it is written.
    pub text: String,
    pub words: Vec<String>,
}

/// Who sees a result, and when: Gradescope's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    #[default]
    Visible,
    Hidden,
    AfterDueDate,
    AfterPublished,
}

impl Visibility {
    /// By the word of a suite or scenario file.
    pub fn of(word: &str) -> Visibility {
        match word {
            "hidden" => Visibility::Hidden,
            "after_due_date" => Visibility::AfterDueDate,
            "after_published" => Visibility::AfterPublished,
            _ => Visibility::Visible,
        }
    }
}
