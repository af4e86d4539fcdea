//! What streams and datagrams say: HTTP heads at the packet that completes them.

use super::Node;
use crate::message::Message;
use crate::trace::{Part, Trace};

pub fn layers(trace: &Trace, index: usize) -> Vec<Node> {
    let heads = trace.http_heads(index);
    heads
        .map(|(message, part)| http(trace, message, part))
        .collect()
}

fn http(trace: &Trace, message: &Message, part: Part<'_>) -> Node {
    let mut node = Node::group(
        Some("http"),
        "Hypertext Transfer Protocol",
        Default::default(),
    );
    let at = (0, 0);
    match part {
        Part::Request(request) => {
            node.value = format!("{} {}", request.method, request.target);
            node.children = vec![
                text("http.request.method", "Method", &request.method),
                text("http.request.uri", "Target", &request.target),
                text("http.request.version", "Version", request.head.version),
            ];
        }
        Part::Response(response) => {
            node.value = format!("{} {}", response.code, response.phrase);
            node.children = vec![
                text("http.response.version", "Version", response.head.version),
                Node::field("http.response.code", "Status", response.code, at),
                text("http.response.phrase", "Reason", &response.phrase),
            ];
        }
    }
    for (name, value) in part.head().headers.iter() {
        node.children.push(Node::text(name, value, at));
    }
    let body = part.body();
    if body.len > 0 {
        node.children
            .push(Node::text("Body", format!("{} bytes", body.len), at));
    }
    node.children.extend(other(trace, message, part));
    node
}

/// The packet with the other half of the transaction.
fn other(trace: &Trace, message: &Message, part: Part<'_>) -> Option<Node> {
    let (label, index) = match part {
        Part::Request(_) => ("Answered by packet", message.response.as_ref()?.head.packet),
        Part::Response(_) => ("Answers packet", message.request.as_ref()?.head.packet),
    };
    let number = trace.packets.get(index)?.number;
    Some(Node::text(label, number, (0, 0)))
}

fn text(field: &'static str, label: &str, value: &str) -> Node {
    let mut node = Node::field(field, label, value, (0, 0));
    node.filter = Some(format!(
        "{field} == {}",
        crate::expect::notation::quoted(value.as_bytes())
    ));
    node
}
