//! How far an event is from a step.

use std::cmp::Reverse;

use crate::expect::ast::{Content, EventPattern, Step};
use crate::expect::event::{Event, Sort};
use crate::expect::matching::{Context, Difference};

/// Distance of an event that is earlier than what was found already.
pub(super) const EARLIER: u32 = 1;
/// Beyond this distance, two have nothing in common.
pub(super) const NEAR: u32 = 6;

/// Beyond this one, the kind is another.
pub(super) const SAME_KIND: u32 = 3;

/// How far an event is from a step: 0 for none.
pub(super) fn distance(step: &Step, event: &Event, differences: &[Difference]) -> u32 {
    differences
        .iter()
        .map(|difference| match difference {
            Difference::Kind if is_other_icmp(&step.event, event) => 2,
            Difference::Kind if are_akin(&step.event, Sort::of(&event.kind)) => 4,
            Difference::Kind => NEAR + 1,
            Difference::Reversed | Difference::From | Difference::To => 4,
            Difference::FromPort | Difference::ToPort | Difference::Method => 2,
            Difference::Content
            | Difference::Resent
            | Difference::Target
            | Difference::Code
            | Difference::AfterStop
            | Difference::Where
            | Difference::Within => 1,
        })
        .sum()
}

/// How near an event comes to a step, the nearest least. Of two that are equally far
/// one of the step's kind comes nearer, and one whose content is more like it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Likeness {
    pub far: u32,
    is_other_kind: bool,
    alike: Reverse<usize>,
}

impl Likeness {
    pub(super) fn of(
        far: u32,
        step: &Step,
        event: &Event,
        differences: &[Difference],
        context: &Context<'_>,
    ) -> Likeness {
        let wanted = match &step.event {
            EventPattern::Data(Some(Content::Exactly(wanted)))
            | EventPattern::Udp(Some(Content::Exactly(wanted)))
                if differences.contains(&Difference::Content) =>
            {
                Some((wanted, event.content(context.trace)))
            }
            EventPattern::Request {
                target: Some(Content::Exactly(wanted)),
                ..
            } if differences.contains(&Difference::Target) => {
                let got = context.requests(event).next();
                got.map(|request| (wanted, request.target.as_bytes().into()))
            }
            _ => None,
        };
        Likeness {
            far,
            is_other_kind: differences.contains(&Difference::Kind),
            alike: Reverse(wanted.map_or(0, |(wanted, got)| alike(wanted, &got))),
        }
    }
}

/// How many bytes at the beginning and the end are the same, whatever their case. What
/// differs in its case or its line end alone is most alike.
fn alike(wanted: &[u8], got: &[u8]) -> usize {
    if wanted.trim_ascii().eq_ignore_ascii_case(got.trim_ascii()) {
        return usize::MAX;
    }
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let beginning = wanted.iter().zip(got).take_while(same).count();
    let rest = |bytes: &[u8]| bytes.len() - beginning;
    let end = (wanted.iter().rev().zip(got.iter().rev()))
        .take(rest(wanted).min(rest(got)))
        .take_while(same)
        .count();
    beginning + end
}

/// An ICMP message of another type or code.
fn is_other_icmp(pattern: &EventPattern, event: &Event) -> bool {
    matches!(pattern, EventPattern::Icmp(_)) && Sort::of(&event.kind) == Sort::Icmp
}

/// Can an event of this sort be anything but far?
pub(super) fn may_be_near(step: &Step, sort: Sort) -> bool {
    sort.may_be(Sort::asked_for(&step.event)) || are_akin(&step.event, sort)
}

/// Could the one have come in the other's place?
fn are_akin(pattern: &EventPattern, sort: Sort) -> bool {
    match pattern {
        EventPattern::Syn
        | EventPattern::SynAck
        | EventPattern::Ack
        | EventPattern::Fin
        | EventPattern::Rst => matches!(
            sort,
            Sort::Syn | Sort::SynAck | Sort::Ack | Sort::Fin | Sort::Rst
        ),
        EventPattern::Data(_) | EventPattern::Request { .. } | EventPattern::Response { .. } => {
            matches!(sort, Sort::Data | Sort::Request | Sort::Response)
        }
        EventPattern::Udp(_) | EventPattern::Icmp(_) => matches!(sort, Sort::Udp | Sort::Icmp),
        EventPattern::Retransmission(_) => sort == Sort::Retransmission,
        EventPattern::KeepAlive | EventPattern::WindowUpdate => false,
    }
}
