//! From a program's words to what is executed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::words::{self, Wrong};
use super::{ProgramSpec, Scenario};

/// The first word that stands for this binary.
const THIS_BINARY: &str = "netlab-capture";

impl ProgramSpec {
    /// Is it one of the lab's own, which are in this binary?
    pub fn is_ours(&self) -> bool {
        self.run.first().is_some_and(|word| word == THIS_BINARY)
    }

    /// The words to execute. `{address}` and `{host}` are replaced, and a first
    /// word `netlab-capture` by `this_binary`, the path of the running binary.
    pub fn command(&self, address: IpAddr, this_binary: &str) -> Vec<String> {
        let mut words: Vec<String> = self
            .run
            .iter()
            .map(|word| words::expand(word, address))
            .collect();
        if let Some(first) = words.first_mut().filter(|word| *word == THIS_BINARY) {
            this_binary.clone_into(first);
        }
        words
    }

    /// The variables to add to its environment, placeholders replaced.
    pub fn environment(&self, address: IpAddr) -> BTreeMap<String, String> {
        self.env
            .iter()
            .map(|(name, value)| (name.clone(), words::expand(value, address)))
            .collect()
    }
}

impl Scenario {
    /// The program of a role.
    pub fn program(&self, role: &str) -> Option<&ProgramSpec> {
        self.programs.iter().find(|program| program.role == role)
    }

    /// Puts a command in the place of a program's `run`: `--server 'python3 x.py'`.
    /// False: the scenario has no such role.
    ///
    /// # Errors
    /// The command cannot be split into words.
    pub fn set_command(&mut self, role: &str, command: &str) -> Result<bool, Wrong> {
        let words = words::split_command(command)?;
        let program = self
            .programs
            .iter_mut()
            .find(|program| program.role == role);
        Ok(program.map(|program| program.run = words).is_some())
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Source;
    use crate::scenario::{Scenario, parse};

    fn scenario(text: &str) -> Scenario {
        parse(Source {
            name: "labs/test.toml".to_owned(),
            text: text.to_owned(),
        })
        .unwrap()
    }

    #[test]
    fn the_first_word_is_this_binary_and_the_address_is_put_in() {
        let scenario = scenario(
            "[program.client]\nrun = 'netlab-capture web-client {address} 80 netlab-capture http://{host}/'\nenv = { AT = '{address}' }\n",
        );
        let client = scenario.program("client").unwrap();
        assert_eq!(
            client.command("::1".parse().unwrap(), "/bin/x"),
            [
                "/bin/x",
                "web-client",
                "::1",
                "80",
                "netlab-capture",
                "http://[::1]/"
            ]
        );
        assert_eq!(client.environment("::1".parse().unwrap())["AT"], "::1");
    }

    #[test]
    fn a_command_of_the_command_line_takes_the_place_of_run() {
        let mut scenario = scenario("[program.client]\nrun = 'a'\n");
        assert_eq!(scenario.set_command("client", "b 'c d'"), Ok(true));
        assert_eq!(scenario.set_command("server", "b"), Ok(false));
        assert!(scenario.set_command("client", "b 'c").is_err());
        assert_eq!(scenario.program("client").unwrap().run, ["b", "c d"]);
    }
}
