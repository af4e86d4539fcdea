//! Claims: comparisons over conversations, streams, messages and programs.
//!
//! A value that does not exist (`tcp[3]` of two conversations, a header that
//! was not sent) makes its comparison neither true nor false: what depends on
//! it fails and says why. `false and X` is false and `true or X` is true all
//! the same.
//!
//! `stream(client > server)` is every byte that the one sent the other over
//! TCP, connection after connection.
//!
//! `packets(STEP)` counts packets by their own headers, retransmissions
//! included; a step with content (`data "hello"`) means the whole run, and
//! counts the packets that carried it.

mod asked;
mod failure;
pub mod fields;
mod selected;
pub mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::Digest;

use asked::Apart;
use failure::broken;
use selected::stays;
use value::{Datum, Lack};

use super::ast::{
    Claim, Collection, EventPattern, Function, JsonPath, Op, Selection, Span, Spanned, StepEnds,
    Value,
};
use super::events::Events;
use super::evidence::{self, Evidence};
use super::facts::Facts;
use super::json_path::Found;
use super::losses::{Loss, Lost};
use super::matching::{self, Context, Names};
use super::number::Number;
use super::outcome::Failure;
use super::{contents, could_be, failures, notation};
use crate::conversation::Direction;
use crate::savefile::Bytes;

pub use asked::Asked;
pub use selected::{losses_of, losses_where_found, meant, packets};

/// What counts the segments of a conversation, or their bytes.
const COUNTS: [&str; 6] = [
    "packets",
    "completeness",
    "bytes",
    "retransmissions",
    "out_of_order",
    "history",
];

/// What tells how a connection ended.
const ENDS: [&str; 4] = ["state", "completeness", "close", "closed_by"];

/// What a SYN or the SYN,ACK has a part in.
const BEGINNINGS: [&str; 9] = [
    "packets",
    "retransmissions",
    "out_of_order",
    "history",
    "state",
    "completeness",
    "handshake_rtt",
    "handshake_rtt_ms",
    "duration",
];

/// Everything that a claim may ask.
#[derive(Clone, Copy)]
pub struct World<'t> {
    pub facts: &'t Facts<'t>,
    pub events: &'t Events<'t>,
    pub evidence: &'t Evidence<'t>,
    pub files: &'t BTreeMap<String, Bytes>,
    /// What the steps of earlier blocks are called.
    pub names: &'t Names,
    /// The expectation's text: what the author wrote is quoted from it.
    pub text: &'t str,
}

impl<'t> World<'t> {
    pub fn context(&self) -> Context<'t> {
        Context {
            trace: self.facts.trace,
            events: self.events,
        }
    }

    /// What the author wrote.
    pub fn written(&self, span: &Span) -> &'t str {
        self.text.get(span.clone()).unwrap_or("").trim()
    }
}

/// Why a claim does not hold.
pub enum Cause {
    /// A comparison turned out false.
    False(Box<Failure>),
    /// A value does not exist.
    Lack(Span, Lack),
}

/// Evaluates claims, and gathers what they rest on.
pub struct Evaluation<'w, 't> {
    world: &'w World<'t>,
    /// The subject of `each`, whose fields are written bare.
    pub own: Option<(Collection, usize)>,
    pub asked: Asked,
}

impl<'w, 't> Evaluation<'w, 't> {
    pub fn new(world: &'w World<'t>, own: Option<(Collection, usize)>) -> Self {
        Evaluation {
            world,
            own,
            asked: Asked::default(),
        }
    }

    /// Does the claim hold, and if not, why not?
    pub fn judge(&mut self, claim: &Claim) -> Result<(), Cause> {
        match claim {
            Claim::And(a, b) => {
                let both = [self.apart(a), self.apart(b)];
                // One that is false tells it, whatever the other is.
                let [a, b] = self.told_by(both, |r| matches!(r, Err(Cause::False(_))));
                match (a, b) {
                    (Err(Cause::False(why)), _) | (_, Err(Cause::False(why))) => {
                        Err(Cause::False(why))
                    }
                    (Err(lack), _) | (_, Err(lack)) => Err(lack),
                    (Ok(()), Ok(())) => Ok(()),
                }
            }
            Claim::Or(a, b) => {
                let both = [self.apart(a), self.apart(b)];
                let [a, b] = self.told_by(both, |r| r.is_ok());
                match (a, b) {
                    (Ok(()), _) | (_, Ok(())) => Ok(()),
                    (Err(lack @ Cause::Lack(..)), _) | (_, Err(lack @ Cause::Lack(..))) => {
                        Err(lack)
                    }
                    (Err(Cause::False(mut why)), Err(Cause::False(other))) => {
                        why.notes.push(format!(
                            "Nor does the other part of the `or` hold: {}",
                            other.message
                        ));
                        Err(Cause::False(why))
                    }
                }
            }
            Claim::Not(inner) => match self.judge(inner) {
                Ok(()) => Err(Cause::False(Box::new(Failure {
                    span: span_of(inner),
                    expected: span_of(inner).map(|span| {
                        let written = self.world.written(&span);
                        match inner.as_ref() {
                            Claim::And(..) | Claim::Or(..) => format!("not ({written})"),
                            Claim::Not(_) | Claim::Compare { .. } => format!("not {written}"),
                        }
                    }),
                    actual: span_of(inner).map(|span| self.world.written(&span).to_owned()),
                    ..Failure::new(failures::NEGATED, "What stands after `not` holds.")
                }))),
                Err(Cause::False(_)) => Ok(()),
                Err(lack) => Err(lack),
            },
            Claim::Compare { left, op, right } => self.compare(left, op, right),
        }
    }

    /// The result of a part, with what was asked for it alone. (That what `each` is
    /// about is all there is rests on every packet anyway.)
    fn apart(&mut self, part: &Claim) -> Apart {
        if self.own.is_some() {
            return (self.judge(part), Asked::default());
        }
        let before = std::mem::take(&mut self.asked);
        let result = self.judge(part);
        (result, std::mem::replace(&mut self.asked, before))
    }

    /// Takes what was asked for two parts, of which one may be `enough`.
    fn told_by(
        &mut self,
        parts: [Apart; 2],
        enough: impl Fn(&Result<(), Cause>) -> bool,
    ) -> [Result<(), Cause>; 2] {
        let (results, asked) = asked::told_by(parts, enough, self.world.evidence);
        self.asked.add(&asked);
        results
    }

    fn compare(
        &mut self,
        left: &Spanned<Value>,
        op: &Spanned<Op>,
        right: &Spanned<Value>,
    ) -> Result<(), Cause> {
        let world = self.world;
        let lacking = |side: &Spanned<Value>| {
            let span = side.span.clone();
            move |lack| Cause::Lack(span, lack)
        };
        let is = match (&left.value, &right.value) {
            (Value::Packets(which), Value::Number(wanted)) => {
                self.packets(which, Some((op.value, wanted)))
            }
            (other, _) => self.value(other),
        };
        let is = is.map_err(lacking(left))?;
        if let Value::Regex(regex) = &right.value {
            let matches = match &is {
                Datum::Bytes(bytes) => regex.compiled.is_match(bytes),
                _ => false,
            };
            return if matches {
                Ok(())
            } else {
                Err(Cause::False(Box::new(broken(
                    world, left, op, right, &is, None,
                ))))
            };
        }
        let wanted = self.value(&right.value).map_err(lacking(right))?;
        match compares(&is, op.value, &wanted) {
            Some(true) => Ok(()),
            Some(false) => Err(Cause::False(Box::new(broken(
                world,
                left,
                op,
                right,
                &is,
                Some(&wanted),
            )))),
            None => Err(Cause::Lack(
                op.span.clone(),
                Lack::thing(format!(
                    "{} and {} cannot be compared: they are of different kinds",
                    is.shown(),
                    wanted.shown()
                )),
            )),
        }
    }

    fn value<'v>(&mut self, value: &'v Value) -> Result<Datum<'v>, Lack>
    where
        't: 'v,
    {
        let world: &World<'t> = self.world;
        Ok(match value {
            Value::Number(n) => Datum::Number(n.clone()),
            Value::Duration(d) => Datum::Duration(*d),
            Value::Bool(b) => Datum::Bool(*b),
            Value::Text(text) => Datum::Bytes(Cow::Borrowed(text)),
            Value::Regex(regex) => Datum::Bytes(Cow::Borrowed(regex.compiled.as_str().as_bytes())),
            Value::Packets(which) => self.packets(which, None)?,
            Value::Stream(ends) => self.stream(ends)?,
            Value::Call { function, argument } => {
                let argument = self.value(&argument.value)?;
                call(*function, argument)?
            }
            Value::Json { text, path } => {
                let text = self.value(&text.value)?;
                json(&text, path)?
            }
            Value::File(name) => match world.files.get(name) {
                Some(bytes) => Datum::Bytes(Cow::Borrowed(&bytes.0)),
                None => {
                    return Err(Lack::evidence(format!(
                        "the file {} is not at hand",
                        notation::visible(name)
                    )));
                }
            },
            Value::Member {
                collection,
                index,
                path,
            } => {
                let member = value::member(world.facts, *collection, *index);
                let head = (*collection == Collection::Http)
                    .then(|| value::head(world.facts, *member.as_ref().ok()?, path))
                    .flatten();
                if let Some(head) = head {
                    let member = member?;
                    self.ask_head(head);
                    self.show_heads(member);
                    return value::field(world.facts, *collection, member, path);
                }
                self.ask_which(*collection, member.as_ref().ok().copied());
                self.member(*collection, member?, path)?
            }
            Value::Own(path) => match self.own {
                Some((collection, member)) => self.member(collection, member, path)?,
                None => {
                    return Err(Lack::thing(format!("{} of what?", path.join("."))));
                }
            },
            Value::Program { role, path } => value::program_field(world.facts, role, path)?,
        })
    }

    /// What stands in a message's head, and which message it is, depends on what
    /// came until then.
    fn ask_head(&mut self, packet: usize) {
        self.asked.grounds.every_packet = true;
        self.asked.grounds.read_up_to(packet);
    }

    /// The packets that completed a message's heads are what a claim on it shows.
    fn show_heads(&mut self, message: usize) {
        if let Some(message) = self.world.facts.messages.get(message) {
            let heads = message.request.iter().map(|r| r.head.packet);
            let heads = heads.chain(message.response.iter().map(|r| r.head.packet));
            self.asked.evidence.extend(heads);
        }
    }

    /// How many members there are depends on every packet; with messages, on the bytes
    /// of all, and which one is this `member` on those that came until it began.
    pub fn ask_which(&mut self, collection: Collection, member: Option<usize>) {
        self.asked.more = true;
        self.asked.grounds.every_packet = true;
        if collection == Collection::Http {
            let facts = self.world.facts;
            match member.and_then(|member| value::began(facts, member)) {
                Some(packet) => self.asked.grounds.read_up_to(packet),
                None => self.asked.grounds.read_all(facts.trace),
            }
        }
        let losses = self.world.facts.losses_that(|loss| match collection {
            Collection::Udp => could_be::event(&EventPattern::Udp(None), loss.what),
            Collection::Tcp | Collection::Http => could_be::may_be_of_any_connection(loss),
        });
        self.asked.grounds.losses.union_with(&losses);
    }

    /// How many there are; of what that is `compared` with, only the result matters.
    fn packets(
        &mut self,
        which: &Selection,
        compared: Option<(Op, &Number)>,
    ) -> Result<Datum<'static>, Lack> {
        self.asked.more = true;
        self.asked.grounds.roles |= evidence::asks_for_roles(which);
        let found = packets(self.world, which);
        let counted = found
            .as_ref()
            .map_or(0, |found| found.packets.count_ones(..));
        let number = Number::from(counted);
        // More than were recorded are not all of the run: some may be too many.
        let trace = self.world.facts.trace;
        let recorded = trace.recording.as_ref().map(|r| r.proof.captured);
        let are_of_it = recorded.is_none_or(|recorded| trace.packets.len() as u64 <= recorded);
        let stays = are_of_it && compared.is_some_and(|(op, wanted)| stays(&number, op, wanted));
        let losses = match &found {
            Ok(found) if stays => {
                self.asked.grounds.every_packet |= !evidence::packet_stays_found(which);
                losses_where_found(self.world, which, &found.packets)
            }
            _ => {
                self.asked.grounds.every_packet = true;
                losses_of(self.world, which)
            }
        };
        self.asked.grounds.losses.union_with(&losses);
        let read = match &found {
            Ok(found) if stays => contents::read_where_found(self.world, which, &found.packets),
            _ => contents::read_for(self.world, which),
        };
        self.asked.grounds.payloads.union_with(&read);
        let found = found?;
        if let Some(cut) = found.cut.filter(|_| !stays) {
            return Err(cut);
        }
        self.asked.grounds.absence |= counted == 0;
        self.asked.evidence.union_with(&found.packets);
        Ok(Datum::Number(number))
    }

    fn member<'v>(
        &mut self,
        collection: Collection,
        index: usize,
        path: &[String],
    ) -> Result<Datum<'v>, Lack>
    where
        't: 'v,
    {
        let facts: &'t Facts<'t> = self.world.facts;
        self.asked.more = true;
        self.asked.grounds.every_packet = true;
        self.asked.grounds.roles |= path.last().is_some_and(|name| name == "role");
        // A packet that was cut has bytes that were not captured.
        if path.last().is_some_and(|name| name == "missing_bytes") {
            let packets = facts.packets(index).iter().copied();
            self.asked.grounds.payloads.extend(packets);
        }
        if collection == Collection::Http {
            if let Some(message) = facts.messages.get(index) {
                let packets = facts.packets(message.conversation).iter().copied();
                self.asked.grounds.payloads.extend(packets);
                for way in [Direction::ToServer, Direction::ToClient] {
                    self.asked.grounds.read_stream(message.conversation, way);
                }
            }
            self.show_heads(index);
        } else {
            self.asked
                .evidence
                .extend(facts.packets(index).iter().copied());
        }
        let asks = |names: &[&str]| {
            path.first()
                .is_some_and(|name| names.contains(&name.as_str()))
        };
        let id = facts.conversations.get(index).map_or(0, |c| c.id);
        let losses = facts.losses_that(|loss| {
            let is_of_it = loss.of.is_some_and(|(of, _)| of == index);
            match (collection, loss.what) {
                (Collection::Tcp, Lost::Segments { may_be_end }) => {
                    let counts = asks(&COUNTS) && !counts_the_other(path, loss);
                    let handshake = asks(&["handshake_rtt", "handshake_rtt_ms"]);
                    let handshake = handshake && could_be::may_end_handshake(facts, loss);
                    is_of_it && (counts || handshake || (may_be_end && asks(&ENDS)))
                }
                (Collection::Tcp, Lost::Syn | Lost::SynAck) => {
                    (is_of_it && asks(&BEGINNINGS)) || could_be::renumbers(id, loss)
                }
                // Of which conversation it was, nobody knows.
                (Collection::Tcp, lost) => could_be::event(&EventPattern::Syn, lost),
                (Collection::Udp, lost) => {
                    // A port that is closed tells it by ICMP.
                    let icmp = asks(&["lost"]) && could_be::event(&EventPattern::Icmp(None), lost);
                    icmp || could_be::is_in_udp(facts, loss)
                        || could_be::event(&EventPattern::Udp(None), lost)
                }
                // Their bytes are asked for as those of streams.
                (Collection::Http, _) => could_be::may_be_of_any_connection(loss),
            }
        });
        self.asked.grounds.losses.union_with(&losses);
        value::field(facts, collection, index, path)
    }

    fn stream<'v>(&mut self, ends: &StepEnds) -> Result<Datum<'v>, Lack>
    where
        't: 'v,
    {
        let facts: &'t Facts<'t> = self.world.facts;
        self.asked.more = true;
        self.asked.grounds.every_packet = true;
        self.asked.grounds.roles |= evidence::names_a_role(ends);
        let losses = facts.losses_that(could_be::may_be_of_any_connection);
        self.asked.grounds.losses.union_with(&losses);
        let mut found: Option<Cow<'t, [u8]>> = None;
        for conversation in facts.of(crate::savefile::Protocol::Tcp) {
            for way in [Direction::ToServer, Direction::ToClient] {
                if !matching::goes(facts, conversation, way, ends) {
                    continue;
                }
                let Some(stream) = facts.stream(conversation, way) else {
                    continue;
                };
                self.asked.grounds.read_stream(conversation, way);
                self.asked
                    .evidence
                    .extend(stream.pieces.iter().map(|p| p.packet));
                let bytes = facts.trace.stream_bytes(stream, 0..stream.len());
                match &mut found {
                    None => found = Some(bytes),
                    Some(before) => before.to_mut().extend_from_slice(&bytes),
                }
            }
        }
        found.map(Datum::Bytes).ok_or_else(|| {
            Lack::thing(format!(
                "there is no TCP connection {}",
                notation::step_ends(ends)
            ))
        })
    }
}

/// Does the field count what went the other way than what is missing?
fn counts_the_other(path: &[String], loss: &Loss) -> bool {
    let way = loss.of.map(|(_, way)| way);
    match path.get(1).map(String::as_str) {
        Some("to_server") => way == Some(Direction::ToClient),
        Some("to_client") => way == Some(Direction::ToServer),
        _ => false,
    }
}

fn call(function: Function, argument: Datum<'_>) -> Result<Datum<'_>, Lack> {
    let Datum::Bytes(bytes) = argument else {
        return Err(Lack::thing(format!("{} is no text", argument.shown())));
    };
    Ok(match function {
        Function::Upper => Datum::Bytes(Cow::Owned(bytes.to_ascii_uppercase())),
        Function::Lower => Datum::Bytes(Cow::Owned(bytes.to_ascii_lowercase())),
        Function::Trim => Datum::Bytes(match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.trim_ascii()),
            Cow::Owned(bytes) => Cow::Owned(bytes.trim_ascii().to_vec()),
        }),
        Function::Len => Datum::Number(bytes.len().into()),
        Function::Sha256 => {
            let digest = sha2::Sha256::digest(&bytes);
            let digits = digest.iter().map(|byte| format!("{byte:02x}"));
            Datum::Bytes(Cow::Owned(digits.collect::<String>().into_bytes()))
        }
    })
}

/// Text, numbers and booleans as themselves; arrays, objects and null as their
/// text stands.
fn json<'v>(text: &Datum<'_>, path: &JsonPath) -> Result<Datum<'v>, Lack> {
    let Datum::Bytes(bytes) = text else {
        return Err(Lack::thing(format!("{} is no text", text.shown())));
    };
    let found = path.find(bytes).map_err(|why| {
        let why = notation::visible(&why);
        Lack::thing(format!("the text {} {why}", text.shown()))
    })?;
    Ok(match found {
        Found::Bool(b) => Datum::Bool(b),
        Found::Number(number) => Datum::Number(number),
        Found::Text(text) => Datum::Bytes(Cow::Owned(text.into_bytes())),
    })
}

/// The comparison; None for kinds that cannot be compared.
fn compares(is: &Datum<'_>, op: Op, wanted: &Datum<'_>) -> Option<bool> {
    use std::cmp::Ordering;
    let ordering = match (is, wanted) {
        (Datum::Bytes(is), Datum::Bytes(wanted)) => match op {
            Op::Contains => return Some(memchr::memmem::find(is, wanted).is_some()),
            Op::Matches => return None,
            _ => Some(is.cmp(wanted)),
        },
        (Datum::Number(is), Datum::Number(wanted)) => Some(is.cmp(wanted)),
        (Datum::Duration(is), Datum::Duration(wanted)) => Some(is.cmp(wanted)),
        (Datum::Bool(is), Datum::Bool(wanted)) => Some(is.cmp(wanted)),
        _ => return None,
    };
    let ordering = ordering?;
    Some(match op {
        Op::Eq => ordering == Ordering::Equal,
        Op::Ne => ordering != Ordering::Equal,
        Op::Lt => ordering == Ordering::Less,
        Op::Le => ordering != Ordering::Greater,
        Op::Gt => ordering == Ordering::Greater,
        Op::Ge => ordering != Ordering::Less,
        Op::Contains | Op::Matches => return None,
    })
}

fn span_of(claim: &Claim) -> Option<Span> {
    match claim {
        Claim::And(a, b) | Claim::Or(a, b) => Some(span_of(a)?.start..span_of(b)?.end),
        Claim::Not(inner) => span_of(inner),
        Claim::Compare { left, right, .. } => Some(left.span.start..right.span.end),
    }
}
