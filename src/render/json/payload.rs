//! The text of a payload in JSON, escaped block by block.
//!
//! serde_json looks at each byte of a text by itself, and of a packet's line most
//! is payload: that was half of the work of writing packets. It does not let a
//! text be written in another way, but what remains of a text between escapes goes
//! through its formatter. So a stand-in takes the payload's place in the packet,
//! and the formatter, who knows it by its address, writes the text instead.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::report::Packet;

/// Appends a packet, compact. Nothing is allocated but room in `out`.
pub fn packet(packet: Packet<'_>, out: &mut Vec<u8>) {
    // Of constants the compiler merges those that are equal; this has an address of
    // its own.
    let stand_in = [b'.'];
    let stand_in = std::str::from_utf8(&stand_in).unwrap_or_default();
    let mut packet = packet;
    let place = packet.payload_mut().and_then(|it| it.text.as_mut());
    let text = place.map(|place| std::mem::replace(place, Cow::Borrowed(stand_in)));
    let formatter = Compact {
        stand_in,
        text: text.as_deref(),
    };
    // Writing to a Vec does not fail, and a packet has no keys that are no text.
    let _ = packet.serialize(&mut Serializer::with_formatter(out, formatter));
}

/// Compact JSON, with this text in the stand-in's place.
struct Compact<'t> {
    stand_in: &'t str,
    text: Option<&'t str>,
}

impl Formatter for Compact<'_> {
    #[inline]
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        match self.text {
            Some(text) if std::ptr::eq(fragment, self.stand_in) => escape(text, out),
            _ => out.write_all(fragment.as_bytes()),
        }
    }
}

/// RFC 8259, section 7: what may not stand in a string as it is.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The top bit of each byte that is special, the lowest in front. One above a
/// special byte may have it by mistake.
fn specials(bytes: [u8; 8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(bytes);
    // Less than n, where below 128: taking n away borrows.
    let below = |word: u64, n: u8| word.wrapping_sub(EACH * u64::from(n));
    let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & !word & (EACH * 0x80)
}

/// How many bytes stand for themselves. Looked at by 8.
fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut run = 0;
    for word in words {
        let special = specials(*word);
        if special != 0 {
            return run + special.trailing_zeros() as usize / 8;
        }
        run += 8;
    }
    let special = rest.iter().position(|byte| is_special(*byte));
    run + special.unwrap_or(rest.len())
}

/// Writes a text as serde_json does, without the quotes around it.
#[inline(never)]
fn escape(text: &str, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let mut rest = text.as_bytes();
    while let Some((plain, behind)) = rest.split_at_checked(plain_run(rest)) {
        out.write_all(plain)?;
        let Some((special, behind)) = behind.split_first() else {
            break;
        };
        match special {
            b'"' => out.write_all(b"\\\"")?,
            b'\\' => out.write_all(b"\\\\")?,
            b'\n' => out.write_all(b"\\n")?,
            b'\r' => out.write_all(b"\\r")?,
            b'\t' => out.write_all(b"\\t")?,
            0x08 => out.write_all(b"\\b")?,
            0x0C => out.write_all(b"\\f")?,
            other => write!(out, "\\u{other:04x}")?,
        }
        rest = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Payload, Port, Udp};
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(text, &mut out).unwrap();
        format!("\"{}\"", String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_character_is_written_as_serde_json_does() {
        let every: String = (0..0x250).filter_map(char::from_u32).collect();
        assert_eq!(escaped(&every), serde_json::to_string(&every).unwrap());
        assert_eq!(escaped(""), "\"\"");
    }

    fn a_packet(text: &str, comment: &str) -> Packet<'static> {
        Packet {
            udp: Some(Udp {
                srcport: Port::Number(40000),
                dstport: Port::Number(12000),
                stream: None,
                length: 8,
                checksum: None,
                payload: Some(Payload {
                    text: Some(text.to_owned().into()),
                    ..Payload::default()
                }),
            }),
            comment: vec![comment.to_owned()],
            ..Packet::default()
        }
    }

    proptest! {
        #[test]
        fn texts_are_written_as_serde_json_does(
            text in "([a-zé]{0,90}[\"\\\\\n\r\t\u{0}-\u{1f}\u{7f}é€\u{2028}]{0,3}){0,6}"
        ) {
            prop_assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap());
            // A text that reads as the stand-in is none.
            let whole = a_packet(&text, ".");
            let mut out = Vec::new();
            packet(whole.clone(), &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&whole).unwrap());
        }
    }
}
