//! Compact JSON into a vector, byte for byte as serde_json writes it, but for what a
//! terminal acts on or a reader is misled by (DEL, C1 controls, marks that turn text
//! around): that is escaped too, and means the same to every program.
//!
//! Of a line that tells a packet each byte passes through here, a million times in
//! a long capture. serde_json looks at each byte of a text by itself, also at those
//! of a field's name, which the compiler knows; that was more than half of all work.
//! Here texts are looked at by blocks, and names are copied.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::Write as _;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Error;

use crate::render::text::misleads;

/// Writes one value behind what the vector holds.
pub struct Compact<'o>(pub &'o mut Vec<u8>);

/// Members of an object or elements of an array. Each is written with a comma behind
/// it; that of the last one gives way to what closes.
pub struct Members<'o> {
    out: &'o mut Vec<u8>,
    close: &'static [u8],
}

impl<'o> Members<'o> {
    fn object(out: &'o mut Vec<u8>) -> Members<'o> {
        out.push(b'{');
        Members { out, close: b"}" }
    }

    fn array(out: &'o mut Vec<u8>) -> Members<'o> {
        out.push(b'[');
        Members { out, close: b"]" }
    }

    /// Of a variant with fields, which stand in an object of their own: closes that too.
    fn closing(self, close: &'static [u8]) -> Members<'o> {
        Members { close, ..self }
    }

    #[inline]
    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        value.serialize(Compact(self.out))?;
        self.out.push(b',');
        Ok(())
    }

    #[inline(always)]
    fn member(
        &mut self,
        name: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), Error> {
        key(self.out, name);
        self.element(value)
    }

    #[inline]
    fn close(self) -> Result<(), Error> {
        if self.out.last() == Some(&b',') {
            self.out.pop();
        }
        self.out.extend_from_slice(self.close);
        Ok(())
    }
}

/// The name of a field or of a variant. It has nothing to escape, being Rust's or ours.
#[inline(always)]
fn quoted(out: &mut Vec<u8>, name: &'static str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

/// What stands before the value of a member.
#[inline(always)]
fn key(out: &mut Vec<u8>, name: &'static str) {
    quoted(out, name);
    out.push(b':');
}

/// Opens an object whose one member has this name.
fn variant(out: &mut Vec<u8>, name: &'static str) {
    out.push(b'{');
    key(out, name);
}

/// What serde_json writes itself.
macro_rules! numbers {
    ($($serialize:ident: $number:ty),*) => {$(
        #[inline]
        fn $serialize(self, number: $number) -> Result<(), Error> {
            serde_json::to_writer(self.0, &number)
        }
    )*}
}

impl<'o> Serializer for Compact<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Members<'o>;
    type SerializeTuple = Members<'o>;
    type SerializeTupleStruct = Members<'o>;
    type SerializeTupleVariant = Members<'o>;
    type SerializeMap = Members<'o>;
    type SerializeStruct = Members<'o>;
    type SerializeStructVariant = Members<'o>;

    numbers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128, serialize_f32: f32, serialize_f64: f64
    );

    #[inline]
    fn serialize_bool(self, is: bool) -> Result<(), Error> {
        self.0
            .extend_from_slice(if is { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, it: char) -> Result<(), Error> {
        self.serialize_str(it.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), Error> {
        self.0.push(b'"');
        escape(text, self.0);
        self.0.push(b'"');
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        bytes.serialize(self)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), Error> {
        quoted(self.0, name);
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        variant(self.0, name);
        value.serialize(Compact(self.0))?;
        self.0.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'o>, Error> {
        Ok(Members::array(self.0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'o>, Error> {
        Ok(Members::array(self.0))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'o>, Error> {
        Ok(Members::array(self.0))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Members<'o>, Error> {
        variant(self.0, name);
        Ok(Members::array(self.0).closing(b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'o>, Error> {
        Ok(Members::object(self.0))
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'o>, Error> {
        Ok(Members::object(self.0))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Members<'o>, Error> {
        variant(self.0, name);
        Ok(Members::object(self.0).closing(b"}}"))
    }

    /// Without a text of its own in between.
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.0.push(b'"');
        // Writing to a vector does not fail; what fails to spell itself is cut.
        let _ = write!(Escaped(self.0), "{value}");
        self.0.push(b'"');
        Ok(())
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.member(name, value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeStructVariant for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    /// Numbers and the like are quoted.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.out.len();
        key.serialize(Compact(self.out))?;
        if self.out.get(start) != Some(&b'"') {
            self.out.insert(start, b'"');
            self.out.push(b'"');
        }
        self.out.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

/// All lists are arrays.
macro_rules! arrays {
    ($($list:ident: $serialize:ident),*) => {$(
        impl $list for Members<'_> {
            type Ok = ();
            type Error = Error;

            fn $serialize<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*}
}

arrays!(
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field
);

/// Escapes what is written into it.
struct Escaped<'o>(&'o mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}

/// RFC 8259, section 7: what may not stand in a string as it is; and what is to be
/// looked at as a character.
fn is_special(byte: u8) -> bool {
    // In one comparison: below 0x20, or 0x7F and above.
    (byte.wrapping_sub(0x20) >= 0x5F) | (byte == b'"') | (byte == b'\\')
}

/// No byte of the block is special. Without a branch inside, so that the compiler looks
/// at 16 of them at once.
#[inline]
fn is_plain(block: &[u8; 32]) -> bool {
    !block
        .iter()
        .fold(false, |any, byte| any | is_special(*byte))
}

/// The top bit of each byte that is special, the lowest in front. One above a
/// special byte may have it by mistake.
fn specials(bytes: [u8; 8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(bytes);
    // Less than n, where below 128: taking n away borrows.
    let below = |word: u64, n: u8| word.wrapping_sub(EACH * u64::from(n));
    let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let ascii = below(word, 0x20) | is(b'"') | is(b'\\');
    let above = word | word.wrapping_add(EACH);
    ((ascii & !word) | above) & (EACH * 0x80)
}

/// How many bytes stand for themselves.
fn plain_run(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks();
    let mut run = 32 * blocks.iter().take_while(|block| is_plain(block)).count();
    let (words, rest) = bytes.get(run..).unwrap_or_default().as_chunks();
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

/// A text without the quotes around it.
pub fn escaped(text: &str) -> Cow<'_, [u8]> {
    if plain_run(text.as_bytes()) == text.len() {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(2 * text.len());
    escape(text, &mut out);
    Cow::Owned(out)
}

/// Writes a text without the quotes around it.
fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    // What is special begins a character.
    while let Some((plain, behind)) = rest.split_at_checked(plain_run(rest.as_bytes())) {
        out.extend_from_slice(plain.as_bytes());
        let mut characters = behind.chars();
        let Some(special) = characters.next() else {
            break;
        };
        rest = characters.as_str();
        match special {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\x08' => out.extend_from_slice(b"\\b"),
            '\x0C' => out.extend_from_slice(b"\\f"),
            '\0'..='\x1F' | '\x7F' => by_number(special, out),
            _ if misleads(special) => by_number(special, out),
            _ => out.extend_from_slice(special.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// In UTF-16, as JSON counts characters.
fn by_number(character: char, out: &mut Vec<u8>) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    fn written(value: &(impl Serialize + ?Sized)) -> String {
        let mut out = Vec::new();
        value.serialize(Compact(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// As serde_json writes it, but for what misleads.
    fn by_serde_json(value: &(impl Serialize + ?Sized)) -> String {
        let mut text = String::new();
        for c in serde_json::to_string(value).unwrap().chars() {
            match c {
                '\u{7f}' => text.push_str("\\u007f"),
                c if misleads(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        text.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => text.push(c),
            }
        }
        text
    }

    /// Whoever looks at JSON on a terminal is not to be fooled by what a packet says.
    #[test]
    fn what_misleads_is_escaped_and_means_the_same() {
        let text = "a\u{9b}31m\u{202e}b\u{7f}\u{feff}é\u{e0041}";
        let json = written(text);
        assert_eq!(json, "\"a\\u009b31m\\u202eb\\u007f\\ufeffé\\udb40\\udc41\"");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn each_character_is_written_as_serde_json_does() {
        let every: String = (0..0x250).filter_map(char::from_u32).collect();
        assert_eq!(written(&every), by_serde_json(&every));
        for character in every.chars() {
            assert_eq!(written(&character), by_serde_json(&character));
            // What is put together piece by piece.
            let mut out = Vec::new();
            let piecewise = format_args!("{character}a{character}");
            Compact(&mut out).collect_str(&piecewise).unwrap();
            let whole = format!("{character}a{character}");
            assert_eq!(out, by_serde_json(&whole).as_bytes());
        }
        assert_eq!(written(""), "\"\"");
    }

    #[derive(Clone, Debug, Serialize)]
    enum Kind {
        Unit,
        Newtype(u64),
        Tuple(i64, bool),
        Empty(),
        Struct {
            is: bool,
            list: Vec<Kind>,
        },
        #[serde(rename = "no members")]
        Bare {},
    }

    #[derive(Clone, Debug, Serialize)]
    struct Unit;

    #[derive(Clone, Debug, Serialize)]
    struct Newtype(f64);

    #[derive(Clone, Debug, Serialize)]
    struct Tuple(u8, f32, char);

    #[derive(Clone, Debug, Serialize)]
    struct Every {
        unit: Unit,
        newtype: Newtype,
        tuple: Tuple,
        text: String,
        kinds: Vec<Kind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<u32>,
        option: Option<i16>,
        of_text: BTreeMap<String, Kind>,
        of_number: BTreeMap<i32, Vec<u8>>,
        pair: (u128, i128),
        nothing: (),
    }

    fn a_text() -> impl Strategy<Value = String> {
        "([a-zé]{0,90}[\"\\\\\n\r\t\u{0}-\u{1f}\u{7f}é€\u{2028}]{0,3}){0,6}"
    }

    fn a_kind() -> impl Strategy<Value = Kind> {
        let leaf = prop_oneof![
            Just(Kind::Unit),
            any::<u64>().prop_map(Kind::Newtype),
            any::<(i64, bool)>().prop_map(|(number, is)| Kind::Tuple(number, is)),
            Just(Kind::Empty()),
            Just(Kind::Bare {}),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let list = prop::collection::vec(inner, 0..3);
            (any::<bool>(), list).prop_map(|(is, list)| Kind::Struct { is, list })
        })
    }

    fn every() -> impl Strategy<Value = Every> {
        let numbers = any::<(f64, u8, f32, char, Option<u32>, Option<i16>, u128, i128)>();
        let kinds = prop::collection::vec(a_kind(), 0..4);
        let of_text = prop::collection::btree_map(a_text(), a_kind(), 0..3);
        let of_number = prop::collection::btree_map(any::<i32>(), any::<Vec<u8>>(), 0..3);
        (numbers, a_text(), kinds, of_text, of_number).prop_map(
            |(numbers, text, kinds, of_text, of_number)| {
                let (double, byte, single, character, skipped, option, unsigned, signed) = numbers;
                Every {
                    unit: Unit,
                    newtype: Newtype(double),
                    tuple: Tuple(byte, single, character),
                    text,
                    kinds,
                    skipped,
                    option,
                    of_text,
                    of_number,
                    pair: (unsigned, signed),
                    nothing: (),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn texts_are_written_as_serde_json_does(text in a_text()) {
            prop_assert_eq!(written(&text), by_serde_json(&text));
        }

        #[test]
        fn every_shape_is_written_as_serde_json_does(value in every()) {
            prop_assert_eq!(written(&value), by_serde_json(&value));
        }
    }

    #[test]
    fn numbers_that_json_does_not_have_are_null() {
        assert_eq!(
            written(&[f64::NAN, f64::INFINITY, 0.0, -0.0, 1e300]),
            by_serde_json(&[f64::NAN, f64::INFINITY, 0.0, -0.0, 1e300])
        );
    }
}
