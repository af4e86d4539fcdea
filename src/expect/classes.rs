//! Packets that are alike: of one conversation, one way, between the same
//! owners, with the same flags and marks. Most of what a filter or a step asks
//! is the same for all packets of a class ([`Field::alike`]), so that it is
//! asked once for a class and not once for each packet.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use super::ast::{Filter, Operand};
use super::fields::{Alike, Field, Kind, Reading, View};
use super::filter::{self, Steps};
use crate::conversation::{ConversationIndex, Direction, Marks};
use crate::decode::{Net, Packet, Transport};
use crate::trace::{Owner, Trace};

/// The packets of a capture by their classes.
#[derive(Debug)]
pub struct Classes {
    /// The class of each packet: index into `classes`.
    of: Vec<u32>,
    classes: Vec<Class>,
    kinds: Vec<Group>,
}

/// Packets of one kind, of one conversation and way, between the same owners.
#[derive(Clone, Copy, Debug)]
struct Class {
    group: Group,
    /// Index into `kinds`.
    kind: usize,
}

/// Packets that are answered for by the first of them.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// None for those that are like no other: within tunnels, without a
    /// conversation, ICMP.
    first: Option<usize>,
    /// A message of HTTP begins or ends in its packets.
    http: bool,
}

/// What packets of a kind have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct KindKey {
    ipv6: bool,
    /// Of a segment: flags and marks.
    segment: Option<(u16, Marks)>,
    payload: bool,
    http: bool,
}

/// What packets of a class have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    kind: KindKey,
    conversation: ConversationIndex,
    to_server: bool,
    owners: (Owner, Owner),
}

impl Classes {
    pub fn new(trace: &Trace) -> Classes {
        let http = http(trace);
        let apart = Group {
            first: None,
            http: true,
        };
        let mut kinds = vec![apart];
        let mut classes = vec![Class {
            group: apart,
            kind: 0,
        }];
        let mut known_kinds: HashMap<KindKey, usize> = HashMap::new();
        let mut known: HashMap<Key, u32> = HashMap::new();
        let class_of = |(index, packet): (usize, &Packet)| {
            let Some(key) = key(trace, index, packet, &http) else {
                return 0;
            };
            *known.entry(key).or_insert_with(|| {
                let group = Group {
                    first: Some(index),
                    http: key.kind.http,
                };
                let kind = *known_kinds.entry(key.kind).or_insert_with(|| {
                    kinds.push(group);
                    kinds.len() - 1
                });
                classes.push(Class { group, kind });
                u32::try_from(classes.len() - 1).unwrap_or_default()
            })
        };
        let of = trace.packets.iter().enumerate().map(class_of).collect();
        Classes { of, classes, kinds }
    }

    /// Which packets have what `kind` tells of a packet's kind, and `class` of its
    /// conversation, way and owners.
    pub fn ask(&self, kind: impl Fn(usize) -> bool, class: impl Fn(usize) -> bool) -> Answers<'_> {
        let of_kind = |group: &Group| match kind(group.first?) {
            true => None,
            false => Some(false),
        };
        self.answers(of_kind, |group| Some(class(group.first?)))
    }

    /// Of which packets the filter holds, as far as their classes tell.
    pub fn filter(
        &self,
        trace: &Trace,
        condition: &Filter,
        reading: Reading,
        steps: &Steps<'_>,
    ) -> Answers<'_> {
        let of = |group: &Group, alike: Alike| {
            let view = View::new(trace, group.first?, reading)?;
            holds(condition, group, alike, &view, steps)
        };
        self.answers(
            |group| of(group, Alike::Kind),
            |group| of(group, Alike::Flow),
        )
    }

    /// What the kind does not answer the class is asked.
    fn answers(
        &self,
        kind: impl Fn(&Group) -> Option<bool>,
        class: impl Fn(&Group) -> Option<bool>,
    ) -> Answers<'_> {
        let kinds: Vec<Option<bool>> = self.kinds.iter().map(kind).collect();
        let answer = |of: &Class| {
            let of_kind = kinds.get(of.kind).copied().flatten();
            of_kind.or_else(|| class(&of.group))
        };
        Answers {
            of: &self.of,
            answers: self.classes.iter().map(answer).collect(),
        }
    }
}

/// What is known of the packets of each class.
pub struct Answers<'c> {
    of: &'c [u32],
    answers: Vec<Option<bool>>,
}

impl Answers<'_> {
    /// None where the packet itself must be asked.
    pub fn of(&self, packet: usize) -> Option<bool> {
        let class = *self.of.get(packet)?;
        self.answers.get(class as usize).copied().flatten()
    }
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
    let ends = trace.ends.get(index)?;
    Some(Key {
        kind: KindKey {
            ipv6: matches!(packet.net.as_ref()?, Net::V6(_)),
            segment,
            payload,
            http: http.contains(index),
        },
        conversation: seen.conversation?,
        to_server: seen.direction? == Direction::ToServer,
        owners: (ends.from, ends.to),
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

/// Does the filter hold for all packets of a group, or for none? `alike` says
/// what they have in common at least.
fn holds(
    condition: &Filter,
    group: &Group,
    alike: Alike,
    first: &View<'_>,
    steps: &Steps<'_>,
) -> Option<bool> {
    let holds = |filter| holds(filter, group, alike, first, steps);
    match condition {
        Filter::And(a, b) => match holds(a) {
            Some(true) => holds(b),
            Some(false) => Some(false),
            None => holds(b).filter(|b| !b),
        },
        Filter::Or(a, b) => match holds(a) {
            Some(true) => Some(true),
            Some(false) => holds(b),
            None => holds(b).filter(|b| *b),
        },
        Filter::Xor(a, b) => Some(holds(a)? != holds(b)?),
        Filter::Not(inner) => Some(!holds(inner)?),
        Filter::End { .. } if alike == Alike::Kind => None,
        _ => asks_what_is_alike(condition, group, alike)
            .then(|| filter::matches_after(condition, first, steps)),
    }
}

/// Does a comparison ask only for what all packets of the group share?
fn asks_what_is_alike(comparison: &Filter, group: &Group, alike: Alike) -> bool {
    let is_bare = matches!(comparison, Filter::Exists(Operand::Field(_)));
    let mut shared = true;
    comparison.operands(&mut |operand| {
        operand.fields(&mut |field| shared &= is_alike(field.field, group, alike, is_bare));
    });
    shared
}

fn is_alike(field: &Field, group: &Group, alike: Alike, is_bare: bool) -> bool {
    let is_of_message = field.name == "http" || field.name.starts_with("http.");
    let no_message = is_of_message && !group.http;
    // A protocol's bytes differ from packet to packet; that it is there does not.
    no_message || field.alike >= alike && (is_bare || field.kind != Kind::Protocol)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::expect::fields;
    use crate::trace::read;

    fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                captures(&path, found);
            } else if ["pcap", "pcapng", "cap"]
                .map(Some)
                .contains(&path.extension().and_then(|e| e.to_str()))
            {
                found.push(path);
            }
        }
    }

    /// Of the reference captures, and of those at `NETLAB_CORPUS`.
    fn traces() -> Vec<Trace> {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
        let mut found = Vec::new();
        captures(&reference, &mut found);
        assert!(found.len() >= 9);
        if let Some(corpus) = std::env::var_os("NETLAB_CORPUS") {
            captures(Path::new(&corpus), &mut found);
        }
        let read = |path: &PathBuf| {
            let name = path.display().to_string();
            read(std::fs::File::open(path).ok()?, &name, None).ok()
        };
        found.iter().filter_map(read).collect()
    }

    #[test]
    fn what_is_said_to_be_alike_is_alike() {
        let mut compared = 0;
        for trace in traces() {
            let classes = Classes::new(&trace);
            for (packet, &class) in classes.of.iter().enumerate() {
                let class = &classes.classes[class as usize];
                let kind = &classes.kinds[class.kind];
                compared += same(&trace, packet, &class.group, Alike::Flow);
                compared += same(&trace, packet, kind, Alike::Kind);
            }
        }
        assert!(compared > 10_000, "{compared} compared");
    }

    /// Compares a packet with the first of its group.
    fn same(trace: &Trace, packet: usize, group: &Group, alike: Alike) -> usize {
        let Some(first) = group.first.filter(|first| *first != packet) else {
            return 0;
        };
        let mut compared = 0;
        for reading in [Reading::Own, Reading::Filter, Reading::Where] {
            let views = [first, packet].map(|i| View::new(trace, i, reading).unwrap());
            for field in fields::all().filter(|f| is_alike(f, group, alike, true)) {
                let place = (&trace.capture.file, packet + 1, field.name, reading);
                if field.kind == Kind::Protocol {
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

    #[test]
    fn a_filter_shows_the_same_packets_with_classes_and_without() {
        let filters = [
            "tcp.flags.syn == 1",
            "tcp.flags.ack == 1 and tcp.len > 0",
            "not tcp.flags.fin == 1 or frame.len < 70",
            "ip.addr == 127.0.0.1 xor tcp.port == 12000",
            "http.response.code == 200 or icmp",
            "tcp.analysis.flags and not http",
            "udp.port in {12000..12001} or tcp contains \"HTTP\"",
            "frame.time_delta_displayed < 0.001 and tcp",
            "from == client or to == nobody",
            "tcp.stream == 0 and tcp.window_size > 1000",
        ];
        let roles = ["client".to_owned(), "server".to_owned()];
        let mut shown = 0;
        for trace in traces() {
            let classes = Classes::new(&trace);
            let group = Group {
                first: None,
                http: true,
            };
            let apart = Classes {
                of: vec![0; trace.packets.len()],
                classes: vec![Class { group, kind: 0 }],
                kinds: vec![group],
            };
            for text in filters {
                let (filter, found) = crate::expect::parse_filter(text, &roles);
                let filter = filter.unwrap_or_else(|| panic!("{text}: {found:?}"));
                let show = |classes| {
                    let names = Default::default();
                    crate::expect::matching::filtered(&trace, classes, &filter, &names)
                };
                let together = show(&classes);
                assert_eq!(together, show(&apart), "{text} in {}", trace.capture.file);
                shown += together.count_ones(..);
            }
        }
        assert!(shown > 100);
    }
}
