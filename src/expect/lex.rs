//! Text to tokens, one at a time. The parser asks for what may stand at its
//! place: a token, a word up to white space, a regular expression, a value of
//! a filter.

use super::ast::Span;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// `client`, `tcp.port`, `port-unreachable`, `x2`.
    Word(&'t str),
    /// Begins with a digit: `12000`, `50ms`, `0x12`, `1.5`.
    Number(&'t str),
    /// `"…"` with its escapes resolved, or `r"…"`.
    Text(Vec<u8>),
    Symbol(&'static str),
    /// Newline.
    Newline,
    /// `;`.
    Semicolon,
    /// What no text of the language has outside strings.
    Unknown(char),
    End,
}

impl Token<'_> {
    pub(super) fn ends_statement(&self) -> bool {
        matches!(self, Token::Newline | Token::Semicolon | Token::End)
    }
}

/// A fault inside a token. The token itself is as good as it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    UnclosedText,
    BadEscape(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lexed<'t> {
    pub(super) token: Token<'t>,
    pub(super) span: Span,
    pub(super) fault: Option<Fault>,
}

/// Longer ones first. The last two lines are no part of the language: they are
/// mistakes that deserve a better word than "unexpected character".
const SYMBOLS: [&str; 37] = [
    "===", "!==", "==", "!=", "<=", ">=", "<>", "&&", "||", "^^", "..", "~=", "|", //
    "{", "}", "(", ")", "[", "]", "<", ">", "!", "~", "+", "&", ",", ".", ":", "/", "*",
    "%", //
    "<->", "->", "<-", "=>", "=", "-",
];

/// Whose strings are read. They differ in what `\0` stands before, and in
/// quotes inside `r"…"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strings {
    /// `\0` is a zero byte; `r"…"` ends at the next quote.
    Statements,
    /// `\012` is octal; `r"a\"b"` has a quote inside, its backslash too.
    Filters,
}

/// The token at `from`, behind spaces and comments.
pub(super) fn token(text: &str, from: usize, strings: Strings) -> Lexed<'_> {
    let start = skip_blank(text, from);
    let rest = text.get(start..).unwrap_or("");
    let Some(first) = rest.chars().next() else {
        return plain(Token::End, start, 0);
    };
    match first {
        '\n' => plain(Token::Newline, start, 1),
        ';' => plain(Token::Semicolon, start, 1),
        '"' => string(text, start, strings),
        'r' | 'R' if rest[1..].starts_with('"') => raw_string(text, start, strings),
        _ if first.is_ascii_alphabetic() || first == '_' => {
            let word = &rest[..word_len(rest)];
            plain(Token::Word(word), start, word.len())
        }
        _ if first.is_ascii_digit() => {
            let number = &rest[..number_len(rest)];
            plain(Token::Number(number), start, number.len())
        }
        _ => symbol(rest, first, start),
    }
}

fn plain(token: Token<'_>, start: usize, len: usize) -> Lexed<'_> {
    Lexed {
        token,
        span: start..start + len,
        fault: None,
    }
}

/// Spaces, carriage returns and comments; never the newline.
fn skip_blank(text: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        at += blank;
        let rest = &rest[blank..];
        if !rest.starts_with('#') {
            return at;
        }
        at += rest.find('\n').unwrap_or(rest.len());
    }
}

/// Letters, digits and `_`, joined by single dots and hyphens.
fn word_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let mut len = 0;
    while let Some(byte) = bytes.get(len) {
        let joins = matches!(byte, b'.' | b'-') && bytes.get(len + 1).is_some_and(is_part);
        if !is_part(byte) && !joins {
            break;
        }
        len += 1;
    }
    len
}

/// Digits and letters, joined by single dots: also `127.0.0.1`.
fn number_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut len = 0;
    while let Some(byte) = bytes.get(len) {
        let joins = *byte == b'.' && bytes.get(len + 1).is_some_and(u8::is_ascii_alphanumeric);
        if !byte.is_ascii_alphanumeric() && !joins {
            break;
        }
        len += 1;
    }
    len
}

fn symbol(rest: &str, first: char, start: usize) -> Lexed<'static> {
    let longest = SYMBOLS
        .iter()
        .filter(|s| rest.starts_with(**s))
        .max_by_key(|s| s.len());
    match longest {
        Some(symbol) => plain(Token::Symbol(symbol), start, symbol.len()),
        None => plain(Token::Unknown(first), start, first.len_utf8()),
    }
}

/// A string whose quote is at `start`. It ends on its line.
fn string(text: &str, start: usize, strings: Strings) -> Lexed<'_> {
    let at = start + 1;
    let mut bytes = Vec::new();
    let mut fault = None;
    let mut chars = text.get(at..).unwrap_or("").char_indices().peekable();
    let mut end = text.len();
    let mut closed = false;
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => {
                end = at + i + 1;
                closed = true;
                break;
            }
            '\n' => {
                end = at + i;
                break;
            }
            '\\' => {
                let rest = &text[at + i + 1..];
                match escape(rest, strings) {
                    Some((escaped, len)) => {
                        escaped.append_to(&mut bytes);
                        chars.nth(len - 1);
                    }
                    None => {
                        // The character behind the backslash cannot close the string.
                        let bad = rest.chars().next().filter(|c| *c != '\n');
                        let len = bad.map_or(0, char::len_utf8);
                        fault.get_or_insert(Fault::BadEscape(at + i..at + i + 1 + len));
                        if bad.is_some() {
                            chars.next();
                        }
                    }
                }
            }
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    if !closed {
        fault = Some(Fault::UnclosedText);
    }
    Lexed {
        token: Token::Text(bytes),
        span: start..end,
        fault,
    }
}

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Char(char),
}

impl Escaped {
    fn append_to(self, bytes: &mut Vec<u8>) {
        match self {
            Escaped::Byte(byte) => bytes.push(byte),
            Escaped::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// What stands behind a backslash, and its length.
fn escape(rest: &str, strings: Strings) -> Option<(Escaped, usize)> {
    let byte = match rest.as_bytes().first()? {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'0' if strings == Strings::Statements => 0,
        b'0'..=b'7' => {
            let digits = rest
                .bytes()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b));
            let len = digits.count();
            let byte = u8::from_str_radix(rest.get(..len)?, 8).ok()?;
            return Some((Escaped::Byte(byte), len));
        }
        b'\\' => b'\\',
        b'"' => b'"',
        b'\'' => b'\'',
        b'x' => {
            let byte = u8::try_from(hexadecimal(rest, 2)?).ok()?;
            return Some((Escaped::Byte(byte), 3));
        }
        b'u' => return Some((Escaped::Char(char::from_u32(hexadecimal(rest, 4)?)?), 5)),
        b'U' => return Some((Escaped::Char(char::from_u32(hexadecimal(rest, 8)?)?), 9)),
        _ => return None,
    };
    Some((Escaped::Byte(byte), 1))
}

/// The digits behind the letter of an escape.
fn hexadecimal(rest: &str, digits: usize) -> Option<u32> {
    let digits = rest.get(1..1 + digits)?;
    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| hex)
}

/// `r"…"`: a backslash is a backslash.
fn raw_string(text: &str, start: usize, strings: Strings) -> Lexed<'_> {
    let inner = text.get(start + 2..).unwrap_or("");
    let line = inner.find('\n').unwrap_or(inner.len());
    let mut escaped = false;
    let quote = inner.bytes().take(line).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = strings == Strings::Filters && byte == b'\\' && !escaped;
        closes
    });
    let (len, fault) = match quote {
        Some(len) => (len, None),
        None => (line, Some(Fault::UnclosedText)),
    };
    let quote = usize::from(fault.is_none());
    Lexed {
        token: Token::Text(inner.as_bytes()[..len].to_vec()),
        span: start..start + 2 + len + quote,
        fault,
    }
}

/// A character in single quotes, as filters write one: `'G'`, `'\n'`, `'\x47'`.
/// None where no quote begins; `Err` with the span of what is none.
pub(super) fn character(text: &str, from: usize) -> Option<Result<(u8, Span), Span>> {
    let start = skip_blank(text, from);
    let inner = text.get(start..)?.strip_prefix('\'')?;
    let (value, len) = match inner.strip_prefix('\\') {
        Some(rest) => match escape(rest, Strings::Filters) {
            Some((Escaped::Byte(byte), len)) => (Some(byte), len + 1),
            _ => (None, 1),
        },
        None => {
            let first = inner.chars().next().filter(|c| !matches!(c, '\'' | '\n'));
            let byte = first.and_then(|c| u8::try_from(c).ok().filter(u8::is_ascii));
            (byte, first.map_or(0, char::len_utf8))
        }
    };
    let closed = inner.get(len..).is_some_and(|rest| rest.starts_with('\''));
    Some(match value {
        Some(byte) if closed => Ok((byte, start..start + len + 2)),
        _ => {
            let line = inner.find('\n').unwrap_or(inner.len());
            let end = inner[..line].find('\'').map_or(line, |i| i + 1);
            Err(start..start + 1 + end)
        }
    })
}

/// The text up to the next of these characters on the line, and where it ends.
pub(super) fn until(text: &str, from: usize, end: char) -> Option<(&str, Span)> {
    let rest = text.get(from..)?;
    let line = rest.find('\n').unwrap_or(rest.len());
    let len = rest[..line].find(end)?;
    Some((&rest[..len], from..from + len))
}

/// The text up to white space, from the first character that is none. Empty at
/// the end of the line.
pub(super) fn bare(text: &str, from: usize) -> (&str, Span) {
    let start = skip_spaces(text, from);
    let rest = text.get(start..).unwrap_or("");
    let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
    (&rest[..len], start..start + len)
}

/// A request's target, up to white space. A `;` at its end ends the step, a `)` there
/// what was opened before it (`open`); `{`, `}` and `"` no target has (RFC 3986).
pub(super) fn target(text: &str, from: usize, open: bool) -> (&str, Span) {
    let (mut target, span) = bare(text, from);
    if let Some(end) = target.find(['}', '{', '"']) {
        target = target.get(..end).unwrap_or_default();
    }
    while let Some(shorter) = target
        .strip_suffix(';')
        .or_else(|| target.strip_suffix(')').filter(|_| open))
    {
        target = shorter;
    }
    (target, span.start..span.start + target.len())
}

/// The target behind `GET` and the like, for who reads tokens alone.
pub(super) fn target_behind(
    word: Option<&Token<'_>>,
    text: &str,
    from: usize,
    open: bool,
) -> Option<Span> {
    let is_method = matches!(word, Some(Token::Word(word))
        if word.len() > 2 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'-'));
    let (target, span) = target(text, from, open);
    let is_target = target == "*" || target.starts_with('/') || target.starts_with("http://");
    (is_method && is_target).then_some(span)
}

/// `/…/`: the expression between the slashes, `\/` for a slash, and the whole
/// span. `Err` with the span where the second slash is missing; None where no
/// slash begins.
pub(super) fn regex(text: &str, from: usize) -> Option<Result<(String, Span), Span>> {
    let start = skip_spaces(text, from);
    let inner = text.get(start..)?.strip_prefix('/')?;
    let mut expression = String::new();
    let mut escaped = false;
    for (i, c) in inner.char_indices() {
        match c {
            '\n' => return Some(Err(start..start + 1 + i)),
            '/' if escaped => {
                expression.pop();
                expression.push('/');
            }
            '/' => return Some(Ok((expression, start..start + i + 2))),
            _ => expression.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    Some(Err(start..text.len()))
}

/// An unquoted value of a filter: `80`, `10.0.0.0/8`, `fe80::1`, `47:45:54`,
/// `2024-01-01`, `GET`. A `..` ends it, and so does a `/` that is not behind an
/// address. Empty where none begins.
pub(super) fn value(text: &str, from: usize) -> (&str, Span) {
    let start = skip_blank(text, from);
    let rest = text.get(start..).unwrap_or("");
    let bytes = rest.as_bytes();
    let mut len = 0;
    let mut address = false;
    while let Some(byte) = bytes.get(len) {
        let next = bytes.get(len + 1);
        let inside = match byte {
            b'.' => next != Some(&b'.'),
            b':' => true,
            b'-' => next.is_some_and(u8::is_ascii_alphanumeric),
            b'/' => address && next.is_some_and(u8::is_ascii_digit),
            _ => byte.is_ascii_alphanumeric() || *byte == b'_',
        };
        if !inside {
            break;
        }
        address |= matches!(byte, b'.' | b':');
        len += 1;
    }
    (&rest[..len], start..start + len)
}

/// The name or number of an ICMP message: `port-unreachable`, `3/3`.
pub(super) fn icmp_name(text: &str, from: usize) -> (&str, Span) {
    let start = skip_blank(text, from);
    let rest = text.get(start..).unwrap_or("");
    let inside = |c: char| c.is_ascii_alphanumeric() || "_-/".contains(c);
    let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    (&rest[..len], start..start + len)
}

fn skip_spaces(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or("");
    from + (rest.len() - rest.trim_start_matches([' ', '\t']).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut all = Vec::new();
        let mut at = 0;
        loop {
            let lexed = token(text, at, Strings::Statements);
            at = lexed.span.end;
            if lexed.token == Token::End {
                return all;
            }
            all.push(lexed.token);
        }
    }

    #[test]
    fn words_hold_dots_and_hyphens_but_no_arrow() {
        use Token::{Number, Symbol, Word};
        assert_eq!(
            tokens("client->server tcp.port port-unreachable x1..3 x0.."),
            [
                Word("client"),
                Symbol("->"),
                Word("server"),
                Word("tcp.port"),
                Word("port-unreachable"),
                Word("x1"),
                Symbol(".."),
                Number("3"),
                Word("x0"),
                Symbol(".."),
            ]
        );
    }

    #[test]
    fn comments_end_with_their_line() {
        assert_eq!(
            tokens("no RST # ; { \"\n;"),
            [
                Token::Word("no"),
                Token::Word("RST"),
                Token::Newline,
                Token::Semicolon
            ]
        );
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(
            tokens(r#""a\n\r\t\0\\\"\x41é" r"\d""#),
            [
                Token::Text("a\n\r\t\0\\\"Aé".into()),
                Token::Text(br"\d".to_vec())
            ]
        );
    }

    #[test]
    fn faults_of_strings_are_found() {
        let fault = |text| token(text, 0, Strings::Statements).fault;
        assert_eq!(fault("\"abc\nd"), Some(Fault::UnclosedText));
        assert_eq!(fault("\"abc\\"), Some(Fault::UnclosedText));
        assert_eq!(fault("\"a\\\nb\""), Some(Fault::UnclosedText));
        assert_eq!(fault("r\"abc"), Some(Fault::UnclosedText));
        assert_eq!(fault(r#""a\qb""#), Some(Fault::BadEscape(2..4)));
        assert_eq!(fault(r#""a\x4""#), Some(Fault::BadEscape(2..4)));
        assert_eq!(fault(r#""a\x+4""#), Some(Fault::BadEscape(2..4)));
    }

    #[test]
    fn a_regex_runs_to_its_slash() {
        assert_eq!(regex(r" /a\/b/ x", 0), Some(Ok(("a/b".into(), 1..7))));
        assert_eq!(regex(r"/a\\/", 0), Some(Ok((r"a\\".into(), 0..5))));
        assert_eq!(regex("/abc\n/", 0), Some(Err(0..4)));
        assert_eq!(regex("abc/", 0), None);
    }

    #[test]
    fn values_of_filters() {
        assert_eq!(value(" 10.0.0.0/8)", 0).0, "10.0.0.0/8");
        assert_eq!(value("::1 x", 0).0, "::1");
        assert_eq!(value("80..90", 0).0, "80");
        assert_eq!(value("{1}", 0).0, "");
    }
}
