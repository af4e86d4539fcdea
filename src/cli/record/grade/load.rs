//! The suite with all that it names: scenarios, folders.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::submission::{digest, hex};
use crate::cli::load::{self, Loaded, Mistakes};
use crate::diagnostic::{Diagnostic, Severity, Source, nearest};
use crate::grade::{self, Case, Class, ClassCase, ResultsSchema, Suite};
use crate::scenario::{self, codes};

/// A suite, ready to be run.
pub struct Ready {
    pub suite: Suite,
    /// For each case its scenario.
    pub scenarios: Vec<Loaded>,
    pub overlay: Option<PathBuf>,
    pub reference: Option<PathBuf>,
    pub readable: Vec<PathBuf>,
}

/// Loads a suite and what it names.
///
/// # Errors
/// Everything that is wrong in the suite, or in its scenarios.
pub fn suite(path: &Path) -> Result<Ready, Vec<Mistakes>> {
    let name = path.display().to_string();
    let source = |text: String| Source {
        name: name.clone(),
        text,
    };
    let text = fs::read_to_string(path).map_err(|error| {
        let reason = crate::cli::output::without_number(&error.to_string()).to_owned();
        vec![Mistakes {
            source: source(String::new()),
            diagnostics: vec![error_at(
                codes::UNREADABLE,
                0..0,
                format!("cannot read {name}"),
                reason,
                None,
            )],
        }]
    })?;
    let suite = grade::parse(source(text.clone())).map_err(|diagnostics| {
        vec![Mistakes {
            source: source(text.clone()),
            diagnostics,
        }]
    })?;
    let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let mut wrong = Vec::new();
    let mut own = Vec::new();
    let mut scenarios = Vec::new();
    for case in &suite.cases {
        match load::load(&[word_of(&case.scenario, &base)], false) {
            Ok(mut loaded) if loaded.len() == 1 => {
                own.extend(unknown_roles(case, &loaded));
                scenarios.append(&mut loaded);
            }
            Ok(loaded) => own.push(error_at(
                codes::NOT_FOUND,
                case.span.clone(),
                format!("`{}` stands for {} scenarios", case.scenario, loaded.len()),
                "a case runs one",
                Some("name the file of one".to_owned()),
            )),
            Err(mistakes) => wrong.extend(mistakes),
        }
    }
    let mut folder = |key: &str, value: &Option<String>| {
        let path = base.join(value.as_ref()?);
        let absolute = fs::canonicalize(&path).ok().filter(|path| path.is_dir());
        if absolute.is_none() {
            own.push(error_at(
                codes::NOT_FOUND,
                0..0,
                format!("`{key}` names no folder: {}", path.display()),
                "not a folder",
                Some("the path is relative to the suite's file".to_owned()),
            ));
        }
        absolute
    };
    let overlay = folder("overlay", &suite.overlay);
    let reference = folder("reference", &suite.reference);
    if !own.is_empty() {
        wrong.push(Mistakes {
            source: suite.source.clone(),
            diagnostics: own,
        });
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let readable = suite
        .readable
        .iter()
        .map(|path| base.join(path))
        .collect::<Vec<_>>();
    let readable = readable
        .iter()
        .map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()))
        .collect();
    Ok(Ready {
        suite,
        scenarios,
        overlay,
        reference,
        readable,
    })
}

/// A built-in name, or a path relative to the suite.
fn word_of(scenario: &str, base: &Path) -> String {
    match scenario::catalogue().contains(&scenario) {
        true => scenario.to_owned(),
        false => base.join(scenario).display().to_string(),
    }
}

fn unknown_roles(case: &Case, loaded: &[Loaded]) -> Vec<Diagnostic> {
    let programs = loaded.iter().flat_map(|loaded| &loaded.scenario.programs);
    let roles: Vec<&str> = programs.map(|program| program.role.as_str()).collect();
    let unknown = case
        .run
        .keys()
        .filter(|role| !roles.contains(&role.as_str()));
    unknown
        .map(|role| {
            let help = match nearest(role, roles.iter().copied()) {
                Some(meant) => format!("did you mean `run.{meant}`?"),
                None => format!("its roles are: {}", roles.join(", ")),
            };
            error_at(
                codes::ROLE,
                case.span.clone(),
                format!("`{}` has no role `{role}`", case.scenario),
                "this case",
                Some(help),
            )
        })
        .collect()
}

fn error_at(
    code: &'static str,
    span: std::ops::Range<usize>,
    message: String,
    label: impl Into<String>,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code,
        message,
        span,
        label: label.into(),
        help,
    }
}

impl Ready {
    /// The class that these submissions make.
    pub fn class(&self, submissions: Vec<crate::grade::Submission>) -> std::io::Result<Class> {
        let cases = self.suite.cases.iter().map(|case| ClassCase {
            name: case.name.clone(),
            points: case.points,
            visibility: case.visibility,
            hint: case.hint.clone(),
        });
        Ok(Class {
            schema: ResultsSchema::V1,
            suite: self.suite.name.clone(),
            title: self.suite.title.clone(),
            digest: self.digest()?,
            cases: cases.collect(),
            submissions,
        })
    }

    /// Of all that results depend on.
    fn digest(&self) -> std::io::Result<String> {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(env!("CARGO_PKG_VERSION").as_bytes());
        part(self.suite.source.text.as_bytes());
        for loaded in &self.scenarios {
            part(loaded.scenario.source.text.as_bytes());
            for (name, bytes) in &loaded.files {
                part(name.as_bytes());
                part(&bytes.0);
            }
        }
        for folder in [&self.overlay, &self.reference].into_iter().flatten() {
            part(digest(folder)?.as_bytes());
        }
        Ok(hex(&hash.finalize()))
    }
}
