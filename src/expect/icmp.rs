//! The names of ICMP and ICMPv6 messages in the language: `port-unreachable`
//! means type 3 code 3 over IPv4 (RFC 792) and type 1 code 4 over IPv6
//! (RFC 4443). Numbers are taken too: `3`, `3/3`. The names are those of IANA's
//! registries (<https://www.iana.org/assignments/icmp-parameters>,
//! <https://www.iana.org/assignments/icmpv6-parameters>), or what people say.

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
    v6("address-unreachable", (1, Some(3))),
    both("host-unreachable", (3, Some(1)), (1, Some(3))),
    v6("no-route", (1, Some(0))),
    both("net-unreachable", (3, Some(0)), (1, Some(0))),
    both("admin-prohibited", (3, Some(13)), (1, Some(1))),
    v4("protocol-unreachable", (3, Some(2))),
    v4("fragmentation-needed", (3, Some(4))),
    v4("source-route-failed", (3, Some(5))),
    v6("beyond-scope", (1, Some(2))),
    v6("source-address-failed-policy", (1, Some(5))),
    v6("reject-route", (1, Some(6))),
    both("destination-unreachable", (3, None), (1, None)),
    v6("packet-too-big", (2, None)),
    both("ttl-exceeded", (11, Some(0)), (3, Some(0))),
    both("reassembly-timeout", (11, Some(1)), (3, Some(1))),
    both("time-exceeded", (11, None), (3, None)),
    both("parameter-problem", (12, None), (4, None)),
    v4("source-quench", (4, None)),
    v4("redirect", (5, None)),
    both("echo-request", (8, None), (128, None)),
    both("echo-reply", (0, None), (129, None)),
    both("router-solicitation", (10, None), (133, None)),
    both("router-advertisement", (9, None), (134, None)),
    v6("neighbor-solicitation", (135, None)),
    v6("neighbor-advertisement", (136, None)),
    // As IANA has it; `redirect` is that of IPv4.
    v6("redirect-message", (137, None)),
    v6("multicast-listener-query", (130, None)),
    v6("multicast-listener-report", (131, None)),
    v6("multicast-listener-done", (132, None)),
    v6("multicast-listener-report-v2", (143, None)),
    v4("timestamp-request", (13, None)),
    v4("timestamp-reply", (14, None)),
    v4("information-request", (15, None)),
    v4("information-reply", (16, None)),
    v4("address-mask-request", (17, None)),
    v4("address-mask-reply", (18, None)),
    v4("traceroute", (30, None)),
    both("extended-echo-request", (42, None), (160, None)),
    both("extended-echo-reply", (43, None), (161, None)),
    v6("router-renumbering", (138, None)),
    v6("node-information-query", (139, None)),
    v6("node-information-response", (140, None)),
    v6("inverse-neighbor-solicitation", (141, None)),
    v6("inverse-neighbor-advertisement", (142, None)),
    v6("home-agent-discovery-request", (144, None)),
    v6("home-agent-discovery-reply", (145, None)),
    v6("mobile-prefix-solicitation", (146, None)),
    v6("mobile-prefix-advertisement", (147, None)),
    v6("certification-path-solicitation", (148, None)),
    v6("certification-path-advertisement", (149, None)),
    v6("multicast-router-advertisement", (151, None)),
    v6("multicast-router-solicitation", (152, None)),
    v6("multicast-router-termination", (153, None)),
    v6("rpl-control", (155, None)),
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

/// Each name, and what it means in ICMP and in ICMPv6, as numbers: `3/3`.
#[cfg(test)]
pub fn meanings() -> impl Iterator<Item = (&'static str, [String; 2])> {
    let numbers = |meant: Option<(u8, Option<u8>)>| match meant {
        Some((kind, Some(code))) => format!("{kind}/{code}"),
        Some((kind, None)) => kind.to_string(),
        None => String::new(),
    };
    let meanings = move |n: &Name| (n.name, [numbers(n.v4), numbers(n.v6)]);
    NAMES.iter().map(meanings)
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
        assert_eq!(name_of(false, 44, 1), "44/1");
        assert!(pattern("44/1").is_some());
        assert!(pattern("port-unreachabel").is_none());
    }

    /// A name that was there before the others means what it did.
    #[test]
    fn icmpv6_has_names_of_its_own() {
        assert_eq!(name_of(true, 1, 0), "no-route");
        assert!(is_called("net-unreachable", true, 1, 0));
        assert_eq!(name_of(true, 135, 0), "neighbor-solicitation");
        assert_eq!(name_of(false, 135, 0), "135/0");
        assert_eq!(name_of(true, 137, 0), "redirect-message");
        assert!(!is_called("redirect", true, 137, 0));
    }

    /// No name hides behind one that fits whatever it does.
    #[test]
    fn each_name_is_shown_for_what_it_means() {
        for name in NAMES {
            let shown = |ipv6, meant: Option<(u8, Option<u8>)>| {
                meant
                    .is_none_or(|(kind, code)| name_of(ipv6, kind, code.unwrap_or(99)) == name.name)
            };
            let hidden = ["host-unreachable", "net-unreachable"].contains(&name.name);
            assert!(shown(false, name.v4), "{}", name.name);
            assert!(hidden || shown(true, name.v6), "{}", name.name);
        }
    }

    #[test]
    fn only_errors_quote() {
        assert!(is_error(false, 3) && is_error(true, 1));
        assert!(!is_error(false, 8) && !is_error(true, 128));
    }
}
