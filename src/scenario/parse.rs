//! The whole scenario file: text to [`Scenario`].

use std::collections::BTreeMap;
use std::time::Duration;

use toml::de::DeTable;

use super::expectation::expectation;
use super::network::{addresses, hosts, sysctl};
use super::order::check_programs;
use super::program::program;
use super::reader::{Entry, Reader, entries};
use super::{Scenario, codes};
use crate::diagnostic::{Diagnostic, Severity, Source};

/// The largest scenario file that is read: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;

/// A run's time where the file gives none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) const KEYS: [&str; 10] = [
    "title",
    "question",
    "answer",
    "hint",
    "timeout",
    "addresses",
    "hosts",
    "sysctl",
    "program",
    "expect",
];

/// Reads a scenario file. The statements of `[expect]` are not looked into:
/// `expect::compile` reads them.
///
/// # Errors
/// Every mistake of the file, in its order.
pub fn parse(source: Source) -> Result<Scenario, Vec<Diagnostic>> {
    let (scenario, mistakes) = read(source);
    if mistakes.is_empty() {
        Ok(scenario)
    } else {
        Err(mistakes)
    }
}

/// Reads a scenario file as far as it goes: with mistakes, only what is sound
/// of it is in the scenario, good for looking for further mistakes in it.
pub fn read(source: Source) -> (Scenario, Vec<Diagnostic>) {
    let mut scenario = Scenario {
        name: name_of(&source.name),
        source: Source {
            name: source.name,
            text: String::new(),
        },
        title: None,
        question: None,
        answer: None,
        hint: None,
        timeout: DEFAULT_TIMEOUT,
        addresses: Vec::new(),
        hosts: BTreeMap::new(),
        sysctl: BTreeMap::new(),
        programs: Vec::new(),
        expectations: Vec::new(),
    };
    let mistakes = if source.text.len() > MAX_BYTES {
        vec![too_large(source.text.len())]
    } else {
        document(&source.text, &mut scenario)
    };
    scenario.source.text = source.text;
    (scenario, mistakes)
}

fn too_large(bytes: usize) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: codes::TOO_LARGE,
        message: "a scenario file has at most 1 MiB".to_owned(),
        span: 0..0,
        label: format!("the file has {bytes} bytes"),
        help: Some("long contents belong into files of their own: file(\"page.html\")".to_owned()),
    }
}

/// Fills the scenario from the file's text; returns the mistakes.
fn document(text: &str, scenario: &mut Scenario) -> Vec<Diagnostic> {
    let mut reader = Reader::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.syntax(error);
    }
    file(&mut reader, &entries(document.get_ref()), scenario);
    reader.finish()
}

/// `builtin:tcp-refused` and `labs/tcp-refused.toml` are both `tcp-refused`.
fn name_of(source: &str) -> String {
    let base = source.strip_prefix("builtin:").unwrap_or(source);
    let base = base.rsplit(['/', '\\']).next().unwrap_or(base);
    base.strip_suffix(".toml").unwrap_or(base).to_owned()
}

fn file<'t>(reader: &mut Reader<'t>, fields: &[Entry<'t>], scenario: &mut Scenario) {
    let mut programs = Vec::new();
    for field in fields {
        match field.name {
            "title" => scenario.title = text(reader, field),
            "question" => scenario.question = text(reader, field),
            "answer" => scenario.answer = text(reader, field),
            "hint" => scenario.hint = text(reader, field),
            "timeout" => {
                scenario.timeout = reader.duration(field).unwrap_or(DEFAULT_TIMEOUT);
            }
            "addresses" => scenario.addresses = addresses(reader, field),
            "hosts" => scenario.hosts = hosts(reader, field),
            "sysctl" => scenario.sysctl = sysctl(reader, field),
            "program" => {
                for entry in reader.table(field, "[program.client]").unwrap_or_default() {
                    programs.extend(program(reader, &entry));
                }
            }
            "expect" => {
                let example = "\"the kernel refuses\" = \"no udp\" below [expect]";
                for entry in reader.table(field, example).unwrap_or_default() {
                    scenario.expectations.extend(expectation(reader, &entry));
                }
            }
            _ => reader.unknown_key(field, "a scenario", &KEYS),
        }
    }
    check_programs(reader, fields, &programs);
    scenario.programs = programs.into_iter().map(|read| read.spec).collect();
}

/// Text for people. A newline counts as a space, an empty line parts two
/// paragraphs, so that a file can be wrapped as its author likes.
fn text<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Option<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = false;
    for line in reader.string(field)?.lines() {
        let line = line.trim();
        match paragraphs.last_mut().filter(|_| open && !line.is_empty()) {
            Some(paragraph) => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            None if line.is_empty() => open = false,
            None => {
                paragraphs.push(line.to_owned());
                open = true;
            }
        }
    }
    Some(paragraphs.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::savefile::Protocol;
    use crate::scenario::{After, OutputPattern, Ready, RightExit, StopSignal};

    fn parse_text(text: &str) -> Result<Scenario, Vec<Diagnostic>> {
        parse(Source {
            name: "labs/test.toml".to_owned(),
            text: text.to_owned(),
        })
    }

    /// The mistakes of a file, each as its code and the text it points at.
    fn mistakes(text: &str) -> Vec<(&'static str, String)> {
        let mistakes = parse_text(text).unwrap_err();
        for mistake in &mistakes {
            assert!(mistake.help.is_some(), "no way out: {mistake:?}");
        }
        mistakes
            .iter()
            .map(|mistake| (mistake.code, text[mistake.span.clone()].to_owned()))
            .collect()
    }

    /// The one mistake of a file that has a sound program below `text`.
    fn mistake_above(text: &str) -> (&'static str, String) {
        let mut found = mistakes(&format!("{text}\n[program.client]\nrun = 'a'\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    fn at(code: &'static str, place: &str) -> (&'static str, String) {
        (code, place.to_owned())
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = r##"
title = "A title"
question = "Why?"
answer = "Because."
hint = "Look."
timeout = "5s"
addresses = ["10.0.4.26", "fd00::1"]
hosts = { servername = "127.0.0.1" }
sysctl = { "net.ipv4.tcp_syn_retries" = 1 }

[program.server]
run = "netlab-capture udp-server {address} 12000"
ready = { udp = 12000 }
stop = "TERM"
cwd = "sub"
env = { A = "1" }
timeout = "200ms"

[program.client]
run = "python3 'my client.py' {address} 12000"
stdin = "hello\n"
exit = 1
stdout = "HELLO\n"
stderr = { contains = "refused" }
after = "server ready"

[program.alone]
run = "x"
stdout = { matches = "^a" }
after = "client exit"
ends = "waiting"

[expect]
"z first" = "no udp"
"a second" = { text = 'no tcp', points = 2.5, hint = "h", visibility = "hidden" }
"##;
        let scenario = parse_text(text).unwrap();
        assert_eq!(scenario.name, "test");
        assert_eq!(scenario.source.text, text);
        assert_eq!(scenario.title.as_deref(), Some("A title"));
        assert_eq!(scenario.question.as_deref(), Some("Why?"));
        assert_eq!(scenario.answer.as_deref(), Some("Because."));
        assert_eq!(scenario.hint.as_deref(), Some("Look."));
        assert_eq!(scenario.timeout, Duration::from_secs(5));
        assert_eq!(scenario.addresses.len(), 2);
        assert_eq!(scenario.hosts["servername"].to_string(), "127.0.0.1");
        assert_eq!(scenario.sysctl["net.ipv4.tcp_syn_retries"], "1");

        let roles: Vec<&str> = scenario.programs.iter().map(|p| p.role.as_str()).collect();
        assert_eq!(roles, ["server", "client", "alone"]);
        let [server, client, alone] = scenario.programs.as_slice() else {
            panic!()
        };
        assert_eq!(&text[server.span.clone()], "server");
        let ready = Ready {
            protocol: Protocol::Udp,
            port: 12000,
        };
        assert_eq!(server.ready, Some(ready));
        assert_eq!(server.stop, Some(StopSignal::Term));
        assert_eq!(server.cwd.as_deref(), Some("sub"));
        assert_eq!(server.env["A"], "1");
        assert_eq!(server.timeout, Some(Duration::from_millis(200)));
        assert_eq!(
            client.run,
            ["python3", "my client.py", "{address}", "12000"]
        );
        assert_eq!(client.stdin.as_deref(), Some(&b"hello\n"[..]));
        assert_eq!(client.exit, Some(RightExit::Code(1)));
        let whole = OutputPattern::Equals("HELLO\n".to_owned());
        assert_eq!(client.stdout, Some(whole));
        let part = OutputPattern::Contains("refused".to_owned());
        assert_eq!(client.stderr, Some(part));
        assert_eq!(client.after, Some(After::Ready("server".to_owned())));
        let regex = OutputPattern::Matches("^a".to_owned());
        assert_eq!(alone.stdout, Some(regex));
        assert_eq!(alone.after, Some(After::Exit("client".to_owned())));
        assert!(alone.ends_waiting && !client.ends_waiting);

        let [first, second] = scenario.expectations.as_slice() else {
            panic!()
        };
        assert_eq!(
            (first.name.as_str(), first.text.as_str()),
            ("z first", "no udp")
        );
        assert_eq!(&text[first.source_span(3..6)], "udp");
        assert_eq!(&text[second.source_span(0..6)], "no tcp");
        assert_eq!(second.points, Some(2.5));
        assert_eq!(second.hint.as_deref(), Some("h"));
        assert_eq!(second.visibility.as_deref(), Some("hidden"));
    }

    #[test]
    fn text_for_people_is_read_as_paragraphs() {
        let text = "answer = \"\"\"\n one\n two\n\n \n three\n\"\"\"\n[program.a]\nrun = 'a'\n";
        let scenario = parse_text(text).unwrap();
        assert_eq!(scenario.answer.as_deref(), Some("one two\n\nthree"));
    }

    #[test]
    fn what_is_not_written_has_a_default() {
        let scenario = parse_text("[program.client]\nrun = 'a'\n").unwrap();
        assert_eq!(scenario.timeout, DEFAULT_TIMEOUT);
        assert_eq!(scenario.programs[0].exit, None);
        assert!(scenario.expectations.is_empty());
    }

    #[test]
    fn programs_written_with_dotted_keys_keep_their_order_and_place() {
        let text = "program.z.run = 'a'\nprogram.b = { run = 'c' }\n";
        let scenario = parse_text(text).unwrap();
        let roles: Vec<&str> = scenario.programs.iter().map(|p| p.role.as_str()).collect();
        assert_eq!(roles, ["z", "b"]);
        assert_eq!(&text[scenario.programs[0].span.clone()], "z");
    }

    #[test]
    fn dotted_sysctl_keys_need_no_quotes() {
        let text = "[sysctl]\nnet.ipv4.tcp_rmem = '4096 8192 8192'\nnet.ipv4.tcp_sack = 0\n[program.a]\nrun = 'a'";
        let scenario = parse_text(text).unwrap();
        assert_eq!(scenario.sysctl["net.ipv4.tcp_rmem"], "4096 8192 8192");
        assert_eq!(scenario.sysctl["net.ipv4.tcp_sack"], "0");
    }

    #[test]
    fn every_mistake_is_found_at_once_in_the_order_of_the_file() {
        let text = r#"
titel = "x"
timeout = 5
[program.client]
run = ""
exit = 256
afterr = "x"
[program.server]
stop = "SIGTERM"
after = "cleint exit"
[expect]
a = 5
b = { points = -1, txt = "no udp" }
"#;
        let expected = [
            at(codes::UNKNOWN_KEY, "titel"),
            at(codes::WRONG_TYPE, "5"),
            at(codes::COMMAND, "\"\""),
            at(codes::VALUE, "256"),
            at(codes::UNKNOWN_KEY, "afterr"),
            at(codes::MISSING, "server"),
            at(codes::VALUE, "\"SIGTERM\""),
            at(codes::AFTER, "\"cleint exit\""),
            at(codes::WRONG_TYPE, "5"),
            at(codes::MISSING, "b"),
            at(codes::VALUE, "-1"),
            at(codes::UNKNOWN_KEY, "txt"),
        ];
        assert_eq!(mistakes(text), expected);
        let found = parse_text(text).unwrap_err();
        let helps: Vec<&str> = found.iter().filter_map(|m| m.help.as_deref()).collect();
        for help in [
            "`title`", "\"5s\"", "`after`", "\"TERM\"", "`client`", "`text`",
        ] {
            assert!(helps.iter().any(|h| h.contains(help)), "{help}: {helps:#?}");
        }
    }

    #[test]
    fn addresses_are_checked() {
        for bad in [
            "'10.0.4.256'",
            "'0.0.0.0'",
            "'ff02::1'",
            "'255.255.255.255'",
        ] {
            let text = format!("addresses = [{bad}]");
            assert_eq!(mistake_above(&text), at(codes::ADDRESS, bad));
        }
        assert_eq!(
            mistake_above("addresses = ['fd00::1', 'fd00:0::1']"),
            at(codes::DUPLICATE, "'fd00:0::1'")
        );
    }

    #[test]
    fn hosts_are_checked() {
        assert_eq!(
            mistake_above("hosts = { 'a b' = '::1' }"),
            at(codes::VALUE, "'a b'")
        );
        assert_eq!(
            mistake_above("hosts = { a = '::1', A = '::1' }"),
            at(codes::DUPLICATE, "A")
        );
    }

    #[test]
    fn a_sysctl_outside_of_the_network_is_refused() {
        assert_eq!(
            mistake_above("sysctl.kernel.core = 1"),
            at(codes::SYSCTL, "core")
        );
        assert_eq!(
            mistake_above("sysctl = { 'net.../../kernel/x' = 1 }"),
            at(codes::SYSCTL, "'net.../../kernel/x'")
        );
        assert_eq!(
            mistake_above("sysctl = { 'net.a' = 1, net.a = 2 }"),
            at(codes::DUPLICATE, "'net.a'")
        );
    }

    #[test]
    fn a_program_cannot_have_every_name() {
        for name in ["nobody", "'a b'", "1", "tcp"] {
            let text = format!("[program.{name}]\nrun = 'a'");
            assert_eq!(mistakes(&text), [at(codes::ROLE, name)]);
        }
    }

    #[test]
    fn what_can_never_come_true_is_refused() {
        let ring =
            "program.a = { run='a', after='b exit' }\nprogram.b = { run='b', after='a ready' }";
        let both = [at(codes::AFTER, "'b exit'"), at(codes::AFTER, "'a ready'")];
        assert_eq!(mistakes(ring), both);
        let itself = "program.a = { run='a', after='a exit' }";
        assert_eq!(mistakes(itself), [at(codes::AFTER, "'a exit'")]);
        let stopped =
            "program.a = { run='a', after='b exit' }\nprogram.b = { run='b', stop='TERM' }";
        assert_eq!(mistakes(stopped), [at(codes::AFTER, "'b exit'")]);
        let endings = "program.a = { run='a', stop='TERM', ends='waiting', exit=0 }";
        let ends = at(codes::CONTRADICTION, "ends");
        assert_eq!(mistakes(endings), [ends.clone(), ends]);
    }

    #[test]
    fn a_program_that_waits_for_a_ring_is_no_part_of_it() {
        let text =
            "program.a = { run='a', after='b exit' }\nprogram.b = { run='b', after='b ready' }";
        assert_eq!(mistakes(text), [at(codes::AFTER, "'b ready'")]);
    }

    #[test]
    fn small_mistakes_inside_a_string_are_pointed_at() {
        let escaped = r#"program.a.run = "a \"b""#;
        assert_eq!(mistakes(escaped), [at(codes::COMMAND, "\\\"")]);
        let placeholder = "program.a.run = 'x {adress} 1'";
        assert_eq!(mistakes(placeholder), [at(codes::PLACEHOLDER, "{adress}")]);
        let variable = "program.a = { run = 'x', env = { A = '={Address}' } }";
        assert_eq!(mistakes(variable), [at(codes::PLACEHOLDER, "{Address}")]);
        let pattern = "program.a = { run = 'x', stdout = { matches = '(' } }";
        assert_eq!(mistakes(pattern), [at(codes::PATTERN, "'('")]);
        let nul = r#"program.a.run = "x \u0000y""#;
        assert_eq!(mistakes(nul), [at(codes::VALUE, r"\u0000")]);
        let ready = "program.a = { run = 'x', ready = { tcp = 0, udp = 1 } }";
        let both = [at(codes::VALUE, "ready"), at(codes::VALUE, "0")];
        assert_eq!(mistakes(ready), both);
        let port = "program.a = { run = 'x', ready = { tcp = 120000 } }";
        assert_eq!(mistakes(port), [at(codes::VALUE, "120000")]);
    }

    #[test]
    fn an_exit_code_in_words_is_led_to_a_number_or_any() {
        let found = parse_text("program.a = { run = 'x', exit = 'one' }").unwrap_err();
        assert_eq!(found[0].message, "`exit` must be a whole number or \"any\"");
        assert!(
            found[0]
                .help
                .as_deref()
                .is_some_and(|help| help.contains("exit = \"any\""))
        );
    }

    #[test]
    fn a_file_without_a_program_is_refused() {
        assert_eq!(mistakes(""), [at(codes::MISSING, "")]);
        let empty = "title = 'x'\n[program]\n";
        assert_eq!(mistakes(empty), [at(codes::MISSING, "program")]);
        assert_eq!(mistakes("program = 5"), [at(codes::WRONG_TYPE, "5")]);
        assert_eq!(mistakes("[[program]]\nrun = 'a'")[0].0, codes::WRONG_TYPE);
    }

    #[test]
    fn a_slip_of_toml_hides_no_other_mistake_and_makes_none_up() {
        let text = "title = hello\ntimeout = 5\n[program.a]\nrun = 'x'\n";
        let both = [at(codes::SYNTAX, "hello"), at(codes::WRONG_TYPE, "5")];
        assert_eq!(mistakes(text), both);
        let text = "title = 'hello\n[program.a]\nrun = 'x'\nexit = 'y'\n";
        let found = mistakes(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].0, codes::SYNTAX);
        assert_eq!(found[1], at(codes::WRONG_TYPE, "'y'"));
        let text = "title = '''hello\n[program.a]\nrun = 'x'\n";
        assert_eq!(mistakes(text).len(), 1);
        let text = "[program.a]\nrun = 'x'\nrun = 'y'\n";
        assert_eq!(mistakes(text), [at(codes::SYNTAX, "run")]);
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let text = "#".repeat(MAX_BYTES + 1);
        assert_eq!(mistakes(&text), [at(codes::TOO_LARGE, "")]);
    }

    /// Pieces that scenario files, sound and broken, are made of.
    const PIECES: [&str; 32] = [
        "[program.a]",
        "[program",
        "[expect]",
        "\n",
        "\r\n",
        "=",
        "run",
        " = 'a {address} \"'",
        "'",
        "\"",
        "\"\"\"",
        "{",
        "}",
        "[",
        "]",
        ".",
        "5s",
        "5",
        "after='a exit'",
        "é",
        "\u{0}",
        "\\",
        "#",
        ",",
        "'''",
        "hosts",
        "sysctl.net.x=1",
        "ready={tcp=1}",
        "stop='TERM'",
        "-",
        "1979-05-27",
        "[[program]]",
    ];

    proptest::proptest! {
        /// Whatever is written, the answer is a scenario or mistakes that lie
        /// in the text.
        #[test]
        fn no_text_is_too_strange(
            parts in proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 0..40)
        ) {
            let text = parts.concat();
            if let Err(mistakes) = parse_text(&text) {
                proptest::prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    proptest::prop_assert!(text.get(mistake.span.clone()).is_some(), "{mistake:?}");
                }
            }
        }
    }
}
