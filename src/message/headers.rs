//! Header fields: one block of text and where the fields lie in it, so that a
//! head costs two allocations, however many fields it has.

use std::fmt;
use std::ops::Range;

/// Fields of a header or trailer section, in order, names as sent. Where a
/// value is no UTF-8, it has U+FFFD.
#[derive(Clone, Default)]
pub struct Headers {
    text: Box<str>,
    fields: Box<[Field]>,
}

#[derive(Clone, Copy)]
pub(super) struct Field {
    name: (u32, u32),
    value: (u32, u32),
}

impl Field {
    pub(super) fn new(name: Range<usize>, value: Range<usize>) -> Field {
        let place = |range: Range<usize>| {
            let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
            (number(range.start), number(range.end))
        };
        Field {
            name: place(name),
            value: place(value),
        }
    }
}

impl Headers {
    pub(super) fn new(text: &str, fields: Vec<Field>) -> Headers {
        if fields.is_empty() {
            return Headers::default();
        }
        Headers {
            text: text.into(),
            fields: fields.into(),
        }
    }

    /// Names and values.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|field| (self.part(field.name), self.part(field.value)))
    }

    /// The values of the fields of this name, in any case.
    pub fn named<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    fn part(&self, (start, end): (u32, u32)) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Headers {
        let mut text = String::new();
        let mut places = Vec::new();
        for (name, value) in fields {
            let start = text.len();
            text.push_str(name.as_ref());
            let middle = text.len();
            text.push_str(value.as_ref());
            places.push(Field::new(start..middle, middle..text.len()));
        }
        Headers::new(&text, places)
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_any_case() {
        let headers: Headers = [("Host", "x"), ("Via", "a"), ("VIA", "b")]
            .iter()
            .copied()
            .collect();
        assert_eq!(headers.named("via").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(headers.iter().next(), Some(("Host", "x")));
        assert_eq!(headers.len(), 3);
        assert_eq!(
            format!("{headers:?}"),
            r#"[("Host", "x"), ("Via", "a"), ("VIA", "b")]"#
        );
        assert!(Headers::default().is_empty());
    }
}
