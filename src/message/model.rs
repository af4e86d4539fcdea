//! HTTP/1.x transactions (RFC 9112), as read from reassembled streams.

use std::ops::Range;

use crate::conversation::ConversationIndex;

/// One HTTP transaction: a request and its answer, as far as seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub conversation: ConversationIndex,
    pub request: Option<Request>,
    pub response: Option<Response>,
    /// 1xx answers before the final one, in order (status codes).
    pub interim: Vec<Response>,
}

impl Message {
    /// Index of the packet that completed the message's first head.
    pub fn packet(&self) -> Option<usize> {
        let request = self.request.as_ref().map(|r| r.head.packet);
        let response = self.interim.first().or(self.response.as_ref());
        request.or(response.map(|r| r.head.packet))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `http.request.method`.
    pub method: String,
    /// `http.request.uri`: the target as sent.
    pub target: String,
    pub head: Head,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// `http.response.code`.
    pub code: u16,
    /// `http.response.phrase`.
    pub phrase: String,
    pub head: Head,
    pub body: Body,
}

/// Start line and header section.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `http.request.version`, `http.response.version`: "HTTP/1.1".
    pub version: String,
    /// In order, names as sent; values that are no UTF-8 are shown lossily.
    pub headers: Vec<(String, String)>,
    /// Position in the stream.
    pub range: Range<usize>,
    /// Index of the packet that completed the head: the message's time.
    pub packet: usize,
}

impl Head {
    /// The first value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

/// A message's content, transfer coding removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    pub bytes: Vec<u8>,
    /// The whole body was seen, by its own framing.
    pub complete: bool,
    /// Position in the stream, framing included.
    pub range: Range<usize>,
    pub framing: Framing,
    /// A gap in the stream lies in the body, or its framing is wrong.
    pub trouble: Option<String>,
}

/// How the body's end is told (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    #[default]
    None,
    ContentLength,
    Chunked,
    UntilClose,
}
