//! Packet comments for the savefile, by frame number: whose packet it is, and
//! which expectations it is evidence for. `savefile::annotate` puts its own
//! mark behind each.

use std::collections::BTreeMap;

use super::text;
use crate::report::{Packets, Report};

/// The comments of a report that was built with its packets, each on one line.
pub fn comments(report: &Report) -> BTreeMap<u64, Vec<String>> {
    let packets = report.packets.iter();
    packets
        .flat_map(Packets::comments)
        .map(|(number, lines)| {
            let lines = lines.iter().map(|line| text::visible(line));
            (number, lines.collect())
        })
        .collect()
}
