//! `netlab-capture doctor`: walks through every step of a run on this machine,
//! by making one, and says what will work.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::plan::{Wishes, plan};
use super::style;
use crate::capture::{RecordError, Recorder};
use crate::cli::Exit;
use crate::cli::output::{complain, print};
use crate::diagnostic::Source;
use crate::sandbox::{EnvironmentError, Step, WHOLE_PACKETS, may_unshare_without_user_namespace};
use crate::savefile::{Reader, RecordedScenario, Recording};
use crate::scenario::{self, Scenario};

/// Try every step of a run on this machine and name what is missing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print an AppArmor profile that lets this program create user namespaces
    /// (Ubuntu 23.10 and later), and how to install it
    #[arg(long)]
    apparmor: bool,
}

/// The smallest run there is: a connection that is refused.
const PROBE: &str = "[program.client]\nrun = 'netlab-capture tcp-client {address} 12000'\nstdin = 'x'\nexit = 1\ntimeout = '5s'\n";

/// The steps of a private run, in their order.
const PRIVATE: &[Step] = &[
    Step::UserNamespace,
    Step::SetGroups,
    Step::UidMap,
    Step::GidMap,
    Step::Namespaces,
    Step::Mounts,
    Step::Loopback,
    Step::Sysctl,
    Step::Addresses,
    Step::Hosts,
    Step::PidNamespace,
    Step::Proc,
    Step::Capture,
    Step::OpeningCanary,
    Step::SocketFilter,
];
/// The steps of a run on the machine's own loopback.
const HOST: &[Step] = &[Step::Capture, Step::OpeningCanary, Step::SocketFilter];

pub fn main(args: &Args) -> Exit {
    if args.apparmor {
        return print(&apparmor_profile());
    }
    let Ok(probe) = scenario::parse(Source {
        name: "doctor".into(),
        text: PROBE.into(),
    }) else {
        complain("netlab-capture: the probe is no scenario\n");
        return Exit::Internal;
    };
    let mut text = String::new();
    facts(&mut text);
    text.push_str("\nA run in a private network:\n");
    let skip_user = may_unshare_without_user_namespace();
    let private = walk(&probe, false, skip_user, &mut text);
    text.push_str("\nA run on the machine's own loopback (--host):\n");
    let host = walk(&probe, true, false, &mut text);
    text.push_str("\nWhat will work here:\n");
    let conclusions = [
        (
            private,
            "run, exec: private networks, captures proven complete",
        ),
        (
            host,
            "run --host: the machine's loopback, without the interface's counter as a witness",
        ),
        (true, "check, inspect: reading and judging captures"),
    ];
    for (works, what) in conclusions {
        text.push_str(&mark(works, what));
    }
    let printed = print(&text);
    if private {
        printed
    } else {
        printed.worst(Exit::Environment)
    }
}

fn mark(good: bool, what: &str) -> String {
    if good {
        format!("  {} {what}\n", style::good("✓"))
    } else {
        format!("  {} {what}\n", style::bad("✗"))
    }
}

/// What helps to understand the rest.
fn facts(text: &mut String) {
    let uname = rustix::system::uname();
    let user = rustix::process::geteuid().as_raw();
    let may = if may_unshare_without_user_namespace() {
        ", with CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW: no user namespace is needed"
    } else {
        ""
    };
    text.push_str(&format!(
        "netlab-capture {}, {} {} {}, user {user}{may}\n",
        env!("CARGO_PKG_VERSION"),
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
        uname.machine().to_string_lossy(),
    ));
    for (path, name) in [
        (
            "/proc/sys/user/max_user_namespaces",
            "user.max_user_namespaces",
        ),
        (
            "/proc/sys/kernel/unprivileged_userns_clone",
            "kernel.unprivileged_userns_clone",
        ),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "kernel.apparmor_restrict_unprivileged_userns",
        ),
    ] {
        if let Ok(value) = std::fs::read_to_string(path) {
            text.push_str(&format!("{name} = {}\n", value.trim()));
        }
    }
}

/// Makes the run and lists its steps. True: all went well.
fn walk(probe: &Scenario, host: bool, skip_user: bool, text: &mut String) -> bool {
    let wishes = Wishes {
        ipv6: false,
        address: None,
        host,
        timeout: None,
        snaplen: WHOLE_PACKETS,
        this_binary: std::env::current_exe().unwrap_or_default(),
    };
    let steps = if host { HOST } else { PRIVATE };
    let user_steps = [
        Step::UserNamespace,
        Step::SetGroups,
        Step::UidMap,
        Step::GidMap,
    ];
    let steps: Vec<Step> = steps
        .iter()
        .copied()
        .filter(|step| !(skip_user && user_steps.contains(step)))
        .collect();
    let mut savefile = match tempfile() {
        Ok(file) => file,
        Err(error) => {
            text.push_str(&mark(false, &format!("open a temporary file: {error}")));
            return false;
        }
    };
    let launched = savefile.try_clone().and_then(|file| {
        Recorder::launch(
            &plan(probe, None, &wishes),
            RecordedScenario::default(),
            file,
            true,
        )
    });
    let mut done = Vec::new();
    let result = match launched {
        Ok(recorder) => recorder.follow(|step| done.push(step)).0,
        Err(error) => Err(EnvironmentError::new(Step::Fork, &error).into()),
    };
    for step in &steps {
        if done.contains(step) {
            text.push_str(&mark(true, step.describe()));
        }
    }
    match result {
        Ok(()) => {
            for step in steps.iter().filter(|step| !done.contains(step)) {
                text.push_str(&format!(
                    "  - {}: forbidden here, done without\n",
                    step.describe()
                ));
            }
            show_proof(&mut savefile, host, text)
        }
        Err(RecordError::Environment(error)) => {
            text.push_str(&mark(
                false,
                &format!("{}: {}", error.step.describe(), error.cause),
            ));
            for way in &error.ways_out {
                if !way.contains("doctor` tries") {
                    text.push_str(&format!("      {way}\n"));
                }
            }
            for step in steps
                .iter()
                .filter(|s| !done.contains(s) && **s != error.step)
            {
                text.push_str(&format!("  - {} (not tried)\n", step.describe()));
            }
            false
        }
        Err(RecordError::Internal(message)) => {
            text.push_str(&mark(false, &message));
            false
        }
    }
}

fn show_proof(savefile: &mut File, host: bool, text: &mut String) -> bool {
    let Some((packets, recording)) = read_back(savefile) else {
        text.push_str(&mark(false, "read the capture file back"));
        return false;
    };
    let proof = &recording.proof;
    // On the machine's own loopback others' packets may pass the filter too.
    let expected = if host { packets >= 2 } else { packets == 2 };
    text.push_str(&mark(
        expected,
        &format!("a refused connection is {packets} packets (SYN and RST,ACK)"),
    ));
    text.push_str(&mark(
        proof.is_complete(),
        &format!(
            "the capture is proven complete: canaries {}, interface's counter {}, dropped {}",
            if proof.opening && proof.closing {
                "seen"
            } else {
                "missed"
            },
            match proof.interface_counter {
                Some(true) => "agrees",
                Some(false) => "differs",
                None => "is no witness here",
            },
            proof.dropped,
        ),
    ));
    text.push_str(&mark(proof.owners, "the owner of every socket is known"));
    expected && proof.is_complete() && proof.owners
}

fn read_back(savefile: &mut File) -> Option<(u64, Recording)> {
    use std::io::Seek as _;
    savefile.flush().ok()?;
    savefile.rewind().ok()?;
    let mut reader = Reader::new(savefile, "doctor").ok()?;
    while reader.next_frame().ok()?.is_some() {}
    let (info, recording) = reader.finish();
    Some((info.packets, recording?))
}

/// A file that has no name and is gone when it is closed.
fn tempfile() -> std::io::Result<File> {
    let fd = rustix::fs::memfd_create("netlab-capture-doctor", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(fd.into())
}

fn apparmor_profile() -> String {
    let binary = std::env::current_exe()
        .unwrap_or_else(|_| Path::new("/usr/local/bin/netlab-capture").into());
    let binary = binary.display();
    format!(
        "# Save this as /etc/apparmor.d/netlab-capture, then: sudo apparmor_parser -r /etc/apparmor.d/netlab-capture\nabi <abi/4.0>,\ninclude <tunables/global>\n\nprofile netlab-capture {binary} flags=(unconfined) {{\n  userns,\n  include if exists <local/netlab-capture>\n}}\n"
    )
}
