//! The system calls of the capture that no safe wrapper offers.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// Leaves the outgoing copy of each packet out of a packet socket.
pub fn ignore_outgoing(socket: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the kernel reads one int, whose address and size are given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_IGNORE_OUTGOING,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The descriptor of something that owns it but cannot lend it.
pub fn borrow<T>(descriptor: RawFd, _owner: &T) -> BorrowedFd<'_> {
    // SAFETY: the owner keeps the descriptor open for as long as the borrow.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}
