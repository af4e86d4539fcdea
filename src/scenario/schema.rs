//! The JSON Schema of scenario files, for editors: they complete keys and mark
//! mistakes while a file is written. What it cannot say, [`super::read`] checks.

use serde_json::{Value, json};

/// The schema.
pub fn schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let duration = |description: &str| {
        json!({
            "type": "string",
            "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m)$",
            "not": { "pattern": r"^[0.]+(ms|s|m)$" },
            "examples": ["200ms", "5s", "2m"],
            "description": description,
        })
    };
    let written = |description: &str| json!({ "type": "string", "pattern": r"\S", "description": description });
    let output = |stream: &str| {
        json!({
            "description": format!("What it must write to {stream}: a string is the whole of it."),
            "oneOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": {
                        "contains": text("A part of it."),
                        "matches": text("A regular expression that it matches."),
                    },
                },
            ],
        })
    };
    let port = json!({ "type": "integer", "minimum": 1, "maximum": 65535 });
    let program = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["run"],
        "properties": {
            "run": written("The command, split as a shell splits words; no shell runs. {address} is 127.0.0.1, or ::1 with --ipv6."),
            "stdin": text("What it reads; then its input ends."),
            "exit": { "oneOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, { "const": "any" }], "default": 0, "description": "The exit code that is right; \"any\": it ends by itself, whatever its code." },
            "stdout": output("standard output"),
            "stderr": output("standard error"),
            "after": { "type": "string", "pattern": r"^\s*\S+\s+(ready|exit)\s*$", "examples": ["server ready", "client exit"], "description": "What must have happened before it starts." },
            "ready": {
                "type": "object",
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
                "properties": { "tcp": port.clone(), "udp": port },
                "description": "The port on which it must listen to be ready.",
            },
            "stop": { "enum": ["TERM", "INT", "HUP", "QUIT", "KILL"], "description": "The signal that ends a program which never ends by itself." },
            "ends": { "enum": ["waiting"], "description": "It ends waiting for an answer that never comes." },
            "pty": { "type": "boolean", "description": "Its input and output are a terminal." },
            "cwd": text("Its folder, relative to the scenario file."),
            "env": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Variables added to its environment." },
            "timeout": duration("Its own time."),
        },
        "not": { "required": ["stop", "ends"] },
    });
    let role = json!({
        "pattern": "^[A-Za-z][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*$",
        "maxLength": 32,
        "not": { "anyOf": [
            { "enum": super::program::RESERVED.as_slice() },
            { "pattern": "^x[0-9]" },
        ] },
    });
    let expectation = json!({
        "oneOf": [
            written("Statements of the expectation language."),
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["text"],
                "properties": {
                    "text": written("Statements of the expectation language."),
                    "points": { "type": "number", "minimum": 0, "maximum": 1_000_000, "description": "What it is worth." },
                    "hint": text("Shown when it fails."),
                    "visibility": { "enum": ["visible", "hidden", "after_due_date", "after_published"], "description": "Who sees it in a gradebook, and when." },
                },
            },
        ],
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "netlab-capture/scenario/v1",
        "title": "netlab-capture scenario",
        "type": "object",
        "additionalProperties": false,
        "required": ["program"],
        "properties": {
            "title": text("One line."),
            "question": text("What the scenario is to find out."),
            "answer": text("What there is to see, and why."),
            "hint": text("Shown when an expectation fails."),
            "timeout": duration("Time for the whole run; 10s if not written."),
            "addresses": { "type": "array", "items": { "type": "string" }, "uniqueItems": true, "description": "Further addresses of the private network." },
            "hosts": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Host names, each with its address." },
            "sysctl": { "type": "object", "propertyNames": { "pattern": r"^net(\.|$)" }, "description": "Network settings of the private kernel; names begin with net." },
            "program": { "type": "object", "minProperties": 1, "propertyNames": role, "additionalProperties": program, "description": "The programs, by role." },
            "expect": { "type": "object", "additionalProperties": expectation, "description": "The expectations, by name." },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::Source;
    use crate::scenario::{builtin, catalogue};

    fn is_valid(text: &str) -> bool {
        let value: toml::Value = toml::from_str(text).unwrap();
        let value = serde_json::to_value(value).unwrap();
        let validator = jsonschema::validator_for(&schema()).unwrap();
        validator.is_valid(&value)
    }

    #[test]
    fn the_catalogue_fulfils_it() {
        for name in catalogue() {
            assert!(is_valid(&builtin(name).unwrap().text), "{name}");
        }
    }

    #[test]
    fn it_has_the_keys_that_are_read() {
        let schema = schema();
        let keys = |value: &Value| -> Vec<String> {
            let mut keys: Vec<String> = value["properties"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            keys.sort();
            keys
        };
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&schema), sorted(&crate::scenario::parse::KEYS));
        let program = &schema["properties"]["program"]["additionalProperties"];
        assert_eq!(keys(program), sorted(&crate::scenario::program::KEYS));
        let table = &schema["properties"]["expect"]["additionalProperties"]["oneOf"][1];
        assert_eq!(keys(table), sorted(&crate::scenario::expectation::KEYS));
    }

    /// The schema and the reader agree on these.
    #[test]
    fn what_is_refused_does_not_fulfil_it() {
        let program = |name: &str, rest: &str| format!("{rest}\n[program.{name}]\nrun = 'a'\n");
        for (text, right) in [
            (program("client-2", ""), true),
            (program("tcp", ""), false),
            (program("nobody", ""), false),
            (program("SYN", ""), false),
            (program("x2", ""), false),
            (program("1a", ""), false),
            (program("a-", ""), false),
            (program(&"a".repeat(33), ""), false),
            (program("a", "sysctl = { 'net.ipv4.tcp_sack' = 0 }"), true),
            (program("a", "sysctl = { net.ipv4.tcp_sack = 0 }"), true),
            (program("a", "sysctl = { 'kernel.hostname' = 'x' }"), false),
            (program("a", "timeout = '2m'"), true),
            (program("a", "timeout = '0s'"), false),
            (program("a", "addresses = ['10.0.0.1', '10.0.0.1']"), false),
            ("[program.a]\nrun = ' '\n".to_owned(), false),
            (
                "[program.a]\nrun = 'a'\n[expect]\nx = ''\n".to_owned(),
                false,
            ),
        ] {
            assert_eq!(is_valid(&text), right, "{text}");
            let source = Source {
                name: "x.toml".to_owned(),
                text: text.clone(),
            };
            let read = crate::scenario::parse(source);
            let compiled = read.and_then(|read| crate::expect::compile(&read));
            assert_eq!(compiled.is_ok(), right, "{text}: {compiled:?}");
        }
    }

    #[test]
    fn mistakes_that_an_editor_can_see_are_seen() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures/scenario");
        for name in [
            "unknown-keys",
            "wrong-types",
            "signals",
            "durations",
            "no-run",
            "no-program",
        ] {
            let text = std::fs::read_to_string(fixtures.join(format!("{name}.toml"))).unwrap();
            assert!(!is_valid(&text), "{name}");
        }
    }
}
