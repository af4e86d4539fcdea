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
use rustix::process::{Pid, Signal, WaitOptions};

use crate::savefile::{Ended, Program};
use crate::scenario::Ready;

use super::contain::Views;
use super::contain::warden::Warden;
use super::error::{EnvironmentError, Step, at};
use super::namespaces::PidNamespace;
use super::owners::Owners;
use super::plan::{Network, Plan};
use super::program::{Running, StartError, signal_of};
use super::schedule::{Phase, Schedule, Slot, protocol_name};
use super::sockets::{KernelSocket, SocketTable, State};
use super::tasks::{Activity, Proc};

/// How long a program may take to obey a stop signal before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long the network may take to fall silent after the last program.
const SETTLE: Duration = Duration::from_secs(3);
/// The pause between two looks at the kernel, growing from the one to the other.
const PAUSE_MIN: Duration = Duration::from_micros(100);
const PAUSE_MAX: Duration = Duration::from_millis(4);

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
        owners: Owners::new(plan.programs.len(), own_ports(&plan.network))
            .map_err(at(Step::SocketDiag))?,
        table: SocketTable::open().map_err(at(Step::SocketDiag))?,
        views,
        warden: views.map(|views| Warden::new(views.memory())),
        init: namespace.as_ref().map(PidNamespace::init),
        interrupted: false,
        pause: PAUSE_MIN,
        deadline: Instant::now() + plan.timeout,
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
    outcome?;
    Ok(supervisor.into_result(duration, settled))
}

fn to_pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

/// The ephemeral ports of a network that is the run's alone.
fn own_ports(network: &Network) -> Option<(u16, u16)> {
    match network {
        Network::Private => super::network::ephemeral_ports(),
        Network::Host { .. } => None,
    }
}

struct Supervisor<'a> {
    schedule: Schedule<'a>,
    /// The seccomp listener of each started program, by its index. One outlives
    /// its program where that left children behind.
    listeners: Vec<(usize, OwnedFd)>,
    capture: &'a mut dyn Capture,
    control: &'a OwnedFd,
    proc: Proc,
    owners: Owners,
    table: SocketTable,
    /// In a private network every socket counts, in the machine's own only
    /// those of our programs.
    network: &'a Network,
    /// Where the programs are contained.
    views: Option<&'a Views>,
    warden: Option<Warden>,
    init: Option<Pid>,
    interrupted: bool,
    pause: Duration,
    deadline: Instant,
    stop_sent: bool,
}

/// Packet time, now.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

impl Supervisor<'_> {
    fn run(&mut self) -> Result<(), EnvironmentError> {
        loop {
            self.start_due()?;
            if !self.schedule.any_running() && self.schedule.due().is_empty() {
                return Ok(());
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
            if self.waiters_are_blocked() && self.is_quiet()? {
                self.end_waiters();
                return Ok(look_again);
            }
            look_again = true;
        }
        Ok(look_again)
    }

    fn look(&mut self) -> Result<Vec<KernelSocket>, EnvironmentError> {
        let sockets = self.table.dump().map_err(at(Step::SocketDiag))?;
        self.owners.observe(&sockets);
        Ok(sockets)
    }

    /// Only the sockets that concern the run: on the machine's own network
    /// others are never quiet. Accepted ones are known by their ports.
    fn look_at_ours(&mut self) -> Result<Vec<KernelSocket>, EnvironmentError> {
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

    fn note_readiness(&mut self, sockets: &[KernelSocket]) {
        for index in 0..self.schedule.slots.len() {
            let Some(slot) = self.schedule.slots.get(index) else {
                continue;
            };
            let wanted = slot.plan.ready;
            let ready = self
                .owners
                .ready_ports(index, sockets)
                .any(|(protocol, port)| wanted.is_none_or(|want| want == Ready { protocol, port }));
            if let Some(slot) = self.schedule.slots.get_mut(index) {
                slot.ready |= ready;
            }
        }
    }

    fn waiters_are_blocked(&self) -> bool {
        self.schedule
            .slots
            .iter()
            .filter(|slot| !slot.is_background())
            .filter_map(|slot| match &slot.phase {
                Phase::Running(running) => Some(running.pid()),
                _ => None,
            })
            .all(|pid| self.proc.activity(pid) == Activity::Receiving)
    }

    /// No handshake in progress, no byte unread or unacknowledged, and every
    /// program asleep: then nothing happens until we do something. Looked at
    /// twice, as a program may have been between two sleeps.
    fn is_quiet(&mut self) -> Result<bool, EnvironmentError> {
        let before = self.look_at_ours()?;
        if !before.iter().all(KernelSocket::is_quiet) {
            return Ok(false);
        }
        self.note_readiness(&before);
        let at_rest = self.schedule.slots.iter().all(|slot| match &slot.phase {
            // A server that was just started is given the time to open its port.
            Phase::Running(_) if slot.plan.ready.is_some() && !slot.ready => false,
            Phase::Running(running) => self.proc.activity(running.pid()) != Activity::Busy,
            _ => true,
        });
        if !at_rest {
            return Ok(false);
        }
        let after = self.look_at_ours()?;
        Ok(before == after)
    }

    fn stop_background(&mut self) {
        self.stop_sent = true;
        self.signal_where(|slot| slot.is_background(), Ended::Stopped);
    }

    fn end_waiters(&mut self) {
        self.signal_where(|slot| !slot.is_background(), Ended::Waiting);
    }

    /// Marks the capture and sends each chosen running program its stop signal.
    fn signal_where(&mut self, chosen: impl Fn(&Slot<'_>) -> bool, why: Ended) {
        if !self
            .schedule
            .slots
            .iter()
            .any(|s| s.is_running() && chosen(s))
        {
            return;
        }
        let captured = self.capture.mark();
        for slot in &mut self.schedule.slots {
            if !chosen(slot) {
                continue;
            }
            let stop = slot.plan.stop.map_or(Signal::TERM, signal_of);
            if let Some(running) = slot.running() {
                running.stopped_after = running.stopped_after.or(captured).or(Some(0));
                let signal = match why {
                    Ended::Timeout => Signal::KILL,
                    _ => stop,
                };
                running.signal(signal, why);
                running.kill_at = Some(Instant::now() + GRACE);
            }
        }
    }

    /// Waits for the next event: an order, an end, a request for a socket, an
    /// output, an obituary; or for a pause to look again.
    fn wait(&mut self, look_again: bool) -> Result<(), EnvironmentError> {
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
                tags.push(Tag::End);
                fds.push(running.pidfd());
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

    fn interrupt(&mut self) {
        if self.interrupted {
            return;
        }
        self.interrupted = true;
        self.schedule.closed = true;
        self.stop_sent = true;
        self.signal_where(|_| true, Ended::Interrupted);
    }

    /// Notes the programs that have ended.
    fn reap(&mut self) {
        for slot in &mut self.schedule.slots {
            let Some(running) = slot.running() else {
                continue;
            };
            let Ok(Some(end)) = running.try_end() else {
                continue;
            };
            let lived = running.started.elapsed();
            slot.result.exit = Some(end.exit);
            slot.result.ended = Some(end.ended);
            slot.result.duration = u64::try_from(lived.as_nanos()).ok();
            if let Phase::Running(running) = std::mem::replace(&mut slot.phase, Phase::Over) {
                slot.result.stopped_after = running.stopped_after;
            }
        }
    }

    /// Ends what has outlived its time.
    fn check_times(&mut self) {
        let now = Instant::now();
        self.schedule.closed |= now >= self.deadline || self.capture.failed();
        let over = self.schedule.closed;
        let late = |slot: &Slot<'_>| {
            !slot.is_background()
                && matches!(&slot.phase, Phase::Running(r)
                    if r.kill_at.is_none() && (over || now >= r.started + slot.plan.timeout))
        };
        // At its time's end a program that is expected to wait, and does, has
        // done what it should: only the wire was never quiet.
        if self.schedule.slots.iter().any(late) {
            let waits: Vec<bool> = self
                .schedule
                .slots
                .iter()
                .map(|slot| {
                    slot.plan.ends_waiting
                        && matches!(&slot.phase, Phase::Running(r)
                            if self.proc.activity(r.pid()) == Activity::Receiving)
                })
                .collect();
            let why: Vec<(String, bool)> = self
                .schedule
                .slots
                .iter()
                .zip(waits)
                .filter(|(slot, _)| late(slot))
                .map(|(slot, waits)| (slot.plan.role.clone(), waits))
                .collect();
            for (role, waits) in why {
                let ended = if waits {
                    Ended::Waiting
                } else {
                    Ended::Timeout
                };
                self.signal_where(|slot| slot.plan.role == role, ended);
            }
        }
        // Quiet or not: what never ends by itself is ended now.
        if over && !self.stop_sent && self.schedule.foreground_is_over() {
            self.stop_background();
        }
        for slot in &mut self.schedule.slots {
            if let Some(running) = slot.running()
                && running.kill_at.is_some_and(|at| now >= at)
            {
                running.signal(Signal::KILL, Ended::Stopped);
                running.kill_at = Some(now + GRACE);
            }
        }
        // An event may have been missed between poll and here.
        self.reap();
    }

    /// Kills contained programs that use more memory than they may.
    fn check_memory(&mut self) {
        let Some(warden) = &mut self.warden else {
            return;
        };
        if !warden.is_due(Instant::now()) {
            return;
        }
        let kill = |family: Vec<u32>| {
            for pid in family.into_iter().filter_map(to_pid) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        };
        for slot in &mut self.schedule.slots {
            let Phase::Running(running) = &slot.phase else {
                continue;
            };
            if let Some(family) = warden.too_large(&self.proc, running.pid()) {
                running.kill_as_kernel();
                kill(family);
                slot.result.note.get_or_insert_with(|| warden.note());
            }
        }
        // What lost its parent is nobody's any more, but not beyond bounds.
        if let Some(init) = self.init.map(|pid| pid.as_raw_pid().unsigned_abs())
            && let Some(family) = warden.too_large(&self.proc, init)
        {
            kill(family.into_iter().filter(|pid| *pid != init).collect());
        }
    }

    /// Without a PID namespace: kills the programs and their groups.
    fn kill_all(&mut self) {
        for slot in &mut self.schedule.slots {
            if let Some(running) = slot.running() {
                running.signal(Signal::KILL, Ended::Stopped);
            }
        }
    }

    /// Without a PID namespace: what the programs left behind has become our
    /// child. Each that is ended may leave us its own.
    fn end_orphans(&self) {
        let own = rustix::process::getpid();
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            let orphans = self.proc.children(own.as_raw_pid().unsigned_abs());
            if orphans.is_empty() {
                return;
            }
            for orphan in orphans.into_iter().filter_map(to_pid) {
                let _ = rustix::process::kill_process(orphan, Signal::KILL);
                let _ = rustix::process::waitpid(Some(orphan), WaitOptions::empty());
            }
        }
    }

    /// After everything was killed: collects what is left of every program.
    fn finish(&mut self) {
        for slot in &mut self.schedule.slots {
            if let Some(running) = slot.running() {
                running.await_end();
            }
        }
        self.reap();
        self.owners.hear(now());
        self.note_late_readiness();
        for index in 0..self.schedule.slots.len() {
            let note = self
                .schedule
                .note_for(index, &|role| self.opened_ports(role));
            if let Some(slot) = self.schedule.slots.get_mut(index) {
                slot.result.note = slot.result.note.take().or(note);
            }
        }
    }

    /// A server whose readiness nobody waited for may have been ready and gone
    /// between two looks: its sockets tell.
    fn note_late_readiness(&mut self) {
        for (index, slot) in self.schedule.slots.iter_mut().enumerate() {
            let Some(wanted) = slot.plan.ready else {
                continue;
            };
            slot.ready |= self.owners.sockets_of(index).iter().any(|socket| {
                socket.protocol == wanted.protocol
                    && socket.local.port() == wanted.port
                    && socket.remote.is_none()
            });
        }
    }

    /// "TCP port 12001, UDP port 53".
    fn opened_ports(&self, role: &str) -> String {
        let Some(index) = self.schedule.slots.iter().position(|s| s.plan.role == role) else {
            return String::new();
        };
        let mut ports: Vec<String> = self
            .owners
            .sockets_of(index)
            .iter()
            .filter(|s| s.listening || s.protocol == crate::savefile::Protocol::Udp)
            .map(|s| format!("{} port {}", protocol_name(s.protocol), s.local.port()))
            .collect();
        ports.dedup();
        ports.join(", ")
    }

    /// Waits until the network holds nothing but TIME_WAIT and every socket of
    /// every program is accounted for.
    fn settle(&mut self) -> bool {
        let until = Instant::now() + SETTLE;
        self.pause = PAUSE_MIN;
        loop {
            self.owners.hear(now());
            let Ok(sockets) = self.look() else {
                return false;
            };
            let ours = |s: &KernelSocket| {
                s.state != State::TimeWait
                    && (*self.network == Network::Private
                        || self.owners.program_of(s.cookie).is_some())
            };
            let silent = !sockets.iter().any(ours);
            if silent && self.owners.all_gone() {
                return true;
            }
            if Instant::now() >= until {
                return silent;
            }
            if self.wait(true).is_err() {
                return false;
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
