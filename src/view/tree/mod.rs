//! The layers of one packet as a tree: each field with its value, what it means
//! and the bytes it was read from, in the order of the frame.

mod content;
mod link;
mod network;
mod transport;

use serde::Serialize;

use crate::decode::{Span, Trouble};
use crate::expect::fields;
use crate::trace::Trace;

/// A field, or a layer with its fields below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Node {
    /// As Wireshark spells it: what a display filter calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// In words: `Sequence number`.
    pub label: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// What the field says, or what its value means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// A display filter that shows the packets with this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first of its bytes in the packet's data.
    pub start: u32,
    /// How many bytes; 0 for what no byte says (a relative sequence number).
    pub len: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
}

impl Node {
    /// A layer or a group of fields.
    fn group(field: Option<&'static str>, label: impl Into<String>, span: Span) -> Node {
        Node {
            field,
            label: label.into(),
            start: span.start,
            len: span.len,
            // Some layers are shown that no filter knows.
            filter: field
                .filter(|field| fields::lookup(field).is_some())
                .map(str::to_owned),
            meaning: field.and_then(meaning),
            ..Node::default()
        }
    }

    /// A field whose value a filter can be compared with as it is shown.
    fn field(
        field: &'static str,
        label: &str,
        value: impl ToString,
        (start, len): (u32, u32),
    ) -> Node {
        let value = value.to_string();
        Node {
            field: Some(field),
            label: label.to_owned(),
            filter: Some(format!("{field} == {value}")),
            meaning: meaning(field),
            value,
            start,
            len,
            children: Vec::new(),
        }
    }

    /// What is shown and is no value of a filter.
    fn text(label: &str, value: impl ToString, (start, len): (u32, u32)) -> Node {
        Node {
            label: label.to_owned(),
            value: value.to_string(),
            start,
            len,
            ..Node::default()
        }
    }

    /// Words behind the value: `6 (TCP)`.
    fn says(mut self, words: impl std::fmt::Display) -> Node {
        let words = words.to_string();
        if !words.is_empty() {
            self.value = format!("{} ({words})", self.value);
        }
        self
    }

    fn means(mut self, meaning: impl Into<String>) -> Node {
        self.meaning = Some(meaning.into());
        self
    }

    fn with(mut self, children: impl IntoIterator<Item = Node>) -> Node {
        self.children.extend(children);
        self
    }
}

/// What the registry of fields says of one.
fn meaning(field: &str) -> Option<String> {
    fields::lookup(field).map(|field| field.meaning.to_owned())
}

/// The layers of the packet at `index`, outermost first; empty for an index out
/// of range. Positions are in [`crate::decode::Packet::data`]: the frame, or the
/// datagram that its fragment completes.
pub fn tree(trace: &Trace, index: usize) -> Vec<Node> {
    let Some(packet) = trace.packets.get(index) else {
        return Vec::new();
    };
    let data = packet.data(trace.frame(index));
    let mut layers = vec![frame(trace, index)];
    layers.extend(link::layers(packet, data));
    for outer in packet.outer() {
        layers.push(network::layer(&outer.net, data));
        layers.extend(transport::outer(outer, data));
    }
    layers.extend(packet.net.iter().map(|net| network::layer(net, data)));
    layers.extend(transport::layers(trace, index, packet, data));
    let unentered = packet.unentered();
    layers.extend(unentered.as_ref().and_then(transport::encapsulation));
    layers.extend(content::layers(trace, index));
    layers.extend(packet.trouble.as_ref().map(trouble));
    layers
}

fn frame(trace: &Trace, index: usize) -> Node {
    let Some(packet) = trace.packets.get(index) else {
        return Node::default();
    };
    let all = Span {
        start: 0,
        len: packet.data(trace.frame(index)).len() as u32,
    };
    let first = trace.packets.first().map_or(packet.time, |p| p.time);
    let before = index.checked_sub(1).and_then(|i| trace.packets.get(i));
    let before = before.map_or(packet.time, |p| p.time);
    let no_bytes = (0, 0);
    let mut node = Node::group(Some("frame"), "Frame", all);
    node.value = format!("{}, {} bytes on the wire", packet.number, packet.len);
    let mut children = vec![Node::field(
        "frame.number",
        "Number",
        packet.number,
        no_bytes,
    )];
    if packet.time.is_known() {
        let time = seconds(packet.time.0);
        let node = Node::field("frame.time_epoch", "Time", time, no_bytes);
        children.push(node.says("seconds since 1970 in Universal Time"));
    }
    let since = [
        ("frame.time_relative", "Since the first packet", first),
        ("frame.time_delta", "Since the packet before", before),
    ];
    children.extend(since.into_iter().filter_map(|(field, label, earlier)| {
        let time = seconds(packet.time.elapsed(earlier)?);
        Some(Node::field(field, label, time, no_bytes).says("seconds"))
    }));
    children.extend([
        Node::field("frame.len", "Length on the wire", packet.len, no_bytes).says("bytes"),
        Node::field("frame.cap_len", "Length captured", packet.cap_len, no_bytes).says("bytes"),
    ]);
    if let Some(whole) = packet.reassembled() {
        let numbers: Vec<String> = whole.frames.iter().map(u64::to_string).collect();
        children.push(
            Node::text("Put together from packets", numbers.join(", "), no_bytes)
                .means("the bytes shown are those of the whole datagram"),
        );
    }
    node.children = children;
    node
}

fn trouble(trouble: &Trouble) -> Node {
    let (label, value) = match trouble {
        Trouble::Malformed { layer, reason } => {
            ("Malformed", format!("{}: {reason}", layer.name()))
        }
        Trouble::Truncated { layer } => (
            "Cut short",
            format!("the capture does not hold all of {}", layer.name()),
        ),
        Trouble::Unknown { what, number } => ("Not decoded", format!("{} {number}", what.name())),
        Trouble::Encrypted { layer } => ("Encrypted", layer.name().to_owned()),
    };
    Node::text(label, value, (0, 0))
}

/// Nanoseconds as seconds, exact.
fn seconds(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    format!("{sign}{}.{:09}", all / 1_000_000_000, all % 1_000_000_000)
}

/// `0x002a`.
fn hex16(number: u16) -> String {
    format!("0x{number:04x}")
}

/// A flag of a bit field: `1` or `0`, and what it says.
fn flag(field: &'static str, label: &str, set: bool, at: (u32, u32)) -> Node {
    Node::field(field, label, u8::from(set), at).says(if set { "set" } else { "not set" })
}
