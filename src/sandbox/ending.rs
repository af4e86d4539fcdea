//! How programs come to their ends: by themselves, by our signals, at their time's
//! end; and what is noted of it.

use std::time::{Duration, Instant};

use rustix::process::{Signal, WaitOptions};

use super::doing::doing;
use super::program::signal_of;
use super::schedule::{Phase, Slot, protocol_name};
use super::supervise::{GRACE, Supervisor, has_hung_up, to_pid};
use super::tasks::Activity;
use crate::savefile::{Ended, Protocol};

/// How long the wire may take to fall silent behind the end of a run's time: a
/// server answers the end of a client that was killed then. A Java VM beside other
/// work needs more than half a second for its last words. A wire that falls silent
/// sooner ends the wait.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Supervisor<'_> {
    pub(super) fn stop_background(&mut self) {
        self.stop_sent = true;
        self.signal_where(|slot| slot.is_background(), Ended::Stopped);
    }

    pub(super) fn end_waiters(&mut self) {
        self.signal_where(|slot| !slot.is_background(), Ended::Waiting);
    }

    /// Marks the capture and sends each chosen running program its stop signal.
    pub(super) fn signal_where(&mut self, chosen: impl Fn(&Slot<'_>) -> bool, why: Ended) {
        if !self
            .schedule
            .slots
            .iter()
            .any(|s| s.is_running() && chosen(s))
        {
            return;
        }
        let captured = self.capture.mark();
        for (index, slot) in self.schedule.slots.iter_mut().enumerate() {
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
                if running.is_in_background() {
                    self.owners.signal_askers(index, signal);
                }
                running.kill_at = Some(Instant::now() + GRACE);
            }
        }
    }

    pub(super) fn interrupt(&mut self) {
        if self.interrupted {
            return;
        }
        self.interrupted = true;
        self.schedule.closed = true;
        self.stop_sent = true;
        self.signal_where(|_| true, Ended::Interrupted);
    }

    /// Notes the programs that have ended.
    pub(super) fn reap(&mut self) {
        for (index, slot) in self.schedule.slots.iter_mut().enumerate() {
            let background = slot.is_background();
            let Some(running) = slot.running() else {
                continue;
            };
            let Ok(Some(end)) = running.try_end() else {
                continue;
            };
            let mut listeners = self.listeners.iter();
            let lives_on = background
                && listeners.any(|(of, listener)| *of == index && !has_hung_up(listener));
            if lives_on && running.goes_on(end) {
                continue;
            }
            self.orphans_until = Some(Instant::now() + GRACE);
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
    pub(super) fn check_times(&mut self) {
        let now = Instant::now();
        let over = now >= self.deadline || self.capture.failed();
        if over && !self.schedule.closed {
            self.schedule.closed = true;
            self.quiet_until = now + LAST_WORDS;
        }
        let over = self.schedule.closed;
        let late = |slot: &Slot<'_>| {
            !slot.is_background()
                && matches!(&slot.phase, Phase::Running(r)
                    if r.kill_at.is_none() && (over || now >= r.started + slot.plan.timeout))
        };
        for slot in &mut self.schedule.slots {
            let unready = over && slot.is_background() && !slot.counts_as_ready();
            if let Phase::Running(running) = &slot.phase
                && (late(slot) || unready)
                && slot.doing.is_none()
            {
                slot.doing = doing(&self.proc, running.pid());
            }
        }
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
        // Quiet or not: what never ends by itself is ended then.
        let no_more = now >= self.quiet_until || self.capture.failed();
        if over && no_more && !self.stop_sent && self.schedule.foreground_is_over() {
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
    pub(super) fn check_memory(&mut self) {
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
            // Its number may be another's by now.
            if running.is_in_background() {
                continue;
            }
            if let Some(family) = warden.too_large(&self.proc, running.pid()) {
                running.kill_as_kernel();
                kill(family);
                slot.result.note.get_or_insert_with(|| warden.note());
            }
        }
        // What lost its parent is nobody's any more, but not beyond bounds.
        if let Some(init) = self.init
            && let Some(family) = warden.too_large(&self.proc, init)
        {
            kill(family.into_iter().filter(|pid| *pid != init).collect());
        }
    }

    /// Without a PID namespace: kills the programs and their groups.
    pub(super) fn kill_all(&mut self) {
        for slot in &mut self.schedule.slots {
            if let Some(running) = slot.running() {
                running.signal(Signal::KILL, Ended::Stopped);
            }
        }
    }

    /// Without a PID namespace: what the programs left behind has become our
    /// child. Each that is ended may leave us its own.
    pub(super) fn end_orphans(&self) {
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
    pub(super) fn finish(&mut self) {
        for slot in &mut self.schedule.slots {
            if let Some(running) = slot.running() {
                running.await_end();
            }
        }
        self.reap();
    }

    /// Tells of each program what its end does not: why it never started, which
    /// ports it opened. For that every socket's end must be known.
    pub(super) fn note(&mut self) {
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

    /// "it opened TCP port 12001, UDP port 53 instead".
    fn opened_ports(&self, role: &str) -> String {
        let slots = &self.schedule.slots;
        let (sockets, went) = match slots.iter().position(|s| s.plan.role == role) {
            Some(index) => (
                self.owners.sockets_of(index),
                slots.get(index).and_then(|slot| slot.result.ended) == Some(Ended::ByItself),
            ),
            None => (Vec::new(), false),
        };
        // Of one that is gone again nobody knows what came after the last look.
        let unheard = match went {
            true => "bound, but not seen listening",
            false => "bound, but without listen",
        };
        // A port that the kernel chose for a connection is none that it opened.
        let chosen = super::network::ephemeral_ports().unwrap_or((u16::MAX, u16::MAX));
        let (mut ports, mut connects) = (Vec::new(), false);
        for socket in &sockets {
            let port = socket.local.port();
            let name = format!("{} port {port}", protocol_name(socket.protocol));
            let is_chosen = (chosen.0..=chosen.1).contains(&port);
            match socket.protocol {
                Protocol::Udp if socket.remote.is_none() => ports.push(name),
                Protocol::Tcp if socket.listening => ports.push(name),
                Protocol::Tcp if socket.remote.is_some() || is_chosen => connects = true,
                Protocol::Tcp => ports.push(format!("{name} ({unheard})")),
                Protocol::Udp => connects = true,
            }
        }
        ports.dedup();
        match (ports.is_empty(), connects) {
            (false, _) if went => format!("it opened {}, but ended by itself", ports.join(", ")),
            (false, _) => format!("it opened {} instead", ports.join(", ")),
            (true, false) => "it opened no port".to_owned(),
            (true, true) => {
                "it opened no port, but acted as a client: are the two programs swapped?".to_owned()
            }
        }
    }
}
