//! Plans of a class: a case with the submission in its roles, or a build.

use std::path::{Path, PathBuf};

use super::load::Ready;
use crate::cli::load::Loaded;
use crate::cli::record::plan::{Wishes, plan};
use crate::grade::Suite;
use crate::sandbox::{Containment, Limits, Plan, Streams};

/// The role of a build, and the name of its recording.
pub const BUILD: &str = "build";

/// What programs of this suite may use.
pub fn limits(suite: &Suite) -> Limits {
    let usual = Limits::default();
    let own = &suite.limits;
    Limits {
        memory: own.memory.unwrap_or(usual.memory),
        processes: own.processes.unwrap_or(usual.processes),
        files: own.files.unwrap_or(usual.files),
        scratch: own.scratch.unwrap_or(usual.scratch),
        cpu: own.cpu.unwrap_or(usual.cpu),
    }
}

/// One case. `loaded` has the submission's commands in it already; `roles` are the
/// submission's.
pub fn case(
    ready: &Ready,
    loaded: &Loaded,
    roles: &[&str],
    folder: &Path,
    wishes: &Wishes,
) -> Plan {
    let mut plan = plan(&loaded.scenario, loaded.base_dir.as_deref(), wishes);
    let mut containment = Containment {
        limits: limits(&ready.suite),
        readable: ready.readable.clone(),
        ..Containment::default()
    };
    for program in &mut plan.programs {
        let folders: Vec<PathBuf> = if roles.contains(&program.role.as_str()) {
            program.env.extend(ready.suite.env.clone());
            let overlay = ready.overlay.iter().cloned();
            std::iter::once(folder.to_path_buf())
                .chain(overlay)
                .collect()
        } else {
            // The author's own: its folder by the scenario, else by the suite.
            let own = program.cwd.clone().or_else(|| ready.reference.clone());
            own.into_iter().collect()
        };
        containment.folders.insert(program.role.clone(), folders);
    }
    plan.containment = Some(containment);
    plan
}

/// A submission's build, which leaves what it made in `to`.
pub fn build(ready: &Ready, words: &[String], folder: &Path, to: &Path) -> Plan {
    let timeout = ready.suite.build_timeout;
    let overlay = ready.overlay.iter().cloned();
    let folders = std::iter::once(folder.to_path_buf())
        .chain(overlay)
        .collect();
    let argv = words.iter().map(Into::into).collect();
    let mut plan = Plan::of_command(BUILD, argv, Streams::Kept, timeout);
    for program in &mut plan.programs {
        program.env = ready.suite.env.clone();
    }
    Plan {
        containment: Some(Containment {
            limits: limits(&ready.suite),
            readable: ready.readable.clone(),
            folders: [(BUILD.to_owned(), folders)].into(),
            export: Some((BUILD.to_owned(), to.to_path_buf())),
        }),
        ..plan
    }
}
