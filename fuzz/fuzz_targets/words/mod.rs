//! Changes a text word by word. libFuzzer changes bytes, which leaves hardly a
//! word of a statement one that is known: what lies behind the parser is then
//! reached by what the seeds say, and little else.

mod sentences;

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzzer_mutate;
use netlab_capture::diagnostic::{Diagnostic, Severity};

/// Words of the language and of the fields, pieces of statements, and what else the
/// parser knows: each text in the quotes of its source.
static VOCABULARY: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let dictionaries = [
        include_str!("../../dictionaries/filter.dict"),
        include_str!("../../dictionaries/expect.dict"),
    ];
    let quoted = |line: &'static str| line.strip_prefix('"')?.strip_suffix('"');
    let lines = dictionaries.iter().flat_map(|text| text.lines());
    let words = lines.filter_map(quoted).filter(|word| !word.contains('\\'));
    let mut words: Vec<&str> = words.map(str::trim).chain(sentences::names()).collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/expect");
    in_quotes(&source, &mut words);
    words.sort_unstable();
    words.dedup();
    words
});

/// Adds the short texts that stand in quotes in a folder's files. Without the source
/// there are none.
fn in_quotes(folder: &Path, words: &mut Vec<&'static str>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            in_quotes(&path, words);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            // Read once, and needed to the end.
            let text: &'static str = text.leak();
            let lines = text.lines().filter(|line| !line.contains('\\'));
            let short = |word: &&str| (1..24).contains(&word.len());
            words.extend(lines.flat_map(|line| line.split('"').skip(1).step_by(2).filter(short)));
        }
    }
}

/// Whole lines, to take stretches of words from.
static LINES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../../tests/oracle/filters.txt"),
        include_str!("../../../docs/expectations.md"),
        include_str!("../../../docs/filters.md"),
        include_str!("../../../docs/diagnostics.md"),
    ];
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter(|line| line.len() > 3).collect()
});

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "6",
    "8",
    "16",
    "20",
    "40",
    "64",
    "80",
    "200",
    "255",
    "404",
    "12000",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "0x12",
    "1.5",
    "10ms",
    "2s",
    "1KiB",
    "-1",
    "00",
    "0120",
    "09",
    "0x",
    "0xfffffffffffffffff",
    "0b1010",
    "0b2",
    "+5",
    "1e3",
    "1_000",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "99999999999999999999999999999999999999999",
    "0.0000000001",
    "5m",
    "1.5.2",
    "3/3",
    "x2..",
    "x99999999999",
];

/// Signs that have no business in a text, or come with what is pasted; and pieces of
/// regular expressions, paths in JSON, and dates, which have languages of their own.
const STRANGE: &[&str] = &[
    "\u{200b}",
    "\u{a0}",
    "\u{feff}",
    "\u{202e}",
    "\u{ad}",
    "\u{85}",
    "\u{1}",
    "\t",
    "\r\n",
    "\r",
    "\u{201c}a\u{201d}",
    "\u{2018}",
    "\u{2013}",
    "\u{2192}",
    "\u{2260}",
    "\u{2264}",
    "\u{430}nd",
    "\u{441}lient",
    "\u{e9}",
    "\u{661}",
    "\u{ff11}",
    "\u{ff1d}\u{ff1d}",
    "\u{1f600}",
    "`",
    "$",
    "\\",
    "&&",
    "||",
    "^^",
    "=>",
    "->",
    "<-",
    "===",
    "/\\d+\\p{L}\\x{41}/",
    "/(?i)[[:alpha:]]\\b\\B/",
    "/(?=x)/",
    "/\\1/",
    "/a{2,3}?|b*+/",
    "/\\Qa\\E/",
    "/(/",
    "\"\\\\d\\\\.(com|org)$\"",
    "\"\\x47\\107\\u00e9\\0\"",
    "\"\\xzz\"",
    "r\"\\w\"",
    "'\\n'",
    "'ab'",
    "\"$['a\\\\'b'][-1]..*\"",
    "\"$[\\\"\\\\u00e9\\\"]\"",
    "\"$[0:2]\"",
    "\"$[99999999999999999999]\"",
    "\"$[?@.a > 1]\"",
    "\"$.\"",
    "\"2024-02-30 25:61:61.9999999999\"",
    "\"2024-01-31T12:34:56.5+02:00\"",
    "\"2024-01-31 12:34 -0330\"",
    "\"Jan  1, 2024 00:00:00.000000001 UTC\"",
    "\"Foo 1, 99999 1:2:3\"",
    "\"1969-12-31\"",
    "\"1700000000.5\"",
];

/// Random numbers: xorshift, George Marsaglia 2003.
struct Dice(u32);

impl Dice {
    fn new(seed: u32) -> Dice {
        let mut dice = Dice(seed | 1);
        dice.roll(1);
        dice
    }

    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % below.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.roll(from.len())).copied().unwrap_or_default()
    }

    /// Somewhere in `words`: a beginning, and an end at most `most` words on.
    fn stretch(&mut self, words: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.roll(words);
        start..(start + 1 + self.roll(most)).min(words)
    }
}

/// A text's words, numbers, quoted strings, spaces, and signs one by one.
fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let len = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            _ if of_word(first) => rest.find(|c| !of_word(c)).unwrap_or(rest.len()),
            _ if first.is_whitespace() => rest
                .find(|c: char| !c.is_whitespace())
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(len);
        found.push(word);
        rest = behind;
    }
    found
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

fn change<'a>(words: &mut Vec<&'a str>, dice: &mut Dice) {
    let here = dice.roll(words.len() + 1);
    match dice.roll(9) {
        // One of its kind in its place.
        0 | 1 => {
            let start = dice.roll(words.len());
            let rest = words.get_mut(start..).unwrap_or_default();
            if let Some(word) = rest.iter_mut().find(|word| !word.trim().is_empty()) {
                *word = if is_number(word) {
                    dice.pick(NUMBERS)
                } else {
                    dice.pick(&VOCABULARY)
                };
            }
        }
        2 => {
            let word = dice.pick(&VOCABULARY);
            words.splice(here..here, [" ", word, " "]);
        }
        3 if !words.is_empty() => {
            let gone = dice.stretch(words.len(), 4);
            words.drain(gone);
        }
        4 if !words.is_empty() => {
            let again = dice.stretch(words.len(), 12);
            let again = words[again].to_vec();
            words.splice(here..here, again);
        }
        5 => {
            let strange = dice.pick(STRANGE);
            words.insert(here.min(words.len()), strange);
        }
        6 if !words.is_empty() => {
            let (one, other) = (dice.roll(words.len()), dice.roll(words.len()));
            words.swap(one, other);
        }
        _ => {
            let line = self::words(dice.pick(&LINES));
            let some = dice.stretch(line.len(), 12);
            words.splice(here..here, line[some].iter().copied());
        }
    }
}

/// Is that all that is wrong? A text has brackets when it is written out that it did
/// not need before, and may so have too many inside each other.
pub fn is_too_deep(found: &[Diagnostic]) -> bool {
    let mut mistakes = found.iter().filter(|one| one.severity == Severity::Error);
    mistakes.all(|one| one.code == "E006")
}

/// For `fuzz_mutator!`: changes the first `size` bytes of `data`, and returns how
/// many there are then.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice::new(seed);
    let text = match std::str::from_utf8(&data[..size]) {
        Ok(text) if dice.roll(3) > 0 => text,
        _ => return fuzzer_mutate(data, size, max_size),
    };
    let text = match dice.roll(12) {
        0 => sentences::filter(&mut dice),
        1 => sentences::statement(&mut dice),
        2 => {
            let joint = dice.pick(&[" and ", " or ", " xor ", " where ", "\n", "; "]);
            [text, joint, &sentences::filter(&mut dice)].concat()
        }
        3 => [text, "\n", &sentences::statement(&mut dice)].concat(),
        _ => {
            let mut words = words(text);
            for _ in 0..=dice.roll(3) {
                change(&mut words, &mut dice);
            }
            words.concat()
        }
    };
    let mut len = text.len().min(max_size);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    data[..len].copy_from_slice(&text.as_bytes()[..len]);
    len
}
