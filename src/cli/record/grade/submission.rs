//! Submissions: where they are, what they hold, and which of their files a command
//! means.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use sha2::{Digest, Sha256};

use super::archive::{self, ArchiveError, Kind};
use crate::grade::{Command, Submission, keys};
use crate::sandbox::Budget;

/// Folders in folders, and files in all, that are looked at.
const DEPTH: usize = 32;
const ENTRIES: usize = 20_000;

/// A submission as it was handed in.
#[derive(Clone, Debug)]
pub struct Source {
    pub submission: Submission,
    path: PathBuf,
    kind: Option<Kind>,
}

/// What a submission's files say before anything runs.
#[derive(Debug)]
pub enum Opened {
    Folder(PathBuf),
    /// Nothing of it can be graded, and that is its own fault.
    Refused(String),
}

/// Finds the submissions that the command line names.
///
/// # Errors
/// In words: one that is neither a folder nor an archive, or cannot be read.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Source>, String> {
    let mut named = Vec::new();
    for path in paths {
        let cannot = |error: io::Error| format!("{}: {error}", path.display());
        let full = fs::canonicalize(path).map_err(cannot)?;
        let file = full
            .file_name()
            .unwrap_or(full.as_os_str())
            .to_string_lossy()
            .into_owned();
        if full.is_dir() {
            named.push((file, full, None));
        } else if let Some((kind, stem)) = Kind::of(&file) {
            named.push((stem.to_owned(), full, Some(kind)));
        } else {
            return Err(format!(
                "{} is no submission: give folders, .zip, .tar.gz, .tgz or .tar files",
                path.display()
            ));
        }
    }
    named.sort();
    named.dedup();
    let keys = keys(named.iter().map(|(name, _, _)| name.as_str()));
    named
        .into_iter()
        .zip(keys)
        .map(|((name, path, kind), key)| {
            let digest = digest(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Source {
                submission: Submission { key, name, digest },
                path,
                kind,
            })
        })
        .collect()
}

impl Source {
    /// Makes its folder ready, below `work` where it must be unpacked.
    ///
    /// # Errors
    /// Our own trouble: the disk.
    pub fn open(&self, work: &Path, budget: Budget) -> io::Result<Opened> {
        let folder = match self.kind {
            None => {
                if let Err(message) = check_size(&self.path, budget) {
                    return Ok(Opened::Refused(message));
                }
                self.path.clone()
            }
            Some(kind) => {
                let to = work.join("unpacked");
                fs::create_dir_all(&to)?;
                match archive::unpack(&self.path, kind, &to, budget) {
                    Ok(()) => to,
                    Err(ArchiveError::Ours(error)) => return Err(error),
                    Err(error) => {
                        return Ok(Opened::Refused(format!(
                            "The archive cannot be graded: {error}"
                        )));
                    }
                }
            }
        };
        Ok(Opened::Folder(only_folder(folder)))
    }
}

/// An archive often holds one folder that holds everything.
fn only_folder(folder: PathBuf) -> PathBuf {
    let entries: Vec<fs::DirEntry> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| !is_noise(&entry.file_name().to_string_lossy()))
        .collect();
    match entries.as_slice() {
        [only] if only.file_type().is_ok_and(|kind| kind.is_dir()) => only.path(),
        _ => folder,
    }
}

/// What systems leave among files.
fn is_noise(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX" || name == "__pycache__"
}

fn check_size(folder: &Path, budget: Budget) -> Result<(), String> {
    let (mut bytes, mut entries) = (0u64, 0u64);
    let whole = walk(folder, &mut |path, meta| {
        entries += 1;
        bytes = bytes.saturating_add(if meta.is_file() { meta.len() } else { 0 });
        let _ = path;
        bytes <= budget.bytes && entries <= budget.entries
    });
    match whole {
        true => Ok(()),
        false => Err(format!(
            "The submission is too large: more than {} MB, {} files or {DEPTH} folders in folders",
            budget.bytes / 1_000_000,
            budget.entries
        )),
    }
}

/// Visits everything in a folder, in the order of names, following no link, until
/// `visit` says false. False: it did, or the folders are too deep.
fn walk(folder: &Path, visit: &mut dyn FnMut(&Path, &fs::Metadata) -> bool) -> bool {
    fn step(
        folder: &Path,
        depth: usize,
        visit: &mut dyn FnMut(&Path, &fs::Metadata) -> bool,
    ) -> bool {
        if depth > DEPTH {
            return false;
        }
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .take(ENTRIES)
            .collect();
        paths.sort();
        paths.iter().all(|path| match fs::symlink_metadata(path) {
            Ok(meta) => visit(path, &meta) && (!meta.is_dir() || step(path, depth + 1, visit)),
            Err(_) => true,
        })
    }
    step(folder, 0, visit)
}

/// Of a file's bytes, or of a folder's names and bytes.
pub fn digest(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    if path.is_dir() {
        let mut files = Vec::new();
        walk(path, &mut |path, meta| {
            files.push((path.to_path_buf(), meta.is_file()));
            files.len() < ENTRIES
        });
        for (file, regular) in files {
            let name = file.strip_prefix(path).unwrap_or(&file);
            hash.update(name.as_os_str().as_encoded_bytes());
            hash.update([0, u8::from(regular)]);
            if regular {
                // What cannot be read cannot be graded either: that is told then.
                let _ = feed(&mut hash, &file);
            }
        }
    } else {
        feed(&mut hash, path)?;
    }
    Ok(hex(&hash.finalize()))
}

fn feed(hash: &mut Sha256, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut length = 0u64;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            hash.update(length.to_le_bytes());
            return Ok(());
        }
        length += read as u64;
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a submission, by their paths in it: those that patterns may mean.
pub fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    walk(folder, &mut |path, meta| {
        let inside = path.strip_prefix(folder).unwrap_or(path);
        let clean = inside
            .components()
            .all(|part| !is_noise(&part.as_os_str().to_string_lossy()));
        if clean && meta.is_file() {
            files.extend(inside.to_str().map(str::to_owned));
        }
        files.len() < ENTRIES
    });
    files
}

/// The words of the first command whose patterns each mean one file.
///
/// # Errors
/// In words for the student: what was looked for, and what is there.
pub fn choose(commands: &[Command], files: &[String]) -> Result<Vec<String>, String> {
    let mut first = None;
    for command in commands {
        match fill_in(command, files) {
            Ok(words) => return Ok(words),
            Err(reason) => first = first.or(Some(reason)),
        }
    }
    Err(first.unwrap_or_else(|| "The suite has no command for it.".to_owned()))
}

fn fill_in(command: &Command, files: &[String]) -> Result<Vec<String>, String> {
    command
        .words
        .iter()
        .map(|word| match word.contains(['*', '?', '[']) {
            true => one_file(word, files),
            false => Ok(word.clone()),
        })
        .collect()
}

fn one_file(pattern: &str, files: &[String]) -> Result<String, String> {
    let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() else {
        // No pattern after all.
        return Ok(pattern.to_owned());
    };
    let glob: GlobMatcher = glob.compile_matcher();
    let fits = |file: &&String| match pattern.contains('/') {
        true => glob.is_match(file),
        false => glob.is_match(file.rsplit('/').next().unwrap_or(file)),
    };
    let depth = |file: &&String| file.matches('/').count();
    let found: Vec<&String> = files.iter().filter(fits).collect();
    // Of copies in folders the one at the top is meant.
    let top = found.iter().map(depth).min().unwrap_or_default();
    let found: Vec<&&String> = found.iter().filter(|file| depth(file) == top).collect();
    match found.as_slice() {
        [only] => Ok((**only).clone()),
        [] => Err(format!(
            "No file of the submission is named like {pattern}. It holds: {}",
            some(files.iter())
        )),
        several => Err(format!(
            "{} files of the submission are named like {pattern}, one is needed: {}",
            several.len(),
            some(several.iter().map(|file| **file))
        )),
    }
}

/// The first of many names.
fn some<'a>(names: impl Iterator<Item = &'a String>) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = names.map(String::as_str).collect();
    let mut text = names
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.is_empty() {
        text.push_str("nothing");
    } else if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        Command {
            text: text.to_owned(),
            words: text.split(' ').map(str::to_owned).collect(),
        }
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn patterns_mean_one_file() {
        let files = list(&[
            "TCPServer.py",
            "old/TCPServer.py",
            "UDPserver.py",
            "my client.py",
        ]);
        let chosen = |text: &str| choose(&[command(text)], &files);
        assert_eq!(
            chosen("python3 TCP*.py 1").unwrap(),
            ["python3", "TCPServer.py", "1"]
        );
        assert_eq!(chosen("python3 old/*.py").unwrap()[1], "old/TCPServer.py");
        assert_eq!(chosen("python3 *[Cc]lient*.py").unwrap()[1], "my client.py");
        assert!(
            chosen("x *[Ss]erver.py")
                .unwrap_err()
                .starts_with("2 files")
        );
        let none = chosen("java *.java").unwrap_err();
        assert!(none.contains("TCPServer.py, old/TCPServer.py"), "{none}");
    }

    #[test]
    fn the_first_command_that_fits_is_taken() {
        let commands = [command("java *.java"), command("python3 *.py")];
        assert_eq!(
            choose(&commands, &list(&["a.py"])).unwrap(),
            ["python3", "a.py"]
        );
        assert!(choose(&commands, &[]).unwrap_err().contains("*.java"));
    }

    #[test]
    fn links_are_not_followed_and_noise_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.py", ".hidden", "._a.py"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc", folder.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("..", folder.path().join("up")).unwrap();
        assert_eq!(files(folder.path()), ["a.py"]);
        let before = digest(folder.path()).unwrap();
        fs::write(folder.path().join("a.py"), "y").unwrap();
        assert_ne!(digest(folder.path()).unwrap(), before);
    }

    #[test]
    fn a_folder_in_an_archive_is_the_submission() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("anna-lab5/src")).unwrap();
        fs::create_dir(folder.path().join("__MACOSX")).unwrap();
        let inner = only_folder(folder.path().to_path_buf());
        assert!(inner.ends_with("anna-lab5"));
        fs::write(folder.path().join("README"), "x").unwrap();
        assert_eq!(only_folder(folder.path().to_path_buf()), folder.path());
    }
}
