//! The steps by which a program, forked but not yet executed, locks itself in.

use std::io;
use std::sync::Arc;

use landlock::{CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreated, Scope};

use super::sys;
use super::view::View;

/// What one start of a program needs.
pub(in crate::sandbox) struct Cell {
    view: Arc<View>,
    /// Programs of different cells cannot signal or trace each other, though they
    /// are of the same user (Linux 6.12; older kernels: empty).
    domain: Option<RulesetCreated>,
}

impl Cell {
    pub fn new(view: Arc<View>) -> io::Result<Cell> {
        let domain = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .scope(Scope::Signal)
            .and_then(Ruleset::create)
            .map_err(io::Error::other)?;
        Ok(Cell {
            view,
            domain: Some(domain),
        })
    }

    /// First, with all powers: limits, and its own root. Allocates nothing.
    pub fn enter(&self) -> io::Result<()> {
        sys::enter(&self.view)
    }

    /// Then it becomes its own user.
    pub fn take_identity(&self) -> io::Result<()> {
        sys::become_nobody(self.view.identity)
    }

    /// At last, under no_new_privs, what it may ask for. Allocates nothing.
    pub fn seal(&mut self) -> io::Result<()> {
        if let Some(domain) = self.domain.take() {
            domain
                .restrict_self()
                .map_err(|_| io::Error::last_os_error())?;
        }
        self.view.filters.apply()
    }
}
