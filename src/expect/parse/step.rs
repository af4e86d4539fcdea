//! Steps: two ends, an event, and what is said of it.

use super::super::ast::{
    EndPattern, EventPattern, Filter, Mode, Order, Span, Spanned, Step, StepEnds, Times, Who,
    Within,
};
use super::super::lex::Token;
use super::super::number::Number;
use super::super::{codes, fields};
use super::claim::FUNCTIONS;
use super::event::is_event_word;
use super::habit;
use super::literal;
use super::statement::KEYWORDS;
use super::suggest::{did_you_mean, nearest};
use super::window::WINDOWS;
use super::{Parsed, Parser, Reported};

pub(super) const MODIFIERS: [&str; 6] = ["where", "within", "as", "after_stop", "after", "before"];

/// `no SYN or FIN`.
pub(super) const STEP_EACH: &str = "each step has a statement of its own; a filter may join: `tcp.flags.syn == 1 or tcp.flags.fin == 1`";

const ALTERNATIVES: &str = "steps of which one comes stand in brackets: `( A | B )`";

/// What stands between two ends, and what people write for it.
const ARROWS: [&str; 8] = [">", "<>", "->", "<-", "=>", "<->", "<", ">="];

/// What may follow a step's event, as far as it was read.
#[derive(Default)]
struct Modifiers {
    times: Option<(Times, Span)>,
    where_: Option<Spanned<Filter>>,
    within: Option<Spanned<Within>>,
    name: Option<Spanned<String>>,
    after_stop: Option<Span>,
    order: Vec<Spanned<Order>>,
}

impl Times {
    pub(super) const ONCE: Times = Times {
        min: 1,
        max: Some(1),
    };
    pub(super) const MAYBE: Times = Times {
        min: 0,
        max: Some(1),
    };
}

impl<'t> Parser<'t> {
    /// A step of a block. `has_earlier`: a step stands before it.
    pub(super) fn step(&mut self, mode: Mode, has_earlier: bool) -> Parsed<Step> {
        let mut modifiers = Modifiers::default();
        if self.at_word("maybe") {
            let (_, span) = self.take();
            modifiers.times = Some((Times::MAYBE, span));
        }
        let ends = match self.at_ends() || self.at_unknown_end() {
            true => Some(self.step_ends()?),
            false => None,
        };
        let (event, extra) = self.event(ends.is_some())?;
        self.modifiers(&mut modifiers, Some(mode))?;
        let counts_from_before = has_earlier && mode != Mode::AnyOrder;
        if let Some(within) = &modifiers.within
            && within.value.of.is_none()
            && !counts_from_before
        {
            self.nothing_before(within.span.clone());
        }
        if let Some(name) = &modifiers.name {
            self.visible.insert(name.value.clone());
        }
        Ok(build(ends, event, extra, modifiers))
    }

    /// A step that stands alone: behind `no`, `each`, in `packets()`.
    pub(super) fn single_step(&mut self, place: &str) -> Parsed<Step> {
        if self.at_word("maybe") {
            let (_, span) = self.take();
            self.not_here("maybe", span, place);
        }
        let ends = match self.at_ends() {
            true => Some(self.step_ends()?),
            false => None,
        };
        let (event, extra) = self.event(ends.is_some())?;
        let mut modifiers = Modifiers::default();
        self.modifiers(&mut modifiers, None)?;
        if let Some((_, span)) = modifiers.times.take() {
            self.not_here("how often", span, place);
        }
        if let Some(within) = modifiers.within.take() {
            self.error(
                codes::MODIFIER,
                within.span,
                format!("`within` has no meaning behind {place}"),
                "belongs to the steps of a block",
                Some("a stretch of time is written `for 1s after FIN`".to_owned()),
            );
        }
        if let Some(name) = modifiers.name.take() {
            self.not_here("`as`", name.span, place);
        }
        Ok(build(ends, event, extra, modifiers))
    }

    fn not_here(&mut self, what: &str, span: Span, place: &str) {
        self.error(
            codes::MODIFIER,
            span,
            format!("{what} has no meaning behind {place}"),
            "belongs to the steps of a block",
            Some("count with `packets(…) == 2`, or write the step into a block".to_owned()),
        );
    }

    fn nothing_before(&mut self, span: Span) {
        self.error(
            codes::NOTHING_BEFORE,
            span,
            "`within` counts from the step before, and there is none",
            "from when?",
            Some("give a step a name with `as NAME`, and write `within … of NAME`".to_owned()),
        );
    }

    /// A role and an arrow are next.
    pub(super) fn at_ends(&self) -> bool {
        let first = self.lexed(self.at);
        if !matches!(first.token, Token::Word(word) if !word.contains('.')) {
            return false;
        }
        let mut next = self.lexed(first.span.end);
        if next.token == Token::Symbol(":") {
            let port = self.lexed(next.span.end);
            next = self.lexed(port.span.end);
        }
        match next.token {
            Token::Symbol(">" | "<" | ">=") if self.value_at(next.span.end) => {
                !matches!(first.token, Token::Word(word) if fields::lookup(word).is_some())
            }
            Token::Symbol(symbol) => ARROWS.contains(&symbol),
            Token::Unknown(c) => "→⇒⟶←⇐↔⇔".contains(c),
            _ => false,
        }
    }

    /// A value that a field can be compared with, and no role: `tcp > "GET"`,
    /// `tcp > 47:45`, `tcp > a0:45`.
    fn value_at(&self, at: usize) -> bool {
        let value = self.lexed(at);
        match value.token {
            Token::Number(_) | Token::Text(_) | Token::Symbol("{" | "-") => true,
            Token::Word(word) => {
                !self.is_end(word) && self.lexed(value.span.end).token == Token::Symbol(":")
            }
            _ => false,
        }
    }

    /// Two words begin a step of a block although no arrow stands between
    /// them: `client server SYN`.
    fn at_unknown_end(&self) -> bool {
        let known = |token: &Token<'_>| matches!(token, Token::Word(word) if self.is_end(word));
        known(&self.peek()) && known(&self.peek_second())
    }

    pub(super) fn is_end(&self, word: &str) -> bool {
        word == "any" || word == "nobody" || self.roles.iter().any(|role| role == word)
    }

    pub(super) fn step_ends(&mut self) -> Parsed<StepEnds> {
        let from = self.end_pattern()?;
        let either_way = self.arrow()?;
        let to = self.end_pattern()?;
        Ok(StepEnds {
            from,
            to,
            either_way,
        })
    }

    /// True for `<>`. Other arrows are a mistake that does not stop reading.
    fn arrow(&mut self) -> Parsed<bool> {
        let symbol = match self.peek() {
            Token::Symbol(symbol) => symbol,
            Token::Unknown('→' | '⇒' | '⟶') => "->",
            Token::Unknown('←' | '⇐') => "<-",
            Token::Unknown('↔' | '⇔') => "<->",
            _ => {
                return Err(self.expected(
                    "`>`",
                    "who sends stands left of `>`, who receives right of it",
                ));
            }
        };
        if !ARROWS.contains(&symbol) {
            return Err(self.expected("`>`", "as in `client > server`"));
        }
        let (_, span) = self.take();
        let written = self.text.get(span.clone()).unwrap_or_default();
        let help = match symbol {
            ">" => return Ok(false),
            "<>" => return Ok(true),
            "<->" => "write `<>` for either way",
            "<" | "<-" => "who sends stands on the left: turn the two ends round and write `>`",
            _ => "write `>`",
        };
        self.error(
            codes::ARROW,
            span,
            format!("`{written}` is no arrow here"),
            "expected `>`",
            Some(help.to_owned()),
        );
        Ok(symbol == "<->")
    }

    /// `client`, `nobody:12000`, `any`.
    pub(super) fn end_pattern(&mut self) -> Parsed<Spanned<EndPattern>> {
        let span = self.peek_span();
        let Token::Word(word) = self.peek() else {
            let help = self
                .address_as_end()
                .unwrap_or_else(|| format!("known are {}", self.end_names()));
            return Err(self.expected("a role", &help));
        };
        self.take();
        let who = match word {
            "nobody" => Who::Nobody,
            "any" => Who::Any,
            event if !self.is_end(event) && self.event_like(event) => {
                self.error(
                    codes::EXPECTED,
                    span,
                    format!("expected a role, found the event `{event}`"),
                    "expected a role",
                    Some("a step names both ends: `client > server SYN`".to_owned()),
                );
                return Err(Reported);
            }
            role => {
                if !self.is_end(role) {
                    self.unknown_role(role, span.clone());
                }
                Who::Role(role.to_owned())
            }
        };
        let port = match self.symbol(":") {
            true => Some(self.port()?),
            false => None,
        };
        Ok(Spanned {
            value: EndPattern { who, port },
            span: span.start..self.taken,
        })
    }

    pub(super) fn unknown_role(&mut self, role: &str, span: Span) {
        let roles = self.roles;
        let candidates = roles.iter().map(String::as_str).chain(["nobody", "any"]);
        let candidates = candidates.filter(|name| *name != role);
        let help = did_you_mean(
            nearest(role, candidates),
            &format!(
                "known are {}; an end that no program owns is `nobody`",
                self.end_names()
            ),
        );
        self.error(
            codes::UNKNOWN_ROLE,
            span,
            format!("no program has the role `{role}`"),
            "unknown role",
            help,
        );
    }

    /// How an address or `*` is said, which stands where a role does.
    pub(super) fn address_as_end(&self) -> Option<String> {
        let address = match self.peek() {
            Token::Symbol("*") => return Some("anybody is `any`".to_owned()),
            Token::Number(text) if text.contains('.') => text,
            _ => return None,
        };
        let is_address = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
        // tcpdump writes a port behind a fourth dot, packetdrill a time in its place.
        let (address, port) = match address.rsplit_once('.') {
            Some((before, port)) if is_address(before) => (before, port),
            _ if is_address(address) => (address, "PORT"),
            _ => return Some("a step is written `client > server SYN`".to_owned()),
        };
        Some(format!(
            "an end is called by its role: `any` with `where ip.addr == {address}`, or give it one by `check --role NAME={address}:{port}`"
        ))
    }

    fn end_names(&self) -> String {
        let mut names: Vec<String> = self.roles.iter().map(|role| format!("`{role}`")).collect();
        names.push("`nobody`".to_owned());
        names.push("`any`".to_owned());
        names.join(", ")
    }

    fn port(&mut self) -> Parsed<u16> {
        let span = self.peek_span();
        let Token::Number(digits) = self.peek() else {
            return Err(self.expected("a port number", "as in `nobody:12000`"));
        };
        self.take();
        match digits.parse() {
            Ok(port) => Ok(port),
            Err(_) => {
                self.error(
                    codes::OUT_OF_RANGE,
                    span,
                    format!("`{digits}` is no port"),
                    "expected a number up to 65535",
                    Some("a port follows the role: `server:12000`".to_owned()),
                );
                Ok(0)
            }
        }
    }

    /// Everything behind the event, in any order. `mode` is the block's; a step
    /// that stands alone ends where a window begins.
    fn modifiers(&mut self, found: &mut Modifiers, mode: Option<Mode>) -> Parsed<()> {
        loop {
            let span = self.peek_span();
            let Token::Word(word) = self.peek() else {
                return self.wrong_modifier(mode.is_none());
            };
            let repeated = match word {
                "where" if self.where_in_brackets => {
                    self.error(
                        codes::MODIFIER,
                        span,
                        "the `and` behind this condition would belong to it",
                        "where does it end?",
                        Some(
                            "write brackets around the step: `between (SYN where …) and FIN`"
                                .to_owned(),
                        ),
                    );
                    return Err(Reported);
                }
                "where" => {
                    self.take();
                    let filter = self.spanned_filter()?;
                    found.where_.replace(filter).is_some()
                }
                "within" => {
                    self.take();
                    let within = self.within()?;
                    let within = Spanned {
                        value: within,
                        span: span.start..self.taken,
                    };
                    found.within.replace(within).is_some()
                }
                "as" => {
                    self.take();
                    let name = self.step_name()?;
                    found.name.replace(name).is_some()
                }
                "after_stop" => {
                    self.take();
                    found.after_stop.replace(span.clone()).is_some()
                }
                "after" | "before" if mode.is_some() => {
                    self.take();
                    let of = self.earlier_step("as in `after syn`")?;
                    let order = Order {
                        before: word == "before",
                        of,
                    };
                    let span = span.start..self.taken;
                    if mode != Some(Mode::AnyOrder) {
                        let within = found.within.as_ref().filter(|_| word == "after");
                        let within = within.and_then(|within| self.text.get(within.span.clone()));
                        self.order_is_the_texts(word, span.clone(), within, &order.of);
                    }
                    found.order.push(Spanned { value: order, span });
                    false
                }
                _ if mode.is_none() && WINDOWS.contains(&word) => return Ok(()),
                _ if is_count(word) => {
                    let times = self.times()?;
                    let span = span.start..self.taken;
                    found.times.replace((times, span)).is_some()
                }
                _ => return self.wrong_modifier(mode.is_none()),
            };
            if repeated {
                let what = match is_count(word) {
                    true => "how often".to_owned(),
                    false => format!("`{word}`"),
                };
                self.error(
                    codes::REPEATED,
                    span,
                    format!("{what} is said twice"),
                    "said before",
                    Some(match is_count(word) {
                        true => "`maybe` means `x0..1`; keep one".to_owned(),
                        false => "keep one; conditions are joined by `and`".to_owned(),
                    }),
                );
            }
        }
    }

    /// `within`: what was written before `after`, as in `within 50ms after syn`.
    fn order_is_the_texts(&mut self, word: &str, span: Span, within: Option<&str>, of: &str) {
        let help = match within {
            Some(within) => format!("write `{within} of {of}`"),
            None => "move the step to its place, or write a statement such as `no RST after NAME`"
                .to_owned(),
        };
        self.error(
            codes::MODIFIER,
            span,
            format!("`{word}` belongs to the steps of `any order`"),
            "the steps of this block are in the order of the text",
            Some(help),
        );
    }

    /// What stands where a modifier could: nothing of ours, or a misspelt one.
    /// `alone`: the step stands in no block.
    pub(super) fn wrong_modifier(&mut self, alone: bool) -> Parsed<()> {
        let behind = self.peek_second();
        match self.peek() {
            Token::Word(word) if self.is_modifier_like(word) => {
                let span = self.peek_span();
                let help = match word {
                    "unless" | "if" | "when" | "with" => Some("write `where FILTER`".to_owned()),
                    "in" => Some(self.time_of_step(alone)),
                    "named" | "called" | "AS" => Some(match behind {
                        Token::Word(name) => format!("write `as {name}`"),
                        _ => "write `as NAME`".to_owned(),
                    }),
                    _ if habit::is_how_often(word) => {
                        Some("how often is written `x2` or `x1..3`".to_owned())
                    }
                    _ => match habit::count(word) {
                        Some(count) => Some(format!("write `{count}`")),
                        None => did_you_mean(nearest(word, MODIFIERS), ""),
                    },
                };
                self.error(
                    codes::EXPECTED,
                    span,
                    format!("`{word}` cannot follow a step"),
                    "expected `where`, `within`, `as`, `after_stop`, `x2`, or the step's end",
                    help,
                );
                Err(Reported)
            }
            Token::Symbol("<") if matches!(behind, Token::Word(word) if is_option(word)) => {
                Err(self.expected(
                    "the end of the step",
                    "TCP's options are fields: `where tcp.options.mss_val == 1460`",
                ))
            }
            Token::Symbol("<" | "<=" | "==") if self.at_duration() => {
                let help = self.time_of_step(alone);
                Err(self.expected("the end of the step", &help))
            }
            Token::Symbol("==" | "!=" | "<" | "<=" | ">" | ">=" | "~") if !alone => {
                Err(self.expected("the end of the step", "a condition stands behind `where`"))
            }
            Token::Word("or") | Token::Symbol("|" | "||") if alone => {
                Err(self.expected("the end of the step", STEP_EACH))
            }
            Token::Word(word) if alone && habit::joint(word).is_some() => {
                Err(self.expected("the end of the step", STEP_EACH))
            }
            Token::Text(_) => Err(self.expected(
                "the end of the step",
                "content belongs to `data` and `udp`: `data \"hello\"`",
            )),
            Token::Number(_) => Err(self.expected(
                "the end of the step",
                "how often is written `x2` or `x1..3`",
            )),
            Token::Word("or") => Err(self.expected("the end of the step", ALTERNATIVES)),
            Token::Symbol("|" | "||") if self.groups == 0 => {
                Err(self.expected("the end of the step", ALTERNATIVES))
            }
            Token::Symbol("(") => {
                Err(self.expected("the end of the step", "a condition stands behind `where`"))
            }
            _ => Ok(()),
        }
    }

    /// Behind the next token stands a time: `in 50ms`, `< 50ms`.
    pub(super) fn at_duration(&self) -> bool {
        matches!(self.peek_second(), Token::Number(text) if literal::duration(text).is_some())
    }

    /// How the time behind the next token is said of a step.
    fn time_of_step(&self, alone: bool) -> String {
        let time = match self.peek_second() {
            Token::Number(time) => time,
            _ => "50ms",
        };
        match alone {
            true => format!("a stretch of time is written `for {time} after FIN`"),
            false => format!("write `within {time}`"),
        }
    }

    /// A word that was meant as an addition to a step.
    pub(super) fn is_modifier_like(&self, word: &str) -> bool {
        matches!(
            word,
            "unless" | "if" | "when" | "with" | "named" | "called" | "AS"
        ) || (word == "in" && self.at_duration())
            || habit::is_how_often(word)
            || habit::count(word).is_some()
            || nearest(word, MODIFIERS).is_some_and(|near| near.len() > 2)
    }

    /// `x2`, `x1..3`, `x0..`.
    pub(super) fn times(&mut self) -> Parsed<Times> {
        let (token, span) = self.take();
        let start = span.start;
        let min = match token {
            Token::Word(word) => word.get(1..).and_then(|digits| digits.parse::<u32>().ok()),
            _ => None,
        };
        let mut max = min;
        if self.symbol("..") {
            max = match self.peek() {
                Token::Number(digits) => {
                    self.take();
                    match digits.parse() {
                        Ok(max) => Some(max),
                        Err(_) => return Err(self.bad_count(start..self.taken)),
                    }
                }
                _ => None,
            };
        }
        let (Some(min), false) = (min, max == Some(0)) else {
            return Err(self.bad_count(start..self.taken));
        };
        if max.is_some_and(|max| max < min) {
            return Err(self.bad_count(start..self.taken));
        }
        Ok(Times { min, max })
    }

    fn bad_count(&mut self, span: Span) -> Reported {
        self.error(
            codes::BAD_COUNT,
            span,
            "this count makes no sense",
            "expected `x2`, `x1..3` or `x0..`",
            Some("for something that must not happen, write `no` and the step".to_owned()),
        );
        Reported
    }

    /// `50ms`, `200ms..300ms`, `50ms of reply`, behind `within`.
    fn within(&mut self) -> Parsed<Within> {
        let start = self.peek_span().start;
        let mut least = None;
        let mut limit = self.moment_within(start)?;
        if self.symbol("..") {
            least = Some(limit);
            limit = self.moment_within(start)?;
        }
        if least.is_some_and(|least| least > limit) {
            self.error(
                codes::BAD_DURATION,
                start..self.taken,
                "this span ends before it begins",
                "the shorter time stands first",
                Some("as in `within 200ms..300ms`".to_owned()),
            );
        }
        let of = match self.word("of") {
            true => Some(self.earlier_step("as in `within 50ms of reply`")?),
            false => None,
        };
        Ok(Within {
            least: least.unwrap_or(0),
            limit,
            of,
        })
    }

    fn moment_within(&mut self, start: usize) -> Parsed<i64> {
        let Token::Number(text) = self.peek() else {
            return Err(self.expected("a span of time", "as in `within 50ms`"));
        };
        self.take();
        self.refuse_parted_unit(text, start)?;
        match literal::duration(text) {
            Some(span) => Ok(span),
            None => {
                self.bad_duration(start..self.taken, text);
                Err(Reported)
            }
        }
    }

    /// `50 ms`, of which the number was taken.
    pub(super) fn refuse_parted_unit(&mut self, number: &str, start: usize) -> Parsed<()> {
        let Token::Word(word) = self.peek() else {
            return Ok(());
        };
        if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Ok(());
        }
        if habit::unit(word).is_some() {
            self.take();
            self.bad_duration(start..self.taken, &format!("{number}{word}"));
            return Err(Reported);
        }
        match habit::size(word) {
            Some(unit) => {
                let help = format!("a unit follows without a space: `{number}{unit}`");
                Err(self.expected("the end of the number", &help))
            }
            None => Ok(()),
        }
    }

    pub(super) fn bad_duration(&mut self, span: Span, written: &str) {
        let number = written.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = written.get(number.len()..).unwrap_or_default();
        let help = match habit::unit(unit) {
            Some(right)
                if right == unit
                    && Number::parse(number).is_some()
                    && literal::duration(written).is_none() =>
            {
                self.error(
                    codes::BAD_DURATION,
                    span,
                    format!("`{written}` is too long a time"),
                    "too large",
                    Some("a span of time is 9000000000s at most".to_owned()),
                );
                return;
            }
            Some(unit) => format!("write `{number}{unit}`"),
            None if written.bytes().all(|b| b.is_ascii_digit()) => {
                format!("write `{written}ms` or `{written}s`")
            }
            None => "write `200us`, `50ms` or `1s`".to_owned(),
        };
        self.error(
            codes::BAD_DURATION,
            span,
            "this is no span of time",
            "expected a number with its unit",
            Some(help),
        );
    }

    /// The name of an earlier step.
    pub(super) fn earlier_step(&mut self, example: &str) -> Parsed<String> {
        let span = self.peek_span();
        let Token::Word(name) = self.peek() else {
            return Err(self.expected("the name of a step", example));
        };
        self.take();
        if self.visible.contains(name) {
            self.spoken_of.insert(name.to_owned());
        } else {
            self.unknown_step(name, span);
        }
        Ok(name.to_owned())
    }

    pub(super) fn unknown_step(&mut self, name: &str, span: Span) {
        let near = nearest(name, self.visible.iter().map(String::as_str)).map(str::to_owned);
        let listed: Vec<&str> = self.visible.iter().map(String::as_str).take(10).collect();
        let otherwise = match listed.is_empty() {
            true => "end an earlier step of a block with `as NAME`".to_owned(),
            false => format!("named before this: {}", listed.join(", ")),
        };
        self.error(
            codes::UNKNOWN_STEP,
            span,
            format!("no earlier step is named `{name}`"),
            "unknown name",
            did_you_mean(near.as_deref(), &otherwise),
        );
    }

    /// The name behind `as`.
    fn step_name(&mut self) -> Parsed<Spanned<String>> {
        let span = self.peek_span();
        let Token::Word(name) = self.peek() else {
            return Err(self.expected("a name", "as in `as reply`"));
        };
        self.take();
        if self.names.contains(name) {
            self.error(
                codes::DUPLICATE_NAME,
                span.clone(),
                format!("the name `{name}` is given twice"),
                "given before in this block",
                Some("each step of a block needs a name of its own".to_owned()),
            );
        } else if self.spoken_of.contains(name) {
            self.error(
                codes::DUPLICATE_NAME,
                span.clone(),
                format!("the name `{name}` means two steps in this block"),
                "a step before this speaks of another one",
                Some("take another word: this block speaks of an earlier block's step".to_owned()),
            );
        } else if name.contains(['.', '-']) || self.is_taken(name) {
            self.error(
                codes::BAD_NAME,
                span.clone(),
                format!("`{name}` cannot be a step's name"),
                match name.contains(['.', '-']) {
                    true => "has a sign that names do not have",
                    false => "means something else already",
                },
                Some(
                    "take letters and digits that are not a word of the language, a protocol, or a role: `reply`"
                        .to_owned(),
                ),
            );
        }
        self.names.insert(name.to_owned());
        Ok(Spanned {
            value: name.to_owned(),
            span,
        })
    }

    /// Roles, protocols and words of the language.
    fn is_taken(&self, name: &str) -> bool {
        const WORDS: [&str; 16] = [
            "from", "to", "of", "on", "not", "and", "or", "xor", "has", "in", "order", "all",
            "true", "false", "contains", "matches",
        ];
        self.is_end(name)
            || WORDS.contains(&name)
            || KEYWORDS.contains(&name)
            || FUNCTIONS.contains(&name)
            || is_event_word(name)
            || MODIFIERS.contains(&name)
            || WINDOWS.contains(&name)
            || is_count(name)
            || super::super::fields::lookup(name).is_some()
    }
}

/// TCP's options as packetdrill calls them: `<mss 1460>`.
fn is_option(word: &str) -> bool {
    matches!(
        word,
        "mss" | "nop" | "wscale" | "sackOK" | "sack" | "TS" | "eol" | "FO"
    )
}

/// `x` and digits.
pub(super) fn is_count(word: &str) -> bool {
    word.strip_prefix('x')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn build(
    ends: Option<StepEnds>,
    event: EventPattern,
    extra: Option<Spanned<Filter>>,
    modifiers: Modifiers,
) -> Step {
    let where_ = match (extra, modifiers.where_) {
        (Some(extra), Some(filter)) => Some(Spanned {
            span: filter.span,
            value: Filter::And(Box::new(extra.value), Box::new(filter.value)),
        }),
        (extra, filter) => extra.or(filter),
    };
    Step {
        ends,
        event,
        times: modifiers.times.map_or(Times::ONCE, |(times, _)| times),
        where_,
        within: modifiers.within,
        order: modifiers.order,
        name: modifiers.name,
        after_stop: modifiers.after_stop.is_some(),
    }
}
