//! A scenario and the command line's wishes become a plan.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sandbox::{LOCALHOST, Network, Plan, PlannedProgram, Streams};
use crate::scenario::{ProgramSpec, Scenario};

/// The word that stands for this binary, shown as such in every report.
const THIS_BINARY: &str = "netlab-capture";

/// What the command line says of every scenario.
#[derive(Clone, Debug)]
pub struct Wishes {
    pub ipv6: bool,
    /// In place of loopback's own for `{address}`.
    pub address: Option<IpAddr>,
    pub host: bool,
    /// In place of the scenario's own.
    pub timeout: Option<Duration>,
    /// Bytes of each packet that are kept.
    pub snaplen: u32,
    pub this_binary: PathBuf,
}

impl Wishes {
    /// What `{address}` stands for.
    pub fn address(&self) -> IpAddr {
        match (self.address, self.ipv6) {
            (Some(address), _) => address,
            (None, true) => Ipv6Addr::LOCALHOST.into(),
            (None, false) => Ipv4Addr::LOCALHOST.into(),
        }
    }
}

/// Fills everything in. `base` is the folder of the scenario file.
pub fn plan(scenario: &Scenario, base: Option<&Path>, wishes: &Wishes) -> Plan {
    let timeout = wishes.timeout.unwrap_or(scenario.timeout);
    let programs: Vec<PlannedProgram> = scenario
        .programs
        .iter()
        .map(|spec| program(spec, base, timeout, wishes))
        .collect();
    let network = if wishes.host {
        Network::Host {
            ports: ports(&programs),
        }
    } else {
        Network::Private
    };
    let mut hosts = scenario.hosts.clone();
    if !wishes.ipv6 {
        // Else a client of `localhost` tries ::1 in vain before 127.0.0.1.
        hosts
            .entry(LOCALHOST.to_owned())
            .or_insert(Ipv4Addr::LOCALHOST.into());
    }
    Plan {
        programs,
        timeout,
        addresses: scenario.addresses.clone(),
        hosts,
        sysctl: scenario.sysctl.clone(),
        network,
        snaplen: wishes.snaplen,
        containment: None,
    }
}

fn program(
    spec: &ProgramSpec,
    base: Option<&Path>,
    timeout: Duration,
    wishes: &Wishes,
) -> PlannedProgram {
    let argv = spec.command(wishes.address(), THIS_BINARY);
    let own = argv.first().is_some_and(|word| word == THIS_BINARY);
    PlannedProgram {
        role: spec.role.clone(),
        executable: own.then(|| wishes.this_binary.clone()),
        argv: argv.into_iter().map(Into::into).collect(),
        streams: if spec.pty {
            Streams::Terminal
        } else {
            Streams::Kept
        },
        stdin: spec.stdin.clone(),
        env: spec.environment(wishes.address()),
        cwd: spec.cwd.as_ref().map(|cwd| match base {
            Some(base) => base.join(cwd),
            None => PathBuf::from(cwd),
        }),
        after: spec.after.clone(),
        ready: spec.ready,
        stop: spec.stop,
        ends_waiting: spec.ends_waiting,
        timeout: spec.timeout.map_or(timeout, |own| own.min(timeout)),
    }
}

/// The ports that a scenario's programs speak of: those they are to listen on,
/// and every number among their words that can be one.
fn ports(programs: &[PlannedProgram]) -> Vec<u16> {
    let mut ports = BTreeSet::new();
    for program in programs {
        ports.extend(program.ready.map(|ready| ready.port));
        ports.extend(program.argv.iter().filter_map(|w| port_in(w.to_str()?)));
    }
    ports.into_iter().collect()
}

fn port_in(word: &str) -> Option<u16> {
    let digits = word.rsplit(':').next()?.split('/').next()?;
    digits.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::scenario::parse;

    fn wishes() -> Wishes {
        Wishes {
            ipv6: false,
            address: None,
            host: true,
            timeout: None,
            snaplen: 262_144,
            this_binary: "/opt/netlab-capture".into(),
        }
    }

    fn planned(text: &str, wishes: &Wishes) -> Plan {
        let scenario = parse(Source {
            name: "lab/x.toml".into(),
            text: text.into(),
        })
        .unwrap();
        plan(&scenario, Some(Path::new("lab")), wishes)
    }

    #[test]
    fn own_programs_are_this_binary_under_its_name() {
        let plan = planned(
            "[program.client]\nrun = 'netlab-capture tcp-client {address} 12000'\n",
            &wishes(),
        );
        let client = &plan.programs[0];
        assert_eq!(
            client.argv,
            ["netlab-capture", "tcp-client", "127.0.0.1", "12000"]
        );
        assert_eq!(
            client.executable.as_deref(),
            Some(Path::new("/opt/netlab-capture"))
        );
    }

    #[test]
    fn the_hosts_ports_are_those_that_are_spoken_of() {
        let plan = planned(
            "[program.a]\nrun = 'curl http://127.0.0.1:8080/x'\n[program.b]\nrun = 'nc 127.0.0.1 12000'\ncwd = 'sub'\n",
            &wishes(),
        );
        assert_eq!(
            plan.network,
            Network::Host {
                ports: vec![8080, 12000]
            }
        );
        assert_eq!(plan.programs[1].cwd.as_deref(), Some(Path::new("lab/sub")));
        assert_eq!(plan.programs[1].executable, None);
    }
}
