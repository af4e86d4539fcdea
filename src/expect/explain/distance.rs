//! How far an event is from a step.

use crate::expect::ast::{EventPattern, Step};
use crate::expect::event::{Event, Sort};
use crate::expect::matching::Difference;

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
