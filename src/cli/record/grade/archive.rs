//! Unpacking what others packed: files and folders only, within bounds, never
//! outside of the folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::sandbox::Budget;

/// Folders in folders.
const DEPTH: usize = 32;

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// What is in it is not to be unpacked.
    #[error("{0}")]
    Refused(String),
    /// It is no archive of its kind, or a damaged one.
    #[error("it cannot be unpacked: {0}")]
    Damaged(String),
    /// Our own disk.
    #[error("it cannot be unpacked here: {0}")]
    Ours(io::Error),
}

/// What a file's name says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Zip,
    TarGz,
    Tar,
}

impl Kind {
    /// The kind, and the name without what tells it.
    pub fn of(file: &str) -> Option<(Kind, &str)> {
        const ENDINGS: [(&str, Kind); 4] = [
            (".zip", Kind::Zip),
            (".tar.gz", Kind::TarGz),
            (".tgz", Kind::TarGz),
            (".tar", Kind::Tar),
        ];
        let lower = file.to_ascii_lowercase();
        ENDINGS.iter().find_map(|(ending, kind)| {
            let stem = file.get(..lower.strip_suffix(ending)?.len())?;
            Some((*kind, stem))
        })
    }
}

/// Unpacks an archive into an empty folder. Links and devices are left out.
pub fn unpack(path: &Path, kind: Kind, to: &Path, budget: Budget) -> Result<(), ArchiveError> {
    let file = File::open(path).map_err(ArchiveError::Ours)?;
    let mut unpack = Unpack { to, budget };
    match kind {
        Kind::Zip => unpack.zip(file),
        // A bomb is bounded by what is written, and what is skipped by this.
        Kind::TarGz => unpack.tar(MultiGzDecoder::new(file).take(unpack.most())),
        Kind::Tar => unpack.tar(file.take(unpack.most())),
    }
}

struct Unpack<'a> {
    to: &'a Path,
    budget: Budget,
}

fn damaged(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}

impl Unpack<'_> {
    /// Bytes of a whole tar file, headers included, that are looked at.
    fn most(&self) -> u64 {
        self.budget
            .bytes
            .saturating_mul(2)
            .saturating_add(self.budget.entries.saturating_mul(1024))
    }

    fn zip(&mut self, file: File) -> Result<(), ArchiveError> {
        let mut archive = zip::ZipArchive::new(file).map_err(damaged)?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(damaged)?;
            // Some programs for Windows part folders by its own sign.
            let name = PathBuf::from(entry.name().map_err(damaged)?.replace('\\', "/"));
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o100 != 0);
            if entry.is_dir() {
                self.folder(&name)?;
            } else if entry.is_file() {
                self.file(&name, executable, &mut entry)?;
            } else {
                self.count()?;
            }
        }
        Ok(())
    }

    fn tar(&mut self, bytes: impl Read) -> Result<(), ArchiveError> {
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let name = entry.path().map_err(damaged)?.into_owned();
            let kind = entry.header().entry_type();
            let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
            if kind.is_dir() {
                self.folder(&name)?;
            } else if kind.is_file() {
                self.file(&name, executable, &mut entry)?;
            } else {
                self.count()?;
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), ArchiveError> {
        let left = self.budget.entries.checked_sub(1);
        self.budget.entries = left.ok_or_else(|| {
            ArchiveError::Refused("it holds more files than a submission may".to_owned())
        })?;
        Ok(())
    }

    /// The place of an entry: only names, no way up or out.
    fn place(&self, name: &Path) -> Result<PathBuf, ArchiveError> {
        let mut place = self.to.to_path_buf();
        let mut depth = 0;
        for part in name.components() {
            match part {
                Component::Normal(part) => {
                    place.push(part);
                    depth += 1;
                }
                Component::CurDir => {}
                _ => {
                    return Err(ArchiveError::Refused(format!(
                        "it holds `{}`, which leads out of its folder",
                        name.display()
                    )));
                }
            }
        }
        match depth {
            0..=DEPTH => Ok(place),
            _ => Err(ArchiveError::Refused(format!(
                "its folders are nested more than {DEPTH} deep"
            ))),
        }
    }

    fn folder(&mut self, name: &Path) -> Result<(), ArchiveError> {
        self.count()?;
        make_folder(&self.place(name)?)
    }

    fn file(
        &mut self,
        name: &Path,
        executable: bool,
        content: &mut impl Read,
    ) -> Result<(), ArchiveError> {
        self.count()?;
        let place = self.place(name)?;
        if let Some(folder) = place.parent() {
            make_folder(folder)?;
        }
        // Of two of the same name the later holds, as with other programs.
        let _ = fs::remove_file(&place);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(
            &mut options,
            if executable { 0o755 } else { 0o644 },
        );
        let mut file = options.open(&place).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput => damaged(error),
            _ => ArchiveError::Ours(error),
        })?;
        let copied = copy(content, &mut file, self.budget.bytes)?;
        self.budget.bytes = self.budget.bytes.checked_sub(copied).ok_or_else(|| {
            ArchiveError::Refused("unpacked it is larger than a submission may be".to_owned())
        })?;
        Ok(())
    }
}

fn make_folder(path: &Path) -> Result<(), ArchiveError> {
    fs::create_dir_all(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::InvalidInput => damaged(error),
        _ => ArchiveError::Ours(error),
    })
}

/// At most one byte more than is left. What cannot be read is the archive's fault,
/// what cannot be written ours.
fn copy(content: &mut impl Read, file: &mut File, left: u64) -> Result<u64, ArchiveError> {
    let mut bounded = content.take(left.saturating_add(1));
    let mut buffer = [0; 16 * 1024];
    let mut copied = 0;
    loop {
        let read = match bounded.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(error)),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        io::Write::write_all(file, bytes).map_err(ArchiveError::Ours)?;
        copied += read as u64;
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
