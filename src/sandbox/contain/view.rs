//! What a contained program sees of the file system: a root of its own, made of
//! the system's folders, read only, and one scratch folder.
//!
//! An allow-list: nobody's home, no `/run` with its sockets, no `/opt`, no other
//! submission, nothing of the tool. Of `/etc` only what programs need to start.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags};

use super::cell::Cell;
use super::filter::Filters;
use super::folder::{Budget, copy_for};
use super::identity::Identity;
use super::{Containment, Limits, OWN_FOLDER, sys};
use crate::sandbox::error::{EnvironmentError, Step};
use crate::sandbox::plan::Plan;

/// Programs and libraries. Those that are absent here are absent there.
const SYSTEM: [&str; 9] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
];

/// Of `/etc`: the whole name, or with `*` how it begins.
const ETC: [&str; 13] = [
    "alternatives",
    "hosts",
    "java*",
    "ld.so*",
    "localtime",
    "mime.types",
    "mono",
    "perl",
    "php",
    "protocols",
    "python*",
    "R",
    "services",
];

const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];

/// Where the views are built. The file system mounted there is the run's own.
const SITE: &str = "/tmp";

/// Files and folders that a submission may consist of.
const ENTRIES: u64 = 20_000;

/// What a program's view is made of, opened before anything is covered.
struct Sources {
    folders: Vec<(PathBuf, OwnedFd)>,
    /// Our own binary, where the program is one of the lab's.
    executable: Option<OwnedFd>,
}

/// Everything that is needed to build the views.
pub struct Prepared {
    system: Vec<(PathBuf, Source)>,
    programs: Vec<Sources>,
    identities: Vec<Identity>,
    limits: Limits,
    export: Option<(usize, PathBuf, OwnedFd)>,
    filters: Arc<Filters>,
}

enum Source {
    /// A mount of it, in no place yet.
    Mount {
        tree: OwnedFd,
        folder: bool,
    },
    Link(PathBuf),
}

/// The views of a run's programs.
#[derive(Debug)]
pub struct Views {
    views: Vec<Arc<View>>,
    memory: u64,
    scratch: u64,
    export: Option<(usize, PathBuf, OwnedFd)>,
}

/// One program's.
#[derive(Debug)]
pub(in crate::sandbox) struct View {
    pub root: CString,
    pub folder: CString,
    pub identity: Identity,
    pub limits: [(libc::__rlimit_resource_t, u64); 9],
    pub filters: Arc<Filters>,
}

/// Our own binary's place in the views of the lab's own programs.
pub(in crate::sandbox) const EXECUTABLE: &str = "/netlab-capture";

fn contained(what: impl std::fmt::Display) -> impl Fn(io::Error) -> EnvironmentError {
    move |error| {
        let mut wrapped = EnvironmentError::new(Step::Containment, &error);
        wrapped.cause = format!("{what}: {}", wrapped.cause);
        wrapped
    }
}

/// Opens all that the views are made of. In the run's own mount namespace, while
/// `/proc` is still the machine's.
pub fn prepare(plan: &Plan, containment: &Containment) -> Result<Prepared, EnvironmentError> {
    let mut system = Vec::new();
    for path in SYSTEM.iter().map(PathBuf::from).chain(etc_entries()) {
        add(&mut system, path, false)?;
    }
    for device in DEVICES {
        add(&mut system, Path::new("/dev").join(device), false)?;
    }
    for path in &containment.readable {
        add(&mut system, path.clone(), true)?;
    }
    let open = |path: &PathBuf| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| contained(path.display())(error.into()))
    };
    let mut programs = Vec::new();
    for program in &plan.programs {
        let mut folders = Vec::new();
        for path in containment.folders.get(&program.role).into_iter().flatten() {
            folders.push((path.clone(), open(path)?));
        }
        let executable = match &program.executable {
            Some(path) => Some(clone_tree(path).map_err(|error| contained(path.display())(error))?),
            None => None,
        };
        programs.push(Sources {
            folders,
            executable,
        });
    }
    let export = match &containment.export {
        Some((role, to)) => plan
            .programs
            .iter()
            .position(|program| program.role == *role)
            .map(|index| open(to).map(|fd| (index, to.clone(), fd)))
            .transpose()?,
        None => None,
    };
    Ok(Prepared {
        system,
        identities: (0..programs.len()).map(Identity::of_program).collect(),
        programs,
        limits: containment.limits,
        export,
        filters: Arc::new(Filters::build().map_err(contained("the list of system calls"))?),
    })
}

fn etc_entries() -> impl Iterator<Item = PathBuf> {
    let wanted = |name: &str| {
        ETC.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => *pattern == name,
        })
    };
    fs::read_dir("/etc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(move |entry| entry.file_name().to_str().is_some_and(wanted))
        .map(|entry| entry.path())
}

/// Adds a file, folder or link to what is seen; if it is `needed` it must exist.
fn add(
    system: &mut Vec<(PathBuf, Source)>,
    path: PathBuf,
    needed: bool,
) -> Result<(), EnvironmentError> {
    // What lies in a folder that is seen already needs no mount of its own.
    let covered = |(seen, source): &(PathBuf, Source)| {
        path.starts_with(seen) && matches!(source, Source::Mount { .. })
    };
    if system.iter().any(covered) {
        return Ok(());
    }
    let found = fs::symlink_metadata(&path).and_then(|meta| {
        if meta.is_symlink() && !needed {
            return Ok(Source::Link(fs::read_link(&path)?));
        }
        Ok(Source::Mount {
            tree: clone_tree(&path)?,
            folder: fs::metadata(&path)?.is_dir(),
        })
    });
    match found {
        Ok(source) => system.push((path, source)),
        Err(error) if !needed && error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(contained(path.display())(error)),
    }
    Ok(())
}

/// A mount of a file or folder with all that is mounted below it.
fn clone_tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(rustix::mount::open_tree(CWD, path, flags)?)
}

fn put(tree: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(rustix::mount::move_mount(tree, c"", CWD, path, flags)?)
}

impl Prepared {
    /// Builds the views. `own_proc`: `/proc` shows the run's processes only.
    pub fn build(self, own_proc: bool) -> Result<Views, EnvironmentError> {
        let base = Path::new(SITE).join("base");
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        rustix::mount::mount("tmpfs", SITE, "tmpfs", flags, c"size=8m,mode=0755")
            .map_err(|error| contained(SITE)(error.into()))?;
        self.build_base(&base, own_proc)
            .map_err(contained("the system's folders"))?;
        let mut views = Vec::new();
        for (index, (sources, identity)) in self.programs.iter().zip(&self.identities).enumerate() {
            let root = Path::new(SITE).join(index.to_string());
            self.build_view(&base, &root, sources, *identity)?;
            views.push(Arc::new(View {
                root: c_string(root.as_os_str().as_bytes()),
                folder: c_string(OWN_FOLDER.as_bytes()),
                identity: *identity,
                limits: rlimits(&self.limits),
                filters: Arc::clone(&self.filters),
            }));
        }
        Ok(Views {
            views,
            memory: self.limits.memory,
            scratch: self.limits.scratch,
            export: self.export,
        })
    }

    /// What is the same in all views.
    fn build_base(&self, base: &Path, own_proc: bool) -> io::Result<()> {
        fs::create_dir(base)?;
        for (path, source) in &self.system {
            let target = within(base, path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            match source {
                Source::Link(points_at) => std::os::unix::fs::symlink(points_at, &target)?,
                Source::Mount { tree, folder } => {
                    if *folder {
                        fs::create_dir_all(&target)?;
                    } else {
                        fs::File::create(&target)?;
                    }
                    put(tree.as_fd(), &target)?;
                }
            }
        }
        for folder in ["proc", "scratch", "var", "etc", "dev"] {
            fs::create_dir_all(base.join(folder))?;
        }
        if own_proc {
            put(clone_tree(Path::new("/proc"))?.as_fd(), &base.join("proc"))?;
        }
        for (name, target) in [
            ("tmp", "/scratch/tmp"),
            ("var/tmp", "/scratch/tmp"),
            ("dev/shm", "/scratch/tmp"),
            ("dev/fd", "/proc/self/fd"),
            ("dev/stdin", "/proc/self/fd/0"),
            ("dev/stdout", "/proc/self/fd/1"),
            ("dev/stderr", "/proc/self/fd/2"),
        ] {
            std::os::unix::fs::symlink(target, base.join(name))?;
        }
        self.write_etc(&base.join("etc"))?;
        fs::File::create(within(base, Path::new(EXECUTABLE)))?;
        Ok(())
    }

    /// Files of `/etc` that tell of the machine are made anew.
    fn write_etc(&self, etc: &Path) -> io::Result<()> {
        let mut users = String::from("root:x:0:0::/:/bin/false\n");
        let mut groups = String::from("root:x:0:\n");
        let numbers: BTreeSet<(u32, u32)> = self
            .identities
            .iter()
            .map(|identity| (identity.uid.as_raw(), identity.gid.as_raw()))
            .collect();
        for (uid, gid) in numbers {
            users.push_str(&format!("student:x:{uid}:{gid}::{OWN_FOLDER}:/bin/sh\n"));
            groups.push_str(&format!("student:x:{gid}:\n"));
        }
        fs::write(etc.join("passwd"), users)?;
        fs::write(etc.join("group"), groups)?;
        fs::write(etc.join("nsswitch.conf"), "hosts: files dns\n")?;
        // Without the file a resolver asks 127.0.0.1, and its questions would be
        // in the capture. Nobody can be reached at this address (RFC 5737).
        fs::write(etc.join("resolv.conf"), "nameserver 192.0.2.1\n")
    }

    fn build_view(
        &self,
        base: &Path,
        root: &Path,
        sources: &Sources,
        identity: Identity,
    ) -> Result<(), EnvironmentError> {
        let own = within(root, Path::new(OWN_FOLDER));
        (|| -> io::Result<()> {
            let tree = clone_tree(base)?;
            sys::make_read_only(tree.as_fd())?;
            fs::create_dir(root)?;
            put(tree.as_fd(), root)?;
            if let Some(executable) = &sources.executable {
                sys::make_read_only(executable.as_fd())?;
                put(executable.as_fd(), &within(root, Path::new(EXECUTABLE)))?;
            }
            let scratch = root.join("scratch");
            let bounds = format!("size={},nr_inodes=32768,mode=0755", self.limits.scratch);
            rustix::mount::mount(
                "tmpfs",
                &scratch,
                "tmpfs",
                MountFlags::NOSUID | MountFlags::NODEV,
                c_string(bounds.as_bytes()).as_c_str(),
            )?;
            for folder in [own.as_path(), &scratch.join("tmp")] {
                fs::create_dir(folder)?;
                if identity.lent {
                    let (uid, gid) = (Some(identity.uid), Some(identity.gid));
                    rustix::fs::chown(folder, uid, gid)?;
                }
            }
            Ok(())
        })()
        .map_err(contained("a program's view"))?;
        let mut budget = Budget {
            bytes: self.limits.scratch,
            entries: ENTRIES,
        };
        for (path, folder) in &sources.folders {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let to = rustix::fs::open(&own, flags, Mode::empty())
                .map_err(|error| contained(path.display())(error.into()))?;
            let owner = identity.lent.then_some(identity);
            copy_for(folder.as_fd(), to.as_fd(), &mut budget, owner)
                .map_err(|error| contained(path.display())(io::Error::other(error)))?;
        }
        Ok(())
    }
}

impl Views {
    /// For the start of a program.
    pub(in crate::sandbox) fn cell(&self, index: usize) -> io::Result<Cell> {
        let view = self.views.get(index).ok_or(io::ErrorKind::NotFound)?;
        Cell::new(Arc::clone(view))
    }

    /// Bytes of memory that each program may use.
    pub(in crate::sandbox) fn memory(&self) -> u64 {
        self.memory
    }

    /// Copies out what is to be kept. Every program must have ended.
    pub fn export(&self) -> Result<(), EnvironmentError> {
        let Some((index, path, to)) = &self.export else {
            return Ok(());
        };
        let own = within(
            &Path::new(SITE).join(index.to_string()),
            Path::new(OWN_FOLDER),
        );
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let from = rustix::fs::open(&own, flags, Mode::empty())
            .map_err(|error| contained(path.display())(error.into()))?;
        let mut budget = Budget {
            bytes: self.scratch,
            entries: ENTRIES,
        };
        copy_for(from.as_fd(), to.as_fd(), &mut budget, None)
            .map_err(|error| contained(path.display())(io::Error::other(error)))
    }
}

/// A path of a view, as it is seen from outside.
fn within(root: &Path, path: &Path) -> PathBuf {
    let inside = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_)));
    root.join(inside.collect::<PathBuf>())
}

/// Of text without NUL.
fn c_string(text: &[u8]) -> CString {
    CString::new(text).unwrap_or_default()
}

fn rlimits(limits: &Limits) -> [(libc::__rlimit_resource_t, u64); 9] {
    [
        // Memory that it asks for; what it shares with its kin the warden counts.
        (libc::RLIMIT_DATA, limits.memory),
        (libc::RLIMIT_NPROC, limits.processes),
        (libc::RLIMIT_NOFILE, limits.files),
        (libc::RLIMIT_FSIZE, limits.scratch),
        (libc::RLIMIT_CPU, limits.cpu.as_secs().max(1)),
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_MEMLOCK, 64 << 10),
        (libc::RLIMIT_MSGQUEUE, 64 << 10),
        (libc::RLIMIT_RTPRIO, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_a_view() {
        let root = Path::new("/tmp/0");
        assert_eq!(
            within(root, Path::new("/usr/lib")),
            Path::new("/tmp/0/usr/lib")
        );
        assert_eq!(
            within(root, Path::new("/../../etc")),
            Path::new("/tmp/0/etc")
        );
    }

    #[test]
    fn of_etc_only_what_programs_need() {
        for path in etc_entries() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(
                !["shadow", "passwd", "ssh", "ssl"].contains(&name.as_str()),
                "{name}"
            );
        }
    }
}
