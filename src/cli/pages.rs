//! `--html`: pages on disk, one for each report.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::inspect::input;
use super::{judge, overwrite};
use crate::render::html::{self, Page, Run};
use crate::report::Report;
use crate::savefile::{Recording, SavefileError};

/// The largest capture that goes into a page: a browser holds it several times
/// over.
pub(super) const LARGEST: u64 = 64 << 20;

/// What messages call `-`.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// Where pages go.
#[derive(Debug)]
pub(super) enum Pages {
    /// One page. What was in a file before is kept until there is a page.
    File {
        path: PathBuf,
        file: File,
        is_new: bool,
    },
    /// A page for each report.
    Folder { path: PathBuf, names: Vec<String> },
}

impl Pages {
    /// Creates the file, or the folder where the path is one or ends in `/`, so
    /// that a bad path fails before anything runs.
    pub fn open(path: &Path) -> io::Result<Pages> {
        let is_folder = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let path = path.to_owned();
        if is_folder {
            fs::create_dir_all(&path)?;
            return Ok(Pages::Folder {
                path,
                names: Vec::new(),
            });
        }
        overwrite::spare(&path)?;
        let is_new = !path.exists();
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        Ok(Pages::File { path, file, is_new })
    }

    /// So many reports will come.
    ///
    /// # Errors
    /// They do not fit into one page: what to do instead.
    pub fn expect(&self, reports: usize) -> Result<(), String> {
        match self {
            Pages::File { path, is_new, .. } if reports > 1 => {
                if *is_new {
                    // Nobody asked for an empty one.
                    let _ = fs::remove_file(path);
                }
                Err(format!(
                    "each result makes a page of its own: give a folder, --html {}/",
                    path.with_extension("").display()
                ))
            }
            _ => Ok(()),
        }
    }

    /// Writes the page of a report. Its capture is `read`, where that was kept as
    /// it came, else the file that the report names. What is wrong with the
    /// capture alone is told, and the page is there.
    pub fn add(&mut self, report: &Report, read: Option<Kept>) -> io::Result<Option<String>> {
        let capture = match (&report.capture, read) {
            (None, _) => Ok(None),
            (Some(_), Some(kept)) => kept.into_file().map(Some),
            (Some(capture), None) => self::read(Path::new(&capture.file)).map(Some),
        };
        let (capture, remark) = match capture {
            Ok(capture) => (capture, None),
            Err(error) => (
                None,
                Some(format!("the page is without its packets: {error}")),
            ),
        };
        self.put(report, capture.as_ref())?;
        Ok(remark)
    }

    /// Writes the page of a report with its capture.
    pub fn put(&mut self, report: &Report, capture: Option<&CaptureFile>) -> io::Result<()> {
        let run = run(Some(report), capture);
        let page = Page {
            runs: &[run],
            home: None,
        };
        match self {
            Pages::File { file, .. } => {
                file.set_len(0)?;
                write(&page, file)
            }
            Pages::Folder { path, names } => {
                let name = unused(report.name(), names);
                write(&page, &overwrite::create(&path.join(&name))?)?;
                names.push(name);
                Ok(())
            }
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Pages::File { path, .. } | Pages::Folder { path, .. } => path,
        }
    }
}

/// A report and its capture, for a page.
pub(super) fn run<'a>(report: Option<&'a Report>, capture: Option<&'a CaptureFile>) -> Run<'a> {
    Run {
        label: "",
        report,
        name: capture.map_or("", |capture| &capture.name),
        capture: capture.map(|capture| &capture.bytes[..]),
        recording: capture.and_then(|capture| capture.recording.as_ref()),
    }
}

/// Writes a page to a file.
pub(super) fn write(page: &Page<'_>, file: &File) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    html::write(page, &mut out)?;
    out.flush()
}

/// A capture file, whole, with the recording beside it.
pub(super) struct CaptureFile {
    pub name: String,
    pub bytes: Vec<u8>,
    pub recording: Option<Recording>,
}

/// Reads a capture file as it is; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<CaptureFile, SavefileError> {
    let is_stdin = path == Path::new("-");
    let name = match is_stdin {
        true => STANDARD_INPUT.to_owned(),
        false => path.display().to_string(),
    };
    let bytes = match is_stdin {
        true => input::from_others().and_then(bounded),
        false => File::open(path).and_then(bounded),
    };
    match bytes {
        Ok(bytes) => Ok(CaptureFile {
            bytes,
            recording: judge::recording_beside(path),
            name,
        }),
        Err(error) => Err(SavefileError::Io { name, error }),
    }
}

/// As [`read`], of a file that is open and holds its recording.
#[cfg(all(feature = "record", target_os = "linux"))]
pub(super) fn read_open(file: File, name: String) -> io::Result<CaptureFile> {
    Ok(CaptureFile {
        bytes: bounded(file)?,
        recording: None,
        name,
    })
}

fn bounded(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large());
    }
    Ok(bytes)
}

fn too_large() -> io::Error {
    let message = format!("larger than the {} MiB that a page holds", LARGEST >> 20);
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}

/// What came through standard input, which cannot be read a second time: the bytes
/// as they came, up to what a page holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// Keeps what is read.
    pub fn keeping<R: Read>(&self, input: R) -> Keeping<R> {
        Keeping {
            input,
            kept: self.0.clone(),
        }
    }

    fn into_file(self) -> Result<CaptureFile, SavefileError> {
        let name = STANDARD_INPUT.to_owned();
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if bytes.len() as u64 > LARGEST {
            let error = too_large();
            return Err(SavefileError::Io { name, error });
        }
        Ok(CaptureFile {
            name,
            bytes,
            recording: None,
        })
    }
}

/// A reader of which somebody keeps the bytes.
#[derive(Debug)]
pub(super) struct Keeping<R> {
    input: R,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl<R: Read> Read for Keeping<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // One byte more than a page holds tells that there was more.
        let room = usize::try_from(LARGEST + 1).unwrap_or(usize::MAX) - kept.len();
        kept.extend(buffer.iter().take(count.min(room)));
        Ok(count)
    }
}

/// A file name for a report: letters, digits, `-`, `_` and `.` of its name, and
/// a number where another has it.
fn unused(name: &str, taken: &[String]) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    let clean: String = base
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') => c,
            _ => '_',
        })
        .take(100)
        .collect();
    let clean = clean.trim_start_matches('.');
    let stem = if clean.is_empty() { "capture" } else { clean };
    let names = (1..).map(|n| match n {
        1 => format!("{stem}.html"),
        n => format!("{stem}-{n}.html"),
    });
    let mut free = names.filter(|name| !taken.contains(name));
    free.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_and_differ() {
        let mut taken = Vec::new();
        for (name, wanted) in [
            ("tcp-refused", "tcp-refused.html"),
            ("tcp-refused", "tcp-refused-2.html"),
            ("../../etc/pass wd", "pass_wd.html"),
            ("..", "capture.html"),
            ("<b>", "_b_.html"),
        ] {
            let name = unused(name, &taken);
            assert_eq!(name, wanted);
            taken.push(name);
        }
    }

    #[test]
    fn several_results_need_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let one = Pages::open(&folder.path().join("a.html")).unwrap();
        assert!(one.expect(1).is_ok());
        assert!(one.expect(2).unwrap_err().contains("give a folder"));
        assert!(!folder.path().join("a.html").exists());
        std::fs::write(folder.path().join("b.html"), "before").unwrap();
        let old = Pages::open(&folder.path().join("b.html")).unwrap();
        assert!(old.expect(2).is_err());
        let kept = std::fs::read_to_string(folder.path().join("b.html"));
        assert_eq!(kept.unwrap(), "before");
        let many = Pages::open(folder.path()).unwrap();
        assert!(many.expect(2).is_ok());
    }
}
