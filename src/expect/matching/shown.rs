//! The packets of a capture that a filter shows.
//!
//! The filter is asked of a kind of packets first; where that does not tell, of
//! a class, and last of the packet. Each time it is the same question: what at
//! least do those packets share for which this one answers? What kinds and classes
//! leave open is asked of packet after packet, one comparison at a time.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::condition::Names;
use crate::expect::ast::{Filter, FilterOp, Literal, Operand};
use crate::expect::classes::{Classes, Group};
use crate::expect::columns::{Column, Told};
use crate::expect::fields::{Alike, Displayed, Field, Needs, Reading, View};
use crate::expect::filter;
use crate::trace::Trace;

/// Of the packets in `within`, or of all, those that a filter shows.
pub fn shown(
    trace: &Trace,
    classes: &Classes,
    condition: &Filter,
    reading: Reading,
    names: &Names,
    within: Option<&FixedBitSet>,
) -> FixedBitSet {
    if reading == Reading::Filter && filter::needs(condition).has(Needs::DISPLAYED) {
        return shown_in_order(trace, condition, names, within);
    }
    let asking = Asking {
        trace,
        reading,
        names,
    };
    let part = Part::of(condition, reading, classes);
    let of_group = |alike| {
        let (asking, part) = (&asking, &part);
        move |group: &Group| {
            let asked = Asked {
                packet: group.first?,
                alike,
                of_messages: group.http,
            };
            asking.answer(part, &asked)
        }
    };
    let mut answers = classes.ask(of_group(Alike::Kind), of_group(Alike::Flow));
    if let Some(within) = within {
        answers.have.intersect_with(within);
        answers.open.intersect_with(within);
    }
    let mut shown = answers.have;
    shown.union_with(&asking.among(&part, &answers.open));
    shown
}

/// The same where the filter asks when the last packet came that it showed: it
/// must be known of each before the next is asked.
fn shown_in_order(
    trace: &Trace,
    condition: &Filter,
    names: &Names,
    within: Option<&FixedBitSet>,
) -> FixedBitSet {
    let of_step = |name: &str| View::new(trace, names.get(name)?.packet, Reading::Own);
    let mut displayed = None;
    let mut shown = FixedBitSet::with_capacity(trace.packets.len());
    for packet in 0..trace.packets.len() {
        let Some(mut view) = View::new(trace, packet, Reading::Filter) else {
            continue;
        };
        view.displayed = Displayed::Until(displayed);
        if filter::matches_after(condition, &view, &of_step) {
            displayed = Some(view.packet.time);
            shown.insert(packet);
        }
    }
    if let Some(within) = within {
        shown.intersect_with(within);
    }
    shown
}

/// A part of a filter, made ready to be asked of many packets.
enum Part<'f> {
    And(Box<[Part<'f>; 2]>),
    Or(Box<[Part<'f>; 2]>),
    Xor(Box<[Part<'f>; 2]>),
    Not(Box<Part<'f>>),
    Comparison {
        written: &'f Filter,
        /// Which packets give the same answer: of those in which a message of
        /// HTTP begins or ends, and of the others.
        alike: [Alike; 2],
        number: Option<Number>,
    },
}

/// A field compared with a number.
struct Number {
    field: &'static Field,
    column: Arc<Column>,
    op: FilterOp,
    right: i128,
}

/// What stays the same from packet to packet.
struct Asking<'c> {
    trace: &'c Trace,
    reading: Reading,
    names: &'c Names,
}

/// The packet that is asked, and for which others.
struct Asked {
    packet: usize,
    /// How much alike they are.
    alike: Alike,
    /// Among them are such in which a message of HTTP begins or ends.
    of_messages: bool,
}

impl<'f> Part<'f> {
    fn of(filter: &'f Filter, reading: Reading, classes: &Classes) -> Part<'f> {
        let of = |filter: &'f Filter| Part::of(filter, reading, classes);
        match filter {
            Filter::And(a, b) => Part::And(Box::new([of(a), of(b)])),
            Filter::Or(a, b) => Part::Or(Box::new([of(a), of(b)])),
            Filter::Xor(a, b) => Part::Xor(Box::new([of(a), of(b)])),
            Filter::Not(inner) => Part::Not(Box::new(of(inner))),
            _ => Part::Comparison {
                written: filter,
                alike: [true, false].map(|of_messages| alike(filter, of_messages)),
                number: number(filter, reading, classes),
            },
        }
    }
}

/// Which packets give the same answer to a comparison.
fn alike(comparison: &Filter, of_messages: bool) -> Alike {
    if matches!(comparison, Filter::End { .. }) {
        return Alike::Flow;
    }
    let group = Group {
        first: None,
        http: of_messages,
    };
    let is_bare = matches!(comparison, Filter::Exists(Operand::Field(_)));
    let mut least = Alike::Kind;
    comparison.operands(&mut |operand| {
        operand.fields(&mut |field| least = least.min(group.alike(field.field, is_bare)));
    });
    least
}

/// What is compared with a number only: most comparisons are so.
fn number(comparison: &Filter, reading: Reading, classes: &Classes) -> Option<Number> {
    match comparison {
        Filter::Compare {
            left: Operand::Field(left),
            op,
            right: Operand::Literal(Literal::Number(right)),
            ..
        } if left.layers.is_empty() && !left.field.needs.has(Needs::DISPLAYED) => Some(Number {
            field: left.field,
            column: classes.columns.of(left.field, reading)?,
            op: *op,
            right: *right,
        }),
        _ => None,
    }
}

impl Asking<'_> {
    /// None where what the packets share does not tell.
    fn answer(&self, part: &Part<'_>, of: &Asked) -> Option<bool> {
        match part {
            Part::And(parts) => self.first_to_say(false, parts, of),
            Part::Or(parts) => self.first_to_say(true, parts, of),
            Part::Xor(parts) => {
                let [a, b] = parts.each_ref().map(|part| self.answer(part, of));
                Some(a? != b?)
            }
            Part::Not(inner) => Some(!self.answer(inner, of)?),
            Part::Comparison {
                written,
                alike: [of_messages, of_others],
                number,
            } => {
                let alike = if of.of_messages {
                    of_messages
                } else {
                    of_others
                };
                if *alike < of.alike {
                    return None;
                }
                Some(self.holds(written, number.as_ref(), of.packet))
            }
        }
    }

    /// One part that says so decides; else all must have said the contrary.
    fn first_to_say(&self, decisive: bool, parts: &[Part<'_>; 2], of: &Asked) -> Option<bool> {
        let [a, b] = parts;
        match self.answer(a, of) {
            Some(a) if a == decisive => Some(decisive),
            Some(_) => self.answer(b, of),
            None => self.answer(b, of).filter(|b| *b == decisive),
        }
    }

    /// The packets that the part shows: one comparison after the other, each of
    /// those that it matters for.
    fn among(&self, part: &Part<'_>, packets: &FixedBitSet) -> FixedBitSet {
        match part {
            Part::And(parts) => {
                let [a, b] = parts.as_ref();
                self.among(b, &self.among(a, packets))
            }
            Part::Or(parts) => {
                let [a, b] = parts.as_ref();
                let mut shown = self.among(a, packets);
                let mut others = packets.clone();
                others.difference_with(&shown);
                shown.union_with(&self.among(b, &others));
                shown
            }
            Part::Xor(parts) => {
                let [a, b] = parts.each_ref().map(|part| self.among(part, packets));
                let mut shown = a;
                shown.symmetric_difference_with(&b);
                shown
            }
            Part::Not(inner) => {
                let mut shown = packets.clone();
                shown.difference_with(&self.among(inner, packets));
                shown
            }
            Part::Comparison {
                written, number, ..
            } => {
                let mut shown = FixedBitSet::with_capacity(packets.len());
                for packet in packets.ones() {
                    if self.holds(written, number.as_ref(), packet) {
                        shown.insert(packet);
                    }
                }
                shown
            }
        }
    }

    /// Does the comparison hold for a packet?
    fn holds(&self, written: &Filter, number: Option<&Number>, packet: usize) -> bool {
        let known = number.and_then(|number| self.by_number(number, packet));
        known.unwrap_or_else(|| {
            let of_step =
                |name: &str| View::new(self.trace, self.names.get(name)?.packet, Reading::Own);
            View::new(self.trace, packet, self.reading)
                .is_some_and(|view| filter::matches_after(written, &view, &of_step))
        })
    }

    /// None where the packet has the field several times.
    fn by_number(&self, number: &Number, packet: usize) -> Option<bool> {
        let told = number.column.told(packet);
        match told.unwrap_or_else(|| self.ask(number, packet)) {
            Told::Nothing => Some(false),
            Told::Number(left) => {
                let left = i128::from(left);
                Some(filter::number_holds(left, number.op, number.right))
            }
            Told::More => None,
        }
    }

    fn ask(&self, number: &Number, packet: usize) -> Told {
        let told = match View::new(self.trace, packet, self.reading) {
            Some(view) => Told::of(|each| number.field.visit(&view, each)),
            None => Told::Nothing,
        };
        number.column.write(packet, told);
        told
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expect::facts::by_conversation;
    use crate::expect::parse_filter;
    use crate::expect::test_captures::{captures, reference_captures};

    /// What the filter shows where each packet is asked for itself.
    fn asked_one_by_one(trace: &Trace, condition: &Filter, reading: Reading) -> FixedBitSet {
        let counts_shown =
            reading == Reading::Filter && filter::needs(condition).has(Needs::DISPLAYED);
        let mut displayed = None;
        let mut shown = FixedBitSet::with_capacity(trace.packets.len());
        for packet in 0..trace.packets.len() {
            let mut view = View::new(trace, packet, reading).unwrap();
            if counts_shown {
                view.displayed = Displayed::Until(displayed);
            }
            if filter::matches(condition, &view) {
                shown.insert(packet);
                displayed = Some(trace.packets[packet].time);
            }
        }
        shown
    }

    fn parsed(text: &str) -> Filter {
        let roles = ["client".to_owned(), "server".to_owned()];
        let (filter, found) = parse_filter(text, &roles);
        filter.unwrap_or_else(|| panic!("{text}: {found:?}"))
    }

    /// Compares both ways, also for every third packet only. How many are shown.
    fn compare(trace: &Trace, classes: &Classes, condition: &Filter) -> usize {
        let mut found = 0;
        for reading in [Reading::Filter, Reading::Where] {
            let expected = asked_one_by_one(trace, condition, reading);
            let names = Names::default();
            let show = |within| shown(trace, classes, condition, reading, &names, within);
            // Again: what packets said is remembered then.
            for _ in 0..2 {
                assert_eq!(
                    show(None),
                    expected,
                    "{condition} in {}",
                    trace.capture.file
                );
            }
            let mut some = FixedBitSet::with_capacity(trace.packets.len());
            some.extend((0..trace.packets.len()).step_by(3));
            if !filter::needs(condition).has(Needs::DISPLAYED) {
                let expected: FixedBitSet = expected.intersection(&some).collect();
                let show = show(Some(&some));
                assert!(show.ones().eq(expected.ones()), "{condition}");
            }
            found += expected.count_ones(..);
        }
        found
    }

    /// Of all sorts: of kinds, of classes, of packets, of messages; numbers and
    /// others; some with several values in a packet.
    const COMPARISONS: [&str; 24] = [
        "tcp.flags.syn == 1",
        "tcp.flags.ack == 1",
        "tcp.analysis.flags",
        "tcp.len > 0",
        "tcp.len",
        "tcp.window_size >= 65000",
        "tcp.window_size != 65535",
        "tcp.window_size_scalefactor == -1",
        "tcp.seq == 1",
        "tcp.port == 12000",
        "any tcp.port != 80",
        "udp.length < 20",
        "udp",
        "ip.ttl == 64",
        "ip.addr == 127.0.0.1",
        "ipv6",
        "frame.len in {40..60, 74}",
        "frame.number <= 3",
        "frame.time_delta_displayed < 0.0001",
        "http.response.code >= 300",
        "http",
        "tcp contains \"HTTP\"",
        "icmp.type == 3",
        "from == client",
    ];

    #[test]
    fn a_filter_shows_the_same_packets_as_when_each_is_asked_for_itself() {
        let mut found = 0;
        for trace in captures() {
            let classes = Classes::new(&trace, &by_conversation(&trace));
            for text in COMPARISONS {
                found += compare(&trace, &classes, &parsed(text));
            }
        }
        assert!(found > 100);
    }

    fn filters() -> impl Strategy<Value = String> {
        let comparison = prop::sample::select(&COMPARISONS[..]).prop_map(str::to_owned);
        comparison.prop_recursive(4, 12, 2, |part| {
            prop_oneof![
                part.clone().prop_map(|a| format!("not ({a})")),
                (
                    part.clone(),
                    prop::sample::select(&["and", "or", "xor"][..]),
                    part
                )
                    .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            ]
        })
    }

    #[test]
    fn so_it_does_however_its_parts_are_put_together() {
        let traces: Vec<(Trace, Classes)> = reference_captures()
            .map(|trace| {
                let classes = Classes::new(&trace, &by_conversation(&trace));
                (trace, classes)
            })
            .collect();
        proptest!(|(text in filters())| {
            let filter = parsed(&text);
            for (trace, classes) in &traces {
                compare(trace, classes, &filter);
            }
        });
    }
}
