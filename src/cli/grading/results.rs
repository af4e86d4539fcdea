//! `results.jsonl`: the class in the first line, one result in each further line,
//! written as it comes. An interrupted run goes on from there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::Path;

#[cfg(all(feature = "record", target_os = "linux"))]
use crate::grade::Gradebook;
use crate::grade::{CaseResult, Class};

/// The file's name in its folder.
pub const FILE: &str = "results.jsonl";

/// Writes the results of a class anew. The new file takes the old one's place at
/// once, and more may be added to it.
pub fn write(folder: &Path, class: &Class, results: &[CaseResult]) -> io::Result<File> {
    let partial = folder.join(format!("{FILE}.part"));
    let mut file = File::create(&partial)?;
    file.write_all(&line(class)?)?;
    for result in results {
        file.write_all(&line(result)?)?;
    }
    file.flush()?;
    std::fs::rename(&partial, folder.join(FILE))?;
    Ok(file)
}

/// The open file of a class that is being graded.
#[cfg(all(feature = "record", target_os = "linux"))]
pub struct Log {
    file: File,
}

#[cfg(all(feature = "record", target_os = "linux"))]
impl Log {
    /// Begins anew for a class; with those results of an earlier run that still
    /// hold.
    pub fn start(folder: &Path, class: &Class, earlier: &[CaseResult]) -> io::Result<Log> {
        let file = write(folder, class, earlier)?;
        Ok(Log { file })
    }

    /// Keeps a result.
    pub fn add(&mut self, result: &CaseResult) -> io::Result<()> {
        // One write for a line: a torn one can only be the last.
        self.file.write_all(&line(result)?)
    }
}

fn line(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads what a folder holds. None: nothing was graded there. A last line that was
/// cut off is left out.
///
/// # Errors
/// The file cannot be read, or is no file of this format.
pub fn read(folder: &Path) -> io::Result<Option<(Class, Vec<CaseResult>)>> {
    let file = match OpenOptions::new().read(true).open(folder.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut lines = BufReader::new(file);
    lines.rewind()?;
    let mut text = String::new();
    lines.read_line(&mut text)?;
    let class: Class = serde_json::from_str(&text).map_err(|error| {
        io::Error::other(format!(
            "it does not begin as results of grading do: {error}"
        ))
    })?;
    let mut results = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let line = line?;
        match serde_json::from_str(&line) {
            Ok(result) => results.push(result),
            Err(error) if error.is_eof() => break,
            Err(error) => {
                return Err(io::Error::other(format!("line {}: {error}", number + 2)));
            }
        }
    }
    Ok(Some((class, results)))
}

/// Reads a folder as a gradebook.
#[cfg(all(feature = "record", target_os = "linux"))]
pub fn gradebook(folder: &Path) -> io::Result<Option<Gradebook>> {
    Ok(read(folder)?.map(|(class, results)| {
        let mut book = Gradebook::new(class);
        for result in results {
            book.add(result);
        }
        book
    }))
}

#[cfg(all(test, feature = "record", target_os = "linux"))]
mod tests {
    use super::*;
    use crate::grade::{Grade, ResultsSchema};

    fn class() -> Class {
        Class {
            schema: ResultsSchema::V1,
            suite: "lab5".into(),
            title: None,
            digest: "d".into(),
            cases: Vec::new(),
            submissions: Vec::new(),
        }
    }

    fn result(case: &str) -> CaseResult {
        CaseResult {
            submission: "a".into(),
            digest: "x".into(),
            case: case.into(),
            grade: Grade::Pass,
            score: Some(1.0),
            attempts: 1,
            duration_ms: 2.5,
            packets: 2,
            complete: true,
            message: String::new(),
            checks: Vec::new(),
            text: "line\nline".into(),
            capture: None,
        }
    }

    #[test]
    fn what_was_kept_is_read_again_up_to_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        let mut log = Log::start(folder.path(), &class(), &[result("1")]).unwrap();
        log.add(&result("2")).unwrap();
        let mut torn = line(&result("3")).unwrap();
        torn.truncate(40);
        log.file.write_all(&torn).unwrap();
        let (read_class, results) = read(folder.path()).unwrap().unwrap();
        assert_eq!(read_class, class());
        assert_eq!(results, [result("1"), result("2")]);
        std::fs::write(folder.path().join(FILE), "{}\n").unwrap();
        assert!(read(folder.path()).is_err());
    }
}
