//! docs/scenarios.md: its examples are sound, and no code is left out.

use netlab_capture::diagnostic::Source;
use netlab_capture::{expect, scenario};

const DOCS: &str = include_str!("../../docs/scenarios.md");

#[test]
fn every_example_is_a_sound_scenario() {
    let examples: Vec<&str> = DOCS
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```\n").next().unwrap())
        .collect();
    assert!(examples.len() >= 8, "{}", examples.len());
    for example in examples {
        let source = Source {
            name: "example.toml".to_owned(),
            text: example.to_owned(),
        };
        let scenario =
            scenario::parse(source).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{example}"));
        expect::compile(&scenario).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{example}"));
    }
}

#[test]
fn every_code_is_in_the_list() {
    for code in scenario::codes::ALL {
        assert!(
            DOCS.contains(&format!("| {} |", code.code)),
            "{}",
            code.code
        );
    }
}
