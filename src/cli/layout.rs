//! `netlab-capture fmt` and `lint`: scenario and expectation files put in order,
//! and looked through for what will fail by an accident.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::load::{self, Mistakes};
use super::{Exit, output};
use crate::diagnostic::{Diagnostic, Severity, Source};
use crate::expect;
use crate::render;
use crate::render::text::visible;
use crate::scenario::{self, ExpectationText};

/// The roles of an expectation file that stands alone.
const ROLES: [&str; 2] = ["client", "server"];

/// Format scenario and expectation files: indentation, columns, empty lines.
///
/// Comments stay, and so does what the files mean.
#[derive(Debug, clap::Args)]
pub struct Format {
    /// Scenario files (.toml) and expectation files (.expect)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Change nothing: name the files that would change, and fail if there are any
    #[arg(long)]
    check: bool,
}

/// Warn of what is correct today and will fail some day by an accident of timing.
///
/// Each remark has a code; `netlab-capture explain L004` tells more.
#[derive(Debug, clap::Args)]
pub struct Lint {
    /// Scenario files (.toml) and expectation files (.expect)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub fn format(args: &Format) -> Exit {
    let mut exit = Exit::Passed;
    for path in &args.files {
        let (source, formatted) = match formatted(path) {
            Ok(found) => found,
            Err(mistakes) => {
                exit = exit.worst(load::complain(&[mistakes]));
                continue;
            }
        };
        if formatted == source.text {
            continue;
        }
        if args.check {
            let line = format!("{}\n", visible(&source.name));
            exit = exit.worst(Exit::Failed).worst(output::print(&line));
        } else if let Err(error) = replace(path, &formatted) {
            output::tell(&format!("cannot write {}: {error}", source.name));
            exit = exit.worst(Exit::Environment);
        }
    }
    exit
}

/// A file's text as it is and as it should be.
fn formatted(path: &Path) -> Result<(Source, String), Mistakes> {
    let source = load::read_source(path)?;
    let wrong = |diagnostics| Mistakes {
        source: source.clone(),
        diagnostics,
    };
    let text = match is_statements(path) {
        true => {
            let mistakes = statements(&source).err().unwrap_or_default();
            if !mistakes.is_empty() {
                return Err(wrong(mistakes));
            }
            expect::format(&source.text)
        }
        false => {
            let (scenario, mistakes) = scenario::read(source.clone());
            if !mistakes.is_empty() {
                return Err(wrong(mistakes));
            }
            expect::compile(&scenario).map_err(&wrong)?;
            scenario::layout(&source.text, &scenario.expectations, &|text| {
                expect::format(text)
            })
            .unwrap_or_else(|| source.text.clone())
        }
    };
    Ok((source, text))
}

fn is_statements(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == expect::EXTENSION)
}

/// The warnings of an expectation file, or its mistakes. Which roles there are,
/// the capture tells that the file is used with.
fn statements(source: &Source) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    match expect::read_file(source.clone(), &ROLES.map(str::to_owned)) {
        Ok((_, expectations)) => Ok(expectations.into_iter().flat_map(|e| e.warnings).collect()),
        Err(mut mistakes) => {
            mistakes.retain(|mistake| mistake.code != expect::codes::UNKNOWN_ROLE);
            match mistakes.iter().any(|m| m.severity == Severity::Error) {
                true => Err(mistakes),
                false => Ok(mistakes),
            }
        }
    }
}

/// Writes beside the file, then takes its place: a full disk loses nothing.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = load::base_dir(path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(std::fs::metadata(path)?.permissions())?;
    // Where the name is a link, what it leads to is meant.
    file.persist(path.canonicalize()?)?;
    Ok(())
}

pub fn lint(args: &Lint) -> Exit {
    let mut exit = Exit::Passed;
    for path in &args.files {
        match linted(path) {
            Err(mistakes) => exit = exit.worst(load::complain(&[mistakes])),
            Ok((source, found)) if !found.is_empty() => {
                let columns = output::columns();
                let text = render::diagnostic::render(&found, &source, true, columns);
                output::complain(&text);
                exit = exit.worst(Exit::Failed);
            }
            Ok(_) => {}
        }
    }
    exit
}

/// What is to be said of a file.
fn linted(path: &Path) -> Result<(Source, Vec<Diagnostic>), Mistakes> {
    let source = load::read_source(path)?;
    let wrong = |diagnostics| Mistakes {
        source: source.clone(),
        diagnostics,
    };
    let mut found = Vec::new();
    if is_statements(path) {
        found.extend(statements(&source).map_err(&wrong)?);
        found.extend(expect::lint::lint(&source.text));
    } else {
        let (scenario, mistakes) = scenario::read(source.clone());
        if !mistakes.is_empty() {
            return Err(wrong(mistakes));
        }
        let expectations = expect::compile(&scenario).map_err(&wrong)?;
        found.extend(expectations.into_iter().flat_map(|e| e.warnings));
        found.extend(scenario.expectations.iter().flat_map(of_expectation));
    }
    found.sort_by_key(|remark| remark.span.start);
    Ok((source, found))
}

fn of_expectation(written: &ExpectationText) -> Vec<Diagnostic> {
    let mut found = expect::lint::lint(&written.text);
    for remark in &mut found {
        remark.span = written.source_span(remark.span.clone());
    }
    found
}
