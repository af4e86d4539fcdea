//! Why a run could not be set up: the step that was refused, the cause, and
//! each way out.

use std::io;

use serde::{Deserialize, Serialize};

/// The steps of setting up and watching a private network, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Fork,
    UserNamespace,
    SetGroups,
    UidMap,
    GidMap,
    Namespaces,
    PidNamespace,
    Proc,
    Mounts,
    Hosts,
    Containment,
    Loopback,
    Addresses,
    Sysctl,
    SocketDiag,
    Capture,
    OpeningCanary,
    SocketFilter,
    Savefile,
}

impl Step {
    /// What the step does, as the object of "could not …".
    pub fn describe(self) -> &'static str {
        match self {
            Step::Fork => "start a process for the run",
            Step::UserNamespace => "create a user namespace (unshare)",
            Step::SetGroups => "write /proc/self/setgroups of the new user namespace",
            Step::UidMap => "write /proc/self/uid_map of the new user namespace",
            Step::GidMap => "write /proc/self/gid_map of the new user namespace",
            Step::Namespaces => "create the network, mount, UTS and IPC namespaces (unshare)",
            Step::PidNamespace => "create a PID namespace",
            Step::Proc => "mount a /proc that shows the run's processes only",
            Step::Mounts => "make the mounts of the run private",
            Step::Hosts => "put a private hosts file in place",
            Step::Containment => "build the view of the file system that contained programs get",
            Step::Loopback => "bring the private loopback interface up",
            Step::Addresses => "add an address to the private loopback interface",
            Step::Sysctl => "set a kernel parameter of the private network",
            Step::SocketDiag => "ask the kernel for sockets (sock_diag)",
            Step::Capture => "open the loopback interface for capture (libpcap)",
            Step::OpeningCanary => "see the opening canary in the capture",
            Step::SocketFilter => "watch which program opens which socket (seccomp)",
            Step::Savefile => "write the capture file",
        }
    }
}

/// The environment refused a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("could not {}: {cause}", .step.describe())]
pub struct EnvironmentError {
    pub step: Step,
    /// The system's own words.
    pub cause: String,
    /// `errno`, where the system gave one.
    pub errno: Option<i32>,
    /// What to do about it, best first.
    pub ways_out: Vec<String>,
}

impl EnvironmentError {
    pub fn new(step: Step, error: &io::Error) -> EnvironmentError {
        let errno = error.raw_os_error();
        EnvironmentError {
            step,
            cause: error.to_string(),
            errno,
            ways_out: ways_out(step, errno),
        }
    }

    /// A cause that is no error of the system.
    pub fn because(step: Step, cause: impl Into<String>) -> EnvironmentError {
        EnvironmentError {
            step,
            cause: cause.into(),
            errno: None,
            ways_out: ways_out(step, None),
        }
    }
}

/// A way to say `map_err(at(Step::Loopback))`.
pub fn at<E: Into<io::Error>>(step: Step) -> impl Fn(E) -> EnvironmentError {
    move |error| EnvironmentError::new(step, &error.into())
}

const APPARMOR: &str = "Ubuntu 23.10 and later restrict user namespaces by AppArmor. Allow this program: `netlab-capture doctor --apparmor` prints a profile and where to put it; or for the whole machine: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0";
const DOCKER: &str = "In Docker: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …, or as root in the container: docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined …";
const AS_ROOT: &str = "With root, or CAP_SYS_ADMIN and CAP_NET_ADMIN, no user namespace is needed: sudo netlab-capture …";
const HOST: &str =
    "Or capture on the machine's own loopback (needs CAP_NET_RAW): netlab-capture run --host …";

fn ways_out(step: Step, errno: Option<i32>) -> Vec<String> {
    let mut ways: Vec<&str> = Vec::new();
    match (step, errno) {
        (Step::UserNamespace, Some(libc::ENOSPC)) => ways.extend([
            "The limit on user namespaces is used up or 0. Raise it: sudo sysctl user.max_user_namespaces=10000",
            AS_ROOT,
            HOST,
        ]),
        (Step::UserNamespace, Some(libc::EPERM)) => ways.extend([
            "User namespaces are switched off (sysctl kernel.unprivileged_userns_clone=0 on Debian kernels: set it to 1), forbidden by a container's seccomp profile, or this is a chroot (leave it).",
            DOCKER,
            AS_ROOT,
            HOST,
        ]),
        (Step::UserNamespace, Some(libc::EINVAL | libc::ENOSYS)) => ways.extend([
            "The kernel was built without user namespaces (CONFIG_USER_NS), or a second thread was alive.",
            AS_ROOT,
            HOST,
        ]),
        (Step::UserNamespace, _) => ways.extend([AS_ROOT, HOST]),
        (Step::SetGroups | Step::UidMap | Step::GidMap, _) => {
            ways.extend([APPARMOR, DOCKER, AS_ROOT, HOST]);
        }
        (Step::Namespaces | Step::PidNamespace, Some(libc::ENOSPC)) => ways.extend([
            "The limit on namespaces is used up: see sysctl user.max_net_namespaces, user.max_pid_namespaces, user.max_mnt_namespaces.",
            HOST,
        ]),
        (Step::Namespaces | Step::PidNamespace, _) => {
            ways.extend([APPARMOR, DOCKER, AS_ROOT, HOST]);
        }
        (Step::Containment, _) => {}
        (Step::Mounts | Step::Hosts | Step::Proc, _) => ways.push(DOCKER),
        (Step::Sysctl, _) => ways.extend([
            "/proc/sys is read-only here, as in an unprivileged container: docker run --security-opt systempaths=unconfined …",
        ]),
        (Step::Capture, Some(libc::EPERM | libc::EACCES)) => ways.extend([
            "Capturing needs CAP_NET_RAW on that network: sudo setcap cap_net_raw+ep $(command -v netlab-capture), or run as root.",
        ]),
        (Step::Capture, _) => ways.extend([
            "On the machine's own loopback capturing needs CAP_NET_RAW: sudo setcap cap_net_raw+ep $(command -v netlab-capture), or run as root.",
        ]),
        (Step::SocketFilter, Some(libc::EBUSY)) => ways.extend([
            "Another supervisor already watches this process by seccomp (a container runtime, or netlab-capture inside netlab-capture). Run outside of it.",
        ]),
        (Step::SocketFilter, _) => ways.extend([
            "Linux 5.14 or later is needed (seccomp user notification with SECCOMP_ADDFD_FLAG_SEND).",
            DOCKER,
        ]),
        (Step::Savefile, Some(libc::ENOSPC | libc::EDQUOT)) => ways.extend([
            "The disk is full. What was captured so far is in the file. Free some room, or write elsewhere: --out DIR",
        ]),
        (Step::Savefile, _) => ways.extend(["Write elsewhere: --out DIR"]),
        (Step::Fork | Step::Loopback | Step::Addresses | Step::SocketDiag | Step::OpeningCanary, _) => {}
    }
    if !matches!(step, Step::Savefile) {
        ways.push("`netlab-capture doctor` tries every step on this machine and names the fix.");
    }
    ways.into_iter().map(String::from).collect()
}
