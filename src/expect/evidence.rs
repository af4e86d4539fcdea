//! Can the capture be believed, as far as a statement rests on it?
//!
//! - A capture of ours must be proven complete. Where the proof fails, whatever
//!   a missing packet could change is inconclusive: that something was absent,
//!   that it was exactly so, how often it was, that it was not found, and what
//!   conversations, streams and messages say. That something *was* seen stays,
//!   where a packet tells it by itself: a missing one before it could make a
//!   data segment a retransmission, but no datagram anything else.
//! - A capture from elsewhere has no proof and is judged as it is, unless its
//!   file says that packets were dropped, or is damaged.
//! - A truncated frame or a gap in a stream matters to those who read its bytes; a frame
//!   that was cut inside its headers to every condition.
//!   What packets tell of one that is missing ([`losses`]) matters to those who say
//!   that there is none such, how many there are, or that there is nothing else.
//! - An end whose owner is unknown matters to those who ask for a role.
//! - Claims about programs alone rest on no packet.
//!
//! That something did *not* happen counts only if the programs did what they
//! had to: a program that crashed sends no RST either. Where one failed, such a
//! statement fails, for that is the programs' fault and not the capture's.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use super::ast::{
    EventPattern, Filter, Mode, Scope, Selection, Sequence, Spanned, Step, StepEnds, StepOrFilter,
    Unit, Who, Window,
};
use super::could_be;
use super::cut;
use super::facts::Facts;
use super::failures;
use super::fields::Needs;
use super::judgement::{Grounds, Judgement};
use super::losses::{self, Loss, Lost};
use super::notation::count;
use super::outcome::{Failure, Outcome, Verdict};
use crate::conversation::Direction;
use crate::decode::Packet;
use crate::savefile::{Proof, Protocol};
use crate::trace::{self, Owner, Trace};

/// A stream that is not whole.
struct Doubtful {
    conversation: usize,
    way: Direction,
    /// All its bytes are there that came with the packets up to this one.
    whole_to: Option<usize>,
    message: String,
}

/// Why packets may be missing.
struct Incomplete {
    /// A sentence.
    reason: String,
    /// Before this packet none is missing by it.
    from: usize,
}

/// Why a result may be wrong: the code, and a sentence.
type Doubt = (&'static str, String);

/// What is known of the evidence's faults.
pub struct Evidence<'t> {
    facts: &'t Facts<'t>,
    incomplete: Vec<Incomplete>,
    /// Why an end's owner may be unknown or wrong.
    owners: Vec<String>,
    /// The streams that are not whole, by conversation.
    doubtful: Vec<Doubtful>,
    /// The implied expectations that did not pass.
    unmet: Vec<(String, Verdict)>,
}

impl<'t> Evidence<'t> {
    /// `implied`: the outcomes of the programs' own expectations.
    pub fn new(facts: &'t Facts<'t>, implied: &[Outcome]) -> Evidence<'t> {
        let trace = facts.trace;
        Evidence {
            facts,
            incomplete: incomplete(facts),
            owners: doubtful_owners(trace),
            doubtful: doubtful_streams(facts),
            unmet: implied
                .iter()
                .filter(|o| o.verdict != Verdict::Pass)
                .map(|o| (o.name.clone(), o.verdict))
                .collect(),
        }
    }

    /// The verdict on a statement, and what to say where it is no pass.
    pub fn settle(&self, judgement: Judgement) -> (Verdict, Option<Failure>) {
        if let Some(reason) = judgement.no_evidence {
            let message = format!("It cannot be told: {}", lower_first(&reason));
            let failure = Failure::new(failures::UNDECIDED, message);
            return (Verdict::Inconclusive, Some(failure));
        }
        let mut doubts = self
            .doubts(&judgement.rests_on, &judgement.evidence)
            .into_iter();
        if let Some((code, first)) = doubts.next() {
            let mut failure = inconclusive(code, first);
            failure.notes.extend(doubts.map(|(_, doubt)| doubt));
            failure.notes.push(match &judgement.failure {
                None => "Going by the packets that were captured, it would pass.".to_owned(),
                Some(would_be) => format!(
                    "Going by the packets that were captured, it would fail: {}",
                    would_be.message
                ),
            });
            if let Some(would_be) = judgement.failure {
                failure.span = would_be.span;
            }
            return (Verdict::Inconclusive, Some(failure));
        }
        match (judgement.holds, judgement.rests_on.absence) {
            (true, true) => self.absence(),
            (true, false) => (Verdict::Pass, None),
            (false, _) => (
                Verdict::Fail,
                Some(
                    judgement
                        .failure
                        .unwrap_or_else(|| Failure::new(failures::FALSE, "It does not hold.")),
                ),
            ),
        }
    }

    /// A statement that holds because something did not happen.
    fn absence(&self) -> (Verdict, Option<Failure>) {
        let Some((name, worst)) = self
            .unmet
            .iter()
            .find(|(_, v)| *v == Verdict::Fail)
            .or(self.unmet.first())
        else {
            return (Verdict::Pass, None);
        };
        let failure = Failure {
            notes: vec![format!(
                "First look at \"{name}\": a program that fails may not send what it would have sent, wanted or not."
            )],
            ..Failure::new(
                failures::PROVES_NOTHING,
                "No packet breaks it, but that proves nothing: a program did not do what it had to.",
            )
        };
        (*worst, Some(failure))
    }

    /// Does a result count that rests on this, and is told by the packets that were
    /// `found`?
    pub fn stands(&self, grounds: &Grounds, found: &FixedBitSet) -> bool {
        let proves_nothing = grounds.absence && !self.unmet.is_empty();
        !proves_nothing && self.doubts(grounds, found).is_empty()
    }

    /// Why the result may be wrong for want of evidence.
    fn doubts(&self, grounds: &Grounds, found: &FixedBitSet) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        if grounds.every_packet {
            let could_matter =
                |missing: &&Incomplete| grounds.up_to.is_none_or(|up_to| missing.from <= up_to);
            let missing = self.incomplete.iter().filter(could_matter);
            doubts.extend(missing.map(|m| (failures::INCOMPLETE, m.reason.clone())));
            if grounds.roles {
                doubts.extend(self.owners.iter().map(|d| (failures::OWNERS, d.clone())));
            }
        } else if grounds.roles {
            doubts.extend(self.guessed(found));
        }
        if grounds.absence
            && self.facts.trace.recording.is_none()
            && self.facts.trace.packets.is_empty()
        {
            doubts.push((
                failures::EMPTY,
                "The capture holds no packet, and does not tell whether anything ran.".to_owned(),
            ));
        }
        doubts.extend(self.doubtful_bytes(grounds));
        doubts
    }

    /// Of what was found, the ends may be others: a packet before it could be missing.
    fn guessed(&self, found: &FixedBitSet) -> Option<Doubt> {
        let trace = self.facts.trace;
        let after_all = |missing: &Incomplete| missing.from >= trace.packets.len();
        if self.incomplete.iter().all(after_all) {
            return None;
        }
        let of = |packet: usize| {
            trace
                .conversations
                .get(trace.seen.get(packet)?.conversation?)
        };
        let mut conversations = found.ones().filter_map(of);
        let guessed = conversations.find(|c| !trace::is_told(trace, c))?;
        let (protocol, number) = match guessed.protocol {
            Protocol::Tcp => ("tcp", guessed.id),
            Protocol::Udp => ("udp", guessed.id),
        };
        Some((
            failures::OWNERS,
            format!(
                "Who is who in {protocol}[{number}] is taken from its first packets, and packets may be missing before them. `--role` tells it of both ends."
            ),
        ))
    }

    fn doubtful_bytes(&self, grounds: &Grounds) -> Option<Doubt> {
        let trace = self.facts.trace;
        let is_read_to = |packet: usize| grounds.read_to >= Some(packet);
        let mut truncated = self.facts.truncated().ones();
        let cut = truncated.find(|&p| grounds.payloads.contains(p) || is_read_to(p));
        if let Some(packet) = cut.and_then(|p| trace.packets.get(p)) {
            let message = format!(
                "Packet {} was cut when it was captured: {} of its {} bytes are in the file.",
                packet.number, packet.cap_len, packet.len
            );
            return Some((failures::CUT, message));
        }
        let is_read = |doubtful: &&Doubtful| {
            let Doubtful {
                conversation,
                way,
                whole_to,
                ..
            } = **doubtful;
            // Else what is missing came later than what was asked for.
            let is_before = whole_to < grounds.read_to;
            let brings = |&packet: &usize| {
                let seen = trace.seen.get(packet);
                let is_of = seen.is_some_and(|s| s.tcp.is_some() && s.direction == Some(way));
                is_of && (grounds.payloads.contains(packet) || (is_before && is_read_to(packet)))
            };
            grounds.reads_stream(conversation, way)
                || self.facts.packets(conversation).iter().any(brings)
        };
        let doubtful = self.doubtful.iter().find(is_read);
        let message = doubtful.map(|doubtful| &doubtful.message).or_else(|| {
            let mut losses = grounds.losses.ones().filter(|_| grounds.every_packet);
            let loss = losses.find_map(|loss| self.facts.losses().get(loss))?;
            Some(&loss.message)
        })?;
        Some((failures::MISSING_BYTES, message.clone()))
    }
}

/// The streams that are not whole, in their order.
fn doubtful_streams(facts: &Facts<'_>) -> Vec<Doubtful> {
    let ways = [Direction::ToClient, Direction::ToServer];
    let streams = (0..facts.streams.len()).flat_map(|c| ways.map(|way| (c, way)));
    let losses = facts.losses().iter();
    let lost: HashMap<(usize, Direction), &Loss> = losses
        .filter(|loss| matches!(loss.what, Lost::Segments { .. }))
        .filter_map(|loss| Some((loss.of?, loss)))
        .collect();
    streams
        .filter_map(|(conversation, way)| {
            let message = losses::gap(facts, conversation, way)
                .or_else(|| Some(lost.get(&(conversation, way))?.message.clone()))?;
            Some(Doubtful {
                conversation,
                way,
                whole_to: whole_to(facts, conversation, way),
                message,
            })
        })
        .collect()
}

/// The last packet of those that brought the bytes before a stream's first gap.
fn whole_to(facts: &Facts<'_>, conversation: usize, way: Direction) -> Option<usize> {
    let stream = facts.stream(conversation, way)?;
    let gap = stream.gaps.first()?;
    let before = stream.pieces.iter().take_while(|piece| piece.at < gap.at);
    before.map(|piece| piece.packet).max()
}

fn inconclusive(code: &'static str, reason: String) -> Failure {
    Failure::new(
        code,
        format!("Evidence is missing: {}", lower_first(&reason)),
    )
}

/// A sentence as the rest of another.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Why packets may be missing from the capture.
fn incomplete(facts: &Facts<'_>) -> Vec<Incomplete> {
    let trace = facts.trace;
    let mut all = Vec::new();
    if let Some(damage) = &trace.capture.damage {
        all.push(Incomplete {
            reason: format!(
                "The capture file is damaged at byte {}: {}.",
                damage.offset, damage.reason
            ),
            // It was read up to the damage.
            from: trace.packets.len(),
        });
    }
    let mut reasons = Vec::new();
    match &trace.recording {
        Some(recording) => {
            if recording.interrupted {
                reasons.push("The run was interrupted before it was over.".to_owned());
            }
            if let Some(fault) = &recording.fault {
                reasons.push(format!("The recording failed: {fault}."));
            }
            reasons.extend(unproven(&recording.proof));
            let present = trace.packets.len();
            if trace.capture.damage.is_none() && recording.proof.captured != present as u64 {
                reasons.push(format!(
                    "The capture file was changed after it was recorded: {} captured, but {} in the file.",
                    were(recording.proof.captured),
                    if present == 1 { "1 is".to_owned() } else { format!("{present} are") },
                ));
            }
        }
        None => {
            let dropped: u64 = trace
                .capture
                .interfaces
                .iter()
                .filter_map(|i| i.dropped)
                .sum();
            if dropped > 0 {
                reasons.push(format!(
                    "The capture file says that {} dropped.",
                    were(dropped)
                ));
            }
        }
    }
    all.extend(
        reasons
            .into_iter()
            .map(|reason| Incomplete { reason, from: 0 }),
    );
    let mut truncated = facts.truncated().ones();
    let cut = truncated.find(|index| cut::is_in_headers(trace, *index));
    if let Some((from, packet)) = cut.and_then(|index| Some((index, trace.packets.get(index)?))) {
        all.push(Incomplete {
            reason: format!(
                "Packet {} was cut inside its headers when it was captured.",
                packet.number
            ),
            from,
        });
    }
    all
}

/// Does what a sequence found stay found, whatever else had been captured? So
/// it is where packets tell by their own headers what they are. Which bytes are
/// new, what is a retransmission, and which ACK ends a handshake, on the other
/// hand, depends on what came before.
pub fn stays_found(sequence: &Sequence) -> bool {
    let scope = match &sequence.scope {
        None => true,
        Some(Scope::Filter(filter)) => tells_by_headers(&filter.value),
        // A conversation before it would change its number.
        Some(Scope::Conversation { .. } | Scope::Message(_)) => false,
    };
    let alone = sequence.steps.len() == 1;
    scope
        && sequence.mode != Mode::Exactly
        && sequence.steps.iter().all(|step| {
            let step = &step.value;
            let once = alone && step.times.min <= 1;
            let event = match (&step.event, sequence.unit) {
                (event, Unit::Packets) => is_of_one_packet(event),
                (EventPattern::Udp(_) | EventPattern::Icmp(_) | EventPattern::Rst, _) => true,
                // Sent again, it would be no event beside the first.
                (EventPattern::Syn | EventPattern::SynAck | EventPattern::Fin, _) => once,
                _ => false,
            };
            let condition = step.where_.as_ref();
            event && condition.is_none_or(|filter| tells_by_headers(&filter.value))
        })
}

/// Does a packet that was found stay found, whatever else had been captured?
pub fn packet_stays_found(which: &Selection) -> bool {
    which.window.is_none()
        && match &which.what {
            StepOrFilter::Filter(filter) => tells_by_headers(&filter.value),
            StepOrFilter::Step(step) => {
                let condition = step.value.where_.as_ref();
                is_of_one_packet(&step.value.event)
                    && !matches!(step.value.event, EventPattern::Data(Some(_)))
                    && condition.is_none_or(|filter| tells_by_headers(&filter.value))
            }
        }
}

/// Can one packet alone be it?
fn is_of_one_packet(event: &EventPattern) -> bool {
    !matches!(
        event,
        EventPattern::Request { .. }
            | EventPattern::Response { .. }
            | EventPattern::Retransmission(_)
            | EventPattern::KeepAlive
            | EventPattern::WindowUpdate
    )
}

/// Does the filter ask only for what stands in the packet itself?
pub fn tells_by_headers(filter: &Filter) -> bool {
    let mut tells = super::filter::needs(filter) == Needs::HEADERS && !could_be::counts(filter);
    filter.steps(&mut |_| tells = false);
    tells
}

fn were(packets: u64) -> String {
    let packets = usize::try_from(packets).unwrap_or(usize::MAX);
    let verb = if packets == 1 { "was" } else { "were" };
    format!("{} {verb}", count(packets, "packet"))
}

/// What keeps the proof from being complete.
fn unproven(proof: &Proof) -> Vec<String> {
    let mut reasons = Vec::new();
    if proof.dropped > 0 {
        reasons.push(format!(
            "{} dropped while capturing.",
            capital(&were(proof.dropped))
        ));
    }
    if proof.interface_counter == Some(false) {
        reasons.push(match proof.interface_packets {
            Some(counted) => format!(
                "The interface counted {}, but {} captured.",
                count(usize::try_from(counted).unwrap_or(usize::MAX), "packet"),
                were(proof.captured)
            ),
            None => "The interface's own counter does not agree with the capture.".to_owned(),
        });
    }
    if !proof.opening {
        reasons.push(
            "The marker at the start of the capture was not seen, so the first packets may be missing.".to_owned(),
        );
    }
    if !proof.closing {
        reasons.push(
            "The marker at the end of the capture was not seen, so the last packets may be missing.".to_owned(),
        );
    }
    reasons
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Why the owner of an end may be unknown.
fn doubtful_owners(trace: &Trace) -> Vec<String> {
    let has_ends = |p: &Packet| p.ports().is_some() || p.icmp().is_some_and(|i| i.quoted.is_some());
    let unknown = trace
        .ends
        .iter()
        .zip(&trace.packets)
        .find(|(ends, packet)| {
            (ends.from == Owner::Unknown || ends.to == Owner::Unknown) && has_ends(packet)
        })
        .map(|(_, packet)| packet.number);
    match (&trace.recording, unknown) {
        (None, Some(_)) => vec![
            "The capture does not tell which program owned which socket. Where any end will do, write `any`.".to_owned(),
        ],
        (Some(_), Some(frame)) => vec![format!(
            "It is not known which program owned the ends of packet {frame}."
        )],
        (Some(recording), None) if !recording.proof.owners => {
            vec!["It is not known of every socket which program owned it.".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// Does it matter to a claim's packets who owned their ends?
pub fn asks_for_roles(which: &Selection) -> bool {
    let of_what = match &which.what {
        StepOrFilter::Step(step) => step_asks_for_roles(&step.value),
        StepOrFilter::Filter(filter) => filter_asks_for_roles(&filter.value),
    };
    of_what || which.window.as_ref().is_some_and(window_asks_for_roles)
}

/// Does it matter to a window who owned the ends of what bounds it?
pub fn window_asks_for_roles(window: &Spanned<Window>) -> bool {
    window.value.steps().any(step_asks_for_roles)
}

fn step_asks_for_roles(step: &Step) -> bool {
    let condition = step.where_.as_ref();
    step.ends.as_ref().is_some_and(names_a_role)
        || condition.is_some_and(|f| filter_asks_for_roles(&f.value))
}

/// Does one of the ends name a program or nobody?
pub fn names_a_role(ends: &StepEnds) -> bool {
    ends.from.value.who != Who::Any || ends.to.value.who != Who::Any
}

/// Does the filter ask for `from` or `to`?
pub fn filter_asks_for_roles(filter: &Filter) -> bool {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => {
            filter_asks_for_roles(a) || filter_asks_for_roles(b)
        }
        Filter::Not(inner) => filter_asks_for_roles(inner),
        Filter::End { who, .. } => who.who != Who::Any,
        Filter::Exists(_) | Filter::NotZero(_) | Filter::Compare { .. } | Filter::In { .. } => {
            false
        }
    }
}
