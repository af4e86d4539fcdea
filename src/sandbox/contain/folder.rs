//! A bounded copy of a folder that others filled: no link is followed, no device
//! or pipe is copied, and it ends at its bounds.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use super::identity::Identity;

/// Folders in folders.
const DEPTH: usize = 32;

/// What may still be copied.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub bytes: u64,
    pub entries: u64,
}

/// Why a folder was not copied whole.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("it holds more than may be copied")]
    TooLarge,
    #[error("its folders are nested more than {DEPTH} deep")]
    TooDeep,
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<Errno> for FolderError {
    fn from(error: Errno) -> FolderError {
        FolderError::System(error.into())
    }
}

/// Copies what a folder holds into another: files, folders and symbolic links,
/// with their permissions and times. What is there of the same name is replaced.
///
/// # Errors
/// At its bounds, and where the system refuses; what was copied until then stays.
pub fn copy_folder(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    budget: &mut Budget,
) -> Result<(), FolderError> {
    copy_for(from, to, budget, None)
}

/// [`copy_folder`], and gives all of it to somebody.
pub(super) fn copy_for(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    budget: &mut Budget,
    owner: Option<Identity>,
) -> Result<(), FolderError> {
    Copy { budget, owner }.folder(from, to, 0)
}

struct Copy<'a> {
    budget: &'a mut Budget,
    owner: Option<Identity>,
}

impl Copy<'_> {
    fn folder(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        depth: usize,
    ) -> Result<(), FolderError> {
        if depth > DEPTH {
            return Err(FolderError::TooDeep);
        }
        for entry in Dir::read_from(from)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.budget.entries = take(self.budget.entries, 1)?;
            let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    match rustix::fs::mkdirat(to, name, Mode::RWXU) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                    let source = open_folder(from, name)?;
                    let target = open_folder(to, name)?;
                    self.folder(source.as_fd(), target.as_fd(), depth + 1)?;
                    self.finish(&target, &stat)?;
                }
                FileType::RegularFile => self.file(from, to, name, &stat)?,
                FileType::Symlink => {
                    let points_at = rustix::fs::readlinkat(from, name, Vec::new())?;
                    let _ = rustix::fs::unlinkat(to, name, AtFlags::empty());
                    rustix::fs::symlinkat(points_at.as_c_str(), to, name)?;
                    if let Some(owner) = self.owner {
                        let flags = AtFlags::SYMLINK_NOFOLLOW;
                        let (uid, gid) = (Some(owner.uid), Some(owner.gid));
                        rustix::fs::chownat(to, name, uid, gid, flags)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &std::ffi::CStr,
        stat: &Stat,
    ) -> Result<(), FolderError> {
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut source = File::from(rustix::fs::openat(from, name, read, Mode::empty())?);
        let _ = rustix::fs::unlinkat(to, name, AtFlags::empty());
        let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut target = File::from(rustix::fs::openat(to, name, write, mode)?);
        // One byte more than is left tells a file that is too large, also one
        // that still grows.
        let mut bounded = (&mut source).take(self.budget.bytes.saturating_add(1));
        let copied = match io::copy(&mut bounded, &mut target) {
            Ok(copied) => copied,
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                return Err(FolderError::TooLarge);
            }
            Err(error) => return Err(error.into()),
        };
        target.flush()?;
        self.budget.bytes = take(self.budget.bytes, copied)?;
        self.finish(&target, stat)
    }

    /// Permissions and times as they were; `make` looks at times. Nothing that
    /// lends another's powers.
    fn finish(&self, target: &impl AsFd, stat: &Stat) -> Result<(), FolderError> {
        if let Some(owner) = self.owner {
            rustix::fs::fchown(target, Some(owner.uid), Some(owner.gid))?;
        }
        let mode = Mode::from_raw_mode(stat.st_mode) & (Mode::RWXU | Mode::RWXG | Mode::RWXO);
        rustix::fs::fchmod(target, mode | Mode::RUSR | Mode::WUSR)?;
        let times = Timestamps {
            last_access: time(stat.st_atime, stat.st_atime_nsec as i64),
            last_modification: time(stat.st_mtime, stat.st_mtime_nsec as i64),
        };
        Ok(rustix::fs::futimens(target, &times)?)
    }
}

fn time(seconds: i64, nanoseconds: i64) -> Timespec {
    Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    }
}

fn take(left: u64, used: u64) -> Result<u64, FolderError> {
    left.checked_sub(used).ok_or(FolderError::TooLarge)
}

fn open_folder(at: BorrowedFd<'_>, name: &std::ffi::CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    fn open(path: &Path) -> OwnedFd {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        rustix::fs::open(path, flags, Mode::empty()).unwrap()
    }

    fn copy(from: &Path, to: &Path, bytes: u64, entries: u64) -> Result<(), FolderError> {
        let mut budget = Budget { bytes, entries };
        copy_folder(open(from).as_fd(), open(to).as_fd(), &mut budget)
    }

    #[test]
    fn files_folders_and_links_are_copied_and_nothing_is_followed() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(from.path().join("src")).unwrap();
        std::fs::write(from.path().join("src/a.py"), "print(1)").unwrap();
        std::fs::write(from.path().join("run"), "#!/bin/sh").unwrap();
        let executable = std::fs::Permissions::from_mode(0o4755);
        std::fs::set_permissions(from.path().join("run"), executable).unwrap();
        symlink("/etc", from.path().join("etc")).unwrap();
        std::fs::write(to.path().join("run"), "old").unwrap();
        copy(from.path(), to.path(), 100, 10).unwrap();
        assert_eq!(
            std::fs::read(to.path().join("src/a.py")).unwrap(),
            b"print(1)"
        );
        assert_eq!(std::fs::read(to.path().join("run")).unwrap(), b"#!/bin/sh");
        let mode = std::fs::metadata(to.path().join("run"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o7777, 0o755, "the setuid bit is not copied");
        let link = std::fs::symlink_metadata(to.path().join("etc")).unwrap();
        assert!(link.is_symlink());
    }

    #[test]
    fn it_ends_at_its_bounds() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(from.path().join("a"), [0; 100]).unwrap();
        std::fs::write(from.path().join("b"), [0; 100]).unwrap();
        let too_large = |r| matches!(r, Err(FolderError::TooLarge));
        assert!(too_large(copy(from.path(), to.path(), 199, 10)));
        assert!(too_large(copy(from.path(), to.path(), 1000, 1)));
        assert!(copy(from.path(), to.path(), 200, 2).is_ok());
        let mut deep = from.path().to_path_buf();
        for _ in 0..40 {
            deep.push("d");
        }
        std::fs::create_dir_all(deep).unwrap();
        let result = copy(from.path(), to.path(), 1000, 1000);
        assert!(matches!(result, Err(FolderError::TooDeep)));
    }
}
