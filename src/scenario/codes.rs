//! The codes of a scenario file's diagnostics. Stable: a code is never used for
//! another mistake. The codes of `[expect]`'s statements are those of `expect`.

use crate::diagnostic::Code;

/// The file is no TOML.
pub const SYNTAX: &str = "S001";
/// The file is larger than [`super::MAX_BYTES`].
pub const TOO_LARGE: &str = "S002";
/// A key that no table of this kind has.
pub const UNKNOWN_KEY: &str = "S003";
/// A string where a table is needed, and the like.
pub const WRONG_TYPE: &str = "S004";
/// A table or key that every scenario needs is not there.
pub const MISSING: &str = "S005";
/// No duration.
pub const DURATION: &str = "S006";
/// A value outside of what its key takes.
pub const VALUE: &str = "S007";
/// A command that cannot be split into words.
pub const COMMAND: &str = "S008";
/// `after` names nothing that can come true.
pub const AFTER: &str = "S009";
/// No address, or none that the private network can have.
pub const ADDRESS: &str = "S010";
/// A sysctl outside of `net.`.
pub const SYSCTL: &str = "S011";
/// Two keys that exclude each other.
pub const CONTRADICTION: &str = "S012";
/// The same thing twice.
pub const DUPLICATE: &str = "S013";
/// A name that a program cannot have.
pub const ROLE: &str = "S014";
/// `{…}` that stands for nothing.
pub const PLACEHOLDER: &str = "S015";
/// No regular expression.
pub const PATTERN: &str = "S016";
/// No scenario of this name, or no such file.
pub const NOT_FOUND: &str = "S020";
/// A file that cannot be read, is too large or no UTF-8.
pub const UNREADABLE: &str = "S021";
/// A capture without a recording, and no expectations given.
pub const NOTHING_EXPECTED: &str = "S022";
/// A capture that does not tell who `client` and `server` are.
pub const UNCLEAR_ROLES: &str = "S023";
/// A role at an address that is in no packet.
pub const NO_SUCH_END: &str = "S024";

/// Every code, in order.
pub const ALL: &[Code] = &[
    Code {
        code: SYNTAX,
        title: "the file is not valid TOML",
        explanation: "A scenario is a TOML file: `key = value` lines below headers such as `[program.client]`, with text between quotes. https://toml.io shows all of it on one page.",
        example: Some("title = TCP client\n"),
        fix: Some("title = \"TCP client\"\n[program.client]\nrun = \"./client\"\n"),
    },
    Code {
        code: TOO_LARGE,
        title: "the file is too large",
        explanation: "A scenario file may have 1 MiB. What a program reads or must send belongs into files of their own: `file(\"page.html\")` reads one.",
        example: None,
        fix: None,
    },
    Code {
        code: UNKNOWN_KEY,
        title: "a key that does not exist",
        explanation: "Each table has its own keys; the reference of scenario files lists them. An unknown one is a mistake, so that a typing error is never passed over in silence.",
        example: Some("titel = \"TCP\"\n[program.client]\nrun = \"./client\"\n"),
        fix: Some("title = \"TCP\"\n[program.client]\nrun = \"./client\"\n"),
    },
    Code {
        code: WRONG_TYPE,
        title: "a value of the wrong type",
        explanation: "A key takes a string, a number, an array or a table, and no other. Commands and durations are strings: `run = \"./client 12000\"`, `timeout = \"5s\"`.",
        example: Some("timeout = 5\n[program.client]\nrun = \"./client\"\n"),
        fix: Some("timeout = \"5s\"\n[program.client]\nrun = \"./client\"\n"),
    },
    Code {
        code: MISSING,
        title: "something that every scenario needs is missing",
        explanation: "A scenario runs at least one program, and a program needs its command: `[program.client]` with `run = \"…\"`. An expectation in the form of a table needs `text`.",
        example: Some("[program.client]\nstdin = \"hello\\n\"\n"),
        fix: Some("[program.client]\nrun = \"./client\"\nstdin = \"hello\\n\"\n"),
    },
    Code {
        code: DURATION,
        title: "a duration that cannot be read",
        explanation: "A duration is a string with a number and a unit: `\"200ms\"`, `\"5s\"`, `\"1.5s\"`, `\"2m\"`. It is longer than nothing, and at most `\"60m\"`.",
        example: Some("[program.client]\nrun = \"./client\"\ntimeout = \"5 sec\"\n"),
        fix: Some("[program.client]\nrun = \"./client\"\ntimeout = \"5s\"\n"),
    },
    Code {
        code: VALUE,
        title: "a value outside of what its key takes",
        explanation: "Some keys take only certain words or numbers: `stop` a signal, `ports` 1 to 65535, `exit` 0 to 255. The message names them.",
        example: Some("[program.client]\nrun = \"./client\"\nstop = \"SIGTREM\"\n"),
        fix: Some("[program.client]\nrun = \"./client\"\nstop = \"TERM\"\n"),
    },
    Code {
        code: COMMAND,
        title: "a command that cannot be split into words",
        explanation: "`run` is split into words as a shell splits them, but no shell runs: pipes, redirections and variables have no meaning, and a quote needs its partner. Where a shell is needed, run one: `sh -c '…'`.",
        example: Some("[program.client]\nrun = \"./client > log.txt\"\n"),
        fix: Some("[program.client]\nrun = \"sh -c './client > log.txt'\"\n"),
    },
    Code {
        code: AFTER,
        title: "`after` names nothing that can come true",
        explanation: "`after` is `\"ROLE ready\"` (that program listens) or `\"ROLE exit\"` (it has ended). The role must be another program of the file, one with `stop` does not exit by itself, and two programs cannot wait for each other.",
        example: Some(
            "[program.server]\nrun = \"./server\"\nstop = \"TERM\"\n\n[program.client]\nrun = \"./client\"\nafter = \"sevrer ready\"\n",
        ),
        fix: Some(
            "[program.server]\nrun = \"./server\"\nstop = \"TERM\"\n\n[program.client]\nrun = \"./client\"\nafter = \"server ready\"\n",
        ),
    },
    Code {
        code: ADDRESS,
        title: "an address that no host can have",
        explanation: "Addresses are IPv4 or IPv6 addresses of one host, without port and prefix: `\"10.0.4.26\"`, `\"fd00::1\"`.",
        example: Some("addresses = [\"10.0.4.256\"]\n\n[program.client]\nrun = \"./client\"\n"),
        fix: Some("addresses = [\"10.0.4.25\"]\n\n[program.client]\nrun = \"./client\"\n"),
    },
    Code {
        code: SYSCTL,
        title: "a kernel setting that a run does not have",
        explanation: "A run has its own network settings, those whose name begins with `net.`. All others belong to the whole machine.",
        example: Some(
            "sysctl = { \"kernel.hostname\" = \"x\" }\n\n[program.client]\nrun = \"./client\"\n",
        ),
        fix: Some(
            "sysctl = { \"net.ipv4.tcp_sack\" = 0 }\n\n[program.client]\nrun = \"./client\"\n",
        ),
    },
    Code {
        code: CONTRADICTION,
        title: "two keys that exclude each other",
        explanation: "A program ends in one way: by itself, by the signal `stop`, or waiting (`ends = \"waiting\"`).",
        example: Some(
            "[program.client]\nrun = \"./client\"\nstop = \"TERM\"\nends = \"waiting\"\n",
        ),
        fix: Some("[program.client]\nrun = \"./client\"\nends = \"waiting\"\n"),
    },
    Code {
        code: DUPLICATE,
        title: "the same thing twice",
        explanation: "Each address and each setting stands once. Scenarios that run together need different names, because their captures are named after them.",
        example: Some(
            "addresses = [\"10.0.0.1\", \"10.0.0.1\"]\n\n[program.client]\nrun = \"./client\"\n",
        ),
        fix: Some("addresses = [\"10.0.0.1\"]\n\n[program.client]\nrun = \"./client\"\n"),
    },
    Code {
        code: ROLE,
        title: "a name that a program cannot have",
        explanation: "A role begins with a letter and has at most 32 letters, digits, `_` and `-`. It is used in expectations, where `nobody`, `any`, `tcp` and other words mean something already.",
        example: Some("[program.nobody]\nrun = \"./client\"\n"),
        fix: Some("[program.client]\nrun = \"./client\"\n"),
    },
    Code {
        code: PLACEHOLDER,
        title: "`{…}` that stands for nothing",
        explanation: "`{address}` and `{host}` are the only placeholders. Other braces stay as they are; what looks like a misspelt placeholder is a mistake.",
        example: Some("[program.client]\nrun = \"./client {adress} 12000\"\n"),
        fix: Some("[program.client]\nrun = \"./client {address} 12000\"\n"),
    },
    Code {
        code: PATTERN,
        title: "a regular expression that cannot be read",
        explanation: "`matches` takes a regular expression of the Rust crate `regex`. In one of TOML's strings with double quotes each backslash is written twice; in single quotes once.",
        example: Some("[program.client]\nrun = \"./client\"\nstdout = { matches = 'a(' }\n"),
        fix: Some("[program.client]\nrun = \"./client\"\nstdout = { matches = 'a\\(' }\n"),
    },
    Code {
        code: NOT_FOUND,
        title: "no scenario and no file of this name",
        explanation: "A scenario is named by a built-in name (`netlab-capture list`), a file or a folder. A folder stands for each `*.toml` in it. A built-in name comes first: write `./NAME` for a file of the same name.",
        example: None,
        fix: None,
    },
    Code {
        code: UNREADABLE,
        title: "a file that cannot be read",
        explanation: "The system's reason stands at the caret. A scenario file must be UTF-8 and have at most 1 MiB; a file named by `file(\"…\")` at most 16 MiB. Such names are relative to the scenario's folder, those of -e to the current one.",
        example: None,
        fix: None,
    },
    Code {
        code: NOTHING_EXPECTED,
        title: "a capture that brings no expectations, and none were given",
        explanation: "`check` judges a capture that netlab-capture recorded by the expectations in it. A capture from elsewhere has none: give them with `-e 'STATEMENT'` or `--expect FILE`.",
        example: None,
        fix: None,
    },
    Code {
        code: UNCLEAR_ROLES,
        title: "a capture that does not tell who is client and who is server",
        explanation: "A capture from elsewhere holds addresses, no programs. With one server in it, the client is who opened the connection or spoke first. With several servers, or where a connection began before the capture, say who is meant: `--role server=10.0.0.1:80`. Or use `any`, or look at one conversation: `in order on tcp[0] { … }`.",
        example: None,
        fix: None,
    },
    Code {
        code: NO_SUCH_END,
        title: "a role that no end in the capture has",
        explanation: "`--role` says who is at which address, and no packet comes from there or goes there: the port may be mistyped, or it is another capture. Or the role has no end left, as others were given all that it would have: on loopback an address without a port covers both ends. Statements about that role would hold whatever happened. Where several roles cover an end, a port tells more than an address, and both tell more than one.",
        example: None,
        fix: None,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnostic::Source;
    use crate::scenario;

    fn codes_of(text: &str) -> BTreeSet<&'static str> {
        let source = Source {
            name: "example.toml".to_owned(),
            text: text.to_owned(),
        };
        let (_, mistakes) = scenario::read(source);
        mistakes.into_iter().map(|mistake| mistake.code).collect()
    }

    #[test]
    fn each_example_has_its_mistake_and_no_other_and_its_fix_has_none() {
        for code in ALL {
            assert_eq!(code.example.is_some(), code.fix.is_some(), "{}", code.code);
            if let Some((example, fix)) = code.example.zip(code.fix) {
                assert_eq!(codes_of(example), BTreeSet::from([code.code]), "{example}");
                assert_eq!(codes_of(fix), BTreeSet::new(), "{fix}");
            }
        }
    }

    #[test]
    fn codes_are_in_order_and_explained() {
        assert!(ALL.windows(2).all(|two| two[0].code < two[1].code));
        assert!(ALL.iter().all(|c| c.explanation.ends_with('.')));
    }
}
