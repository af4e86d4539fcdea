//! Values as filters and claims write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::ast::Literal;
use super::super::fields::Kind;

/// `50ms`, `1s`, `200us`, `1.5s` in nanoseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ns" => 0,
        "us" => 3,
        "ms" => 6,
        "s" => 9,
        _ => return None,
    };
    i64::try_from(decimal(digits, unit)?).ok()
}

/// Seconds, as filters write them, in nanoseconds.
pub(super) fn seconds(text: &str) -> Option<i128> {
    match text.strip_prefix('-') {
        Some(positive) => decimal(positive, 9).map(|n| -n),
        None => decimal(text, 9),
    }
}

/// A decimal number times ten to the power of `places`. Digits beyond that are
/// cut off.
fn decimal(text: &str, places: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(places)
        .collect();
    format!("{whole}{fraction}").parse().ok()
}

/// A whole number: decimal, `0x` hexadecimal, `0b` binary, `0…` octal.
pub(super) fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let number = if let Some(hex) = lower.strip_prefix("0x") {
        u64::from_str_radix(hex, 16).ok()?
    } else if let Some(binary) = lower.strip_prefix("0b") {
        u64::from_str_radix(binary, 2).ok()?
    } else if let Some(octal) = lower.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        u64::from_str_radix(octal, 8).ok()?
    } else {
        lower.parse::<u64>().ok()?
    };
    let number = i128::from(number);
    Some(if negative { -number } else { number })
}

/// An unquoted value for a field of this kind.
pub(super) fn unquoted(text: &str, kind: Kind) -> Option<Literal> {
    match kind {
        Kind::Unsigned(bits) => {
            let number = integer(text)?;
            // Wireshark allows what the field's storage can hold, not its bits.
            let storage = [8, 16, 32, 64].into_iter().find(|s| *s >= bits)?;
            (number < 1i128 << storage).then_some(Literal::Number(number))
        }
        Kind::Bool => match text {
            "true" | "True" | "TRUE" => Some(Literal::Number(1)),
            "false" | "False" | "FALSE" => Some(Literal::Number(0)),
            _ => integer(text).map(Literal::Number),
        },
        Kind::Time => seconds(text).map(Literal::Number),
        Kind::Text => Some(Literal::Bytes(text.as_bytes().to_vec())),
        Kind::Bytes | Kind::Protocol => hex(text).map(Literal::Bytes),
        Kind::Ether => hex(text).filter(|b| b.len() == 6).map(Literal::Bytes),
        Kind::Ipv4 => prefix::<Ipv4Addr>(text, 32),
        Kind::Ipv6 => prefix::<Ipv6Addr>(text, 128),
        Kind::Label => None,
    }
}

/// What a value of this kind looks like.
pub(super) fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Unsigned(_) => "a whole number such as 80 or 0x50",
        Kind::Bool => "0 or 1",
        Kind::Time => "seconds such as 0.05",
        Kind::Text => "text in quotes",
        Kind::Bytes | Kind::Protocol => "text in quotes or bytes such as 47:45:54",
        Kind::Ether => "a hardware address such as 00:11:22:33:44:55",
        Kind::Ipv4 => "an address such as 127.0.0.1 or 10.0.0.0/8",
        Kind::Ipv6 => "an address such as ::1 or fe80::/10",
        Kind::Label => "no value: it is there or it is not",
    }
}

/// `47:45:54`, `47-45-54`, `47.45.54`.
fn hex(text: &str) -> Option<Vec<u8>> {
    text.split([':', '-', '.'])
        .map(|pair| {
            let digits = pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16).ok().filter(|_| digits)
        })
        .collect()
}

fn prefix<A: std::str::FromStr + Into<IpAddr>>(text: &str, bits: u8) -> Option<Literal> {
    match text.split_once('/') {
        Some((address, len)) => {
            let len = len.parse().ok().filter(|len| *len <= bits)?;
            let address: A = address.parse().ok()?;
            Some(Literal::Ip(address.into(), Some(len)))
        }
        None => {
            let address: A = text.parse().ok()?;
            Some(Literal::Ip(address.into(), None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("50ms"), Some(50_000_000));
        assert_eq!(duration("1.5s"), Some(1_500_000_000));
        assert_eq!(duration("200us"), Some(200_000));
        assert_eq!(duration("0.5us"), Some(500));
        assert_eq!(duration("7ns"), Some(7));
        for wrong in ["50", "ms", "1.2.3s", "1m", "99999999999999s", ".5s", ""] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_in_all_bases() {
        assert_eq!(integer("0x1F"), Some(31));
        assert_eq!(integer("017"), Some(15));
        assert_eq!(integer("0b101"), Some(5));
        assert_eq!(integer("-1"), Some(-1));
        assert_eq!(integer("0"), Some(0));
        assert_eq!(integer("8x"), None);
        assert_eq!(integer(""), None);
    }

    #[test]
    fn values_fit_their_kind() {
        assert_eq!(unquoted("65536", Kind::Unsigned(16)), None);
        assert_eq!(unquoted("true", Kind::Bool), Some(Literal::Number(1)));
        assert_eq!(
            unquoted("0.001", Kind::Time),
            Some(Literal::Number(1_000_000))
        );
        assert_eq!(
            unquoted("47:45", Kind::Bytes),
            Some(Literal::Bytes(b"GE".to_vec()))
        );
        assert_eq!(unquoted("10.0.0.0/33", Kind::Ipv4), None);
        assert_eq!(unquoted("::1", Kind::Ipv4), None);
        assert!(unquoted("::1", Kind::Ipv6).is_some());
        assert_eq!(unquoted("11:22", Kind::Ether), None);
    }
}
