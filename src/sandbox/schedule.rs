//! Which program's time has come, and which is over: the state of a plan's
//! programs. Looks at nothing outside; the supervisor tells it what happened.

use std::time::Instant;

use crate::savefile::{Program, Protocol};
use crate::scenario::{After, Ready};

use super::plan::PlannedProgram;
use super::program::{Outputs, Running};

pub enum Phase {
    /// It waits for its `after`.
    Pending,
    Running(Box<Running>),
    Over,
}

/// One program of the plan.
pub struct Slot<'a> {
    pub plan: &'a PlannedProgram,
    pub phase: Phase,
    pub result: Program,
    /// What it and all that it forked write.
    pub outputs: Outputs,
    /// It was seen ready, since when it stays so.
    pub ready: bool,
    /// Since when it has rested with another port open than the one that others
    /// wait for.
    pub elsewhere_since: Option<Instant>,
    /// It will not open the port that others wait for.
    pub elsewhere: bool,
    /// What it was doing when time was up.
    pub doing: Option<String>,
}

impl Slot<'_> {
    pub fn running(&mut self) -> Option<&mut Running> {
        match &mut self.phase {
            Phase::Running(running) => Some(running),
            _ => None,
        }
    }

    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }

    /// Those that wait for it need wait no longer.
    pub fn counts_as_ready(&self) -> bool {
        self.ready || self.elsewhere
    }

    /// It never ends by itself, and so nobody waits for its end.
    pub fn is_background(&self) -> bool {
        self.plan.stop.is_some()
    }
}

impl<'a> Slot<'a> {
    fn new(plan: &'a PlannedProgram) -> Slot<'a> {
        Slot {
            plan,
            phase: Phase::Pending,
            result: Program {
                role: plan.role.clone(),
                argv: plan
                    .argv
                    .iter()
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect(),
                ..Program::default()
            },
            outputs: Outputs::default(),
            ready: false,
            elsewhere_since: None,
            elsewhere: false,
            doing: None,
        }
    }
}

/// All programs of the plan.
pub struct Schedule<'a> {
    pub slots: Vec<Slot<'a>>,
    /// Nothing more is started: the run's time is over, or it was broken off.
    pub closed: bool,
}

impl<'a> Schedule<'a> {
    pub fn new(programs: &'a [PlannedProgram]) -> Schedule<'a> {
        Schedule {
            slots: programs.iter().map(Slot::new).collect(),
            closed: false,
        }
    }

    pub fn running(&mut self, index: usize) -> Option<&mut Running> {
        self.slots.get_mut(index).and_then(Slot::running)
    }

    pub fn any_running(&self) -> bool {
        self.slots.iter().any(Slot::is_running)
    }

    /// The programs to start now.
    pub fn due(&self) -> Vec<usize> {
        (0..self.slots.len()).filter(|i| self.is_due(*i)).collect()
    }

    fn is_due(&self, index: usize) -> bool {
        let Some(slot) = self.slots.get(index) else {
            return false;
        };
        if self.closed || !matches!(slot.phase, Phase::Pending) {
            return false;
        }
        match &slot.plan.after {
            None => true,
            Some(After::Ready(role)) => self.slot_of(role).is_some_and(Slot::counts_as_ready),
            Some(After::Exit(role)) => self
                .slot_of(role)
                .is_some_and(|s| matches!(s.phase, Phase::Over)),
        }
    }

    fn slot_of(&self, role: &str) -> Option<&Slot<'_>> {
        self.slots.iter().find(|slot| slot.plan.role == role)
    }

    /// A program waits until a running one is ready.
    pub fn someone_waits_for_readiness(&self) -> bool {
        self.slots.iter().any(|slot| {
            matches!(slot.phase, Phase::Pending)
                && matches!(&slot.plan.after, Some(After::Ready(role))
                    if self.slot_of(role).is_some_and(|s| s.is_running() && !s.counts_as_ready()))
        })
    }

    /// Every program that ends by itself has ended, or can no longer start.
    pub fn foreground_is_over(&self) -> bool {
        self.slots.iter().all(|slot| match &slot.phase {
            Phase::Over => true,
            Phase::Running(_) => slot.is_background(),
            Phase::Pending => !self.may_still_start(slot),
        })
    }

    /// Could what a pending program waits for still come true before the
    /// background is stopped?
    fn may_still_start(&self, slot: &Slot<'_>) -> bool {
        if self.closed {
            return false;
        }
        let awaited = match &slot.plan.after {
            None => return true,
            Some(After::Ready(role) | After::Exit(role)) => self.slot_of(role),
        };
        let Some(awaited) = awaited else {
            return false;
        };
        match (&slot.plan.after, &awaited.phase) {
            (Some(After::Ready(_)), Phase::Running(_)) => true,
            // A server that is only ended by us: the one that waits for its
            // end is started after that.
            (Some(After::Exit(_)), Phase::Running(_)) => !awaited.is_background(),
            (_, Phase::Over) => {
                matches!(slot.plan.after, Some(After::Exit(_))) || awaited.counts_as_ready()
            }
            (_, Phase::Pending) => self.may_still_start(awaited),
            (None, _) => true,
        }
    }

    /// All running foreground programs are of the kind that ends by waiting.
    pub fn only_waiters_are_left(&self) -> bool {
        let mut waiters = self
            .slots
            .iter()
            .filter(|slot| slot.is_running() && !slot.is_background())
            .peekable();
        waiters.peek().is_some() && waiters.all(|slot| slot.plan.ends_waiting)
    }

    /// Why a program never started, or what kept others waiting for it.
    /// `opened` tells the ports that a role opened: "it opened no port".
    pub fn note_for(&self, index: usize, opened: &dyn Fn(&str) -> String) -> Option<String> {
        let slot = self.slots.get(index)?;
        match (&slot.phase, &slot.plan.after) {
            (Phase::Pending, Some(After::Ready(role))) => {
                let awaited = self.slot_of(role);
                let wanted = awaited.and_then(|s| s.plan.ready);
                let mut note = format!(
                    "not started: it waited until {role} {}",
                    port_opened(wanted, opened(role))
                );
                if let Some(doing) = awaited.and_then(|s| s.doing.as_ref()) {
                    note += &format!(". When time was up, {role} was {doing}");
                }
                Some(note)
            }
            (Phase::Pending, Some(After::Exit(role))) => Some(format!(
                "not started: it waited for the end of {role}, which did not come"
            )),
            (Phase::Pending, None) => Some("not started: the run was broken off before".into()),
            _ if slot.plan.ready.is_some() && !slot.ready && slot.result.start_error.is_none() => {
                let role = &slot.plan.role;
                Some(format!(
                    "it was expected that {role} {}",
                    port_opened(slot.plan.ready, opened(role))
                ))
            }
            _ if slot.doing.is_some() => {
                let doing = slot.doing.as_deref().unwrap_or_default();
                Some(format!("When time was up, {} was {doing}.", slot.plan.role))
            }
            _ => None,
        }
    }
}

/// "listens on TCP port 12000; it opened TCP port 12001 instead". `opened` is that
/// last part.
fn port_opened(wanted: Option<Ready>, opened: String) -> String {
    let wanted = wanted.map_or_else(
        || "listens on a port".to_string(),
        |r| format!("listens on {} port {}", protocol_name(r.protocol), r.port),
    );
    format!("{wanted}; {opened}")
}

/// As people write it.
pub fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    }
}
