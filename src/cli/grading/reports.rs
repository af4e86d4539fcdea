//! Writes the reports of a graded class into its folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::pages::{self, CaptureFile};
use crate::cli::{Exit, output, overwrite, view};
use crate::grade::{Grade, Gradebook, Graded, Visibility, file_name, student};
use crate::render::class;
use crate::render::html::{self, Home, Page, Run};
use crate::render::text::visible;
use crate::savefile::{self, SavefileError};

/// The folder of one submission.
pub fn folder_of(out: &Path, key: &str) -> PathBuf {
    out.join("students").join(key)
}

/// Where single reports go, beside those in the folder.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReportArgs {
    /// Write one JSON document on one line for each submission to standard output
    #[arg(long)]
    json: bool,
    /// Write Gradescope's results.json to FILE (one submission)
    #[arg(long, value_name = "FILE")]
    gradescope: Option<PathBuf>,
    /// Write the JSON of GitHub Classroom's reporter to FILE (one submission)
    #[arg(long, value_name = "FILE")]
    classroom: Option<PathBuf>,
    /// Also write the page of the class to FILE; it leads to the students' pages
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print annotations for GitHub Actions
    #[arg(long, conflicts_with = "json")]
    github: bool,
}

impl ReportArgs {
    pub fn json(&self) -> bool {
        self.json
    }

    /// What cannot be asked for of so many submissions, or would replace a capture.
    pub fn fits(&self, submissions: usize) -> Result<(), String> {
        let single = [
            ("--gradescope", &self.gradescope),
            ("--classroom", &self.classroom),
        ];
        for file in single.iter().filter_map(|(_, file)| file.as_ref()) {
            spare(file)?;
        }
        self.html.as_deref().map_or(Ok(()), spare)?;
        match single.iter().find(|(_, file)| file.is_some()) {
            Some((flag, _)) if submissions != 1 => Err(format!(
                "{flag} takes one submission, these are {submissions}: each one's file is in its folder"
            )),
            _ => Ok(()),
        }
    }
}

fn spare(file: &Path) -> Result<(), String> {
    overwrite::spare(file).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Writes everything; what the class came to is the exit code.
pub fn write(book: &Gradebook, out: &Path, args: &ReportArgs) -> io::Result<Exit> {
    let all: Vec<Graded<'_>> = book.graded().collect();
    let mut table = Vec::new();
    class::csv::heading(&book.class, &mut table);
    for graded in &all {
        class::csv::line(graded, &mut table);
        submission(graded, &folder_of(out, &graded.submission.key))?;
    }
    put(&out.join("class.csv"), &table)?;
    let page = class::html::class(&book.class, &all, "students/");
    put(&out.join("class.html"), page.as_bytes())?;
    if let Some(file) = &args.html {
        let students = class::html::way(&std::path::absolute(file)?, &std::path::absolute(out)?);
        let page = class::html::class(&book.class, &all, &format!("{students}students/"));
        put(file, page.as_bytes())?;
    }
    let mut junit = Vec::new();
    class::junit::write(all.iter().copied(), &mut junit)?;
    put(&out.join("junit.xml"), &junit)?;
    let mut tap = Vec::new();
    class::tap::write(&all, &mut tap)?;
    put(&out.join("class.tap"), &tap)?;
    if let [only] = all.as_slice() {
        if let Some(file) = &args.gradescope {
            put(file, &class::gradescope::results(only)?)?;
        }
        if let Some(file) = &args.classroom {
            put(file, &class::classroom::results(only)?)?;
        }
    }
    let mut exit = Exit::Passed;
    let mut annotations = String::new();
    for graded in &all {
        exit = exit.worst(match graded.grade() {
            Grade::Pass => Exit::Passed,
            Grade::Fail => Exit::Failed,
            Grade::Inconclusive => Exit::Inconclusive,
        });
        if args.json {
            exit = exit.worst(output::print_bytes(&class::json::document(graded)));
        }
        if args.github {
            class::annotations::lines(graded, &mut annotations);
        }
    }
    Ok(exit.worst(output::print_bytes(annotations.as_bytes())))
}

fn submission(graded: &Graded<'_>, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = |name: &str, bytes: &[u8]| put(&folder.join(name), bytes);
    file("report.txt", class::text::report(graded).as_bytes())?;
    let packets = packets(graded, folder)?;
    let page = class::html::submission(graded, &packets);
    file("report.html", page.as_bytes())?;
    file("report.json", &class::json::document(graded))?;
    file("results.json", &class::gradescope::results(graded)?)?;
    file("classroom.json", &class::classroom::results(graded)?)
}

/// Writes the page of a submission's captures, as far as the student may see them:
/// those of cases that did not pass. Which they are, by the case's place in the
/// class.
fn packets(graded: &Graded<'_>, folder: &Path) -> io::Result<Vec<usize>> {
    let mut room = pages::LARGEST;
    let mut cases = Vec::new();
    let mut shown = Vec::new();
    for (index, (case, result)) in graded.cases().enumerate() {
        let failed = result.filter(|result| result.grade != Grade::Pass);
        let name = failed.and_then(|result| result.capture.as_deref());
        let Some(name) = name.filter(|_| case.visibility == Visibility::Visible) else {
            continue;
        };
        // A name from the file must stay in its folder. A capture that is gone, or
        // is no capture any more, is not shown.
        let path = folder.join(file_name(name));
        let Ok((capture, report)) = view::open(&path) else {
            continue;
        };
        let Ok(capture) = for_student(capture, name) else {
            continue;
        };
        let Some(left) = room.checked_sub(capture.bytes.len() as u64) else {
            break;
        };
        room = left;
        cases.push(index);
        shown.push((visible(&case.name), student::report(report), capture));
    }
    let path = folder.join(class::html::PACKETS);
    if shown.is_empty() {
        // Of an earlier run.
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(cases),
        };
    }
    let runs = shown.iter().map(|(label, report, capture)| Run {
        label,
        ..pages::run(Some(report), Some(capture))
    });
    let page = Page {
        runs: &runs.collect::<Vec<_>>(),
        home: Some(Home {
            address: "report.html",
            title: &graded.submission.name,
        }),
    };
    let mut bytes = Vec::new();
    html::write(&page, &mut bytes)?;
    put(&path, &bytes)?;
    Ok(cases)
}

/// The packets, and who owned which socket: the capture itself holds the scenario
/// with its answer.
fn for_student(capture: CaptureFile, name: &str) -> Result<CaptureFile, SavefileError> {
    let mut bytes = Vec::new();
    let recording = savefile::packets_only(&capture.bytes[..], &mut bytes)?;
    let name = Path::new(name).with_extension("pcap");
    Ok(CaptureFile {
        name: name.display().to_string(),
        bytes,
        recording: recording.map(student::recording),
    })
}

/// Writes a file whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    std::fs::write(&partial, bytes).map_err(named)?;
    std::fs::rename(&partial, path).map_err(named)
}
