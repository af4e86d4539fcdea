//! From a scenario's texts to expectations.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::scenario::{ExpectationText, Scenario};

use super::ast::{Claim, Condition, Expectation, Statement, Value};
use super::parse::{Room, parse_within};

/// Every expectation of the scenario, in its order.
///
/// # Errors
/// All mistakes of all texts, warnings among them. Spans, also those of the
/// warnings of an accepted expectation, are bytes of the scenario's source; the
/// spans of the tree are bytes of the expectation's own text.
pub fn compile(scenario: &Scenario) -> Result<Vec<Expectation>, Vec<Diagnostic>> {
    let roles: Vec<String> = scenario.programs.iter().map(|p| p.role.clone()).collect();
    let mut expectations = Vec::new();
    let mut found = Vec::new();
    let mut room = Room::default();
    for written in &scenario.expectations {
        match parse_within(&written.name, &written.text, &roles, &mut room) {
            Ok(mut expectation) => {
                expectation.warnings = in_source(written, expectation.warnings);
                expectation.hint.clone_from(&written.hint);
                expectation.points = written.points;
                expectations.push(expectation);
            }
            Err(mistakes) => found.extend(in_source(written, mistakes)),
        }
    }
    if found.is_empty() {
        return Ok(expectations);
    }
    found.extend(expectations.into_iter().flat_map(|e| e.warnings));
    found.sort_by_key(|d| d.span.start);
    Err(found)
}

fn in_source(written: &ExpectationText, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found
        .into_iter()
        .map(|diagnostic| Diagnostic {
            span: written.source_span(diagnostic.span.clone()),
            ..diagnostic
        })
        .collect()
}

/// The paths of `file("…")` in the expectations, as they are written.
pub fn files(expectations: &[Expectation]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let statements = expectations.iter().flat_map(|e| &e.statements);
    for statement in statements {
        match &statement.value {
            Statement::Claim(claim) => in_claim(claim, &mut paths),
            Statement::Each(each) => {
                if let Condition::Claim(claim) = &each.condition.value {
                    in_claim(claim, &mut paths);
                }
            }
            Statement::Sequence(_) | Statement::No(_) | Statement::Nothing(_) => {}
        }
    }
    paths
}

fn in_claim(claim: &Claim, paths: &mut BTreeSet<String>) {
    match claim {
        Claim::And(a, b) | Claim::Or(a, b) => {
            in_claim(a, paths);
            in_claim(b, paths);
        }
        Claim::Not(inner) => in_claim(inner, paths),
        Claim::Compare { left, right, .. } => {
            in_value(&left.value, paths);
            in_value(&right.value, paths);
        }
    }
}

fn in_value(value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::File(path) => {
            paths.insert(path.clone());
        }
        Value::Call { argument: text, .. } | Value::Json { text, .. } => {
            in_value(&text.value, paths);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::scenario;

    #[test]
    fn mistakes_are_marked_in_the_scenario_file() {
        let text = r#"
[program.client]
run = "true"

[expect]
sound = "no RST"
escaped = "client.stdout == \"a\"; no clint > any SYN"
lines = '''
no tcp.flags.reset
no SYN-ACK
'''
"#;
        let source = Source {
            name: "lab.toml".to_owned(),
            text: text.to_owned(),
        };
        let scenario = scenario::parse(source).expect("a sound scenario");
        let found = compile(&scenario).expect_err("mistakes");
        let marks: Vec<&str> = found.iter().map(|d| &text[d.span.clone()]).collect();
        assert_eq!(marks, ["clint", "tcp.flags.reset", "SYN-ACK"]);
    }

    #[test]
    fn files_are_found_wherever_they_stand() {
        let text = "not (http[0].response.body == file(\"a\") or len(upper(file(\"b\"))) > 3)\n\
                    maybe each http[] has response.body == file(\"c\") and response.code == 200";
        let expectation = crate::expect::parse("files", text, &[]).expect("a sound text");
        let found = files(&[expectation]);
        assert_eq!(Vec::from_iter(found), ["a", "b", "c"]);
    }
}
