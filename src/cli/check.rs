//! `netlab-capture check`: judge captures again, or captures from elsewhere.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Exit;
use super::judge::{self, Judged, Yardstick};
use super::load::{self, Mistakes};
use super::pages::Kept;
use super::sink::{self, Sink};
use crate::diagnostic::Source;
use crate::expect;
use crate::expect::ast::Expectation;
use crate::render::text::visible;
use crate::report::{ErrorCode, Report};
use crate::savefile::{Bytes, Protocol, SavefileError};
use crate::scenario::{self, Scenario, codes};
use crate::trace::{self, Ambiguity, RoleAt, Trace};

/// Candidates for a role that are listed.
const CANDIDATES: usize = 5;

/// Judge captures by the expectations in them, or by others.
///
/// Reads pcapng and classic pcap of any program, also compressed with gzip or
/// zstd. Where a capture does not tell which program was at which end, the client
/// is who opened the connection or spoke first, and the server is who was asked;
/// --role says it otherwise.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Capture files; - is standard input
    #[arg(value_name = "CAPTURE", required = true)]
    captures: Vec<PathBuf>,
    /// Statements to use in place of the capture's own: an expectation file
    /// (.expect), or a scenario (.toml, or a built-in name)
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// A statement: -e 'no RST'. May be given several times
    #[arg(short = 'e', value_name = "STATEMENT", conflicts_with = "expect")]
    statements: Vec<String>,
    /// Who is at which address: client=127.0.0.1:40000, server=:12000. May be
    /// given several times
    #[arg(long = "role", value_name = "ROLE=ADDRESS:PORT", value_parser = role_at)]
    roles: Vec<RoleAt>,
    #[command(flatten)]
    output: sink::OutputArgs,
}

fn role_at(text: &str) -> Result<RoleAt, String> {
    let at: RoleAt = text.parse()?;
    match scenario::role_fault(&at.role) {
        Some((message, help)) => Err(format!("{message}: {help}")),
        None => Ok(at),
    }
}

/// What the command line gives to judge by.
enum Given {
    /// Each capture's own.
    Nothing,
    Scenario(Box<load::Loaded>),
    /// Read anew for each capture, because each has its own roles.
    File(Source),
    Statements,
}

pub fn main(args: &Args) -> Exit {
    let mut sink = match Sink::open(&args.output) {
        Ok(sink) => sink,
        Err(exit) => return exit,
    };
    let given = match given(args) {
        Ok(given) => given,
        Err(mistakes) => return sink.refuse(&mistakes),
    };
    if let Err(exit) = sink.expect(args.captures.len()) {
        return exit;
    }
    let mut exit = Exit::Passed;
    let mut warned = false;
    for path in &args.captures {
        // It cannot be read a second time.
        let kept = (path == Path::new("-") && sink.makes_pages()).then(Kept::default);
        let read = match &kept {
            Some(kept) => judge::read_keeping(kept),
            None => judge::read_in_place(path),
        };
        let mut result = judge_read(read, path, &given, args, &sink, &mut warned);
        if result.is_lost {
            // What it is now, whatever becomes of it meanwhile.
            result = judge_read(judge::read(path), path, &given, args, &sink, &mut warned);
        }
        if !result.mistakes.is_empty() {
            exit = exit.worst(load::complain(&result.mistakes));
        }
        let judged = result.judged;
        exit = exit.worst(judged.exit);
        sink.show(&judged.report);
        if judged.is_lost() {
            let name = path.display();
            sink.warn(&format!(
                "{name}: cut short while its packets were shown: they may be wrong, the verdict \
                 is not; once again, when nothing writes it"
            ));
            exit = exit.worst(Exit::Damaged);
        }
        sink.keep_with(judged.report, kept);
    }
    exit.worst(sink.finish())
}

/// What came of a capture.
struct Checked {
    judged: Judged,
    /// What is wrong with what it was to be judged by.
    mistakes: Vec<Mistakes>,
    /// It was cut short while it was looked at: what was judged is not what is in
    /// the file.
    is_lost: bool,
}

/// Judges a capture that was read, if it could be. `warned`: what is probably not
/// meant in the statements was told already.
fn judge_read(
    read: Result<Trace, SavefileError>,
    path: &Path,
    given: &Given,
    args: &Args,
    sink: &Sink,
    warned: &mut bool,
) -> Checked {
    let trace = match read {
        Ok(trace) if args.roles.is_empty() => trace,
        Ok(trace) => trace.with_roles(&args.roles),
        Err(error) => {
            return Checked {
                judged: judge::unreadable(path, &error),
                mistakes: Vec::new(),
                is_lost: false,
            };
        }
    };
    match yardstick(&trace, path, given, args) {
        Ok(own) => {
            // Those of the next captures are the same, or their own.
            if !std::mem::replace(warned, true) {
                own.warn();
            }
            let judged = judge_by(trace, &own, sink);
            Checked {
                is_lost: judged.is_lost(),
                judged,
                mistakes: Vec::new(),
            }
        }
        Err(mistakes) => Checked {
            judged: author_error(path, &mistakes),
            mistakes,
            is_lost: trace.frames.are_lost(),
        },
    }
}

fn given(args: &Args) -> Result<Given, Vec<Mistakes>> {
    let Some(path) = &args.expect else {
        return Ok(match args.statements.is_empty() {
            true => Given::Nothing,
            false => Given::Statements,
        });
    };
    if path.extension().is_some_and(|e| e == expect::EXTENSION) {
        return load::read_source(path)
            .map(Given::File)
            .map_err(|mistakes| vec![mistakes]);
    }
    let mut loaded = load::load(&[path.display().to_string()], false)?;
    if loaded.len() > 1 {
        return Err(vec![load::told(
            codes::NOT_FOUND,
            &path.display().to_string(),
            "`--expect` takes one file, and this is a folder of several".to_owned(),
            "which of them?",
            None,
        )]);
    }
    Ok(match loaded.pop() {
        Some(one) => Given::Scenario(Box::new(one)),
        None => Given::Nothing,
    })
}

struct Own {
    scenario: Option<Scenario>,
    expectations: Vec<Expectation>,
    files: BTreeMap<String, Bytes>,
}

impl Own {
    fn warn(&self) {
        load::warn_of(
            &self.expectations,
            self.scenario.as_ref().map(|scenario| &scenario.source),
        );
    }

    fn asks_for_roles(&self) -> bool {
        self.expectations.iter().any(expect::names_implied_roles)
    }
}

fn judge_by(trace: Trace, own: &Own, sink: &Sink) -> Judged {
    let mut options = sink.options();
    options.claimed = true;
    judge::judge(
        trace,
        &Yardstick {
            scenario: own.scenario.as_ref(),
            expectations: &own.expectations,
            files: &own.files,
        },
        &options,
    )
}

/// What the capture is judged by, where it is clear who the roles are.
fn yardstick(trace: &Trace, path: &Path, given: &Given, args: &Args) -> Result<Own, Vec<Mistakes>> {
    let own = demanded(trace, path, given, args)?;
    let wrong = nowhere(trace, path, args, &own.expectations)
        .or_else(|| displaced(trace, path, &own.expectations));
    if let Some(wrong) = wrong {
        return Err(vec![wrong]);
    }
    match unclear(trace, path, args) {
        Some(wrong) if own.asks_for_roles() => Err(vec![wrong]),
        _ => Ok(own),
    }
}

fn demanded(trace: &Trace, path: &Path, given: &Given, args: &Args) -> Result<Own, Vec<Mistakes>> {
    match given {
        Given::Nothing => own_yardstick(trace, path),
        Given::Scenario(loaded) => Ok(Own {
            scenario: Some(loaded.scenario.clone()),
            expectations: loaded.expectations.clone(),
            files: loaded.files.clone(),
        }),
        Given::Statements => {
            let expectations = load::parse_statements(&args.statements, &trace.roles)?;
            let recorded = trace.recording.as_ref().and_then(|r| r.scenario.as_ref());
            let brought = recorded.map(|recorded| &recorded.files);
            Ok(Own {
                scenario: None,
                files: load::files_of_statements(&expectations, brought)?,
                expectations,
            })
        }
        Given::File(source) => {
            let wrong = |diagnostics| {
                vec![Mistakes {
                    source: source.clone(),
                    diagnostics,
                }]
            };
            let (scenario, expectations) =
                expect::read_file(source.clone(), &trace.roles).map_err(wrong)?;
            let base_dir = args.expect.as_deref().map(load::base_dir);
            let files =
                load::files(&scenario, &expectations, base_dir.as_deref()).map_err(wrong)?;
            Ok(Own {
                scenario: Some(scenario),
                expectations,
                files,
            })
        }
    }
}

/// What the recording brings along.
fn own_yardstick(trace: &Trace, path: &Path) -> Result<Own, Vec<Mistakes>> {
    let recorded = trace.recording.as_ref().and_then(|r| r.scenario.as_ref());
    let Some(recorded) = recorded else {
        if trace.capture.damage.is_some() {
            // What it brought along came after the damage: the report says so.
            return Ok(Own {
                scenario: None,
                expectations: Vec::new(),
                files: BTreeMap::new(),
            });
        }
        return Err(vec![load::told(
            codes::NOTHING_EXPECTED,
            &path.display().to_string(),
            "this capture holds no expectations of its own".to_owned(),
            "made by another program, or converted by one",
            Some("say what to expect: -e 'STATEMENT', or --expect FILE".to_owned()),
        )]);
    };
    let source = Source {
        name: recorded.source.clone(),
        text: recorded.text.clone(),
    };
    let wrong = |diagnostics| {
        vec![Mistakes {
            source: source.clone(),
            diagnostics,
        }]
    };
    let scenario = scenario::parse(source.clone()).map_err(wrong)?;
    let expectations = expect::compile(&scenario).map_err(wrong)?;
    Ok(Own {
        scenario: Some(scenario),
        expectations,
        files: recorded.files.clone(),
    })
}

/// A role that is spoken of and given at an address which is in no packet: what
/// did not happen there would prove nothing.
fn nowhere(
    trace: &Trace,
    path: &Path,
    args: &Args,
    expectations: &[Expectation],
) -> Option<Mistakes> {
    let missing = args.roles.iter().find(|at| {
        let spoken_of = expectations
            .iter()
            .any(|expectation| expect::names_role(expectation, &at.role));
        spoken_of && !at.is_in(trace)
    })?;
    let (ends, what) = match missing.role.as_str() {
        "client" => (trace::clients(trace), "who asked in it"),
        _ => (trace::servers(trace), "who was asked in it"),
    };
    let help = match (missing.meant(), ends.is_empty()) {
        (Some(meant), _) => format!("if the last number is a port, write `{meant}`"),
        (None, true) => "is it the right capture?".to_owned(),
        (None, false) => format!("{what}:\n{}", candidates(&missing.role, &ends)),
    };
    Some(load::told(
        codes::NO_SUCH_END,
        &visible(&path.display().to_string()),
        format!("no packet comes from `{missing}` or goes there"),
        "has no such end",
        Some(help),
    ))
}

/// A role that is spoken of and has no end, as others were given the ends that it
/// would have.
fn displaced(trace: &Trace, path: &Path, expectations: &[Expectation]) -> Option<Mistakes> {
    let spoken_of = |role: &&String| {
        let mut expectations = expectations.iter();
        expectations.any(|expectation| expect::names_role(expectation, role))
    };
    let mut roles = trace.roles.iter().filter(spoken_of);
    let displaced = roles.find(|role| trace::is_displaced(trace, role))?;
    let given = trace.named.iter().filter(|name| name.role != *displaced);
    let given: Vec<String> = given
        .map(|name| format!("`{}={name}`", name.role))
        .collect();
    let help = format!(
        "the ends are those of {}; {}",
        given.join(" and "),
        match trace.named.iter().any(|name| name.role == *displaced) {
            true => "give a port with each address".to_owned(),
            false => format!("say where `{displaced}` is, too: --role {displaced}=ADDRESS:PORT"),
        }
    );
    Some(load::told(
        codes::NO_SUCH_END,
        &visible(&path.display().to_string()),
        format!("no end is left for `{displaced}`"),
        "its ends have other roles",
        Some(help),
    ))
}

/// Some ends, as they are given to a role.
fn candidates(role: &str, ends: &[(Protocol, SocketAddr, u64)]) -> String {
    let shown = || ends.iter().take(CANDIDATES);
    let width = shown()
        .map(|(_, end, _)| end.to_string().len())
        .max()
        .unwrap_or(0);
    let listed: Vec<String> = shown()
        .map(|(protocol, end, packets)| {
            let protocol = match protocol {
                Protocol::Tcp => "TCP",
                Protocol::Udp => "UDP",
            };
            let end = end.to_string();
            format!("  --role {role}={end:width$}  {protocol}, {packets} packets")
        })
        .collect();
    match ends.len().saturating_sub(CANDIDATES) {
        0 => listed.join("\n"),
        more => format!("{}\n  and {more} more", listed.join("\n")),
    }
}

/// Why it is not clear who `client` and `server` are, with the candidates.
fn unclear(trace: &Trace, path: &Path, args: &Args) -> Option<Mistakes> {
    if !args.roles.is_empty() {
        return None;
    }
    let (message, help) = match trace::ambiguity(trace)? {
        Ambiguity::Servers(servers) => (
            format!("which of its {} servers is `server`?", servers.len()),
            format!(
                "say who is meant:\n{}\nor look at one conversation: in order on tcp[0] {{ … }}",
                candidates("server", &servers)
            ),
        ),
        Ambiguity::Started(one, other) => (
            "which end is the client?".to_owned(),
            format!(
                "the connection began before the capture, so say who is who:\n  --role client={one} --role server={other}\n  --role client={other} --role server={one}"
            ),
        ),
    };
    Some(load::told(
        codes::UNCLEAR_ROLES,
        &visible(&path.display().to_string()),
        message,
        "does not tell which program was at which end",
        Some(help),
    ))
}

fn author_error(path: &Path, mistakes: &[Mistakes]) -> Judged {
    let messages: Vec<&str> = mistakes
        .iter()
        .flat_map(|m| &m.diagnostics)
        .map(|d| d.message.as_str())
        .collect();
    let name = path.display().to_string();
    Judged::of_report(Report::error(&name, ErrorCode::Usage, messages.join("; ")))
}
