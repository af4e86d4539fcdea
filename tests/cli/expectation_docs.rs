//! docs/expectations.md: its commands say what stands there, what is compared with
//! other tools is sound, and its grammar is the parser's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assert_cmd::Command;
use netlab_capture::expect;

const DOCS: &str = include_str!("../../docs/expectations.md");

fn parse(text: &str) -> Result<(), String> {
    let roles = ["client", "server"].map(str::to_owned);
    match expect::parse("docs", text, &roles) {
        Ok(_) => Ok(()),
        Err(mistakes) => Err(format!("{text}\n{mistakes:#?}")),
    }
}

/// The blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = DOCS.split(fence.as_str()).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Each line below a command is in what the command says.
#[test]
fn the_tutorials_commands_say_what_stands_below_them() {
    let folder = tempfile::tempdir().unwrap();
    let captures = folder.path().join("captures");
    std::fs::create_dir(&captures).unwrap();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let name = "tcp-upper.pcapng";
    std::fs::copy(reference.join(name), captures.join(name)).unwrap();
    let mut tried = 0;
    for block in blocks("console") {
        let mut said = String::new();
        for line in block.lines() {
            let Some(command) = line.strip_prefix("$ netlab-capture ") else {
                assert!(said.contains(line), "{line}\n{said}");
                continue;
            };
            let words = shlex::split(command).unwrap();
            // Runs need namespaces; tests/live has them.
            if words.first().is_some_and(|first| first == "run") {
                continue;
            }
            let output = Command::cargo_bin("netlab-capture")
                .unwrap()
                .current_dir(folder.path())
                .args(&words)
                .output()
                .unwrap();
            assert!(matches!(output.status.code(), Some(0 | 1)), "{line}");
            said = String::from_utf8(output.stdout).unwrap();
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried}");
}

#[test]
fn what_you_would_do_elsewhere_is_written_soundly() {
    let (_, table) = DOCS.split_once("| here you write |").unwrap();
    let rows: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() >= 10);
    for row in rows {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let statement = cell.trim_matches('`');
        parse(statement).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

/// A right side of the grammar.
#[derive(Clone, Debug)]
enum Rule {
    Word(String),
    Name(String),
    Sequence(Vec<Rule>),
    Choice(Vec<Rule>),
    Optional(Box<Rule>),
    Repeated(Box<Rule>),
    /// `? in words ?`
    Special,
}

/// Reads EBNF, as far as the document uses it.
struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.strip_prefix(sign);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn until(&mut self, sign: char) -> String {
        let (text, rest) = self.rest.split_once(sign).unwrap();
        self.rest = rest;
        text.to_owned()
    }

    fn choice(&mut self) -> Rule {
        let mut all = vec![self.sequence()];
        while self.takes("|") {
            all.push(self.sequence());
        }
        match all.len() {
            1 => all.remove(0),
            _ => Rule::Choice(all),
        }
    }

    fn sequence(&mut self) -> Rule {
        let mut all = vec![self.one()];
        while self.takes(",") {
            all.push(self.one());
        }
        Rule::Sequence(all)
    }

    fn one(&mut self) -> Rule {
        for (open, close) in [("[", "]"), ("{", "}"), ("(", ")")] {
            if self.takes(open) {
                let inner = self.choice();
                assert!(self.takes(close), "{close} before {}", self.rest);
                return match open {
                    "[" => Rule::Optional(Box::new(inner)),
                    "{" => Rule::Repeated(Box::new(inner)),
                    _ => inner,
                };
            }
        }
        if self.takes("\"") {
            return Rule::Word(self.until('"'));
        }
        if self.takes("?") {
            self.until('?');
            return Rule::Special;
        }
        self.rest = self.rest.trim_start();
        let len = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap();
        let (name, rest) = self.rest.split_at(len);
        assert!(!name.is_empty(), "a name before {rest}");
        self.rest = rest;
        Rule::Name(name.to_owned())
    }
}

fn grammar() -> BTreeMap<String, Rule> {
    let mut reader = Reader {
        rest: blocks("ebnf")[0],
    };
    let mut rules = BTreeMap::new();
    while !reader.rest.trim().is_empty() {
        let Rule::Name(name) = reader.one() else {
            panic!("a production before {}", reader.rest)
        };
        assert!(reader.takes("="), "{name}");
        let rule = reader.choice();
        assert!(reader.takes(";"), "{name}: {}", reader.rest);
        assert!(rules.insert(name, rule).is_none());
    }
    rules
}

/// Writes texts by the grammar.
struct Writer<'g> {
    rules: &'g BTreeMap<String, Rule>,
    used: BTreeSet<String>,
    state: u64,
    words: Vec<String>,
    depth: usize,
    names: Names,
}

/// The names of steps in one text.
#[derive(Default)]
struct Names {
    given: Vec<String>,
    /// What the step that is being written was given: it does not speak of itself.
    coming: Option<String>,
    /// A name was to be written before one was given: there is no such text.
    missing: bool,
    spoken: usize,
}

impl Writer<'_> {
    /// A number below `most`, the same ones in each run (Knuth's MMIX generator).
    fn number(&mut self, most: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % most
    }

    fn write(&mut self, rule: &Rule) {
        match rule {
            Rule::Word(word) => self.words.push(word.clone()),
            Rule::Sequence(all) => all.iter().for_each(|one| self.write(one)),
            Rule::Choice(all) => {
                // Deep inside, the shorter alternatives stand first.
                let at = match self.depth > 14 {
                    true => 0,
                    false => self.number(all.len()),
                };
                self.write(&all[at]);
            }
            Rule::Optional(inner) => {
                if self.depth <= 14 && self.number(2) == 0 {
                    self.write(inner);
                }
            }
            Rule::Repeated(inner) => {
                let times = if self.depth > 14 { 0 } else { self.number(3) };
                (0..times).for_each(|_| self.write(inner));
            }
            Rule::Name(name) => self.production(name),
            Rule::Special => panic!("written by its name"),
        }
    }

    /// A text that begins here.
    fn text(&mut self, production: &str) -> Option<String> {
        self.words.clear();
        self.names = Names::default();
        self.production(production);
        (!self.names.missing).then(|| self.words.join(" "))
    }

    fn give(&mut self) -> String {
        // Over all steps, so that no two have the same.
        let name = format!("step{}", self.words.len());
        self.names.coming = Some(name.clone());
        name
    }

    fn speak(&mut self) -> String {
        self.names.spoken += 1;
        if self.names.given.is_empty() {
            self.names.missing = true;
            return String::new();
        }
        let at = self.number(self.names.given.len());
        self.names.given[at].clone()
    }

    fn production(&mut self, name: &str) {
        self.used.insert(name.to_owned());
        if matches!(name, "newline" | "step") {
            let whole = self.names.coming.take();
            self.names.given.extend(whole);
        }
        let context = match name {
            "given" => Some(self.give()),
            "name" => Some(self.speak()),
            "earlier" => Some(format!("{}.tcp.seq", self.speak())),
            _ => None,
        };
        if let Some(word) = context {
            self.words.push(word);
            return;
        }
        let samples: &[&str] = match name {
            "newline" => &["\n"],
            "string" => &["\"hello\\n\"", "\"\"", "\"{ # }\""],
            "state" => &["\"SF\"", "\"REJ\""],
            "regex" => &["/^hel+o/", "/a|b/"],
            "target" => &["/", "/index.html"],
            "duration" => &["50ms", "1s", "200us"],
            "integer" => &["1", "0x1f", "64"],
            "durations" => &["200ms..300ms", "0s..1.5s"],
            "size" => &["64KiB", "1.5MB", "100B"],
            "path" => &["\"$.items[0].name\"", "\"$['a b'][-1]\""],
            "octets" => &["47:45:54", "00:ff"],
            "port" => &["80", "12000"],
            "status" => &["200", "404"],
            "role" => &["client", "server"],
            "often" => &["x2", "x1..3", "x0..", "x1.."],
            "method" => &["GET", "POST", "DELETE"],
            "message" => &["port-unreachable", "ttl-exceeded", "3/3", "3"],
            _ => {
                let rule = self
                    .rules
                    .get(name)
                    .unwrap_or_else(|| panic!("no production {name}"));
                self.depth += 1;
                self.write(&rule.clone());
                self.depth -= 1;
                return;
            }
        };
        let at = self.number(samples.len());
        self.words.push(samples[at].to_owned());
    }
}

#[test]
fn what_the_grammar_writes_the_parser_reads() {
    let rules = grammar();
    let mut writer = Writer {
        rules: &rules,
        used: BTreeSet::new(),
        state: 1,
        words: Vec::new(),
        depth: 0,
        names: Names::default(),
    };
    let (mut statements, mut with_names) = (0, 0);
    while statements < 5000 {
        // Several, so that later ones speak of an earlier one's steps.
        let production = if statements % 2 == 0 {
            "statement"
        } else {
            "text"
        };
        let Some(text) = writer.text(production) else {
            continue;
        };
        parse(&text).unwrap_or_else(|wrong| panic!("{wrong}"));
        statements += 1;
        with_names += usize::from(writer.names.spoken > 0);
    }
    assert!(with_names > 200, "{with_names}");
    let all: BTreeSet<String> = rules.keys().cloned().collect();
    assert_eq!(writer.used, all);
}
