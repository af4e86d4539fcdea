//! The nearest valid name for a wrong one.

pub(super) use crate::diagnostic::nearest;

/// Other tools' words for fields, whose spelling does not lead to ours.
const ALIASES: [(&str, &str); 25] = [
    ("ipv4", "ip"),
    ("tcp.flags.rst", "tcp.flags.reset"),
    ("tcp.flags.psh", "tcp.flags.push"),
    ("tcp.sport", "tcp.srcport"),
    ("tcp.dport", "tcp.dstport"),
    ("udp.sport", "udp.srcport"),
    ("udp.dport", "udp.dstport"),
    ("tcp.length", "tcp.len"),
    ("udp.len", "udp.length"),
    ("http.status", "http.response.code"),
    ("http.method", "http.request.method"),
    ("ip.source", "ip.src"),
    ("ip.destination", "ip.dst"),
    ("ssl", "tls"),
    ("retransmit", "retransmission"),
    ("dupack", "tcp.analysis.duplicate_ack"),
    ("dup-ack", "tcp.analysis.duplicate_ack"),
    ("duplicate-ack", "tcp.analysis.duplicate_ack"),
    ("zero-window", "tcp.analysis.zero_window"),
    ("dup_ack", "tcp.analysis.duplicate_ack"),
    ("mss", "tcp.options.mss_val"),
    ("wscale", "tcp.options.wscale.shift"),
    ("tsval", "tcp.options.timestamp.tsval"),
    ("tsecr", "tcp.options.timestamp.tsecr"),
    ("window", "tcp.window_size"),
];

/// What other tools and languages call the fields of claims.
const MEMBERS: [(&str, &str); 31] = [
    ("request.path", "request.uri"),
    ("request.target", "request.uri"),
    ("request.url", "request.uri"),
    ("request.content", "request.body"),
    ("response.status", "response.code"),
    ("response.status_code", "response.code"),
    ("response.reason", "response.phrase"),
    ("response.content", "response.body"),
    ("response.text", "response.body"),
    ("conn_state", "state"),
    ("rtt", "handshake_rtt"),
    ("exitcode", "exit"),
    ("exit_code", "exit"),
    ("returncode", "exit"),
    ("status", "exit"),
    ("code", "exit"),
    ("output", "stdout"),
    ("out", "stdout"),
    ("err", "stderr"),
    ("errors", "stderr"),
    ("time", "duration"),
    ("runtime", "duration"),
    ("code", "response.code"),
    ("status", "response.code"),
    ("status_code", "response.code"),
    ("phrase", "response.phrase"),
    ("body", "response.body"),
    ("method", "request.method"),
    ("uri", "request.uri"),
    ("url", "request.uri"),
    ("path", "request.uri"),
];

/// The nearest of the known names of a claim's fields, by another tool's word
/// or by its spelling.
pub(super) fn nearest_member<'n>(wrong: &str, known: &[&'n str]) -> Option<&'n str> {
    let lower = wrong.to_lowercase();
    let by_word = |(other, ours): &(&str, &str)| {
        let same = known.iter().find(|name| *name == ours);
        same.copied().filter(|_| *other == lower)
    };
    MEMBERS
        .iter()
        .find_map(by_word)
        .or_else(|| nearest(wrong, known.iter().copied()))
}

/// The nearest field, by another tool's word, by its last parts (`flags.syn`), by its
/// first and last part (`tcp.syn`), or by its spelling.
pub(super) fn nearest_field(wrong: &str) -> Option<&'static str> {
    let lower = wrong.to_lowercase();
    let names = || super::super::fields::all().map(|f| f.name);
    let (protocol, last) = match (lower.split_once('.'), lower.rsplit_once('.')) {
        (Some((protocol, _)), Some((_, last))) => (protocol, last),
        _ => ("", lower.as_str()),
    };
    let is_of_protocol = |name: &str| name.split('.').next() == Some(protocol);
    let alias = ALIASES
        .iter()
        .find(|(other, ours)| *other == lower || (*other == last && is_of_protocol(ours)));
    let ending = || {
        let suffix = format!(".{lower}");
        // Of several, the shortest path: `udp.length`, not `ip.reassembled.length`.
        names()
            .filter(|name| name.ends_with(&suffix))
            .min_by_key(|name| (name.matches('.').count(), !name.starts_with("tcp.")))
    };
    let with_both = || {
        names()
            .filter(|name| is_of_protocol(name) && name.rsplit('.').next() == Some(last))
            .min_by_key(|name| name.matches('.').count())
    };
    alias
        .map(|(_, ours)| *ours)
        .or_else(ending)
        .or_else(with_both)
        .or_else(|| nearest_spelling(&lower))
}

/// Fields that begin with the same parts differ in what stands behind: only that is
/// compared, so that `tcp.syn` is not near `tcp.len`.
fn nearest_spelling(wrong: &str) -> Option<&'static str> {
    let names = || super::super::fields::all().map(|f| f.name);
    let same_parts = wrong
        .match_indices('.')
        .map(|(dot, _)| dot + 1)
        .filter(|len| names().any(|name| name.get(..*len) == wrong.get(..*len)))
        .max()
        .unwrap_or(0);
    let (parts, rest) = wrong.split_at_checked(same_parts)?;
    let behind = nearest(rest, names().filter_map(|name| name.strip_prefix(parts)))?;
    names().find(|name| name.strip_prefix(parts) == Some(behind))
}

/// "did you mean `name`?", or the list of what there is.
pub(super) fn did_you_mean(nearest: Option<&str>, otherwise: &str) -> Option<String> {
    match nearest {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if otherwise.is_empty() => None,
        None => Some(otherwise.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("clint", ["client", "server"]), Some("client"));
        assert_eq!(nearest("sevrer", ["client", "server"]), Some("server"));
        assert_eq!(nearest("bob", ["client", "server"]), None);
    }

    #[test]
    fn members_are_known_without_what_stands_before_them() {
        let of_http = ["request.method", "response.code", "response.body"];
        assert_eq!(nearest_member("code", &of_http), Some("response.code"));
        assert_eq!(nearest_member("Status", &of_http), Some("response.code"));
        assert_eq!(nearest_member("code", &["exit", "signal"]), Some("exit"));
    }

    #[test]
    fn fields_of_other_tools_are_known() {
        assert_eq!(nearest_field("tcp.flags.rst"), Some("tcp.flags.reset"));
        assert_eq!(nearest_field("flags.syn"), Some("tcp.flags.syn"));
        assert_eq!(nearest_field("udp.lenght"), Some("udp.length"));
        assert_eq!(nearest_field("length"), Some("udp.length"));
        assert_eq!(nearest_field("seq"), Some("tcp.seq"));
        assert_eq!(nearest_field("sip.Call-ID"), None);
    }

    #[test]
    fn fields_with_a_part_missing_or_too_many_are_known() {
        for (wrong, right) in [
            ("tcp.syn", "tcp.flags.syn"),
            ("tcp.mss", "tcp.options.mss_val"),
            ("mss", "tcp.options.mss_val"),
            ("tcp.analysis.dup_ack", "tcp.analysis.duplicate_ack"),
            ("tcp.analysis.retransmision", "tcp.analysis.retransmission"),
            ("tcp.option.mss_val", "tcp.options.mss_val"),
            ("http.request.path", "http.request.uri.path"),
            ("http.code", "http.response.code"),
            ("http.response.method", "http.request.method"),
            ("upd.length", "udp.length"),
            ("tcp.prot", "tcp.port"),
        ] {
            assert_eq!(nearest_field(wrong), Some(right), "{wrong}");
        }
        assert_eq!(nearest_field("tcp.colour"), None);
    }
}
