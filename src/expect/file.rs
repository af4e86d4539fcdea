//! Expectation files: statements alone, without a scenario around them. Each
//! statement is an expectation, named by the comment above it; one that speaks
//! of a step of an earlier statement is of one expectation with that.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Source};
use crate::scenario::{ExpectationText, Scenario};

use super::ast::{Expectation, Span, Spanned, Statement};
use super::parse::parse_file;
use super::{hint, parse};

/// How the name of an expectation file ends.
pub const EXTENSION: &str = "expect";

/// Reads an expectation file. The scenario that comes with the expectations
/// runs nothing: it holds their source.
///
/// # Errors
/// All mistakes, with spans of the source.
pub fn read_file(
    source: Source,
    roles: &[String],
) -> Result<(Scenario, Vec<Expectation>), Vec<Diagnostic>> {
    let text = &source.text;
    let whole = parse_file(text, roles)?;
    let mut written = Vec::new();
    let mut expectations = Vec::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for statements in groups(&whole.statements) {
        let part = with_comment(text, &statements);
        let own = text.get(part.clone()).unwrap_or_default();
        let mut name = name(own, text.get(statements).unwrap_or_default());
        let count = taken.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            name = format!("{name} ({count})");
        }
        let in_file = |mut found: Vec<Diagnostic>| {
            for one in &mut found {
                one.span = one.span.start + part.start..one.span.end + part.start;
            }
            found
        };
        match parse(&name, own, roles) {
            Ok(mut expectation) => {
                expectation.warnings = in_file(expectation.warnings);
                expectations.push(expectation);
            }
            Err(found) => wrong.extend(in_file(found)),
        }
        written.push(ExpectationText {
            name,
            text: own.to_owned(),
            hint: None,
            points: None,
            visibility: None,
            offsets: (part.start..=part.end).collect(),
        });
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let scenario = Scenario {
        name: stem(&source.name),
        title: None,
        question: None,
        answer: None,
        hint: None,
        timeout: Duration::ZERO,
        addresses: Vec::new(),
        hosts: BTreeMap::new(),
        sysctl: BTreeMap::new(),
        programs: Vec::new(),
        expectations: written,
        source,
    };
    Ok((scenario, expectations))
}

/// The places of the statements, from each to the last that speaks of its
/// steps.
fn groups(statements: &[Spanned<Statement>]) -> Vec<Span> {
    // In which statement each name was given, and with which each group begins.
    let mut given: BTreeMap<&str, usize> = BTreeMap::new();
    let mut begins: Vec<usize> = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        let mut first = index;
        // A name that is given again is the later step's.
        given.extend(statement.value.names_given().map(|name| (name, index)));
        statement.value.names(&mut |name| {
            first = first.min(given.get(name).copied().unwrap_or(index));
        });
        while begins.last().is_some_and(|&begin| begin > first) {
            begins.pop();
        }
        if first == index {
            begins.push(index);
        }
    }
    let ends = begins.iter().skip(1).copied().chain([statements.len()]);
    let span = |(begin, end): (&usize, usize)| {
        let (first, last) = (
            statements.get(*begin)?,
            statements.get(end.checked_sub(1)?)?,
        );
        Some(first.span.start..last.span.end)
    };
    begins.iter().zip(ends).filter_map(span).collect()
}

/// The statement with the comment lines right above it, and the rest of its
/// last line: a comment there is its hint.
fn with_comment(text: &str, statement: &Span) -> Span {
    let before = text.get(..statement.start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let mut start = match before
        .get(line..)
        .is_some_and(|rest| rest.trim().is_empty())
    {
        true => line,
        false => statement.start,
    };
    while start == line || text.get(..start).is_some_and(|t| t.ends_with('\n')) {
        let above = text.get(..start).unwrap_or_default();
        let above = above.strip_suffix('\n').unwrap_or(above);
        let begin = above.rfind('\n').map_or(0, |newline| newline + 1);
        let is_comment = above
            .get(begin..)
            .is_some_and(|line| line.trim_start().starts_with('#'));
        if !is_comment || begin == start {
            break;
        }
        start = begin;
    }
    let behind = text.get(statement.end..).unwrap_or_default();
    let rest = behind.lines().next().unwrap_or_default();
    let end = match rest.trim_start().starts_with('#') {
        true => statement.end + rest.len(),
        false => statement.end,
    };
    start..end
}

/// The comment lines above, without those of the hint; else the statement's
/// first line.
fn name(with_comment: &str, statement: &str) -> String {
    let comments: Vec<&str> = with_comment
        .lines()
        .map_while(|line| line.trim().strip_prefix('#'))
        .map(str::trim)
        .take_while(|line| !line.starts_with(hint::MARK))
        .filter(|line| !line.is_empty())
        .collect();
    match comments.is_empty() {
        true => {
            let first = statement.lines().next().unwrap_or_default().trim_end();
            match statement.trim_end().contains('\n') {
                true => format!("{first} …"),
                false => first.to_owned(),
            }
        }
        false => comments.join(" "),
    }
}

fn stem(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    base.rsplit_once('.')
        .map_or(base, |(stem, _)| stem)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Scenario, Vec<Expectation>), Vec<Diagnostic>> {
        let source = Source {
            name: "lab/wire.expect".to_owned(),
            text: text.to_owned(),
        };
        read_file(source, &["client".to_owned(), "server".to_owned()])
    }

    #[test]
    fn each_statement_is_an_expectation_named_by_its_comment() {
        let text = "# The header of the file.\n\n# the kernel refuses\n# hint: Is it running?\nexactly {\n  client > any SYN\n}\nno udp; no icmp # hint: x\n\nno udp\n";
        let (scenario, expectations) = read(text).unwrap();
        let names: Vec<&str> = expectations.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(
            names,
            ["the kernel refuses", "no udp", "no icmp", "no udp (2)"]
        );
        assert_eq!(scenario.name, "wire");
        for (written, expectation) in scenario.expectations.iter().zip(&expectations) {
            assert_eq!(written.text, expectation.text);
            let span = written.source_span(0..written.text.len());
            assert_eq!(&text[span], written.text);
            assert_eq!(expectation.statements.len(), 1);
        }
        assert!(expectations[0].text.contains("hint: Is it running?"));
        assert_eq!(expectations[2].text, "no icmp # hint: x");
    }

    #[test]
    fn a_statement_that_speaks_of_an_earlier_ones_step_goes_with_it() {
        let text = "no udp\n# opened\nin order { any > any SYN as syn }\nno icmp\nno RST after syn\nno FIN\n";
        let (_, expectations) = read(text).unwrap();
        let shown: Vec<(&str, usize)> = expectations
            .iter()
            .map(|e| (e.name.as_str(), e.statements.len()))
            .collect();
        assert_eq!(shown, [("no udp", 1), ("opened", 3), ("no FIN", 1)]);
    }

    /// Each statement is an expectation of its own, so that two may call a step `s`.
    #[test]
    fn a_name_may_be_given_again_by_a_later_statement() {
        let text = "in order { any > any SYN as s; any > any ACK within 1s of s }\nno udp\nin order { any > any FIN as s; any > any ACK within 1s of s }\nno RST after s\n";
        let (_, expectations) = read(text).unwrap();
        let shown: Vec<usize> = expectations.iter().map(|e| e.statements.len()).collect();
        assert_eq!(shown, [1, 1, 2]);
    }

    #[test]
    fn a_file_may_be_longer_than_one_expectation_may() {
        let text = "no client > server:12000 udp\n".repeat(10_000);
        assert_eq!(read(&text).unwrap().1.len(), 10_000);
        let long = format!("no udp\nclient.stdout == \"{}\"", "x".repeat(70_000));
        let mistakes = read(&long).unwrap_err();
        assert_eq!(mistakes.len(), 1);
        assert_eq!(mistakes[0].span.start, 7);
        assert!(read(&" ".repeat(5_000_000)).is_err());
    }

    #[test]
    fn all_mistakes_are_told_at_their_places() {
        let text = "no clint > any SYN\n\nno RTS\n";
        let mistakes = read(text).unwrap_err();
        let marked: Vec<&str> = mistakes.iter().map(|m| &text[m.span.clone()]).collect();
        assert_eq!(marked, ["clint", "RTS"]);
    }
}
