//! What a conversation says that is no HTTP: DNS messages, paired, and TLS
//! hellos.

use std::collections::BTreeMap;

use crate::conversation::{At, Beginning, ConversationIndex, Direction, Missing, Receiver};
use crate::savefile::Protocol;

use super::dns::{self, Over};
use super::{Found, Lookup, Tls, Waits, tls};

/// Packets that are listed of a query that was sent again.
const MAX_AGAIN: usize = 16;
/// Datagrams of a conversation that are looked at before it is given up.
const MAX_TRIES: u8 = 4;
/// Where DNS is spoken; what does not look like it is malformed there.
const DNS_PORTS: [u16; 3] = [53, MULTICAST_DNS, 5355];
const MULTICAST_DNS: u16 = 5353;
/// Off its ports, a DNS message over TCP is taken for one up to 511 bytes: the
/// first byte of its length is no larger.
const MAX_LENGTH: u8 = 1;

/// Reads what is no HTTP. Begun only where the first bytes may be such.
#[derive(Debug)]
pub(super) struct Others {
    conversation: ConversationIndex,
    /// [`Lookup::multicast`], of all of them.
    multicast: bool,
    names: Option<dns::Reader>,
    hellos: Option<tls::Reader>,
    /// Queries by their numbers, oldest first.
    waiting: BTreeMap<u64, Box<Lookup>>,
    waits: Waits,
    /// Too many waited: an answer may be to a query that is told.
    given_up: bool,
    /// What was read was DNS.
    found: bool,
    tries: u8,
}

/// Is that a port of DNS?
pub(super) fn is_dns(beginning: &Beginning) -> bool {
    [beginning.client, beginning.server]
        .iter()
        .any(|end| DNS_PORTS.contains(&end.port()))
}

fn is_multicast(beginning: &Beginning) -> bool {
    [beginning.client, beginning.server]
        .iter()
        .any(|end| end.port() == MULTICAST_DNS || end.ip().is_multicast())
}

/// May the first bytes of a conversation be DNS or TLS?
pub(super) fn may_begin(protocol: Protocol, bytes: &[u8]) -> bool {
    match protocol {
        // A standard message with one question.
        Protocol::Udp => matches!(bytes, [_, _, flags, _, 0, 1, ..] if flags & 0x78 == 0),
        Protocol::Tcp => matches!(bytes, [..=MAX_LENGTH | tls::HANDSHAKE, ..]),
    }
}

impl Others {
    pub(super) fn new(beginning: &Beginning, waits: Waits) -> Others {
        let tcp = beginning.protocol == Protocol::Tcp;
        Others {
            conversation: beginning.conversation,
            multicast: is_multicast(beginning),
            names: Some(dns::Reader::begin(&waits, beginning)),
            hellos: tcp.then(|| tls::Reader::begin(&(), beginning)),
            waiting: BTreeMap::new(),
            waits,
            given_up: false,
            found: false,
            tries: 0,
        }
    }

    /// Behind CONNECT or an upgrade, where the other protocol may begin with
    /// TLS; `before`: what was read beside HTTP, on a port of DNS.
    pub(super) fn behind_http(
        before: Option<Box<Others>>,
        beginning: &Beginning,
        waits: Waits,
    ) -> Box<Others> {
        let mut others = before.unwrap_or_else(|| {
            Box::new(Others {
                names: None,
                ..Others::new(beginning, waits)
            })
        });
        others.hellos = Some(tls::Reader::begin(&(), beginning));
        others
    }

    /// Nothing more can be found, and nothing waits.
    pub(super) fn is_over(&self) -> bool {
        self.names.is_none() && self.hellos.is_none() && self.waiting.is_empty()
    }

    pub(super) fn bytes(
        &mut self,
        way: Direction,
        bytes: &[u8],
        at: At,
        facts: &mut Option<Box<Tls>>,
        found: &mut Found,
    ) {
        if let Some(reader) = &mut self.hellos {
            let mut seen = Vec::new();
            reader.bytes(way, bytes, at, 0, &mut seen);
            let over = reader.is_done();
            if over {
                self.hellos = None;
            }
            note(seen, facts);
        }
        if let Some(reader) = &mut self.names {
            let mut seen = Vec::new();
            reader.bytes(way, bytes, at, 0, &mut seen);
            if reader.is_done() {
                self.names = None;
            }
            self.pair(seen, found);
        }
    }

    pub(super) fn datagram(&mut self, way: Direction, payload: &[u8], at: At, found: &mut Found) {
        let Some(reader) = &mut self.names else {
            return;
        };
        let mut seen = Vec::new();
        reader.datagram(way, payload, at, &mut seen);
        self.found |= !seen.is_empty();
        self.tries = self.tries.saturating_add(1);
        if !self.found && self.tries >= MAX_TRIES {
            self.names = None;
        }
        self.pair(seen, found);
    }

    /// Bytes of a way are missing, or it has ended.
    pub(super) fn gap(&mut self, way: Direction, facts: &mut Option<Box<Tls>>) {
        if let Some(reader) = &mut self.names {
            reader.gap(way, Missing::default(), &mut Vec::new());
        }
        if let Some(reader) = &mut self.hellos {
            let mut seen = Vec::new();
            reader.gap(way, Missing::default(), &mut seen);
            note(seen, facts);
        }
    }

    /// Nothing more comes: queries that wait have no answer.
    pub(super) fn close(&mut self, facts: &mut Option<Box<Tls>>, found: &mut Found) {
        for way in [Direction::ToServer, Direction::ToClient] {
            self.gap(way, facts);
        }
        found.waiting = found.waiting.saturating_sub(self.waiting.len());
        let waiting = std::mem::take(&mut self.waiting).into_values();
        found.lookups.extend(waiting.map(|lookup| *lookup));
    }

    fn pair(&mut self, seen: Vec<dns::Seen>, found: &mut Found) {
        for seen in seen {
            match seen.over {
                Some(Over::Repeated(number)) => self.tell(number, false, found),
                Some(Over::GivenUp(number)) => self.tell(number, true, found),
                None => {}
            }
            let number = seen.number;
            if seen.message.is_response() {
                let transfer = number.and_then(|number| self.waiting.get_mut(&number));
                if let Some(transfer) = transfer.filter(|lookup| lookup.is_transfer()) {
                    match transfer.response {
                        None => transfer.response = Some(seen),
                        Some(_) => transfer.further += 1,
                    }
                    continue;
                }
                let asked = number.and_then(|number| self.take(number, found));
                let lone = || Lookup {
                    given_up: self.given_up,
                    ..Lookup::of(self.conversation, self.multicast)
                };
                found.lookups.push(Lookup {
                    response: Some(seen),
                    ..asked.unwrap_or_else(lone)
                });
            } else if let Some(lookup) = number.and_then(|number| self.waiting.get_mut(&number)) {
                if lookup.again.len() < MAX_AGAIN {
                    lookup.again.push(seen.at);
                }
            } else if seen.query.is_none() {
                self.ask(seen, found);
            }
        }
    }

    fn ask(&mut self, query: dns::Seen, found: &mut Found) {
        let number = query.number;
        let lookup = Lookup {
            query: Some(query),
            ..Lookup::of(self.conversation, self.multicast)
        };
        // Multicast queries have any number of answers, and no number.
        let Some(number) = number else {
            found.lookups.push(lookup);
            return;
        };
        self.waiting.insert(number, Box::new(lookup));
        found.waiting += 1;
        // The only one that a conversation has is no more than its reader takes.
        if found.waiting > self.waits.queries_in_all
            && self.waiting.len() > 1
            && let Some((&oldest, _)) = self.waiting.first_key_value()
        {
            self.tell(oldest, true, found);
        }
    }

    fn take(&mut self, number: u64, found: &mut Found) -> Option<Lookup> {
        let lookup = self.waiting.remove(&number)?;
        found.waiting = found.waiting.saturating_sub(1);
        Some(*lookup)
    }

    /// A query is told without an answer.
    fn tell(&mut self, number: u64, given_up: bool, found: &mut Found) {
        let Some(mut lookup) = self.take(number, found) else {
            return;
        };
        // Of a transfer, more messages might have come.
        let given_up = given_up && lookup.response.is_none();
        lookup.given_up = given_up;
        self.given_up |= given_up;
        found.bitten.queries += u64::from(given_up);
        found.lookups.push(lookup);
    }
}

/// The first hello of the client counts, and the server's last: one before it
/// asked for another try.
fn note(seen: Vec<tls::Seen>, facts: &mut Option<Box<Tls>>) {
    for seen in seen {
        let facts = facts.get_or_insert_default();
        match seen.hello {
            tls::Hello::Client(hello) => {
                facts.client.get_or_insert(hello);
            }
            tls::Hello::Server(hello) => facts.server = Some(hello),
        }
    }
}
