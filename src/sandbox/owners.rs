//! Which program opened which socket, exactly.
//!
//! A flow can be over in less than a millisecond, too short for any polling.
//! So the programs' `socket()` calls come to us (seccomp user notification): we
//! create the socket, note its cookie and hand it over. What its addresses were
//! the kernel says when the socket is destroyed, or in a dump while it lives.
//!
//! Where the kernel can (Linux 6.3), each program also gets ephemeral ports of its
//! own. Otherwise a port could pass from one program to another within a
//! millisecond, and the earlier ports of a socket that connects again and again
//! would be unknown.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal};

use crate::savefile::{Protocol, Socket};

use super::sockets::{KernelSocket, Obituaries, State};
use super::sys;

/// A socket that a program asked for.
#[derive(Debug)]
struct Birth {
    program: usize,
    opened: i64,
    last: Option<KernelSocket>,
    listening: bool,
    closed: Option<i64>,
}

/// More sockets than this are not told apart: memory stays bounded under a
/// hostile program.
const LIMIT: usize = 100_000;

/// So many processes are remembered.
const ASKERS: usize = 64;

/// The sockets of all programs of a run.
pub struct Owners {
    births: HashMap<u64, Birth>,
    obituaries: Obituaries,
    /// Processes that asked for sockets, by their program.
    askers: Vec<(usize, u32, OwnedFd)>,
    /// The ephemeral ports of each program; empty where the kernel cannot.
    ports: Vec<(u16, u16)>,
    /// Some socket's addresses were lost.
    incomplete: bool,
}

impl Owners {
    /// `ports`: the network's ephemeral ports, which no others use, to be
    /// divided among so many programs.
    pub fn new(programs: usize, ports: Option<(u16, u16)>) -> io::Result<Owners> {
        Ok(Owners {
            births: HashMap::new(),
            obituaries: Obituaries::subscribe()?,
            askers: Vec::new(),
            ports: ports.map_or_else(Vec::new, |all| shares(all, programs)),
            incomplete: false,
        })
    }

    /// The descriptors to wait on for news of destroyed sockets.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.obituaries.descriptors().map(AsFd::as_fd)
    }

    /// Answers one waiting request of a program to create a socket. `now` is
    /// packet time.
    pub fn serve(&mut self, program: usize, listener: &OwnedFd, now: i64) -> io::Result<()> {
        let Some(request) = sys::next_socket_request(listener.as_fd())? else {
            return Ok(());
        };
        self.remember_asker(program, request.pid);
        let socket = match sys::create_socket(&request) {
            Ok(socket) => socket,
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
                return forgive_gone(sys::answer_with_error(listener.as_fd(), &request, errno));
            }
        };
        if let Some(own) = self.ports.get(program)
            && sys::set_ephemeral_ports(&socket, *own).is_err()
        {
            self.ports.clear();
        }
        if let Ok(cookie) = rustix::net::sockopt::socket_cookie(&socket) {
            if self.births.len() < LIMIT {
                self.births.insert(
                    cookie,
                    Birth {
                        program,
                        opened: now,
                        last: None,
                        listening: false,
                        closed: None,
                    },
                );
            } else {
                self.incomplete = true;
            }
        } else {
            self.incomplete = true;
        }
        match sys::answer_with_socket(listener.as_fd(), &request, &socket) {
            // The program's own table of descriptors is full.
            Err(error) if error.raw_os_error() == Some(libc::EMFILE) => forgive_gone(
                sys::answer_with_error(listener.as_fd(), &request, libc::EMFILE),
            ),
            answered => forgive_gone(answered),
        }
    }

    /// The process cannot end before it is answered, so its number is its own.
    fn remember_asker(&mut self, program: usize, pid: u32) {
        self.askers
            .retain(|(of, known, _)| (*of, *known) != (program, pid));
        if self.askers.len() >= ASKERS {
            self.askers.remove(0);
        }
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        // Of a thread other than a process's first there is none.
        if let Some(pid) = pid
            && let Ok(pidfd) = rustix::process::pidfd_open(pid, PidfdFlags::empty())
        {
            let number = pid.as_raw_pid().unsigned_abs();
            self.askers.push((program, number, pidfd));
        }
    }

    /// Sends a signal to the processes of a program that asked for sockets.
    pub fn signal_askers(&self, program: usize, signal: Signal) {
        for (_, _, pidfd) in self.askers.iter().filter(|(of, ..)| *of == program) {
            // Most of them are gone by now.
            let _ = rustix::process::pidfd_send_signal(pidfd, signal);
        }
    }

    /// The ephemeral ports that are one program's alone.
    pub fn ephemeral_ports_of(&self, program: usize) -> Option<(u16, u16)> {
        self.ports.get(program).copied()
    }

    /// Which program opened the socket.
    pub fn program_of(&self, cookie: u64) -> Option<usize> {
        self.births.get(&cookie).map(|birth| birth.program)
    }

    /// Notes the addresses of living sockets.
    pub fn observe(&mut self, sockets: &[KernelSocket]) {
        for socket in sockets {
            if let Some(birth) = self.births.get_mut(&socket.cookie) {
                birth.listening |= socket.state == State::Listen;
                birth.last = Some(socket.clone());
            }
        }
    }

    /// Reads what the kernel says of destroyed sockets.
    pub fn hear(&mut self, now: i64) {
        let births = &mut self.births;
        let result = self.obituaries.read(|socket| {
            if let Some(birth) = births.get_mut(&socket.cookie) {
                birth.closed = Some(now);
                // A listener's obituary has lost its port.
                if socket.local.port() != 0 {
                    birth.last = Some(socket);
                }
            }
        });
        if result.is_err() {
            self.incomplete = true;
        }
    }

    /// Every socket of every program is known to be gone.
    pub fn all_gone(&self) -> bool {
        self.births.values().all(|birth| birth.closed.is_some())
    }

    /// No socket escaped our notice.
    pub fn complete(&self) -> bool {
        !self.incomplete && self.all_gone()
    }

    /// The sockets that one program opened and gave a port, in order of birth.
    pub fn sockets_of(&self, program: usize) -> Vec<Socket> {
        let mut sockets: Vec<Socket> = self
            .births
            .values()
            .filter(|birth| birth.program == program)
            .filter_map(|birth| {
                let last = birth.last.as_ref()?;
                (last.local.port() != 0).then_some(Socket {
                    protocol: last.protocol,
                    local: last.local,
                    remote: last.remote,
                    opened: birth.opened,
                    closed: birth.closed,
                    listening: birth.listening,
                })
            })
            .collect();
        sockets.sort_by_key(|socket| (socket.opened, socket.local));
        sockets
    }

    /// The ports on which a program can be reached, of those seen in a dump.
    pub fn ready_ports<'a>(
        &'a self,
        program: usize,
        sockets: &'a [KernelSocket],
    ) -> impl Iterator<Item = (Protocol, u16)> + 'a {
        sockets
            .iter()
            .filter(move |s| s.is_ready() && self.program_of(s.cookie) == Some(program))
            .map(|s| (s.protocol, s.local.port()))
    }
}

/// The asker may have been killed while we answered.
fn forgive_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        other => other,
    }
}

/// As many equal parts of a range of ports, first and last of each.
fn shares((first, last): (u16, u16), parts: usize) -> Vec<(u16, u16)> {
    let Some(size) = usize::from(last.saturating_sub(first)).checked_div(parts) else {
        return Vec::new();
    };
    (0..parts)
        .filter_map(|part| {
            let start = usize::from(first) + part * size;
            let end = start + size.checked_sub(1)?;
            Some((u16::try_from(start).ok()?, u16::try_from(end).ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_do_not_overlap_and_stay_inside() {
        assert_eq!(shares((100, 200), 3), [(100, 132), (133, 165), (166, 198)]);
        assert_eq!(shares((32768, 60999), 1), [(32768, 60998)]);
        assert_eq!(shares((32768, 60999), 0), []);
        assert_eq!(shares((5, 6), 50), []);
        assert_eq!(shares((6, 5), 2), []);
    }
}
