//! The packets that a claim is about, and what is missing that could be one of them.

use std::borrow::Cow;

use fixedbitset::FixedBitSet;

use super::World;
use super::value::Lack;
use crate::expect::ast::{EventPattern, Op, Selection, Step, StepOrFilter};
use crate::expect::event::{self, Event};
use crate::expect::fields::Reading;
use crate::expect::number::Number;
use crate::expect::{could_be, matching, window};

/// The packets that a claim is about.
pub struct Selected {
    pub packets: FixedBitSet,
    /// Why there may be more in its window.
    pub cut: Option<Lack>,
}

/// The packets that a step or a filter means in a claim, in its window.
///
/// # Errors
/// There is no such window.
pub fn packets(world: &World<'_>, which: &Selection) -> Result<Selected, Lack> {
    let condition = match &which.what {
        StepOrFilter::Filter(filter) => Some(filter),
        StepOrFilter::Step(step) => step.value.where_.as_ref(),
    };
    if condition.is_some_and(|filter| could_be::asks_for_times(&filter.value))
        && let Some(reason) = world.facts.untimed()
    {
        return Err(Lack::evidence(reason));
    }
    let mut cut = None;
    let mut packets = match &which.what {
        StepOrFilter::Filter(filter) => {
            let facts = world.facts;
            let (classes, filter) = (facts.classes(), &filter.value);
            matching::shown(
                facts.trace,
                classes,
                filter,
                Reading::Filter,
                world.names,
                None,
            )
        }
        StepOrFilter::Step(step) => carriers(world, &step.value),
    };
    if let Some(window) = &which.window {
        let window = window::shown(world, window)?;
        packets = packets
            .ones()
            .filter(|&p| window.stretches.contain(p))
            .collect();
        cut = window.cut;
    }
    Ok(Selected { packets, cut })
}

/// What is missing that could change that there are such packets.
pub fn losses_where_found(
    world: &World<'_>,
    which: &Selection,
    found: &FixedBitSet,
) -> FixedBitSet {
    let facts = world.facts;
    let conversations = facts.conversations_of(found);
    facts.losses_that(|loss| {
        let concerned = loss.of.is_none_or(|(of, _)| conversations.contains(of));
        could_be::unfound(facts, which, loss, concerned)
    })
}

/// What is missing that could be one of these packets.
pub fn losses_of(world: &World<'_>, which: &Selection) -> FixedBitSet {
    let facts = world.facts;
    facts.losses_that(|loss| could_be::selected(facts, which, loss))
}

/// Does a comparison of how many packets there are with this number stay what it
/// is, however many more there were?
pub(super) fn stays(counted: &Number, op: Op, wanted: &Number) -> bool {
    match op {
        Op::Ge | Op::Lt => counted >= wanted,
        Op::Gt | Op::Le | Op::Eq | Op::Ne => counted > wanted,
        Op::Contains | Op::Matches => false,
    }
}

/// The packets that carry what a step outside a block means.
fn carriers(world: &World<'_>, step: &Step) -> FixedBitSet {
    let meant = meant(world, step);
    meant
        .iter()
        .flat_map(|e| e.packets.iter().copied())
        .collect()
}

/// What a step outside a block means: packets by their own headers; with
/// content, whole runs and messages.
pub fn meant<'w>(world: &World<'w>, step: &Step) -> Vec<Cow<'w, Event>> {
    let context = world.context();
    let has_content = matches!(
        step.event,
        EventPattern::Data(Some(_)) | EventPattern::Request { .. } | EventPattern::Response { .. }
    );
    let fits = |event: &Event| context.fits(step, event, world.names);
    if has_content {
        let events = world.events.iter().enumerate();
        let may_fit = events.filter(|(index, _)| context.may_fit(step, *index));
        let events = may_fit.map(|(_, event)| event).filter(|event| fits(event));
        return events.map(Cow::Borrowed).collect();
    }
    let trace = world.facts.trace;
    let is_kind = |index| matching::packet_is(trace, index, &step.event);
    let has_ends = |index| {
        let event = event::packet(trace, index);
        matching::ends_difference(trace, step.ends.as_ref(), &event).is_none()
    };
    let no = |holds: bool| (!holds).then_some(false);
    let answers = world.facts.classes().ask(
        |kind| no(is_kind(kind.first?)),
        |class| no(has_ends(class.first?)),
    );
    answers
        .open
        .ones()
        .filter(|&index| is_kind(index))
        .map(|index| event::packet(trace, index))
        .filter(fits)
        .map(Cow::Owned)
        .collect()
}
