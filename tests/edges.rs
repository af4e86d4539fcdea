//! The shape of the code: which module may import which, and what only some of
//! them may touch. Test code is left out, it may build its inputs as it likes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Each module and what it may import. Values flow one way: a module imports
/// only from those above it, and of those only the ones its inputs come from.
const EDGES: &[(&str, &[&str])] = &[
    ("www", &[]),
    ("diagnostic", &[]),
    ("unpack", &[]),
    ("savefile", &["unpack"]),
    ("scenario", &["www", "diagnostic", "savefile"]),
    ("decode", &["savefile"]),
    ("conversation", &["savefile", "decode"]),
    ("message", &["unpack", "savefile", "decode", "conversation"]),
    ("trace", &["savefile", "decode", "conversation", "message"]),
    (
        "inspect",
        &["savefile", "decode", "conversation", "message"],
    ),
    (
        "expect",
        &[
            "diagnostic",
            "savefile",
            "scenario",
            "decode",
            "conversation",
            "message",
            "trace",
            "inspect",
        ],
    ),
    (
        "report",
        &[
            "diagnostic",
            "savefile",
            "scenario",
            "decode",
            "conversation",
            "message",
            "trace",
            "inspect",
            "expect",
        ],
    ),
    // Of savefile only the recording, which students get without its scenario.
    ("grade", &["diagnostic", "savefile", "scenario", "report"]),
    // Of savefile only the plain types that the report's model is made of.
    ("render", &["diagnostic", "savefile", "report", "grade"]),
    (
        "view",
        &[
            "diagnostic",
            "savefile",
            "scenario",
            "decode",
            "conversation",
            "message",
            "trace",
            "expect",
            "report",
            "render",
        ],
    ),
    ("lab", &["www"]),
    ("sandbox", &["savefile", "scenario"]),
    ("capture", &["savefile", "scenario", "sandbox"]),
    (
        "cli",
        &[
            "diagnostic",
            "savefile",
            "scenario",
            "decode",
            "conversation",
            "message",
            "trace",
            "expect",
            "inspect",
            "report",
            "grade",
            "render",
            "view",
            "lab",
            "sandbox",
            "capture",
        ],
    ),
    ("main", &["cli"]),
];

/// The modules of the reading half: pure, they also build for WebAssembly.
const READING: &[&str] = &[
    "diagnostic",
    "unpack",
    "savefile",
    "scenario",
    "decode",
    "conversation",
    "message",
    "trace",
    "expect",
    "report",
    "grade",
    "render",
    "view",
];

/// A source file, without comments and test code.
struct Source {
    /// Relative to `src/`.
    path: PathBuf,
    /// The top-level module that it belongs to.
    module: String,
    /// How many modules deep it is below the crate's root.
    depth: usize,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    find(&root, &mut paths);
    assert!(
        paths.len() > 10,
        "the sources are not where this test looks"
    );
    let mut test_files = BTreeSet::new();
    let mut sources = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let (code, test_modules) = without_tests(&text);
        for module in test_modules {
            let folder = path.parent().unwrap();
            test_files.insert(folder.join(format!("{module}.rs")));
        }
        let relative = path.strip_prefix(&root).unwrap().to_path_buf();
        let mut modules: Vec<String> = relative
            .with_extension("")
            .iter()
            .map(|part| part.to_str().unwrap().to_string())
            .collect();
        modules.retain(|module| module != "mod" && module != "lib");
        sources.push((
            path,
            Source {
                path: relative,
                module: modules.first().cloned().unwrap_or_default(),
                depth: modules.len(),
                code,
            },
        ));
    }
    sources
        .into_iter()
        .filter(|(path, _)| !test_files.contains(path))
        .map(|(_, source)| source)
        .collect()
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
}

/// The code without comments and without what stands under `#[cfg(test)]`, and
/// the names of the test modules that have files of their own.
fn without_tests(text: &str) -> (String, Vec<String>) {
    let declared = Regex::new(r"^(?:pub(?:\([a-z]+\))? )?mod ([a-z_]+);").unwrap();
    let mut code = String::new();
    let mut modules = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            let end = line.find("//").unwrap_or(line.len());
            code.push_str(&line[..end]);
            code.push('\n');
            continue;
        }
        let mut item = lines.next().unwrap_or_default();
        while item.starts_with("#[") {
            item = lines.next().unwrap_or_default();
        }
        if let Some(found) = declared.captures(item) {
            modules.push(found[1].to_string());
        } else if item.ends_with('{') {
            // rustfmt puts the brace that ends an item at the line's start.
            let _ = lines.find(|line| *line == "}");
        }
    }
    (code, modules)
}

/// The top-level modules that a file imports, by `crate::` or by as many
/// `super::` as lead to the root.
fn imports(source: &Source) -> BTreeSet<String> {
    let direct = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let grouped = Regex::new(r"\bcrate::\{([^;]*)\}").unwrap();
    let climbing = Regex::new(r"\b((?:super::)+)([a-z_]+)").unwrap();
    let first_word = Regex::new(r"^\s*([a-z_]+)").unwrap();
    let mut found: BTreeSet<String> = direct
        .captures_iter(&source.code)
        .map(|path| path[1].to_string())
        .collect();
    for group in grouped.captures_iter(&source.code) {
        let mut level = 0;
        let items = group[1].split(|c| {
            level += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && level == 0
        });
        found.extend(
            items
                .filter_map(|item| first_word.captures(item))
                .map(|word| word[1].to_string()),
        );
    }
    for path in climbing.captures_iter(&source.code) {
        if path[1].matches("super::").count() >= source.depth {
            found.insert(path[2].to_string());
        }
    }
    found.remove(&source.module);
    found
}

#[test]
fn modules_import_one_way_only() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for (place, (module, edges)) in EDGES.iter().enumerate() {
        for edge in *edges {
            assert!(
                EDGES[..place].iter().any(|(earlier, _)| earlier == edge),
                "the table itself: {module} -> {edge} does not flow one way"
            );
        }
    }
    let mut wrong = Vec::new();
    for source in sources() {
        if source.depth == 0 {
            continue; // lib.rs declares the modules
        }
        let Some(edges) = allowed.get(source.module.as_str()) else {
            wrong.push(format!("{}: not in the table", source.path.display()));
            continue;
        };
        for import in imports(&source) {
            if !edges.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files outside `allowed` in which `pattern` matches.
fn found_elsewhere(pattern: &str, allowed: impl Fn(&Source) -> bool) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    sources()
        .iter()
        .filter(|source| !allowed(source) && pattern.is_match(&source.code))
        .map(|source| source.path.display().to_string())
        .collect()
}

#[test]
fn only_files_named_sys_are_unsafe() {
    // As code has the word: a page's policy may name it in a text.
    let code = r"\bunsafe\s*[({]|\bunsafe\s+(fn|impl|extern|trait)\b";
    let found = found_elsewhere(code, |source| source.path.ends_with("sys.rs"));
    assert_eq!(found, [""; 0]);
}

#[test]
fn only_decode_imports_etherparse() {
    let found = found_elsewhere(r"\betherparse\b", |source| source.module == "decode");
    assert_eq!(found, [""; 0]);
}

/// `savefile` has a module of its own named `pcap`; that it does not use the
/// crate is shown by building the reading half, which does not have it.
#[test]
fn only_capture_imports_libpcap() {
    let found = found_elsewhere(r"(?:^|[^:\w])pcap::", |source| {
        ["capture", "savefile"].contains(&source.module.as_str())
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_reading_half_is_pure() {
    let impure = r"\bstd::(fs|env|net::(Tcp|Udp)|process|thread)\b|\b(Instant|SystemTime)\b|\bstd::io::(stdin|stdout|stderr)\b";
    let found = found_elsewhere(impure, |source| !READING.contains(&source.module.as_str()));
    assert_eq!(found, [""; 0]);
}

#[test]
fn only_the_command_line_and_the_lab_print() {
    let found = found_elsewhere(r"\be?print(ln)?!|\bdbg!", |source| {
        ["cli", "lab"].contains(&source.module.as_str())
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn imports_are_found_in_every_spelling() {
    let source = |path: &str, depth: usize, text: &str| Source {
        path: path.into(),
        module: "decode".to_string(),
        depth,
        code: without_tests(text).0,
    };
    for (depth, text, expected) in [
        (1, "use crate::trace::Trace;", &["trace"][..]),
        (1, "fn f(x: &crate::report::Report) {}", &["report"]),
        (
            2,
            "use crate::{expect::{ast, outcome}, render,\n trace::{Trace}};",
            &["expect", "render", "trace"],
        ),
        (2, "use super::super::trace;", &["trace"]),
        (2, "use super::model;", &[]),
        (1, "use super::trace;", &["trace"]),
        (1, "// crate::trace\nuse crate::decode::Packet;", &[]),
        (
            1,
            "#[cfg(test)]\nmod tests {\n    use crate::trace;\n}\n",
            &[],
        ),
        (
            1,
            "#[cfg(test)]\nmod tests {\n}\nuse crate::trace;\n",
            &["trace"],
        ),
    ] {
        let found = imports(&source("decode/x.rs", depth, text));
        let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }
}
