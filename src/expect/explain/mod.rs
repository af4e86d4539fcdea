//! Why a sequence does not match: the step that found no event, the event that
//! comes nearest to it, what differs, and what that usually means.

mod difference;
mod distance;

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::advice;
use super::ast::{EventPattern, Mode, Scope, Sequence, Span, Spanned, Step, Unit};
use super::claim::World;
use super::event::{Event, EventIndex, EventKind};
use super::failures;
use super::matching::{self, Context, Difference, Divergence, Names, Timing};
use super::notation;
use super::outcome::Failure;
use super::wireshark::wireshark_filter;
use crate::savefile::Protocol;
use difference::late;
use distance::{EARLIER, Likeness, NEAR, SAME_KIND, distance, may_be_near};

/// A divergence, with everything that explaining it takes.
pub struct Explanation<'e, 't> {
    pub world: &'e World<'t>,
    pub context: Context<'e>,
    pub sequence: &'e Sequence,
    /// The whole statement's place.
    pub span: Span,
    pub scope: &'e [EventIndex],
    pub divergence: &'e Divergence,
}

/// How the wire parts from the sequence.
enum Parting {
    /// An event that no step names.
    Extra(EventIndex),
    /// The step's event was left out: the next step's is there already.
    Skipped(EventIndex),
    /// Something else stands where the step's event should.
    Other(EventIndex),
    /// The event came, but elsewhere in the order.
    Misplaced(EventIndex),
    /// It came, but too late or too early.
    Late(EventIndex, i64),
    /// The nearest event differs from the step.
    Near(EventIndex),
    /// Nothing like it.
    Nothing,
}

impl Parting {
    fn code(&self) -> &'static str {
        match self {
            Parting::Extra(_) => failures::UNNAMED,
            Parting::Skipped(_) => failures::SKIPPED,
            Parting::Other(_) => failures::OTHER,
            Parting::Misplaced(_) => failures::MISPLACED,
            Parting::Late(..) => failures::LATE,
            Parting::Near(_) => failures::NEAR,
            Parting::Nothing => failures::NOT_FOUND,
        }
    }

    fn event(&self) -> Option<EventIndex> {
        match self {
            Parting::Extra(e)
            | Parting::Skipped(e)
            | Parting::Other(e)
            | Parting::Misplaced(e)
            | Parting::Late(e, _)
            | Parting::Near(e) => Some(*e),
            Parting::Nothing => None,
        }
    }
}

impl<'e> Explanation<'e, '_> {
    /// The failure, and the indices of the packets that show it.
    pub fn failure(&self) -> (Failure, FixedBitSet) {
        let parting = self.parting();
        (self.told(&parting), self.evidence(&parting))
    }

    fn told(&self, parting: &Parting) -> Failure {
        let step = self.step();
        let wanted = step.map(|s| &s.value);
        let event = parting
            .event()
            .and_then(|e| self.event(self.other_name(e, wanted)));
        let exactly = self.sequence.mode == Mode::Exactly;
        let difference = match (parting, wanted, event) {
            (Parting::Late(_, elapsed), Some(step), _) => Some(late(step, *elapsed)),
            (Parting::Other(_) | Parting::Near(_), Some(step), Some(event)) => {
                self.difference(step, event)
            }
            _ => None,
        };
        let mut notes = advice::advise(&advice::Case {
            context: self.context,
            step: wanted,
            event,
            last: self.last_taken(),
            count: self.divergence.count,
            scoped: self.sequence.scope.is_some(),
        });
        notes.extend(self.usage(parting));
        Failure {
            code: parting.code(),
            message: self.message(parting),
            span: Some(match step {
                Some(step) => step.span.clone(),
                None => self
                    .sequence
                    .steps
                    .last()
                    .map_or_else(|| self.span.clone(), |s| s.span.clone()),
            }),
            expected: Some(match wanted {
                Some(step) => self.expected(step),
                None => "nothing more".to_owned(),
            }),
            actual: Some(match event {
                Some(event) => notation::event(&self.context, event, wanted),
                None if self.context.events.is_empty() => "nothing".to_owned(),
                None if exactly => "nothing more".to_owned(),
                None => "nothing like it".to_owned(),
            }),
            difference,
            diverges_at: event.and_then(|event| self.frame(parting, event)),
            wireshark_filter: self.wireshark_filter(event),
            notes,
        }
    }

    /// The step, and those of other branches that could have come instead.
    fn expected(&self, step: &Step) -> String {
        let others = self.divergence.or.iter();
        let others = others.filter_map(|&other| self.sequence.steps.get(other));
        std::iter::once(step)
            .chain(others.map(|other| &other.value))
            .map(notation::step)
            .collect::<Vec<_>>()
            .join("  |  ")
    }

    fn evidence(&self, parting: &Parting) -> FixedBitSet {
        let named = self.divergence.taken.iter().map(|t| t.event);
        named
            .chain(parting.event())
            .filter_map(|e| self.event(e))
            .flat_map(|e| e.packets.iter().copied())
            .collect()
    }

    fn event(&self, index: EventIndex) -> Option<&'e Event> {
        self.context.events.get(index)
    }

    /// A run of HTTP is called by its message's head, unless data was asked for.
    fn other_name(&self, index: EventIndex, step: Option<&Step>) -> EventIndex {
        if step.is_some_and(|s| matches!(s.event, EventPattern::Data(_))) {
            return index;
        }
        let heads = self.context.covered_by(index);
        let named = |head: &EventIndex| self.divergence.taken.iter().any(|t| t.event == *head);
        let is_here = |head: &EventIndex| match &self.sequence.scope {
            Some(Scope::Message(id)) => self
                .event(*head)
                .is_some_and(|head| head.message_index() == Some(*id as usize)),
            _ => true,
        };
        match heads.iter().find(|head| is_here(head) && !named(head)) {
            Some(head) if self.event(index).is_some_and(is_run) => *head,
            _ => index,
        }
    }

    fn step(&self) -> Option<&'e Spanned<Step>> {
        self.sequence.steps.get(self.divergence.step?)
    }

    fn last_taken(&self) -> Option<&'e Event> {
        self.divergence
            .taken
            .last()
            .and_then(|t| self.event(t.event))
    }

    /// What steps before this one were called.
    fn names(&self) -> Names {
        let mut names = self.world.names.clone();
        matching::bind(
            self.sequence,
            &self.context,
            &self.divergence.taken,
            &mut names,
        );
        names
    }

    fn parting(&self) -> Parting {
        let Some(step) = self.step().map(|s| &s.value) else {
            return self
                .divergence
                .event
                .map_or(Parting::Nothing, Parting::Extra);
        };
        match self.divergence.event {
            Some(event) => self.parting_at(step, event),
            None => self.nearest(step),
        }
    }

    /// In `exactly`: another event stands where the step's should.
    fn parting_at(&self, step: &Step, index: EventIndex) -> Parting {
        let names = self.names();
        let Some(event) = self.event(index) else {
            return Parting::Nothing;
        };
        if let Some(elapsed) = self.too_late(step, event, &names) {
            return Parting::Late(index, elapsed);
        }
        let at = self.divergence.step.unwrap_or_default();
        let mut later_steps = self.sequence.steps.iter().skip(at + 1);
        let later_step = later_steps.find(|later| self.context.fits(&later.value, event, &names));
        // A later `data` takes any: it is this step's with another content.
        let takes_any = later_step.is_some_and(|later| {
            matches!(
                later.value.event,
                EventPattern::Data(None) | EventPattern::Udp(None)
            )
        });
        if takes_any && self.context.differences(step, event, &names) == [Difference::Content] {
            return Parting::Other(index);
        }
        let later_step = later_step.is_some();
        let later_event = self.scope.iter().any(|&other| {
            other > index
                && self.context.may_fit(step, other)
                && self
                    .event(other)
                    .is_some_and(|e| self.context.fits(step, e, &names))
        });
        match (later_step, later_event) {
            (true, false) => Parting::Skipped(index),
            (false, true) => Parting::Extra(index),
            _ => Parting::Other(index),
        }
    }

    /// Where no event stands in the way: the one that comes nearest.
    fn nearest(&self, step: &Step) -> Parting {
        let names = self.names();
        let taken: BTreeSet<EventIndex> = self.divergence.taken.iter().map(|t| t.event).collect();
        let last = self.divergence.taken.last().map(|t| t.event);
        let in_order = self.sequence.mode != Mode::AnyOrder;
        let mut best: Option<(Likeness, EventIndex)> = None;
        for &index in self.scope {
            let Some(event) = self.event(index) else {
                continue;
            };
            let sort = self.context.events.sort(index);
            if taken.contains(&index) || !sort.is_some_and(|sort| may_be_near(step, sort)) {
                continue;
            }
            if self.context.fits(step, event, &names) {
                return match self.too_late(step, event, &names) {
                    Some(elapsed) => Parting::Late(index, elapsed),
                    None => Parting::Misplaced(index),
                };
            }
            let differences = self.context.differences(step, event, &names);
            if event.is_silent() && differences.contains(&Difference::Kind) {
                continue;
            }
            if !in_order && self.is_of_another_step(index, event, &names) {
                continue;
            }
            let before = in_order && last.is_some_and(|last| index < last);
            let far = distance(step, event, &differences) + u32::from(before) * EARLIER;
            // A step that had some of its events wants another of the same kind.
            let limit = if in_order && self.divergence.count > 0 {
                SAME_KIND
            } else {
                NEAR
            };
            let is_farther = |nearest: &Likeness| far > nearest.far;
            if far > limit
                || best
                    .as_ref()
                    .is_some_and(|(nearest, _)| is_farther(nearest))
            {
                continue;
            }
            let likeness = Likeness::of(far, step, event, &differences, &self.context);
            if best.as_ref().is_none_or(|(nearest, _)| likeness < *nearest) {
                best = Some((likeness, index));
            }
        }
        best.map_or(Parting::Nothing, |(_, index)| Parting::Near(index))
    }

    /// Another step of the block asks for it.
    fn is_of_another_step(&self, index: EventIndex, event: &Event, names: &Names) -> bool {
        let steps = self.sequence.steps.iter().enumerate();
        let mut others = steps.filter(|(at, _)| Some(*at) != self.divergence.step);
        others.any(|(_, other)| {
            self.context.may_fit(&other.value, index)
                && self.context.fits(&other.value, event, names)
        })
    }

    /// How long the event took, where that alone keeps it from fitting.
    fn too_late(&self, step: &Step, event: &Event, names: &Names) -> Option<i64> {
        let within = &step.within.as_ref()?.value;
        if self.sequence.mode != Mode::AnyOrder && self.is_before_taken(event) {
            return None;
        }
        let timing = Timing {
            previous: self.divergence.taken.last().map(|t| t.event),
            names,
            ordered: self.sequence.mode != Mode::AnyOrder,
        };
        let elapsed = self.context.elapsed(within, event, timing)?;
        let fits = self.context.fits(step, event, names);
        (fits && !(within.least..=within.limit).contains(&elapsed)).then_some(elapsed)
    }

    /// It lies before what was taken last, so that time is not what is wrong.
    fn is_before_taken(&self, event: &Event) -> bool {
        let last = self.last_taken();
        last.is_some_and(|last| event.packet() < last.packet())
    }

    /// The number of the packet at which the event is shown: of what came in the wrong
    /// time the one that completes it.
    fn frame(&self, parting: &Parting, event: &Event) -> Option<u64> {
        let mut frames = event.frames(self.context.trace);
        match parting {
            Parting::Late(..) => frames.last(),
            _ => frames.next(),
        }
    }

    fn message(&self, parting: &Parting) -> String {
        let step = match self.divergence.step {
            Some(step) if self.sequence.steps.len() > 1 => {
                format!("Step {} of {}", step + 1, self.sequence.steps.len())
            }
            _ => "The step".to_owned(),
        };
        let event = parting.event().and_then(|e| self.event(e));
        let frame = event.and_then(|event| self.frame(parting, event));
        let frame = frame.unwrap_or_default();
        let again = match (self.divergence.count, self.step()) {
            (count @ 1.., Some(step)) => format!(
                " It needs {} events and found {count}.",
                step.value.times.min
            ),
            _ => String::new(),
        };
        match parting {
            Parting::Extra(_) => format!("Packet {frame} carries an event that no step names."),
            Parting::Skipped(_) => format!(
                "{step} was not found: packet {frame} goes straight on to what a later step names.{again}"
            ),
            Parting::Other(_) => {
                format!("{step} was not found: packet {frame} shows something else.{again}")
            }
            Parting::Misplaced(_) => {
                format!("{step} is out of order: it came in packet {frame}.")
            }
            Parting::Late(_, elapsed) => {
                let within = self.step().and_then(|s| s.value.within.as_ref());
                let early = within.is_some_and(|w| *elapsed < w.value.least);
                let when = if early { "early" } else { "late" };
                format!("{step} came too {when}, in packet {frame}.")
            }
            Parting::Near(_) => {
                format!("{step} was not found. Packet {frame} comes nearest to it.{again}")
            }
            Parting::Nothing if self.context.trace.packets.is_empty() => {
                format!("{step} was not found: there is no packet at all on the wire.")
            }
            Parting::Nothing => match self.last_taken() {
                Some(_) if self.sequence.mode == Mode::AnyOrder => {
                    format!(
                        "{step} was not found: nothing more of the kind was on the wire.{again}"
                    )
                }
                Some(last) => format!(
                    "{step} was not found: nothing of the kind came after packet {}.{again}",
                    last.frames(self.context.trace).last().unwrap_or_default()
                ),
                None => format!("{step} was not found: nothing of the kind was on the wire."),
            },
        }
    }

    /// How the language helps where the author meant something else.
    fn usage(&self, parting: &Parting) -> Option<String> {
        match parting {
            Parting::Extra(_) if self.sequence.unit == Unit::Packets => Some(
                "`exactly packets` counts every packet, ACKs too. `exactly` counts events, which no timing changes.".to_owned(),
            ),
            Parting::Extra(index) if self.repeats(*index).is_some() => {
                let first = self.repeats(*index)?;
                Some(format!("It is the same as packet {first}: is it sent twice?"))
            }
            Parting::Extra(_) => Some(
                "`exactly` allows no event beside the steps. Name it in a step (`maybe …` if it may be absent), or use `in order`.".to_owned(),
            ),
            Parting::Nothing => self.outside_of_scope(),
            Parting::Misplaced(index) if self.sequence.mode != Mode::AnyOrder => {
                Some(self.within_the_run(*index).unwrap_or_else(|| {
                    "If the order does not matter, use `any order`.".to_owned()
                }))
            }
            _ => None,
        }
    }

    /// The block looks at a part of the capture, and what is wanted is not there.
    fn outside_of_scope(&self) -> Option<String> {
        let scope = match self.sequence.scope.as_ref()? {
            Scope::Filter(filter) => format!("({})", self.world.written(&filter.span)),
            Scope::Conversation { protocol, id } => match protocol {
                Protocol::Tcp => format!("tcp[{id}]"),
                Protocol::Udp => format!("udp[{id}]"),
            },
            Scope::Message(id) => format!("http[{id}]"),
        };
        let events = self.scope.iter().filter_map(|&e| self.event(e));
        let all = self.context.events.iter();
        let [inside, all] = [
            events.filter(|e| !e.is_silent()).count(),
            all.filter(|e| !e.is_silent()).count(),
        ];
        Some(match inside {
            0 => format!("`{scope}` leaves none of the {all} events to this block."),
            _ => format!("`{scope}` leaves {inside} of the {all} events to this block."),
        })
    }

    /// The segment repeats a named step's, whose run went on behind it.
    fn within_the_run(&self, index: EventIndex) -> Option<String> {
        let EventPattern::Retransmission(Some(name)) = &self.step()?.value.event else {
            return None;
        };
        let completed = self.names().get(name)?.completed;
        if self.event(index)?.packet() > completed {
            return None;
        }
        let packet = self.context.trace.packets.get(completed)?.number;
        Some(format!(
            "The run of `{name}` is complete in packet {packet}, behind it. `any order` asks for both."
        ))
    }

    /// The packet of a datagram that a step took and that this one repeats.
    fn repeats(&self, index: EventIndex) -> Option<u64> {
        let trace = self.context.trace;
        let extra = self.event(index).filter(|e| e.kind == EventKind::Udp)?;
        let taken = self.divergence.taken.iter().map(|t| t.event);
        taken
            .filter_map(|e| self.event(e))
            .find(|e| {
                (&e.kind, e.from, e.to) == (&extra.kind, extra.from, extra.to)
                    && e.content(trace) == extra.content(trace)
            })?
            .frames(trace)
            .next()
    }

    fn wireshark_filter(&self, event: Option<&Event>) -> Option<String> {
        let trace = self.context.trace;
        let packets: FixedBitSet = self
            .last_taken()
            .into_iter()
            .chain(event)
            .flat_map(|e| e.packets.iter().copied())
            .collect();
        wireshark_filter(trace, &packets)
    }
}

fn is_run(event: &Event) -> bool {
    matches!(event.kind, EventKind::Data { .. })
}
