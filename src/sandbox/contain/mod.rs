//! Holds programs that nobody here wrote: what they see, what they may use, what
//! they may ask the kernel for.
//!
//! Each program gets a root of its own ([`view`]): the system's folders, read
//! only, and one scratch folder that it may write, of bounded size. It is bound in
//! memory, processes, files and time by the kernel's limits and, over all its
//! processes, by a look at them from time to time ([`warden`]). System calls that
//! no such program needs and that have opened kernels before are refused
//! ([`filter`]).
//!
//! What this does not protect against is told in `docs/security.md`.

mod cell;
mod filter;
mod folder;
mod identity;
pub(super) mod sys;
mod view;
pub(super) mod warden;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use folder::{Budget, FolderError, copy_folder};
pub use view::{Views, prepare};

pub(super) use cell::Cell;
pub(super) use view::EXECUTABLE;

/// Where a program finds its own folder. It is its working directory and its
/// `$HOME`.
pub const OWN_FOLDER: &str = "/scratch/submission";

/// How the programs of a run are held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Containment {
    pub limits: Limits,
    /// Files and folders that are seen, read only, beside the system's: tool
    /// chains in unusual places.
    pub readable: Vec<PathBuf>,
    /// What each role finds copied into its own folder, one after the other. A
    /// role that is not named finds it empty.
    pub folders: BTreeMap<String, Vec<PathBuf>>,
    /// After the run this role's own folder is copied to there.
    pub export: Option<(String, PathBuf)>,
}

/// What one program, with all that it forks, may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; also for each process by itself.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Open files of each process.
    pub files: u64,
    /// Bytes that it may leave in its scratch folder, its own folder included.
    pub scratch: u64,
    /// Processor time of each process.
    pub cpu: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: 1 << 30,
            processes: 128,
            files: 1024,
            scratch: 64 << 20,
            cpu: Duration::from_secs(60),
        }
    }
}

/// The whole environment of a contained program, before what its scenario adds.
pub const ENVIRONMENT: [(&str, &str); 8] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("HOME", OWN_FOLDER),
    ("LANG", "C.UTF-8"),
    ("USER", "student"),
    ("LOGNAME", "student"),
    ("SHELL", "/bin/sh"),
    ("TERM", "dumb"),
    ("TZ", "UTC"),
];
