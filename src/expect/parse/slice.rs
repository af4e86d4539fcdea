//! What stands in brackets behind a field: slices, and layers behind `#`.

use super::super::ast::{Layers, SliceEnd, SliceRange};
use super::super::codes;
use super::super::lex;
use super::{Parsed, Parser, Reported};

impl Parser<'_> {
    /// `[0:3]`, `[-4:]`, `[1-2,4]`.
    pub(super) fn slices(&mut self) -> Parsed<Vec<SliceRange>> {
        Ok(self.ranges("]")?.into_iter().map(slice_range).collect())
    }

    /// `#2`, `#[1-2]` right behind a field. (Behind a space, `#` begins a
    /// comment.)
    pub(super) fn layers(&mut self) -> Parsed<Vec<Layers>> {
        let Some(behind) = self.text.get(self.at..).and_then(|t| t.strip_prefix('#')) else {
            return Ok(Vec::new());
        };
        if behind.starts_with('[') {
            self.skip_to(self.at + 1);
            let ranges = self.ranges("]")?;
            return Ok(ranges.into_iter().map(layers_of).collect());
        }
        let digits = behind.len()
            - behind
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        if digits == 0 {
            return Ok(Vec::new());
        }
        let span = self.at..self.at + 1 + digits;
        let number = behind[..digits].parse::<u8>().ok();
        self.skip_to(span.end);
        match number {
            Some(number) => Ok(vec![Layers {
                first: number.into(),
                last: Some(number.into()),
            }]),
            None => {
                self.error(
                    codes::OUT_OF_RANGE,
                    span,
                    "no packet has so many layers",
                    "too large",
                    Some("layers are counted from 1: `ip.src#1`".to_owned()),
                );
                Err(Reported)
            }
        }
    }

    /// `[0:3]`, `[1-2,4:]`: what stands in a slice or behind `#`.
    fn ranges(&mut self, close: &'static str) -> Parsed<Vec<Range>> {
        let (_, opened) = self.take();
        let Some((inside, span)) = lex::until(self.text, opened.end, ']') else {
            return Err(self.unclosed(opened, close, ""));
        };
        let mut ranges = Vec::new();
        let mut at = span.start;
        for part in inside.split(',') {
            match range(part.trim()) {
                Ok(range) => ranges.push(range),
                Err(help) => {
                    self.skip_to(span.end + 1);
                    self.error(
                        codes::BAD_SLICE,
                        at..at + part.len(),
                        format!("`{}` is no range", part.trim()),
                        "not understood",
                        Some(help.to_owned()),
                    );
                    return Err(Reported);
                }
            }
            at += part.len() + 1;
        }
        self.skip_to(span.end + 1);
        Ok(ranges)
    }
}

/// A part of brackets, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    One(i32),
    Length(i32, u32),
    Last(i32, i32),
    Rest(i32),
}

/// Offsets are far below this; sums of two fit.
const FARTHEST: i32 = 1 << 24;

fn range(text: &str) -> Result<Range, &'static str> {
    const FORMS: &str =
        "a slice is `[start:length]`, `[first-last]`, `[place]`, `[:length]` or `[start:]`";
    if let Some((start, length)) = text.split_once(':') {
        let (start, length) = (start.trim(), length.trim());
        let start = match start {
            "" => 0,
            _ => place(start).ok_or(FORMS)?,
        };
        if length.is_empty() {
            return Ok(Range::Rest(start));
        }
        let length = place(length).ok_or(FORMS)?;
        return match u32::try_from(length) {
            Ok(length) if length > 0 => Ok(Range::Length(start, length)),
            _ => Err("behind the colon stands a length, which is 1 at least"),
        };
    }
    // A first hyphen is the sign of the first place.
    let hyphen = text.char_indices().skip(1).find(|(_, c)| *c == '-');
    let Some((hyphen, _)) = hyphen else {
        return place(text).map(Range::One).ok_or(FORMS);
    };
    let first = place(text[..hyphen].trim()).ok_or(FORMS)?;
    let last = place(text[hyphen + 1..].trim()).ok_or(FORMS)?;
    match (first < 0) == (last < 0) && first < last {
        true => Ok(Range::Last(first, last)),
        false => Err("the last place must lie behind the first, and be counted from the same end"),
    }
}

/// Decimal, hexadecimal or octal; negative from the end.
fn place(text: &str) -> Option<i32> {
    let number = super::literal::integer(text)?;
    let number = i32::try_from(number).ok()?;
    (-FARTHEST..=FARTHEST).contains(&number).then_some(number)
}

fn slice_range(range: Range) -> SliceRange {
    let (start, end) = match range {
        Range::One(start) => (start, SliceEnd::Length(1)),
        Range::Length(start, length) => (start, SliceEnd::Length(length)),
        Range::Last(start, last) => (start, SliceEnd::Last(last)),
        Range::Rest(start) => (start, SliceEnd::Rest),
    };
    SliceRange { start, end }
}

fn layers_of(range: Range) -> Layers {
    let (first, last) = match range {
        Range::One(first) => (first, Some(first)),
        Range::Length(first, length) => {
            let length = i32::try_from(length).unwrap_or(i32::MAX);
            let last = first.saturating_add(length.saturating_sub(1));
            // Counted from the innermost, behind which there are none.
            let goes_on = first < 0 && last >= 0;
            (first, Some(last).filter(|_| !goes_on))
        }
        Range::Last(first, last) => (first, Some(last)),
        Range::Rest(first) => (first, None),
    };
    Layers { first, last }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: found by fuzzing. It ended at a layer counted from the outermost.
    #[test]
    fn layers_from_the_innermost_end_with_it() {
        let layers = |text: &str| {
            let Layers { first, last } = layers_of(range(text).unwrap());
            (first, last)
        };
        assert_eq!(layers("-2:5"), (-2, None));
        assert_eq!(layers("-2:2"), (-2, Some(-1)));
        assert_eq!(layers("-1:2"), (-1, None));
        assert_eq!(layers("2:3"), (2, Some(4)));
    }

    /// Regression: found by fuzzing. The least number has no absolute value.
    #[test]
    fn a_place_is_never_too_far() {
        for far in ["-2147483648", "2147483647", "-16777217", "16777217"] {
            assert_eq!(place(far), None, "{far}");
        }
        assert_eq!(place("-16777216"), Some(-FARTHEST));
    }

    #[test]
    fn ranges_are_read_as_wireshark_reads_them() {
        assert_eq!(range("0:3"), Ok(Range::Length(0, 3)));
        assert_eq!(range("-4:"), Ok(Range::Rest(-4)));
        assert_eq!(range(":0x10"), Ok(Range::Length(0, 16)));
        assert_eq!(range("1-3"), Ok(Range::Last(1, 3)));
        assert_eq!(range("-3--1"), Ok(Range::Last(-3, -1)));
        assert_eq!(range("-1"), Ok(Range::One(-1)));
        for wrong in [
            "", "0:0", ":-2", "2-1", "1-1", "-1-0", "a", "1:2:3", "1-2-3", "99999999",
        ] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}
