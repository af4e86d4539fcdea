//! What the frames are: a tree of protocols in which every frame is once.

use std::collections::BTreeMap;

use super::super::line::Tone;
use super::super::screen::{Screen, thousands};
use super::table::{Cell, Table, left, right};
use super::{heading, names, units};
use crate::report::Summary;

/// Rows of the tree; a capture of noise has thousands of kinds.
const ROWS: usize = 40;
/// Columns that the numbers need beside the names.
const NUMBERS: usize = 32;

/// A protocol, and what is inside it.
#[derive(Debug, Default)]
struct Node<'a> {
    packets: u64,
    bytes: u64,
    inside: BTreeMap<&'a str, Node<'a>>,
}

pub fn frames(screen: &mut Screen, summary: &Summary) {
    let mut root = Node::default();
    for kind in &summary.protocols {
        root.add(kind.packets, kind.bytes);
        let mut node = &mut root;
        let shown = kind.protocols.iter();
        for protocol in shown.filter_map(|name| names::protocol(name)) {
            node = node.inside.entry(protocol).or_default();
            node.add(kind.packets, kind.bytes);
        }
    }
    if root.packets == 0 {
        return;
    }
    heading(screen, "Frames", None);
    let mut table = Table::new(vec![left(""), right("packets"), right(""), right("bytes")]);
    let mut rows = Vec::new();
    root.rows(0, &mut rows);
    let room = screen.width;
    for (depth, name, node) in rows.iter().take(ROWS) {
        let name = format!("{}{}", "  ".repeat(*depth), screen.clean(name));
        table.row(vec![
            Cell::plain(screen.cut(&name, room.saturating_sub(NUMBERS))),
            Cell::plain(thousands(node.packets)),
            Cell::dim(units::share(node.packets, root.packets)),
            Cell::plain(units::size(node.bytes)),
        ]);
    }
    table.show(screen, 2, room);
    let rest = rows.len().saturating_sub(ROWS) as u64;
    if rest > 0 {
        let text = format!("and {} kinds more: --json has them all", thousands(rest));
        screen.text(2, &text, Tone::Dim);
    }
    screen.blank();
}

impl<'a> Node<'a> {
    fn add(&mut self, packets: u64, bytes: u64) {
        self.packets = self.packets.saturating_add(packets);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Itself left out; the most frequent first.
    fn rows<'n>(&'n self, depth: usize, rows: &mut Vec<(usize, &'a str, &'n Node<'a>)>) {
        let mut inside: Vec<_> = self.inside.iter().collect();
        inside.sort_by_key(|(name, node)| (std::cmp::Reverse(node.packets), **name));
        for (name, node) in inside {
            rows.push((depth, name, node));
            node.rows(depth + 1, rows);
        }
    }
}
