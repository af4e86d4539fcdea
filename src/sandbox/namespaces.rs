//! The run's own user, network, PID, mount, UTS and IPC namespaces.
//!
//! The user's own uid is mapped, not root: this process holds the namespace's
//! capabilities, the programs that it executes have none and see the real user.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::process::{Pid, Signal};
use rustix::thread::CapabilitySet;

use super::error::{EnvironmentError, Step, at};
use super::sys::{self, Fork};

/// The name that every machine has for itself.
pub const LOCALHOST: &str = "localhost";

/// Root's two powers that make a user namespace needless.
pub fn may_unshare_without_user_namespace() -> bool {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN | CapabilitySet::NET_RAW;
    rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

/// Puts the calling process, which must have one thread, into fresh network,
/// mount, UTS and IPC namespaces; into a user namespace first where that is
/// needed. `done` hears of each step.
pub fn enter(done: &dyn Fn(Step)) -> Result<(), EnvironmentError> {
    if !may_unshare_without_user_namespace() {
        enter_user_namespace(done)?;
    }
    sys::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC)
        .map_err(at(Step::Namespaces))?;
    done(Step::Namespaces);
    make_mounts_private()?;
    done(Step::Mounts);
    Ok(())
}

/// A user namespace in which the user is still the user.
fn enter_user_namespace(done: &dyn Fn(Step)) -> Result<(), EnvironmentError> {
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    sys::unshare(libc::CLONE_NEWUSER).map_err(at(Step::UserNamespace))?;
    done(Step::UserNamespace);
    // Without CAP_SETGID outside, the kernel wants setgroups given up first.
    write_proc("/proc/self/setgroups", "deny", Step::SetGroups)?;
    done(Step::SetGroups);
    write_proc(
        "/proc/self/uid_map",
        &format!("{uid} {uid} 1\n"),
        Step::UidMap,
    )?;
    done(Step::UidMap);
    write_proc(
        "/proc/self/gid_map",
        &format!("{gid} {gid} 1\n"),
        Step::GidMap,
    )?;
    done(Step::GidMap);
    Ok(())
}

fn write_proc(path: &str, text: &str, step: Step) -> Result<(), EnvironmentError> {
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(at(step))
}

/// Mounts made for the run do not spread to the machine.
fn make_mounts_private() -> Result<(), EnvironmentError> {
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", flags).map_err(at(Step::Mounts))
}

/// The PID namespace of the programs. While it lives, every further child of
/// this process is born in it; when it is ended, none of them is left.
#[derive(Debug)]
pub struct PidNamespace {
    init: Pid,
    own_proc: bool,
    /// Closed by our death: the init process looks at it once, at its start.
    _alive: OwnedFd,
}

impl PidNamespace {
    /// Creates the namespace and its first process. The calling process may
    /// have other threads, but gets no further ones afterwards.
    ///
    /// Where a container forbids a `/proc` of one's own, the programs see the
    /// machine's, and `done` hears of no [`Step::Proc`]. `hide`: the programs are
    /// not to see our own processes there either.
    pub fn create(hide: bool, done: &dyn Fn(Step)) -> Result<PidNamespace, EnvironmentError> {
        let step = at(Step::PidNamespace);
        let (alive_read, alive_write) = pipe().map_err(&step)?;
        let (ready_read, ready_write) = pipe().map_err(&step)?;
        sys::unshare(libc::CLONE_NEWPID).map_err(&step)?;
        let init = match sys::fork().map_err(at(Step::Fork))? {
            Fork::Child => {
                // The child's copy of our end would keep the pipe open.
                drop(alive_write);
                sys::be_init(alive_read.as_raw_fd(), ready_write.as_raw_fd(), hide)
            }
            Fork::Parent(pid) => pid,
        };
        drop(ready_write);
        let mut answer = [0u8; 1];
        fs::File::from(ready_read)
            .read_exact(&mut answer)
            .map_err(&step)?;
        let init = Pid::from_raw(init)
            .ok_or_else(|| EnvironmentError::because(Step::PidNamespace, "fork gave no pid"))?;
        done(Step::PidNamespace);
        let own_proc = answer == [0];
        if own_proc {
            done(Step::Proc);
        }
        Ok(PidNamespace {
            init,
            own_proc,
            _alive: alive_write,
        })
    }

    /// `/proc` shows the processes of the namespace only.
    pub fn has_own_proc(&self) -> bool {
        self.own_proc
    }

    /// What was left behind by its parent comes to this process.
    pub(super) fn init(&self) -> Pid {
        self.init
    }

    /// Kills every process of the namespace.
    pub fn kill(&self) {
        let _ = rustix::process::kill_process(self.init, Signal::KILL);
    }

    /// Waits until the last process is gone. The namespace's first process ends
    /// after all others, and those that are our children only once we have
    /// reaped them.
    pub fn wait(self) {
        let _ = retry(|| {
            rustix::process::waitpid(Some(self.init), rustix::process::WaitOptions::empty())
        });
    }
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// Puts a private `/etc/hosts` in place: localhost, the machine's own host name
/// (which must not need a network here), and the scenario's names.
pub fn private_hosts(
    hosts: &BTreeMap<String, IpAddr>,
    machine: &str,
) -> Result<(), EnvironmentError> {
    const HOSTS: &str = "/etc/hosts";
    // The file is bound in from a file system of the run's own, so that a run
    // that is killed leaves nothing on the disk. Nobody else sees this /tmp.
    const SCRATCH: &str = "/tmp";
    if fs::metadata(HOSTS).is_err() {
        // A machine without the file has no names to lose, and a mount needs
        // something to be mounted on.
        return if hosts.is_empty() {
            Ok(())
        } else {
            Err(EnvironmentError::because(
                Step::Hosts,
                "this system has no /etc/hosts",
            ))
        };
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("tmpfs", SCRATCH, "tmpfs", flags, c"size=1m,mode=0755")
        .map_err(at(Step::Hosts))?;
    let done = (|| -> io::Result<()> {
        let path = format!("{SCRATCH}/hosts");
        let fd = rustix::fs::open(
            path.as_str(),
            OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o644),
        )?;
        fs::File::from(fd).write_all(hosts_text(hosts, machine).as_bytes())?;
        rustix::mount::mount_bind(path.as_str(), HOSTS)?;
        Ok(())
    })();
    let unmounted = rustix::mount::unmount(SCRATCH, UnmountFlags::DETACH);
    done.map_err(at(Step::Hosts))?;
    unmounted.map_err(at(Step::Hosts))
}

fn hosts_text(hosts: &BTreeMap<String, IpAddr>, machine: &str) -> String {
    let mut text =
        String::from("127.0.0.1 localhost.localdomain\n::1 ip6-localhost ip6-loopback\n");
    let local: Vec<IpAddr> = match hosts.get(LOCALHOST) {
        Some(address) => vec![*address],
        None => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    for name in [LOCALHOST, machine] {
        if !name.is_empty() && !hosts.contains_key(name) {
            for address in &local {
                text.push_str(&format!("{address} {name}\n"));
            }
        }
    }
    for (name, address) in hosts {
        text.push_str(&format!("{address} {name}\n"));
    }
    text
}

/// The machine's host name.
pub fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_file_names_machine_and_scenario() {
        let hosts = BTreeMap::from([("servername".to_string(), "10.0.4.26".parse().unwrap())]);
        let text = hosts_text(&hosts, "laptop");
        assert!(text.contains("127.0.0.1 localhost\n::1 localhost\n"));
        assert!(text.contains("127.0.0.1 laptop\n::1 laptop\n"));
        assert!(text.ends_with("10.0.4.26 servername\n"));
    }

    #[test]
    fn the_machine_is_where_localhost_is() {
        let hosts = BTreeMap::from([(LOCALHOST.to_string(), Ipv4Addr::LOCALHOST.into())]);
        let text = hosts_text(&hosts, "laptop");
        assert_eq!(text.matches(" localhost\n").count(), 1);
        assert_eq!(text.matches(" laptop\n").count(), 1);
        assert!(text.contains("127.0.0.1 laptop\n"));
    }

    #[test]
    fn scenario_may_rename_the_machine() {
        let hosts = BTreeMap::from([("laptop".to_string(), "10.0.0.1".parse().unwrap())]);
        assert_eq!(hosts_text(&hosts, "laptop").matches("laptop").count(), 1);
    }
}
