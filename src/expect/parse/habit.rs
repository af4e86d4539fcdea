//! What people write by the habits of other tools, and what it is called here:
//! whole phrases of packetdrill and tcpdump, and single words.

/// A phrase of another tool.
#[derive(Debug, PartialEq)]
pub(super) struct Habit {
    pub(super) tool: &'static str,
    /// The same in this language.
    pub(super) ours: Ours,
}

#[derive(Debug, PartialEq)]
pub(super) enum Ours {
    Step(&'static str),
    Filter(String),
}

/// Is the line one of packetdrill's or tcpdump's?
pub(super) fn phrase(line: &str) -> Option<Habit> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let Some(step) = packetdrill(&words) {
        return Some(Habit {
            tool: "packetdrill",
            ours: Ours::Step(step),
        });
    }
    let filter = flags_of_tcpdump(line).or_else(|| tcpdump(&words))?;
    Some(Habit {
        tool: "tcpdump",
        ours: Ours::Filter(filter),
    })
}

/// `+0 > S. 0:0(0) ack 1`, `< R. 1:1(0)`, `S 0:0(0)`.
fn packetdrill(words: &[&str]) -> Option<&'static str> {
    let mut words = words.iter().copied().peekable();
    let is_time = |word: &str| {
        word.trim_start_matches('+')
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.')
    };
    let timed = words.next_if(|word| is_time(word)).is_some();
    let arrow = words.next_if(|word| matches!(*word, "<" | ">")).is_some();
    if timed && !arrow {
        return None;
    }
    let flags = words.next()?;
    // `0:1000(1000)`: first and last sequence number, length.
    let numbered = words
        .next()
        .is_some_and(|word| word.contains(':') && word.ends_with(')'));
    if !arrow && !numbered {
        return None;
    }
    Some(match flags {
        "S" => "client > server SYN",
        "S." => "server > client SYN,ACK",
        "." => "client > server ACK",
        "P." | "P" => "client > server data",
        "F." | "F" => "client > server FIN",
        "R." | "R" => "server > client RST",
        _ => return None,
    })
}

/// `port 80`, `tcp dst port 80`, `src host 10.0.0.1`, `net 10.0.0.0/8`.
fn tcpdump(words: &[&str]) -> Option<String> {
    let mut words = words.iter().copied().peekable();
    let protocol = words.next_if(|word| matches!(*word, "tcp" | "udp" | "ip" | "ip6"));
    let end = words.next_if(|word| matches!(*word, "src" | "dst"));
    let sort = words.next()?;
    let value = words.next()?;
    let begins_with_digit = value.starts_with(|c: char| c.is_ascii_digit());
    match sort {
        "port" if begins_with_digit => {
            let of = match protocol {
                Some("udp") => "udp",
                _ => "tcp",
            };
            let field = match end {
                Some("src") => "srcport",
                Some(_) => "dstport",
                None => "port",
            };
            Some(format!("{of}.{field} == {value}"))
        }
        "host" | "net" if begins_with_digit || value.contains(':') => {
            let of = if value.contains(':') { "ipv6" } else { "ip" };
            Some(format!("{of}.{} == {value}", end.unwrap_or("addr")))
        }
        _ => None,
    }
}

/// `tcp[tcpflags] & tcp-syn != 0`.
fn flags_of_tcpdump(line: &str) -> Option<String> {
    if !line.starts_with("tcp[tcpflags]") {
        return None;
    }
    let named = [
        ("tcp-syn", "syn"),
        ("tcp-ack", "ack"),
        ("tcp-fin", "fin"),
        ("tcp-rst", "reset"),
        ("tcp-push", "push"),
    ];
    let asked = named.iter().filter(|(theirs, _)| line.contains(theirs));
    let asked: Vec<String> = asked
        .map(|(_, ours)| format!("tcp.flags.{ours} == 1"))
        .collect();
    (!asked.is_empty()).then(|| asked.join(" or "))
}

/// Other words for those that a statement begins with.
pub(super) fn first_word(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "every" | "all" => "each",
        "inorder" | "in_order" | "in-order" | "ordered" | "sequence" => "in order",
        "anyorder" | "any_order" | "any-order" | "unordered" => "any order",
        "exact" | "only" | "strictly" => "exactly",
        "silence" => "nothing",
        _ => return None,
    })
}

/// What stands where an event's content could, and was meant otherwise.
pub(super) fn behind_event(word: &str) -> Option<&'static str> {
    Some(match word {
        "have" | "having" => "write `has`",
        "contains" | "matches" | "like" => "write `data ~ /hel+o/`, a part of which is enough",
        "is" | "equals" | "eq" => "write `data \"hello\"`",
        _ => return None,
    })
}

/// Words for how often.
pub(super) fn is_how_often(word: &str) -> bool {
    matches!(word, "x" | "times" | "twice" | "thrice" | "once")
}

/// A unit of time in another spelling.
pub(super) fn unit(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "us" | "usec" | "usecs" | "microsecond" | "microseconds" => "us",
        "ms" | "msec" | "msecs" | "milli" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        // `M` is a million bytes.
        "m" if word == "M" => return None,
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        _ => return None,
    })
}

/// A unit of size in another spelling.
pub(super) fn size(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "b" | "byte" | "bytes" => "B",
        "kb" => "kB",
        "mb" => "MB",
        "gb" => "GB",
        "k" | "kib" => "KiB",
        "m" | "mib" => "MiB",
        "g" | "gib" => "GiB",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_of_other_tools_are_known() {
        let step = |line| match phrase(line) {
            Some(Habit {
                tool: "packetdrill",
                ours: Ours::Step(step),
            }) => Some(step),
            _ => None,
        };
        assert_eq!(step("S 0:0(0)"), Some("client > server SYN"));
        assert_eq!(
            step("+0 > S. 0:0(0) ack 1"),
            Some("server > client SYN,ACK")
        );
        assert_eq!(step("0.100 < R. 1:1(0) ack 1"), Some("server > client RST"));
        let filter = |line| match phrase(line)?.ours {
            Ours::Filter(filter) => Some(filter),
            Ours::Step(_) => None,
        };
        assert_eq!(filter("port 80").as_deref(), Some("tcp.port == 80"));
        assert_eq!(
            filter("udp dst port 53").as_deref(),
            Some("udp.dstport == 53")
        );
        assert_eq!(
            filter("src host 10.0.0.1").as_deref(),
            Some("ip.src == 10.0.0.1")
        );
        assert_eq!(
            filter("tcp[tcpflags] & tcp-rst != 0").as_deref(),
            Some("tcp.flags.reset == 1")
        );
        for ours in [
            "tcp[0].state == \"SF\"",
            "no RST",
            "tcp and udp",
            "2 == packets(SYN)",
            "",
        ] {
            assert_eq!(phrase(ours), None, "{ours}");
        }
    }
}
