//! A suite file: TOML to [`Suite`], with every mistake at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use toml::de::DeTable;

use super::suite::{Case, Command, Suite, SuiteLimits, Visibility};
use crate::diagnostic::{Diagnostic, Source};
use crate::scenario::reader::{Entry, Reader, entries};
use crate::scenario::{VISIBILITY, codes, parse_bytes, points, split_command};

const KEYS: [&str; 9] = [
    "title",
    "build",
    "build_timeout",
    "overlay",
    "reference",
    "readable",
    "env",
    "limits",
    "case",
];
const CASE_KEYS: [&str; 6] = ["name", "scenario", "points", "visibility", "hint", "run"];
const LIMIT_KEYS: [&str; 5] = ["memory", "processes", "files", "scratch", "cpu"];

/// A build's time where the file gives none.
const BUILD_TIMEOUT: Duration = Duration::from_secs(60);

/// Reads a suite file. That its scenarios exist and have the roles is found out
/// later, when they are loaded.
///
/// # Errors
/// Every mistake of the file, in its order.
pub fn parse(source: Source) -> Result<Suite, Vec<Diagnostic>> {
    let mut suite = Suite {
        name: stem(&source.name),
        source: Source {
            name: source.name,
            text: String::new(),
        },
        title: None,
        build: None,
        build_timeout: BUILD_TIMEOUT,
        overlay: None,
        reference: None,
        readable: Vec::new(),
        env: BTreeMap::new(),
        limits: SuiteLimits::default(),
        cases: Vec::new(),
    };
    let mut reader = Reader::new(&source.text);
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        reader.syntax(error);
    }
    fill(&mut reader, &entries(document.get_ref()), &mut suite);
    let mistakes = reader.finish();
    suite.source.text = source.text;
    match mistakes.is_empty() {
        true => Ok(suite),
        false => Err(mistakes),
    }
}

fn stem(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    base.strip_suffix(".toml").unwrap_or(base).to_owned()
}

fn fill<'t>(reader: &mut Reader<'t>, fields: &[Entry<'t>], suite: &mut Suite) {
    for field in fields {
        match field.name {
            "title" => suite.title = reader.string(field).map(str::to_owned),
            "build" => suite.build = command(reader, field).map(|command| command.words),
            "build_timeout" => {
                suite.build_timeout = reader.duration(field).unwrap_or(BUILD_TIMEOUT);
            }
            "overlay" => suite.overlay = reader.c_string(field),
            "reference" => suite.reference = reader.c_string(field),
            "readable" => {
                let items = reader.array(field, "readable = [\"/srv/jdk\"]");
                for item in items.unwrap_or_default() {
                    suite.readable.extend(reader.c_string(&item));
                }
            }
            "env" => suite.env = reader.strings(field, "env = { NAME = \"value\" }"),
            "limits" => limits(reader, field, &mut suite.limits),
            "case" => cases(reader, field, suite),
            _ => reader.unknown_key(field, "a suite", &KEYS),
        }
    }
    if suite.cases.is_empty() && !fields.iter().any(|field| field.name == "case") {
        reader.absent(
            codes::MISSING,
            0..0,
            "a suite needs at least one case",
            "no [[case]] in it",
            Some("write [[case]] with scenario = \"tcp-upper\", run.server = \"python3 *[Ss]erver*.py\" and points = 10".to_owned()),
        );
    }
}

fn limits<'t>(reader: &mut Reader<'t>, field: &Entry<'t>, limits: &mut SuiteLimits) {
    for item in reader
        .table(field, "limits = { memory = \"1G\" }")
        .unwrap_or_default()
    {
        let mut count = || {
            let help = format!("as in {} = 64", item.name);
            let number = reader.integer(&item, "a whole number", 1..=1_000_000, &help);
            number.and_then(|number| number.try_into().ok())
        };
        match item.name {
            "memory" => limits.memory = size(reader, &item),
            "scratch" => limits.scratch = size(reader, &item),
            "processes" => limits.processes = count(),
            "files" => limits.files = count(),
            "cpu" => limits.cpu = reader.duration(&item),
            _ => reader.unknown_key(&item, "`limits`", &LIMIT_KEYS),
        }
    }
}

fn size<'t>(reader: &mut Reader<'t>, item: &Entry<'t>) -> Option<u64> {
    let text = reader.string(item)?;
    parse_bytes(text)
        .map_err(|wrong| reader.wrong(codes::VALUE, item, wrong))
        .ok()
}

fn cases<'t>(reader: &mut Reader<'t>, field: &Entry<'t>, suite: &mut Suite) {
    let mut names = BTreeSet::new();
    for item in reader
        .array(field, "[[case]] with scenario = \"tcp-upper\"")
        .unwrap_or_default()
    {
        let Some(case) = case(reader, &item) else {
            continue;
        };
        if !names.insert(case.name.clone()) {
            reader.error(
                codes::DUPLICATE,
                case.span.clone(),
                format!("two cases are called `{}`", case.name),
                "the second one",
                Some("give one of them a `name`".to_owned()),
            );
        }
        suite.cases.push(case);
    }
}

fn case<'t>(reader: &mut Reader<'t>, item: &Entry<'t>) -> Option<Case> {
    let fields = reader.table(item, "[[case]]")?;
    let (mut name, mut scenario, mut value) = (None, None, None);
    let mut case = Case {
        name: String::new(),
        scenario: String::new(),
        points: 1.0,
        visibility: Visibility::Visible,
        hint: None,
        run: BTreeMap::new(),
        span: item.place.clone(),
    };
    for field in &fields {
        match field.name {
            "name" => name = reader.string(field).map(str::to_owned),
            "scenario" => scenario = reader.c_string(field),
            "points" => value = points(reader, field),
            "visibility" => {
                let word = reader.choice(field, &VISIBILITY);
                case.visibility = word.map(Visibility::of).unwrap_or_default();
            }
            "hint" => case.hint = reader.string(field).map(str::to_owned),
            "run" => case.run = run(reader, field),
            _ => reader.unknown_key(field, "[[case]]", &CASE_KEYS),
        }
    }
    for (key, why) in [
        (
            "scenario",
            "write scenario = \"tcp-upper\", or the path of a scenario file",
        ),
        (
            "run",
            "write run.server = \"python3 *[Ss]erver*.py\": which roles are the submission's, and how they are started",
        ),
    ] {
        if !fields.iter().any(|field| field.name == key) {
            reader.absent(
                codes::MISSING,
                item.place.clone(),
                format!("this case has no `{key}`"),
                format!("`{key}` is missing"),
                Some(why.to_owned()),
            );
        }
    }
    case.points = value.unwrap_or(case.points);
    case.scenario = scenario.unwrap_or_default();
    let roles: Vec<&str> = case.run.keys().map(String::as_str).collect();
    // Two cases of one scenario differ by the submission's roles.
    case.name =
        name.unwrap_or_else(|| format!("{}: {}", stem(&case.scenario), roles.join(" and ")));
    Some(case)
}

/// `run.server = "…"`, or `[ "…", "…" ]`.
fn run<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> BTreeMap<String, Vec<Command>> {
    let mut run = BTreeMap::new();
    for role in reader
        .table(field, "run.server = \"python3 *[Ss]erver*.py\"")
        .unwrap_or_default()
    {
        let commands: Vec<Command> = match role.value.is_array() {
            true => {
                let items = reader.array(&role, "[\"…\", \"…\"]").unwrap_or_default();
                items
                    .iter()
                    .filter_map(|item| command(reader, item))
                    .collect()
            }
            false => command(reader, &role).into_iter().collect(),
        };
        run.insert(role.name.to_owned(), commands);
    }
    run
}

fn command<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<Command> {
    let text = reader.c_string(field)?;
    let words = split_command(&text)
        .map_err(|wrong| reader.wrong(codes::COMMAND, field, wrong))
        .ok()?;
    Some(Command { text, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Suite, Vec<Diagnostic>> {
        parse(Source {
            name: "labs/lab5.toml".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_whole_suite() {
        let suite = read(
            "title = 'Lab 5'\nbuild = 'make -s'\nreadable = ['/srv/jdk']\n[limits]\nmemory = '500M'\nprocesses = 32\n\
             [[case]]\nscenario = 'tcp-upper'\nrun.server = ['python3 TCP*[Ss]erver*.py', 'python3 *[Ss]erver*.py']\npoints = 2.5\nvisibility = 'hidden'\n\
             [[case]]\nscenario = 'x/y.toml'\nrun = { client = './client {address} 12000', server = './server' }\n",
        )
        .unwrap();
        assert_eq!(suite.name, "lab5");
        assert_eq!(
            suite.build.as_deref(),
            Some(&["make".to_owned(), "-s".to_owned()][..])
        );
        assert_eq!(suite.limits.memory, Some(500_000_000));
        assert_eq!(suite.limits.processes, Some(32));
        let names: Vec<&str> = suite.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["tcp-upper: server", "y: client and server"]);
        assert_eq!(suite.cases[0].points, 2.5);
        assert_eq!(suite.cases[0].visibility, Visibility::Hidden);
        assert_eq!(
            suite.cases[0].run["server"][1].words,
            ["python3", "*[Ss]erver*.py"]
        );
    }

    #[test]
    fn mistakes_have_places_and_ways_out() {
        let mistakes = read(
            "tittle = 'x'\n[[case]]\nscenario = 'a'\nrun.server = \"x 'y\"\npoint = 3\n[[case]]\nscenario = 'a'\n",
        )
        .unwrap_err();
        let codes: Vec<&str> = mistakes.iter().map(|mistake| mistake.code).collect();
        assert_eq!(
            codes,
            [
                codes::UNKNOWN_KEY,
                codes::COMMAND,
                codes::UNKNOWN_KEY,
                codes::MISSING
            ]
        );
        assert_eq!(mistakes[0].help.as_deref(), Some("did you mean `title`?"));
        assert!(
            read("").unwrap_err()[0]
                .message
                .contains("at least one case")
        );
        let twice = "[[case]]\nscenario = 'a'\nrun.x = 'y'\n".repeat(2);
        assert_eq!(read(&twice).unwrap_err()[0].code, codes::DUPLICATE);
    }
}
