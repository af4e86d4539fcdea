//! The fields of a packet while a capture goes by.

use std::ops::ControlFlow;

use crate::conversation::{ConversationIndex, Direction};
use crate::inspect::{Name, Shown};
use crate::message::{Part, PartOf};
use crate::savefile::{Format, Timestamp};
use crate::trace::{Ends, Owner};

use super::fields::{Displayed, Facts, Http, Known, Reading, Start, Times, View};
use super::message_bytes::MessageBytes;

/// What a filter calls the sides of a conversation: programs are not known.
const SIDES: [&str; 2] = ["client", "server"];

/// A packet, and what is known around it when it comes: what `inspect -Y` sees.
pub struct Streamed<'a>(&'a Shown<'a>);

impl<'a> Streamed<'a> {
    pub fn new(shown: &'a Shown<'a>) -> Streamed<'a> {
        Streamed(shown)
    }

    /// `displayed`: of the last packet that the filter showed.
    pub fn view(&'a self, displayed: Option<Timestamp>) -> View<'a> {
        let shown = self.0;
        View {
            packet: shown.packet,
            index: shown.index(),
            seen: Some(shown.seen),
            displayed: Displayed::Until(displayed),
            known: self,
            reading: Reading::Filter,
        }
    }
}

fn facts(name: Name) -> Facts {
    Facts {
        protocol: name.protocol,
        id: name.id,
        first: name.first,
        completeness: None,
    }
}

impl Known for Streamed<'_> {
    fn frame(&self, _: usize) -> &[u8] {
        self.0.frame.data
    }

    fn times(&self, _: usize) -> Times {
        Times {
            first: self.0.start,
            captured: self.0.previous,
        }
    }

    fn conversation(&self, _: ConversationIndex) -> Option<Facts> {
        let tcp = self.0.seen.tcp.as_ref();
        Some(Facts {
            completeness: tcp.map(|tcp| tcp.completeness),
            ..facts(self.0.name?)
        })
    }

    fn around(&self, _: ConversationIndex) -> Option<Facts> {
        self.0.tunnel.map(facts)
    }

    fn http<'h>(
        &'h self,
        _: usize,
        reading: Reading,
        each: &mut dyn FnMut(Http<'h>) -> ControlFlow<()>,
    ) {
        let whole = reading == Reading::Filter;
        for part in self.0.parts.iter().filter(|part| part.whole == whole) {
            let http = match &part.message {
                PartOf::Request(request) => Http {
                    start: Start::Request {
                        method: &request.method,
                        target: &request.target,
                    },
                    head: &request.head,
                    body: &request.body,
                    bytes: MessageBytes::Kept {
                        sent: &part.sent,
                        content: &request.body.bytes,
                    },
                    asked: None,
                },
                PartOf::Response(response) => Http {
                    start: Start::Response {
                        code: response.code,
                        phrase: &response.phrase,
                    },
                    head: &response.head,
                    body: &response.body,
                    bytes: MessageBytes::Kept {
                        sent: &part.sent,
                        content: &response.body.bytes,
                    },
                    asked: part.asked,
                },
                PartOf::Tls(..) | PartOf::Dns(_) => continue,
            };
            if each(http).is_break() {
                return;
            }
        }
    }

    fn carried<'a>(&'a self, _: usize, each: &mut dyn FnMut(&'a Part) -> ControlFlow<()>) {
        let _ = self.0.parts.iter().try_for_each(each);
    }

    fn ends(&self, _: usize) -> Ends {
        let [client, server] = [Owner::Role(0), Owner::Role(1)];
        let (from, to) = match self.0.seen.direction {
            Some(Direction::ToServer) => (client, server),
            Some(Direction::ToClient) => (server, client),
            None => (Owner::Unknown, Owner::Unknown),
        };
        Ends { from, to }
    }

    fn role(&self, role: usize) -> Option<&str> {
        SIDES.get(role).copied()
    }

    fn format(&self) -> Format {
        self.0.file.format.unwrap_or(Format::Pcap)
    }

    fn interface_name(&self, interface: u32) -> Option<&str> {
        let interfaces = &self.0.file.interfaces;
        interfaces.get(interface as usize)?.name.as_deref()
    }
}
