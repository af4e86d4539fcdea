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
use crate::sandbox::{self, BREAK_OFF, EnvironmentError, Plan, Step};
use crate::savefile::RecordedScenario;

use super::record::record;

/// A run that is being recorded.
#[derive(Debug)]
pub struct Recorder {
    pid: Pid,
    channel: UnixStream,
}

/// What the recorder says: steps where they are asked for, then a last word.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    Done(Step),
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
    /// thread. `steps`: the recorder tells of each step of setting up.
    pub fn launch(
        plan: &Plan,
        scenario: RecordedScenario,
        savefile: File,
        steps: bool,
    ) -> io::Result<Recorder> {
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
                    be_recorder(parent, plan, scenario, savefile, theirs, steps)
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
        self.order(BREAK_OFF);
    }

    /// Hands a signal on to the programs, by its number.
    pub fn signal(&mut self, number: u8) {
        self.order(number);
    }

    fn order(&mut self, order: u8) {
        // A recorder that is gone needs no telling.
        let _ = self.channel.write_all(&[order]);
    }

    /// Waits for the recorder's last word. Its process may live on for a moment
    /// to close the capture: [`Gone::is_reaped`].
    pub fn finish(self) -> (Result<(), RecordError>, Gone) {
        self.follow(|_| {})
    }

    /// As [`Recorder::finish`]; `done` hears of each step, where they were asked
    /// for.
    pub fn follow(self, mut done: impl FnMut(Step)) -> (Result<(), RecordError>, Gone) {
        let gone = Gone { pid: self.pid };
        let lines = BufReader::new(self.channel.take(1 << 20)).lines();
        for line in lines.map_while(Result::ok) {
            let result = match serde_json::from_str(&line) {
                Ok(Word::Done(step)) => {
                    done(step);
                    continue;
                }
                Ok(Word::Recorded) => Ok(()),
                Ok(Word::Refused(error)) => Err(error.into()),
                Ok(Word::Panicked(message)) => Err(RecordError::Internal(message)),
                Err(error) => Err(RecordError::Internal(error.to_string())),
            };
            return (result, gone);
        }
        let message = "it ended without a word (was it killed?)";
        (Err(RecordError::Internal(message.into())), gone)
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
    channel: UnixStream,
    steps: bool,
) {
    // What the terminal sends is our parent's business, or the command's.
    if plan.shares_our_terminal() {
        sys::block_job_control();
    } else {
        let _ = rustix::process::setsid();
        // Nobody who reads our parent's output must wait for us.
        let _ = sandbox::detach_standard_streams();
    }
    sys::keep_ended_children();
    let control = match channel.try_clone() {
        Ok(clone) => OwnedFd::from(clone),
        Err(_) => return,
    };
    let say = |word: &Word| {
        if let Ok(mut line) = serde_json::to_vec(word) {
            line.push(b'\n');
            let _ = (&channel).write_all(&line);
        }
    };
    let done = |step: Step| {
        // The kernel forgets the death signal when capabilities change.
        if matches!(step, Step::GidMap | Step::Namespaces) {
            die_with_parent(parent);
        }
        if steps {
            say(&Word::Done(step));
        }
    };
    die_with_parent(parent);
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
        record(plan, scenario, savefile, &control, &done)
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
    say(&word);
}

/// The run ends when our parent does, however that ends.
fn die_with_parent(parent: Pid) {
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    // It may have died before the line above.
    if rustix::process::getppid() != Some(parent) {
        sys::exit_now(1);
    }
}
