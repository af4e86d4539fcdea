//! Comparisons over the whole trace.

use super::super::ast::{Claim, Collection, Function, JsonPath, Op, Regex, Span, Spanned, Value};
use super::super::claim::fields::{self as claim_fields, FieldKind};
use super::super::codes;
use super::super::lex::Token;
use super::super::number::Number;
use super::compared::kind_of;
use super::statement::collection;
use super::suggest::{did_you_mean, nearest, nearest_member};
use super::{Parsed, Parser, Reported, literal};

pub(super) const FUNCTIONS: [&str; 9] = [
    "packets", "stream", "upper", "lower", "trim", "len", "sha256", "json", "file",
];

const VALUES: &str = "values are numbers, strings, packets(…), stream(a > b), tcp[0].state, \
     http[0].response.code, client.exit, upper(…), lower(…), trim(…), len(…), sha256(…), \
     json(…, \"$.name\"), file(\"…\")";

/// Why a comparison is true, or false, of every capture.
fn demands_nothing(left: &Value, op: Op, right: &Value) -> Option<&'static str> {
    if is_constant(left) && is_constant(right) {
        return Some("two values that are written here");
    }
    match (left, op, right) {
        (_, Op::Contains, Value::Text(text)) if text.is_empty() => {
            Some("every text contains the empty one")
        }
        (Value::Packets(which), _, Value::Number(number)) if which.window.is_none() => {
            let never = number.whole().is_none_or(|number| number < 0);
            let always = op == Op::Ge && number.whole() == Some(0);
            (never || always).then_some("packets are counted from 0")
        }
        _ => None,
    }
}

fn is_constant(value: &Value) -> bool {
    matches!(
        value,
        Value::Number(_) | Value::Duration(_) | Value::Bool(_) | Value::Text(_) | Value::Regex(_)
    )
}

impl<'t> Parser<'t> {
    /// `or` binds least, then `and`, then `not`.
    pub(super) fn claim(&mut self) -> Parsed<Claim> {
        let mut left = self.claim_and()?;
        while self.word("or") || self.symbol("||") {
            self.joint()?;
            left = Claim::Or(Box::new(left), Box::new(self.claim_and()?));
        }
        Ok(left)
    }

    fn claim_and(&mut self) -> Parsed<Claim> {
        let mut left = self.claim_not()?;
        while self.word("and") || self.symbol("&&") {
            self.joint()?;
            left = Claim::And(Box::new(left), Box::new(self.claim_not()?));
        }
        Ok(left)
    }

    fn claim_not(&mut self) -> Parsed<Claim> {
        if self.word("not") || self.symbol("!") {
            self.deeper()?;
            let inner = self.claim_not();
            self.shallower();
            return Ok(Claim::Not(Box::new(inner?)));
        }
        if self.at_symbol("(") {
            self.deeper()?;
            let opened = self.open("(", "")?;
            let inner = self.claim();
            self.shallower();
            let inner = inner?;
            self.close(")", opened)?;
            return Ok(inner);
        }
        self.compare()
    }

    fn compare(&mut self) -> Parsed<Claim> {
        let left = self.value()?;
        let op = self.claim_op()?;
        self.skip_newlines();
        self.refuse_bare_word(&left)?;
        let right = match op.value {
            Op::Matches => self.regex_value()?,
            _ => self.value()?,
        };
        self.check_types(&left, &op, &right)?;
        let span = left.span.start..right.span.end;
        // A value that is wrong was replaced by some other.
        let is_sound = !self.found.iter().any(|d| span.contains(&d.span.start));
        if is_sound && let Some(label) = demands_nothing(&left.value, op.value, &right.value) {
            let written = self.text.get(span.clone()).unwrap_or_default();
            let message = format!("`{written}` does not depend on the capture");
            let help = "say what must be seen in it, such as `packets(RST) == 0`".to_owned();
            self.error(codes::EMPTY, span, message, label, Some(help));
            return Err(Reported);
        }
        Ok(Claim::Compare { left, op, right })
    }

    fn claim_op(&mut self) -> Parsed<Spanned<Op>> {
        let span = self.peek_span();
        let op = match self.peek() {
            Token::Symbol("==") => Op::Eq,
            Token::Symbol("!=") => Op::Ne,
            Token::Symbol("<") => Op::Lt,
            Token::Symbol("<=") => Op::Le,
            Token::Symbol(">") => Op::Gt,
            Token::Symbol(">=") => Op::Ge,
            Token::Symbol("~") => Op::Matches,
            Token::Word("contains") => Op::Contains,
            Token::Symbol("=") if self.peek_second() == Token::Symbol("~") => {
                return Err(self.expected("a comparison", "write `~`, as in `~ /^hel+o/`"));
            }
            Token::Symbol("=") => {
                self.expected("`==`", "");
                Op::Eq
            }
            Token::Word("matches") => {
                return Err(self.expected(
                    "a comparison",
                    "a regular expression is written `~ /…/` outside filters",
                ));
            }
            Token::Word("in") => {
                return Err(self.expected(
                    "a comparison",
                    "sets belong to filters; here write `A == 1 or A == 2`",
                ));
            }
            Token::Word("is" | "equals" | "eq" | "be") => {
                return Err(self.expected("a comparison", "write `==`"));
            }
            Token::Word("like" | "includes") => {
                return Err(self.expected("a comparison", "write `contains \"…\"` or `~ /…/`"));
            }
            Token::Symbol("<>") => return Err(self.expected("a comparison", "write `!=`")),
            Token::Symbol("=>") => return Err(self.expected("a comparison", "write `>=`")),
            _ => {
                return Err(self.expected(
                    "a comparison",
                    "such as `== 2`, `!= 0`, `contains \"…\"` or `~ /…/`",
                ));
            }
        };
        self.take();
        Ok(Spanned { value: op, span })
    }

    fn regex_value(&mut self) -> Parsed<Spanned<Value>> {
        let start = self.peek_span().start;
        let regex = self.slashed_regex()?;
        Ok(Spanned {
            value: Value::Regex(Regex {
                written: regex.as_str().as_bytes().to_vec(),
                compiled: regex,
            }),
            span: start..self.taken,
        })
    }

    /// A value is next, or a word that was meant as one.
    pub(super) fn at_value(&self) -> bool {
        let Token::Word(word) = self.peek() else {
            return true;
        };
        let behind = self.peek_second();
        let called = behind == Token::Symbol("(");
        let indexed = behind == Token::Symbol("[");
        let compared = matches!(behind, Token::Symbol("==" | "!=" | "=" | "<=" | ">=" | "~"))
            || behind == Token::Word("contains");
        called
            || indexed
            || compared
            || word.contains('.')
            || matches!(word, "not" | "true" | "false")
    }

    fn value(&mut self) -> Parsed<Spanned<Value>> {
        let start = self.peek_span().start;
        let value = match self.peek() {
            Token::Text(bytes) => {
                self.take();
                Value::Text(bytes)
            }
            Token::Number(_) | Token::Symbol("-") => self.number()?,
            Token::Word(word) => self.word_value(word)?,
            _ => return Err(self.expected("a value", VALUES)),
        };
        Ok(Spanned {
            value,
            span: start..self.taken,
        })
    }

    /// `2`, `-1`, `1.5`, `50ms`.
    fn number(&mut self) -> Parsed<Value> {
        let start = self.peek_span().start;
        let negative = self.symbol("-");
        let Token::Number(text) = self.peek() else {
            return Err(self.expected("a number", "a minus sign stands before a number: `-1`"));
        };
        self.take();
        self.refuse_parted_unit(text, start)?;
        let sign = if negative { -1 } else { 1 };
        if let Some(nanoseconds) = literal::duration(text) {
            return Ok(Value::Duration(sign * nanoseconds));
        }
        let whole = literal::integer(text).or_else(|| literal::size(text));
        let number = whole.map(Number::from).or_else(|| Number::parse(text));
        match number {
            Some(number) if number.is_tiny() => {
                self.out_of_range(start..self.taken);
                Err(Reported)
            }
            Some(number) if negative => Ok(Value::Number(-number)),
            Some(number) => Ok(Value::Number(number)),
            None => {
                let units = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
                let code = match units.len() <= 4 && !units.is_empty() {
                    true => codes::BAD_DURATION,
                    false => codes::EXPECTED,
                };
                if super::habit::unit(units).is_some() {
                    self.bad_duration(start..self.taken, text);
                    return Err(Reported);
                }
                let help = match super::habit::size(units) {
                    Some(unit) => {
                        let figures = text.trim_end_matches(units);
                        format!("write `{figures}{unit}`")
                    }
                    None => "a number is of digits alone; text stands in quotes".to_owned(),
                };
                self.error(
                    code,
                    start..self.taken,
                    format!("`{text}` is no number"),
                    "expected a number, a span of time such as `50ms`, or a size such as `64KiB`",
                    Some(help),
                );
                Err(Reported)
            }
        }
    }

    pub(super) fn out_of_range(&mut self, span: Span) {
        let written = self.text.get(span.clone()).unwrap_or_default();
        self.error(
            codes::OUT_OF_RANGE,
            span,
            format!("no value here is ever `{written}`"),
            "too large, or too close to zero",
            Some("counts and sizes are whole numbers up to 18446744073709551615".to_owned()),
        );
    }

    fn word_value(&mut self, word: &'t str) -> Parsed<Value> {
        let span = self.peek_span();
        match word {
            "true" | "false" => {
                self.take();
                return Ok(Value::Bool(word == "true"));
            }
            _ if FUNCTIONS.contains(&word) && self.peek_second() == Token::Symbol("(") => {
                return self.call(word);
            }
            _ => {}
        }
        if let Some(collection) = collection(word)
            && self.peek_second() == Token::Symbol("[")
        {
            return self.member(collection);
        }
        if self.peek_second() == Token::Symbol("(") {
            if collection(word).is_some() {
                return Err(self.index_in_round_brackets(word, span));
            }
            self.error(
                codes::EXPECTED,
                span,
                format!("no function is called `{word}`"),
                "unknown function",
                did_you_mean(
                    Some("packets")
                        .filter(|_| word == "count")
                        .or_else(|| nearest(word, FUNCTIONS)),
                    VALUES,
                ),
            );
            return Err(Reported);
        }
        self.take();
        let path: Vec<String> = word.split('.').map(str::to_owned).collect();
        if let Some(collection) = self.subject {
            self.refuse_header_in_brackets(word, &span)?;
            let own = claim_fields::collection_field(collection, &path).is_some();
            if own || !self.begins_with_role(&path) {
                self.check_member(collection, &path, span);
                return Ok(Value::Own(path));
            }
        }
        self.program(path, span)
    }

    fn begins_with_role(&self, path: &[String]) -> bool {
        path.len() > 1 && path.first().is_some_and(|first| self.roles.contains(first))
    }

    fn call(&mut self, name: &str) -> Parsed<Value> {
        self.take();
        self.deeper()?;
        let value = self.called(name);
        self.shallower();
        value
    }

    fn called(&mut self, name: &str) -> Parsed<Value> {
        let opened = self.open("(", "")?;
        let parentheses = self.parentheses;
        let value = match name {
            "packets" => match self.selection("`packets`") {
                Ok(selection) => Value::Packets(Box::new(selection)),
                // A number all the same: what stands behind it has its own mistakes.
                Err(Reported) => {
                    self.parentheses = parentheses;
                    self.skip_to_close()?;
                    Value::Number(Number::default())
                }
            },
            "stream" => {
                let start = self.peek_span().start;
                if self.peek_second() == Token::Symbol(",") {
                    self.take();
                    return Err(self.expected("`>`", "as in `stream(client > server)`"));
                }
                let ends = self.step_ends()?;
                if ends.either_way {
                    self.error(
                        codes::EXPECTED,
                        start..self.taken,
                        "a stream goes one way",
                        "expected `>`",
                        Some("write `stream(client > server)`".to_owned()),
                    );
                }
                Value::Stream(Box::new(ends))
            }
            "file" => match self.text_token() {
                Some(path) => Value::File(String::from_utf8_lossy(&path).into_owned()),
                None => {
                    return Err(self.expected("a path in quotes", "as in `file(\"www/a.html\")`"));
                }
            },
            "json" => {
                let text = Box::new(self.text_value(name)?);
                if !self.symbol(",") {
                    return Err(self.expected("`,` and a path", "as in `json(…, \"$.name\")`"));
                }
                self.skip_newlines();
                Value::Json {
                    text,
                    path: self.json_path()?,
                }
            }
            _ => Value::Call {
                function: match name {
                    "upper" => Function::Upper,
                    "lower" => Function::Lower,
                    "trim" => Function::Trim,
                    "sha256" => Function::Sha256,
                    _ => Function::Len,
                },
                argument: Box::new(self.text_value(name)?),
            },
        };
        self.close(")", opened)?;
        Ok(value)
    }

    /// Goes on before the `)` that closes what was opened last; not beyond the
    /// statement.
    fn skip_to_close(&mut self) -> Parsed<()> {
        let mut open = 0usize;
        loop {
            match self.peek() {
                Token::Symbol(")") if open == 0 => return Ok(()),
                Token::Symbol(")") => open -= 1,
                Token::Symbol("(") => open += 1,
                next if next.ends_statement() => return Err(Reported),
                _ => {}
            }
            self.take();
        }
    }

    /// `"$.items[0].name"`.
    fn json_path(&mut self) -> Parsed<JsonPath> {
        let span = self.peek_span();
        let text = self.text_token();
        let Some(text) = text.and_then(|text| String::from_utf8(text).ok()) else {
            return Err(self.expected("a path in quotes", "as in `\"$.items[0].name\"`"));
        };
        JsonPath::parse(&text).map_err(|bad| {
            let message = match text.get(..bad.at) {
                Some(behind) if bad.at > 0 => format!("this path cannot be read behind `{behind}`"),
                _ => "this path does not begin with `$`".to_owned(),
            };
            let help = match JsonPath::parse(&format!("$.{text}")) {
                Ok(meant) if bad.at == 0 => format!("write `\"{meant}\"`"),
                _ => "a path names one value (RFC 9535, singular queries): `$.name`, `$['a b']`, `$[0]`, `$[-1]`".to_owned(),
            };
            self.error(
                codes::JSON_PATH,
                span,
                message,
                format!("expected {}", bad.expected),
                Some(help),
            );
            Reported
        })
    }

    /// The argument of a function on text.
    fn text_value(&mut self, function: &str) -> Parsed<Spanned<Value>> {
        let argument = self.value()?;
        if kind_of(&argument.value, self.subject).is_some_and(|kind| kind != FieldKind::Text) {
            self.error(
                codes::TYPES,
                argument.span.clone(),
                format!("`{function}` takes text"),
                "is no text",
                Some(format!("as in `{function}(client.stdout)`")),
            );
        }
        Ok(argument)
    }

    /// `tcp[0].state`.
    fn member(&mut self, collection: Collection) -> Parsed<Value> {
        self.take();
        let opened = self.open("[", "")?;
        let index = self.index()?;
        self.close("]", opened)?;
        if !self.symbol(".") {
            return Err(self.expected("`.` and a name", "as in `tcp[0].state`"));
        }
        let span = self.peek_span();
        let Token::Word(word) = self.peek() else {
            return Err(self.expected("a name", "as in `tcp[0].state`"));
        };
        self.take();
        self.refuse_header_in_brackets(word, &span)?;
        let path: Vec<String> = word.split('.').map(str::to_owned).collect();
        self.check_member(collection, &path, span);
        Ok(Value::Member {
            collection,
            index,
            path,
        })
    }

    /// `tcp(0).state`.
    fn index_in_round_brackets(&mut self, word: &str, span: Span) -> Reported {
        let opened = self.lexed(span.end).span;
        let number = self.lexed(opened.end);
        let index = match number.token {
            Token::Number(index) => index,
            _ => "0",
        };
        let closed = self.lexed(number.span.end);
        let end = match closed.token {
            Token::Symbol(")") => closed.span.end,
            _ => opened.end,
        };
        self.error(
            codes::EXPECTED,
            span.start..end,
            "the number of a conversation or message stands in square brackets",
            "round brackets",
            Some(format!("write `{word}[{index}]`")),
        );
        Reported
    }

    /// `response.headers["Content-Type"]`, of which the word was taken.
    fn refuse_header_in_brackets(&mut self, word: &str, span: &Span) -> Parsed<()> {
        let side = word.strip_suffix(".headers");
        let side = side.or_else(|| word.strip_suffix(".header"));
        let (Some(side), true) = (side, self.at_symbol("[")) else {
            return Ok(());
        };
        self.take();
        let name = self.text_token().unwrap_or_else(|| b"NAME".to_vec());
        self.symbol("]");
        self.error(
            codes::UNKNOWN_MEMBER,
            span.start..self.taken,
            "a header's name stands behind a dot",
            "no brackets here",
            Some(format!(
                "write `{side}.headers.{}`",
                String::from_utf8_lossy(&name).escape_debug()
            )),
        );
        Err(Reported)
    }

    /// A number in square brackets.
    pub(super) fn index(&mut self) -> Parsed<u32> {
        let span = self.peek_span();
        let Token::Number(digits) = self.peek() else {
            return Err(self.expected("a number, counted from 0", "as in `tcp[0]`"));
        };
        self.take();
        match digits.parse() {
            Ok(index) => Ok(index),
            Err(_) => {
                self.error(
                    codes::OUT_OF_RANGE,
                    span,
                    format!("`{digits}` is no index"),
                    "expected a whole number, counted from 0",
                    Some("as in `tcp[0]`".to_owned()),
                );
                Ok(0)
            }
        }
    }

    fn check_member(&mut self, collection: Collection, path: &[String], span: Span) {
        if claim_fields::collection_field(collection, path).is_some() {
            return;
        }
        let what = match collection {
            Collection::Tcp => "TCP conversations",
            Collection::Udp => "UDP conversations",
            Collection::Http => "HTTP messages",
        };
        let names = claim_fields::collection_fields(collection).map(|(name, ..)| *name);
        let headers: &[&str] = match collection {
            Collection::Http => &["request.headers.NAME", "response.headers.NAME"],
            Collection::Tcp | Collection::Udp => &[],
        };
        let known = names.chain(headers.iter().copied()).collect();
        self.unknown_member(&path.join("."), what, span, known);
    }

    fn unknown_member(&mut self, name: &str, what: &str, span: Span, known: Vec<&'static str>) {
        let listed = format!("known are {}", known.join(", "));
        let help = match (name.split_once(".body."), header_of(name)) {
            (Some((side, path)), _) => Some(format!(
                "a part of a JSON body is `json(http[0].{side}.body, \"$.{}\")`",
                path.trim_start_matches("json.")
            )),
            (None, Some((side, header))) => Some(format!("write `{side}.headers.{header}`")),
            (None, None) => did_you_mean(nearest_member(name, &known), &listed),
        };
        self.error(
            codes::UNKNOWN_MEMBER,
            span,
            format!("{what} have no `{name}`"),
            "unknown name",
            help,
        );
    }

    /// `client.exit`.
    fn program(&mut self, path: Vec<String>, span: Span) -> Parsed<Value> {
        let mut path = path.into_iter();
        let role = path.next().unwrap_or_default();
        let path: Vec<String> = path.collect();
        let role_span = span.start..span.start + role.len();
        let known = self.roles.contains(&role);
        if path.is_empty() {
            let help = if known {
                format!("say what of it: `{role}.exit`, `{role}.stdout`, …")
            } else if FUNCTIONS.contains(&role.as_str()) {
                format!("what it is of stands in brackets: `{role}(…)`")
            } else if super::event::is_event_word(&role) {
                format!("`{role}` is an event: write `no {role}`, or count with `packets({role})`")
            } else {
                format!("text stands in quotes: `\"{role}\"`")
            };
            self.error(
                codes::EXPECTED,
                span,
                format!("`{role}` is no value"),
                "expected a value",
                Some(help),
            );
            return Err(Reported);
        }
        if !known {
            let written = format!("{role}.{}", path.join("."));
            // Who writes a field of packets needs another hint than who
            // misspells a role.
            if super::super::fields::lookup(&role).is_some() {
                self.field_without_packet(&written, span);
                return Err(Reported);
            }
            self.unknown_role(&role, role_span.clone());
        }
        if claim_fields::program_field(&path).is_none() {
            let names = claim_fields::program_fields()
                .map(|(name, ..)| *name)
                .collect();
            self.unknown_member(
                &path.join("."),
                "programs",
                role_span.end + 1..span.end,
                names,
            );
        }
        Ok(Value::Program { role, path })
    }

    /// `udp.length == 13` as a statement's value.
    fn field_without_packet(&mut self, written: &str, span: Span) {
        if super::super::fields::lookup(written).is_none() {
            self.field_without_index(written, span);
            return;
        }
        self.error(
            codes::FILTER_OUTSIDE,
            span,
            format!("`{written}` belongs to a packet, and no packet is named"),
            "of which packet?",
            Some(format!(
                "write `packets({written} == …) == 1` or `each udp has {written} == …`"
            )),
        );
    }

    /// `tcp.state`: neither a packet's field nor a conversation's.
    fn field_without_index(&mut self, written: &str, span: Span) {
        let path: Vec<String> = written.split('.').map(str::to_owned).collect();
        let Some((first, member)) = path.split_first() else {
            return;
        };
        let is_member =
            collection(first).is_some_and(|c| claim_fields::collection_field(c, member).is_some());
        if !is_member {
            self.unknown_field(written, span);
            return;
        }
        let member = member.join(".");
        self.error(
            codes::EXPECTED,
            span,
            format!("`{written}` does not say which one"),
            "of which one?",
            Some(format!(
                "write `{first}[0].{member}`, or `each {first}[] has {member} …`"
            )),
        );
    }
}

/// `response.header.Host`: the side, and the header that was meant.
fn header_of(name: &str) -> Option<(&str, &str)> {
    let mut parts = name.splitn(3, '.');
    let side = parts
        .next()
        .filter(|side| matches!(*side, "request" | "response"))?;
    nearest(parts.next()?, ["headers", "header"])?;
    Some((side, parts.next().unwrap_or("NAME")))
}
