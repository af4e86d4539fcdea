//! Tables as comma-separated values (RFC 4180, with a line feed at the end of
//! a line). The first line has the headings: the paths of the same values in
//! the JSON.
//!
//! Each row is one line: control characters in the text of packets are made
//! visible, as on the terminal. A spreadsheet takes a text that begins with
//! `=`, `+`, `-` or `@` for a formula: such a text gets an apostrophe before it,
//! by which the spreadsheet knows that it is none. Who needs the text as it was
//! sent takes the JSON.

use std::fmt::{Display, Write as _};

use super::terminal::inspect::{ends, info, protocol};
use super::text;
use crate::report::{Conversation, EachWay, Endpoint, Message, Packet};

/// Before the headings of a table of several files.
pub const FILE: &str = "file,";

pub const PACKETS: &str = "frame.number,frame.time_epoch,frame.time_relative,\
    source,destination,protocol,frame.len,frame.cap_len,\
    tcp.stream,tcp.flags.str,tcp.seq,tcp.ack,tcp.len,tcp.window_size,\
    udp.stream,udp.length,info\n";

pub const CONVERSATIONS: &str = "protocol,id,client.address,client.port,client.role,\
    server.address,server.port,server.role,\
    packets.to_server,packets.to_client,bytes.to_server,bytes.to_client,\
    start_ms,duration_ms,\
    tcp.completeness,tcp.state,tcp.history,tcp.handshake_rtt_ms,tcp.close,tcp.closed_by,\
    tcp.retransmissions,tcp.out_of_order,tcp.missing_bytes,udp.lost\n";

pub const TRANSACTIONS: &str = "stream,start_ms,time_ms,\
    request.frame,request.method,host,request.uri,request.version,request.body.len,\
    response.frame,response.code,response.phrase,response.version,content_type,\
    response.body.len,response.body.complete,response.body.sha256\n";

/// What each row of a table of several files begins with.
pub fn file(name: &str) -> Vec<u8> {
    let mut cell = Vec::new();
    Row::new(&mut cell).text(name);
    // It is no row of its own.
    cell.pop();
    cell.push(b',');
    cell
}

/// One line of the table of packets.
pub fn packet(packet: &Packet<'_>, out: &mut Vec<u8>) {
    let mut row = Row::new(out);
    let (source, destination) = ends(packet);
    row.number(packet.frame.number);
    row.maybe(packet.frame.time_epoch);
    row.maybe(packet.frame.time_relative);
    row.text(&source);
    row.text(&destination);
    row.text(protocol(packet));
    row.number(packet.frame.len);
    row.number(packet.frame.cap_len);
    let tcp = packet.tcp.as_ref();
    row.maybe(tcp.and_then(|tcp| tcp.stream));
    row.maybe(tcp.map(|tcp| tcp.flags.letters));
    row.maybe(tcp.and_then(|tcp| tcp.seq));
    row.maybe(tcp.and_then(|tcp| tcp.ack));
    row.maybe(tcp.map(|tcp| tcp.len));
    row.maybe(tcp.and_then(|tcp| tcp.window_size));
    let udp = packet.udp.as_ref();
    row.maybe(udp.and_then(|udp| udp.stream));
    row.maybe(udp.map(|udp| udp.length));
    row.text(&info(packet));
}

/// One line of the table of conversations.
pub fn conversation(conversation: &Conversation, out: &mut Vec<u8>) {
    let mut row = Row::new(out);
    row.name(conversation.protocol);
    row.number(conversation.id);
    row.endpoint(&conversation.client);
    row.endpoint(&conversation.server);
    row.each_way(conversation.packets);
    row.each_way(conversation.bytes);
    row.maybe(conversation.start_ms);
    row.maybe(conversation.duration_ms);
    let tcp = conversation.tcp.as_ref();
    row.maybe(tcp.map(|tcp| tcp.completeness));
    row.maybe_name(tcp.map(|tcp| tcp.state));
    row.text(tcp.map_or("", |tcp| &tcp.history));
    row.maybe(tcp.and_then(|tcp| tcp.handshake_rtt_ms));
    row.maybe_name(tcp.map(|tcp| tcp.close));
    row.maybe_name(tcp.and_then(|tcp| tcp.closed_by));
    row.maybe(tcp.map(|tcp| tcp.retransmissions));
    row.maybe(tcp.map(|tcp| tcp.out_of_order));
    row.maybe(tcp.map(|tcp| tcp.missing_bytes));
    row.maybe(conversation.udp.map(|udp| udp.lost));
}

/// One line of the table of HTTP transactions.
pub fn transaction(message: &Message, out: &mut Vec<u8>) {
    let mut row = Row::new(out);
    let request = message.http.request.as_ref();
    let response = message.http.response.as_ref();
    row.number(message.stream);
    row.maybe(message.start_ms);
    row.maybe(message.http.time_ms);
    row.maybe(request.map(|r| r.frame));
    row.text(request.map_or("", |r| &r.method));
    row.text(request.and_then(|r| r.header("host")).unwrap_or_default());
    row.text(request.map_or("", |r| &r.uri));
    row.text(request.map_or("", |r| &r.version));
    row.maybe(request.map(|r| r.body.len));
    row.maybe(response.map(|r| r.frame));
    row.maybe(response.map(|r| r.code));
    row.text(response.map_or("", |r| &r.phrase));
    row.text(response.map_or("", |r| &r.version));
    row.text(
        response
            .and_then(|r| r.header("content-type"))
            .unwrap_or_default(),
    );
    row.maybe(response.map(|r| r.body.len));
    row.maybe(response.map(|r| r.body.complete));
    row.text(
        response
            .and_then(|r| r.body.sha256.as_deref())
            .unwrap_or_default(),
    );
}

/// One line in the making; it ends where the row does.
pub(super) struct Row<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Row<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Row<'o> {
        Row { out, first: true }
    }

    fn comma(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(b',');
        }
    }

    /// A value that has no character to be quoted.
    pub(super) fn number(&mut self, value: impl Display) {
        self.comma();
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = write!(text, "{value}");
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn maybe(&mut self, value: Option<impl Display>) {
        match value {
            Some(value) => self.number(value),
            None => self.comma(),
        }
    }

    /// A word as the JSON spells it.
    fn name(&mut self, value: impl serde::Serialize) {
        let json = serde_json::to_string(&value).unwrap_or_default();
        self.number(json.trim_matches('"'));
    }

    fn maybe_name(&mut self, value: Option<impl serde::Serialize>) {
        match value {
            Some(value) => self.name(value),
            None => self.comma(),
        }
    }

    fn each_way(&mut self, ways: EachWay) {
        self.number(ways.to_server);
        self.number(ways.to_client);
    }

    fn endpoint(&mut self, endpoint: &Endpoint) {
        self.number(endpoint.address);
        self.number(&endpoint.port);
        self.text(endpoint.role.as_deref().unwrap_or_default());
    }

    /// Text of others.
    pub(super) fn text(&mut self, value: &str) {
        self.comma();
        let mut shown = text::visible(value);
        if shown.starts_with(['=', '+', '-', '@']) {
            shown.insert(0, '\'');
        }
        let quoted = shown.contains(['"', ',']) || shown.starts_with(' ') || shown.ends_with(' ');
        match quoted {
            true => {
                let doubled = shown.replace('"', "\"\"");
                self.out.push(b'"');
                self.out.extend_from_slice(doubled.as_bytes());
                self.out.push(b'"');
            }
            false => self.out.extend_from_slice(shown.as_bytes()),
        }
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(value: &str) -> String {
        let mut out = Vec::new();
        Row::new(&mut out).text(value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn quotes_are_doubled_and_formulas_are_text() {
        assert_eq!(cell("plain"), "plain\n");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"\n");
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"\n");
        assert_eq!(cell("@SUM(1)"), "'@SUM(1)\n");
        assert_eq!(cell("\r\n\tx"), "\\r\\n\\tx\n");
    }

    proptest! {
        #[test]
        fn a_row_is_one_line_and_no_cell_a_formula(text in any::<String>()) {
            let cell = cell(&text);
            prop_assert_eq!(cell.matches('\n').count(), 1);
            prop_assert!(!cell.chars().any(|c| c.is_control() && c != '\n'));
            // A quotation mark at the start is doubled, and another before it.
            let inside = cell.strip_prefix('"').unwrap_or(&cell);
            prop_assert!(!inside.starts_with(['=', '+', '-', '@']));
        }
    }
}
