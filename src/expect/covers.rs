//! Which events are others under another name: the bytes of an HTTP message, and
//! its head.
//!
//! In `exactly`, a run is accounted for when a step names it, or when every one of
//! its bytes belongs to an HTTP message whose head a step names. A head is
//! accounted for when a step names it, or when every run that carries a byte of it
//! is named.

use std::ops::Range;

use super::event::{Event, EventIndex, EventKind};
use super::events::Events;
use crate::conversation::Direction;
use crate::message::Head;
use crate::trace::Trace;

/// Where a message lies in its stream, and where its head does.
struct Extent {
    event: EventIndex,
    way: Direction,
    head: Range<usize>,
    whole: Range<usize>,
}

/// For each run the heads that account for it, and for each head the runs that do.
pub fn covers(trace: &Trace, events: &Events<'_>) -> Vec<Vec<EventIndex>> {
    let mut covers = vec![Vec::new(); events.len()];
    for conversation in 0..trace.conversations.len() {
        let of_conversation = events.of_conversation(conversation);
        // In the order of the stream: messages of one way follow each other and
        // never overlap.
        let mut extents: Vec<Extent> = of_conversation
            .iter()
            .filter_map(|&index| extent(trace, index, events.get(index)?))
            .collect();
        if extents.is_empty() {
            continue;
        }
        extents.sort_by_key(|x| x.whole.start);
        let (to_server, to_client): (Vec<Extent>, Vec<Extent>) = extents
            .into_iter()
            .partition(|x| x.way == Direction::ToServer);
        for &index in of_conversation {
            let Some(EventKind::Data { way, ranges }) = events.get(index).map(|e| &e.kind) else {
                continue;
            };
            let messages = match way {
                Direction::ToServer => &to_server,
                Direction::ToClient => &to_client,
            };
            cover_run(index, ranges, messages, &mut covers);
        }
    }
    covers
}

/// What accounts for a run, and for which heads the run does.
fn cover_run(
    run: EventIndex,
    ranges: &[Range<usize>],
    messages: &[Extent],
    covers: &mut [Vec<EventIndex>],
) {
    let mut heads = Vec::new();
    let mut bytes_in_messages = 0;
    for range in ranges {
        let first = messages.partition_point(|x| x.whole.end <= range.start);
        for x in messages.iter().skip(first) {
            if x.whole.start >= range.end {
                break;
            }
            bytes_in_messages += overlap(range, &x.whole);
            heads.push(x.event);
            if overlap(range, &x.head) > 0
                && let Some(covers) = covers.get_mut(x.event)
            {
                covers.push(run);
            }
        }
    }
    let bytes: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    if bytes > 0
        && bytes_in_messages == bytes
        && let Some(covers) = covers.get_mut(run)
    {
        *covers = heads;
    }
}

fn extent(trace: &Trace, index: EventIndex, event: &Event) -> Option<Extent> {
    let message = event.message(trace)?;
    let (way, head, body): (Direction, &Head, &Range<usize>) = match event.kind {
        EventKind::Request(_) => {
            let request = message.request.as_ref()?;
            (message.way, &request.head, &request.body.range)
        }
        EventKind::Response { interim, .. } => {
            let response = match interim {
                Some(i) => message.interim.get(i)?,
                None => message.response.as_ref()?,
            };
            (message.way.opposite(), &response.head, &response.body.range)
        }
        _ => return None,
    };
    Some(Extent {
        event: index,
        way,
        head: head.range.clone(),
        whole: head.range.start..head.range.end.max(body.end),
    })
}

/// How many positions two ranges share.
fn overlap(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}
