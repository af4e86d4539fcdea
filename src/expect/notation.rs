//! Steps and events written in the language's own notation, so that what was
//! expected and what happened can be read side by side.

use std::fmt::Write as _;

use super::ast::{Content, EndPattern, EventPattern, Filter, Step, StepEnds, Times, Who, Within};
use super::event::{End, Event, EventKind};
use super::events::Events;
use super::icmp;
use super::matching::Context;
use super::number::Number;
use super::parse::is_target;
use crate::trace::{Owner, Trace};

/// What would take more columns than this is cut.
const LONGEST: usize = 72;

/// A step as its author could have written it.
pub fn step(step: &Step) -> String {
    let mut text = String::new();
    if step.times.min == 0 && step.times.max == Some(1) {
        text.push_str("maybe ");
    }
    if let Some(ends) = &step.ends {
        let _ = write!(text, "{}  ", step_ends(ends));
    }
    text.push_str(&pattern(&step.event));
    text.push_str(&times(step.times));
    if let Some(within) = &step.within {
        let _ = write!(text, "  {}", self::within(&within.value));
    }
    for order in &step.order {
        let word = if order.value.before {
            "before"
        } else {
            "after"
        };
        let _ = write!(text, "  {word} {}", order.value.of);
    }
    if step.after_stop {
        text.push_str("  after_stop");
    }
    if let Some(condition) = &step.where_ {
        let whole = condition.value.to_string();
        let inner = match &condition.value {
            Filter::And(..) | Filter::Or(..) | Filter::Xor(..) => whole
                .strip_prefix('(')
                .and_then(|inner| inner.strip_suffix(')')),
            _ => None,
        };
        let _ = write!(text, "  where {}", visible(inner.unwrap_or(&whole)));
    }
    text
}

/// `within 200ms..300ms of syn`.
pub fn within(within: &Within) -> String {
    let mut text = String::from("within ");
    if within.least > 0 {
        let _ = write!(text, "{}..", exact_duration(within.least));
    }
    text.push_str(&exact_duration(within.limit));
    if let Some(name) = &within.of {
        let _ = write!(text, " of {name}");
    }
    text
}

/// `client > server`.
pub fn step_ends(ends: &StepEnds) -> String {
    format!(
        "{} {} {}",
        end(&ends.from.value),
        if ends.either_way { "<>" } else { ">" },
        end(&ends.to.value)
    )
}

/// `nobody:12000`.
pub fn end(pattern: &EndPattern) -> String {
    let who = match &pattern.who {
        Who::Role(role) => role.as_str(),
        Who::Nobody => "nobody",
        Who::Any => "any",
    };
    match pattern.port {
        Some(port) => format!("{who}:{port}"),
        None => who.to_owned(),
    }
}

fn times(times: Times) -> String {
    match (times.min, times.max) {
        (1, Some(1)) | (0, Some(1)) => String::new(),
        (min, Some(max)) if min == max => format!(" x{min}"),
        (min, Some(max)) => format!(" x{min}..{max}"),
        (min, None) => format!(" x{min}.."),
    }
}

/// The event that a step asks for: `data "hello"`.
pub fn pattern(pattern: &EventPattern) -> String {
    match pattern {
        EventPattern::Syn => "SYN".to_owned(),
        EventPattern::SynAck => "SYN,ACK".to_owned(),
        EventPattern::Ack => "ACK".to_owned(),
        EventPattern::Fin => "FIN".to_owned(),
        EventPattern::Rst => "RST".to_owned(),
        EventPattern::Data(wanted) => format!("data{}", content(wanted.as_ref())),
        EventPattern::Udp(wanted) => format!("udp{}", content(wanted.as_ref())),
        EventPattern::Icmp(None) => "icmp".to_owned(),
        EventPattern::Icmp(Some(wanted)) => format!("icmp {}", wanted.text),
        EventPattern::Request { method, target } => match target {
            None => method.clone(),
            Some(Content::Exactly(target)) => {
                format!(
                    "{method} {}",
                    self::target(method, &String::from_utf8_lossy(target))
                )
            }
            Some(target) => format!("{method}{}", content(Some(target))),
        },
        EventPattern::Response { code: None } => "HTTP".to_owned(),
        EventPattern::Response { code: Some(code) } => format!("HTTP {code}"),
        EventPattern::Retransmission(None) => "retransmission".to_owned(),
        EventPattern::Retransmission(Some(of)) => format!("retransmission of {of}"),
        EventPattern::KeepAlive => "keep-alive".to_owned(),
        EventPattern::WindowUpdate => "window-update".to_owned(),
    }
}

fn content(content: Option<&Content>) -> String {
    match content {
        None => String::new(),
        Some(Content::Exactly(bytes)) => format!(" {}", quoted(bytes)),
        Some(Content::Matches(regex)) => format!(" ~ /{}/", visible(regex.as_str())),
    }
}

/// Everything that happened in a capture, an event on each line, as a step
/// that would take it. Two runs of the same programs have the same.
pub fn events(trace: &Trace) -> Vec<String> {
    let events = Events::of(trace);
    let context = Context {
        trace,
        events: &events,
    };
    events
        .iter()
        .filter(|event| !event.is_silent())
        .map(|event| self::event(&context, event, None))
        .collect()
}

/// What the packet at `index` carries, an event on each line, as steps that
/// would take them: first those that it completes, then those that it has a
/// part in. Each with its ends and its kind alone as a second form, for content
/// that is too long to be written.
pub fn carried(trace: &Trace, index: usize) -> Vec<[String; 2]> {
    let events = Events::of(trace);
    let context = Context {
        trace,
        events: &events,
    };
    let own = events.iter().filter(|e| e.packets.contains(&index));
    let (completed, begun): (Vec<_>, Vec<_>) = own.partition(|e| e.packet() == index);
    let forms = |event: &Event| {
        let whole = self::event(&context, event, None);
        let ends = whole.split("  ").next().unwrap_or_default();
        let word = what(&context, event);
        let word = word.split(' ').next().unwrap_or_default();
        let short = format!("{ends}  {word}");
        [whole, short]
    };
    completed.into_iter().chain(begun).map(forms).collect()
}

/// An event as a step that would take it. `like` is the step it is held
/// against: it decides which ports are shown.
pub fn event(context: &Context<'_>, event: &Event, like: Option<&Step>) -> String {
    let ends = like.and_then(|step| step.ends.as_ref());
    let port = |pattern: Option<&EndPattern>| pattern.is_some_and(|p| p.port.is_some());
    let from = party(
        context.trace,
        &event.from,
        port(ends.map(|e| &e.from.value)),
    );
    let to = party(context.trace, &event.to, port(ends.map(|e| &e.to.value)));
    let mut text = format!("{from} > {to}  {}", what(context, event));
    if event.after_stop {
        text.push_str("  after_stop");
    }
    text
}

/// `client`, `nobody:12000`: the port where it tells something.
fn party(trace: &Trace, end: &End, show_port: bool) -> String {
    let name = match end.owner {
        Owner::Unknown => "any".to_owned(),
        owner => visible(trace.owner_name(owner)),
    };
    let telling = show_port || (end.serves && !matches!(end.owner, Owner::Role(_)));
    match end.port {
        Some(port) if telling => format!("{name}:{port}"),
        _ => name,
    }
}

/// What happened, without its ends: `data "hello"`.
pub fn what(context: &Context<'_>, event: &Event) -> String {
    match &event.kind {
        EventKind::Syn => "SYN".to_owned(),
        EventKind::SynAck => "SYN,ACK".to_owned(),
        EventKind::HandshakeAck => "ACK".to_owned(),
        EventKind::Fin => "FIN".to_owned(),
        EventKind::Rst => "RST".to_owned(),
        EventKind::Data { .. } => format!("data {}", quoted(&event.content(context.trace))),
        EventKind::Udp => format!("udp {}", quoted(&event.content(context.trace))),
        EventKind::Icmp { ipv6, kind, code } => {
            format!("icmp {}", icmp::name_of(*ipv6, *kind, *code))
        }
        EventKind::Request(_) => context.requests(event).next().map_or_else(
            || "HTTP".to_owned(),
            |r| format!("{} {}", visible(&r.method), target(&r.method, &r.target)),
        ),
        EventKind::Response { .. } => context
            .codes(event)
            .next()
            .map_or_else(|| "HTTP".to_owned(), |code| format!("HTTP {code}")),
        EventKind::Retransmission => "retransmission".to_owned(),
        EventKind::KeepAlive => "keep-alive".to_owned(),
        EventKind::WindowUpdate => "window-update".to_owned(),
        EventKind::Packet => packet(context, event),
    }
}

/// A packet of `exactly packets`: flags and payload.
fn packet(context: &Context<'_>, event: &Event) -> String {
    let index = event.packet();
    let Some(packet) = context.trace.packets.get(index) else {
        return "packet".to_owned();
    };
    let payload = context.trace.payload(index);
    if packet.udp().is_some() {
        return format!("udp {}", quoted(payload));
    }
    if let Some(icmp) = packet.icmp() {
        let ipv6 = matches!(packet.transport, crate::decode::Transport::Icmpv6(_));
        return format!("icmp {}", icmp::name_of(ipv6, icmp.kind, icmp.code));
    }
    let mut text = flags(context.trace, index).unwrap_or_else(|| "other protocol".to_owned());
    if !payload.is_empty() {
        if text == "ACK" {
            text.clear();
        } else {
            text.push(' ');
        }
        let _ = write!(text, "data {}", quoted(payload));
    }
    text
}

/// The flags of a segment that its sender chose: `SYN,ACK`. PSH, URG and the
/// rest say nothing about the connection's state.
pub fn flags(trace: &Trace, packet: usize) -> Option<String> {
    let flags = trace.packets.get(packet)?.tcp()?.flags;
    let names: Vec<&str> = [
        (flags.syn(), "SYN"),
        (flags.fin(), "FIN"),
        (flags.rst(), "RST"),
        (flags.ack(), "ACK"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect();
    Some(names.join(","))
}

/// Bytes in quotes, control characters made visible, cut where they are many.
pub fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().chars().map(written);
        let invalid = chunk.invalid().iter().map(|b| format!("\\x{b:02x}"));
        for piece in valid.chain(invalid) {
            if text.len() + piece.len() > LONGEST {
                let _ = write!(text, "\"… ({} bytes)", bytes.len());
                return text;
            }
            text.push_str(&piece);
        }
    }
    text.push('"');
    text
}

/// A request's target, in quotes where it would not be read without.
fn target(method: &str, text: &str) -> String {
    match is_target(method, text) && !text.contains(char::is_whitespace) {
        true => visible(&cut(text)),
        false => quoted(text.as_bytes()),
    }
}

/// A character inside quotes.
fn written(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if is_hidden(c) => {
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).bytes();
            bytes.map(|byte| format!("\\x{byte:02x}")).collect()
        }
        c => c.to_string(),
    }
}

/// Text with its control characters made visible.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            c if is_hidden(c) => format!("\\u{{{:x}}}", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}

/// Characters that a terminal obeys or hides: controls, and those that turn
/// the direction of writing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// A span of time as the language writes it, to three places: `50ms`, `1.5s`, `40us`.
pub fn duration(nanoseconds: i64) -> String {
    exact_duration(rounded(nanoseconds, 3))
}

/// As [`duration`], with as many places as keep it on its own side of each bound.
pub fn duration_beside(nanoseconds: i64, bounds: &[i64]) -> String {
    let is_apart = |shown: &i64| {
        let mut bounds = bounds.iter();
        bounds.all(|bound| shown.cmp(bound) == nanoseconds.cmp(bound))
    };
    let mut shown = [3, 6]
        .map(|places| rounded(nanoseconds, places))
        .into_iter();
    exact_duration(shown.find(is_apart).unwrap_or(nanoseconds))
}

/// A span of time to the nanosecond, as an author writes a bound.
pub fn exact_duration(nanoseconds: i64) -> String {
    let (places, name) = unit(nanoseconds);
    format!(
        "{}{name}",
        Number::with_places(nanoseconds.into(), places.into())
    )
}

/// The unit that a span of time is told in: how many places it is above the
/// nanosecond, and its name.
fn unit(nanoseconds: i64) -> (u32, &'static str) {
    match nanoseconds.unsigned_abs() {
        1_000_000_000.. => (9, "s"),
        1_000_000.. | 0 => (6, "ms"),
        1_000.. => (3, "us"),
        _ => (0, "ns"),
    }
}

/// Rounded to so many places behind the point of its unit.
fn rounded(nanoseconds: i64, places: u32) -> i64 {
    let step = 10i64.pow(unit(nanoseconds).0.saturating_sub(places));
    match nanoseconds.checked_add(step / 2 * nanoseconds.signum()) {
        Some(sum) => sum / step * step,
        None => nanoseconds,
    }
}

/// `1 packet`, `2 packets`.
pub fn count(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// `1st`, `2nd`, `3rd`, `11th`.
pub fn ordinal(n: usize) -> String {
    let ending = match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bytes_are_visible() {
        assert_eq!(
            quoted(b"hello\r\n\x1b[2J\xff\"\\"),
            r#""hello\r\n\x1b[2J\xff\"\\""#
        );
        assert_eq!(quoted("é".as_bytes()), "\"é\"");
        assert_eq!(visible("a\u{1b}b\u{202e}"), "a\\u{1b}b\\u{202e}");
    }

    #[test]
    fn a_target_is_written_as_it_would_be_read() {
        let target = |text| target("GET", text);
        assert_eq!(target("/a?b=\u{1b}"), "/a?b=\\u{1b}");
        assert_eq!(target("index.html"), "\"index.html\"");
        assert_eq!(target("/a b"), "\"/a b\"");
        assert_eq!(target("*"), "\"*\"");
        assert_eq!(super::target("OPTIONS", "*"), "*");
    }

    #[test]
    fn long_content_tells_its_length() {
        let text = quoted(&[b'x'; 100]);
        assert!(text.ends_with("x\"… (100 bytes)"), "{text}");
    }

    #[test]
    fn durations_read_as_they_are_written() {
        assert_eq!(duration(50_000_000), "50ms");
        assert_eq!(duration(1_003_000_000), "1.003s");
        assert_eq!(duration(40_000), "40us");
        assert_eq!(duration(0), "0ms");
        assert_eq!(duration(-1_500_000), "-1.5ms");
    }

    #[test]
    fn a_rounded_duration_does_not_contradict_its_bound() {
        assert_eq!(
            duration_beside(1_434_217_000, &[1_434_000_000]),
            "1.434217s"
        );
        assert_eq!(duration_beside(1_006_400_000, &[1_006_300_000]), "1.0064s");
        assert_eq!(duration_beside(1_434_217_000, &[1_000_000_000]), "1.434s");
        assert_eq!(
            duration_beside(2_000_000_001, &[2_000_000_000]),
            "2.000000001s"
        );
        assert_eq!(duration_beside(50_000_000, &[50_000_000]), "50ms");
        assert_eq!(exact_duration(1_434_217_000), "1.434217s");
        assert_eq!(exact_duration(i64::MIN), "-9223372036.854775808s");
    }

    #[test]
    fn numbers_in_words() {
        assert_eq!(count(1, "packet"), "1 packet");
        assert_eq!(count(0, "packet"), "0 packets");
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 21, 112].map(ordinal).join(" "),
            "1st 2nd 3rd 4th 11th 12th 21st 112th"
        );
    }
}
