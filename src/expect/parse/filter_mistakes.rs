//! What is wrong in a filter, and what was meant.

use super::super::ast::{Collection, FieldRef, Filter, FilterOp, Literal, Operand, Span};
use super::super::fields::{self, Field, Kind};
use super::super::lex::Token;
use super::super::{claim::fields as claim_fields, codes};
use super::filter::{is_searchable, is_written, operator};
use super::operand::{Side, Term};
use super::suggest::{did_you_mean, nearest, nearest_field};
use super::{Parsed, Parser, Reported, habit, literal};

impl Parser<'_> {
    /// `(tcp.flags & 0x12) == 0x12`, as in C.
    pub(super) fn no_comparison_of(&mut self, inner: &Filter, start: usize) -> Parsed<()> {
        let sign = match self.peek() {
            Token::Symbol(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => sign,
            _ => return Ok(()),
        };
        let group = self.text.get(start..self.taken).unwrap_or_default();
        let within = group
            .get(1..group.len().saturating_sub(1))
            .unwrap_or_default();
        let help = match inner {
            Filter::NotZero(_) => {
                format!(
                    "a calculation is put into `{{ }}`: `{{{}}} {sign} …`",
                    within.trim()
                )
            }
            _ => "round brackets are around conditions, which hold or do not".to_owned(),
        };
        Err(self.expected("the end of the condition", &help))
    }

    /// `1 < tcp.len < 20` is a chain, `tcp.len > 0 < 20` is none: what is in the middle
    /// has to be a field.
    pub(super) fn no_further_comparison(&mut self, left: &Term, right: &Term) -> Parsed<()> {
        let is_operator = match self.peek() {
            Token::Symbol(sign) => operator(sign).is_some(),
            Token::Word(word) => operator(word).is_some(),
            _ => false,
        };
        if !is_operator || left.kind().is_none() {
            return Ok(());
        }
        let written = |term: &Term| self.text.get(term.span.clone()).unwrap_or_default();
        let whole = self.text.get(left.span.start..right.span.end);
        let sign = self.text.get(self.peek_span()).unwrap_or_default();
        let help = format!(
            "conditions are joined by `and`: `{} and {} {sign} …`",
            whole.unwrap_or_default(),
            written(left)
        );
        Err(self.expected("the end of the comparison", &help))
    }

    /// A calculation on the left begins with a field, as in Wireshark: else it is mostly
    /// an `&` for `and`, and a comparison of something else than was meant.
    pub(super) fn begins_with_a_field(&mut self, left: &Term) -> Parsed<()> {
        let mut operand = match &left.side {
            Side::Known(operand) => operand,
            Side::Arithmetic(..) => return self.begins_with_a_constant(left),
            _ => return Ok(()),
        };
        while let Operand::Arithmetic { left: first, .. } = operand {
            operand = first;
            if matches!(operand, Operand::Literal(_)) {
                return self.begins_with_a_constant(left);
            }
        }
        Ok(())
    }

    pub(super) fn begins_with_a_constant(&mut self, left: &Term) -> Parsed<()> {
        let written = self.text.get(left.span.clone()).unwrap_or_default();
        let help = match written.contains('&') {
            true => {
                "conditions are joined by `and`; where the bits are meant, write the field first"
            }
            false => "write the field first",
        };
        self.error(
            codes::EXPECTED,
            left.span.clone(),
            format!("`{written}` begins with a constant"),
            "expected a field first",
            Some(help.to_owned()),
        );
        Err(Reported)
    }

    /// A bare boolean is always there. `http.request` is not: it exists in
    /// requests only.
    pub(super) fn lint_boolean(&mut self, field: &FieldRef) {
        let name = field.field.name;
        if field.field.kind == Kind::Bool && !name.starts_with("http.") {
            self.warning(
                codes::BARE_BOOLEAN,
                field.span.clone(),
                format!(
                    "`{name}` alone asks whether the packet has the field, not whether it is set"
                ),
                "true of every packet that has this header",
                Some(format!("write `{name} == 1`")),
            );
        }
    }

    /// `tcp.options.mss == 1460`, `frame contains 2024`: a number beside what is no number
    /// is read as bytes.
    pub(super) fn lint_digits(&mut self, field: &Field, sign: &str, digits: &str, span: Span) {
        let is_number = digits.bytes().all(|b| b.is_ascii_digit());
        if !matches!(field.kind, Kind::Protocol | Kind::Bytes) || !is_number {
            return;
        }
        let Some(Literal::Bytes(bytes)) = literal::unquoted(digits, field.kind, None) else {
            return;
        };
        let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = bytes.join(":");
        let number = number_inside(field.name);
        self.warning(
            codes::DIGITS,
            span,
            format!(
                "`{}` is no number: `{digits}` is read as the bytes {bytes}",
                field.name
            ),
            "bytes in hexadecimal, as in Wireshark",
            Some(match number {
                Some(number) => format!("write `{number} {sign} {digits}`"),
                None => format!(
                    "where these bytes are meant, write `{0} {sign} {bytes}`, where the text is, `{0} {sign} \"{digits}\"`",
                    field.name
                ),
            }),
        );
    }

    pub(super) fn unknown_field(&mut self, name: &str, span: Span) {
        let has = |collection| {
            claim_fields::collection_fields(collection).any(|(member, ..)| *member == name)
        };
        let of = match (has(Collection::Tcp), has(Collection::Udp)) {
            (true, _) => Some("tcp"),
            (false, true) => Some("udp"),
            (false, false) => None,
        };
        let is_member = of.is_some();
        let is_comment = ["frame.comment", "pkt_comment"].contains(&name);
        let otherwise = if is_comment {
            "comments are what somebody wrote beside a packet, and no evidence: ask for what was captured".to_owned()
        } else if let Some(of) = of {
            format!(
                "`{name}` belongs to a conversation: `each {of}[] has {name} == …`, `{of}[0].{name} == …`"
            )
        } else {
            "fields are spelled as in Wireshark, such as tcp.port, udp.length, http.response.code"
                .to_owned()
        };
        // `no retransmissions` was meant as an event.
        let event = nearest(name, super::event::PLAIN);
        let field = nearest_field(name).filter(|_| !is_member && !is_comment);
        let near = event.or(field);
        self.error(
            codes::UNKNOWN_FIELD,
            span,
            format!("unknown field `{name}`"),
            "no packet has this field",
            did_you_mean(near, &otherwise),
        );
    }

    pub(super) fn no_field(&mut self, left: Term) -> Parsed<Filter> {
        match left.side {
            Side::Bare(word) if !is_written(&word) => self.unknown_field(&word, left.span),
            _ => self.error(
                codes::EXPECTED,
                left.span,
                "neither side of the comparison is a field",
                "expected a field",
                Some("fields are spelled as in Wireshark, such as tcp.port".to_owned()),
            ),
        }
        Err(Reported)
    }

    /// A value that was meant as a field: it begins like one.
    pub(super) fn looks_like_field(&self, word: &str) -> bool {
        let first = word.split('.').next().unwrap_or_default();
        word.contains('.') && fields::lookup(first).is_some()
    }

    pub(super) fn wrong_literal(
        &mut self,
        side: &Side,
        kind: Kind,
        field: Option<&'static Field>,
        span: Span,
    ) {
        let written = self.text.get(span.clone()).unwrap_or_default().to_owned();
        if let Side::Bare(word) = side
            && self.looks_like_field(word)
        {
            return self.unknown_field(&written, span);
        }
        let quoted = matches!(side, Side::Text(_));
        let bare = written.trim_matches('"');
        let negative = bare.starts_with('-') && literal::integer(bare).is_some();
        let help = match kind {
            Kind::Time if literal::duration(&written).is_some() => {
                literal::duration(&written).map(|nanoseconds| {
                    format!("filters write seconds: `{}`", nanoseconds as f64 / 1e9)
                })
            }
            Kind::Label => Some("it is written alone".to_owned()),
            _ if self.names.contains(bare) => {
                let name = field.map_or("tcp.seq", |field| field.name);
                Some(format!("of the step's packet: `{bare}.{name}`"))
            }
            Kind::Unsigned(_) if negative => Some("the field is never negative".to_owned()),
            Kind::Unsigned(_) if bare.parse::<u64>().is_ok() => {
                Some("write a number without quotes that fits the field".to_owned())
            }
            Kind::Unsigned(_) | Kind::Signed(_) if !quoted && range(bare).is_some() => {
                range(bare).map(|(from, to)| format!("a range is written `{from}..{to}`"))
            }
            Kind::Unsigned(_) | Kind::Signed(_) if bare.contains('-') && !quoted => {
                Some("a minus sign stands behind a space".to_owned())
            }
            Kind::Unsigned(_) | Kind::Bool => literal::names(field),
            Kind::Ipv4 | Kind::Ipv6 if quoted => Some("write an address without quotes".to_owned()),
            Kind::Ipv4 | Kind::Ipv6 if self.roles.iter().any(|role| role == bare) => {
                let end = match field.is_some_and(|field| field.name.contains("dst")) {
                    true => "to",
                    false => "from",
                };
                Some(format!("a program's end is asked for by `{end} == {bare}`"))
            }
            Kind::Ipv4 | Kind::Ipv6
                if bare.starts_with(|c: char| c.is_ascii_alphabetic()) && !bare.contains(':') =>
            {
                Some("names of hosts are not looked up: write the address".to_owned())
            }
            Kind::Ipv4 | Kind::Ipv6 => Some(literal::not_an_address(bare, kind)),
            Kind::Bytes | Kind::Protocol => Some(bytes_meant(field, bare)),
            _ => None,
        };
        let help = help.or_else(|| match kind {
            Kind::Unsigned(_) | Kind::Signed(_) | Kind::Bool => number_meant(field, bare),
            _ => None,
        });
        let help = help.unwrap_or_else(|| match field {
            Some(field) => format!("as in `{} == {}`", field.name, literal::sample(kind)),
            None => format!("write {}", literal::example(kind)),
        });
        let what = match field {
            Some(field) => format!("`{}` ({})", field.name, kind.words()),
            None => format!("this ({})", kind.words()),
        };
        self.error(
            codes::WRONG_LITERAL,
            span,
            format!("{what} cannot be compared with {written}"),
            format!("expected {}", literal::example(kind)),
            Some(help),
        );
    }

    pub(super) fn check_op(
        &mut self,
        term: &Term,
        kind: Kind,
        op: FilterOp,
        span: Span,
    ) -> Parsed<()> {
        let label = match op {
            _ if kind == Kind::Label => "a mark is there or it is not",
            FilterOp::Contains if !is_searchable(kind) && kind != Kind::Ether => {
                "`contains` looks into text and bytes"
            }
            FilterOp::Matches if !is_searchable(kind) => "`matches` looks into text and bytes",
            _ => return Ok(()),
        };
        let written = self.text.get(term.span.clone()).unwrap_or_default();
        let message = format!("`{written}` is a {}", kind.words());
        let number = matches!(kind, Kind::Unsigned(_) | Kind::Signed(_));
        let help = match kind {
            Kind::Label => Some(format!("write `{written}` alone, or `not {written}`")),
            _ if number || matches!(kind, Kind::Ipv4 | Kind::Ipv6 | Kind::Ether) => {
                Some(format!("`string({written})` is its text"))
            }
            _ => None,
        };
        self.error(codes::WRONG_OPERATOR, span, message, label, help);
        Err(Reported)
    }
}

/// The field with the number that an option of TCP has inside.
fn number_inside(option: &str) -> Option<&'static str> {
    Some(match option {
        "tcp.options.mss" => "tcp.options.mss_val",
        "tcp.options.wscale" => "tcp.options.wscale.shift",
        "tcp.options.timestamp" => "tcp.options.timestamp.tsval",
        "tcp.options.sack" => "tcp.options.sack.count",
        _ => return None,
    })
}

/// `tcp.options.mss == 536`, `tcp.payload[0] == 104`, `tcp.payload contains 0x6865`.
fn bytes_meant(field: Option<&Field>, bare: &str) -> String {
    let digits = bare.strip_prefix("0x").filter(|digits| !digits.is_empty());
    if let Some(digits) = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())) {
        let digits = match digits.len() % 2 {
            0 => digits.to_owned(),
            _ => format!("0{digits}"),
        };
        let bytes: Vec<String> = digits
            .as_bytes()
            .chunks(2)
            .map(|byte| String::from_utf8_lossy(byte).into_owned())
            .collect();
        return format!("bytes are written `{}`", bytes.join(":"));
    }
    let number = field.and_then(|field| number_inside(field.name));
    match (bare.parse::<u8>(), number) {
        (Ok(_), Some(number)) => format!("its number is `{number}`"),
        (Ok(byte), None) => {
            format!(
                "bytes are hexadecimal: {byte} is `{byte:02x}`; text stands in quotes: `\"{bare}\"`"
            )
        }
        (Err(_), Some(number)) if bare.bytes().all(|b| b.is_ascii_digit()) => {
            format!("its number is `{number}`")
        }
        _ => format!("text stands in quotes: `\"{bare}\"`"),
    }
}

/// What was meant by a word where a number stands: a size, a class of status codes, a
/// flag.
fn number_meant(field: Option<&Field>, word: &str) -> Option<String> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = word.get(digits.len()..).and_then(habit::size);
    let bytes = unit.and_then(|unit| literal::size(&format!("{digits}{unit}")));
    if let Some(bytes) = bytes {
        return Some(format!("filters count bytes: write `{bytes}`"));
    }
    if literal::duration(word).is_some() {
        return Some("a number has no unit".to_owned());
    }
    let name = field?.name;
    if let Some((first, last)) = habit::class_of_codes(word) {
        return Some(format!("write `{name} in {{{first}..{last}}}`"));
    }
    let flag = match word.to_ascii_lowercase().as_str() {
        "rst" => "reset".to_owned(),
        "psh" => "push".to_owned(),
        flag => flag.to_owned(),
    };
    let flag = fields::lookup(&format!("{name}.{flag}"))?;
    Some(format!("each flag is a field: `{} == 1`", flag.name))
}

/// `8000-8080`.
fn range(text: &str) -> Option<(&str, &str)> {
    let (from, to) = text.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(from) && is_number(to)).then_some((from, to))
}
