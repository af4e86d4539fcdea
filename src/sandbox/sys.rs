//! The system calls that no safe wrapper offers, each with its reason.
//!
//! What runs between `fork` and `exec` here allocates nothing and takes no lock.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use super::contain::Cell;

/// Both ends of a fork.
pub enum Fork {
    Parent(libc::pid_t),
    Child,
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Forks. Callers in a process with one thread may do anything in the child;
/// others must keep to async-signal-safe calls.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: fork itself has no precondition; what the child may do is the
    // caller's promise above.
    match check(unsafe { libc::fork() })? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// Ends the process at once: no destructors, no exit handlers of the parent.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no precondition and does not return.
    unsafe { libc::_exit(code) }
}

/// Lets ended children be waited for, also where our parent ignored SIGCHLD: the
/// kernel would reap them unseen, and their exit codes would be lost.
pub fn keep_ended_children() {
    // SAFETY: the default action runs no code of ours.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Keeps what a terminal sends to a whole process group, and what users send by
/// hand, from ending or stopping this process: the signals stay pending.
pub fn block_job_control() {
    const STOPPING: [libc::c_int; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    block(STOPPING.iter().chain(&FORWARDED));
}

/// The signals that somebody may send to a program that runs another.
const FORWARDED: [libc::c_int; 6] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

/// Blocks signals in this thread and those that it starts.
fn block<'a>(signals: impl IntoIterator<Item = &'a libc::c_int>) -> libc::sigset_t {
    // SAFETY: a signal set is plain data that sigemptyset fills in; the calls
    // write to this stack only.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        set
    }
}

/// The signals that were sent to this process to be handed on, as something to
/// wait for. They no longer end it.
pub fn forwarded_signals() -> io::Result<OwnedFd> {
    let set = block(&FORWARDED);
    // SAFETY: the kernel reads the set; the descriptor is new and nobody else's.
    unsafe {
        let fd = check(libc::signalfd(
            -1,
            &raw const set,
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
        ))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// The next of those signals that somebody sent to this process alone. One that
/// the terminal's driver sent has reached every process of the group already.
pub fn next_forwarded_signal(signals: &OwnedFd) -> Option<u8> {
    const SIZE: usize = size_of::<libc::signalfd_siginfo>();
    loop {
        let mut bytes = [0u8; SIZE];
        if rustix::io::read(signals, &mut bytes).ok()? != SIZE {
            return None;
        }
        // SAFETY: the kernel filled all bytes of this plain structure, for
        // which every pattern of bits is a value.
        let info: libc::signalfd_siginfo = unsafe { std::mem::transmute(bytes) };
        if info.ssi_code != libc::SI_KERNEL {
            return u8::try_from(info.ssi_signo).ok();
        }
    }
}

/// `unshare(2)` with `CLONE_*` flags. None of them un-shares the descriptor
/// table, so no descriptor that Rust knows of changes its meaning.
pub fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: takes an integer, touches no memory of ours.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// The life of a PID namespace's first process: dies with its parent, mounts
/// `/proc`, says how that went by one byte on `ready` (0 or errno), and lets orphans
/// be reaped until it is killed. `hide`: programs see no process in `/proc` that
/// they could not trace; our own command line is none of their business. Called in a freshly forked child
/// of a process with threads: nothing here allocates.
pub fn be_init(parent_alive: RawFd, ready: RawFd, hide: bool) -> ! {
    const PROC: &CStr = c"proc";
    const HIDE: &CStr = c"hidepid=2";
    const PROC_DIR: &CStr = c"/proc";
    // SAFETY: plain system calls with constant, NUL-terminated strings and
    // descriptors that the caller keeps open; `poll` and `answer` live on
    // this stack for the calls that use them.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::setsid();
        // The parent may have died before the line above: its end of the pipe
        // is closed then.
        let mut poll = libc::pollfd {
            fd: parent_alive,
            events: libc::POLLIN,
            revents: 0,
        };
        libc::poll(&raw mut poll, 1, 0);
        if poll.revents & (libc::POLLHUP | libc::POLLERR) != 0 {
            libc::_exit(1);
        }
        let mut answer: u8 = 0;
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        let data = if hide {
            HIDE.as_ptr().cast()
        } else {
            std::ptr::null()
        };
        let done = libc::mount(PROC.as_ptr(), PROC_DIR.as_ptr(), PROC.as_ptr(), flags, data);
        if done != 0 {
            answer = u8::try_from(*libc::__errno_location()).unwrap_or(255);
        }
        libc::write(ready, (&raw const answer).cast(), 1);
        // Nothing of the parent's is kept open here: not its pipes, which
        // others wait for, nor the terminal.
        libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, 0);
        // The kernel reaps the children of a process that ignores SIGCHLD.
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        loop {
            libc::pause();
        }
    }
}

// The seccomp filter as classic BPF (linux/filter.h, linux/seccomp.h).
const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_EQ: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_GE: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const OFFSET_NR: u32 = 0;
const OFFSET_ARCH: u32 = 4;
const OFFSET_ARG0: u32 = 16;
const OFFSET_ARG1: u32 = 24;

#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const NATIVE: u32 = 0xc000_00f3;
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
compile_error!("the seccomp filter does not know this architecture");

const fn op(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// Of the processor's other system call table (i386, arm, riscv32): socket,
/// io_uring_setup and, on i386, socketcall.
#[cfg(target_arch = "x86_64")]
const FOREIGN: [u32; 3] = [359, 425, 102];
#[cfg(target_arch = "aarch64")]
const FOREIGN: [u32; 3] = [281, 425, 425];
#[cfg(target_arch = "riscv64")]
const FOREIGN: [u32; 3] = [198, 425, 425];

/// Internet stream and datagram sockets are created by the supervisor, which
/// so learns of each at its birth. All other kinds the kernel grants or refuses
/// the program itself: the supervisor has rights that the program must not get
/// (`SOCK_PACKET` sniffs). io_uring, which creates sockets without a system
/// call, and foreign system call tables answer ENOSYS: libraries then take the
/// ordinary way, and no socket escapes our notice.
static SOCKET_FILTER: [libc::sock_filter; 20] = [
    op(LOAD, OFFSET_ARCH, 0, 0),
    op(JUMP_EQ, NATIVE, 4, 0),
    op(LOAD, OFFSET_NR, 0, 0),
    op(JUMP_EQ, FOREIGN[0], 15, 0),
    op(JUMP_EQ, FOREIGN[1], 14, 0),
    op(JUMP_EQ, FOREIGN[2], 13, 11),
    op(LOAD, OFFSET_NR, 0, 0),
    // The x32 table of x86_64.
    op(JUMP_GE, 0x4000_0000, 11, 0),
    op(JUMP_EQ, libc::SYS_io_uring_setup as u32, 10, 0),
    op(JUMP_EQ, libc::SYS_socket as u32, 0, 7),
    op(LOAD, OFFSET_ARG0, 0, 0),
    op(JUMP_EQ, libc::AF_INET as u32, 1, 0),
    op(JUMP_EQ, libc::AF_INET6 as u32, 0, 4),
    op(LOAD, OFFSET_ARG1, 0, 0),
    op(AND, 0xf, 0, 0),
    op(JUMP_EQ, libc::SOCK_STREAM as u32, 2, 0),
    op(JUMP_EQ, libc::SOCK_DGRAM as u32, 1, 0),
    op(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    op(RETURN, libc::SECCOMP_RET_USER_NOTIF, 0, 0),
    op(RETURN, REFUSE, 0, 0),
];

/// Installs [`SOCKET_FILTER`] on the calling process for good and returns the
/// listener on which the supervisor is asked. Needs no_new_privs.
fn install_socket_filter() -> io::Result<RawFd> {
    let program = libc::sock_fprog {
        len: SOCKET_FILTER.len() as libc::c_ushort,
        filter: SOCKET_FILTER.as_ptr().cast_mut(),
    };
    let install = |flags: libc::c_ulong| {
        // SAFETY: `program` and the static filter outlive the call, which only
        // reads them.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        };
        check(fd as libc::c_int)
    };
    // A signal must not break off a request that we are answering: `socket()`
    // never fails with EINTR. Kernels before 5.19 do not know this flag.
    install(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
        .or_else(|_| install(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER))
}

/// Is the descriptor one that programs we execute do not get?
pub fn closes_on_exec(descriptor: RawFd) -> bool {
    // SAFETY: reads a flag of a descriptor; where it is none, the call fails.
    unsafe { libc::fcntl(descriptor, libc::F_GETFD) != 0 }
}

/// Sends one descriptor over a connected Unix socket, without allocating.
fn send_descriptor(socket: RawFd, descriptor: RawFd) -> io::Result<()> {
    let mut byte = 1u8;
    let mut part = libc::iovec {
        iov_base: (&raw mut byte).cast(),
        iov_len: 1,
    };
    // Room for one descriptor: CMSG_SPACE(4) is 24 at the most.
    let mut control = [0u64; 4];
    // SAFETY: the message header points at `part` and `control`, which live
    // until sendmsg returns; `control` is aligned and long enough for one
    // control message with one descriptor.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(4) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(4) as _;
        libc::CMSG_DATA(header)
            .cast::<RawFd>()
            .write_unaligned(descriptor);
        check(libc::sendmsg(socket, &raw const message, 0) as libc::c_int)?;
    }
    Ok(())
}

/// The session that a program is started in.
pub enum Session {
    /// One of its own, without a terminal.
    Own,
    /// One of its own, its standard input being the terminal.
    Terminal,
    /// Ours, with its terminal; and with these of our descriptors.
    Ours(Vec<RawFd>),
}

/// Starts a program as powerless as an ordinary user's: no new privileges, empty bounding set, root without root's powers. Its creation of
/// sockets is watched: the listener is sent to `listener_to` before the
/// program's first instruction.
///
/// With a `cell` it is contained as well.
pub(super) fn spawn(
    command: &mut Command,
    session: Session,
    listener_to: BorrowedFd<'_>,
    mut cell: Option<Cell>,
) -> io::Result<Child> {
    let listener_to = listener_to.as_raw_fd();
    let confine = move || -> io::Result<()> {
        // SAFETY: between fork and exec of a process with threads: system
        // calls with integer arguments only, no allocation.
        unsafe {
            if !matches!(session, Session::Ours(_)) {
                libc::setsid();
            }
            if matches!(session, Session::Terminal) {
                libc::ioctl(0, libc::TIOCSCTTY, 0);
            }
            // Without a PID namespace (--host) this is all that ends a program
            // whose recorder was killed.
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            // The recorder's mask is not the program's.
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        }
        if let Some(cell) = &cell {
            cell.enter()?;
        }
        // SAFETY: as above.
        unsafe {
            let securebits = libc::SECBIT_NOROOT
                | libc::SECBIT_NOROOT_LOCKED
                | libc::SECBIT_NO_SETUID_FIXUP
                | libc::SECBIT_NO_SETUID_FIXUP_LOCKED;
            // Without CAP_SETPCAP (--host as an ordinary user) there is nothing
            // to take away either.
            for capability in 0..=63 {
                if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 {
                    break;
                }
            }
            libc::prctl(libc::PR_SET_SECUREBITS, securebits, 0, 0, 0);
            libc::prctl(
                libc::PR_CAP_AMBIENT,
                libc::PR_CAP_AMBIENT_CLEAR_ALL,
                0,
                0,
                0,
            );
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        }
        if let Some(cell) = &mut cell {
            cell.take_identity()?;
            cell.seal()?;
            // The kernel forgets the death signal when the user changes.
            // SAFETY: as above.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        }
        let listener = install_socket_filter()?;
        send_descriptor(listener_to, listener)?;
        // SAFETY: marks descriptors from 3 upwards close-on-exec; the pipe by
        // which std reports a failed exec stays usable until then.
        unsafe {
            libc::syscall(
                libc::SYS_close_range,
                3,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            );
            if let Session::Ours(descriptors) = &session {
                for descriptor in descriptors {
                    libc::fcntl(*descriptor, libc::F_SETFD, 0);
                }
            }
        }
        Ok(())
    };
    // SAFETY: `confine` keeps to async-signal-safe calls, as argued above.
    unsafe { command.pre_exec(confine) };
    command.spawn()
}

/// Lets a program that asks for a socket hand its processor over to us at once,
/// where the kernel can (6.6): the answer comes sooner, and a signal that arrives
/// before we have taken the request, which would break it off, is rarer.
pub fn answer_at_once(listener: BorrowedFd<'_>) {
    // SAFETY: an ioctl with an integer argument.
    unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            SECCOMP_IOCTL_NOTIF_SET_FLAGS,
            SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP,
        );
    }
}

const SECCOMP_IOCTL_NOTIF_SET_FLAGS: libc::c_ulong = 0x4008_2104;
const SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: libc::c_ulong = 1;

/// A request of a watched program to create a socket.
#[derive(Clone, Copy, Debug)]
pub struct SocketRequest {
    id: u64,
    /// The asking thread's.
    pub pid: u32,
    pub domain: i32,
    /// With `SOCK_CLOEXEC` and `SOCK_NONBLOCK` as the program gave them.
    pub kind: i32,
    pub protocol: i32,
}

/// Takes the next request from a listener; None where its process is gone.
pub fn next_socket_request(listener: BorrowedFd<'_>) -> io::Result<Option<SocketRequest>> {
    // SAFETY: an all-zero seccomp_notif is what the kernel demands; it is
    // written by the ioctl while it lives on this stack.
    let mut notification: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut notification,
        )
    };
    match check(result) {
        Ok(_) => Ok(Some(SocketRequest {
            id: notification.id,
            pid: notification.pid,
            domain: notification.data.args[0] as i32,
            kind: notification.data.args[1] as i32,
            protocol: notification.data.args[2] as i32,
        })),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

const SECCOMP_IOCTL_NOTIF_RECV: libc::c_ulong = 0xc050_2100;
const SECCOMP_IOCTL_NOTIF_SEND: libc::c_ulong = 0xc018_2101;
const SECCOMP_IOCTL_NOTIF_ADDFD: libc::c_ulong = 0x4018_2103;
const SECCOMP_ADDFD_FLAG_SEND: u32 = 1 << 1;

/// Creates the socket that a program asked for, in our own name.
pub fn create_socket(request: &SocketRequest) -> io::Result<OwnedFd> {
    // Ours must not leak into the next program whatever the asker wanted.
    let kind = request.kind | libc::SOCK_CLOEXEC;
    // SAFETY: integers in, a fresh descriptor out, which nobody else owns.
    unsafe {
        let fd = check(libc::socket(request.domain, kind, request.protocol))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Has the kernel choose the socket's ephemeral port from these (Linux 6.3).
pub fn set_ephemeral_ports(socket: &OwnedFd, (first, last): (u16, u16)) -> io::Result<()> {
    const IP_LOCAL_PORT_RANGE: libc::c_int = 51;
    let range = u32::from(last) << 16 | u32::from(first);
    // SAFETY: the kernel reads one u32, whose address and size are given.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            IP_LOCAL_PORT_RANGE,
            (&raw const range).cast(),
            size_of::<u32>() as libc::socklen_t,
        )
    })
    .map(drop)
}

/// Answers a request with the socket: it becomes the return value of the
/// program's `socket()`.
pub fn answer_with_socket(
    listener: BorrowedFd<'_>,
    request: &SocketRequest,
    socket: &OwnedFd,
) -> io::Result<()> {
    let close_on_exec = request.kind & libc::SOCK_CLOEXEC != 0;
    let answer = libc::seccomp_notif_addfd {
        id: request.id,
        flags: SECCOMP_ADDFD_FLAG_SEND,
        srcfd: socket.as_raw_fd() as u32,
        newfd: 0,
        newfd_flags: if close_on_exec {
            libc::O_CLOEXEC as u32
        } else {
            0
        },
    };
    // SAFETY: the kernel reads `answer` during the call only.
    check(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            SECCOMP_IOCTL_NOTIF_ADDFD,
            &raw const answer,
        )
    })
    .map(drop)
}

/// Answers a request with an error number.
pub fn answer_with_error(
    listener: BorrowedFd<'_>,
    request: &SocketRequest,
    errno: i32,
) -> io::Result<()> {
    let mut answer = libc::seccomp_notif_resp {
        id: request.id,
        val: 0,
        error: -errno,
        flags: 0,
    };
    // SAFETY: the kernel reads and writes `answer` during the call only.
    check(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            SECCOMP_IOCTL_NOTIF_SEND,
            &raw mut answer,
        )
    })
    .map(drop)
}
