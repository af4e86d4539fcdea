//! Streams to messages, while they grow.

use crate::conversation::{At, Beginning, Direction, Missing, Receiver, Ways};
use crate::savefile::Protocol;

use super::Tls;
use super::carried::Carried;
use super::exchange::Exchange;
use super::found::{Found, Settings};
use super::head::{self, Look, Wanted};
use super::lane::{Lane, State};
use super::others::{self, Others};

/// Reads the messages of one conversation. What speaks HTTP is known by what
/// is said, not by the port.
///
/// Holds an incomplete head, counters, and requests that wait for their
/// answers; nothing, once it is clear that it is no HTTP.
#[derive(Debug)]
pub struct Reader {
    beginning: Beginning,
    settings: Settings,
    state: Reading,
    /// DNS or TLS, while there may be some.
    others: Option<Box<Others>>,
    tls: Option<Box<Tls>>,
    /// Where it is asked for.
    carried: Option<Box<Carried>>,
}

#[derive(Debug)]
enum Reading {
    /// Messages may come on these ways.
    Off(Ways<Way>),
    On(Box<Exchange>),
}

/// A way on which nothing was found yet.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Captured bytes that came; of UDP, datagrams that were looked at.
    at: u64,
    /// Something is missing before the bytes that come.
    resync: bool,
    watch: Watch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// Bytes that come next may begin a message.
    Here,
    /// A piece that begins with a whole start line may.
    Pieces,
    /// Only bytes behind a gap may.
    Gaps,
    /// Another protocol was agreed on.
    Never,
}

/// Datagrams of each way that are looked at for DNS.
const TRIES: u64 = 2;

/// A request or a response, whichever way.
const ANY: Wanted = Wanted {
    request: true,
    simple: false,
    response: true,
};

impl Receiver for Reader {
    type Settings = Settings;
    type Found = Found;

    fn begin(settings: &Settings, beginning: &Beginning) -> Reader {
        let way = Way {
            at: 0,
            resync: false,
            watch: match beginning.protocol {
                Protocol::Tcp => Watch::Here,
                Protocol::Udp => Watch::Never,
            },
        };
        Reader {
            beginning: *beginning,
            settings: *settings,
            state: Reading::Off(Ways {
                to_server: way,
                to_client: way,
            }),
            others: others::is_dns(beginning)
                .then(|| Box::new(Others::new(beginning, settings.waits))),
            tls: None,
            carried: match settings.carried {
                true => Carried::new(beginning, settings.waits).map(Box::new),
                false => None,
            },
        }
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, _: u32, found: &mut Found) {
        if let Some(carried) = &mut self.carried {
            carried.bytes(way, bytes, at, &mut found.parts);
        }
        if let Reading::On(exchange) = &mut self.state
            && exchange.midst(way, bytes, at, &self.settings, found)
        {
            return;
        }
        self.others_bytes(way, bytes, at, found);
        if let Reading::Off(ways) = &mut self.state {
            let this = ways.get_mut(way);
            let begins = match this.watch {
                Watch::Here => {
                    let simple = way == Direction::ToServer && this.at == 0;
                    head::look(bytes, Wanted { simple, ..ANY }) != Look::No
                }
                Watch::Pieces => head::begins(bytes, ANY),
                Watch::Gaps | Watch::Never => false,
            };
            if !begins {
                this.at += bytes.len() as u64;
                if this.watch == Watch::Here {
                    this.watch = watch(this.resync);
                }
                return;
            }
            self.turn_on(way);
        }
        if let Reading::On(exchange) = &mut self.state {
            exchange.bytes(way, bytes, at, &self.settings, found);
        }
        self.turn_off();
    }

    fn gap(&mut self, way: Direction, missing: Missing, found: &mut Found) {
        if let Some(carried) = &mut self.carried {
            carried.gap(way, false);
        }
        if let Some(others) = &mut self.others {
            others.gap(way, &mut self.tls);
        }
        match &mut self.state {
            Reading::Off(ways) => {
                let this = ways.get_mut(way);
                if this.watch != Watch::Never {
                    this.watch = Watch::Here;
                    this.resync = true;
                }
            }
            Reading::On(exchange) => exchange.gap(way, missing, &self.settings, found),
        }
    }

    fn restart(&mut self, way: Direction, found: &mut Found) {
        if let Some(carried) = &mut self.carried {
            carried.gap(way, true);
        }
        if let Some(others) = &mut self.others {
            others.gap(way, &mut self.tls);
        }
        // What was asked before is not answered by another connection.
        let places = match &mut self.state {
            Reading::Off(ways) => Ways {
                to_server: ways.to_server.at,
                to_client: ways.to_client.at,
            },
            Reading::On(exchange) => {
                exchange.close(&self.settings, found);
                exchange.places()
            }
        };
        let start = |direction: Direction| Way {
            at: *places.get(direction),
            resync: direction != way,
            watch: match direction == way {
                true => Watch::Here,
                false => Watch::Pieces,
            },
        };
        self.state = Reading::Off(Ways {
            to_server: start(Direction::ToServer),
            to_client: start(Direction::ToClient),
        });
    }

    fn end(&mut self, way: Direction, at: At, found: &mut Found) {
        if let Reading::On(exchange) = &mut self.state {
            exchange.end(way, at, &self.settings, found);
        }
        self.turn_off();
    }

    fn datagram(&mut self, way: Direction, payload: &[u8], at: At, found: &mut Found) {
        if let Some(carried) = &mut self.carried {
            carried.datagram(way, payload, at, &mut found.parts);
        }
        if self.others.is_none() {
            self.try_others(way, payload);
        }
        if let Some(others) = &mut self.others {
            others.datagram(way, payload, at, found);
            if others.is_over() {
                self.others = None;
            }
        }
    }

    fn close(&mut self, found: &mut Found) {
        if let Some(mut others) = self.others.take() {
            others.close(&mut self.tls, found);
        }
        if let Reading::On(exchange) = &mut self.state {
            exchange.close(&self.settings, found);
        }
        self.turn_off();
    }

    /// TLS is known by its records, which are read where it is asked for.
    fn reads(&self) -> bool {
        let http = matches!(&self.state, Reading::On(exchange) if exchange.is_evident());
        http || self.carried.as_ref().is_some_and(|carried| carried.reads())
    }
}

impl Reader {
    /// What TLS said in the clear, so far; at the conversation's end, all.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// Gives them bytes that are not from the midst of a message.
    fn others_bytes(&mut self, way: Direction, bytes: &[u8], at: At, found: &mut Found) {
        if self.others.is_none() {
            self.try_others(way, bytes);
        }
        if let Some(others) = &mut self.others {
            others.bytes(way, bytes, at, &mut self.tls, found);
            if others.is_over() {
                self.others = None;
            }
        }
    }

    /// Begins to read them, if the first bytes of this way may be theirs.
    fn try_others(&mut self, way: Direction, bytes: &[u8]) {
        let Reading::Off(ways) = &mut self.state else {
            return;
        };
        let this = ways.get_mut(way);
        let first = match self.beginning.protocol {
            Protocol::Tcp => this.at == 0 && !this.resync,
            Protocol::Udp => this.at < TRIES,
        };
        if self.beginning.protocol == Protocol::Udp {
            this.at += 1;
        }
        if first && others::may_begin(self.beginning.protocol, bytes) {
            self.others = Some(Box::new(Others::new(&self.beginning, self.settings.waits)));
        }
    }

    /// A message may begin on this way.
    fn turn_on(&mut self, way: Direction) {
        let Reading::Off(ways) = &self.state else {
            return;
        };
        let sent = self.settings.sent;
        let lane = |direction: Direction| {
            let this = ways.get(direction);
            let state = match this.watch {
                _ if direction == way => State::Head,
                Watch::Here => State::Head,
                Watch::Pieces => State::Lost { resync: true },
                Watch::Gaps => State::Lost { resync: false },
                Watch::Never => State::Over,
            };
            Lane::new(this.at, state, this.resync, sent)
        };
        let fresh = ways.to_server.at == 0 && !ways.to_server.resync;
        let lanes = Ways {
            to_server: lane(Direction::ToServer),
            to_client: lane(Direction::ToClient),
        };
        self.state = Reading::On(Box::new(Exchange::new(
            self.beginning.conversation,
            lanes,
            fresh,
        )));
    }

    /// It was none, or is no more.
    fn turn_off(&mut self) {
        let Reading::On(exchange) = &self.state else {
            return;
        };
        let Some(lanes) = exchange.is_over() else {
            return;
        };
        if exchange.has_switched() {
            let before = self.others.take();
            self.others = Some(Others::behind_http(
                before,
                &self.beginning,
                self.settings.waits,
            ));
        }
        let way = |(at, state): (u64, State)| match state {
            State::Lost { resync } => Way {
                at,
                resync,
                watch: watch(resync),
            },
            _ => Way {
                at,
                resync: false,
                watch: Watch::Never,
            },
        };
        self.state = Reading::Off(Ways {
            to_server: way(lanes.to_server),
            to_client: way(lanes.to_client),
        });
    }
}

/// Where no message is begun.
fn watch(resync: bool) -> Watch {
    match resync {
        true => Watch::Pieces,
        false => Watch::Gaps,
    }
}
