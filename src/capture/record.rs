//! Recording one run: a network is made, the capture armed, the programs run,
//! the proof taken, the savefile closed.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::sandbox::{
    self, EnvironmentError, Loopback, Network, PidNamespace, Plan, Proc, Step, WHOLE_PACKETS, at,
    supervise,
};
use crate::savefile::{Proof, RecordedScenario, Recording};

use super::live::{Live, Ring, Settings};

/// How long a canary may take, again and again sent, until the capture counts
/// as blind.
const CANARY_DEADLINE: Duration = Duration::from_secs(2);

/// Records one run into `savefile`. The calling process must have one thread; it
/// is the run's own and ends after it.
///
/// `control` breaks the run off when it becomes readable or hangs up; what was
/// captured until then is kept. `done` hears of each step of setting up.
pub fn record(
    plan: &Plan,
    scenario: RecordedScenario,
    savefile: File,
    control: &OwnedFd,
    done: &dyn Fn(Step),
) -> Result<(), EnvironmentError> {
    let private = plan.network == Network::Private;
    let mut loopback = None;
    if private {
        sandbox::enter(done)?;
        let mut lo = Loopback::open()?;
        lo.bring_up()?;
        done(Step::Loopback);
        loopback = Some(lo);
    }
    let live = Live::start(settings(plan), savefile).map_err(at(Step::Capture))?;
    // While the interface is being opened, which takes longest:
    let proc = Proc::open().map_err(at(Step::PidNamespace))?;
    let mut views = None;
    let namespace = match &mut loopback {
        Some(lo) => {
            prepare_network(plan, lo, done)?;
            let prepared = plan
                .containment
                .as_ref()
                .map(|containment| sandbox::prepare(plan, containment))
                .transpose()?;
            let namespace = PidNamespace::create(prepared.is_some(), done)?;
            if let Some(prepared) = prepared {
                views = Some(prepared.build(namespace.has_own_proc())?);
                done(Step::Containment);
            }
            Some(namespace)
        }
        None => {
            adopt_orphans()?;
            None
        }
    };
    live.opened()
        .map_err(|cause| EnvironmentError::because(Step::Capture, cause))?;
    done(Step::Capture);
    let counted_before = match &mut loopback {
        Some(lo) => Some(lo.received().map_err(at(Step::Loopback))?),
        None => None,
    };
    let opening = live.canary(CANARY_DEADLINE).is_some();
    if !opening {
        return Err(EnvironmentError::because(
            Step::OpeningCanary,
            "a frame of our own did not come through the capture",
        ));
    }
    done(Step::OpeningCanary);
    let mut capture = Supervised { live: &live };
    let supervised = supervise(plan, &mut capture, control, proc, namespace, views.as_ref())?;
    if let Some(views) = &views {
        views.export()?;
    }
    done(Step::SocketFilter);
    let closing = live.canary(CANARY_DEADLINE).is_some();
    let counted = match (&mut loopback, counted_before) {
        (Some(lo), Some(before)) => lo.received().ok().map(|now| now.saturating_sub(before)),
        _ => None,
    };
    let Some(ended) = live.end() else {
        return Err(EnvironmentError::because(
            Step::Capture,
            "the capture ended before the run did",
        ));
    };
    let interface_packets = counted.map(|n| n.saturating_sub(ended.canaries_sent));
    let recording = Recording {
        tool: concat!("netlab-capture ", env!("CARGO_PKG_VERSION")).into(),
        scenario: Some(scenario),
        programs: supervised.programs,
        proof: Proof {
            opening,
            closing: closing && supervised.settled,
            interface_counter: interface_packets.map(|n| n == ended.captured),
            interface_packets,
            captured: ended.captured,
            // Unknown is not none.
            dropped: ended.dropped.unwrap_or(u64::MAX),
            owners: supervised.owners,
        },
        duration: u64::try_from(supervised.duration.as_nanos()).unwrap_or(u64::MAX),
        interrupted: supervised.interrupted,
        unrouted: supervised.unrouted,
        fault: ended.fault,
    };
    let mut writer = ended.writer;
    let written = writer
        .write_recording(&recording)
        .and_then(|()| {
            writer.write_statistics(
                ended.captured.saturating_add(recording.proof.dropped),
                recording.proof.dropped,
            )
        })
        .and_then(|()| writer.flush());
    drop(writer);
    // The disk's own word is the truer one.
    ended.disk.finish().map_err(at(Step::Savefile))?;
    written.map_err(at(Step::Savefile))
}

struct Supervised<'a> {
    live: &'a Live,
}

impl sandbox::Capture for Supervised<'_> {
    fn mark(&mut self) -> Option<u64> {
        self.live.canary(CANARY_DEADLINE)
    }

    fn failed(&self) -> bool {
        self.live.failed()
    }
}

fn prepare_network(
    plan: &Plan,
    lo: &mut Loopback,
    done: &dyn Fn(Step),
) -> Result<(), EnvironmentError> {
    sandbox::set_parameters(&plan.sysctl)?;
    done(Step::Sysctl);
    for address in &plan.addresses {
        lo.add_address(*address)?;
    }
    for address in plan.hosts.values() {
        lo.add_address(*address)?;
    }
    done(Step::Addresses);
    sandbox::private_hosts(&plan.hosts, &sandbox::host_name())?;
    done(Step::Hosts);
    Ok(())
}

/// Without a PID namespace, what the programs leave behind comes to us.
fn adopt_orphans() -> Result<(), EnvironmentError> {
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own)).map_err(at(Step::Fork))
}

fn settings(plan: &Plan) -> Settings {
    let filter = match &plan.network {
        Network::Private => None,
        Network::Host { ports } => {
            let mut parts: Vec<String> = ports.iter().map(|p| format!("port {p}")).collect();
            parts.extend(["icmp".into(), "icmp6".into(), "ether proto 0x88b5".into()]);
            Some(parts.join(" or "))
        }
    };
    // A command of the user's own may send as much as it likes.
    let is_large = plan.snaplen < WHOLE_PACKETS || plan.shares_our_terminal();
    Settings {
        interface: "lo".into(),
        filter,
        snaplen: plan.snaplen,
        ring: if is_large { Ring::LARGE } else { Ring::SMALL },
    }
}
