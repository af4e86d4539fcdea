//! Statements: sequences, absences, rules, comparisons.

use crate::savefile::Protocol;

use super::super::ast::{
    Collection, Condition, Each, Mode, Scope, Selection, Sequence, Spanned, Statement,
    StepOrFilter, Subject, Unit,
};
use super::super::claim::fields as claim_fields;
use super::super::codes;
use super::super::fields::{self, Kind};
use super::super::lex::{self, Token};
use super::filter::operator;
use super::habit::{self, Ours};
use super::step::STEP_EACH;
use super::suggest::{did_you_mean, nearest};
use super::{Parsed, Parser, Reported, literal};

pub(super) const KEYWORDS: [&str; 6] = ["exactly", "any", "no", "nothing", "each", "maybe"];

const STATEMENTS: &str = "a statement begins with `exactly {`, `in order {`, `any order {`, \
     `no`, `nothing`, `each`, or is a comparison such as `tcp[0].state == \"SF\"`";

/// What stands where a step could be counted as in a regular expression.
const HOW_OFTEN: &str =
    "how often is written behind the step, `x2`, `x1..3`, `x0..`, or `maybe` before it";

/// How a block begins.
pub(super) enum BlockKind {
    Known(Mode),
    /// `excatly {`: read for its own mistakes.
    Misspelt,
}

impl<'t> Parser<'t> {
    /// The whole text.
    pub(super) fn statements(&mut self) -> Vec<Spanned<Statement>> {
        let mut statements = Vec::new();
        loop {
            self.skip_separators();
            let start = self.peek_span().start;
            match self.peek() {
                Token::End => break,
                _ if self.has_enough() => break,
                Token::Symbol("}") => {
                    self.expected("a statement", "there is no open `{`");
                    self.take();
                    continue;
                }
                _ => {}
            }
            self.depth = 0;
            self.joints = 0;
            self.sets = 0;
            self.parentheses = 0;
            self.subject = None;
            // A later block may give a name again, and it is that one's from there on.
            self.names.clear();
            self.spoken_of.clear();
            match self.statement() {
                Ok(statement) => {
                    statements.push(Spanned {
                        value: statement,
                        span: start..self.taken,
                    });
                    self.expect_separator("statement");
                }
                Err(Reported) => self.resynchronise(),
            }
        }
        if statements.is_empty() && self.found.is_empty() {
            self.error(
                codes::EMPTY,
                0..0,
                "the expectation demands nothing",
                "expected a statement",
                Some(STATEMENTS.to_owned()),
            );
        }
        statements
    }

    pub(super) fn skip_separators(&mut self) {
        while matches!(self.peek(), Token::Newline | Token::Semicolon) {
            self.take();
        }
    }

    /// A statement or step must end here; if it does not, the rest of the line
    /// is skipped.
    pub(super) fn expect_separator(&mut self, what: &str) {
        if self.peek().ends_statement() || (what == "step" && self.at_block_end()) {
            return;
        }
        let span = self.peek_span();
        match self.peek() {
            Token::Word(word @ ("within" | "in")) if self.at_duration() => {
                let time = self.lexed(span.end).span;
                let time = self.text.get(time).unwrap_or_default();
                self.error(
                    codes::EXPECTED,
                    span,
                    format!("`{word}` cannot follow a {what}"),
                    format!("expected the end of the {what}"),
                    Some(format!(
                        "a time stands behind a step, inside the block: `within {time}`"
                    )),
                );
            }
            Token::Symbol(",") if what == "statement" && self.at_second_value() => {
                self.expected(
                    "the end of the statement",
                    "several values are a set: `tcp.port in {80, 443}`",
                );
            }
            Token::Symbol("/") => {
                self.expected(
                    &format!("the end of the {what}"),
                    "a comment begins with `#`",
                );
            }
            Token::Word(word) if what == "step" && self.is_modifier_like(word) => {
                // It stands behind a group: of a step it was told already.
                let _ = self.wrong_modifier(false);
            }
            Token::Word("and") => {
                self.expected(&format!("the end of the {what}"), STEP_EACH);
            }
            _ if self.joint_meant().is_some() => {
                let help = self.joint_meant().unwrap_or_default();
                self.expected(&format!("the end of the {what}"), &help);
            }
            Token::Symbol(",") => {
                self.expected(
                    &format!("the end of the {what}"),
                    &format!("a {what} ends with its line, or with `;`"),
                );
            }
            Token::Symbol("*" | "+") | Token::Unknown('?') if what == "step" => {
                self.expected("the end of the step", HOW_OFTEN);
            }
            Token::Word(word) if self.clause_meant(word, what).is_some() => {
                let help = self.clause_meant(word, what).unwrap_or_default();
                self.expected(&format!("the end of the {what}"), &help);
            }
            Token::Word(_) => self.error(
                codes::SEPARATOR,
                span,
                format!("the {what} before this has no end"),
                "begins something new",
                Some("put it on a line of its own, or write `;` between them".to_owned()),
            ),
            Token::Symbol("==" | "!=" | "<" | "<=" | ">" | ">=") => {
                self.expected(
                    &format!("the end of the {what}"),
                    "packets are counted so: `packets(SYN) == 2`",
                );
            }
            Token::Unknown(_) => {
                self.expected(&format!("the end of the {what}"), "");
            }
            _ => {
                self.expected(
                    &format!("the end of the {what}"),
                    &format!("a {what} ends with its line, or with `;`"),
                );
            }
        }
        self.resynchronise();
    }

    /// How it is said what the word behind a statement or step begins with elsewhere.
    fn clause_meant(&self, word: &str, what: &str) -> Option<String> {
        let before = self.text.get(..self.taken).unwrap_or_default();
        let is_joint = self.peek_span().start == self.taken;
        Some(match (word, self.peek_second()) {
            ("i", _) if is_joint && before.ends_with('/') => {
                "letters of either case: `~ /(?i)…/`".to_owned()
            }
            ("from", Token::Word(name))
                if what == "step" && before.rsplit([' ', '\t']).next().is_some_and(|word| {
                    literal::duration(word).is_some()
                }) =>
            {
                format!("write `within … of {name}`")
            }
            ("from" | "by", Token::Word(role)) if self.is_end(role) => {
                format!("the ends stand before the event: `{role} > any RST`")
            }
            ("to", Token::Word(role)) if self.is_end(role) => {
                format!("the ends stand before the event: `any > {role} RST`")
            }
            ("on", _) if what == "statement" => {
                "of one connection it is a condition: `where tcp.stream == 0`".to_owned()
            }
            ("before" | "until" | "after" | "between", _) if what == "statement" => {
                "one window belongs to a statement, `after A until B`, and before the `has` of `each`"
                    .to_owned()
            }
            _ => return None,
        })
    }

    /// `, 81`: a further value behind a comma.
    fn at_second_value(&self) -> bool {
        matches!(self.peek_second(), Token::Number(_) | Token::Text(_))
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if let Some(kind) = self.block_kind()? {
            return self.sequence(kind).map(Statement::Sequence);
        }
        match self.peek() {
            Token::Word("no") => {
                self.take();
                self.selection("`no`").map(Statement::No)
            }
            Token::Word("nothing") => {
                self.take();
                self.window_of_nothing().map(Statement::Nothing)
            }
            Token::Word("each") => self.each(false),
            Token::Word("maybe") if self.peek_second() == Token::Word("each") => {
                self.take();
                self.each(true)
            }
            _ => {
                self.refuse_what_is_no_statement()?;
                self.claim().map(Statement::Claim)
            }
        }
    }

    /// A step or a filter, and its window where one follows.
    pub(super) fn selection(&mut self, place: &str) -> Parsed<Selection> {
        let what = self.step_or_filter(place)?;
        let window = self.window()?;
        Ok(Selection { what, window })
    }

    /// The words before a block. None: no block begins here.
    fn block_kind(&mut self) -> Parsed<Option<BlockKind>> {
        let kind = match (self.peek(), self.peek_second()) {
            (Token::Word("exactly"), _) => BlockKind::Known(Mode::Exactly),
            (Token::Word("in"), _) => {
                self.order_follows("in order")?;
                BlockKind::Known(Mode::InOrder)
            }
            (Token::Word("any"), Token::Word("order")) => {
                self.order_follows("any order")?;
                BlockKind::Known(Mode::AnyOrder)
            }
            // `no {tcp.flags & 2} == 0`: a filter may begin with a brace.
            (Token::Word(word), Token::Symbol("{")) if is_misspelt_keyword(word) => {
                let span = self.peek_span();
                self.keyword_in_capitals(word, span);
                BlockKind::Misspelt
            }
            (Token::Word(word), Token::Symbol("{")) if !matches!(word, "no" | "each") => {
                let span = self.peek_span();
                self.unknown_statement(word, span);
                BlockKind::Misspelt
            }
            (Token::Symbol("{"), _) => {
                let span = self.peek_span();
                self.error(
                    codes::UNKNOWN_STATEMENT,
                    span,
                    "the block does not say how its steps are meant",
                    "expected a word before this",
                    Some("write `exactly {`, `in order {` or `any order {`".to_owned()),
                );
                return Ok(Some(BlockKind::Misspelt));
            }
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(kind))
    }

    /// Takes the first word of `in order`, so that `order` is the last.
    fn order_follows(&mut self, words: &str) -> Parsed<()> {
        self.take();
        if self.at_word("order") {
            return Ok(());
        }
        if self.at_word("any") && self.peek_second() == Token::Word("order") {
            return Err(self.expected("`order`", "write `any order { … }`, without `in`"));
        }
        Err(self.expected("`order`", &format!("write `{words} {{ … }}`")))
    }

    fn unknown_statement(&mut self, word: &str, span: std::ops::Range<usize>) {
        let near = habit::first_word(word).or_else(|| nearest(word, KEYWORDS));
        let help = match (word, near) {
            ("and" | "or", _) => Some(format!(
                "a line that ends with `{word}` goes on in the next"
            )),
            (_, Some("any")) if word != "any" => Some("did you mean `any order`?".to_owned()),
            (_, near) => did_you_mean(near.filter(|near| *near != word), STATEMENTS),
        };
        self.error(
            codes::UNKNOWN_STATEMENT,
            span,
            format!("no statement begins with `{word}`"),
            "unknown word",
            help,
        );
    }

    /// `NO RST`, `IN ORDER {`.
    fn keyword_in_capitals(&mut self, word: &str, span: std::ops::Range<usize>) {
        let mut right = word.to_ascii_lowercase();
        let mut end = span.end;
        if let Token::Word(order) = self.peek_second()
            && matches!(right.as_str(), "in" | "any")
            && order.eq_ignore_ascii_case("order")
        {
            right.push_str(" order");
            end = self.lexed(span.end).span.end;
        }
        self.error(
            codes::CASE,
            span.start..end,
            format!("the words of a statement are written in small letters: `{right}`"),
            "capitals",
            Some(format!("write `{right}`")),
        );
    }

    /// A phrase of tcpdump's or packetdrill's, said in this language.
    /// `whole`: a statement begins here, not the filter of one.
    fn refuse_habit(&mut self, whole: bool) -> Parsed<()> {
        let (line, span) = self.rest_of_line();
        let Some(habit) = habit::phrase(line) else {
            return Ok(());
        };
        let code = match whole {
            true => codes::UNKNOWN_STATEMENT,
            false => codes::EXPECTED,
        };
        let help = match habit.ours {
            Ours::Step(step) => format!("write `in order {{ {step} }}`"),
            Ours::Filter(filter) if whole => {
                format!("write `no {filter}` or `packets({filter}) > 0`")
            }
            Ours::Filter(filter) => format!("write `{filter}`"),
        };
        self.error(
            code,
            span,
            format!("this is the language of {}", habit.tool),
            "means nothing here",
            Some(help),
        );
        Err(Reported)
    }

    fn sequence(&mut self, kind: BlockKind) -> Parsed<Sequence> {
        let (mode, known) = match kind {
            BlockKind::Known(mode) => (mode, true),
            BlockKind::Misspelt => (Mode::InOrder, false),
        };
        let unit = match self.word("packets") {
            true => Unit::Packets,
            false => Unit::Events,
        };
        if self.at_symbol("(") && self.steps_in_round_brackets() {
            return Err(self.expected("`{`", "the steps stand between `{` and `}`"));
        }
        // A wrong scope does not keep the steps from being read.
        let scope = self.scope();
        if scope.is_err() {
            while !matches!(
                self.peek(),
                Token::Symbol("{" | "}") | Token::Newline | Token::Semicolon | Token::End
            ) {
                self.take();
            }
            self.parentheses = 0;
        }
        let opened = self.open("{", "the steps stand between `{` and `}`")?;
        let block = self.block(mode, opened.clone())?;
        if mode != Mode::Exactly && block.demands_nothing() {
            self.error(
                codes::EMPTY,
                opened.start..self.taken,
                "a block of which every step may be left out demands nothing",
                "no step has to be there",
                Some("leave `maybe` out, or say `no …` of what must not happen".to_owned()),
            );
        }
        if block.steps.is_empty()
            && !block.any_wrong
            && known
            && matches!(mode, Mode::InOrder | Mode::AnyOrder)
        {
            self.error(
                codes::EMPTY,
                opened,
                "a block without a step demands nothing",
                "no step in here",
                Some("`exactly { }` says that nothing at all may happen".to_owned()),
            );
        }
        Ok(Sequence {
            mode,
            unit,
            scope: scope?,
            steps: block.steps,
            items: block.items,
        })
    }

    /// `exactly ( client > server SYN )`: no scope, which is a filter.
    fn steps_in_round_brackets(&mut self) -> bool {
        let before = (self.at, self.taken);
        self.take();
        self.skip_newlines();
        let is_event = match self.peek() {
            Token::Word(word) => fields::lookup(word).is_none() && self.event_like(word),
            _ => false,
        };
        let found = is_event || self.at_ends();
        (self.at, self.taken) = before;
        found
    }

    /// `on tcp[0]`, `on http[1]`, `(tcp.port == 12000)`, or nothing.
    fn scope(&mut self) -> Parsed<Option<Scope>> {
        if self.word("on") {
            return self.member_in_scope().map(Some);
        }
        if self.at_symbol("(") {
            let opened = self.open("(", "")?;
            let filter = self.spanned_filter()?;
            self.close(")", opened)?;
            return Ok(Some(Scope::Filter(filter)));
        }
        Ok(None)
    }

    /// `tcp[0]`, `udp[1]`, `http[2]`.
    fn member_in_scope(&mut self) -> Parsed<Scope> {
        let collection = match self.peek() {
            Token::Word(word) => collection(word),
            _ => None,
        };
        let Some(collection) = collection else {
            return Err(self.expected(
                "`tcp[0]`, `udp[0]` or `http[0]`",
                "`on` is followed by a conversation or message and its number, counted from 0",
            ));
        };
        self.take();
        let opened = self.open("[", "it has a number, as in `tcp[0]`")?;
        let id = self.index()?;
        self.close("]", opened)?;
        let protocol = match collection {
            Collection::Tcp => Protocol::Tcp,
            Collection::Udp => Protocol::Udp,
            Collection::Http => return Ok(Scope::Message(id)),
        };
        Ok(Scope::Conversation { protocol, id })
    }

    /// Behind `no`, in `packets()`, behind `each`: a step where one can be
    /// read, else a filter.
    pub(super) fn step_or_filter(&mut self, place: &str) -> Parsed<StepOrFilter> {
        self.refuse_habit(false)?;
        let start = self.peek_span().start;
        if self.at_step() {
            let step = self.single_step(place)?;
            let step = Spanned {
                value: step,
                span: start..self.taken,
            };
            return Ok(StepOrFilter::Step(Box::new(step)));
        }
        self.spanned_filter().map(StepOrFilter::Filter)
    }

    fn each(&mut self, maybe: bool) -> Parsed<Statement> {
        self.take();
        let start = self.peek_span().start;
        let subject = match self.all_of_a_collection()? {
            Some(collection) => Subject::All(collection),
            None => Subject::Packets(Box::new(self.selection("`each`")?)),
        };
        let subject = Spanned {
            value: subject,
            span: start..self.taken,
        };
        if !self.word("has") {
            return Err(self.expected("`has`", "as in `each udp has udp.length == 13`"));
        }
        let start = self.peek_span().start;
        let condition = match subject.value {
            Subject::All(collection) => {
                self.subject = Some(collection);
                let claim = self.claim();
                self.subject = None;
                Condition::Claim(claim?)
            }
            Subject::Packets(_) => Condition::Filter(self.filter()?),
        };
        let each = Each {
            maybe,
            subject,
            condition: Spanned {
                value: condition,
                span: start..self.taken,
            },
        };
        Ok(Statement::Each(Box::new(each)))
    }

    /// `tcp[]`, `udp[]`, `http[]`.
    fn all_of_a_collection(&mut self) -> Parsed<Option<Collection>> {
        let Token::Word(word) = self.peek() else {
            return Ok(None);
        };
        let Some(collection) = collection(word) else {
            return Ok(None);
        };
        if self.peek_second() != Token::Symbol("[") || self.slices_a_protocol() {
            return Ok(None);
        }
        self.take();
        self.take();
        if self.symbol("]") {
            return Ok(Some(collection));
        }
        Err(self.expected(
            "`]`",
            &format!(
                "`each {word}[] has …` is about all of them; for one write `{word}[0].…` alone"
            ),
        ))
    }

    /// `http[0:4] == "HTTP"` is a filter, `http[0]` and `http[0].code` are not.
    fn slices_a_protocol(&self) -> bool {
        let opened = self.lexed(self.lexed(self.at).span.end).span;
        let Some((inside, span)) = lex::until(self.text, opened.end, ']') else {
            return false;
        };
        let is_number = inside.trim().bytes().all(|b| b.is_ascii_digit());
        let compared = match self.lexed(span.end + 1).token {
            Token::Symbol(word) => operator(word).is_some(),
            Token::Word(word) => word == "in" || operator(word).is_some(),
            _ => false,
        };
        !is_number || (compared && !inside.trim().is_empty())
    }

    /// What reads like a statement to a beginner, and is none.
    fn refuse_what_is_no_statement(&mut self) -> Parsed<()> {
        self.refuse_habit(true)?;
        let span = self.peek_span();
        let (code, message, help) = match self.peek() {
            Token::Word("never") => (
                codes::UNKNOWN_STATEMENT,
                "no statement begins with `never`",
                "write `no`: `no RST between SYN and FIN`".to_owned(),
            ),
            Token::Word(word) if is_misspelt_keyword(word) => {
                self.keyword_in_capitals(word, span);
                return Err(Reported);
            }
            Token::Word("maybe") => (
                codes::STEP_OUTSIDE,
                "a step stands in a block",
                "write `in order { … }` around it".to_owned(),
            ),
            Token::Word(_) if self.at_ends() => (
                codes::STEP_OUTSIDE,
                "a step stands in a block",
                "write `in order { … }` around it, or `no` before it".to_owned(),
            ),
            Token::Word(word) if fields::lookup(word).is_some() && self.at_filter_operator() => (
                codes::FILTER_OUTSIDE,
                "a filter alone says nothing",
                self.claims_of_filter(word),
            ),
            Token::Word(word) if !self.at_value() && self.event_like(word) => (
                codes::STEP_OUTSIDE,
                "a step stands in a block",
                "write `in order { … }` around it, or `no` before it".to_owned(),
            ),
            Token::Symbol("/" | "*") => (
                codes::EXPECTED,
                "this begins no statement",
                "a comment begins with `#`".to_owned(),
            ),
            Token::Word(word) if !self.at_value() && self.roles.iter().any(|role| role == word) => {
                (
                    codes::UNKNOWN_STATEMENT,
                    "no statement begins with a role alone",
                    format!(
                        "say what of it: `{word}.exit == 0`, `{word}.stdout contains \"…\"`; or write a step in a block: `{word} > any SYN`"
                    ),
                )
            }
            Token::Word(word) if !self.at_value() => {
                self.unknown_statement(word, span);
                return Err(Reported);
            }
            _ => return Ok(()),
        };
        self.error(code, span, message, "begins here", Some(help));
        Err(Reported)
    }

    /// What the filter that begins here with a field could have been meant as.
    fn claims_of_filter(&self, field: &str) -> String {
        let (line, _) = self.rest_of_line();
        let is_bare_boolean =
            line == field && fields::lookup(field).is_some_and(|f| f.kind == Kind::Bool);
        let sound = self.sound_filter(line);
        let filter = match (&sound, line.chars().count()) {
            _ if is_bare_boolean => &format!("{line} == 1"),
            (Some(sound), 0..=40) => sound.as_str(),
            _ => "FILTER",
        };
        let counted = format!("`no {filter}` or `packets({filter}) > 0`");
        let path: Vec<String> = field.split('.').map(str::to_owned).collect();
        match path.split_first() {
            Some((first, member))
                if first == "http"
                    && claim_fields::collection_field(Collection::Http, member).is_some() =>
            {
                let behind = filter.strip_prefix("http");
                let member =
                    behind.map_or_else(|| format!(".{} …", member.join(".")), str::to_owned);
                format!("write `http[0]{member}`, of the first message; or {counted}")
            }
            _ => format!("write {counted}; or `each udp has FILTER`, of each packet"),
        }
    }

    /// The filter, with `==` where it has `=`; None where it has other mistakes.
    fn sound_filter(&self, filter: &str) -> Option<String> {
        let mut sound = filter.to_owned();
        let (_, found) = super::parse_filter(filter, self.roles);
        for mistake in found.iter().rev() {
            if mistake.code == codes::ASSIGNMENT {
                sound.replace_range(mistake.span.clone(), "==");
            }
        }
        super::parse_filter(&sound, self.roles).0.map(|_| sound)
    }

    /// Behind the next word, which is a field, stands what makes it a filter.
    fn at_filter_operator(&self) -> bool {
        match self.peek_second() {
            Token::Word(word) => matches!(
                word,
                "and"
                    | "or"
                    | "contains"
                    | "matches"
                    | "in"
                    | "eq"
                    | "ne"
                    | "lt"
                    | "le"
                    | "gt"
                    | "ge"
            ),
            Token::Symbol(symbol) => !matches!(symbol, "[" | "("),
            next => next.ends_statement(),
        }
    }
}

/// `NO`, `Each`, `IN`: a keyword, but for its capitals.
fn is_misspelt_keyword(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word != lower && (KEYWORDS.contains(&lower.as_str()) || lower == "in")
}

/// The collection of this name.
pub(super) fn collection(word: &str) -> Option<Collection> {
    match word {
        "tcp" => Some(Collection::Tcp),
        "udp" => Some(Collection::Udp),
        "http" => Some(Collection::Http),
        _ => None,
    }
}
