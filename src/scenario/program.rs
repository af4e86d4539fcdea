//! `[program.ROLE]`: one program of a scenario.

use std::ops::Range;

use super::reader::{Entry, Reader};
use super::{After, OutputPattern, ProgramSpec, Ready, RightExit, StopSignal, codes, words};
use crate::diagnostic::nearest;
use crate::savefile::Protocol;

pub(super) const KEYS: [&str; 13] = [
    "run", "stdin", "exit", "stdout", "stderr", "after", "ready", "stop", "ends", "pty", "cwd",
    "env", "timeout",
];

const SIGNALS: [(&str, StopSignal); 5] = [
    ("TERM", StopSignal::Term),
    ("INT", StopSignal::Int),
    ("HUP", StopSignal::Hup),
    ("QUIT", StopSignal::Quit),
    ("KILL", StopSignal::Kill),
];

/// Words that mean something else where the expectation language takes a role.
pub(super) const RESERVED: [&str; 69] = [
    "nobody",
    "any",
    "no",
    "nothing",
    "each",
    "maybe",
    "exactly",
    "in",
    "order",
    "packets",
    "on",
    "where",
    "within",
    "of",
    "as",
    "has",
    "from",
    "to",
    "and",
    "or",
    "not",
    "xor",
    "true",
    "false",
    "before",
    "after",
    "until",
    "between",
    "for",
    "after_stop",
    "tcp",
    "udp",
    "ip",
    "ipv6",
    "icmp",
    "icmpv6",
    "http",
    "eth",
    "frame",
    "stream",
    "data",
    "file",
    "upper",
    "lower",
    "len",
    "trim",
    "sha256",
    "json",
    "retransmission",
    "keep-alive",
    "window-update",
    "SYN",
    "ACK",
    "FIN",
    "RST",
    "PSH",
    "URG",
    "ECE",
    "CWR",
    "HTTP",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
];

/// A program as read, with the places that later checks point at.
pub(super) struct Read {
    pub spec: ProgramSpec,
    /// Where the value of `after` stands.
    pub after: Range<usize>,
}

/// Reads one program. What is wrong is kept in `reader`, and a harmless value
/// stands in its place.
pub(super) fn program<'t>(reader: &mut Reader<'t>, entry: &Entry<'t>) -> Option<Read> {
    check_role(reader, entry);
    let example = format!("[program.{}]", entry.name);
    let fields = reader.table(entry, &example)?;
    let table = format!("[program.{}]", entry.name);
    let mut read = Read {
        spec: ProgramSpec {
            role: entry.name.to_owned(),
            run: Vec::new(),
            stdin: None,
            exit: None,
            stdout: None,
            stderr: None,
            after: None,
            ready: None,
            stop: None,
            ends_waiting: false,
            pty: false,
            cwd: None,
            env: Default::default(),
            timeout: None,
            span: entry.key.clone(),
        },
        after: entry.key.clone(),
    };
    let spec = &mut read.spec;
    for field in &fields {
        match field.name {
            "run" => spec.run = command(reader, field).unwrap_or_default(),
            "stdin" => spec.stdin = reader.string(field).map(|text| text.as_bytes().to_vec()),
            "exit" => spec.exit = exit(reader, field),
            "stdout" => spec.stdout = pattern(reader, field),
            "stderr" => spec.stderr = pattern(reader, field),
            "after" => {
                spec.after = after(reader, field);
                read.after = field.place.clone();
            }
            "ready" => spec.ready = ready(reader, field),
            "stop" => spec.stop = reader.choice(field, &SIGNALS),
            "ends" => spec.ends_waiting = reader.choice(field, &[("waiting", true)]).is_some(),
            "pty" => spec.pty = boolean(reader, field),
            "cwd" => spec.cwd = reader.c_string(field),
            "env" => spec.env = env(reader, field),
            "timeout" => spec.timeout = reader.duration(field),
            _ => reader.unknown_key(field, &table, &KEYS),
        }
    }
    if !fields.iter().any(|field| field.name == "run") {
        reader.absent(
            codes::MISSING,
            entry.key.clone(),
            format!("{table} does not say what to run"),
            "`run` is missing",
            Some("write run = \"python3 client.py {address} 12000\"".to_owned()),
        );
    }
    check_ending(reader, &fields);
    Some(read)
}

/// A code, or `"any"`: it ends by itself, and that is all.
fn exit<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<RightExit> {
    if field.value.as_str() == Some("any") {
        return Some(RightExit::Any);
    }
    let help = "write the code, as in exit = 1, or exit = \"any\"";
    let code = reader.integer(field, "a whole number or \"any\"", 0..=255, help)?;
    code.try_into().ok().map(RightExit::Code)
}

/// A role is a word of the expectation language.
fn check_role(reader: &mut Reader<'_>, entry: &Entry<'_>) {
    if let Some((message, help)) = role_fault(entry.name) {
        let help = Some(help.to_owned());
        reader.error(codes::ROLE, entry.key.clone(), message, "this name", help);
    }
}

/// Why a program cannot have this name, and which it can have.
pub fn role_fault(name: &str) -> Option<(String, &'static str)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_count = |name: &str| {
        let count = name.strip_prefix('x');
        count.is_some_and(|count| count.starts_with(|c: char| c.is_ascii_digit()))
    };
    if RESERVED.contains(&name) || is_count(name) {
        Some((
            format!("a program cannot be called `{name}`"),
            "the word has a meaning in expectations: take another, such as client or server",
        ))
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || !name.chars().all(word)
        || name.ends_with('-')
        || name.contains("--")
        || name.len() > 32
    {
        Some((
            "this cannot be a program's name".to_owned(),
            "a name begins with a letter and has at most 32 letters, digits, `_` and, between them, `-`",
        ))
    } else {
        None
    }
}

/// The ways to end exclude each other.
fn check_ending(reader: &mut Reader<'_>, fields: &[Entry<'_>]) {
    let find = |name: &str| fields.iter().find(|field| field.name == name);
    let Some(ends) = find("ends") else { return };
    if find("stop").is_some() {
        reader.error(
            codes::CONTRADICTION,
            ends.key.clone(),
            "a program cannot have both `stop` and `ends`",
            "`stop` is written too",
            Some("keep `stop` for a server that serves for ever, `ends` for a program that waits for an answer that never comes".to_owned()),
        );
    }
    if find("exit").is_some() {
        reader.error(
            codes::CONTRADICTION,
            ends.key.clone(),
            "a program that ends waiting has no exit code",
            "`exit` is written too",
            Some("drop one of the two".to_owned()),
        );
    }
}

fn command<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<Vec<String>> {
    if field.value.is_array() {
        let help = "write one string; it is split as a shell splits words".to_owned();
        reader.wrong_type(field, "a string", Some(help));
        return None;
    }
    let text = reader.c_string(field)?;
    check_placeholders(reader, field);
    words::split_command(&text)
        .map_err(|wrong| reader.wrong(codes::COMMAND, field, wrong))
        .ok()
}

fn env<'t>(
    reader: &mut Reader<'t>,
    field: &Entry<'t>,
) -> std::collections::BTreeMap<String, String> {
    let example = "env = { NAME = \"value\" }";
    for item in field
        .value
        .as_table()
        .map(super::reader::entries)
        .unwrap_or_default()
    {
        check_placeholders(reader, &item);
        if item.name.is_empty() || item.name.contains(['=', '\0']) {
            reader.error(
                codes::VALUE,
                item.key.clone(),
                "this cannot be the name of a variable",
                "empty, or with `=` or NUL in it",
                Some(format!("write {example}")),
            );
        }
    }
    reader.strings(field, example)
}

fn boolean(reader: &mut Reader<'_>, field: &Entry<'_>) -> bool {
    field.value.as_bool().unwrap_or_else(|| {
        let help = format!("write {} = true", field.name);
        reader.wrong_type(field, "true or false", Some(help));
        false
    })
}

fn check_placeholders(reader: &mut Reader<'_>, field: &Entry<'_>) {
    let text = field.value.as_str().unwrap_or_default();
    if let Some(wrong) = words::misspelt_placeholder(text) {
        reader.wrong(codes::PLACEHOLDER, field, wrong);
    }
}

/// `"text"`, `{ contains = "text" }` or `{ matches = "regex" }`.
fn pattern<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<OutputPattern> {
    if let Some(text) = field.value.as_str() {
        return Some(OutputPattern::Equals(text.to_owned()));
    }
    let example = format!("{} = {{ contains = \"…\" }}", field.name);
    if !field.value.is_table() {
        reader.wrong_type(
            field,
            "a string or a table",
            Some(format!("write {example}")),
        );
        return None;
    }
    let items = reader.table(field, &example)?;
    let mut found = Vec::new();
    for item in &items {
        match item.name {
            "contains" => found.push(
                reader
                    .string(item)
                    .map(|t| OutputPattern::Contains(t.to_owned())),
            ),
            "matches" => found.push(regex(reader, item)),
            _ => {
                let table = format!("`{}`", field.name);
                reader.unknown_key(item, &table, &["contains", "matches"]);
                found.push(None);
            }
        }
    }
    exactly_one(reader, field, &example, found)
}

/// The one condition of a table that must hold exactly one.
fn exactly_one<T>(
    reader: &mut Reader<'_>,
    field: &Entry<'_>,
    example: &str,
    mut found: Vec<Option<T>>,
) -> Option<T> {
    if found.len() == 1 {
        return found.pop().flatten();
    }
    reader.error(
        codes::VALUE,
        field.key.clone(),
        format!("`{}` takes exactly one key", field.name),
        format!("{} are written", found.len()),
        Some(format!("write {example}")),
    );
    None
}

fn regex<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<OutputPattern> {
    let text = reader.string(field)?;
    match regex::bytes::Regex::new(text) {
        Ok(_) => Some(OutputPattern::Matches(text.to_owned())),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            reader.error(
                codes::PATTERN,
                field.place.clone(),
                "this is no regular expression",
                reason,
                Some(
                    "put a backslash before a character that stands for itself: \\( \\. \\*"
                        .to_owned(),
                ),
            );
            None
        }
    }
}

/// `"server ready"`, `"client exit"`; that the role exists is checked later.
fn after<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<After> {
    let text = reader.string(field)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [role, "ready"] => return Some(After::Ready((*role).to_owned())),
        [role, "exit"] => return Some(After::Exit((*role).to_owned())),
        _ => {}
    }
    let help = match words.as_slice() {
        [role, event] => nearest(event, ["ready", "exit"])
            .map(|meant| format!("did you mean \"{role} {meant}\"?")),
        _ => None,
    };
    let help = help.unwrap_or_else(|| {
        "write \"server ready\" (it listens) or \"client exit\" (it has ended)".to_owned()
    });
    reader.error(
        codes::AFTER,
        field.place.clone(),
        "`after` names a program and what it must have done",
        "not understood",
        Some(help),
    );
    None
}

/// `{ tcp = 12000 }` or `{ udp = 12000 }`.
fn ready<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<Ready> {
    let example = "ready = { tcp = 12000 }";
    let items = reader.table(field, example)?;
    let mut found = Vec::new();
    for item in &items {
        let protocol = match item.name {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => {
                reader.unknown_key(item, "`ready`", &["tcp", "udp"]);
                found.push(None);
                continue;
            }
        };
        let help = format!("write the port, as in {} = 12000", item.name);
        let port = reader.integer(item, "a whole number", 1..=65535, &help);
        let port = port.and_then(|port| u16::try_from(port).ok());
        found.push(port.map(|port| Ready { protocol, port }));
    }
    exactly_one(reader, field, example, found)
}
