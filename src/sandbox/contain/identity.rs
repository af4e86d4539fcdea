//! As whom a contained program runs.
//!
//! An ordinary user's programs run as that user: they have no other name to take.
//! Root's run as nobody in particular: a uid that owns nothing, another one for
//! each program of each run, so that neither their files nor the kernel's limit on
//! processes is shared.

use rustix::fs::{Gid, Uid};

/// The first uid that is lent. Systems give them to no one: ordinary users begin
/// at 1000, systemd's dynamic ones are 61184 to 65519.
const FIRST: u32 = 40_000;
const COUNT: u32 = 20_000;

/// A user and a group of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub uid: Uid,
    pub gid: Gid,
    /// It is not the recorder's own: it must be taken.
    pub lent: bool,
}

impl Identity {
    /// For a program of the calling recorder.
    pub fn of_program(index: usize) -> Identity {
        let own = Identity {
            uid: rustix::process::geteuid(),
            gid: rustix::process::getegid(),
            lent: false,
        };
        if !own.uid.is_root() {
            return own;
        }
        let recorder = rustix::process::getpid().as_raw_pid().unsigned_abs();
        let index = u32::try_from(index).unwrap_or_default();
        let number = FIRST + (recorder.wrapping_mul(8).wrapping_add(index)) % COUNT;
        if !is_mapped(number) {
            return own;
        }
        Identity {
            uid: Uid::from_raw(number),
            gid: Gid::from_raw(number),
            lent: true,
        }
    }
}

/// Does the number exist in the calling process's user namespace? In a container
/// of an ordinary user there may be no uid but one.
fn is_mapped(number: u32) -> bool {
    let covers = |path: &str| {
        let map = std::fs::read_to_string(path).unwrap_or_default();
        map.lines().any(|line| {
            let mut words = line.split_whitespace().map(str::parse::<u64>);
            match (words.next(), words.next(), words.next()) {
                (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) => {
                    (first..first.saturating_add(count)).contains(&u64::from(number))
                }
                _ => false,
            }
        })
    };
    covers("/proc/self/uid_map") && covers("/proc/self/gid_map")
}
