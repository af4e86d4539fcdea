//! What packets carry that is no HTTP, for those who show packets: TLS records
//! and DNS messages over TCP, each at the packet that completes it; of DNS in
//! datagrams, which can be read where they are, the answers whose query is known.

use crate::conversation::{At, Beginning, ConversationIndex, Direction, Missing, Receiver};
use crate::savefile::Protocol;

use super::found::{Part, PartOf};
use super::{Waits, dns, others, tls};

#[derive(Debug)]
pub(super) struct Carried {
    conversation: ConversationIndex,
    records: tls::Records,
    names: Option<dns::Reader>,
}

impl Carried {
    pub(super) fn new(beginning: &Beginning, waits: Waits) -> Option<Carried> {
        let names = others::is_dns(beginning).then(|| dns::Reader::begin(&waits, beginning));
        (beginning.protocol == Protocol::Tcp || names.is_some()).then(|| Carried {
            conversation: beginning.conversation,
            records: tls::Records::default(),
            names,
        })
    }

    pub(super) fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, parts: &mut Vec<Part>) {
        let conversation = self.conversation;
        self.records.bytes(way, bytes, at, &mut |record, sent, at| {
            parts.push(Part {
                conversation,
                way,
                whole: true,
                asked: None,
                sent: sent.to_vec(),
                message: PartOf::Tls(record, at),
            });
        });
        if let Some(names) = &mut self.names {
            let mut seen = Vec::new();
            names.bytes(way, bytes, at, 0, &mut seen);
            parts.extend(seen.into_iter().map(of_dns));
        }
    }

    pub(super) fn datagram(
        &mut self,
        way: Direction,
        payload: &[u8],
        at: At,
        parts: &mut Vec<Part>,
    ) {
        if let Some(names) = &mut self.names {
            let mut seen = Vec::new();
            names.datagram(way, payload, at, &mut seen);
            let answers = seen.into_iter().map(of_dns);
            parts.extend(answers.filter(|part| part.asked.is_some()));
        }
    }

    /// Is it a port of DNS, or were there records?
    pub(super) fn reads(&self) -> bool {
        self.names.is_some() || self.records.is_evident()
    }

    /// Bytes of a way are missing; or another connection's follow.
    pub(super) fn gap(&mut self, way: Direction, restarts: bool) {
        self.records.gap(way);
        match &mut self.names {
            Some(names) if restarts => names.restart(way, &mut Vec::new()),
            Some(names) => names.gap(way, Missing::default(), &mut Vec::new()),
            None => {}
        }
    }
}

fn of_dns(seen: dns::Seen) -> Part {
    Part {
        conversation: seen.conversation,
        way: seen.way,
        whole: true,
        asked: seen.query.filter(|_| seen.message.is_response()),
        sent: seen.sent,
        message: PartOf::Dns(seen.at),
    }
}
