//! `any order`: every step has its own events, in whatever order they came.
//!
//! First each step gets events without regard to what ties steps together
//! (`within`, `after`, names in `where`), by augmenting paths: that finds an assignment
//! whenever there is one. Only where steps are tied, a bounded search follows.
//!
//! The steps still bind and measure in the order of the text: `within` bounds
//! the distance to what it names, before or after.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use super::fits::{Context, Timing};
use super::{Divergence, Found, Names, Taken, candidates, speaks_of_others};
use crate::expect::ast::{Sequence, Step};
use crate::expect::event::EventIndex;

/// How many choices are tried before a sequence is too complex.
const MAX_WORK: usize = 300_000;

/// How many pairs of a needed event and an event there may be.
const MAX_ASSIGNMENT: usize = 500_000_000;

/// Finds events in `scope` for all steps.
pub fn find(
    sequence: &Sequence,
    context: &Context<'_>,
    scope: &[EventIndex],
    known: &Names,
) -> Found {
    let steps: Vec<&Step> = sequence.steps.iter().map(|s| &s.value).collect();
    let tied = steps
        .iter()
        .any(|step| step.within.is_some() || speaks_of_others(step));
    let mut slots = Vec::new();
    for (step, wanted) in steps.iter().enumerate() {
        // More slots than events need not be filled to know that it fails.
        let needed = (wanted.times.min as usize).min(scope.len() + 1);
        slots.extend(std::iter::repeat_n(step, needed));
    }
    if slots.len().saturating_mul(scope.len()) > MAX_ASSIGNMENT {
        return Found::TooComplex;
    }
    let candidates: Vec<Vec<EventIndex>> = steps
        .iter()
        .map(|step| candidates(step, context, scope))
        .collect();
    let assigned = match assign(&slots, &candidates) {
        Ok(assigned) => assigned,
        Err(divergence) => return Found::Diverged(divergence),
    };
    if tied {
        return Tied {
            steps: &steps,
            slots: &slots,
            candidates: &candidates,
            context,
            known,
            work: 0,
            best: Vec::new(),
        }
        .run();
    }
    Found::Matched(assigned)
}

/// An event for each slot, none twice.
fn assign(slots: &[usize], candidates: &[Vec<EventIndex>]) -> Result<Vec<Taken>, Divergence> {
    // Which slot has an event.
    let mut owner: HashMap<EventIndex, usize> = HashMap::new();
    for slot in 0..slots.len() {
        if !augment(slot, slots, candidates, &mut owner) {
            let step = slots.get(slot).copied();
            let taken = taken(slots, &owner);
            let count = taken.iter().filter(|t| Some(t.step) == step).count();
            return Err(Divergence {
                taken,
                step,
                or: Vec::new(),
                count: u32::try_from(count).unwrap_or(u32::MAX),
                event: None,
            });
        }
    }
    Ok(taken(slots, &owner))
}

fn taken(slots: &[usize], owner: &HashMap<EventIndex, usize>) -> Vec<Taken> {
    let taken = owner.iter().filter_map(|(&event, &slot)| {
        let step = *slots.get(slot)?;
        Some(Taken { step, event })
    });
    let mut taken: Vec<Taken> = taken.collect();
    taken.sort_by_key(|taken| taken.event);
    taken
}

/// Finds an event for a slot, moving other slots to other events where needed:
/// breadth-first, so that no depth of the search can overflow the stack.
fn augment(
    slot: usize,
    slots: &[usize],
    candidates: &[Vec<EventIndex>],
    owner: &mut HashMap<EventIndex, usize>,
) -> bool {
    let mut reached_by: HashMap<EventIndex, usize> = HashMap::new();
    let mut queue = VecDeque::from([slot]);
    // Slots of one step are alike: looking at one of them is enough.
    let mut looked_at = HashSet::new();
    let event_of: HashMap<usize, EventIndex> =
        owner.iter().map(|(&event, &slot)| (slot, event)).collect();
    while let Some(current) = queue.pop_front() {
        let Some(&step) = slots.get(current) else {
            continue;
        };
        if !looked_at.insert(step) {
            continue;
        }
        for &event in candidates.get(step).into_iter().flatten() {
            match reached_by.entry(event) {
                Entry::Vacant(place) => place.insert(current),
                Entry::Occupied(_) => continue,
            };
            match owner.get(&event) {
                Some(&other) => queue.push_back(other),
                None => {
                    shift(event, slot, &reached_by, &event_of, owner);
                    return true;
                }
            }
        }
    }
    false
}

/// Gives the free event to the slot that reached it, that slot's event to the
/// slot that reached that, and so on back to the slot that had none.
fn shift(
    free: EventIndex,
    slot: usize,
    reached_by: &HashMap<EventIndex, usize>,
    event_of: &HashMap<usize, EventIndex>,
    owner: &mut HashMap<EventIndex, usize>,
) {
    let mut event = free;
    while let Some(&by) = reached_by.get(&event) {
        owner.insert(event, by);
        match event_of.get(&by) {
            Some(&given_up) if by != slot => event = given_up,
            _ => return,
        }
    }
}

/// The search where `within` and names tie steps together.
struct Tied<'s, 't> {
    steps: &'s [&'s Step],
    slots: &'s [usize],
    candidates: &'s [Vec<EventIndex>],
    context: &'s Context<'t>,
    known: &'s Names,
    work: usize,
    /// The longest assignment of the first slots.
    best: Vec<EventIndex>,
}

impl Tied<'_, '_> {
    fn run(mut self) -> Found {
        let mut chosen: Vec<EventIndex> = Vec::new();
        // What steps are called, for each of the chosen.
        let mut names: Vec<Names> = Vec::new();
        // For each slot, which of its candidates comes next.
        let mut cursors = vec![0];
        while let Some(cursor) = cursors.last_mut() {
            if chosen.len() == self.slots.len() {
                return Found::Matched(self.taken(&chosen));
            }
            self.work += 1;
            if self.work > MAX_WORK {
                return Found::TooComplex;
            }
            let slot = chosen.len();
            let candidates = self
                .slots
                .get(slot)
                .and_then(|&step| self.candidates.get(step));
            match candidates.and_then(|c| c.get(*cursor)).copied() {
                Some(event) => {
                    *cursor += 1;
                    let previous = chosen.last().copied();
                    let known = names.last().unwrap_or(self.known);
                    if !chosen.contains(&event) && self.is_allowed(slot, event, previous, known) {
                        let named = self.named(slot, event, known.clone());
                        names.push(named);
                        chosen.push(event);
                        cursors.push(0);
                        if chosen.len() > self.best.len() {
                            self.best.clone_from(&chosen);
                        }
                    }
                }
                None => {
                    cursors.pop();
                    chosen.pop();
                    names.pop();
                }
            }
        }
        let step = self.slots.get(self.best.len()).copied();
        let taken = self.taken(&self.best);
        let count = taken.iter().filter(|t| Some(t.step) == step).count();
        Found::Diverged(Divergence {
            taken,
            step,
            or: Vec::new(),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            event: None,
        })
    }

    /// The names that hold once a slot has its event.
    fn named(&self, slot: usize, index: EventIndex, mut names: Names) -> Names {
        let step = self.slots.get(slot).and_then(|&step| self.steps.get(step));
        if let (Some(step), Some(event)) = (step, self.context.events.get(index)) {
            names.bind(self.context.trace, step, event);
        }
        names
    }

    fn taken(&self, chosen: &[EventIndex]) -> Vec<Taken> {
        self.slots
            .iter()
            .zip(chosen)
            .map(|(&step, &event)| Taken { step, event })
            .collect()
    }

    fn is_allowed(
        &self,
        slot: usize,
        event: EventIndex,
        previous: Option<EventIndex>,
        names: &Names,
    ) -> bool {
        let step = self.slots.get(slot).and_then(|&step| self.steps.get(step));
        let (Some(step), Some(event)) = (step, self.context.events.get(event)) else {
            return false;
        };
        let timing = Timing {
            previous,
            names,
            ordered: false,
        };
        let within = step.within.as_ref().map(|w| &w.value);
        let in_order = step.order.iter().all(|order| {
            // What it stands to was optional and did not happen.
            names.get(&order.value.of).is_none_or(|other| {
                let (one, two) = (event.packet(), other.completed);
                if order.value.before {
                    one < two
                } else {
                    one > two
                }
            })
        });
        in_order
            && self.context.fits(step, event, names)
            && self.context.in_time(within, event, timing)
    }
}
