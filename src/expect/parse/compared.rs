//! What may be compared: the kinds of two values, their ranges, and words that
//! never are a field's.

use super::super::ast::{Collection, Function, Op, Spanned, Value};
use super::super::claim::fields::{self as claim_fields, FieldKind};
use super::super::codes;
use super::super::lex::Token;
use super::super::number::Number;
use super::habit;
use super::suggest::nearest;
use super::{Parsed, Parser, Reported};

impl Parser<'_> {
    /// Reports what cannot be compared, or never is what it is compared with.
    pub(super) fn check_types(
        &mut self,
        left: &Spanned<Value>,
        op: &Spanned<Op>,
        right: &Spanned<Value>,
    ) -> Parsed<()> {
        let (Some(a), Some(b)) = (
            kind_of(&left.value, self.subject),
            kind_of(&right.value, self.subject),
        ) else {
            return Ok(());
        };
        let searching = matches!(op.value, Op::Contains | Op::Matches);
        let ordering = matches!(op.value, Op::Lt | Op::Le | Op::Gt | Op::Ge);
        let without_unit = self.without_unit(left, right);
        let (span, message, label, help) = if a != b {
            let help = match (a, b) {
                (FieldKind::Number, FieldKind::Text) => match &right.value {
                    Value::Text(name) => signal(name).unwrap_or("write the number without quotes"),
                    _ => "the length of a text is a number: `len(…)`",
                },
                (FieldKind::Text, FieldKind::Number) => "text stands in quotes",
                (FieldKind::Duration, FieldKind::Number) => "a span of time has a unit: `50ms`",
                (FieldKind::Number, FieldKind::Duration) => without_unit.as_str(),
                (FieldKind::Text, _) => "compare it with a text in quotes",
                (FieldKind::Number, _) => "compare it with a number, such as `2`",
                (FieldKind::Bool, _) => "write `true` or `false`",
                (FieldKind::Duration, _) => "compare it with a span of time, such as `50ms`",
            };
            let message = format!("{} is compared with {}", words(a), words(b));
            (
                right.span.clone(),
                message,
                format!("expected {}", words(a)),
                help,
            )
        } else if searching && a != FieldKind::Text {
            let message = format!("{} cannot be searched", words(a));
            (
                op.span.clone(),
                message,
                "looks into text".to_owned(),
                "compare with `==`",
            )
        } else if ordering && matches!(a, FieldKind::Text | FieldKind::Bool) {
            let message = format!("{} is neither more nor less", words(a));
            (
                op.span.clone(),
                message,
                "compares amounts".to_owned(),
                "compare with `==` or `!=`",
            )
        } else {
            self.check_range(left);
            self.check_range(right);
            if matches!(op.value, Op::Eq | Op::Ne) {
                self.check_value(left, right);
                self.check_value(right, left);
            }
            return Ok(());
        };
        self.error(codes::TYPES, span, message, label, Some(help.to_owned()));
        Err(Reported)
    }

    /// A word alone that stands right of a comparison, `== client`: a text without its
    /// quotes, or none of what `left` may be.
    pub(super) fn refuse_bare_word(&mut self, left: &Spanned<Value>) -> Parsed<()> {
        let span = self.peek_span();
        let next = self.peek_second();
        let word = match self.peek() {
            Token::Word(word) if !matches!(next, Token::Symbol("(" | "[")) => word,
            Token::Number(word) if habit::class_of_codes(word).is_some() => word,
            _ => return Ok(()),
        };
        let Some(kind) = kind_of(&left.value, self.subject) else {
            return Ok(());
        };
        let is_own = |collection| claim_fields::collection_field(collection, &[word.to_owned()]);
        if word.contains('.')
            || matches!(word, "true" | "false")
            || self
                .subject
                .is_some_and(|subject| is_own(subject).is_some())
        {
            return Ok(());
        }
        let written = self.text.get(left.span.clone()).unwrap_or_default();
        let lower = word.to_ascii_lowercase();
        let help = match (kind, habit::class_of_codes(word)) {
            (FieldKind::Text, _) => match self.values_of(&left.value) {
                Some(values) if !values.contains(&word) => {
                    match nearest(word, values.iter().copied()) {
                        Some(near) => format!("did you mean \"{near}\"?"),
                        None => format!("known are \"{}\"", values.join("\", \"")),
                    }
                }
                _ => format!("text stands in quotes: `\"{word}\"`"),
            },
            (FieldKind::Number, Some((first, last))) => {
                format!("a class is `{written} >= {first} and {written} <= {last}`")
            }
            (FieldKind::Number, None) if matches!(lower.as_str(), "none" | "zero" | "nothing") => {
                "write `0`".to_owned()
            }
            (FieldKind::Number, None) => match signal(word.as_bytes()) {
                Some(help) => help.to_owned(),
                None => format!("a number stands here, as in `{written} == 0`"),
            },
            (FieldKind::Bool, _) if matches!(lower.as_str(), "true" | "yes") => {
                "write `true`".to_owned()
            }
            (FieldKind::Bool, _) if matches!(lower.as_str(), "false" | "no") => {
                "write `false`".to_owned()
            }
            (FieldKind::Bool, _) => "it is `true` or `false`".to_owned(),
            (FieldKind::Duration, _) => "a span of time has a unit: `50ms`".to_owned(),
        };
        self.error(
            codes::EXPECTED,
            span,
            format!("`{word}` is no value"),
            format!("expected {}", words(kind)),
            Some(help),
        );
        Err(Reported)
    }

    /// A number is compared with a span of time: what to write.
    fn without_unit(&self, left: &Spanned<Value>, right: &Spanned<Value>) -> String {
        let written = self.text.get(right.span.clone()).unwrap_or_default();
        let path = match &left.value {
            Value::Member { path, .. } | Value::Own(path) => path.last(),
            _ => None,
        };
        let field = path.and_then(|name| name.strip_suffix("_ms"));
        match (field, &right.value) {
            (Some(field), Value::Duration(nanoseconds)) => {
                let ms = Number::with_places((*nanoseconds).into(), 6);
                format!("it counts milliseconds: write `{ms}`, or compare `{field}`")
            }
            (_, Value::Duration(_)) => match written.strip_suffix('m') {
                Some(number) => format!("`{written}` is minutes; a size is `{number}MiB`"),
                None => "a number has no unit".to_owned(),
            },
            _ => String::new(),
        }
    }

    /// Only JSON has numbers beyond those of 64 bits, and what is compared with it
    /// has no kind.
    fn check_range(&mut self, value: &Spanned<Value>) {
        if let Value::Number(number) = &value.value
            && !(Number::from(i128::from(i64::MIN))..=Number::from(i128::from(u64::MAX)))
                .contains(number)
        {
            self.out_of_range(value.span.clone());
        }
    }

    /// All values that the field may have, where they are known.
    fn values_of(&self, field: &Value) -> Option<Vec<&str>> {
        let path = match field {
            Value::Member {
                collection: Collection::Tcp | Collection::Udp,
                path,
                ..
            }
            | Value::Program { path, .. } => path,
            Value::Own(path) if self.subject != Some(Collection::Http) => path,
            _ => return None,
        };
        if path.last().is_some_and(|name| name == "role") {
            let roles = self.roles.iter().map(String::as_str);
            return Some(roles.chain(["nobody", "?"]).collect());
        }
        claim_fields::values(path).map(<[&str]>::to_vec)
    }

    /// `tcp[0].state == "SE"`: a value that the field never has.
    fn check_value(&mut self, field: &Spanned<Value>, wanted: &Spanned<Value>) {
        let (Some(values), Value::Text(text)) = (self.values_of(&field.value), &wanted.value)
        else {
            return;
        };
        let path = match &field.value {
            Value::Member { path, .. } | Value::Program { path, .. } | Value::Own(path) => path,
            _ => return,
        };
        let text = String::from_utf8_lossy(text);
        if values.contains(&text.as_ref()) {
            return;
        }
        self.error(
            codes::WRONG_LITERAL,
            wanted.span.clone(),
            format!("`{}` is never \"{}\"", path.join("."), text.escape_debug()),
            "no such value",
            match nearest(&text, values.iter().copied()) {
                Some(near) => Some(format!("did you mean \"{near}\"?")),
                None => Some(format!("known are \"{}\"", values.join("\", \""))),
            },
        );
    }
}

/// The kind of a value; None where its name is wrong and was reported.
pub(super) fn kind_of(value: &Value, subject: Option<Collection>) -> Option<FieldKind> {
    Some(match value {
        Value::Number(_) | Value::Packets(_) => FieldKind::Number,
        Value::Duration(_) => FieldKind::Duration,
        Value::Bool(_) => FieldKind::Bool,
        Value::Text(_) | Value::Regex(_) | Value::Stream(_) | Value::File(_) => FieldKind::Text,
        Value::Call { function, .. } => match function {
            Function::Upper | Function::Lower | Function::Trim | Function::Sha256 => {
                FieldKind::Text
            }
            Function::Len => FieldKind::Number,
        },
        // Known when it is read.
        Value::Json { .. } => return None,
        Value::Member {
            collection, path, ..
        } => claim_fields::collection_field(*collection, path)?,
        Value::Program { path, .. } => claim_fields::program_field(path)?,
        Value::Own(path) => claim_fields::collection_field(subject?, path)?,
    })
}

/// A signal's name, which stands where its number should.
fn signal(name: &[u8]) -> Option<&'static str> {
    let name = name.strip_prefix(b"SIG").unwrap_or(name);
    Some(match name {
        b"INT" => "a signal is a number: INT is 2",
        b"ABRT" => "a signal is a number: ABRT is 6",
        b"KILL" => "a signal is a number: KILL is 9",
        b"SEGV" => "a signal is a number: SEGV is 11",
        b"PIPE" => "a signal is a number: PIPE is 13",
        b"TERM" => "a signal is a number: TERM is 15",
        _ => return None,
    })
}

fn words(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Number => "a number",
        FieldKind::Text => "text",
        FieldKind::Bool => "true or false",
        FieldKind::Duration => "a span of time",
    }
}
