//! Runs the programs of a plan: each when its time has come, each watched, each
//! ended, and nothing left behind.
//!
//! Readiness and quiet are read from the kernel. The loop waits for events; where
//! the kernel has no event to wait for (a port opened, a queue drained) it looks
//! again after a short pause, and no decision rests on the pause itself.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::RecvFlags;
use rustix::process::{Pid, Signal};

use crate::savefile::Program;

use super::contain::Views;
use super::contain::warden::Warden;
use super::error::{EnvironmentError, Step, at};
use super::namespaces::PidNamespace;
use super::owners::Owners;
use super::plan::{Network, Plan};
use super::program::{Running, StartError};
use super::schedule::{Phase, Schedule};
use super::sockets::{KernelSocket, SocketTable};
use super::tasks::Proc;

/// How long a program may take to obey a stop signal before it is killed.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// The pause between two looks at the kernel, growing from the one to the other.
pub(super) const PAUSE_MIN: Duration = Duration::from_micros(100);
pub(super) const PAUSE_MAX: Duration = Duration::from_millis(4);

/// The order to end a run before its programs do.
pub const BREAK_OFF: u8 = 0;

/// What the capture does for the supervisor.
pub trait Capture {
    /// A marker has passed through the capture: every packet sent before the
    /// call is in it, and their number is returned. None: it did not come back
    /// in time.
    fn mark(&mut self) -> Option<u64>;
    /// The capture can no longer be written.
    fn failed(&self) -> bool;
}

/// What came of a plan's programs.
pub struct Supervised {
    pub programs: Vec<Program>,
    pub duration: Duration,
    pub interrupted: bool,
    /// Attempts to reach an address outside of the run's own network.
    pub unrouted: u64,
    /// Nothing but TIME_WAIT was left when the last program was gone.
    pub settled: bool,
    /// The owner of every socket is known.
    pub owners: bool,
}

/// Runs all programs of a plan in the calling process's namespaces.
///
/// `control` hangs up when the run is to be broken off. What is read from it are
/// orders of one byte: [`BREAK_OFF`], or the number of a signal to hand on to the
/// programs.
pub fn supervise(
    plan: &Plan,
    capture: &mut dyn Capture,
    control: &OwnedFd,
    proc: Proc,
    namespace: Option<PidNamespace>,
    views: Option<&Views>,
) -> Result<Supervised, EnvironmentError> {
    let mut supervisor = Supervisor {
        schedule: Schedule::new(&plan.programs),
        listeners: Vec::new(),
        network: &plan.network,
        capture,
        control,
        proc,
        views,
        warden: views.map(|views| Warden::new(views.memory())),
        init: namespace
            .as_ref()
            .map(|namespace| namespace.init().as_raw_pid().unsigned_abs()),
        orphans_until: None,
        owners: Owners::new(plan.programs.len(), own_ports(&plan.network))
            .map_err(at(Step::SocketDiag))?,
        table: SocketTable::open().map_err(at(Step::SocketDiag))?,
        interrupted: false,
        pause: PAUSE_MIN,
        deadline: Instant::now() + plan.timeout,
        quiet_until: Instant::now() + plan.timeout,
        stop_sent: false,
    };
    let started = Instant::now();
    let outcome = supervisor.run();
    let duration = started.elapsed();
    // Whatever happened: nothing survives.
    match &namespace {
        Some(namespace) => namespace.kill(),
        None => supervisor.kill_all(),
    }
    supervisor.finish();
    match namespace {
        Some(namespace) => namespace.wait(),
        None => supervisor.end_orphans(),
    }
    let settled = supervisor.settle();
    supervisor.note();
    outcome?;
    Ok(supervisor.into_result(duration, settled))
}

/// None of the listener's processes is left.
pub(super) fn has_hung_up(listener: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(listener, PollFlags::IN)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    rustix::event::poll(&mut polled, Some(&at_once)).is_ok()
        && polled.iter().any(|p| p.revents().contains(PollFlags::HUP))
}

pub(super) fn to_pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

/// The ephemeral ports of a network that is the run's alone.
fn own_ports(network: &Network) -> Option<(u16, u16)> {
    match network {
        Network::Private => super::network::ephemeral_ports(),
        Network::Host { .. } => None,
    }
}

pub(super) struct Supervisor<'a> {
    pub(super) schedule: Schedule<'a>,
    /// The seccomp listener of each started program, by its index. One outlives
    /// its program where that left children behind.
    pub(super) listeners: Vec<(usize, OwnedFd)>,
    pub(super) capture: &'a mut dyn Capture,
    pub(super) control: &'a OwnedFd,
    pub(super) proc: Proc,
    /// The first process of the programs' PID namespace: orphans are its children.
    pub(super) init: Option<u32>,
    /// Until then what an ended program left behind may finish its work.
    pub(super) orphans_until: Option<Instant>,
    pub(super) owners: Owners,
    pub(super) table: SocketTable,
    /// In a private network every socket counts, in the machine's own only
    /// those of our programs.
    pub(super) network: &'a Network,
    /// Where the programs are contained.
    pub(super) views: Option<&'a Views>,
    pub(super) warden: Option<Warden>,
    pub(super) interrupted: bool,
    pub(super) pause: Duration,
    pub(super) deadline: Instant,
    /// The last moment to wait for quiet; before the deadline it means nothing.
    pub(super) quiet_until: Instant,
    pub(super) stop_sent: bool,
}

/// Packet time, now.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

impl Supervisor<'_> {
    fn run(&mut self) -> Result<(), EnvironmentError> {
        loop {
            self.start_due()?;
            if !self.schedule.any_running() && self.schedule.due().is_empty() {
                if !self.work_is_left()? {
                    return Ok(());
                }
                self.wait(true)?;
                self.check_times();
                self.check_memory();
                continue;
            }
            let look_again = self.decide()?;
            if !self.schedule.any_running() {
                continue;
            }
            self.wait(look_again)?;
            self.check_times();
            self.check_memory();
        }
    }

    /// Starts every program whose time has come.
    fn start_due(&mut self) -> Result<(), EnvironmentError> {
        // Starting one may make the next one due ("after exit" of a program
        // that cannot be executed), so until nothing changes.
        loop {
            let due = self.schedule.due();
            if due.is_empty() {
                return Ok(());
            }
            for index in due {
                self.start(index)?;
            }
        }
    }

    fn start(&mut self, index: usize) -> Result<(), EnvironmentError> {
        let Some(slot) = self.schedule.slots.get_mut(index) else {
            return Ok(());
        };
        let cell = self
            .views
            .map(|views| views.cell(index))
            .transpose()
            .map_err(at(Step::Containment))?;
        match Running::start(slot.plan, cell) {
            Ok((running, outputs, listener)) => {
                slot.outputs = outputs;
                slot.result.pid = Some(running.pid());
                slot.phase = Phase::Running(Box::new(running));
                self.listeners.push((index, listener));
                self.pause = PAUSE_MIN;
                self.stop_sent = self.interrupted;
                Ok(())
            }
            Err(StartError::Exec(error)) => {
                let reason = error.to_string();
                // The number says nothing that the words do not.
                let words = reason.split(" (os error").next().unwrap_or(&reason);
                slot.result.start_error = Some(words.to_owned());
                slot.phase = Phase::Over;
                Ok(())
            }
            Err(StartError::Watch(error)) => Err(EnvironmentError::new(Step::SocketFilter, &error)),
            Err(StartError::Supervise(error)) => Err(EnvironmentError::new(Step::Fork, &error)),
        }
    }

    /// Looks at readiness and quiet where something depends on them. True: it
    /// wants to look again soon.
    fn decide(&mut self) -> Result<bool, EnvironmentError> {
        let mut look_again = false;
        if self.schedule.someone_waits_for_readiness() {
            let sockets = self.look()?;
            self.note_readiness(&sockets);
            self.note_elsewhere(&sockets);
            if !self.schedule.due().is_empty() {
                return Ok(true);
            }
            look_again = true;
        }
        if self.schedule.foreground_is_over() {
            if self.stop_sent {
                return Ok(look_again);
            }
            if self.is_quiet()? {
                self.stop_background();
                return Ok(look_again);
            }
            look_again = true;
        } else if !look_again && self.schedule.only_waiters_are_left() {
            // What they wait for is only told when nothing moves.
            if self.is_quiet()? && self.waiters_are_blocked() {
                self.end_waiters();
                return Ok(look_again);
            }
            look_again = true;
        }
        Ok(look_again)
    }

    pub(super) fn look(&mut self) -> Result<Vec<KernelSocket>, EnvironmentError> {
        let sockets = self.table.dump().map_err(at(Step::SocketDiag))?;
        self.owners.observe(&sockets);
        Ok(sockets)
    }

    /// Only the sockets that concern the run: on the machine's own network
    /// others are never quiet. Accepted ones are known by their ports.
    pub(super) fn look_at_ours(&mut self) -> Result<Vec<KernelSocket>, EnvironmentError> {
        let mut sockets = self.look()?;
        if let Network::Host { ports } = self.network {
            sockets.retain(|socket| {
                self.owners.program_of(socket.cookie).is_some()
                    || [Some(socket.local), socket.remote]
                        .into_iter()
                        .flatten()
                        .any(|end| ports.contains(&end.port()))
            });
        }
        Ok(sockets)
    }

    /// Waits for the next event: an order, an end, a request for a socket, an
    /// output, an obituary; or for a pause to look again.
    pub(super) fn wait(&mut self, look_again: bool) -> Result<(), EnvironmentError> {
        let timeout = self.next_timeout(look_again);
        let mut tags = vec![Tag::Control];
        let mut fds: Vec<BorrowedFd<'_>> = vec![self.control.as_fd()];
        if self.interrupted {
            tags.clear();
            fds.clear();
        }
        for (position, (_, listener)) in self.listeners.iter().enumerate() {
            tags.push(Tag::Listener(position));
            fds.push(listener.as_fd());
        }
        for descriptor in self.owners.descriptors() {
            tags.push(Tag::Obituary);
            fds.push(descriptor);
        }
        for (index, slot) in self.schedule.slots.iter().enumerate() {
            for output in slot.outputs.descriptors() {
                tags.push(Tag::Output(index));
                fds.push(output);
            }
            if let Phase::Running(running) = &slot.phase {
                if let Some(pidfd) = running.pidfd() {
                    tags.push(Tag::End);
                    fds.push(pidfd);
                }
                if let Some(input) = running.input() {
                    tags.push(Tag::Input(index));
                    fds.push(input);
                }
            }
        }
        let mut polled: Vec<PollFd<'_>> = fds
            .iter()
            .zip(&tags)
            .map(|(fd, tag)| {
                let events = match tag {
                    Tag::Input(_) => PollFlags::OUT,
                    _ => PollFlags::IN,
                };
                PollFd::from_borrowed_fd(*fd, events)
            })
            .collect();
        let timeout = Timespec::try_from(timeout).ok();
        match rustix::event::poll(&mut polled, timeout.as_ref()) {
            Ok(0) => {
                if look_again {
                    self.pause = (self.pause * 2).min(PAUSE_MAX);
                }
                return Ok(());
            }
            Ok(_) => self.pause = PAUSE_MIN,
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(EnvironmentError::new(Step::Fork, &error.into())),
        }
        let events: Vec<(Tag, PollFlags)> = polled
            .iter()
            .zip(tags)
            .map(|(fd, tag)| (tag, fd.revents()))
            .filter(|(_, flags)| !flags.is_empty())
            .collect();
        for &(tag, flags) in &events {
            self.handle(tag, flags)?;
        }
        // A listener hangs up when none of its processes is left.
        for &(tag, flags) in events.iter().rev() {
            if let Tag::Listener(position) = tag
                && flags.contains(PollFlags::HUP)
            {
                self.listeners.swap_remove(position);
            }
        }
        Ok(())
    }

    fn next_timeout(&self, look_again: bool) -> Duration {
        let now = Instant::now();
        // Behind the deadline everything that runs has a time of its own.
        let mut at = if now < self.deadline {
            self.deadline
        } else {
            now + GRACE
        };
        for slot in &self.schedule.slots {
            if let Phase::Running(running) = &slot.phase {
                if let Some(kill_at) = running.kill_at {
                    at = at.min(kill_at);
                } else if !slot.is_background() {
                    at = at.min(running.started + slot.plan.timeout);
                } else if now >= self.deadline {
                    at = at.min(now + PAUSE_MAX);
                }
            }
        }
        if let Some(warden) = &self.warden {
            at = at.min(warden.next());
        }
        let until = at.saturating_duration_since(now);
        if look_again {
            until.min(self.pause)
        } else {
            until
        }
    }

    fn handle(&mut self, tag: Tag, flags: PollFlags) -> Result<(), EnvironmentError> {
        match tag {
            Tag::Control => self.obey(),
            Tag::Obituary => self.owners.hear(now()),
            Tag::End => self.reap(),
            Tag::Listener(position) => self.serve(position, flags)?,
            Tag::Output(index) => {
                if let Some(slot) = self.schedule.slots.get_mut(index) {
                    slot.outputs.read();
                }
            }
            Tag::Input(index) => {
                if let Some(running) = self.schedule.running(index) {
                    running.feed();
                }
            }
        }
        Ok(())
    }

    /// Answers a request for a socket.
    fn serve(&mut self, position: usize, flags: PollFlags) -> Result<(), EnvironmentError> {
        let Some((program, listener)) = self.listeners.get(position) else {
            return Ok(());
        };
        if flags.contains(PollFlags::IN) {
            self.owners
                .serve(*program, listener, now())
                .map_err(at(Step::SocketFilter))?;
        }
        Ok(())
    }

    /// Reads what our owner wants.
    fn obey(&mut self) {
        let mut orders = [0u8; 16];
        let read = rustix::net::recv(self.control, &mut orders[..], RecvFlags::DONTWAIT);
        let count = match read {
            Ok((count, _)) => count,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
            Err(_) => 0,
        };
        // Our owner is gone.
        if count == 0 {
            return self.interrupt();
        }
        for &order in orders.iter().take(count) {
            match Signal::from_named_raw(order.into()) {
                None => self.interrupt(),
                Some(signal) => self.forward(signal),
            }
        }
    }

    fn forward(&mut self, signal: Signal) {
        for slot in &mut self.schedule.slots {
            if let Some(running) = slot.running() {
                running.forward(signal);
            }
        }
    }

    fn into_result(self, duration: Duration, settled: bool) -> Supervised {
        let owners = self.owners.complete();
        let programs = self
            .schedule
            .slots
            .into_iter()
            .enumerate()
            .map(|(index, slot)| {
                let mut result = slot.result;
                let mut outputs = slot.outputs;
                outputs.drain();
                outputs.into_result(&mut result);
                result.sockets = self.owners.sockets_of(index);
                result.ephemeral_ports = self.owners.ephemeral_ports_of(index);
                result
            })
            .collect();
        let unrouted = match self.network {
            Network::Private => self.proc.unrouted(),
            Network::Host { .. } => 0,
        };
        Supervised {
            programs,
            duration,
            interrupted: self.interrupted,
            unrouted,
            settled,
            owners,
        }
    }
}

#[derive(Clone, Copy)]
enum Tag {
    Control,
    Obituary,
    End,
    Listener(usize),
    Output(usize),
    Input(usize),
}
