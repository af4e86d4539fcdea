//! Which HTTP messages belong to which packet: an index, so that reading a
//! packet's fields does not go through all messages.

use std::ops::Range;
use std::sync::OnceLock;

use crate::conversation::Direction;
use crate::message::{self, Body, Head, Message, Request, Response};

use super::Trace;

/// One half of a transaction: a request or a response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part<'a> {
    Request(&'a Request),
    Response(&'a Response),
}

impl<'a> Part<'a> {
    pub fn head(self) -> &'a Head {
        match self {
            Part::Request(request) => &request.head,
            Part::Response(response) => &response.head,
        }
    }

    pub fn body(self) -> &'a Body {
        match self {
            Part::Request(request) => &request.body,
            Part::Response(response) => &response.body,
        }
    }

    /// Which way it goes, if requests go this way.
    pub fn way(self, requests: Direction) -> Direction {
        match self {
            Part::Request(_) => requests,
            Part::Response(_) => requests.opposite(),
        }
    }

    /// Index of the packet that completed it.
    fn end(self) -> usize {
        match self {
            Part::Request(request) => request.end.packet,
            Part::Response(response) => response.end.packet,
        }
    }

    /// Head and body in the stream.
    pub fn range(self) -> Range<usize> {
        let head = &self.head().range;
        head.start..head.end.max(self.body().range.end)
    }
}

/// Which part of which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    packet: usize,
    message: usize,
    half: Half,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Request,
    Interim(usize),
    Response,
}

/// Made of a [`Trace`] when it is first asked.
#[derive(Clone, Debug, Default)]
pub struct HttpIndex(OnceLock<Index>);

#[derive(Clone, Debug, Default)]
struct Index {
    /// By the packet that completes the head.
    heads: Vec<Place>,
    /// By the packet that completes the message.
    ends: Vec<Place>,
}

impl Trace {
    /// The HTTP messages whose head the packet at `index` completes, in the
    /// order of their stream, with their transactions.
    pub fn http_heads(&self, index: usize) -> impl Iterator<Item = (&Message, Part<'_>)> {
        self.parts(&self.http_index().heads, index)
    }

    /// The HTTP messages that the packet at `index` completes, body included.
    /// One that ends with its connection is at the FIN; one that never was
    /// complete, at the last packet that brought something of it.
    pub fn http_ends(&self, index: usize) -> impl Iterator<Item = (&Message, Part<'_>)> {
        self.parts(&self.http_index().ends, index)
    }

    /// The TLS records and DNS messages over TCP that the packet at `index`
    /// completes.
    pub fn carried(&self, index: usize) -> impl Iterator<Item = &message::Part> {
        let first = self.carried.partition_point(|p| p.at().packet < index);
        let rest = self.carried.get(first..).unwrap_or_default().iter();
        rest.take_while(move |part| part.at().packet == index)
    }

    fn parts<'a>(
        &'a self,
        places: &'a [Place],
        packet: usize,
    ) -> impl Iterator<Item = (&'a Message, Part<'a>)> {
        let first = places.partition_point(|place| place.packet < packet);
        let rest = places.get(first..).unwrap_or_default().iter();
        rest.take_while(move |place| place.packet == packet)
            .filter_map(|place| {
                let message = self.messages.get(place.message)?;
                Some((message, half(message, place.half)?))
            })
    }

    fn http_index(&self) -> &Index {
        self.http.0.get_or_init(|| self.make_http_index())
    }

    fn make_http_index(&self) -> Index {
        let mut index = Index::default();
        for (message, found) in self.messages.iter().enumerate() {
            for (half, part) in halves(found) {
                let place = |packet| Place {
                    packet,
                    message,
                    half,
                };
                index.heads.push(place(part.head().packet));
                index.ends.push(place(part.end()));
            }
        }
        // Stable: several messages of a packet stay in their order.
        index.heads.sort_by_key(|place| place.packet);
        index.ends.sort_by_key(|place| place.packet);
        index
    }
}

fn halves(message: &Message) -> impl Iterator<Item = (Half, Part<'_>)> {
    let request = message.request.iter().map(|r| (Half::Request, r));
    let interim = message.interim.iter().enumerate();
    let interim = interim.map(|(i, r)| (Half::Interim(i), r));
    let response = message.response.iter().map(|r| (Half::Response, r));
    request.map(|(half, r)| (half, Part::Request(r))).chain(
        interim
            .chain(response)
            .map(|(half, r)| (half, Part::Response(r))),
    )
}

fn half(message: &Message, half: Half) -> Option<Part<'_>> {
    match half {
        Half::Request => message.request.as_ref().map(Part::Request),
        Half::Interim(i) => message.interim.get(i).map(Part::Response),
        Half::Response => message.response.as_ref().map(Part::Response),
    }
}
