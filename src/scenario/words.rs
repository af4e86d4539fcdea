//! The small languages inside a scenario's strings: command lines, durations,
//! placeholders.

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use crate::diagnostic::nearest;

/// What is wrong with a small text, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// One sentence without full stop.
    pub message: String,
    pub label: String,
    /// Bytes of the text.
    pub span: Range<usize>,
    pub help: Option<String>,
}

/// Longest time that a scenario or a program may be given.
const MAX_DURATION: Duration = Duration::from_secs(3600);

/// A number of bytes: `1000`, `500M`, `2G`.
pub fn bytes(text: &str) -> Result<u64, Wrong> {
    let (digits, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1_000),
        Some((at, 'M')) => (text.get(..at), 1_000_000),
        Some((at, 'G')) => (text.get(..at), 1_000_000_000),
        _ => (Some(text), 1),
    };
    let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| Wrong {
            message: format!("`{text}` is no number of bytes: 1000, 500k, 20M, 2G"),
            label: "not a number of bytes".to_owned(),
            span: 0..text.len(),
            help: None,
        })
}

/// `5s`, `200ms`, `1.5s`, `2m`.
pub fn duration(text: &str) -> Result<Duration, Wrong> {
    let wrong = |message: &str| Wrong {
        message: message.to_owned(),
        label: "not a duration".to_owned(),
        span: 0..text.len(),
        help: Some("write a number and a unit: \"200ms\", \"5s\", \"2m\"".to_owned()),
    };
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(|| wrong("a duration needs a unit"))?;
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(wrong("a duration's unit is ms, s or m")),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| wrong("a duration begins with a number"))?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(duration) if duration.is_zero() => Err(wrong("a duration must be longer than nothing")),
        Ok(duration) if duration <= MAX_DURATION => Ok(duration),
        _ => Err(wrong("a duration is at most 60m")),
    }
}

/// Splits a command line into words as a shell does. No shell runs, so that
/// what only a shell understands is refused rather than passed on as a word.
pub fn split_command(text: &str) -> Result<Vec<String>, Wrong> {
    if let Some(wrong) = shell_syntax(text) {
        return Err(wrong);
    }
    let empty = || Wrong {
        message: "the command is empty".to_owned(),
        label: "no program is named here".to_owned(),
        span: 0..text.len(),
        help: Some(
            "write the program and its arguments: \"python3 client.py {address} 12000\"".to_owned(),
        ),
    };
    let words = shlex::split(text).ok_or_else(|| Wrong {
        message: "the command cannot be split into words".to_owned(),
        label: "a backslash at the end".to_owned(),
        span: text.len().saturating_sub(1)..text.len(),
        help: None,
    })?;
    let first = words.first().ok_or_else(empty)?;
    if first.is_empty() {
        return Err(empty());
    }
    if is_assignment(first) {
        let start = text.len() - text.trim_start().len();
        return Err(Wrong {
            message: "a command cannot begin with a variable: no shell runs".to_owned(),
            label: "taken for a program's name".to_owned(),
            span: start..start + first.len().min(text.len() - start),
            help: Some("put it into the program's table: env = { NAME = \"value\" }".to_owned()),
        });
    }
    Ok(words)
}

/// `NAME=value`.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// The first quote that is never closed, or the first operator of a shell that
/// stands unquoted.
fn shell_syntax(text: &str) -> Option<Wrong> {
    let mut open: Option<(usize, char)> = None;
    let mut characters = text.char_indices();
    let mut at_word_start = true;
    while let Some((at, c)) = characters.next() {
        match (open, c) {
            (Some((_, '\'')), '\\') => {}
            (_, '\\') => {
                characters.next();
            }
            (Some((_, quote)), _) if c == quote => open = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => open = Some((at, c)),
            (None, '#') if at_word_start => return None,
            (None, '|' | '&' | ';' | '<' | '>' | '`') => {
                return Some(Wrong {
                    message: format!("no shell runs, so that `{c}` has no meaning in a command"),
                    label: "only a shell understands this".to_owned(),
                    span: at..at + 1,
                    help: Some("quote it if the program is to get it as a word; else run a shell: sh -c '…'".to_owned()),
                });
            }
            _ => {}
        }
        at_word_start = open.is_none() && c.is_whitespace();
    }
    open.map(|(at, quote)| Wrong {
        message: format!("the quote {quote} is never closed"),
        label: "opened here".to_owned(),
        span: at..at + 1,
        help: Some(format!(
            "close it with {quote}, or write \\{quote} for the character itself"
        )),
    })
}

/// What `{…}` may name in `run` and `env`.
pub(super) const PLACEHOLDERS: [&str; 2] = ["address", "host"];

/// Puts the address in the place of `{address}` (`::1`) and `{host}` (as in a
/// URL: `[::1]`).
pub(super) fn expand(text: &str, address: IpAddr) -> String {
    let host = match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    text.replace("{address}", &address.to_string())
        .replace("{host}", &host)
}

/// A placeholder that is none but was probably meant as one: `{adress}`.
/// Braces are common in program text (`awk '{print}'`), so that only a word
/// without white space and quotes is looked at.
pub(super) fn misspelt_placeholder(text: &str) -> Option<Wrong> {
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('{')) {
        let open = from + open;
        let length = text.get(open..)?.find('}')?;
        let name = text.get(open + 1..open + length)?;
        let word_like = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic());
        let end = open + length + 1;
        let alone = !text.get(..open)?.ends_with(['"', '\'', '(', '$'])
            && !text.get(end..)?.starts_with(['"', '\'', ')']);
        if word_like
            && alone
            && !PLACEHOLDERS.contains(&name)
            && let Some(meant) = nearest(name, PLACEHOLDERS)
        {
            return Some(Wrong {
                message: format!("`{{{name}}}` stands for nothing"),
                label: "unknown placeholder".to_owned(),
                span: open..end,
                help: Some(format!("did you mean `{{{meant}}}`?")),
            });
        }
        from = open + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        assert_eq!(bytes("1000"), Ok(1000));
        assert_eq!(bytes("500k"), Ok(500_000));
        assert_eq!(bytes("2G"), Ok(2_000_000_000));
        for wrong in ["", "M", "1.5M", "-1", "99999999999G", "é"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in [
            "", "5", "s", "5 s", "-5s", "5h", "0s", "61m", "1..5s", "5sec", "NaNs", "9e9s",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn commands_are_split_as_a_shell_splits_words() {
        assert_eq!(
            split_command(r#"python3 'a b.py' "c d" e\ f # note"#).unwrap(),
            ["python3", "a b.py", "c d", "e f"]
        );
        assert_eq!(
            split_command("sh -c 'a | b > c; d'").unwrap()[2],
            "a | b > c; d"
        );
        assert_eq!(split_command("a 'don'\"'\"'t'").unwrap()[1], "don't");
    }

    #[test]
    fn an_unclosed_quote_is_pointed_at() {
        let wrong = split_command("python3 -c 'print(1)").unwrap_err();
        assert_eq!(wrong.span, 11..12);
        let wrong = split_command(r#"a "b' c"#).unwrap_err();
        assert_eq!(wrong.span, 2..3);
    }

    #[test]
    fn what_only_a_shell_understands_is_refused() {
        for (text, at) in [
            ("a | b", 2),
            ("a > out", 2),
            ("a && b", 2),
            ("a;b", 1),
            ("a `b`", 2),
        ] {
            assert_eq!(split_command(text).unwrap_err().span.start, at, "{text}");
        }
        assert!(split_command(r"a \> b").is_ok());
        assert!(split_command("").is_err());
        assert!(split_command("  # only a note").is_err());
        assert!(split_command("''").is_err());
        assert_eq!(split_command(" A=1 prog").unwrap_err().span, 1..4);
        assert!(split_command("prog A=1").is_ok());
        assert!(split_command("prog \\").is_err());
    }

    #[test]
    fn placeholders() {
        let v6 = "::1".parse().unwrap();
        assert_eq!(
            expand("{address} http://{host}:80/", v6),
            "::1 http://[::1]:80/"
        );
        let v4 = "127.0.0.1".parse().unwrap();
        assert_eq!(expand("{address} {host}", v4), "127.0.0.1 127.0.0.1");
        assert_eq!(misspelt_placeholder("a {adress} 1").unwrap().span, 2..10);
        assert!(misspelt_placeholder("{address} {host}").is_none());
        assert!(misspelt_placeholder("awk '{print $1}' {} { {x} f'{hosts}'").is_none());
    }
}
