//! The grammar in docs/expectations.md: read, and texts written by it. The fuzz
//! targets of texts have it as well.

use std::collections::{BTreeMap, BTreeSet};

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

/// The productions, by name.
pub struct Grammar(BTreeMap<String, Rule>);

impl Grammar {
    /// The first block of EBNF in a document.
    pub fn read(document: &str) -> Grammar {
        let (_, block) = document.split_once("```ebnf\n").unwrap();
        let (rest, _) = block.split_once("```").unwrap();
        let mut reader = Reader { rest };
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
        Grammar(rules)
    }
}

/// Writes something else for a production than its rule says; the number is a random
/// one. None: by the rule.
pub type Instead = fn(&str, usize) -> Option<String>;

/// Writes texts by the grammar.
pub struct Writer<'g> {
    grammar: &'g Grammar,
    used: BTreeSet<String>,
    state: u64,
    words: Vec<String>,
    depth: usize,
    names: Names,
    instead: Instead,
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

impl<'g> Writer<'g> {
    /// The same texts for the same `seed`.
    pub fn new(grammar: &'g Grammar, seed: u64, instead: Instead) -> Writer<'g> {
        Writer {
            grammar,
            used: BTreeSet::new(),
            state: seed,
            words: Vec::new(),
            depth: 0,
            names: Names::default(),
            instead,
        }
    }

    /// A step has a name of which something else in the latest text speaks.
    #[allow(dead_code)] // Asked by the test alone.
    pub fn speaks_of_names(&self) -> bool {
        self.names.spoken > 0
    }

    /// The productions that were in none of the texts.
    #[allow(dead_code)] // Asked by the test alone.
    pub fn unused(&self) -> Vec<&str> {
        let names = self.grammar.0.keys().map(String::as_str);
        names.filter(|name| !self.used.contains(*name)).collect()
    }

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

    /// A text that begins with this production. None where it would speak of a step's
    /// name before there is one.
    pub fn text(&mut self, production: &str) -> Option<String> {
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
        let random = self.number(1 << 31);
        let context = match name {
            "given" => Some(self.give()),
            "name" => Some(self.speak()),
            "earlier" => Some(format!("{}.tcp.seq", self.speak())),
            _ => (self.instead)(name, random),
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
                let grammar = self.grammar;
                let rule = grammar.0.get(name);
                let rule = rule.unwrap_or_else(|| panic!("no production {name}"));
                self.depth += 1;
                self.write(rule);
                self.depth -= 1;
                return;
            }
        };
        let at = self.number(samples.len());
        self.words.push(samples[at].to_owned());
    }
}
