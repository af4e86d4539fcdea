//! What the command line says of containment.

use std::path::PathBuf;

use crate::sandbox::{Containment, Limits, Plan};

/// Of programs that are not to be trusted.
#[derive(Clone, Debug, clap::Args)]
pub struct ContainArgs {
    /// Hold the programs as `grade` does: no sight of your files but a copy of
    /// their folder, limits on memory, processes, files and time
    #[arg(long, help_heading = "Containment")]
    contain: bool,
    /// A file or folder that contained programs may read: a tool chain outside of
    /// /usr
    #[arg(
        long,
        value_name = "PATH",
        requires = "contain",
        help_heading = "Containment"
    )]
    readable: Vec<PathBuf>,
    /// Memory that each contained program may use, with all that it forks: 500M, 2G
    #[arg(long, value_name = "BYTES", value_parser = bytes, requires = "contain", help_heading = "Containment")]
    memory: Option<u64>,
    /// What each contained program may leave on the disk, its own folder included
    #[arg(long, value_name = "BYTES", value_parser = bytes, requires = "contain", help_heading = "Containment")]
    scratch: Option<u64>,
}

fn bytes(text: &str) -> Result<u64, String> {
    crate::scenario::parse_bytes(text).map_err(|wrong| wrong.message)
}

impl ContainArgs {
    /// Contains a plan's programs, if that was asked for. Each gets a copy of the
    /// folder that it would have been started in.
    pub fn apply(&self, plan: &mut Plan) -> std::io::Result<()> {
        if !self.contain {
            return Ok(());
        }
        let usual = Limits::default();
        let mut containment = Containment {
            limits: Limits {
                memory: self.memory.unwrap_or(usual.memory),
                scratch: self.scratch.unwrap_or(usual.scratch),
                ..usual
            },
            readable: absolute(&self.readable)?,
            ..Containment::default()
        };
        let here = std::env::current_dir()?;
        // The lab's own programs are in no folder.
        for program in plan.programs.iter().filter(|p| p.executable.is_none()) {
            let folder = program
                .cwd
                .as_ref()
                .map_or(here.clone(), |cwd| here.join(cwd));
            containment
                .folders
                .insert(program.role.clone(), vec![folder]);
        }
        plan.containment = Some(containment);
        Ok(())
    }
}

/// Paths as they are known from everywhere.
pub fn absolute(paths: &[PathBuf]) -> std::io::Result<Vec<PathBuf>> {
    paths.iter().map(std::path::absolute).collect()
}
