//! The names of ICMP and ICMPv6 messages in the language: `port-unreachable`
//! means type 3 code 3 over IPv4 (RFC 792) and type 1 code 4 over IPv6
//! (RFC 4443). Numbers are taken too: `3`, `3/3`.

use std::borrow::Cow;

use super::ast::IcmpPattern;

/// One name, with what it stands for in each version. A code of `None` is any.
struct Name {
    name: &'static str,
    v4: Option<(u8, Option<u8>)>,
    v6: Option<(u8, Option<u8>)>,
}

/// Names with a code before the name of their type, so that a search from the
/// front finds the most precise one.
const NAMES: &[Name] = &[
    both("port-unreachable", (3, Some(3)), (1, Some(4))),
    both("host-unreachable", (3, Some(1)), (1, Some(3))),
    both("net-unreachable", (3, Some(0)), (1, Some(0))),
    both("admin-prohibited", (3, Some(13)), (1, Some(1))),
    v4("protocol-unreachable", (3, Some(2))),
    v4("fragmentation-needed", (3, Some(4))),
    v4("source-route-failed", (3, Some(5))),
    both("destination-unreachable", (3, None), (1, None)),
    v6("packet-too-big", (2, None)),
    both("ttl-exceeded", (11, Some(0)), (3, Some(0))),
    both("reassembly-timeout", (11, Some(1)), (3, Some(1))),
    both("time-exceeded", (11, None), (3, None)),
    both("parameter-problem", (12, None), (4, None)),
    v4("redirect", (5, None)),
    both("echo-request", (8, None), (128, None)),
    both("echo-reply", (0, None), (129, None)),
];

const fn both(name: &'static str, v4: (u8, Option<u8>), v6: (u8, Option<u8>)) -> Name {
    Name {
        name,
        v4: Some(v4),
        v6: Some(v6),
    }
}

const fn v4(name: &'static str, v4: (u8, Option<u8>)) -> Name {
    Name {
        name,
        v4: Some(v4),
        v6: None,
    }
}

const fn v6(name: &'static str, v6: (u8, Option<u8>)) -> Name {
    Name {
        name,
        v4: None,
        v6: Some(v6),
    }
}

/// The names that `icmp` may be followed by.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|n| n.name)
}

/// What a name or number after `icmp` asks for; None for an unknown one.
pub fn pattern(text: &str) -> Option<IcmpPattern> {
    let (v4, v6) = match numbers(text) {
        Some(numbers) => (Some(numbers), Some(numbers)),
        None => {
            let known = NAMES.iter().find(|n| n.name == text)?;
            (known.v4, known.v6)
        }
    };
    Some(IcmpPattern {
        text: text.to_owned(),
        v4,
        v6,
    })
}

impl IcmpPattern {
    /// Does a message of this type and code fit?
    pub fn fits(&self, ipv6: bool, kind: u8, code: u8) -> bool {
        let meant = if ipv6 { self.v6 } else { self.v4 };
        meant.is_some_and(|(k, c)| k == kind && c.is_none_or(|c| c == code))
    }
}

/// The most precise name of a message; `type/code` for one without a name.
pub fn name_of(ipv6: bool, kind: u8, code: u8) -> Cow<'static, str> {
    let known = NAMES.iter().find(|name| {
        let meant = if ipv6 { name.v6 } else { name.v4 };
        meant.is_some_and(|(k, c)| k == kind && c.is_none_or(|c| c == code))
    });
    match known {
        Some(name) => Cow::Borrowed(name.name),
        None => Cow::Owned(format!("{kind}/{code}")),
    }
}

/// Does the message report an error about another packet, which it quotes?
pub fn is_error(ipv6: bool, kind: u8) -> bool {
    if ipv6 {
        kind < 128
    } else {
        matches!(kind, 3 | 4 | 5 | 11 | 12)
    }
}

/// `3` or `3/3`.
fn numbers(text: &str) -> Option<(u8, Option<u8>)> {
    match text.split_once('/') {
        Some((kind, code)) => Some((kind.parse().ok()?, Some(code.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_called(text: &str, ipv6: bool, kind: u8, code: u8) -> bool {
        pattern(text).is_some_and(|p| p.fits(ipv6, kind, code))
    }

    #[test]
    fn one_name_covers_both_versions() {
        assert!(is_called("port-unreachable", false, 3, 3));
        assert!(is_called("port-unreachable", true, 1, 4));
        assert!(!is_called("port-unreachable", true, 3, 3));
        assert!(is_called("destination-unreachable", false, 3, 3));
        assert!(is_called("3/3", false, 3, 3));
        assert!(is_called("3", false, 3, 1));
        assert!(!is_called("3/3", false, 3, 1));
    }

    #[test]
    fn the_most_precise_name_is_shown() {
        assert_eq!(name_of(false, 3, 3), "port-unreachable");
        assert_eq!(name_of(true, 1, 4), "port-unreachable");
        assert_eq!(name_of(false, 3, 9), "destination-unreachable");
        assert_eq!(name_of(false, 42, 1), "42/1");
        assert!(pattern("42/1").is_some());
        assert!(pattern("port-unreachabel").is_none());
    }

    #[test]
    fn only_errors_quote() {
        assert!(is_error(false, 3) && is_error(true, 1));
        assert!(!is_error(false, 8) && !is_error(true, 128));
    }
}
