//! What `inspect` tells of a capture beside its conversations and messages.

use std::collections::BTreeMap;

use super::build::{self, Options, millis};
use super::model::{Error, ErrorCode, Report};
use super::spelled::Seconds;
use super::summary::{ConversationCount, FindingKind, Findings, Limit, ProtocolCount, Summary};
use crate::conversation::Limits;
use crate::decode::{FragmentLimits, Layer, Numbering};
use crate::inspect::{Count, Kind, Rest, Tally, Totals};
use crate::message::Waits;

/// What was shown of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub conversations: ConversationCount,
    /// Of HTTP.
    pub transactions: u64,
    /// Of DNS.
    pub lookups: u64,
    /// Packets that a display filter let through, where there is one.
    pub displayed: Option<u64>,
}

impl Report {
    /// The report on a capture whose packets, conversations and messages were
    /// shown while it was read: all but these.
    pub fn at_a_glance(
        totals: &Totals,
        limits: &Limits,
        findings: Findings,
        counts: &Counts,
    ) -> Report {
        let options = Options {
            claimed: true,
            ..Options::default()
        };
        let recording = totals.recording.as_ref();
        let mut report = build::frame(&totals.capture, recording, &options);
        if let Some(capture) = &mut report.capture {
            capture.tell_all(&totals.capture);
            capture.displayed = counts.displayed.unwrap_or(capture.packets);
        }
        if let Some(fault) = &totals.fault {
            report.error = Some(Error {
                code: ErrorCode::Environment,
                message: format!("{fault}. Everything before it was read"),
            });
            report.verdict = Some(super::Verdict::Error);
        }
        report.summary = Some(summary(&totals.tally, limits, findings, counts));
        report
    }
}

fn summary(tally: &Tally, limits: &Limits, mut findings: Findings, counts: &Counts) -> Summary {
    findings.frames(FindingKind::Truncated, None, tally.truncated);
    for (layer, count) in &tally.malformed {
        findings.frames(
            FindingKind::Malformed,
            Some(layer.name().to_owned()),
            *count,
        );
    }
    Summary {
        bytes: tally.all.bytes,
        time_epoch: tally.times.map(|(first, _)| Seconds(first.0)),
        duration_ms: tally.times.map(|(first, last)| millis(last.since(first))),
        protocols: protocols(tally),
        conversations: counts.conversations,
        transactions: counts.transactions,
        lookups: counts.lookups,
        findings: findings.finish(),
        limits: bitten(tally, limits),
    }
}

/// Each frame is in one of the counts.
fn protocols(tally: &Tally) -> Vec<ProtocolCount> {
    let mut counts: BTreeMap<Vec<String>, Count> = BTreeMap::new();
    for (kind, count) in &tally.kinds {
        counts.entry(names(kind)).or_default().add(*count);
    }
    let count = |(protocols, count): (_, Count)| ProtocolCount {
        protocols,
        packets: count.frames,
        bytes: count.bytes,
    };
    counts.into_iter().map(count).collect()
}

/// The protocols of a frame, outermost first.
fn names(kind: &Kind) -> Vec<String> {
    let layers = kind.layers.as_slice().iter();
    // The field that says what follows is no protocol.
    let layers = layers.filter(|layer| match layer {
        Layer::Ethertype => false,
        Layer::Data => kind.rest != Rest::Fragment,
        _ => true,
    });
    let rest = match kind.rest {
        Rest::Nothing => None,
        Rest::Fragment => Some("fragment".to_owned()),
        Rest::Malformed => Some("malformed".to_owned()),
        Rest::Unknown(Numbering::EtherType, number) => Some(format!("EtherType 0x{number:04x}")),
        Rest::Unknown(what, number) => Some(format!("{} {number}", what.name())),
        Rest::IpProtocol(number) => Some(format!("IP protocol {number}")),
    };
    let layers = layers.map(|layer| layer.name().to_owned());
    layers.chain(rest).collect()
}

/// The bounds on memory that were reached.
fn bitten(tally: &Tally, limits: &Limits) -> Vec<Limit> {
    let bitten = &tally.bitten;
    let limit = |name: &str, option, limit: usize, reached, effect: &str| Limit {
        name: name.to_owned(),
        option,
        limit: limit as u64,
        reached,
        effect: effect.to_owned(),
    };
    [
        limit(
            "limit-conversations",
            true,
            limits.conversations,
            bitten.conversations.conversations,
            "so many conversations were closed although more of them may have come: \
             a later packet of one is counted as another conversation",
        ),
        limit(
            "limit-waiting",
            true,
            limits.waiting,
            bitten.conversations.holes,
            "so many times bytes that had not come were waited for no longer, and count \
             as missing",
        ),
        limit(
            "unacknowledged-segments",
            false,
            limits.unacknowledged,
            bitten.conversations.segments,
            "so many segments were sent while no more could wait for their ACKs: their \
             round-trip times and bytes in flight are not told",
        ),
        limit(
            "fragmented-datagrams",
            false,
            FragmentLimits::default().datagrams,
            bitten.datagrams,
            "or more than 16 MiB of them: so many datagrams were waited for no longer although \
             more of their fragments may have come, and are told as fragments",
        ),
        limit(
            "http-requests-waiting",
            false,
            Waits::default().requests,
            bitten.messages.transactions,
            "so many requests were told without the answers that may have come later, \
             which are told by themselves: about 262,144 may wait in all",
        ),
        limit(
            "dns-queries-waiting",
            false,
            Waits::default().queries,
            bitten.messages.queries,
            "so many queries were told without the answers that may have come later, \
             which are told by themselves",
        ),
    ]
    .into_iter()
    .filter(|limit| limit.reached > 0)
    .collect()
}
