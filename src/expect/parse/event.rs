//! Events: flags, data, datagrams, ICMP, HTTP.

use super::super::ast::{
    Content, EventPattern, FieldRef, Filter, FilterOp, Literal, Operand, Quantifier, Span, Spanned,
};
use super::super::lex::{self, Token};
use super::super::{codes, fields, icmp};
use super::filter::operator;
use super::habit;
use super::step::{MODIFIERS, is_count};
use super::suggest::{did_you_mean, nearest};
use super::window::WINDOWS;
use super::{Parsed, Parser, Reported};

/// Sizes of compiled regular expressions, in bytes.
const REGEX_SIZES: [usize; 3] = [4 << 10, 64 << 10, LARGEST_REGEX];
const LARGEST_REGEX: usize = 1 << 20;

/// Flags as the language writes them.
const FLAGS: [&str; 4] = ["SYN", "ACK", "FIN", "RST"];

/// Flags that no event has, and other words for ours.
const OTHER_FLAGS: [&str; 6] = ["PSH", "PUSH", "URG", "ECE", "CWR", "RESET"];

/// Methods that are known without a target (RFC 9110, RFC 5789).
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// Events in small letters.
pub(in crate::expect) const PLAIN: [&str; 6] = [
    "data",
    "udp",
    "icmp",
    "retransmission",
    "keep-alive",
    "window-update",
];

const EVENTS: &str = "events are SYN, SYN,ACK, ACK, FIN, RST, data, udp, icmp, HTTP methods such as \
     GET, HTTP, retransmission, keep-alive, window-update";

/// An event, and the condition that goes with it: `RST,ACK` is a RST with ACK.
type Event = (EventPattern, Option<Spanned<Filter>>);

impl<'t> Parser<'t> {
    /// A step without a block begins here, or with its ends, or with `maybe`.
    pub(super) fn at_step(&self) -> bool {
        if self.at_ends() || self.at_word("maybe") {
            return true;
        }
        match self.peek() {
            Token::Word(word) if self.event_like(word) => !self.goes_on_as_filter(word),
            _ => false,
        }
    }

    /// `udp and …`, `icmp contains …`: the word is a protocol's name there.
    fn goes_on_as_filter(&self, word: &str) -> bool {
        let is_field = fields::lookup(word).is_some();
        is_field
            && match self.peek_second() {
                Token::Word(next) => {
                    matches!(next, "and" | "or" | "xor" | "in") || operator(next).is_some()
                }
                Token::Symbol(next) => {
                    // Behind `~` stands the content of an event.
                    matches!(next, "&&" | "||" | "^^" | "[")
                        || (next != "~" && operator(next).is_some())
                }
                _ => false,
            }
    }

    /// An event, or a word that was meant as one.
    pub(super) fn event_like(&self, word: &str) -> bool {
        let upper = word.to_ascii_uppercase();
        let capitals = word == upper && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
        let meant = PLAIN.contains(&word.to_lowercase().as_str())
            || flags_inside(word).is_some()
            || METHODS.contains(&upper.as_str());
        PLAIN.contains(&word) || (fields::lookup(word).is_none() && (capitals || meant))
    }

    /// `after_ends`: the step's ends were read, so that an event must follow.
    pub(super) fn event(&mut self, after_ends: bool) -> Parsed<Event> {
        let span = self.peek_span();
        let word = match self.peek() {
            Token::Word(word) => word,
            Token::Text(_) if after_ends => {
                return Err(self.expected(
                    "an event",
                    "content belongs to `data` or `udp`: `data \"hello\"`",
                ));
            }
            Token::Number(code) if after_ends && code.len() == 3 => {
                let help = format!("the status of an answer is written `HTTP {code}`");
                return Err(self.expected("an event", &help));
            }
            _ if after_ends => return Err(self.expected("an event", EVENTS)),
            _ => {
                let help = self.address_as_end();
                return Err(self.expected("a step", help.as_deref().unwrap_or(EVENTS)));
            }
        };
        if let Some(event) = self.flags_event(word)? {
            return Ok(event);
        }
        let event = match word {
            "data" | "udp" => {
                self.take();
                let content = self.content()?;
                if word == "data" && content == Some(Content::Exactly(Vec::new())) {
                    self.error(
                        codes::EMPTY,
                        span.start..self.taken,
                        "no segment has data and carries nothing",
                        "never there",
                        Some("`data` alone is any data".to_owned()),
                    );
                }
                match word {
                    "data" => EventPattern::Data(content),
                    _ => EventPattern::Udp(content),
                }
            }
            "icmp" => {
                self.take();
                self.icmp()?
            }
            "retransmission" => {
                self.take();
                let of = match self.word("of") {
                    true => Some(self.earlier_step("as in `retransmission of syn`")?),
                    false => None,
                };
                EventPattern::Retransmission(of)
            }
            "keep-alive" => self.plain(EventPattern::KeepAlive),
            "window-update" => self.plain(EventPattern::WindowUpdate),
            "HTTP" => {
                self.take();
                self.http()?
            }
            _ if self.at_method(word) => {
                self.take();
                let target = self.target(word)?;
                if self.at_word("HTTP") && self.peek_second() == Token::Symbol("/") {
                    let request = self.text.get(span.start..self.taken).unwrap_or_default();
                    let help = format!("a request is written without its version: `{request}`");
                    return Err(self.expected("the end of the step", &help));
                }
                EventPattern::Request {
                    method: word.to_owned(),
                    target,
                }
            }
            "no" | "nothing" | "each" | "exactly" if !after_ends => {
                let help = format!(
                    "`{word}` begins a statement of its own, outside of the block: `no RST between SYN and FIN`"
                );
                return Err(self.expected("a step", &help));
            }
            _ => {
                self.unknown_event(word, span, after_ends);
                return Err(Reported);
            }
        };
        Ok((event, None))
    }

    fn plain(&mut self, event: EventPattern) -> EventPattern {
        self.take();
        event
    }

    /// A known method, or a word in capitals with a target behind it.
    fn at_method(&self, word: &str) -> bool {
        let capitals = word.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        let known_elsewhere = PLAIN.contains(&word.to_ascii_lowercase().as_str());
        if METHODS.contains(&word) {
            return true;
        }
        let (next, _) = lex::bare(self.text, self.peek_span().end);
        let target = next.starts_with(['/', '*', '~', '"']) || next.starts_with("http://");
        capitals && !known_elsewhere && target
    }

    /// Flags, or None for another word.
    fn flags_event(&mut self, word: &'t str) -> Parsed<Option<Event>> {
        let start = self.peek_span().start;
        let Some(mut flags) = flags_inside(word) else {
            return Ok(None);
        };
        self.take();
        let mut wrong_joint = flags.len() > 1;
        while let Some((joint, more)) = self.more_flags() {
            wrong_joint |= joint != "," || more.len() > 1;
            flags.extend(more);
            if !joint.is_empty() {
                self.take();
            }
            self.take();
        }
        let span = start..self.taken;
        let written = self.text.get(span.clone()).unwrap_or_default().to_owned();
        flags.sort_by_key(|flag| FLAGS.iter().position(|f| f == flag));
        let in_all = flags.len();
        flags.dedup();
        // `SYN SYN,ACK ACK` is three steps.
        if flags.len() < in_all && written.contains(char::is_whitespace) {
            let steps: Vec<&str> = written.split_whitespace().collect();
            let help = format!("steps are parted by `;`: `{}`", steps.join("; "));
            let message = format!("`{written}` is more than one step");
            self.error(
                codes::FLAGS,
                span,
                message,
                "no sign between them",
                Some(help),
            );
            return Err(Reported);
        }
        let Some(event) = event_of(&flags, &span) else {
            self.no_such_flags(&flags, span);
            return Err(Reported);
        };
        let right = flags.join(",");
        if wrong_joint {
            self.error(
                codes::FLAGS,
                span,
                format!("`{written}` is not how flags are written"),
                "joined the wrong way",
                Some(format!("write `{right}`")),
            );
        } else if written != written.to_ascii_uppercase() {
            self.error(
                codes::CASE,
                span,
                "flags are written in capitals",
                "small letters",
                Some(format!("write `{right}`")),
            );
        }
        Ok(Some(event))
    }

    /// Further flags: the sign before them, empty for a mere space.
    fn more_flags(&self) -> Option<(&'static str, Vec<&'static str>)> {
        match self.peek() {
            Token::Word(word) => Some(("", flags_inside(word)?)),
            Token::Symbol(joint @ ("," | "+" | "/" | "&" | "-")) => match self.peek_second() {
                Token::Word(word) => Some((joint, flags_inside(word)?)),
                _ => None,
            },
            _ => None,
        }
    }

    fn no_such_flags(&mut self, flags: &[&str], span: Span) {
        let help = match flags {
            ["RESET"] => "a reset is written `RST`".to_owned(),
            _ if flags.iter().any(|f| matches!(*f, "PSH" | "PUSH")) => {
                "PSH goes with data: write `data`, and `where tcp.flags.push == 1` if it matters"
                    .to_owned()
            }
            _ => "write one of SYN, SYN,ACK, ACK, FIN, RST; for others use a filter on \
                  `tcp.flags`"
                .to_owned(),
        };
        self.error(
            codes::UNKNOWN_EVENT,
            span,
            format!("{} is no event", flags.join(",")),
            "no event",
            Some(help),
        );
    }

    fn unknown_event(&mut self, word: &str, span: Span, after_ends: bool) {
        let lower = word.to_lowercase();
        let upper = word.to_ascii_uppercase();
        let right = [lower.as_str(), upper.as_str()]
            .into_iter()
            .find(|w| PLAIN.contains(w) || METHODS.contains(w) || *w == "HTTP");
        if let Some(right) = right {
            self.error(
                codes::CASE,
                span,
                format!("the event is written `{right}`"),
                "capitals and small letters differ",
                Some(format!("write `{right}`")),
            );
            return;
        }
        if let Some(protocol) = fields::lookup(&lower).filter(|_| lower != word) {
            self.error(
                codes::CASE,
                span,
                format!("the protocol is written `{}`", protocol.name),
                "capitals and small letters differ",
                Some(format!("write `{}`", protocol.name)),
            );
            return;
        }
        if habit::is_maybe(word) && word != "maybe" {
            self.error(
                codes::UNKNOWN_EVENT,
                span,
                format!("unknown event `{word}`"),
                "not a word of the language",
                Some("did you mean `maybe`?".to_owned()),
            );
            return;
        }
        if !after_ends && nearest(word, self.roles.iter().map(String::as_str)).is_some() {
            self.expected("a step", "a step is written `client > server SYN`");
            return;
        }
        let words = FLAGS
            .into_iter()
            .chain(PLAIN)
            .chain(METHODS)
            .chain(["HTTP"]);
        self.error(
            codes::UNKNOWN_EVENT,
            span,
            format!("unknown event `{word}`"),
            "unknown event",
            did_you_mean(nearest(word, words), EVENTS),
        );
    }

    /// `"hello"`, `~ /^hel+o/`, or nothing.
    fn content(&mut self) -> Parsed<Option<Content>> {
        match self.peek() {
            Token::Text(_) => Ok(self.text_token().map(Content::Exactly)),
            Token::Symbol("~") => {
                self.take();
                self.slashed_regex().map(Content::Matches).map(Some)
            }
            Token::Symbol("==" | "=") => {
                let span = self.peek_span();
                self.error(
                    codes::EXPECTED,
                    span,
                    "no sign stands between the event and its content",
                    "expected a string",
                    Some("write `data \"hello\"`, or `data ~ /hel+o/`".to_owned()),
                );
                Err(Reported)
            }
            Token::Word(word) if !self.may_follow_event(word) => {
                let span = self.peek_span();
                self.error(
                    codes::EXPECTED,
                    span,
                    format!("`{word}` cannot follow"),
                    "expected content in quotes, or the end of the step",
                    Some(match fields::lookup(word) {
                        Some(_) => {
                            format!("before a condition stands `has` or `where`: `where {word} …`")
                        }
                        None => match habit::behind_event(word) {
                            Some(right) => right.to_owned(),
                            None => format!("content stands in quotes: `\"{word}\"`"),
                        },
                    }),
                );
                Err(Reported)
            }
            Token::Symbol("/") => {
                Err(self.expected("`~` before a regular expression", "write `data ~ /…/`"))
            }
            _ => Ok(None),
        }
    }

    /// Words that belong to the step or the statement around it.
    fn may_follow_event(&self, word: &str) -> bool {
        matches!(word, "has" | "and" | "or")
            || MODIFIERS.contains(&word)
            || WINDOWS.contains(&word)
            || is_count(word)
            || self.is_modifier_like(word)
    }

    /// A string, if one is next.
    pub(super) fn text_token(&mut self) -> Option<Vec<u8>> {
        match self.peek() {
            Token::Text(bytes) => {
                self.take();
                Some(bytes)
            }
            _ => None,
        }
    }

    /// `/…/` behind `~`.
    pub(super) fn slashed_regex(&mut self) -> Parsed<regex::bytes::Regex> {
        match lex::regex(self.text, self.at) {
            Some(Ok((expression, span))) => {
                self.skip_to(span.end);
                self.regex(&expression, span, false)
            }
            Some(Err(span)) => {
                self.error(
                    codes::BAD_REGEX,
                    span.clone(),
                    "the regular expression has no closing slash",
                    "begins here and runs to the end of the line",
                    Some("close it with `/`; a slash inside is written `\\/`".to_owned()),
                );
                self.skip_to(span.end);
                Err(Reported)
            }
            None => Err(self.expected(
                "a regular expression",
                "it stands between slashes: `~ /hel+o/`",
            )),
        }
    }

    /// Builds a regular expression on bytes.
    pub(super) fn regex(
        &mut self,
        expression: &str,
        span: Span,
        ignore_case: bool,
    ) -> Parsed<regex::bytes::Regex> {
        let build = |size| {
            regex::bytes::RegexBuilder::new(expression)
                .case_insensitive(ignore_case)
                .unicode(false)
                .size_limit(size)
                .build()
        };
        // How large it is, the builder does not tell.
        let small = REGEX_SIZES
            .iter()
            .find_map(|&size| Some((build(size).ok()?, size)));
        if let Some((regex, size)) = small {
            if let Some(left) = self.room.checked_sub(size) {
                self.room = left;
                return Ok(regex);
            }
            self.error(
                codes::BAD_REGEX,
                span,
                "the regular expressions of this file take too much memory",
                "no room is left for this one",
                Some(
                    "a count such as `.{1000}` takes room for each of its thousand places"
                        .to_owned(),
                ),
            );
            return Err(Reported);
        }
        build(LARGEST_REGEX).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ").to_owned();
            self.error(
                codes::BAD_REGEX,
                span,
                "the regular expression cannot be read",
                reason,
                Some("a backslash makes a sign stand for itself: `\\(`, `\\.`, `\\/`".to_owned()),
            );
            Reported
        })
    }

    /// What stands behind `icmp`.
    fn icmp(&mut self) -> Parsed<EventPattern> {
        match self.peek() {
            Token::Word(word) if self.may_follow_event(word) => {
                return Ok(EventPattern::Icmp(None));
            }
            Token::Word(_) | Token::Number(_) => {}
            _ => return Ok(EventPattern::Icmp(None)),
        }
        let (bare, span) = lex::icmp_name(self.text, self.at);
        self.skip_to(span.end);
        let pattern = icmp::pattern(bare);
        if pattern.is_none() {
            let meant = match bare.to_ascii_lowercase().as_str() {
                "unreachable" | "dest-unreachable" => Some("destination-unreachable"),
                "ping" => Some("echo-request"),
                "pong" => Some("echo-reply"),
                _ => nearest(bare, icmp::names()),
            };
            let known = "known are `port-unreachable`, `time-exceeded`, `echo-request` and the \
                         others of IANA's registries, or numbers: `3/3`";
            let help = did_you_mean(meant, known);
            self.error(
                codes::UNKNOWN_ICMP,
                span,
                format!("no ICMP message is called `{bare}`"),
                "unknown name",
                help,
            );
        }
        Ok(EventPattern::Icmp(pattern))
    }

    /// Behind `HTTP`: a status code; a target, for a request of any method.
    fn http(&mut self) -> Parsed<EventPattern> {
        let (next, bare_span) = lex::bare(self.text, self.at);
        if bare_span.start == self.at && next.starts_with('/') {
            let rest = self.text.get(bare_span.end..).unwrap_or_default();
            let status = status_in(rest.as_bytes()).unwrap_or(404);
            self.error(
                codes::EXPECTED,
                bare_span,
                "an answer is written without its version",
                "expected a status code",
                Some(format!("write `HTTP {status}`")),
            );
            return Err(Reported);
        }
        if next.starts_with(['~', '"']) {
            return self.http_text();
        }
        if next.starts_with(['/', '*']) {
            return Ok(EventPattern::Request {
                method: "HTTP".to_owned(),
                target: self.target("HTTP")?,
            });
        }
        if let Token::Word(method) = self.peek()
            && METHODS.contains(&method)
        {
            return Err(self.expected(
                "a status code, or the end of the step",
                &format!("a request is written without `HTTP`: `{method} /index.html`"),
            ));
        }
        let digits = match self.peek() {
            Token::Number(digits) => digits,
            Token::Word(word) if !self.may_follow_event(word) => {
                return Err(self.expected(
                    "a status code, or the end of the step",
                    "an answer is written `HTTP 200`, or `HTTP` for any",
                ));
            }
            _ => return Ok(EventPattern::Response { code: None }),
        };
        let (_, span) = self.take();
        let code = digits
            .parse()
            .ok()
            .filter(|code| (100..=599).contains(code));
        if code.is_none() {
            self.error(
                codes::OUT_OF_RANGE,
                span,
                format!("`{digits}` is no HTTP status code"),
                "expected 100 to 599",
                Some(match habit::class_of_codes(digits) {
                    Some((first, last)) => {
                        format!("write `where http.response.code in {{{first}..{last}}}`")
                    }
                    None => "as in `HTTP 404`; `HTTP` alone is any answer".to_owned(),
                }),
            );
        }
        if let Token::Word(phrase) = self.peek()
            && !self.may_follow_event(phrase)
        {
            return Err(self.expected(
                "the end of the step",
                &format!("an answer is written without its phrase: `HTTP {digits}`"),
            ));
        }
        Ok(EventPattern::Response { code })
    }

    /// What is asked of an answer stands in a condition: `HTTP "404"` would be a request
    /// for `404`, which no browser sends, and `no HTTP "404"` hold of everything.
    fn http_text(&mut self) -> Parsed<EventPattern> {
        if let Token::Text(raw) = self.peek()
            && raw.starts_with(b"/")
        {
            return Ok(EventPattern::Request {
                method: "HTTP".to_owned(),
                target: self.target("HTTP")?,
            });
        }
        let status = match self.peek() {
            Token::Text(text) => status_in(&text),
            _ => None,
        };
        let help = match status {
            Some(status) => format!("an answer is written `HTTP {status}`"),
            None => {
                "of an answer: `HTTP where http.response.phrase contains \"…\"`; of a request: \
                  `GET ~ /…/`"
                    .to_owned()
            }
        };
        Err(self.expected("a status code, or a target that begins with `/`", &help))
    }

    /// A request's target: in quotes, a regular expression, or bare. A `|` before it
    /// is no part of it.
    fn target(&mut self, method: &str) -> Parsed<Option<Content>> {
        match self.peek() {
            Token::Text(_) | Token::Symbol("~") => return self.content(),
            Token::End | Token::Newline | Token::Semicolon => return Ok(None),
            // `GET x1..3`: how often, all of it.
            Token::Word(word) if is_count(word) => return Ok(None),
            _ => {}
        }
        let (bare, span) = lex::target(self.text, self.at, self.parentheses > 0);
        if bare.is_empty() || bare.starts_with([')', '#', '|']) || self.may_follow_event(bare) {
            return Ok(None);
        }
        self.skip_to(span.end);
        if is_target(method, bare) {
            return Ok(Some(Content::Exactly(bare.as_bytes().to_vec())));
        }
        if bare == "*" {
            self.error(
                codes::WRONG_LITERAL,
                span,
                "only `OPTIONS` asks for `*`",
                "`*` stands for itself",
                Some(match method {
                    "HTTP" => "`HTTP` alone is any answer".to_owned(),
                    _ => format!("`{method}` alone is a request for anything"),
                }),
            );
        } else {
            self.error(
                codes::WRONG_LITERAL,
                span,
                format!("no request asks for `{bare}`"),
                match bare.contains('*') {
                    true => "`*` stands for itself",
                    false => "a target begins with `/`",
                },
                Some(match bare.split_once('*') {
                    Some((before, _)) => format!(
                        "a pattern is a regular expression: `~ /^{}/`; this very target stands in quotes: `\"{bare}\"`",
                        regex::escape(before).replace('/', "\\/")
                    ),
                    None => format!("write `/{bare}`, or `\"{bare}\"` for what no server knows"),
                }),
            );
        }
        Ok(Some(Content::Exactly(bare.as_bytes().to_vec())))
    }
}

/// The status code that a text begins with.
fn status_in(text: &[u8]) -> Option<u16> {
    let word = text
        .trim_ascii_start()
        .split(|b| !b.is_ascii_alphanumeric())
        .next()?;
    let status = std::str::from_utf8(word).ok()?.parse().ok()?;
    (100..=599).contains(&status).then_some(status)
}

/// RFC 9112, section 3.2: a path, a whole address, host and port, or for OPTIONS `*`. One
/// with a `*` inside looks like a pattern, which it is not: it stands in quotes.
pub(in crate::expect) fn is_target(method: &str, text: &str) -> bool {
    match text {
        "*" => method == "OPTIONS",
        _ => !text.contains('*') && (text.starts_with('/') || text.contains(':')),
    }
}

/// A word that is an event by itself.
pub(super) fn is_event_word(word: &str) -> bool {
    PLAIN.contains(&word) || METHODS.contains(&word) || FLAGS.contains(&word) || word == "HTTP"
}

/// The flags that a word spells: `SYN`, `syn`, `SYN-ACK`, `SYNACK`. None where
/// it spells anything else.
fn flags_inside(word: &str) -> Option<Vec<&'static str>> {
    let upper = word.to_ascii_uppercase();
    let mut rest = upper.as_str();
    let mut flags = Vec::new();
    while !rest.is_empty() {
        let flag = FLAGS
            .into_iter()
            .chain(OTHER_FLAGS)
            .find(|flag| rest.starts_with(*flag))?;
        flags.push(flag);
        rest = rest[flag.len()..].trim_start_matches(['-', '_']);
    }
    (!flags.is_empty()).then_some(flags)
}

/// The event of a set of flags, and the condition that it does not say itself.
fn event_of(flags: &[&str], span: &Span) -> Option<Event> {
    let with_ack = || {
        Some(Spanned {
            value: ack_is_set(span)?,
            span: span.clone(),
        })
    };
    Some(match flags {
        ["SYN"] => (EventPattern::Syn, None),
        ["SYN", "ACK"] => (EventPattern::SynAck, None),
        ["ACK"] => (EventPattern::Ack, None),
        ["FIN"] => (EventPattern::Fin, None),
        ["RST"] => (EventPattern::Rst, None),
        ["ACK", "FIN"] => (EventPattern::Fin, with_ack()),
        ["ACK", "RST"] => (EventPattern::Rst, with_ack()),
        _ => return None,
    })
}

/// `tcp.flags.ack == 1`.
fn ack_is_set(span: &Span) -> Option<Filter> {
    Some(Filter::Compare {
        left: Operand::Field(FieldRef {
            field: fields::lookup("tcp.flags.ack")?,
            layers: Vec::new(),
            span: span.clone(),
        }),
        op: FilterOp::Eq,
        quantifier: Quantifier::Any,
        right: Operand::Literal(Literal::Number(1)),
    })
}
