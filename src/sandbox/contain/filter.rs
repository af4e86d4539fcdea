//! The system calls that a contained program is refused.
//!
//! A list of what is refused, not of what is allowed: the programs are of every
//! language. It names what looks into other processes, what changes the view of
//! the file system, what makes new namespaces (and so new powers), the kernel's
//! keyring, and calls that by their nature reach deep into the kernel. Memory that
//! is neither a process's own nor in a bounded folder is refused as well.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Answered with EPERM, as a system that forbids them does.
const FORBIDDEN: &[i64] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_fanotify_init,
    // The keyring, which no namespace divides.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Deep in the kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // Memory that no limit counts.
    libc::SYS_shmget,
    libc::SYS_memfd_create,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_memfd_secret,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// Filters of a contained program, ready to be applied.
#[derive(Debug)]
pub struct Filters {
    programs: [BpfProgram; 2],
}

impl Filters {
    pub fn build() -> io::Result<Filters> {
        let mut forbidden: BTreeMap<i64, Vec<SeccompRule>> =
            FORBIDDEN.iter().map(|call| (*call, Vec::new())).collect();
        // A user namespace of its own would give it powers over the rest.
        let new_user = libc::CLONE_NEWUSER as u64;
        let condition = SeccompCondition::new(
            0,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::MaskedEq(new_user),
            new_user,
        )
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(io::Error::other)?;
        forbidden.insert(libc::SYS_clone, vec![condition]);
        // The flags of clone3 are in memory, where no filter can see them:
        // libraries take clone where there is no clone3.
        let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
        Ok(Filters {
            programs: [
                compile(forbidden, libc::EPERM)?,
                compile(absent, libc::ENOSYS)?,
            ],
        })
    }

    /// Applies the filters to the calling thread for good. It allocates nothing.
    pub fn apply(&self) -> io::Result<()> {
        for program in &self.programs {
            seccompiler::apply_filter(program).map_err(|_| io::Error::last_os_error())?;
        }
        Ok(())
    }
}

/// What is called through another system call table than the processor's own ends
/// its program: the numbers mean other calls there.
fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> io::Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        arch,
    )
    .map_err(io::Error::other)?;
    BpfProgram::try_from(filter).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_can_be_built() {
        let filters = Filters::build().unwrap();
        assert!(filters.programs.iter().all(|program| !program.is_empty()));
    }
}
