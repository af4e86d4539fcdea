//! From the words of a command line to scenarios: built-in names, files and
//! folders of files. Everything that is wrong with all of them is told at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Exit, output};
use crate::diagnostic::{Diagnostic, Severity, Source, nearest};
use crate::expect;
use crate::expect::ast::Expectation;
use crate::render;
use crate::savefile::Bytes;
use crate::scenario::{self, Scenario, codes};

/// The largest file that an expectation may name: 16 MiB.
pub const MAX_FILE: usize = 16 << 20;

/// The name of the command line, where a diagnostic points into it.
const COMMAND_LINE: &str = "command line";

/// A scenario, its expectations, and what they need from the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub scenario: Scenario,
    pub expectations: Vec<Expectation>,
    /// The files that expectations name by `file("…")`, by that name.
    pub files: BTreeMap<String, Bytes>,
    /// The folder of the scenario's file. None: it is built in.
    pub base_dir: Option<PathBuf>,
}

/// What is wrong in one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistakes {
    pub source: Source,
    pub diagnostics: Vec<Diagnostic>,
}

/// One scenario to load.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Builtin(String),
    File(PathBuf),
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    File,
    /// The folder's `*.toml`, sorted.
    Folder(Vec<PathBuf>),
}

/// Loads the scenarios that `words` name: a built-in name, a file, or a folder,
/// which stands for every `*.toml` in it. `all` adds the whole catalogue. What
/// is named twice is loaded once.
///
/// # Errors
/// Everything that is wrong: words that name nothing, and the mistakes of each
/// file.
pub fn load(words: &[String], all: bool) -> Result<Vec<Loaded>, Vec<Mistakes>> {
    let (wanted, mut wrong) = match resolve(words, all, &look) {
        Ok(wanted) => (wanted, Vec::new()),
        Err((wanted, mistakes)) => (wanted, vec![mistakes]),
    };
    let mut loaded: Vec<Loaded> = Vec::new();
    for one in &wanted {
        match load_one(one) {
            Ok(one) => loaded.push(one),
            Err(mistakes) => wrong.push(mistakes),
        }
    }
    wrong.extend(same_name(&loaded));
    if wrong.is_empty() {
        Ok(loaded)
    } else {
        Err(wrong)
    }
}

/// Prints every mistake with its line.
pub fn complain(mistakes: &[Mistakes]) -> Exit {
    let columns = output::columns();
    for one in mistakes {
        let text = render::diagnostic::render(&one.diagnostics, &one.source, true, columns);
        output::complain(&text);
    }
    Exit::Usage
}

/// Prints what is allowed in the expectations, but probably not meant.
pub fn warn(loaded: &[Loaded]) {
    for one in loaded {
        warn_of(&one.expectations, Some(&one.scenario.source));
    }
}

/// The same of expectations of one file; without one, of the command line.
pub fn warn_of(expectations: &[Expectation], file: Option<&Source>) {
    let columns = output::columns();
    for expectation in expectations {
        let source = file.map_or_else(|| Cow::Owned(statement(&expectation.text)), Cow::Borrowed);
        let text = render::diagnostic::render(&expectation.warnings, &source, true, columns);
        output::complain(&text);
    }
}

/// What the words stand for, in their order; and which of them name nothing.
fn resolve(
    words: &[String],
    all: bool,
    look: &dyn Fn(&str) -> Option<Found>,
) -> Result<Vec<Wanted>, (Vec<Wanted>, Mistakes)> {
    let catalogue = scenario::catalogue();
    let mut wanted = Vec::new();
    let mut mistakes = Mistakes {
        source: Source {
            name: COMMAND_LINE.to_owned(),
            text: words.join(" "),
        },
        diagnostics: Vec::new(),
    };
    if all {
        wanted.extend(
            catalogue
                .iter()
                .map(|name| Wanted::Builtin((*name).to_owned())),
        );
    }
    let mut at = 0;
    for word in words {
        let span = at..at + word.len();
        at = span.end + 1;
        // A built-in name comes first: a file of that name is `./NAME`.
        if catalogue.contains(&word.as_str()) {
            wanted.push(Wanted::Builtin(word.clone()));
            continue;
        }
        match look(word) {
            Some(Found::File) => wanted.push(Wanted::File(PathBuf::from(word))),
            Some(Found::Folder(files)) if !files.is_empty() => {
                wanted.extend(files.into_iter().map(Wanted::File));
            }
            Some(Found::Folder(_)) => mistakes.diagnostics.push(error(
                codes::NOT_FOUND,
                span,
                format!("the folder `{word}` holds no scenario"),
                "no *.toml in it",
                None,
            )),
            None => mistakes.diagnostics.push(unknown(word, span, &catalogue)),
        }
    }
    let mut seen = BTreeSet::new();
    wanted.retain(|one| seen.insert(one.clone()));
    if mistakes.diagnostics.is_empty() {
        Ok(wanted)
    } else {
        Err((wanted, mistakes))
    }
}

fn unknown(word: &str, span: std::ops::Range<usize>, catalogue: &[&str]) -> Diagnostic {
    let is_path = word.contains(['/', '\\']) || word.ends_with(".toml");
    let message = if is_path {
        format!("there is no file or folder `{word}`")
    } else {
        format!("no scenario is called `{word}`, and there is no such file")
    };
    let help = match nearest(word, catalogue.iter().copied()) {
        Some(meant) => Some(format!("did you mean `{meant}`?")),
        None if is_path => None,
        None => Some("`netlab-capture list` names the built-in scenarios".to_owned()),
    };
    error(codes::NOT_FOUND, span, message, "names nothing", help)
}

fn error(
    code: &'static str,
    span: std::ops::Range<usize>,
    message: String,
    label: &str,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code,
        message,
        span,
        label: label.to_owned(),
        help,
    }
}

/// Captures and reports are named after their scenario.
fn same_name(loaded: &[Loaded]) -> Option<Mistakes> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut text = String::new();
    let mut diagnostics = Vec::new();
    for one in loaded {
        let (name, path) = (
            one.scenario.name.as_str(),
            one.scenario.source.name.as_str(),
        );
        if let Some(other) = first.insert(name, path) {
            let start = text.len();
            text.push_str(path);
            diagnostics.push(error(
                codes::DUPLICATE,
                start..text.len(),
                format!("two scenarios are called `{name}`: {other} and {path}"),
                "its capture would overwrite the other's",
                Some("rename one of the files, or run them one after the other".to_owned()),
            ));
            text.push('\n');
        }
    }
    let source = Source {
        name: COMMAND_LINE.to_owned(),
        text,
    };
    (!diagnostics.is_empty()).then_some(Mistakes {
        source,
        diagnostics,
    })
}

fn look(word: &str) -> Option<Found> {
    let path = Path::new(word);
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_dir() {
        return Some(Found::File);
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml") && path.is_file())
        .collect();
    files.sort();
    Some(Found::Folder(files))
}

fn load_one(wanted: &Wanted) -> Result<Loaded, Mistakes> {
    let (source, base_dir) = match wanted {
        Wanted::Builtin(name) => {
            let source =
                scenario::builtin(name).ok_or_else(|| no_source(name, "it is not built in"))?;
            (source, None)
        }
        Wanted::File(path) => (read_source(path)?, Some(base_dir(path))),
    };
    understand(source, base_dir)
}

/// Statements of the command line.
pub fn parse_statements(
    statements: &[String],
    roles: &[String],
) -> Result<Vec<Expectation>, Vec<Mistakes>> {
    let mut expectations = Vec::new();
    let mut wrong = Vec::new();
    for text in statements {
        match expect::parse(text, text, roles) {
            Ok(expectation) => expectations.push(expectation),
            Err(diagnostics) => wrong.push(Mistakes {
                source: statement(text),
                diagnostics,
            }),
        }
    }
    if wrong.is_empty() {
        Ok(expectations)
    } else {
        Err(wrong)
    }
}

fn statement(text: &str) -> Source {
    Source {
        name: "-e".into(),
        text: text.to_owned(),
    }
}

/// The files that statements of the command line name: those of the current
/// folder, else those that the capture brought along.
///
/// # Errors
/// Those that are in neither.
pub fn files_of_statements(
    statements: &[Expectation],
    brought: Option<&BTreeMap<String, Bytes>>,
) -> Result<BTreeMap<String, Bytes>, Vec<Mistakes>> {
    let mut files = BTreeMap::new();
    let mut wrong = Vec::new();
    for one in statements {
        let mut missing = Vec::new();
        for name in expect::files(std::slice::from_ref(one)) {
            let of_capture = || brought.and_then(|files| files.get(&name)).cloned();
            match read_named(&name, Some(Path::new("."))) {
                Ok(bytes) => {
                    files.insert(name, Bytes(bytes));
                }
                Err(reason) => match of_capture() {
                    Some(bytes) => {
                        files.insert(name, bytes);
                    }
                    None => {
                        let place = one.text.find(&name).map(|at| at..at + name.len());
                        missing.push(unreadable(place, &name, &reason, "current"));
                    }
                },
            }
        }
        if !missing.is_empty() {
            wrong.push(Mistakes {
                source: statement(&one.text),
                diagnostics: missing,
            });
        }
    }
    match wrong.is_empty() {
        true => Ok(files),
        false => Err(wrong),
    }
}

/// The scenario of a source, with everything that it needs from the disk.
pub fn understand(source: Source, base_dir: Option<PathBuf>) -> Result<Loaded, Mistakes> {
    let wrong = |diagnostics| Mistakes {
        source: source.clone(),
        diagnostics,
    };
    let (scenario, expectations) = read(source.clone()).map_err(wrong)?;
    let files = files(&scenario, &expectations, base_dir.as_deref()).map_err(wrong)?;
    Ok(Loaded {
        scenario,
        expectations,
        files,
        base_dir,
    })
}

/// The files that expectations name.
///
/// # Errors
/// Those that cannot be read.
pub fn files(
    scenario: &Scenario,
    expectations: &[Expectation],
    base_dir: Option<&Path>,
) -> Result<BTreeMap<String, Bytes>, Vec<Diagnostic>> {
    let mut files = BTreeMap::new();
    let mut missing = Vec::new();
    for name in expect::files(expectations) {
        match read_named(&name, base_dir) {
            Ok(bytes) => {
                files.insert(name, Bytes(bytes));
            }
            Err(reason) => {
                let place = place_of(scenario, &name);
                missing.push(unreadable(place, &name, &reason, "scenario's"));
            }
        }
    }
    match missing.is_empty() {
        true => Ok(files),
        false => Err(missing),
    }
}

/// The scenario with its expectations, or the mistakes of both.
fn read(source: Source) -> Result<(Scenario, Vec<Expectation>), Vec<Diagnostic>> {
    let (scenario, mut mistakes) = scenario::read(source);
    // What is left of a broken file may have lost the roles.
    if mistakes.iter().any(|mistake| mistake.code == codes::SYNTAX) {
        return Err(mistakes);
    }
    match expect::compile(&scenario) {
        Ok(expectations) if mistakes.is_empty() => return Ok((scenario, expectations)),
        Ok(_) => {}
        Err(more) => mistakes.extend(more),
    }
    mistakes.sort_by_key(|mistake| mistake.span.start);
    Err(mistakes)
}

/// The folder of a scenario file.
pub fn base_dir(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Reads a scenario or expectation file.
pub fn read_source(path: &Path) -> Result<Source, Mistakes> {
    let name = path.to_string_lossy();
    let bytes =
        read_bounded(path, scenario::MAX_BYTES).map_err(|reason| no_source(&name, &reason))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        Mistakes {
            source: Source {
                name: name.clone().into_owned(),
                text,
            },
            diagnostics: vec![self::error(
                codes::UNREADABLE,
                at..at + char::REPLACEMENT_CHARACTER.len_utf8(),
                "the file must be UTF-8".to_owned(),
                "these bytes are not",
                Some("save the file as UTF-8 in your editor".to_owned()),
            )],
        }
    })?;
    // Editors on Windows begin a file with it.
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    };
    Ok(Source {
        name: name.into_owned(),
        text,
    })
}

/// A file of which there is no text to show.
fn no_source(name: &str, reason: &str) -> Mistakes {
    let message = format!("`{name}` cannot be read");
    told(codes::UNREADABLE, name, message, reason, None)
}

/// What is wrong with a word of the command line.
pub fn told(
    code: &'static str,
    word: &str,
    message: String,
    label: &str,
    help: Option<String>,
) -> Mistakes {
    Mistakes {
        source: Source {
            name: COMMAND_LINE.to_owned(),
            text: word.to_owned(),
        },
        diagnostics: vec![error(code, 0..word.len(), message, label, help)],
    }
}

/// A file that an expectation names.
fn read_named(name: &str, base_dir: Option<&Path>) -> Result<Vec<u8>, String> {
    match base_dir {
        Some(base_dir) => read_bounded(&base_dir.join(name), MAX_FILE),
        None => scenario::builtin_file(name)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| "it is not built in".to_owned()),
    }
}

/// Where the expectations of a scenario name a file.
fn place_of(scenario: &Scenario, name: &str) -> Option<Range<usize>> {
    scenario.expectations.iter().find_map(|expectation| {
        let at = expectation.text.find(name)?;
        Some(expectation.source_span(at..at + name.len()))
    })
}

/// `folder`: whose folder its path is relative to.
fn unreadable(place: Option<Range<usize>>, name: &str, reason: &str, folder: &str) -> Diagnostic {
    error(
        codes::UNREADABLE,
        place.unwrap_or_default(),
        format!("the file `{name}` cannot be read"),
        reason,
        Some(format!("the path is relative to the {folder} folder")),
    )
}

/// The whole file, if it has at most `most` bytes.
pub fn read_bounded(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(most as u64 + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| output::without_number(&error.to_string()).to_owned())?;
    if bytes.len() > most {
        return Err(format!("it has more than {} MiB", most >> 20));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// A disk with one file, one folder of two files, and an empty folder.
    fn disk(word: &str) -> Option<Found> {
        match word {
            "a.toml" | "tcp-upper" | "./tcp-upper" => Some(Found::File),
            "lab" => Some(Found::Folder(vec![
                "lab/b.toml".into(),
                "lab/c.toml".into(),
            ])),
            "empty" => Some(Found::Folder(Vec::new())),
            _ => None,
        }
    }

    fn file(path: &str) -> Wanted {
        Wanted::File(path.into())
    }

    #[test]
    fn the_whole_catalogue_loads_without_a_warning() {
        let loaded = load(&[], true).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        assert_eq!(loaded.len(), scenario::catalogue().len());
        for one in loaded {
            assert_eq!(one.expectations.len(), one.scenario.expectations.len());
            assert!(one.expectations.iter().all(|e| e.warnings.is_empty()));
            assert_eq!(one.base_dir, None);
            if one.scenario.name == "http-ok" {
                assert!(one.files.contains_key("../www/HelloWorld.html"));
            }
        }
    }

    #[test]
    fn names_files_and_folders_in_the_order_of_the_words() {
        let wanted = resolve(&words(&["lab", "tcp-refused", "a.toml"]), false, &disk).unwrap();
        let builtin = Wanted::Builtin("tcp-refused".to_owned());
        let expected = [
            file("lab/b.toml"),
            file("lab/c.toml"),
            builtin,
            file("a.toml"),
        ];
        assert_eq!(wanted, expected);
    }

    #[test]
    fn what_is_named_twice_is_taken_once() {
        let wanted = resolve(
            &words(&["tcp-upper", "lab", "lab", "tcp-upper"]),
            false,
            &disk,
        );
        assert_eq!(wanted.unwrap().len(), 3);
        let wanted = resolve(&words(&["tcp-upper"]), true, &disk).unwrap();
        assert_eq!(wanted.len(), scenario::catalogue().len());
    }

    #[test]
    fn a_built_in_name_comes_before_a_file() {
        let wanted = resolve(&words(&["tcp-upper", "./tcp-upper"]), false, &disk).unwrap();
        let expected = [Wanted::Builtin("tcp-upper".to_owned()), file("./tcp-upper")];
        assert_eq!(wanted, expected);
    }

    #[test]
    fn every_word_that_names_nothing_is_told_with_the_nearest_name() {
        let wrong = resolve(
            &words(&["tcp-uper", "lab", "empty", "x/y.toml"]),
            false,
            &disk,
        );
        let (wanted, mistakes) = wrong.unwrap_err();
        assert_eq!(wanted.len(), 2);
        let told: Vec<(&str, Option<&str>)> = mistakes
            .diagnostics
            .iter()
            .map(|d| (&mistakes.source.text[d.span.clone()], d.help.as_deref()))
            .collect();
        let expected = [
            ("tcp-uper", Some("did you mean `tcp-upper`?")),
            ("empty", None),
            ("x/y.toml", None),
        ];
        assert_eq!(told, expected);
    }
}
