//! A parsed expectation as text again, which parses to the same tree. Blocks
//! have a step on each line; `RST,ACK` is written as the condition that it is.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{
    Anchor, Claim, Collection, Condition, Content, Each, EventPattern, Expectation, Function,
    Group, Item, Mode, Op, Scope, Selection, Sequence, Spanned, Statement, Step, StepEnds,
    StepOrFilter, Subject, Times, Unit, Value, Window, Within,
};
use super::filter_text::write_text;
use super::parse::PLAIN;
use crate::savefile::Protocol;

impl Display for Expectation {
    /// Every statement on lines of its own.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, statement) in self.statements.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{}", statement.value)?;
        }
        Ok(())
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Sequence(sequence) => write!(f, "{sequence}"),
            Statement::No(which) => write!(f, "no {which}"),
            Statement::Nothing(window) => write!(f, "nothing {}", window.value),
            Statement::Each(each) => write!(f, "{each}"),
            Statement::Claim(claim) => write!(f, "{claim}"),
        }
    }
}

impl Display for Sequence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.mode {
            Mode::Exactly => "exactly",
            Mode::InOrder => "in order",
            Mode::AnyOrder => "any order",
        })?;
        if self.unit == Unit::Packets {
            f.write_str(" packets")?;
        }
        match &self.scope {
            None => {}
            Some(Scope::Conversation { protocol, id }) => {
                let name = match protocol {
                    Protocol::Tcp => "tcp",
                    Protocol::Udp => "udp",
                };
                write!(f, " on {name}[{id}]")?;
            }
            Some(Scope::Message(id)) => write!(f, " on http[{id}]")?,
            Some(Scope::Filter(filter)) => write!(f, " ({})", filter.value)?,
        }
        f.write_str(" {")?;
        self.items(&self.items, 1, f)?;
        f.write_str(if self.items.is_empty() { " }" } else { "\n}" })
    }
}

impl Sequence {
    fn items(&self, items: &[Item], depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
        for item in items {
            write!(f, "\n{:1$}", "", 2 * depth)?;
            match item {
                Item::Step(index) => match self.steps.get(*index) {
                    Some(step) => write!(f, "{}", step.value)?,
                    None => return Err(fmt::Error),
                },
                Item::Group(group) => self.group(group, depth, f)?,
            }
        }
        Ok(())
    }

    fn group(&self, group: &Group, depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
        if group.times == MAYBE {
            f.write_str("maybe ")?;
        }
        f.write_str("(")?;
        for (i, branch) in group.branches.iter().enumerate() {
            if i > 0 {
                write!(f, "\n{:1$}|", "", 2 * depth)?;
            }
            self.items(branch, depth + 1, f)?;
        }
        write!(f, "\n{:1$})", "", 2 * depth)?;
        write!(f, "{}", Counted(group.times))
    }
}

const MAYBE: Times = Times {
    min: 0,
    max: Some(1),
};

/// ` x2`; nothing for once, and for `maybe`, which stands in front.
struct Counted(Times);

impl Display for Counted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.0.min, self.0.max) {
            (1, Some(1)) | (0, Some(1)) => Ok(()),
            (min, Some(max)) if min == max => write!(f, " x{min}"),
            (min, Some(max)) => write!(f, " x{min}..{max}"),
            (min, None) => write!(f, " x{min}.."),
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.times == MAYBE {
            f.write_str("maybe ")?;
        }
        if let Some(ends) = &self.ends {
            write!(f, "{ends}  ")?;
        }
        write!(f, "{}{}", self.event, Counted(self.times))?;
        if let Some(within) = &self.within {
            write!(f, " {}", within.value)?;
        }
        for order in &self.order {
            let word = if order.value.before {
                "before"
            } else {
                "after"
            };
            write!(f, " {word} {}", order.value.of)?;
        }
        if self.after_stop {
            f.write_str(" after_stop")?;
        }
        if let Some(name) = &self.name {
            write!(f, " as {}", name.value)?;
        }
        match &self.where_ {
            Some(filter) => write!(f, " where {}", filter.value),
            None => Ok(()),
        }
    }
}

impl Display for StepEnds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let arrow = if self.either_way { "<>" } else { ">" };
        write!(f, "{} {arrow} {}", self.from.value, self.to.value)
    }
}

impl Display for Within {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("within ")?;
        if self.least > 0 {
            write!(f, "{}..", Time(self.least))?;
        }
        write!(f, "{}", Time(self.limit))?;
        match &self.of {
            Some(name) => write!(f, " of {name}"),
            None => Ok(()),
        }
    }
}

/// Nanoseconds, in the largest unit that leaves no fraction.
struct Time(i64);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0;
        let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
        match units.iter().find(|(unit, _)| nanoseconds % unit == 0) {
            Some((unit, name)) => write!(f, "{}{name}", nanoseconds / unit),
            None => write!(f, "{nanoseconds}ns"),
        }
    }
}

impl Display for EventPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            EventPattern::Syn => f.write_str("SYN"),
            EventPattern::SynAck => f.write_str("SYN,ACK"),
            EventPattern::Ack => f.write_str("ACK"),
            EventPattern::Fin => f.write_str("FIN"),
            EventPattern::Rst => f.write_str("RST"),
            EventPattern::Data(content) => write_content(f, "data", content.as_ref()),
            EventPattern::Udp(content) => write_content(f, "udp", content.as_ref()),
            EventPattern::Icmp(None) => f.write_str("icmp"),
            EventPattern::Icmp(Some(message)) => write!(f, "icmp {}", message.text),
            EventPattern::Request { method, target } => write_content(f, method, target.as_ref()),
            EventPattern::Response { code: None } => f.write_str("HTTP"),
            EventPattern::Response { code: Some(code) } => write!(f, "HTTP {code}"),
            EventPattern::Retransmission(None) => f.write_str("retransmission"),
            EventPattern::Retransmission(Some(of)) => write!(f, "retransmission of {of}"),
            EventPattern::KeepAlive => f.write_str("keep-alive"),
            EventPattern::WindowUpdate => f.write_str("window-update"),
        }
    }
}

fn write_content(f: &mut Formatter<'_>, event: &str, content: Option<&Content>) -> fmt::Result {
    f.write_str(event)?;
    match content {
        None => Ok(()),
        Some(Content::Exactly(bytes)) => {
            f.write_char(' ')?;
            write_text(f, bytes)
        }
        Some(Content::Matches(regex)) => write!(f, " ~ {}", Slashed(regex.as_str())),
    }
}

/// `/a\/b/`.
struct Slashed<'r>(&'r str);

impl Display for Slashed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('/')?;
        let mut escaped = false;
        for c in self.0.chars() {
            if c == '/' && !escaped {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
            escaped = c == '\\' && !escaped;
        }
        f.write_char('/')
    }
}

impl Display for Selection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.what {
            StepOrFilter::Step(step) => write!(f, "{}", step.value)?,
            StepOrFilter::Filter(filter) => {
                let filter = filter.value.to_string();
                match begins_as_event(&filter) {
                    true => write!(f, "({filter})")?,
                    false => f.write_str(&filter)?,
                }
            }
        }
        match &self.window {
            Some(window) => write!(f, " {}", window.value),
            None => Ok(()),
        }
    }
}

/// A filter that begins with a protocol whose name is an event's, too, would be
/// read as that event.
fn begins_as_event(filter: &str) -> bool {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let word = filter.split(|c| !is_of_word(c)).next();
    word.is_some_and(|word| PLAIN.contains(&word))
}

impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Window::Before(anchor) => write!(f, "before {anchor}"),
            Window::Until(anchor) => write!(f, "until {anchor}"),
            Window::After { from, until: None } => write!(f, "after {from}"),
            Window::After {
                from,
                until: Some(until),
            } => write!(f, "after {from} until {until}"),
            Window::Between(from, to) => write!(f, "between {from} and {to}"),
            Window::For { span, after } => write!(f, "for {} after {after}", Time(*span)),
        }
    }
}

impl Display for Anchor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Anchor::Name(name) => f.write_str(&name.value),
            // An `and` behind a condition would belong to it.
            Anchor::Step(step) if step.value.where_.is_some() => write!(f, "({})", step.value),
            Anchor::Step(step) => write!(f, "{}", step.value),
        }
    }
}

impl Display for Each {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.maybe { "maybe each " } else { "each " })?;
        match &self.subject.value {
            Subject::Packets(which) => write!(f, "{which}")?,
            Subject::All(collection) => write!(f, "{}[]", name_of(*collection))?,
        }
        f.write_str(" has ")?;
        match &self.condition.value {
            Condition::Filter(filter) => write!(f, "{filter}"),
            Condition::Claim(claim) => write!(f, "{claim}"),
        }
    }
}

fn name_of(collection: Collection) -> &'static str {
    match collection {
        Collection::Tcp => "tcp",
        Collection::Udp => "udp",
        Collection::Http => "http",
    }
}

impl Display for Claim {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Claim::And(a, b) => write!(f, "({a} and {b})"),
            Claim::Or(a, b) => write!(f, "({a} or {b})"),
            Claim::Not(inner) => write!(f, "not {inner}"),
            Claim::Compare { left, op, right } => {
                let op = match op.value {
                    Op::Eq => "==",
                    Op::Ne => "!=",
                    Op::Lt => "<",
                    Op::Le => "<=",
                    Op::Gt => ">",
                    Op::Ge => ">=",
                    Op::Contains => "contains",
                    Op::Matches => "~",
                };
                write!(f, "{} {op} {}", left.value, right.value)
            }
        }
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Duration(nanoseconds) => write!(f, "{}", Time(*nanoseconds)),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Text(bytes) => write_text(f, bytes),
            Value::Regex(regex) => write!(f, "{}", Slashed(regex.compiled.as_str())),
            Value::Packets(which) => write!(f, "packets({which})"),
            Value::Stream(ends) => write!(f, "stream({ends})"),
            Value::Call { function, argument } => {
                let name = match function {
                    Function::Upper => "upper",
                    Function::Lower => "lower",
                    Function::Trim => "trim",
                    Function::Len => "len",
                    Function::Sha256 => "sha256",
                };
                write!(f, "{name}({})", argument.value)
            }
            Value::Json { text, path } => {
                write!(f, "json({}, ", text.value)?;
                write_text(f, path.to_string().as_bytes())?;
                f.write_char(')')
            }
            Value::File(path) => {
                f.write_str("file(")?;
                write_text(f, path.as_bytes())?;
                f.write_char(')')
            }
            Value::Member {
                collection,
                index,
                path,
            } => write!(f, "{}[{index}].{}", name_of(*collection), path.join(".")),
            Value::Program { role, path } => write!(f, "{role}.{}", path.join(".")),
            Value::Own(path) => write!(f, "{}", path.join(".")),
        }
    }
}

impl<T: Display> Display for Spanned<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
