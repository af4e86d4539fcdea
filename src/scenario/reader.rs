//! Reading typed values out of TOML, with every mistake kept and pointed at.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::words::{self, Wrong};
use super::{codes, strings, syntax};
use crate::diagnostic::{Diagnostic, Severity, nearest};

/// One `key = value` of a table.
#[derive(Clone)]
pub(crate) struct Entry<'t> {
    pub name: &'t str,
    /// Where the key stands.
    pub key: Range<usize>,
    pub value: &'t DeValue<'t>,
    /// Where the value stands; for a table with a header, the header.
    pub place: Range<usize>,
}

/// The table's entries in the order of the file.
pub(crate) fn entries<'t>(table: &'t DeTable<'t>) -> Vec<Entry<'t>> {
    let mut entries: Vec<Entry<'t>> = table
        .iter()
        .map(|(key, value)| entry(key.get_ref(), key.span(), value))
        .collect();
    entries.sort_by_key(|entry| entry.key.start);
    entries
}

fn entry<'t>(name: &'t str, key: Range<usize>, value: &'t Spanned<DeValue<'t>>) -> Entry<'t> {
    Entry {
        name,
        key,
        value: value.get_ref(),
        place: value.span(),
    }
}

/// The file's text and the mistakes found so far.
pub(crate) struct Reader<'t> {
    pub text: &'t str,
    mistakes: Vec<Diagnostic>,
    /// Lines with a syntax error: what else is said of them would be noise.
    broken: Vec<Range<usize>>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Self {
        Reader {
            text,
            mistakes: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// All mistakes, in the order of the file.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.mistakes.sort_by_key(|mistake| mistake.span.start);
        self.mistakes
    }

    /// Keeps a mistake of the TOML itself.
    pub fn syntax(&mut self, error: &toml::de::Error) {
        let slip = syntax::slip(self.text, error);
        // One slip makes several errors on its line: the first tells it.
        if self.broken.iter().any(|b| b.contains(&slip.at)) {
            return;
        }
        self.broken.push(self.unreadable(slip.at));
        self.mistakes.push(slip.diagnostic);
    }

    /// What cannot be relied on because of an error at `at`: the line, and
    /// behind a broken header all keys up to the next one.
    fn unreadable(&self, at: usize) -> Range<usize> {
        let line = self.line_of(at);
        let is_header = |text: &str| text.trim_start().starts_with('[');
        let mut end = line.end + 1;
        if is_header(self.text.get(line.clone()).unwrap_or_default()) {
            let behind = self.text.get(end..).unwrap_or_default();
            let keys = behind
                .split_inclusive('\n')
                .take_while(|line| !is_header(line));
            end += keys.map(str::len).sum::<usize>();
        }
        line.start..end
    }

    fn line_of(&self, at: usize) -> Range<usize> {
        let before = self.text.get(..at).unwrap_or_default();
        let after = self.text.get(at..).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = after
            .find('\n')
            .map_or(self.text.len(), |newline| at + newline);
        start..end
    }

    /// Keeps a mistake.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        if self.broken.iter().any(|line| line.contains(&span.start)) {
            return;
        }
        self.mistakes.push(Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: label.into(),
            help,
        });
    }

    /// Keeps a mistake that lies in something missing. In a file that is no
    /// TOML it may be there and only unreadable.
    pub fn absent(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        if self.broken.is_empty() {
            self.error(code, span, message, label, help);
        }
    }

    pub fn unknown_key(&mut self, entry: &Entry<'_>, table: &str, known: &[&str]) {
        let help = match nearest(entry.name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("{table} takes: {}", known.join(", ")),
        };
        self.error(
            codes::UNKNOWN_KEY,
            entry.key.clone(),
            format!("{table} has no key `{}`", entry.name),
            "unknown key",
            Some(help),
        );
    }

    pub fn wrong_type(&mut self, entry: &Entry<'_>, wanted: &str, help: Option<String>) {
        self.error(
            codes::WRONG_TYPE,
            entry.place.clone(),
            format!("`{}` must be {wanted}", entry.name),
            format!("this is {}", kind(entry.value)),
            help,
        );
    }

    pub fn string(&mut self, entry: &Entry<'t>) -> Option<&'t str> {
        let text = entry.value.as_str();
        if text.is_none() {
            let help = match entry.value {
                DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => {
                    let written = self.text.get(entry.place.clone()).unwrap_or_default();
                    Some(format!("put it between quotes: \"{written}\""))
                }
                _ => Some(format!("as in {} = \"…\"", entry.name)),
            };
            self.wrong_type(entry, "a string", help);
        }
        text
    }

    /// A string without NUL: what a program can be given.
    pub fn c_string(&mut self, entry: &Entry<'t>) -> Option<String> {
        let text = self.string(entry)?;
        match text.find('\0') {
            None => Some(text.to_owned()),
            Some(nul) => {
                self.error(
                    codes::VALUE,
                    self.inside(entry, nul..nul + 1),
                    format!("`{}` holds a NUL character", entry.name),
                    "no program can be given this",
                    Some("leave it out: a NUL ends a string".to_owned()),
                );
                None
            }
        }
    }

    /// The place of a part of a string's value.
    pub fn inside(&self, entry: &Entry<'_>, part: Range<usize>) -> Range<usize> {
        let value = entry.value.as_str().unwrap_or_default();
        let offsets = strings::offsets(self.text, entry.place.clone(), value);
        let at = |i: usize| offsets.get(i).copied().unwrap_or(entry.place.start);
        at(part.start)..at(part.end)
    }

    /// Keeps what is wrong with the small text in a string.
    pub fn wrong(&mut self, code: &'static str, entry: &Entry<'_>, wrong: Wrong) {
        let span = if wrong.span == (0..entry.value.as_str().map_or(0, str::len)) {
            entry.place.clone()
        } else {
            self.inside(entry, wrong.span)
        };
        self.error(code, span, wrong.message, wrong.label, wrong.help);
    }

    pub fn table(&mut self, entry: &Entry<'t>, example: &str) -> Option<Vec<Entry<'t>>> {
        let table = entry.value.as_table();
        if table.is_none() {
            self.wrong_type(entry, "a table", Some(format!("write {example}")));
        }
        table.map(entries)
    }

    pub fn duration(&mut self, entry: &Entry<'t>) -> Option<Duration> {
        if let DeValue::Integer(number) = entry.value {
            let help = Some(format!("with its unit, as a string: \"{number}s\""));
            self.wrong_type(entry, "a duration", help);
            return None;
        }
        let text = self.string(entry)?;
        words::duration(text)
            .map_err(|wrong| self.wrong(codes::DURATION, entry, wrong))
            .ok()
    }

    pub fn address(&mut self, entry: &Entry<'t>) -> Option<IpAddr> {
        let text = self.string(entry)?;
        let address: Option<IpAddr> = text.parse().ok();
        let usable = address.filter(|address| {
            let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
            !(address.is_unspecified() || address.is_multicast() || broadcast)
        });
        if usable.is_none() {
            let (message, label) = match address {
                None => (format!("`{text}` is no IP address"), "not an address"),
                Some(_) => (
                    format!("`{text}` is not the address of one host"),
                    "no host can have this address",
                ),
            };
            let help = "write an IPv4 or IPv6 address: \"10.0.4.26\", \"fd00::1\"".to_owned();
            self.error(
                codes::ADDRESS,
                entry.place.clone(),
                message,
                label,
                Some(help),
            );
        }
        usable
    }

    /// The elements of an array; each is named as the array is.
    pub fn array(&mut self, entry: &Entry<'t>, example: &str) -> Option<Vec<Entry<'t>>> {
        let array = entry.value.as_array();
        if array.is_none() {
            self.wrong_type(entry, "an array", Some(format!("write {example}")));
        }
        let elements = array?.iter();
        Some(
            elements
                .map(|element| self::entry(entry.name, element.span(), element))
                .collect(),
        )
    }

    /// A table of strings.
    pub fn strings(&mut self, entry: &Entry<'t>, example: &str) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for item in self.table(entry, example).unwrap_or_default() {
            if let Some(text) = self.c_string(&item) {
                out.insert(item.name.to_owned(), text);
            }
        }
        out
    }

    /// One of a few words, such as a signal's name.
    pub fn choice<T: Copy>(&mut self, entry: &Entry<'t>, choices: &[(&str, T)]) -> Option<T> {
        let text = self.string(entry)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let text_without_sig = text.strip_prefix("SIG").unwrap_or(text);
            let help = match nearest(text_without_sig, words.iter().copied()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("it can be: {}", quoted(&words)),
            };
            self.error(
                codes::VALUE,
                entry.place.clone(),
                format!("`{}` cannot be \"{text}\"", entry.name),
                "unknown value",
                Some(help),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// A whole number within bounds.
    pub fn integer(
        &mut self,
        entry: &Entry<'t>,
        wanted: &str,
        bounds: std::ops::RangeInclusive<i64>,
        help: &str,
    ) -> Option<i64> {
        let help = Some(help.to_owned());
        let Some(integer) = entry.value.as_integer() else {
            self.wrong_type(entry, wanted, help);
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| bounds.contains(number));
        if number.is_none() {
            self.error(
                codes::VALUE,
                entry.place.clone(),
                format!(
                    "`{}` must lie between {} and {}",
                    entry.name,
                    bounds.start(),
                    bounds.end()
                ),
                "out of range",
                help,
            );
        }
        number
    }
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    words.join(", ")
}

/// What a value is, with its article.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
