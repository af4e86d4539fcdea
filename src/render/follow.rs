//! The bytes of one conversation, in the order in which they were sent: as
//! text, as a hex dump, or as they are. Written while they come.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::text;
use crate::report::{Endpoint, Side};
use crate::savefile::Protocol;

/// How the bytes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines with `>` before those of the client and `<` before those of the
    /// server. A CR before a line feed is not shown; every other control
    /// character is made visible, and bytes that are no UTF-8 are `\xff`.
    Text,
    /// Offset, sixteen bytes, and their ASCII; the server's side is indented.
    Hex,
    /// Nothing but the bytes.
    Raw,
}

/// What is to be shown, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub form: Form,
    /// Only the bytes that this side sent.
    pub from: Option<Side>,
    /// Write colours (ANSI escape sequences).
    pub color: bool,
}

/// Takes the bytes of a conversation and shows them.
#[derive(Debug)]
pub struct Follow {
    options: Options,
    /// Whose bytes came last.
    last: Option<Side>,
    /// Bytes of an unfinished line, or row.
    pending: Vec<u8>,
    /// Bytes shown of each side.
    client: u64,
    server: u64,
}

/// An unfinished line is shown when it is so long.
const LONGEST_LINE: usize = 64 * 1024;
/// Bytes in a row of the hex dump.
const ROW: usize = 16;

impl Follow {
    pub fn new(options: Options) -> Follow {
        Follow {
            options,
            last: None,
            pending: Vec::new(),
            client: 0,
            server: 0,
        }
    }

    /// The lines above, as Wireshark writes them.
    pub fn head(
        &self,
        protocol: Protocol,
        stream: u32,
        client: &Endpoint,
        server: &Endpoint,
        out: &mut Vec<u8>,
    ) {
        let form = match self.options.form {
            Form::Text => "text",
            Form::Hex => "hex",
            Form::Raw => return,
        };
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let socket = |end: &Endpoint| match end.address {
            std::net::IpAddr::V4(address) => format!("{address}:{}", end.port),
            std::net::IpAddr::V6(address) => format!("[{address}]:{}", end.port),
        };
        let text = format!("Follow: {protocol},{form}\nFilter: {protocol}.stream eq {stream}\n");
        out.extend_from_slice(text.as_bytes());
        for (side, end, node, mark) in [
            (Side::Client, client, 0, '>'),
            (Side::Server, server, 1, '<'),
        ] {
            let line = format!("Node {node}: {}  {mark}", socket(end));
            self.styled(style(side), &line, out);
            out.push(b'\n');
        }
    }

    /// The next bytes of a side.
    pub fn bytes(&mut self, side: Side, bytes: &[u8], out: &mut Vec<u8>) {
        if self.options.from.is_some_and(|only| only != side) || bytes.is_empty() {
            return;
        }
        if self.options.form == Form::Raw {
            out.extend_from_slice(bytes);
            return;
        }
        self.turn(side, out);
        self.pending.extend_from_slice(bytes);
        match self.options.form {
            Form::Text => self.lines(side, out),
            Form::Hex => self.rows(side, out),
            Form::Raw => {}
        }
    }

    /// Bytes of a side that were never captured.
    pub fn gap(&mut self, side: Side, missing: u64, out: &mut Vec<u8>) {
        if self.options.from.is_some_and(|only| only != side) || self.options.form == Form::Raw {
            return;
        }
        let bytes = if missing == 1 { "byte" } else { "bytes" };
        self.remark(
            side,
            &format!("[{missing} {bytes} missing in the capture]"),
            out,
        );
        *self.shown(side) += missing;
    }

    /// What a side sends from here on belongs to another connection.
    pub fn restart(&mut self, side: Side, out: &mut Vec<u8>) {
        if self.options.from.is_some_and(|only| only != side) || self.options.form == Form::Raw {
            return;
        }
        let line = "[another connection on the same ports: its SYN was not captured]";
        self.remark(side, line, out);
    }

    fn remark(&mut self, side: Side, line: &str, out: &mut Vec<u8>) {
        self.turn(side, out);
        self.flush(side, out);
        self.styled(AnsiColor::Yellow.on_default(), line, out);
        out.push(b'\n');
    }

    /// A datagram ends, as no line feed need tell.
    pub fn boundary(&mut self, out: &mut Vec<u8>) {
        if let Some(side) = self.last {
            self.flush(side, out);
        }
        self.last = None;
    }

    /// Nothing more comes.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.boundary(out);
    }

    /// Whose turn it is. A blank line stands between the sides.
    fn turn(&mut self, side: Side, out: &mut Vec<u8>) {
        if self.last == Some(side) {
            return;
        }
        if let Some(last) = self.last {
            self.flush(last, out);
        }
        if self.options.form == Form::Text {
            out.push(b'\n');
        }
        self.last = Some(side);
    }

    fn shown(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Shows all that is pending.
    fn flush(&mut self, side: Side, out: &mut Vec<u8>) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        match self.options.form {
            Form::Text => self.line(side, &pending, out),
            Form::Hex => self.row(side, &pending, out),
            Form::Raw => {}
        }
    }

    fn lines(&mut self, side: Side, out: &mut Vec<u8>) {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let (line, after) = rest.split_at(end);
            self.line(side, line.strip_suffix(b"\r").unwrap_or(line), out);
            rest = after.get(1..).unwrap_or_default();
        }
        while rest.len() > LONGEST_LINE {
            let (line, after) = rest.split_at(LONGEST_LINE);
            self.line(side, line, out);
            rest = after;
        }
        self.pending = rest.to_vec();
    }

    fn line(&mut self, side: Side, line: &[u8], out: &mut Vec<u8>) {
        let mark = match side {
            Side::Client => ">",
            Side::Server => "<",
        };
        let shown = visible(line);
        let text = match shown.as_str() {
            "" => mark.to_owned(),
            shown => format!("{mark} {shown}"),
        };
        self.styled(style(side), &text, out);
        out.push(b'\n');
    }

    fn rows(&mut self, side: Side, out: &mut Vec<u8>) {
        let pending = std::mem::take(&mut self.pending);
        let rows = pending.chunks_exact(ROW);
        self.pending = rows.remainder().to_vec();
        for row in rows {
            self.row(side, row, out);
        }
    }

    fn row(&mut self, side: Side, row: &[u8], out: &mut Vec<u8>) {
        let indent = match side {
            Side::Client => "",
            Side::Server => "    ",
        };
        let shown = self.shown(side);
        let offset = *shown;
        *shown += row.len() as u64;
        let mut text = format!("{indent}{offset:08x}  ");
        for index in 0..ROW {
            // Writing to a String does not fail.
            let _ = match row.get(index) {
                Some(byte) => write!(text, "{byte:02x} "),
                None => write!(text, "   "),
            };
            if index == ROW / 2 - 1 {
                text.push(' ');
            }
        }
        text.push(' ');
        text.extend(row.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        }));
        self.styled(style(side), &text, out);
        out.push(b'\n');
    }

    fn styled(&self, style: Style, text: &str, out: &mut Vec<u8>) {
        match self.options.color {
            true => out.extend_from_slice(format!("{style}{text}{style:#}").as_bytes()),
            false => out.extend_from_slice(text.as_bytes()),
        }
    }
}

/// Wireshark's own: the client is red, the server blue.
fn style(side: Side) -> Style {
    match side {
        Side::Client => AnsiColor::Red.on_default(),
        Side::Server => AnsiColor::Blue.on_default(),
    }
}

/// Text with nothing in it that a terminal acts on; a tab stays.
fn visible(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut tabs = chunk.valid().split('\t');
        shown.extend(tabs.next().map(text::visible));
        for part in tabs {
            shown.push('\t');
            shown += &text::visible(part);
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn follow(form: Form) -> Follow {
        Follow::new(Options {
            form,
            from: None,
            color: false,
        })
    }

    fn shown(form: Form, pieces: &[(Side, &[u8])]) -> String {
        let mut follow = follow(form);
        let mut out = Vec::new();
        for (side, bytes) in pieces {
            follow.bytes(*side, bytes, &mut out);
        }
        follow.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_side_has_its_mark() {
        let text = shown(
            Form::Text,
            &[
                (Side::Client, b"GET / HT"),
                (Side::Client, b"TP/1.1\r\n\r\n"),
                (Side::Server, b"HTTP/1.1 200 OK\r\n\r\nhi"),
                (Side::Client, b"x\n"),
            ],
        );
        assert_eq!(
            text,
            "\n> GET / HTTP/1.1\n>\n\n< HTTP/1.1 200 OK\n<\n< hi\n\n> x\n"
        );
    }

    #[test]
    fn what_a_terminal_acts_on_is_shown() {
        let text = shown(
            Form::Text,
            &[(Side::Server, b"a\x1b[2J\rb\t\xff\xc3\xa9\n")],
        );
        assert_eq!(text, "\n< a\\x1b[2J\\rb\t\\xffé\n");
    }

    #[test]
    fn a_hex_dump_counts_each_side_for_itself() {
        let text = shown(
            Form::Hex,
            &[
                (Side::Client, b"0123456789abcdefGH"),
                (Side::Server, b"\x00z"),
                (Side::Client, b"!"),
            ],
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef"
        );
        assert!(lines[1].starts_with("00000010  47 48 ") && lines[1].ends_with("  GH"));
        assert!(lines[2].starts_with("    00000000  00 7a ") && lines[2].ends_with("  .z"));
        assert!(lines[3].starts_with("00000012  21 "));
    }

    #[test]
    fn gaps_are_shown_and_counted() {
        let mut follow = follow(Form::Hex);
        let mut out = Vec::new();
        follow.bytes(Side::Client, b"a", &mut out);
        follow.gap(Side::Client, 15, &mut out);
        follow.bytes(Side::Client, b"b", &mut out);
        follow.finish(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\n[15 bytes missing in the capture]\n00000010  62 "));
    }

    #[test]
    fn one_side_alone_as_it_is() {
        let mut follow = Follow::new(Options {
            form: Form::Raw,
            from: Some(Side::Server),
            color: true,
        });
        let mut out = Vec::new();
        follow.bytes(Side::Client, b"no", &mut out);
        follow.bytes(Side::Server, b"\x00\xff\n", &mut out);
        follow.finish(&mut out);
        assert_eq!(out, b"\x00\xff\n");
    }

    proptest! {
        #[test]
        fn no_control_character_comes_through(
            pieces in proptest::collection::vec((any::<bool>(), any::<Vec<u8>>()), 0..8)
        ) {
            for form in [Form::Text, Form::Hex] {
                let pieces: Vec<(Side, &[u8])> = pieces
                    .iter()
                    .map(|(client, bytes)| {
                        (if *client { Side::Client } else { Side::Server }, bytes.as_slice())
                    })
                    .collect();
                let text = shown(form, &pieces);
                prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            }
        }
    }
}
