//! Each run is recorded by a process of its own, forked from ours: a user
//! namespace wants a process with one thread, and what happens to the run must
//! not happen to us.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::AssertUnwindSafe;

use rustix::process::{Pid, Signal, WaitOptions};
use serde::{Deserialize, Serialize};

use crate::sandbox::sys::{self, Fork};
use crate::sandbox::{EnvironmentError, Plan};
use crate::savefile::RecordedScenario;

use super::record::record;

/// A run that is being recorded.
#[derive(Debug)]
pub struct Recorder {
    pid: Pid,
    channel: UnixStream,
}

/// The recorder's last word.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    /// The savefile is complete and closed.
    Recorded,
    Refused(EnvironmentError),
    Panicked(String),
}

/// Why there is no recording, or not a whole one.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// Our own failure.
    #[error("the recording process failed: {0}")]
    Internal(String),
}

impl Recorder {
    /// Starts recording into `savefile`. The calling process must have one
    /// thread.
    pub fn launch(plan: &Plan, scenario: RecordedScenario, savefile: File) -> io::Result<Recorder> {
        let (ours, theirs) = UnixStream::pair()?;
        let parent = rustix::process::getpid();
        match sys::fork()? {
            Fork::Parent(pid) => Ok(Recorder {
                pid: Pid::from_raw(pid).ok_or(io::ErrorKind::Other)?,
                channel: ours,
            }),
            Fork::Child => {
                drop(ours);
                let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    be_recorder(parent, plan, scenario, savefile, theirs)
                }));
                sys::exit_now(i32::from(result.is_err()))
            }
        }
    }

    /// Becomes readable when the recorder has spoken its last word.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }

    /// Breaks the run off. What was captured is kept.
    pub fn interrupt(&mut self) {
        // A recorder that is gone needs no telling.
        let _ = self.channel.write_all(b"x");
    }

    /// Waits for the recorder's last word. Its process may live on for a moment
    /// to close the capture: [`Gone::is_reaped`].
    pub fn finish(self) -> (Result<(), RecordError>, Gone) {
        let mut line = String::new();
        let read = BufReader::new(self.channel.take(1 << 20)).read_line(&mut line);
        let result = match (read, serde_json::from_str(&line)) {
            (_, Ok(Word::Recorded)) => Ok(()),
            (_, Ok(Word::Refused(error))) => Err(error.into()),
            (_, Ok(Word::Panicked(message))) => Err(RecordError::Internal(message)),
            (_, Err(_)) => Err(RecordError::Internal(
                "it ended without a word (was it killed?)".into(),
            )),
        };
        (result, Gone { pid: self.pid })
    }
}

/// A recorder that has said its last word.
#[derive(Debug)]
pub struct Gone {
    pid: Pid,
}

impl Gone {
    /// Reaps the process if it has ended.
    pub fn is_reaped(&self) -> bool {
        !matches!(
            rustix::process::waitpid(Some(self.pid), WaitOptions::NOHANG),
            Ok(None)
        )
    }
}

fn be_recorder(
    parent: Pid,
    plan: &Plan,
    scenario: RecordedScenario,
    savefile: File,
    mut channel: UnixStream,
) {
    // Ctrl-C in the terminal is our parent's business, not the run's.
    let _ = rustix::process::setsid();
    // Nobody who reads our parent's output must wait for us.
    let _ = detach_standard_streams();
    let control = match channel.try_clone() {
        Ok(clone) => OwnedFd::from(clone),
        Err(_) => return,
    };
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
        die_with_parent(parent);
        record(plan, scenario, savefile, &control, &|| {
            die_with_parent(parent)
        })
    }));
    let word = match result {
        Ok(Ok(())) => Word::Recorded,
        Ok(Err(error)) => Word::Refused(error),
        Err(panic) => Word::Panicked(
            panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default(),
        ),
    };
    if let Ok(mut line) = serde_json::to_vec(&word) {
        line.push(b'\n');
        let _ = channel.write_all(&line);
    }
}

/// The run ends when our parent does, however that ends.
fn die_with_parent(parent: Pid) {
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    // It may have died before the line above.
    if rustix::process::getppid() != Some(parent) {
        sys::exit_now(1);
    }
}

fn detach_standard_streams() -> io::Result<()> {
    let null = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}
