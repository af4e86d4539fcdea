//! Values that spell themselves while they are written, so that no text is
//! made of them before.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::TcpFlags;

/// An Ethernet address: `00:00:00:00:00:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

/// The twelve bits of a segment's flags, one letter for each that is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlagLetters(pub u16);

/// Bytes in hexadecimal, two digits for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hex<'a>(pub Cow<'a, [u8]>);

/// Nanoseconds, told in seconds: in JSON the nearest double, in text exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seconds(pub i64);

impl Seconds {
    const NANOSECONDS: i64 = 1_000_000_000;

    /// Whole seconds and the rest apart: together they are more than a double holds.
    pub fn nearest(self) -> f64 {
        let rest = self.0 % Self::NANOSECONDS;
        (self.0 / Self::NANOSECONDS) as f64 + rest as f64 / 1e9
    }
}

impl fmt::Display for Seconds {
    /// As many decimals as it takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (all, second) = (self.0.unsigned_abs(), Self::NANOSECONDS.unsigned_abs());
        let exact = format!("{sign}{}.{:09}", all / second, all % second);
        f.write_str(exact.trim_end_matches('0').trim_end_matches('.'))
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two digits of a byte.
fn digits(byte: u8) -> [u8; 2] {
    let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or(b'0');
    [digit(byte >> 4), digit(byte & 15)]
}

/// Text that was put together from ASCII.
fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("")
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b':'; 17];
        for (two, byte) in text.chunks_mut(3).zip(self.0) {
            if let Some(two) = two.get_mut(..2) {
                two.copy_from_slice(&digits(byte));
            }
        }
        f.write_str(ascii(&text))
    }
}

impl fmt::Display for FlagLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Wireshark's order: the highest bit first.
        const LETTERS: [(u16, u8); 9] = [
            (TcpFlags::AE, b'A'),
            (TcpFlags::CWR, b'C'),
            (TcpFlags::ECE, b'E'),
            (TcpFlags::URG, b'U'),
            (TcpFlags::ACK, b'A'),
            (TcpFlags::PSH, b'P'),
            (TcpFlags::RST, b'R'),
            (TcpFlags::SYN, b'S'),
            (TcpFlags::FIN, b'F'),
        ];
        let mut text = [0; LETTERS.len()];
        let mut len = 0;
        let set = LETTERS.iter().filter(|(bit, _)| self.0 & bit != 0);
        for (place, (_, letter)) in text.iter_mut().zip(set) {
            *place = *letter;
            len += 1;
        }
        f.write_str(ascii(text.get(..len).unwrap_or(&[])))
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const AT_ONCE: usize = 64;
        for bytes in self.0.chunks(AT_ONCE) {
            let mut text = [0; 2 * AT_ONCE];
            for (two, byte) in text.chunks_mut(2).zip(bytes) {
                two.copy_from_slice(&digits(*byte));
            }
            f.write_str(ascii(text.get(..2 * bytes.len()).unwrap_or(&[])))?;
        }
        Ok(())
    }
}

impl Hex<'_> {
    pub(super) fn into_owned(self) -> Hex<'static> {
        Hex(Cow::Owned(self.0.into_owned()))
    }
}

/// In JSON each is a string.
macro_rules! a_string {
    ($($spelled:ty),*) => {$(
        impl Serialize for $spelled {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $spelled {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                String::schema_name()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }
    )*};
}

a_string!(Mac, FlagLetters, Hex<'_>);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.nearest())
    }
}

impl JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        f64::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        f64::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn each_is_written_as_a_string() {
        assert_eq!(
            json(&Mac([0, 0x1b, 0xff, 9, 0xa0, 1])),
            r#""00:1b:ff:09:a0:01""#
        );
        assert_eq!(json(&FlagLetters(0x1ff)), r#""ACEUAPRSF""#);
        assert_eq!(json(&FlagLetters(0)), r#""""#);
        let bytes: Vec<u8> = (0..=255).collect();
        let plain: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(json(&Hex(bytes.into())), format!("\"{plain}\""));
    }

    #[test]
    fn times_are_rounded_once_at_most() {
        let time = Seconds(1_700_000_000_000_049_000);
        assert_eq!(json(&time), "1700000000.000049");
        for (nanoseconds, exact) in [
            (1_700_000_000_123_456_789, "1700000000.123456789"),
            (-250_000_000, "-0.25"),
            (21_000, "0.000021"),
            (3_000_000_000, "3"),
            (0, "0"),
        ] {
            let time = Seconds(nanoseconds);
            assert_eq!(time.to_string(), exact);
            assert_eq!(time.nearest(), exact.parse::<f64>().unwrap());
        }
    }
}
