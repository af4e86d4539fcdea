//! Packet comments for the savefile, by frame number: whose packet it is, and
//! which expectations it is evidence for. `savefile::annotate` puts its own
//! mark behind each.

use std::collections::BTreeMap;

use super::text;
use crate::report::Report;

/// The comments of a report that was built with its packets, each on one line.
pub fn comments(report: &Report) -> BTreeMap<u64, Vec<String>> {
    report
        .packets
        .iter()
        .flatten()
        .filter(|packet| !packet.comment.is_empty())
        .map(|packet| {
            let lines = packet.comment.iter().map(|line| text::visible(line));
            (packet.frame.number, lines.collect())
        })
        .collect()
}
