//! Numbers as they were written, of any length and without rounding: an identifier
//! of 19 digits is more than a float can hold.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};

/// From so many zeros on, a number is written with an exponent.
const ZEROS: i64 = 40;

/// A decimal number. Equal numbers have equal parts: zero has no digits, and no
/// other has a zero at either end of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    digits: String,
    /// The value is 0.DIGITS times ten to this power.
    point: i64,
}

impl Number {
    /// `12`, `-1.50`, `1e6`, as JSON and claims write them.
    pub fn parse(text: &str) -> Option<Number> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (figures, exponent) = match text.split_once(['e', 'E']) {
            Some((figures, exponent)) => (figures, power(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = figures.split_once('.').unwrap_or((figures, "0"));
        let is_number = |part: &str| !part.is_empty() && is_digits(part);
        if !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Number::default());
        }
        let zeros = all.len() - digits.len();
        let point = whole.len() as i64 - zeros as i64;
        Some(Number {
            negative,
            digits: digits.trim_end_matches('0').to_owned(),
            point: point.saturating_add(exponent),
        })
    }

    /// Millionths, say: `1_500_000` with 6 places is 1.5.
    pub fn with_places(number: i128, places: i64) -> Number {
        let mut number = Number::from(number);
        if !number.digits.is_empty() {
            number.point -= places;
        }
        number
    }

    /// As a whole number, where it is one of this size.
    pub fn whole(&self) -> Option<i128> {
        self.to_string().parse().ok()
    }

    /// So close to zero that it is not written out.
    pub fn is_tiny(&self) -> bool {
        self.point <= -ZEROS
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// What stands behind the `e`. Powers beyond reason are all the same.
fn power(text: &str) -> Option<i64> {
    const MOST: i64 = 1 << 40;
    let digits = text.trim_start_matches(['+', '-']);
    if digits.is_empty() || !is_digits(digits) || text.len() - digits.len() > 1 {
        return None;
    }
    let power = digits.parse().unwrap_or(MOST).min(MOST);
    Some(if text.starts_with('-') { -power } else { power })
}

impl From<i128> for Number {
    fn from(number: i128) -> Number {
        Number::parse(&number.to_string()).unwrap_or_default()
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Number {
        Number::from(number as i128)
    }
}

impl std::ops::Neg for Number {
    type Output = Number;

    fn neg(mut self) -> Number {
        self.negative = !self.negative && !self.digits.is_empty();
        self
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let sign = self.sign();
        let magnitude = || (self.point.cmp(&other.point)).then(self.digits.cmp(&other.digits));
        sign.cmp(&other.sign()).then_with(|| match sign {
            -1 => magnitude().reverse(),
            _ => magnitude(),
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.digits.as_str();
        if self.negative {
            f.write_str("-")?;
        }
        let len = digits.len() as i64;
        match self.point {
            _ if digits.is_empty() => f.write_str("0"),
            point if point > len.saturating_add(ZEROS) || self.is_tiny() => {
                let (first, rest) = digits.split_at(1);
                let dot = if rest.is_empty() { "" } else { "." };
                write!(f, "{first}{dot}{rest}e{}", point - 1)
            }
            point if point >= len => write!(f, "{digits}{:0<1$}", "", (point - len) as usize),
            point if point > 0 => {
                let (whole, fraction) = digits.split_at(point as usize);
                write!(f, "{whole}.{fraction}")
            }
            point => write!(f, "0.{:0<1$}{digits}", "", point.unsigned_abs() as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_that_no_float_tells_apart_differ() {
        assert!(number("1234567890123456789") < number("1234567890123456790"));
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert_eq!(number("0.1"), number("1e-1"));
        assert_eq!(number("100"), number("1E+2"));
        assert_eq!(number("-0.00"), number("0"));
        assert!(number("-2") < number("-1.5"));
        assert!(number("1e999999999999999999999") > number("9"));
    }

    #[test]
    fn numbers_are_written_without_needless_digits() {
        for (text, written) in [
            ("404", "404"),
            ("0.250", "0.25"),
            ("-1200", "-1200"),
            ("12.034", "12.034"),
            ("0.0005", "0.0005"),
            ("1.5e60", "1.5e60"),
            ("1e-99", "1e-99"),
            ("-0", "0"),
        ] {
            assert_eq!(number(text).to_string(), written);
        }
        assert_eq!(Number::with_places(18_412, 6).to_string(), "0.018412");
        assert_eq!(number("37").whole(), Some(37));
        assert_eq!(number("3.7").whole(), None);
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "-", "1.", ".5", "1e", "1e+-2", "0x1f", "1.2.3", "inf", "é",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_are_ordered_and_written_as_they_are(a: i64, b: i64) {
            let (x, y) = (Number::from(i128::from(a)), Number::from(i128::from(b)));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.to_string(), a.to_string());
        }

        #[test]
        fn a_number_is_written_as_it_is_read(text in "-?[0-9]{1,50}(\\.[0-9]{1,50})?(e[0-9]{1,3})?") {
            let read = number(&text);
            prop_assert_eq!(Number::parse(&read.to_string()), Some(read));
        }
    }
}
