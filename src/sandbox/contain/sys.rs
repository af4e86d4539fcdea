//! The system calls of containment that no safe wrapper offers, each with its
//! reason.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::identity::Identity;
use super::view::View;

fn check(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Makes a mount and all below it read-only and without setuid programs. It only
/// ever takes rights away, so it is allowed in a user namespace as well.
pub(super) fn make_read_only(tree: BorrowedFd<'_>) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the kernel reads `attributes`, whose size is given, and an empty
    // string, during the call only.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })
}

/// In the child, before its powers go: its limits, and the view as its root. What
/// was mounted before is out of reach afterwards. It allocates nothing.
pub(in crate::sandbox) fn enter(view: &View) -> io::Result<()> {
    const HERE: &CStr = c".";
    for (resource, limit) in view.limits {
        // SAFETY: the kernel writes, then reads, one rlimit on this stack.
        unsafe {
            let mut bound: libc::rlimit = std::mem::zeroed();
            check(libc::getrlimit(resource, &raw mut bound).into())?;
            // What is tighter already stays so.
            bound.rlim_max = bound.rlim_max.min(limit);
            bound.rlim_cur = bound.rlim_max;
            check(libc::setrlimit(resource, &raw const bound).into())?;
        }
    }
    // SAFETY: system calls with NUL-terminated strings that outlive them. Between
    // fork and exec this process has one thread, and no descriptor of it is closed.
    unsafe {
        check(libc::unshare(libc::CLONE_NEWNS).into())?;
        check(libc::chdir(view.root.as_ptr()).into())?;
        // The old root comes to lie on top of the new one, and is taken off.
        check(libc::syscall(
            libc::SYS_pivot_root,
            HERE.as_ptr(),
            HERE.as_ptr(),
        ))?;
        check(libc::umount2(HERE.as_ptr(), libc::MNT_DETACH).into())?;
        check(libc::chdir(view.folder.as_ptr()).into())?;
    }
    Ok(())
}

/// In the child: from here on it is nobody in particular. Its capabilities last
/// until exec, as it must still set up its filters.
pub(in crate::sandbox) fn become_nobody(identity: Identity) -> io::Result<()> {
    if !identity.lent {
        return Ok(());
    }
    let (uid, gid) = (identity.uid.as_raw(), identity.gid.as_raw());
    // The system calls themselves: libc's functions would stop other threads,
    // which a forked child does not have.
    // SAFETY: integers only; an empty list of groups is not looked at.
    unsafe {
        check(libc::syscall(
            libc::SYS_setgroups,
            0,
            std::ptr::null::<libc::gid_t>(),
        ))?;
        check(libc::syscall(libc::SYS_setresgid, gid, gid, gid))?;
        check(libc::syscall(libc::SYS_setresuid, uid, uid, uid))
    }
}

/// While it lives, the calling thread looks at files and processes as another
/// user.
pub(in crate::sandbox) struct LookingAs {
    own: libc::uid_t,
    own_group: libc::gid_t,
}

impl LookingAs {
    pub fn start(uid: u32, gid: u32) -> LookingAs {
        // SAFETY: integers only. Of the calling thread alone, which is what is
        // wanted. The group first: afterwards it might not be allowed.
        unsafe {
            let own_group = libc::setfsgid(gid);
            let own = libc::setfsuid(uid);
            LookingAs {
                own: own.unsigned_abs(),
                own_group: own_group.unsigned_abs(),
            }
        }
    }
}

impl Drop for LookingAs {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe {
            libc::setfsuid(self.own);
            libc::setfsgid(self.own_group);
        }
    }
}
