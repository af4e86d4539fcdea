//! `exactly` and `in order`: a depth-first search for the first assignment.
//!
//! A state is: the node of the program in question, how many events its step
//! has, and from which event on it looks. From a step three ways lead on: the
//! step takes the event; the step has enough and the next node is asked; the
//! event is left out (in order: always; exactly: where another event accounts
//! for it). From a choice, each of its branches. States that failed are
//! remembered, so that each is tried once.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::fits::{Context, Timing};
use super::program::{Node, NodeIndex, Program};
use super::{Divergence, Found, Names, Taken};
use crate::expect::ast::{Scope, Sequence, Step};
use crate::expect::event::{Event, EventIndex};
use crate::savefile::Timestamp;

/// How many times an event is held against a step before a sequence is too
/// complex: a few seconds' worth.
const MAX_WORK: usize = 50_000_000;

/// What a new state costs, in the same measure. It also bounds the memory for
/// those that were tried: a million.
const STATE: usize = 50;

/// What steps ask about those before them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Asked {
    /// A `within` of the step before.
    previous: bool,
    /// Names in a `within` or a `where`.
    names: BTreeSet<String>,
}

/// Finds the first assignment of the steps to the events in `scope`.
pub fn find(
    sequence: &Sequence,
    context: &Context<'_>,
    scope: &[EventIndex],
    known: &Names,
    exactly: bool,
) -> Found {
    let steps: Vec<&Step> = sequence.steps.iter().map(|s| &s.value).collect();
    let program = Program::new(&sequence.items);
    Search {
        asked: asked(&program, &steps),
        program,
        earliest: if steps.iter().any(|s| s.within.is_some()) {
            earliest(context.events, scope)
        } else {
            Vec::new()
        },
        steps,
        context,
        scope,
        exactly,
        of_message: matches!(sequence.scope, Some(Scope::Message(_))),
        tried: HashSet::new(),
        tried_from: HashMap::new(),
        left_out_until: if exactly {
            left_out_until(context, scope)
        } else {
            HashMap::new()
        },
        work: 0,
    }
    .run(known)
}

/// Where the search stands. Two equal states have equal futures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    node: NodeIndex,
    /// How many events the step has; not counted beyond what matters.
    count: u32,
    /// Position in the scope of the next event.
    at: usize,
    /// The event taken last, where a `within` may ask.
    previous: Option<EventIndex>,
    /// What steps are called, where a later step may ask.
    names: Names,
    /// Events that others must account for, while that is still open.
    left_out: Vec<EventIndex>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Take,
    NextStep,
    LeaveOut,
    /// Of a choice: the branch of this number.
    Branch(usize),
}

/// A place on the path, and the way to try next from it.
struct Place {
    state: State,
    way: Way,
    /// What the step took to get here from the place before.
    taken: Option<Taken>,
    /// In order: from this event on, the state was tried before.
    tried_from: usize,
}

enum Next {
    Deeper(Place),
    /// Ask the same place again.
    Here,
    DeadEnd,
}

/// How far an attempt came: the greater, the further.
type Rank = (usize, usize, u32);

struct Search<'s, 't> {
    program: Program,
    steps: Vec<&'s Step>,
    context: &'s Context<'t>,
    scope: &'s [EventIndex],
    exactly: bool,
    /// Of one HTTP message: what a run has of others does not matter.
    of_message: bool,
    /// For each node, what it and those behind it ask about earlier steps.
    asked: Vec<Asked>,
    /// From each place in the scope on, the earliest time; where a `within` asks.
    earliest: Vec<Timestamp>,
    /// Exactly: the states that were tried.
    tried: HashSet<State>,
    /// In order: the earliest event from which a state was tried. What fails
    /// from an event on also fails from each later one.
    tried_from: HashMap<State, usize>,
    /// Until which event it matters that an event was left out.
    left_out_until: HashMap<EventIndex, EventIndex>,
    work: usize,
}

/// Has the step been found as often as it may be?
fn has_all(step: &Step, count: u32) -> bool {
    step.times.max.is_some_and(|max| count >= max)
}

impl Search<'_, '_> {
    fn run(mut self, known: &Names) -> Found {
        let mut start = State {
            node: self.program.start,
            count: 0,
            at: 0,
            previous: None,
            names: known.clone(),
            left_out: Vec::new(),
        };
        self.forget_unasked(&mut start);
        let mut path = Vec::new();
        path.extend(self.place(start, None));
        let mut furthest: Option<(Rank, Divergence)> = None;
        while let Some(place) = path.last_mut() {
            if place.state.node == Program::END && self.may_end(&mut place.state) {
                return Found::Matched(path.iter().filter_map(|p| p.taken).collect());
            }
            if self.work > MAX_WORK {
                return Found::TooComplex;
            }
            match self.next(place) {
                Next::Deeper(next) => path.push(next),
                Next::Here => {}
                Next::DeadEnd => {
                    let state = place.state.clone();
                    self.came_to(&state, &path, &mut furthest);
                    path.pop();
                }
            }
        }
        match furthest {
            Some((_, divergence)) => Found::Diverged(divergence),
            None => Found::TooComplex,
        }
    }

    /// Remembers the places that are furthest from the start.
    fn came_to(&self, state: &State, path: &[Place], furthest: &mut Option<(Rank, Divergence)>) {
        let step = match self.program.node(state.node) {
            Some(Node::Step { step, .. }) => Some(*step),
            // Its branches were asked.
            Some(Node::Choice(_)) => return,
            None => None,
        };
        let rank = self.rank(state);
        match furthest {
            Some((best, divergence)) if rank == *best => {
                if let Some(other) = step
                    && divergence.step.is_some_and(|step| step != other)
                    && !divergence.or.contains(&other)
                {
                    divergence.or.push(other);
                }
            }
            Some((best, _)) if rank < *best => {}
            _ => *furthest = Some((rank, self.divergence(state, step, path))),
        }
    }

    /// The next way from a place.
    fn next(&mut self, place: &mut Place) -> Next {
        let (step, behind) = match self.program.node(place.state.node) {
            Some(Node::Step { step, next }) => match self.steps.get(*step).copied() {
                Some(step) => (step, *next),
                None => return Next::DeadEnd,
            },
            Some(Node::Choice(branches)) => {
                let number = match place.way {
                    Way::Branch(number) => number,
                    _ => 0,
                };
                let Some(&branch) = branches.get(number) else {
                    return Next::DeadEnd;
                };
                place.way = Way::Branch(number + 1);
                return self.go_to(branch, &place.state);
            }
            None => return Next::DeadEnd,
        };
        let state = &place.state;
        match place.way {
            Way::Take | Way::Branch(_) => {
                place.way = Way::NextStep;
                self.take(step, state)
                    .and_then(|(next, taken)| self.place(next, Some(taken)))
                    .map_or(Next::Here, Next::Deeper)
            }
            Way::NextStep => {
                place.way = Way::LeaveOut;
                if state.count < step.times.min {
                    return Next::Here;
                }
                self.go_to(behind, &place.state)
            }
            // What comes behind may leave out as much. To look for more here took a time
            // that grew with the square of the events.
            Way::LeaveOut if !self.exactly && has_all(step, place.state.count) => Next::DeadEnd,
            Way::LeaveOut => {
                // In place: leaving out needs no way back.
                place.way = Way::Take;
                let goes_on = if self.exactly {
                    self.leave_out(&mut place.state) && self.is_new(&place.state)
                } else {
                    self.scan(step, place)
                };
                if goes_on { Next::Here } else { Next::DeadEnd }
            }
        }
    }

    /// Asks another node about the same event.
    fn go_to(&mut self, node: NodeIndex, state: &State) -> Next {
        let mut next = State {
            node,
            count: 0,
            ..state.clone()
        };
        self.forget_unasked(&mut next);
        self.place(next, None).map_or(Next::Here, Next::Deeper)
    }

    /// In order: goes on to the next event that the step can take.
    fn scan(&mut self, step: &Step, place: &mut Place) -> bool {
        while self.leave_out(&mut place.state) {
            if place.state.at >= place.tried_from || self.work > MAX_WORK {
                return false;
            }
            self.work += 1;
            if self.is_over(step, &place.state) {
                return false;
            }
            let Some(&index) = self.scope.get(place.state.at) else {
                return false;
            };
            if !self.context.may_fit(step, index) {
                continue;
            }
            let event = self.context.events.get(index);
            if event.is_some_and(|e| self.context.fits(step, e, &place.state.names)) {
                return true;
            }
        }
        false
    }

    /// Exactly: remembers a state; false for one that was tried before.
    fn is_new(&mut self, state: &State) -> bool {
        self.work += STATE;
        self.tried.insert(state.clone())
    }

    /// A place for a state; None for a state that was tried before.
    fn place(&mut self, state: State, taken: Option<Taken>) -> Option<Place> {
        let mut tried_from = usize::MAX;
        if self.exactly {
            if !self.is_new(&state) {
                return None;
            }
        } else {
            self.work += STATE;
            let key = State {
                at: 0,
                ..state.clone()
            };
            let earliest = self.tried_from.entry(key).or_insert(usize::MAX);
            if *earliest <= state.at {
                return None;
            }
            tried_from = std::mem::replace(earliest, state.at);
        }
        Some(Place {
            state,
            way: Way::Take,
            taken,
            tried_from,
        })
    }

    /// The step takes the event at hand.
    fn take(&self, step: &Step, state: &State) -> Option<(State, Taken)> {
        if has_all(step, state.count) {
            return None;
        }
        let index = *self.scope.get(state.at)?;
        let event = self.context.events.get(index)?;
        let timing = Timing {
            previous: state.previous,
            names: &state.names,
            ordered: true,
        };
        let within = step.within.as_ref().map(|w| &w.value);
        if !self.context.fits(step, event, &state.names)
            || !self.context.in_time(within, event, timing)
        {
            return None;
        }
        let mut next = state.clone();
        next.at += 1;
        // Without an upper bound, more than enough is the same as enough.
        let most = step.times.max.unwrap_or(step.times.min);
        next.count = (state.count + 1).min(most);
        next.previous = Some(index);
        next.names.bind(self.context.trace, step, event);
        self.forget_unasked(&mut next);
        self.forget_left_out(&mut next);
        let taken = match self.program.node(state.node) {
            Some(Node::Step { step, .. }) => Taken {
                step: *step,
                event: index,
            },
            _ => return None,
        };
        Some((next, taken))
    }

    /// What no step to come asks for need not tell states apart.
    fn forget_unasked(&self, state: &mut State) {
        let Some(asked) = self.asked.get(state.node) else {
            (state.previous, state.names) = (None, Names::default());
            return;
        };
        if !asked.previous {
            state.previous = None;
        }
        state.names.retain(|name| asked.names.contains(name));
    }

    /// No event from here on is early enough for the step's `within`.
    fn is_over(&self, step: &Step, state: &State) -> bool {
        let within = step.within.as_ref().map(|w| &w.value);
        let timing = Timing {
            previous: state.previous,
            names: &state.names,
            ordered: true,
        };
        let since = within.and_then(|w| self.context.measured_from(w, timing));
        match (within, since, self.earliest.get(state.at)) {
            (Some(within), Some(since), Some(earliest)) => earliest.since(since) > within.limit,
            _ => false,
        }
    }

    /// Leaves out the event at hand, where that is allowed.
    fn leave_out(&self, state: &mut State) -> bool {
        let Some(&index) = self.scope.get(state.at) else {
            return false;
        };
        if self.exactly {
            let Some(event) = self.context.events.get(index) else {
                return false;
            };
            if !event.is_silent() && !event.after_stop {
                if !self.is_accounted_for(index, state) {
                    return false;
                }
                state.left_out.push(index);
            }
        }
        state.at += 1;
        self.forget_left_out(state);
        true
    }

    /// Other events account for this one: those behind us are named, those to
    /// come must be, and nothing that was left out relies on this one.
    fn is_accounted_for(&self, index: EventIndex, state: &State) -> bool {
        let relied_on = state
            .left_out
            .iter()
            .any(|&left| self.context.covered_by(left).contains(&index));
        let covered_by = self.context.covered_by(index);
        let is_here = |other: &EventIndex| self.scope.binary_search(other).is_ok();
        !relied_on
            && covered_by.iter().any(is_here)
            && covered_by
                .iter()
                .all(|other| !state.left_out.contains(other) && (self.of_message || is_here(other)))
    }

    /// What can no longer matter need not tell states apart.
    fn forget_left_out(&self, state: &mut State) {
        if state.left_out.is_empty() {
            return;
        }
        let Some(now) = self.scope.get(state.at) else {
            state.left_out.clear();
            return;
        };
        state.left_out.retain(|left| {
            self.left_out_until
                .get(left)
                .is_some_and(|until| until >= now)
        });
    }

    /// With all steps done: may the rest of the events be left out?
    fn may_end(&self, state: &mut State) -> bool {
        if !self.exactly {
            return true;
        }
        while state.at < self.scope.len() {
            if !self.leave_out(state) {
                return false;
            }
        }
        true
    }

    fn rank(&self, state: &State) -> Rank {
        let progress = self.program.progress(state.node);
        if self.exactly {
            // The furthest on the wire; there, the step that had to come.
            (state.at, progress, state.count)
        } else {
            (progress, state.count as usize, 0)
        }
    }

    fn divergence(&self, state: &State, step: Option<usize>, path: &[Place]) -> Divergence {
        Divergence {
            taken: path.iter().filter_map(|p| p.taken).collect(),
            step,
            or: Vec::new(),
            count: state.count,
            event: self
                .exactly
                .then(|| self.scope.get(state.at).copied())
                .flatten(),
        }
    }
}

/// For each node, what it and the nodes behind it ask about earlier steps. A
/// circle asks what any of its nodes does.
fn asked(program: &Program, steps: &[&Step]) -> Vec<Asked> {
    let own: Vec<Asked> = steps.iter().map(|step| asked_by(step)).collect();
    let mut asked = vec![Asked::default(); program.len()];
    loop {
        let mut changed = false;
        // Nodes point to earlier ones, but for the choice of a circle.
        for (index, node) in program.nodes() {
            let (mut now, behind) = match node {
                Node::Step { step, next } => (
                    own.get(*step).cloned().unwrap_or_default(),
                    std::slice::from_ref(next),
                ),
                Node::Choice(ways) => (Asked::default(), ways.as_slice()),
            };
            for other in behind.iter().filter_map(|&next| asked.get(next)) {
                now.previous |= other.previous;
                now.names.extend(other.names.iter().cloned());
            }
            if let Some(place) = asked.get_mut(index)
                && *place != now
            {
                *place = now;
                changed = true;
            }
        }
        if !changed {
            return asked;
        }
    }
}

fn asked_by(step: &Step) -> Asked {
    let within = step.within.as_ref();
    let mut asked = Asked {
        previous: within.is_some_and(|within| within.value.of.is_none()),
        names: BTreeSet::new(),
    };
    step.names(&mut |name| {
        asked.names.insert(name.to_owned());
    });
    asked
}

/// From each place in the scope on, the earliest time.
fn earliest(events: &[Event], scope: &[EventIndex]) -> Vec<Timestamp> {
    let mut so_far = Timestamp(i64::MAX);
    let mut earliest: Vec<Timestamp> = scope
        .iter()
        .rev()
        .map(|&e| {
            so_far = events.get(e).map_or(so_far, |e| e.time.min(so_far));
            so_far
        })
        .collect();
    earliest.reverse();
    earliest
}

/// Until which event it matters whether an event was left out: the last one
/// that accounts for it or that it accounts for.
fn left_out_until(context: &Context<'_>, scope: &[EventIndex]) -> HashMap<EventIndex, EventIndex> {
    let mut until: HashMap<EventIndex, EventIndex> = HashMap::new();
    for &index in scope {
        for &other in context.covered_by(index) {
            for (one, two) in [(index, other), (other, index)] {
                let last = until.entry(one).or_insert(two);
                *last = two.max(*last);
            }
        }
    }
    until
}
