//! What packets carry that is no HTTP, for those who show packets: TLS records
//! and DNS messages over TCP, each at the packet that completes it.

use crate::conversation::{At, Beginning, ConversationIndex, Direction, Receiver};
use crate::savefile::Protocol;

use super::found::{Part, PartOf};
use super::{dns, others, tls};

#[derive(Debug)]
pub(super) struct Carried {
    conversation: ConversationIndex,
    records: tls::Records,
    names: Option<dns::Reader>,
}

impl Carried {
    pub(super) fn new(beginning: &Beginning) -> Option<Carried> {
        (beginning.protocol == Protocol::Tcp).then(|| Carried {
            conversation: beginning.conversation,
            records: tls::Records::default(),
            names: others::is_dns(beginning).then(|| dns::Reader::begin(&(), beginning)),
        })
    }

    pub(super) fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, parts: &mut Vec<Part>) {
        let conversation = self.conversation;
        let mut tell = |message, sent: &[u8]| {
            parts.push(Part {
                conversation,
                way,
                whole: true,
                asked: None,
                sent: sent.to_vec(),
                message,
            });
        };
        self.records.bytes(way, bytes, at, &mut |record, sent, at| {
            tell(PartOf::Tls(record, at), sent);
        });
        if let Some(names) = &mut self.names {
            let mut seen = Vec::new();
            names.bytes(way, bytes, at, 0, &mut seen);
            for seen in seen {
                tell(PartOf::Dns(seen.at), &seen.sent);
            }
        }
    }

    /// Bytes of a way are missing; or another connection's follow.
    pub(super) fn gap(&mut self, way: Direction, restarts: bool) {
        self.records.gap(way);
        match &mut self.names {
            Some(names) if restarts => names.restart(way, &mut Vec::new()),
            Some(names) => names.gap(way, 0, &mut Vec::new()),
            None => {}
        }
    }
}
