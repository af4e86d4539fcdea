//! The limit on memory over all processes of a program, which the kernel's limits
//! of single processes cannot give.
//!
//! It looks from time to time. Between two looks a program can take as much as it
//! can touch in that time, and each process by itself is bound by the kernel.

use std::time::{Duration, Instant};

use crate::sandbox::tasks::Proc;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Looks after the memory of a run's programs.
pub struct Warden {
    memory: u64,
    next: Instant,
}

impl Warden {
    pub fn new(memory: u64) -> Warden {
        Warden {
            memory,
            next: Instant::now(),
        }
    }

    /// When it wants to look again.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// Is it time to look?
    pub fn is_due(&mut self, now: Instant) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now + PAUSE;
        }
        due
    }

    /// The processes that are to be killed: all of a family that uses too much.
    pub fn too_large(&self, proc: &Proc, first: u32) -> Option<Vec<u32>> {
        let family = proc.family(first);
        let used: u64 = family.iter().map(|pid| proc.memory(*pid)).sum();
        (used > self.memory).then_some(family)
    }

    /// For the program's result.
    pub fn note(&self) -> String {
        let mebibytes = self.memory >> 20;
        format!("killed: it used more memory than the {mebibytes} MiB that a program may use")
    }
}
