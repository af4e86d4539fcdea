//! Packets that are alike: of one conversation, one way, between the same
//! owners, with the same flags and marks. Most of what a filter or a step asks
//! is the same for all packets of a class ([`Alike`]), so that it is
//! asked once for a class and not once for each packet; and what is the same for
//! all classes of a kind, once for the kind.

use std::collections::HashMap;
use std::ops::Range;

use fixedbitset::FixedBitSet;

use super::columns::Columns;
use super::fields::{Alike, Field, Kind as FieldKind};
use super::grouped::Grouped;
use crate::conversation::{Direction, Marks};
use crate::decode::{Net, Packet, Transport};
use crate::trace::Trace;

/// The packets of a capture by their kinds and classes.
#[derive(Debug)]
pub struct Classes {
    kinds: Vec<Kind>,
    /// Kind after kind.
    classes: Vec<Class>,
    /// Class after class; of each, in their order.
    packets: Vec<usize>,
    /// What was asked of packets one by one.
    pub columns: Columns,
}

/// Packets of one kind.
#[derive(Debug)]
struct Kind {
    group: Group,
    classes: Range<usize>,
}

/// Packets of one kind, of one conversation, between the same owners.
#[derive(Debug)]
struct Class {
    group: Group,
    packets: Range<usize>,
}

/// Packets that are answered for by the first of them.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// None for those that are like no other: within tunnels, without a
    /// conversation, ICMP.
    pub first: Option<usize>,
    /// A message of HTTP begins or ends in its packets.
    pub http: bool,
}

/// The kind of those that are like no other.
const APART: usize = 0;

const LIKE_NO_OTHER: Group = Group {
    first: None,
    http: true,
};

/// What packets of a kind have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    ipv6: bool,
    to_server: bool,
    /// Of a segment: flags and marks.
    segment: Option<(u16, Marks)>,
    payload: bool,
    http: bool,
}

impl Classes {
    /// `by_conversation`: the packets of each conversation.
    pub fn new(trace: &Trace, by_conversation: &Grouped<usize>) -> Classes {
        let (groups, kind_of) = kinds(trace);
        let kind_of = |packet: usize| kind_of.get(packet).copied().unwrap_or(APART);
        let by_kind = Grouped::new(groups.len(), || {
            let conversations = 0..trace.conversations.len();
            let members =
                conversations.flat_map(|c| by_conversation.of(c).iter().map(move |&p| (p, c)));
            members.map(|member| (kind_of(member.0), member))
        });
        let mut packets = Vec::with_capacity(trace.packets.len());
        packets.extend((0..trace.packets.len()).filter(|&p| kind_of(p) == APART));
        let mut classes = vec![Class {
            group: LIKE_NO_OTHER,
            packets: 0..packets.len(),
        }];
        let mut kinds = vec![Kind {
            group: LIKE_NO_OTHER,
            classes: 0..1,
        }];
        for (kind, group) in groups.into_iter().enumerate().skip(kinds.len()) {
            let first_class = classes.len();
            let are_alike = |a: &(usize, usize), b: &(usize, usize)| {
                a.1 == b.1 && trace.ends.get(a.0) == trace.ends.get(b.0)
            };
            for members in by_kind.of(kind).chunk_by(are_alike) {
                let first_packet = packets.len();
                packets.extend(members.iter().map(|member| member.0));
                classes.push(Class {
                    group: Group {
                        first: members.first().map(|member| member.0),
                        ..group
                    },
                    packets: first_packet..packets.len(),
                });
            }
            kinds.push(Kind {
                group,
                classes: first_class..classes.len(),
            });
        }
        Classes {
            kinds,
            classes,
            packets,
            columns: Columns::new(trace.packets.len()),
        }
    }

    /// Which packets have something, as far as `kind` tells for all packets of a
    /// kind, and `class` for those of a conversation and between the same owners.
    /// What the kind answers the class is not asked.
    pub fn ask(
        &self,
        kind: impl Fn(&Group) -> Option<bool>,
        class: impl Fn(&Group) -> Option<bool>,
    ) -> Answers {
        let none = FixedBitSet::with_capacity(self.packets.len());
        let mut answers = Answers {
            have: none.clone(),
            open: none,
        };
        for of in &self.kinds {
            let of_kind = kind(&of.group);
            if of_kind == Some(false) {
                continue;
            }
            for of in self.classes.get(of.classes.clone()).unwrap_or_default() {
                let place = match of_kind.or_else(|| class(&of.group)) {
                    Some(false) => continue,
                    Some(true) => &mut answers.have,
                    None => &mut answers.open,
                };
                let packets = self.packets.get(of.packets.clone()).unwrap_or_default();
                packets.iter().for_each(|&packet| place.insert(packet));
            }
        }
        answers
    }
}

/// What classes tell of their packets.
pub struct Answers {
    /// Those that have it.
    pub have: FixedBitSet,
    /// Those that must be asked themselves.
    pub open: FixedBitSet,
}

impl Group {
    /// Which packets of the group at least have the same values of the field;
    /// where only its existence matters, `is_bare`.
    pub fn alike(&self, field: &Field, is_bare: bool) -> Alike {
        let is_of_message = field.name == "http" || field.name.starts_with("http.");
        if is_of_message && !self.http {
            // It has none.
            return Alike::Kind;
        }
        match field.kind {
            // A protocol's bytes differ from packet to packet; that it is there
            // does not.
            FieldKind::Protocol if !is_bare => Alike::None,
            _ => field.alike,
        }
    }
}

/// The kinds, and which kind each packet is of.
fn kinds(trace: &Trace) -> (Vec<Group>, Vec<usize>) {
    let http = http(trace);
    let mut groups = vec![LIKE_NO_OTHER];
    let mut known: HashMap<Key, usize> = HashMap::new();
    let kind = |(index, packet): (usize, &Packet)| {
        let Some(key) = key(trace, index, packet, &http) else {
            return APART;
        };
        *known.entry(key).or_insert_with(|| {
            groups.push(Group {
                first: Some(index),
                http: key.http,
            });
            groups.len() - 1
        })
    };
    let kind_of = trace.packets.iter().enumerate().map(kind).collect();
    (groups, kind_of)
}

fn key(trace: &Trace, index: usize, packet: &Packet, http: &FixedBitSet) -> Option<Key> {
    let seen = trace.seen.get(index)?;
    let (segment, payload) = match &packet.transport {
        Transport::Tcp(tcp) => (Some((tcp.flags.0, seen.tcp.as_ref()?.marks)), tcp.len > 0),
        Transport::Udp(_) => (None, true),
        _ => return None,
    };
    if !packet.outer().is_empty() {
        return None;
    }
    seen.conversation?;
    Some(Key {
        ipv6: matches!(packet.net.as_ref()?, Net::V6(_)),
        to_server: seen.direction? == Direction::ToServer,
        segment,
        payload,
        http: http.contains(index),
    })
}

/// The packets in which a message of HTTP begins or ends.
fn http(trace: &Trace) -> FixedBitSet {
    let mut packets = FixedBitSet::with_capacity(trace.packets.len());
    for message in &trace.messages {
        let request = message.request.iter().map(|r| (&r.head, r.end));
        let responses = message.interim.iter().chain(&message.response);
        for (head, end) in request.chain(responses.map(|r| (&r.head, r.end))) {
            packets.grow_and_insert(head.packet);
            packets.grow_and_insert(end.packet);
        }
    }
    packets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::facts::by_conversation;
    use crate::expect::fields::{self, Reading, View};
    use crate::expect::test_captures::captures;

    #[test]
    fn what_is_said_to_be_alike_is_alike() {
        let mut compared = 0;
        for trace in captures() {
            let classes = Classes::new(&trace, &by_conversation(&trace));
            let mut seen = FixedBitSet::with_capacity(trace.packets.len());
            for kind in &classes.kinds {
                for class in &classes.classes[kind.classes.clone()] {
                    for &packet in &classes.packets[class.packets.clone()] {
                        assert!(!seen.put(packet));
                        compared += same(&trace, packet, &class.group, Alike::Flow);
                        compared += same(&trace, packet, &kind.group, Alike::Kind);
                    }
                }
            }
            assert!(seen.is_full());
        }
        assert!(compared > 5_000, "{compared} compared");
    }

    /// Compares a packet with the first of its group.
    fn same(trace: &Trace, packet: usize, group: &Group, alike: Alike) -> usize {
        let Some(first) = group.first.filter(|first| *first != packet) else {
            return 0;
        };
        let mut compared = 0;
        for reading in [Reading::Own, Reading::Filter, Reading::Where] {
            let views = [first, packet].map(|i| View::new(trace, i, reading).unwrap());
            for field in fields::all().filter(|f| group.alike(f, true) >= alike) {
                let place = (&trace.capture.file, packet + 1, field.name, reading);
                if field.kind == FieldKind::Protocol {
                    let [a, b] = views.map(|view| field.is_in(&view));
                    assert_eq!(a, b, "{place:?}");
                } else {
                    let [a, b] = views.map(|view| format!("{:?}", field.values(&view)));
                    assert_eq!(a, b, "{place:?}");
                }
                compared += 1;
            }
        }
        compared
    }
}
