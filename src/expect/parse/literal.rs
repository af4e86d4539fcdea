//! Values as filters and claims write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::ast::Literal;
use super::super::fields::{Field, Kind};
use super::moment;

/// `50ms`, `1s`, `200us`, `1.5s`, `2m` in nanoseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (places, times) = match &text[digits.len()..] {
        "ns" => (0, 1),
        "us" => (3, 1),
        "ms" => (6, 1),
        "s" => (9, 1),
        "m" => (9, 60),
        _ => return None,
    };
    i64::try_from(decimal(digits, places)? * times).ok()
}

/// `64KiB`, `1.5MB` in bytes.
pub(super) fn size(text: &str) -> Option<i128> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: i128 = match &text[digits.len()..] {
        "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    Some(decimal(digits, 9)?.checked_mul(unit)? / 1_000_000_000)
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

/// An unquoted value for this kind. `field` is the one that it is compared
/// with, whose values may have names.
pub(super) fn unquoted(text: &str, kind: Kind, field: Option<&'static Field>) -> Option<Literal> {
    match kind {
        Kind::Unsigned(bits) => {
            let Some(number) = integer(text) else {
                return named(text, field);
            };
            // Wireshark allows what the field's storage can hold, not its bits.
            let storage = [8, 16, 32, 64].into_iter().find(|s| *s >= bits)?;
            (0..1i128 << storage)
                .contains(&number)
                .then_some(Literal::Number(number))
        }
        Kind::Signed(_) => integer(text).map(Literal::Number),
        Kind::Bool => match text {
            "true" | "True" | "TRUE" => Some(Literal::Number(1)),
            "false" | "False" | "FALSE" => Some(Literal::Number(0)),
            _ => match integer(text) {
                Some(number) if !text.starts_with('-') => {
                    Some(Literal::Number(i128::from(number != 0)))
                }
                _ => named(text, field),
            },
        },
        Kind::Time => seconds(text).map(Literal::Number),
        Kind::Moment => moment::moment(text).map(Literal::Number),
        Kind::Text => Some(Literal::Bytes(text.as_bytes().to_vec())),
        Kind::Bytes | Kind::Protocol => hex(text).map(Literal::Bytes),
        Kind::Ether => hex(text).filter(|b| b.len() == 6).map(Literal::Bytes),
        Kind::Ipv4 => prefix::<Ipv4Addr>(text, 32),
        Kind::Ipv6 => prefix::<Ipv6Addr>(text, 128),
        Kind::Label => None,
    }
}

/// Text in quotes for a kind that is neither text nor bytes: the name of a
/// value, or a date.
pub(super) fn quoted(text: &str, kind: Kind, field: Option<&'static Field>) -> Option<Literal> {
    match kind {
        Kind::Unsigned(_) | Kind::Bool => named(text, field),
        Kind::Moment => moment::moment(text).map(Literal::Number),
        _ => None,
    }
}

/// A character in single quotes: its code, or itself.
pub(super) fn character(byte: u8, kind: Kind) -> Option<Literal> {
    match kind {
        Kind::Unsigned(_) | Kind::Signed(_) => Some(Literal::Number(byte.into())),
        Kind::Text | Kind::Bytes | Kind::Protocol => Some(Literal::Bytes(vec![byte])),
        _ => None,
    }
}

/// The value of this name.
fn named(text: &str, field: Option<&'static Field>) -> Option<Literal> {
    let mut names = field?.names.iter();
    let (_, value) = names.find(|(name, _)| name.eq_ignore_ascii_case(text))?;
    Some(Literal::Number((*value).into()))
}

/// What the field's values are called.
pub(super) fn names(field: Option<&'static Field>) -> Option<String> {
    let names: Vec<String> = field?
        .names
        .iter()
        .take(8)
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    (!names.is_empty()).then(|| format!("names of its values are {}", names.join(", ")))
}

/// Why a text is no address of this kind, and what to write.
pub(super) fn not_an_address(text: &str, kind: Kind) -> String {
    let (address, len) = match text.split_once('/') {
        Some((address, len)) => (address, Some(len)),
        None => (text, None),
    };
    let parts: Vec<&str> = address.split('.').collect();
    let is_number = |part: &&str| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty();
    let numbers: Vec<&str> = parts.iter().copied().take_while(is_number).collect();
    match (kind, address.parse::<IpAddr>()) {
        (Kind::Ipv4, Ok(IpAddr::V4(_))) | (Kind::Ipv6, Ok(IpAddr::V6(_))) => {
            let most = if kind == Kind::Ipv4 { 32 } else { 128 };
            format!("a prefix has {most} bits at most: `{address}/{most}`")
        }
        (Kind::Ipv4, Ok(_)) => "IPv6 addresses are compared with `ipv6.addr`".to_owned(),
        (_, Ok(_)) => "IPv4 addresses are compared with `ip.addr`".to_owned(),
        (Kind::Ipv4, _) if parts.len() == 4 && numbers.len() == 4 => {
            "each of an address's four numbers is 255 at most".to_owned()
        }
        (Kind::Ipv4, _) if (1..4).contains(&numbers.len()) && len.is_none() => {
            let bits = numbers.len() * 8;
            let mut network = numbers;
            network.resize(4, "0");
            format!("a network is written `{}/{bits}`", network.join("."))
        }
        (Kind::Ipv4, _) => "an address has four numbers, as in `10.0.0.0/8`".to_owned(),
        _ => "an address is written as in `fe80::1` or `fe80::/10`".to_owned(),
    }
}

/// A regular expression of Perl's as one of ours. `$` also stands before a line
/// break at the very end.
///
/// # Errors
/// What it has that ours have not, in words.
pub(super) fn perl(bytes: &[u8]) -> Result<String, &'static str> {
    let mut expression = String::new();
    let mut rest = bytes.iter().copied().peekable();
    let mut in_class = false;
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => {
                let Some(next) = rest.next() else {
                    expression.push('\\');
                    break;
                };
                match next {
                    b'1'..=b'9' if !in_class => return Err("a reference to a group"),
                    // Perl's octal, which stands for one byte.
                    b'0' => expression.push_str("\\x00"),
                    b'e' => expression.push_str("\\x1b"),
                    b'h' if !in_class => expression.push_str("[ \\t]"),
                    b'R' if !in_class => expression.push_str("(?:\\r\\n|[\\n\\x0b\\f\\r\\x85])"),
                    b'Z' if !in_class => expression.push_str("(?:\\n?\\z)"),
                    b'K' | b'G' | b'C' | b'X' => return Err("this escape"),
                    b'"' | b'\'' | b'/' => expression.push(char::from(next)),
                    _ => push_escaped(&mut expression, next),
                }
                continue;
            }
            b'[' if !in_class => {
                in_class = true;
                expression.push('[');
                if rest.peek() == Some(&b'^') {
                    rest.next();
                    expression.push('^');
                }
                if rest.peek() == Some(&b']') {
                    rest.next();
                    expression.push_str("\\]");
                }
                continue;
            }
            // Ours know sets of sets; Perl takes these as they are.
            b'[' if rest.peek() != Some(&b':') => {
                expression.push_str("\\[");
                continue;
            }
            b'&' | b'~' if in_class => {
                push_escaped(&mut expression, byte);
                continue;
            }
            b']' if in_class && !expression.ends_with(':') => in_class = false,
            b'$' if !in_class => {
                expression.push_str("(?:\\n?\\z)");
                continue;
            }
            b'(' if !in_class && rest.peek() == Some(&b'?') => {
                let behind: Vec<u8> = rest.clone().skip(1).take(2).collect();
                match behind.as_slice() {
                    [b'=' | b'!', ..] | [b'<', b'=' | b'!'] => {
                        return Err("looking ahead or behind");
                    }
                    [b'>' | b'|' | b'(' | b'R' | b'&' | b'#', ..] => return Err("this group"),
                    _ => {}
                }
            }
            _ => {}
        }
        match byte.is_ascii() {
            true => expression.push(char::from(byte)),
            // Bytes are matched, not characters.
            false => expression.push_str(&format!("\\x{byte:02x}")),
        }
    }
    Ok(expression)
}

fn push_escaped(expression: &mut String, byte: u8) {
    match byte.is_ascii() {
        true => {
            expression.push('\\');
            expression.push(char::from(byte));
        }
        false => expression.push_str(&format!("\\x{byte:02x}")),
    }
}

/// What a value of this kind looks like.
pub(super) fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Unsigned(_) | Kind::Signed(_) => "a whole number such as 80 or 0x50",
        Kind::Bool => "0 or 1",
        Kind::Time => "seconds such as 0.05",
        Kind::Moment => "a date such as \"2024-01-31 12:34:56\" (UTC)",
        Kind::Text => "text in quotes",
        Kind::Bytes | Kind::Protocol => "text in quotes or bytes such as 47:45:54",
        Kind::Ether => "a hardware address such as 00:11:22:33:44:55",
        Kind::Ipv4 => "an address such as 127.0.0.1 or 10.0.0.0/8",
        Kind::Ipv6 => "an address such as ::1 or fe80::/10",
        Kind::Label => "no value: it is there or it is not",
    }
}

/// A value of this kind.
pub(super) fn sample(kind: Kind) -> &'static str {
    match kind {
        Kind::Unsigned(_) | Kind::Signed(_) => "80",
        Kind::Bool => "1",
        Kind::Time => "0.05",
        Kind::Moment => "\"2024-01-31 12:34:56\"",
        Kind::Text => "\"text\"",
        Kind::Bytes | Kind::Protocol | Kind::Label => "47:45:54",
        Kind::Ether => "00:11:22:33:44:55",
        Kind::Ipv4 => "127.0.0.1",
        Kind::Ipv6 => "::1",
    }
}

/// `47:45:54`, `47-45-54`, `47.45.54`, `474554`, `0.1.0.d`, `0x47`.
fn hex(text: &str) -> Option<Vec<u8>> {
    let byte = |digits: &str| {
        let hex = matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| hex)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return byte(digits).map(|b| vec![b]);
    }
    if text.contains([':', '-', '.']) {
        return text.split([':', '-', '.']).map(byte).collect();
    }
    if text.len() == 1 {
        return byte(text).map(|b| vec![b]);
    }
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|i| byte(text.get(i..i + 2)?)).collect()
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
        assert_eq!(duration("1.5m"), Some(90_000_000_000));
        for wrong in ["50", "ms", "1.2.3s", "1h", "99999999999999s", ".5s", ""] {
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
        assert_eq!(unquoted("65536", Kind::Unsigned(16), None), None);
        assert_eq!(unquoted("true", Kind::Bool, None), Some(Literal::Number(1)));
        assert_eq!(
            unquoted("0.001", Kind::Time, None),
            Some(Literal::Number(1_000_000))
        );
        assert_eq!(
            unquoted("47:45", Kind::Bytes, None),
            Some(Literal::Bytes(b"GE".to_vec()))
        );
        assert_eq!(unquoted("10.0.0.0/33", Kind::Ipv4, None), None);
        assert_eq!(unquoted("::1", Kind::Ipv4, None), None);
        assert!(unquoted("::1", Kind::Ipv6, None).is_some());
        assert_eq!(unquoted("11:22", Kind::Ether, None), None);
    }
}
