//! What differs between a step and an event, in words.

use super::Explanation;
use crate::decode::Transport;
use crate::expect::ast::{Content, EventPattern, Step, StepEnds};
use crate::expect::claim::value::first_difference;
use crate::expect::event::{End, Event, EventKind};
use crate::expect::fields::Reading;
use crate::expect::filter_shown::shown;
use crate::expect::matching::Difference;
use crate::expect::notation::{self, count, duration_beside};

impl Explanation<'_, '_> {
    /// The most telling difference, in words.
    pub(super) fn difference(&self, step: &Step, event: &Event) -> Option<String> {
        let differences = self.context.differences(step, event, &self.names());
        let first = differences.first()?;
        Some(self.in_words(*first, step, event))
    }

    fn in_words(&self, difference: Difference, step: &Step, event: &Event) -> String {
        let trace = self.context.trace;
        let (from, to) = match &step.ends {
            Some(ends) => (
                notation::end(&ends.from.value),
                notation::end(&ends.to.value),
            ),
            None => ("any".to_owned(), "any".to_owned()),
        };
        let owner = |end: End| notation::visible(trace.owner_name(end.owner));
        let port = |end: End| end.port.map_or("none".to_owned(), |p| p.to_string());
        let wanted_port = |of: fn(&StepEnds) -> Option<u16>| {
            step.ends
                .as_ref()
                .and_then(of)
                .map_or_else(String::new, |p| p.to_string())
        };
        match difference {
            Difference::Kind => self.kind_in_words(step, event),
            Difference::Reversed => format!(
                "direction: expected {from} > {to}, got {} > {}",
                owner(event.from),
                owner(event.to)
            ),
            Difference::From => format!("sender: expected {from}, got {}", owner(event.from)),
            Difference::To => format!("receiver: expected {to}, got {}", owner(event.to)),
            Difference::FromPort => format!(
                "port of the sender: expected {}, got {}",
                wanted_port(|e| e.from.value.port),
                port(event.from)
            ),
            Difference::ToPort => format!(
                "port of the receiver: expected {}, got {}",
                wanted_port(|e| e.to.value.port),
                port(event.to)
            ),
            Difference::Content => content_in_words(step, &event.content(trace)),
            Difference::Resent => match &step.event {
                EventPattern::Retransmission(Some(of)) => {
                    format!("sequence numbers: expected those of {of}, got others")
                }
                _ => "sequence numbers".to_owned(),
            },
            Difference::Method | Difference::Target => {
                self.request_in_words(difference, step, event)
            }
            Difference::Code => {
                let wanted = match step.event {
                    EventPattern::Response { code: Some(code) } => code.to_string(),
                    _ => "any".to_owned(),
                };
                let got: Vec<String> = self.context.codes(event).map(|c| c.to_string()).collect();
                format!("status: expected {wanted}, got {}", got.join(", "))
            }
            Difference::AfterStop if event.after_stop => {
                "time: it was sent after the program had been told to stop".to_owned()
            }
            Difference::AfterStop => {
                "time: it was sent before the program was told to stop".to_owned()
            }
            Difference::Where => match &step.where_ {
                Some(condition) => {
                    let written = self.world.written(&condition.span);
                    let is = shown(
                        trace,
                        event.packet(),
                        &condition.value,
                        Reading::Where,
                        &self.names(),
                    );
                    match is {
                        Some(is) => format!("condition: `{written}` does not hold: {is}"),
                        None => format!("condition: `{written}` does not hold"),
                    }
                }
                None => "condition".to_owned(),
            },
            Difference::Within => "time".to_owned(),
        }
    }

    fn kind_in_words(&self, step: &Step, event: &Event) -> String {
        let trace = self.context.trace;
        let packet = event.packet();
        let is_flags = |pattern: &EventPattern| {
            matches!(
                pattern,
                EventPattern::Syn
                    | EventPattern::SynAck
                    | EventPattern::Ack
                    | EventPattern::Fin
                    | EventPattern::Rst
            )
        };
        let carries_flags = !matches!(
            event.kind,
            EventKind::Data { .. } | EventKind::Request(_) | EventKind::Response { .. }
        );
        let expected = notation::pattern(&step.event);
        if let (true, true, Some(flags)) = (
            is_flags(&step.event),
            carries_flags,
            notation::flags(trace, packet),
        ) {
            return format!("flags: expected {expected}, got {flags}");
        }
        let protocol = trace.packets.get(packet).map(|p| &p.transport);
        let wants = match step.event {
            EventPattern::Udp(_) => "UDP",
            EventPattern::Icmp(_) => "ICMP",
            _ => "TCP",
        };
        let is = match protocol {
            Some(Transport::Tcp(_)) => "TCP",
            Some(Transport::Udp(_)) => "UDP",
            Some(Transport::Icmp(_)) => "ICMP",
            Some(Transport::Icmpv6(_)) if wants == "ICMP" => "ICMP",
            Some(Transport::Icmpv6(_)) => "ICMPv6",
            _ => "another protocol",
        };
        if wants != is {
            return format!("protocol: expected {wants}, got {is}");
        }
        // The content stands in full beside it.
        let got = match event.kind {
            EventKind::Data { .. } => "data".to_owned(),
            _ => notation::what(&self.context, event),
        };
        format!("event: expected {expected}, got {got}")
    }

    fn request_in_words(&self, difference: Difference, step: &Step, event: &Event) -> String {
        let EventPattern::Request { method, target } = &step.event else {
            return "request".to_owned();
        };
        let got = self.context.requests(event).next();
        if difference == Difference::Method {
            let got = got.map_or("none".to_owned(), |r| notation::visible(&r.method));
            return format!("method: expected {method}, got {got}");
        }
        let got = got.map_or("none".to_owned(), |r| notation::visible(&r.target));
        let wanted = match target {
            Some(Content::Exactly(target)) => notation::visible(&String::from_utf8_lossy(target)),
            Some(Content::Matches(regex)) => format!("/{}/", notation::visible(regex.as_str())),
            None => "any".to_owned(),
        };
        format!("target: expected {wanted}, got {got}")
    }
}

pub(super) fn late(step: &Step, elapsed: i64) -> String {
    let Some(within) = &step.within else {
        return "time".to_owned();
    };
    let of = match within.value.of {
        Some(_) => "",
        None => " of the step before",
    };
    let bounds = [within.value.least, within.value.limit];
    format!(
        "time: expected {}{of}, took {}",
        notation::within(&within.value),
        duration_beside(elapsed, &bounds)
    )
}

fn content_in_words(step: &Step, got: &[u8]) -> String {
    match &step.event {
        EventPattern::Data(Some(content)) | EventPattern::Udp(Some(content)) => match content {
            Content::Exactly(wanted) => first_difference(wanted, got),
            Content::Matches(regex) => format!(
                "content: {} do not match /{}/",
                count(got.len(), "byte"),
                notation::visible(regex.as_str())
            ),
        },
        _ => "content".to_owned(),
    }
}
