//! `no …` and `nothing …`.

use fixedbitset::FixedBitSet;

use super::{Judge, sentence};
use crate::expect::ast::{Selection, Span, Spanned, StepOrFilter, Window};
use crate::expect::claim::value::Lack;
use crate::expect::event::{self, Event};
use crate::expect::judgement::{self, Grounds, Judgement};
use crate::expect::outcome::Failure;
use crate::expect::wireshark::{leaves_out, wireshark_filter};
use crate::expect::{claim, contents, evidence, failures, notation, quoted, window};

impl Judge<'_> {
    /// `no STEP`, `no FILTER`.
    pub(super) fn no(&self, which: &Selection, span: &Span) -> Judgement {
        let trace = self.world.facts.trace;
        let found = match claim::packets(&self.world, which) {
            Ok(found) => found,
            Err(lack) => return self.no_window(which, span, lack),
        };
        let (found, cut) = (found.packets, found.cut);
        let what = which;
        let roles = evidence::asks_for_roles(what);
        let Some(first) = found.minimum() else {
            if let Some(cut) = cut {
                return self.no_window(which, span, cut);
            }
            return Judgement {
                holds: true,
                rests_on: Grounds {
                    every_packet: true,
                    absence: true,
                    roles,
                    payloads: contents::read_for(&self.world, which),
                    losses: claim::losses_of(&self.world, which),
                    ..Grounds::default()
                },
                ..Judgement::default()
            };
        };
        let frame = trace.packets.get(first).map_or(0, |p| p.number);
        let context = self.world.context();
        let (mut what, actual) = match &which.what {
            StepOrFilter::Step(step) => {
                let fits = |e: &&Event| context.fits(&step.value, e, self.world.names);
                let event = self.world.events.carried_by(first).find(fits);
                let event = event.map(|e| notation::event(&context, e, Some(&step.value)));
                (notation::step(&step.value), event)
            }
            StepOrFilter::Filter(filter) => (self.world.written(&filter.span).to_owned(), None),
        };
        if let Some(window) = &which.window {
            what = format!("{what} {}", self.world.written(&window.span));
        }
        let message = match found.count_ones(..) {
            1 => format!("There is one: packet {frame}."),
            n => format!("There are {n} such packets; the first is packet {frame}."),
        };
        Judgement {
            failure: Some(Failure {
                span: Some(span.clone()),
                expected: Some(format!("no {what}")),
                actual: actual.or_else(|| self.shown(first)),
                diverges_at: Some(frame),
                wireshark_filter: wireshark_filter(trace, &found),
                notes: quoted::note(&self.world, which, &found)
                    .into_iter()
                    .chain(leaves_out(trace, &found))
                    .collect(),
                ..Failure::new(failures::PRESENT, message)
            }),
            rests_on: Grounds {
                every_packet: !evidence::packet_stays_found(which),
                roles,
                payloads: contents::read_where_found(&self.world, which, &found),
                losses: claim::losses_where_found(&self.world, which, &found),
                ..Grounds::default()
            },
            evidence: found,
            ..Judgement::default()
        }
    }

    /// `nothing WINDOW`: no event of any kind.
    pub(super) fn nothing(&self, window: &Spanned<Window>, span: &Span) -> Judgement {
        let trace = self.world.facts.trace;
        let rests_on = Grounds {
            every_packet: true,
            absence: true,
            losses: self.world.facts.losses_that(|_| true),
            roles: evidence::window_asks_for_roles(window),
            payloads: if contents::window_reads(window) {
                judgement::all(trace)
            } else {
                FixedBitSet::new()
            },
            ..Grounds::default()
        };
        let shown = match window::shown(&self.world, window) {
            Ok(shown) => shown,
            Err(lack) => return self.lacking(lack, window.span.clone(), rests_on),
        };
        let mut inside = self.world.events.iter().filter(|event| {
            !event.is_silent() && !event.after_stop && shown.stretches.contain(event.packet())
        });
        let Some(event) = inside.next() else {
            if let Some(cut) = shown.cut {
                return self.lacking(cut, window.span.clone(), rests_on);
            }
            return Judgement {
                holds: true,
                rests_on,
                ..Judgement::default()
            };
        };
        let frame = trace.packets.get(event.packet()).map_or(0, |p| p.number);
        let evidence: FixedBitSet = event.packets.iter().copied().collect();
        Judgement {
            failure: Some(Failure {
                span: Some(span.clone()),
                expected: Some(format!("nothing {}", self.world.written(&window.span))),
                actual: Some(notation::event(&self.world.context(), event, None)),
                diverges_at: Some(frame),
                wireshark_filter: wireshark_filter(trace, &evidence),
                ..Failure::new(
                    failures::PRESENT,
                    match inside.count() {
                        0 => format!("There is an event: packet {frame} carries it."),
                        more => format!(
                            "There are {} events; packet {frame} carries the first.",
                            more + 1
                        ),
                    },
                )
            }),
            evidence,
            rests_on,
            ..Judgement::default()
        }
    }

    /// What bounds the window never came, or the capture ends before the window.
    pub(super) fn no_window(&self, which: &Selection, span: &Span, lack: Lack) -> Judgement {
        let rests_on = Grounds {
            every_packet: true,
            losses: claim::losses_of(&self.world, which),
            roles: evidence::asks_for_roles(which),
            payloads: contents::read_for(&self.world, which),
            ..Grounds::default()
        };
        let window = which.window.as_ref().map_or(span, |window| &window.span);
        self.lacking(lack, window.clone(), rests_on)
    }

    fn lacking(&self, lack: Lack, span: Span, rests_on: Grounds) -> Judgement {
        let mut judgement = Judgement {
            rests_on,
            ..Judgement::default()
        };
        if lack.no_evidence {
            judgement.no_evidence = Some(sentence(&lack.message));
        } else {
            judgement.failure = Some(Failure {
                span: Some(span),
                notes: vec![
                    "A statement about a part of the capture that is not there proves nothing."
                        .to_owned(),
                ],
                ..Failure::new(failures::NO_WINDOW, sentence(&lack.message))
            });
        }
        judgement
    }

    /// The event that a packet carries, in notation.
    pub(super) fn shown(&self, packet: usize) -> Option<String> {
        let trace = self.world.facts.trace;
        let mut carried = self.world.events.carried_by(packet);
        // Of a run of several the packet brought a part.
        let is_whole = |event: &&Event| event.packets.len() == 1;
        let event = match carried.rfind(|e| !e.is_silent()).filter(is_whole) {
            Some(event) => event,
            None if packet < trace.packets.len() => &event::packet(trace, packet),
            None => return None,
        };
        Some(notation::event(&self.world.context(), event, None))
    }
}
