//! Windows: which packets of a capture a statement is about.
//!
//! What the packets of an event that bounds a window carry lies outside: a window
//! ends before the event's first packet, and begins behind the one that completes it.

use std::ops::Range;

use super::ast::{Anchor, Spanned, Window};
use super::claim::value::Lack;
use super::claim::{self, World};
use super::notation::{duration_beside, exact_duration, visible};
use crate::savefile::Timestamp;
use crate::trace::Trace;

/// Packets of a capture, as ascending stretches of their indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretches(Vec<Range<usize>>);

impl Stretches {
    fn new(mut ranges: Vec<Range<usize>>) -> Stretches {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        Stretches(joined)
    }

    pub fn contain(&self, packet: usize) -> bool {
        let after = self.0.partition_point(|range| range.end <= packet);
        self.0
            .get(after)
            .is_some_and(|range| range.contains(&packet))
    }
}

/// Where an anchor's event is.
#[derive(Clone, Copy)]
struct Place {
    /// The packet that begins it.
    first: usize,
    /// The packet that completes it, and when that came.
    completed: usize,
    time: Timestamp,
}

/// What a capture shows of a window.
pub struct Shown {
    pub stretches: Stretches,
    /// The capture ends before the window does: what is in it is there, but it is
    /// not known what else came.
    pub cut: Option<Lack>,
}

/// The packets of a window.
///
/// # Errors
/// What bounds it never came.
pub fn shown(world: &World<'_>, window: &Spanned<Window>) -> Result<Shown, Lack> {
    let all = world.facts.trace.packets.len();
    let mut cut = None;
    let ranges = match &window.value {
        Window::Before(anchor) => {
            some(world, anchor)?;
            let end = first(&places(world, anchor)).unwrap_or(all);
            std::iter::once(0..end).collect()
        }
        Window::Until(anchor) => {
            let end = first(&places(world, anchor)).unwrap_or(all);
            std::iter::once(0..end).collect()
        }
        Window::After { from, until: None } => {
            let start = some(world, from)?.completed + 1;
            std::iter::once(start..all).collect()
        }
        Window::After {
            from,
            until: Some(until),
        } => {
            some(world, from)?;
            pairs(&places(world, from), &places(world, until), Some(all))
        }
        Window::Between(from, to) => {
            some(world, from)?;
            let pairs = pairs(&places(world, from), &places(world, to), None);
            if pairs.is_empty() {
                let (from, to) = (written(world, from), written(world, to));
                return Err(Lack::thing(format!("no {to} came after {from}")));
            }
            pairs
        }
        Window::For { span, after } => {
            some(world, after)?;
            if let Some(reason) = world.facts.untimed() {
                return Err(Lack::evidence(reason));
            }
            let places = places(world, after);
            cut = ends_before(world.facts.trace, &places, *span);
            so_long(world.facts.trace, &places, *span)
        }
    };
    Ok(Shown {
        stretches: Stretches::new(ranges),
        cut,
    })
}

/// The first event of an anchor that must come.
fn some(world: &World<'_>, anchor: &Anchor) -> Result<Place, Lack> {
    places(world, anchor).first().copied().ok_or_else(|| {
        Lack::thing(match anchor {
            Anchor::Name(name) => format!("nothing bears the name {}", visible(&name.value)),
            Anchor::Step(_) => format!("there is no {}", written(world, anchor)),
        })
    })
}

fn written(world: &World<'_>, anchor: &Anchor) -> String {
    visible(match anchor {
        Anchor::Name(name) => &name.value,
        Anchor::Step(step) => world.written(&step.span),
    })
}

/// Where the events of an anchor are, in the order in which they were complete.
fn places(world: &World<'_>, anchor: &Anchor) -> Vec<Place> {
    let mut places: Vec<Place> = match anchor {
        Anchor::Name(name) => {
            let named = world.names.get(&name.value);
            let place = |named: &super::matching::Named| Place {
                first: named.first,
                completed: named.completed,
                time: named.time,
            };
            named.map(place).into_iter().collect()
        }
        Anchor::Step(step) => claim::meant(world, &step.value)
            .iter()
            .map(|event| Place {
                first: event.first_packet(),
                completed: event.packet(),
                time: event.time,
            })
            .collect(),
    };
    places.sort_by_key(|place| place.completed);
    places
}

/// The packet that begins the first of them.
fn first(places: &[Place]) -> Option<usize> {
    places.iter().map(|place| place.first).min()
}

/// From behind each of the one to the next of the other that begins there; where
/// none does, to `end`, or nowhere.
fn pairs(from: &[Place], to: &[Place], end: Option<usize>) -> Vec<Range<usize>> {
    let mut to: Vec<usize> = to.iter().map(|place| place.first).collect();
    to.sort_unstable();
    from.iter()
        .filter_map(|from| {
            let next = to.partition_point(|to| *to <= from.completed);
            let end = to.get(next).copied().or(end)?;
            Some(from.completed + 1..end)
        })
        .collect()
}

/// For so many nanoseconds behind each.
fn so_long(trace: &Trace, from: &[Place], span: i64) -> Vec<Range<usize>> {
    let mut end = 0;
    from.iter()
        .map(|from| {
            end = end.max(from.completed + 1);
            while trace
                .packets
                .get(end)
                .is_some_and(|p| p.time.since(from.time) <= span)
            {
                end += 1;
            }
            from.completed + 1..end
        })
        .collect()
}

/// A run is recorded until it is over; a capture from elsewhere ends when
/// someone ended it.
fn ends_before(trace: &Trace, from: &[Place], span: i64) -> Option<Lack> {
    if trace.recording.is_some() {
        return None;
    }
    let last = trace.packets.iter().map(|p| p.time).max()?;
    let from = from.last()?;
    let rest = last.since(from.time);
    let frame = trace.packets.get(from.completed).map_or(0, |p| p.number);
    (rest < span).then(|| {
        Lack::evidence(format!(
            "the capture ends {} after packet {frame}, and does not tell what came within {}",
            duration_beside(rest, &[span]),
            exact_duration(span)
        ))
    })
}
