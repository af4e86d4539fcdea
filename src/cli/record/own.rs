//! The user's own programs in the place of a scenario's, and what they need
//! around them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::pages;
use crate::cli::load::{Loaded, Mistakes};
use crate::diagnostic::{Diagnostic, Severity, Source, nearest};
use crate::scenario::{self, Wrong, codes};

/// The role whose pages others ask for.
const SERVER: &str = "server";

/// The options that put own programs into a scenario.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Own programs")]
pub struct Own {
    /// In place of the scenario's server: 'python3 TCPServer.py'
    #[arg(long, value_name = "COMMAND")]
    server: Option<String>,
    /// In place of the scenario's client: 'python3 TCPClient.py 127.0.0.1 12000'
    #[arg(long, value_name = "COMMAND")]
    client: Option<String>,
    /// In place of any program: --program proxy=./proxy
    #[arg(long, value_name = "ROLE=COMMAND", value_parser = pair::<String>)]
    program: Vec<(String, String)>,
    /// A line that a program reads; the client, unless ROLE= stands before it.
    /// Once for each line. @FILE is the content of FILE
    #[arg(long, value_name = "[ROLE=]TEXT")]
    stdin: Vec<String>,
    /// A variable in the environment of the own programs
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair::<String>)]
    env: Vec<(String, String)>,
    /// The folder in which the own programs run [default: this one]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// An address that the run's network has beside 127.0.0.1, for programs in
    /// which it is written; the first stands for {address}, too
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["ipv6", "host"])]
    pub address: Vec<IpAddr>,
    /// A host name of the run's network, for programs in which it is written
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = pair::<IpAddr>, conflicts_with = "host")]
    host_name: Vec<(String, IpAddr)>,
    /// Give the own programs a terminal, as some want it before they ask for
    /// something or show what they write
    #[arg(long)]
    pty: bool,
}

/// `NAME=VALUE`.
fn pair<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(String, T), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !name.contains(char::is_whitespace) => {
            let value = value.parse().map_err(|error| format!("{value}: {error}"))?;
            Ok((name.to_owned(), value))
        }
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

impl Own {
    /// Puts everything in its place in every scenario.
    ///
    /// # Errors
    /// A role that a scenario does not have, a command that is none, a file or
    /// folder that cannot be read.
    pub fn apply(&self, loaded: &mut [Loaded]) -> Result<(), Vec<Mistakes>> {
        let mut wrong = Vec::new();
        let inputs: Vec<Input<'_>> = self.stdin.iter().map(|text| Input(text)).collect();
        for one in loaded {
            let roles: Vec<String> = one
                .scenario
                .programs
                .iter()
                .map(|p| p.role.clone())
                .collect();
            for (option, role, command) in self.commands() {
                match one.scenario.set_command(role, command) {
                    Ok(true) => {}
                    Ok(false) => wrong.push(no_role(&option, role, &one.scenario.name, &roles)),
                    Err(bad) => wrong.push(mistake(&option, command, bad)),
                }
            }
            let mut typed = BTreeMap::new();
            for input in &inputs {
                if let Err(mistakes) = input.apply(one, &roles, &mut typed) {
                    wrong.push(mistakes);
                }
            }
            for program in &mut one.scenario.programs {
                if let Some(lines) = typed.remove(&program.role) {
                    program.stdin = Some(lines);
                }
            }
            match self.surround(one) {
                Ok(()) => self.pages(one),
                Err(mistakes) => wrong.push(mistakes),
            }
        }
        wrong.dedup();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The commands by role, each with the option that gave it.
    pub fn commands(&self) -> impl Iterator<Item = (String, &str, &str)> {
        let server = self
            .server
            .as_deref()
            .map(|c| ("--server".to_owned(), SERVER, c));
        let client = self
            .client
            .as_deref()
            .map(|c| ("--client".to_owned(), "client", c));
        let others = self.program.iter();
        let others = others.map(|(r, c)| (format!("--program {r}="), r.as_str(), c.as_str()));
        server.into_iter().chain(client).chain(others)
    }

    /// Commands of the command line by role, for the recording.
    pub fn overrides(&self) -> BTreeMap<String, String> {
        let commands = self.commands();
        commands
            .map(|(_, role, command)| (role.to_owned(), command.to_owned()))
            .collect()
    }

    /// A server of one's own serves the pages of its folder.
    fn pages(&self, loaded: &mut Loaded) {
        let own = self.commands().any(|(_, role, _)| role == SERVER);
        let Some(server) = loaded.scenario.program(SERVER).filter(|_| own) else {
            return;
        };
        if !server.is_ours() {
            let folder = server.cwd.clone().unwrap_or_else(|| ".".to_owned());
            pages::take(loaded, Path::new(&folder));
        }
    }

    /// Folder, environment, terminal and network of the own programs.
    fn surround(&self, loaded: &mut Loaded) -> Result<(), Mistakes> {
        let cwd = match &self.cwd {
            None => None,
            Some(folder) => {
                let text = folder.display().to_string();
                let found = std::path::absolute(folder)
                    .ok()
                    .filter(|path| path.is_dir());
                let found = found.and_then(|path| path.to_str().map(str::to_owned));
                Some(found.ok_or_else(|| {
                    plain("--cwd", &text, format!("there is no folder `{text}`"), None)
                })?)
            }
        };
        let overrides = self.overrides();
        let scenario = &mut loaded.scenario;
        for program in &mut scenario.programs {
            // Without own commands the options are for all programs.
            if !overrides.is_empty() && !overrides.contains_key(&program.role) {
                continue;
            }
            if overrides.contains_key(&program.role) || cwd.is_some() {
                program.cwd.clone_from(&cwd);
            }
            program.env.extend(self.env.iter().cloned());
            program.pty |= self.pty;
        }
        for address in &self.address {
            if !scenario.addresses.contains(address) {
                scenario.addresses.push(*address);
            }
        }
        for (name, address) in &self.host_name {
            if !scenario::is_host_name(name) {
                let message = format!("`{name}` cannot be a host's name");
                return Err(plain("--host-name", name, message, None));
            }
            scenario.hosts.insert(name.clone(), *address);
        }
        Ok(())
    }
}

/// One `--stdin`.
struct Input<'a>(&'a str);

impl Input<'_> {
    /// Adds it to what is typed in each role.
    fn apply(
        &self,
        loaded: &Loaded,
        roles: &[String],
        typed: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<(), Mistakes> {
        let named = self
            .0
            .split_once('=')
            .filter(|(role, _)| roles.iter().any(|r| r == role));
        let (role, text) = match (named, roles) {
            (Some((role, text)), _) => (role, text),
            (None, [only]) => (only.as_str(), self.0),
            (None, _) => ("client", self.0),
        };
        if loaded.scenario.program(role).is_none() {
            return Err(no_role("--stdin", role, &loaded.scenario.name, roles));
        }
        let bytes = match text.strip_prefix('@') {
            None => {
                // As the key that ends a line at a keyboard.
                let ending = if text.ends_with('\n') { "" } else { "\n" };
                format!("{text}{ending}").into_bytes()
            }
            Some(path) => std::fs::read(path).map_err(|error| {
                let words = error.to_string();
                let words = crate::cli::output::without_number(&words);
                plain(
                    "--stdin",
                    self.0,
                    format!("`{path}` cannot be read: {words}"),
                    None,
                )
            })?,
        };
        typed.entry(role.to_owned()).or_default().extend(bytes);
        Ok(())
    }
}

fn no_role(option: &str, role: &str, scenario: &str, roles: &[String]) -> Mistakes {
    let help = match nearest(role, roles.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("its programs are: {}", roles.join(", ")),
    };
    let message = format!("the scenario `{scenario}` has no program called `{role}`");
    plain(option, role, message, Some(help))
}

/// A mistake in a whole word of the command line.
fn plain(option: &str, text: &str, message: String, help: Option<String>) -> Mistakes {
    let wrong = Wrong {
        message,
        label: "this".to_owned(),
        span: 0..text.len(),
        help,
    };
    mistake(option, text, wrong)
}

fn mistake(option: &str, text: &str, wrong: Wrong) -> Mistakes {
    Mistakes {
        source: Source {
            name: option.to_owned(),
            text: text.to_owned(),
        },
        diagnostics: vec![Diagnostic {
            severity: Severity::Error,
            code: codes::COMMAND,
            message: wrong.message,
            span: wrong.span,
            label: wrong.label,
            help: wrong.help,
        }],
    }
}
