//! Properties of the matcher over random wires.

use proptest::prelude::*;

use super::{Context, Found, Names, Taken, Timing, find, in_scope};
use crate::expect::ast::{
    Content, EndPattern, EventPattern, IcmpPattern, Item, Mode, Sequence, Spanned, Step, StepEnds,
    Times, Unit, Who, Within,
};
use crate::expect::event::{End, Event, EventIndex, EventKind};
use crate::expect::events::Events;
use crate::expect::facts::Facts;
use crate::expect::testing::{CLIENT, NOBODY, SERVER, ToClient, ToServer, Wire};
use crate::trace::{Owner, Trace};

/// One thing that happens on a wire.
#[derive(Clone, Debug, PartialEq)]
enum Act {
    Handshake(usize),
    Syn(usize),
    Data(usize, bool, u8),
    Ack(usize, bool),
    Fin(usize, bool),
    Rst(usize, bool),
    Again(usize, bool),
    Datagram(usize, bool, u8),
    Unreachable(usize, u8),
    Request(usize, u8),
}

fn act() -> impl Strategy<Value = Act> {
    let flow = 0..2usize;
    prop_oneof![
        flow.clone().prop_map(Act::Handshake),
        flow.clone().prop_map(Act::Syn),
        (flow.clone(), any::<bool>(), 0..3u8).prop_map(|(f, w, b)| Act::Data(f, w, b)),
        (flow.clone(), any::<bool>()).prop_map(|(f, w)| Act::Ack(f, w)),
        (flow.clone(), any::<bool>()).prop_map(|(f, w)| Act::Fin(f, w)),
        (flow.clone(), any::<bool>()).prop_map(|(f, w)| Act::Rst(f, w)),
        (flow.clone(), any::<bool>()).prop_map(|(f, w)| Act::Again(f, w)),
        (flow.clone(), any::<bool>(), 0..3u8).prop_map(|(f, w, b)| Act::Datagram(f, w, b)),
        (flow.clone(), 0..4u8).prop_map(|(f, c)| Act::Unreachable(f, c)),
        (flow, 0..3u8).prop_map(|(f, b)| Act::Request(f, b)),
    ]
}

/// Few kinds, so that a step has many events to choose from.
fn plain() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..2u8).prop_map(|b| Act::Datagram(0, true, b)),
        1 => Just(Act::Syn(0)),
        1 => Just(Act::Again(0, true)),
    ]
}

fn wire(acts: &[Act]) -> Wire {
    let mut wire = Wire::new();
    let tcp = [
        wire.tcp(CLIENT, (SERVER, 80)),
        wire.tcp(SERVER, (NOBODY, 81)),
    ];
    let udp = [
        wire.udp(CLIENT, (SERVER, 53)),
        wire.udp(CLIENT, (NOBODY, 54)),
    ];
    let mut sent: [Option<usize>; 2] = [None; 2];
    let way = |to_server| if to_server { ToServer } else { ToClient };
    for act in acts {
        match *act {
            Act::Handshake(f) => wire.handshake(tcp[f]),
            Act::Syn(f) => {
                wire.segment(tcp[f], ToServer, 2, b"");
            }
            Act::Data(f, w, b) => {
                wire.data(tcp[f], way(w), &[b'a' + b]);
            }
            Act::Ack(f, w) => {
                wire.ack(tcp[f], way(w));
            }
            Act::Fin(f, w) => {
                wire.fin(tcp[f], way(w));
            }
            Act::Rst(f, w) => {
                wire.rst(tcp[f], way(w));
            }
            Act::Again(f, w) => {
                let again = wire.ack(tcp[f], way(w));
                wire.seen(again).marks |= crate::conversation::Marks::RETRANSMISSION;
            }
            Act::Datagram(f, w, b) => {
                sent[f] = Some(wire.datagram(udp[f], way(w), &[b'a' + b]));
            }
            Act::Unreachable(f, code) => {
                if let Some(about) = sent[f] {
                    wire.unreachable(udp[f], about, code);
                }
            }
            Act::Request(f, b) => {
                let head = format!("GET /{} HTTP/1.1", char::from(b'a' + b));
                wire.http(tcp[f], ToServer, &head, b"");
            }
        }
    }
    wire
}

fn bare(event: EventPattern) -> Step {
    Step {
        ends: None,
        event,
        times: Times {
            min: 1,
            max: Some(1),
        },
        where_: None,
        within: None,
        order: Vec::new(),
        name: None,
        after_stop: false,
    }
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned { value, span: 0..0 }
}

/// The step that names just this event.
fn named(trace: &Trace, event: &Event) -> Step {
    let end = |end: &End| {
        spanned(EndPattern {
            who: match end.owner {
                Owner::Role(_) => Who::Role(trace.owner_name(end.owner).to_owned()),
                Owner::Nobody => Who::Nobody,
                Owner::Unknown => Who::Any,
            },
            port: end.port,
        })
    };
    let content = || Some(Content::Exactly(event.content(trace).into_owned()));
    let pattern = match &event.kind {
        EventKind::Syn => EventPattern::Syn,
        EventKind::SynAck => EventPattern::SynAck,
        EventKind::HandshakeAck => EventPattern::Ack,
        EventKind::Data { .. } => EventPattern::Data(content()),
        EventKind::Fin => EventPattern::Fin,
        EventKind::Rst => EventPattern::Rst,
        EventKind::Udp => EventPattern::Udp(content()),
        EventKind::Icmp { kind, code, .. } => EventPattern::Icmp(Some(IcmpPattern {
            text: String::new(),
            v4: Some((*kind, Some(*code))),
            v6: None,
        })),
        EventKind::Request(message) => {
            let request = trace.messages[*message].request.as_ref().unwrap();
            EventPattern::Request {
                method: request.method.clone(),
                target: Some(Content::Exactly(request.target.clone().into_bytes())),
            }
        }
        other => panic!("{other:?} is never asked for"),
    };
    Step {
        ends: Some(StepEnds {
            from: end(&event.from),
            to: end(&event.to),
            either_way: false,
        }),
        ..bare(pattern)
    }
}

/// The steps that name each event that asks for a name.
fn all_named(trace: &Trace) -> Vec<Step> {
    Events::of(trace)
        .iter()
        .filter(|e| !e.is_silent())
        .map(|e| named(trace, e))
        .collect()
}

fn sequence(mode: Mode, unit: Unit, steps: &[Step]) -> Sequence {
    Sequence {
        mode,
        unit,
        scope: None,
        items: (0..steps.len()).map(Item::Step).collect(),
        steps: steps.iter().cloned().map(spanned).collect(),
    }
}

fn found(trace: &Trace, mode: Mode, steps: &[Step]) -> Found {
    found_in(trace, &sequence(mode, Unit::Events, steps))
}

fn found_in(trace: &Trace, sequence: &Sequence) -> Found {
    let events = match sequence.unit {
        Unit::Packets => Events::packets(trace),
        Unit::Events => Events::of(trace),
    };
    let context = Context {
        trace,
        events: &events,
    };
    let scope = in_scope(None, &context, &Facts::new(trace));
    find(sequence, &context, &scope, &Names::default())
}

fn matches(trace: &Trace, mode: Mode, steps: &[Step]) -> bool {
    matches!(found(trace, mode, steps), Found::Matched(_))
}

/// Steps that are vague, so that there are many ways to match them.
fn vague() -> impl Strategy<Value = Step> {
    let pattern = prop_oneof![
        3 => Just(EventPattern::Udp(None)),
        2 => Just(EventPattern::Udp(Some(Content::Exactly(b"b".to_vec())))),
        1 => Just(EventPattern::Syn),
        1 => Just(EventPattern::Retransmission(None)),
    ];
    let times = prop_oneof![
        Just((1, Some(1))),
        Just((0, Some(1))),
        Just((1, None)),
        Just((0, None)),
        Just((0, Some(2))),
        Just((2, Some(2))),
        Just((1, Some(3))),
    ];
    let within = prop_oneof![
        1 => Just(None),
        1 => (1..3i64, any::<bool>()).prop_map(Some),
    ];
    let steps = (pattern, times, within, any::<bool>());
    steps.prop_map(|(pattern, (min, max), within, is_named)| Step {
        times: Times { min, max },
        within: within.map(|(milliseconds, of_name)| {
            spanned(Within {
                least: 0,
                limit: milliseconds * 1_000_000,
                of: of_name.then(|| "s".to_owned()),
            })
        }),
        name: is_named.then(|| spanned("s".to_owned())),
        ..bare(pattern)
    })
}

/// All that a search may do, tried without any memory.
fn by_force(
    context: &Context<'_>,
    steps: &[Step],
    exactly: bool,
    (step, count, at): (usize, u32, usize),
    previous: Option<EventIndex>,
    names: &Names,
) -> bool {
    let rest = |at: usize| context.events.get(at..).unwrap_or(&[]);
    let Some(asked) = steps.get(step) else {
        return !exactly || rest(at).iter().all(Event::is_silent);
    };
    let on =
        |state, previous, names: &Names| by_force(context, steps, exactly, state, previous, names);
    if count >= asked.times.min && on((step + 1, 0, at), previous, names) {
        return true;
    }
    let Some(event) = context.events.get(at) else {
        return false;
    };
    let timing = Timing {
        previous,
        names,
        ordered: true,
    };
    let within = asked.within.as_ref().map(|w| &w.value);
    let takes = asked.times.max.is_none_or(|max| count < max)
        && context.fits(asked, event, names)
        && context.in_time(within, event, timing);
    let mut known = names.clone();
    known.bind(context.trace, asked, event);
    (takes && on((step, count + 1, at + 1), Some(at), &known))
        || ((!exactly || event.is_silent()) && on((step, count, at + 1), previous, names))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// `exactly` of a wire's own events matches another wire just when its
    /// events are the same.
    #[test]
    fn exactly_tells_two_wires_apart_by_their_events(
        acts in proptest::collection::vec(act(), 0..14),
        other in act(),
        place in any::<prop::sample::Index>(),
        how in 0..4,
    ) {
        let original = wire(&acts);
        let steps = all_named(&original.trace);
        prop_assert!(matches(&original.trace, Mode::Exactly, &steps));
        prop_assert!(matches(&original.trace, Mode::InOrder, &steps));
        prop_assert!(matches(&original.trace, Mode::AnyOrder, &steps));
        let mut changed = acts.clone();
        let at = place.index(acts.len() + 1);
        match how {
            0 if at < acts.len() => { changed.remove(at); }
            1 if at < acts.len() => changed.insert(at, acts[at].clone()),
            2 if at < acts.len() => changed[at] = other,
            _ => changed.insert(at, other),
        }
        let changed = wire(&changed);
        let same = all_named(&changed.trace) == steps;
        prop_assert_eq!(matches(&changed.trace, Mode::Exactly, &steps), same);
    }

    /// Without one of its steps, `exactly` fails, unless what it named has
    /// another name.
    #[test]
    fn a_step_less_is_a_failure(
        acts in proptest::collection::vec(act(), 1..14),
        place in any::<prop::sample::Index>(),
    ) {
        let acts: Vec<Act> = acts.into_iter().filter(|a| !matches!(a, Act::Request(..))).collect();
        let wire = wire(&acts);
        let mut steps = all_named(&wire.trace);
        prop_assume!(!steps.is_empty());
        let at = place.index(steps.len());
        let twice = [&steps[..=at], &steps[at..]].concat();
        prop_assert!(!matches(&wire.trace, Mode::Exactly, &twice));
        steps.remove(at);
        prop_assert!(!matches(&wire.trace, Mode::Exactly, &steps));
        prop_assert!(matches(&wire.trace, Mode::InOrder, &steps));
    }

    /// The search finds an assignment just when there is one, and what it finds
    /// is one.
    #[test]
    fn the_search_is_right(
        acts in proptest::collection::vec(plain(), 0..9),
        steps in proptest::collection::vec(vague(), 1..5),
    ) {
        let wire = wire(&acts);
        let events = Events::of(&wire.trace);
        let context = Context { trace: &wire.trace, events: &events };
        for (mode, exactly) in [(Mode::Exactly, true), (Mode::InOrder, false)] {
            let expected = by_force(&context, &steps, exactly, (0, 0, 0), None, &Names::default());
            let found = found(&wire.trace, mode, &steps);
            prop_assert_eq!(matches!(found, Found::Matched(_)), expected, "{:?}", mode);
            if let Found::Matched(taken) = found {
                let ascending = taken.windows(2).all(|w| {
                    let [a, b]: [Taken; 2] = [w[0], w[1]];
                    a.step <= b.step && a.event < b.event
                });
                prop_assert!(ascending);
            }
        }
    }

    /// Whatever is asked of whatever wire, there is an answer.
    #[test]
    fn there_is_always_an_answer(
        acts in proptest::collection::vec(act(), 0..40),
        steps in proptest::collection::vec(vague(), 0..12),
    ) {
        let wire = wire(&acts);
        for mode in [Mode::Exactly, Mode::InOrder, Mode::AnyOrder] {
            for unit in [Unit::Events, Unit::Packets] {
                let sequence = sequence(mode, unit, &steps);
                if let Found::Diverged(divergence) = found_in(&wire.trace, &sequence) {
                    prop_assert!(divergence.step.is_none_or(|s| s < steps.len()));
                }
            }
        }
    }
}
