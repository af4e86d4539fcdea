//! One program of a run: started, fed, listened to, ended.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType,
};
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::savefile::{Ended, Exit};
use crate::scenario::StopSignal;

use super::contain::{self, Cell};
pub use super::output::Outputs;
use super::plan::{PlannedProgram, Streams};
use super::sys::{self, Session};

/// A program that was started.
pub struct Running {
    child: Child,
    pidfd: OwnedFd,
    stdin: Option<(File, Vec<u8>, usize)>,
    pub started: Instant,
    /// Our signal was sent, and why.
    signalled: Option<Ended>,
    /// When KILL follows a signal that was not obeyed.
    pub kill_at: Option<Instant>,
    /// KILL was sent: nobody waits any longer for what it forked.
    killed: bool,
    /// It has ended, but what it forked goes on in its place.
    in_background: bool,
    /// Packets captured before our signal.
    pub stopped_after: Option<u64>,
}

/// How a program came to an end.
#[derive(Clone, Copy, Debug)]
pub struct End {
    pub exit: Exit,
    pub ended: Ended,
}

impl Running {
    /// Starts the program; also returns what it writes, and the listener on which
    /// it, and all that it forks, asks for sockets.
    ///
    /// With a `cell` it is contained: its command is looked for in its own view.
    pub fn start(
        plan: &PlannedProgram,
        cell: Option<Cell>,
    ) -> Result<(Running, Outputs, OwnedFd), StartError> {
        let (Some(name), arguments) = (plan.argv.first(), plan.argv.get(1..).unwrap_or(&[])) else {
            return Err(StartError::Exec(io::ErrorKind::InvalidInput.into()));
        };
        let mut command = match &plan.executable {
            Some(_) if cell.is_some() => Command::new(contain::EXECUTABLE),
            Some(path) => Command::new(path),
            None => Command::new(name),
        };
        if cell.is_some() {
            command.env_clear().envs(contain::ENVIRONMENT);
        }
        command.arg0(name).args(arguments).envs(&plan.env);
        let mut terminal = None;
        let session = match &plan.streams {
            Streams::Kept => {
                command
                    .stdin(match plan.stdin {
                        Some(_) => Stdio::piped(),
                        None => Stdio::null(),
                    })
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                Session::Own
            }
            Streams::Terminal => {
                let (ours, theirs) = open_terminal().map_err(StartError::Supervise)?;
                terminal = Some(ours);
                command
                    .stdin(theirs.try_clone().map_err(StartError::Supervise)?)
                    .stdout(theirs)
                    .stderr(Stdio::piped());
                Session::Terminal
            }
            Streams::Inherited { descriptors } => Session::Ours(descriptors.clone()),
        };
        if let Some(cwd) = &plan.cwd
            && cell.is_none()
        {
            // Said here, as exec would not say which of the two is missing.
            std::fs::read_dir(cwd).map_err(|error| {
                let message = format!("its folder {}: {error}", cwd.display());
                StartError::Exec(io::Error::new(error.kind(), message))
            })?;
            command.current_dir(cwd);
        }
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .map_err(|e| StartError::Supervise(e.into()))?;
        let spawned = sys::spawn(&mut command, session, theirs.as_fd(), cell);
        let listener = receive_descriptor(&ours);
        let (mut child, listener) = match (spawned, listener) {
            (Ok(child), Some(listener)) => (child, listener),
            (Ok(_), None) => {
                return Err(StartError::Supervise(io::Error::other(
                    "the listener for its sockets did not arrive",
                )));
            }
            // The listener is sent before exec, so exec failed.
            (Err(error), Some(_)) => {
                let path = plan.env.get("PATH").map(OsString::from);
                return Err(StartError::Exec(found_nowhere(error, name, path)));
            }
            // A bad working directory, or no room for a process, comes first.
            (Err(error), None) => {
                return Err(match error.raw_os_error() {
                    Some(libc::EINVAL | libc::EBUSY | libc::ENOSYS | libc::EPERM) => {
                        StartError::Watch(error)
                    }
                    _ => StartError::Exec(error),
                });
            }
        };
        // Our copies of what is the program's.
        drop(command);
        sys::answer_at_once(listener.as_fd());
        if matches!(plan.streams, Streams::Inherited { .. }) {
            // They are the program's now.
            detach_standard_streams().map_err(StartError::Supervise)?;
        }
        let started = Instant::now();
        let set_up = (|| -> io::Result<(Running, Outputs)> {
            let pid = Pid::from_raw(child.id() as i32).ok_or(Errno::SRCH)?;
            let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
            let typed = plan.stdin.clone().unwrap_or_default();
            let stdin = match (child.stdin.take(), &terminal) {
                (Some(pipe), _) => Some((OwnedFd::from(pipe), typed)),
                (None, Some(terminal)) => Some((terminal.try_clone()?, with_end(typed))),
                (None, None) => None,
            };
            if let Some((fd, _)) = &stdin {
                rustix::io::ioctl_fionbio(fd, true)?;
            }
            let stdin = stdin.map(|(fd, bytes)| (File::from(fd), bytes, 0));
            let stdout = child.stdout.take().map(OwnedFd::from).or(terminal);
            let outputs = Outputs::new(stdout, child.stderr.take())?;
            let running = Running {
                child,
                pidfd,
                stdin,
                started,
                signalled: None,
                kill_at: None,
                killed: false,
                in_background: false,
                stopped_after: None,
            };
            Ok((running, outputs))
        })();
        let (mut running, outputs) = set_up.map_err(StartError::Supervise)?;
        running.feed();
        Ok((running, outputs, listener))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Becomes readable at its end, where that is still to come.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        (!self.in_background).then_some(self.pidfd.as_fd())
    }

    /// It has put itself into the background: it ended well, and processes that it
    /// forked go on.
    pub fn is_in_background(&self) -> bool {
        self.in_background
    }

    /// Notes that it has ended and others go on in its place. False: it ended in
    /// another way than servers do that put themselves into the background.
    pub fn goes_on(&mut self, end: End) -> bool {
        self.in_background |= self.signalled.is_none() && end.exit == Exit::Code(0);
        self.in_background && !self.killed
    }

    /// The input pipe, while there is something left to write.
    pub fn input(&self) -> Option<BorrowedFd<'_>> {
        self.stdin.as_ref().map(|(pipe, _, _)| pipe.as_fd())
    }

    /// Writes what the input pipe takes; closes it behind the last byte.
    pub fn feed(&mut self) {
        while let Some((pipe, bytes, written)) = &mut self.stdin {
            let rest = bytes.get(*written..).unwrap_or(&[]);
            if rest.is_empty() {
                self.stdin = None;
                return;
            }
            match pipe.write(rest) {
                Ok(n) => *written += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // It does not read its input: its own affair.
                Err(_) => self.stdin = None,
            }
        }
    }

    /// Sends a signal to the program and what it started.
    pub fn signal(&mut self, signal: Signal, why: Ended) {
        self.signalled.get_or_insert(why);
        self.killed |= signal == Signal::KILL;
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            // It leads its own session and group.
            if rustix::process::kill_process_group(pid, signal).is_err() {
                let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
            }
        }
    }

    /// Hands on a signal that somebody sent to us instead.
    pub fn forward(&self, signal: Signal) {
        // It may have ended in this moment.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
    }

    /// Kills it as the kernel would: its end counts as its own.
    pub fn kill_as_kernel(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Waits for its end, which must be sure to come: it was killed.
    pub fn await_end(&mut self) {
        let _ = self.child.wait();
    }

    /// Has it ended? Reaps it.
    pub fn try_end(&mut self) -> io::Result<Option<End>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        let exit = match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Code(-1),
        };
        Ok(Some(End {
            exit,
            ended: self.signalled.unwrap_or(Ended::ByItself),
        }))
    }
}

/// Both ends of a new terminal: ours, and the program's.
fn open_terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, OptionalActions, OutputModes, tcgetattr, tcsetattr};
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
    let mut modes = tcgetattr(&theirs)?;
    modes.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
    modes.output_modes -= OutputModes::OPOST;
    tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    Ok((ours, theirs))
}

/// What is typed, and Ctrl-D behind it: the end of input where it stands at the
/// beginning of a line, else it only sends the line off.
fn with_end(mut typed: Vec<u8>) -> Vec<u8> {
    const CTRL_D: u8 = 4;
    if typed.last().is_some_and(|byte| *byte != b'\n') {
        typed.push(CTRL_D);
    }
    typed.push(CTRL_D);
    typed
}

/// Why a program did not start.
#[derive(Debug)]
pub enum StartError {
    /// It cannot be executed: the program's fault, an observation.
    Exec(io::Error),
    /// The kernel does not let us watch its sockets.
    Watch(io::Error),
    /// Our own failure to supervise it.
    Supervise(io::Error),
}

/// A folder of PATH that is closed to us makes exec say "Permission denied" of a
/// command that is in none of the others either. Shells say that it is not there.
fn found_nowhere(error: io::Error, name: &OsStr, path: Option<OsString>) -> io::Error {
    let is_looked_for = !name.as_encoded_bytes().contains(&b'/');
    if error.kind() != io::ErrorKind::PermissionDenied || !is_looked_for {
        return error;
    }
    let path = path
        .or_else(|| std::env::var_os("PATH"))
        .unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join(name).exists());
    match is_there {
        true => error,
        false => rustix::io::Errno::NOENT.into(),
    }
}

fn receive_descriptor(socket: &OwnedFd) -> Option<OwnedFd> {
    let mut byte = [0u8; 1];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    rustix::net::recvmsg(
        socket,
        &mut [io::IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
    )
    .ok()?;
    control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    })
}

/// Lets go of the standard streams, so that nobody waits for this process who
/// reads what it was given to write to.
pub fn detach_standard_streams() -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// The signal's number for the kernel.
pub fn signal_of(stop: StopSignal) -> Signal {
    match stop {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Hup => Signal::HUP,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Kill => Signal::KILL,
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("pid", &self.child.id())
            .field("pidfd", &self.pidfd.as_raw_fd())
            .finish_non_exhaustive()
    }
}
