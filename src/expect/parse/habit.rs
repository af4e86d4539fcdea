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
    if let Some(field) = info_column(line) {
        return Some(Habit {
            tool: "Wireshark's column Info",
            ours: Ours::Filter(field.to_owned()),
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

/// What Wireshark writes into its column Info, as `TCP Dup ACK`, and the field or
/// event that asks for it.
fn info_column(line: &str) -> Option<&'static str> {
    let line = line.to_ascii_lowercase().replace(['-', '_'], " ");
    let words: Vec<&str> = line.split_whitespace().collect();
    let words = words.strip_prefix(&["tcp"]).unwrap_or(&words);
    let (field, _) = INFO_COLUMN
        .iter()
        .find(|(_, phrase)| words.starts_with(phrase))?;
    Some(field)
}

const INFO_COLUMN: [(&str, &[&str]); 12] = [
    ("tcp.analysis.duplicate_ack", &["dup", "ack"]),
    ("tcp.analysis.duplicate_ack", &["duplicate", "ack"]),
    (
        "tcp.analysis.fast_retransmission",
        &["fast", "retransmission"],
    ),
    (
        "tcp.analysis.spurious_retransmission",
        &["spurious", "retransmission"],
    ),
    ("tcp.analysis.out_of_order", &["out", "of", "order"]),
    ("tcp.analysis.lost_segment", &["previous", "segment"]),
    ("tcp.analysis.lost_segment", &["lost", "segment"]),
    ("tcp.analysis.ack_lost_segment", &["acked", "unseen"]),
    ("tcp.analysis.zero_window", &["zero", "window"]),
    ("tcp.analysis.zero_window", &["zerowindow"]),
    ("tcp.analysis.window_full", &["window", "full"]),
    ("tcp.analysis.reused_ports", &["port", "numbers", "reused"]),
];

/// `AND`, `Or`: a joint of conditions in capitals.
pub(super) fn joint(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let joint = ["and", "or", "xor", "not"]
        .into_iter()
        .find(|j| *j == lower)?;
    Some(joint).filter(|_| word != lower)
}

/// Other words for `maybe`.
pub(super) fn is_maybe(word: &str) -> bool {
    matches!(
        word.to_ascii_lowercase().as_str(),
        "maybe" | "optional" | "optionally" | "possibly" | "perhaps" | "opt"
    )
}

/// A comparison of other languages, and the one of filters that it is.
pub(super) fn operator(written: &str) -> Option<&'static str> {
    Some(match written {
        "<>" => "write `!=`",
        "=>" => "write `>=`",
        "like" | "includes" => "write `contains \"…\"` or `matches \"…\"`",
        "is" | "equals" | "be" | "EQ" => "write `==`",
        "NE" => "write `!=`",
        "LT" => "write `<`",
        "LE" => "write `<=`",
        "GT" => "write `>`",
        "GE" => "write `>=`",
        "CONTAINS" => "write `contains`",
        "MATCHES" => "write `matches`",
        "IN" => "write `in`",
        _ => return None,
    })
}

/// `4xx`: the first code of the class, and its last.
pub(super) fn class_of_codes(written: &str) -> Option<(u16, u16)> {
    let digit = written
        .strip_suffix("xx")
        .or_else(|| written.strip_suffix("XX"))?;
    let class: u16 = digit.parse().ok().filter(|class| (1..=5).contains(class))?;
    Some((class * 100, class * 100 + 99))
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
        "packet" | "packets" | "frame" | "frames" | "header" | "headers" | "datagram"
        | "datagrams" | "segment" | "segments" => "the event alone means it: leave this word out",
        _ => return None,
    })
}

/// `x1-3`, `x1,3`: how often, as it is written here.
pub(super) fn count(word: &str) -> Option<String> {
    let (least, most) = word.strip_prefix('x')?.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(least) && is_number(most)).then(|| format!("x{least}..{most}"))
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
        assert_eq!(
            filter("TCP Dup ACK").as_deref(),
            Some("tcp.analysis.duplicate_ack")
        );
        for ours in [
            "tcp[0].state == \"SF\"",
            "no RST",
            "keep-alive",
            "window-update",
            "tcp and udp",
            "2 == packets(SYN)",
            "",
        ] {
            assert_eq!(phrase(ours), None, "{ours}");
        }
    }
}
