//! When the programs and the wire are at rest: a server is ready, nothing is under
//! way, nothing is left to be waited for. Read from the kernel.

use std::time::{Duration, Instant};

use super::error::EnvironmentError;
use super::plan::{Network, Streams};
use super::schedule::{Phase, Slot};
use super::sockets::{KernelSocket, State};
use super::supervise::{PAUSE_MIN, Supervisor, has_hung_up, now};
use super::tasks::Activity;
use crate::savefile::Protocol;
use crate::scenario::Ready;

/// How long the network may take to fall silent after the last program.
const SETTLE: Duration = Duration::from_secs(3);
/// How long a server must have rested with another port open than is waited for,
/// until that is taken for all that it opens.
const ELSEWHERE: Duration = Duration::from_millis(300);

impl Supervisor<'_> {
    /// What the programs forked has not come to rest yet, all of them being over.
    /// A command that has the terminal takes everything with it.
    pub(super) fn work_is_left(&mut self) -> Result<bool, EnvironmentError> {
        let waits = |slot: &Slot<'_>| !matches!(slot.plan.streams, Streams::Inherited { .. });
        Ok(!self.schedule.closed
            && self.schedule.slots.iter().all(waits)
            && self
                .orphans_until
                .is_some_and(|until| Instant::now() < until)
            && self
                .listeners
                .iter()
                .any(|(_, listener)| !has_hung_up(listener))
            && !self.is_quiet()?)
    }

    /// Is there work of orphans to be waited for: of a server in the background, or
    /// of what an ended program left behind, which has its time, also to wait for
    /// the other end of a connection?
    pub(super) fn orphans_are_busy(&self, sockets: &[KernelSocket]) -> bool {
        let slots = &self.schedule.slots;
        let in_background = slots.iter().any(
            |slot| matches!(&slot.phase, Phase::Running(running) if running.is_in_background()),
        );
        let in_time = self
            .orphans_until
            .is_some_and(|until| Instant::now() < until);
        let left_behind = in_time
            && self.listeners.iter().any(|(of, listener)| {
                slots
                    .get(*of)
                    .is_some_and(|slot| matches!(slot.phase, Phase::Over))
                    && !has_hung_up(listener)
            });
        let busy = |init| !self.proc.are_at_rest(&[init]);
        let connected = |socket: &KernelSocket| {
            socket.protocol == Protocol::Tcp
                && socket.state == State::Other
                && socket.remote.is_some()
        };
        ((in_background || left_behind) && self.init.is_some_and(busy))
            || (left_behind && sockets.iter().any(connected))
    }

    /// A server that has opened another port than the one that others wait for,
    /// and does nothing more, will not open it either.
    pub(super) fn note_elsewhere(&mut self, sockets: &[KernelSocket]) {
        let now = Instant::now();
        for index in 0..self.schedule.slots.len() {
            let opened = self.owners.ready_ports(index, sockets).next().is_some();
            let Some(slot) = self.schedule.slots.get_mut(index) else {
                continue;
            };
            let rests = opened
                && !slot.ready
                && slot.plan.ready.is_some()
                && matches!(&slot.phase, Phase::Running(running)
                    if self.proc.activity(running.pid()) != Activity::Busy);
            slot.elsewhere_since = match slot.elsewhere_since {
                _ if !rests => None,
                None => Some(now),
                Some(since) => {
                    slot.elsewhere |= now.duration_since(since) >= ELSEWHERE;
                    Some(since)
                }
            };
        }
    }

    pub(super) fn note_readiness(&mut self, sockets: &[KernelSocket]) {
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

    pub(super) fn waiters_are_blocked(&self) -> bool {
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
    /// program asleep at the same time: then nothing happens until we do something.
    /// The sockets are looked at twice, before and behind the programs.
    pub(super) fn is_quiet(&mut self) -> Result<bool, EnvironmentError> {
        let before = self.look_at_ours()?;
        if !before.iter().all(KernelSocket::is_quiet) {
            return Ok(false);
        }
        self.note_readiness(&before);
        // A server that was just started is given the time to open its port.
        let starts = |slot: &Slot<'_>| {
            slot.is_running()
                && slot.plan.ready.is_some()
                && !slot.counts_as_ready()
                && !self.schedule.closed
        };
        let in_foreground = |slot: &Slot<'_>| match &slot.phase {
            Phase::Running(running) if !running.is_in_background() => Some(running.pid()),
            _ => None,
        };
        let slots = &self.schedule.slots;
        let pids: Vec<u32> = slots.iter().filter_map(in_foreground).collect();
        if slots.iter().any(starts)
            || !self.proc.are_at_rest(&pids)
            || self.orphans_are_busy(&before)
        {
            return Ok(false);
        }
        let after = self.look_at_ours()?;
        Ok(before == after)
    }

    /// Waits until the network holds nothing but TIME_WAIT and every socket of
    /// every program is accounted for.
    pub(super) fn settle(&mut self) -> bool {
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
}
