//! Mapped files: the system calls that no safe wrapper offers, each with its
//! reason, and what happens where a mapped page is gone.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Where in a file bytes were found to be gone.
#[derive(Debug)]
pub struct Lost(AtomicU64);

impl Default for Lost {
    fn default() -> Lost {
        Lost(AtomicU64::new(u64::MAX))
    }
}

impl Lost {
    /// The first page of which that is known.
    pub fn at(&self) -> Option<u64> {
        let at = self.0.load(Ordering::Acquire);
        (at != u64::MAX).then_some(at)
    }
}

/// Some pages of a file, mapped for reading: some at a time, where they are looked at.
/// (All at once, `MAP_POPULATE`, costs more, as the kernel then looks up each of them.)
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    len: usize,
    place: &'static Place,
    /// The signal handler writes to it as long as the mapping has its place.
    _lost: Arc<Lost>,
}

// SAFETY: the pages belong to the mapping alone, are only read, and can be
// unmapped on any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above; nothing of it changes but in the signal handler, by atomic
// operations.
unsafe impl Sync for Mapping {}

/// What the signal handler knows of a mapping. Free while `end` is 0.
#[derive(Debug)]
struct Place {
    taken: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
    /// Of `start` in the file.
    offset: AtomicU64,
    lost: AtomicPtr<Lost>,
}

/// More than there are threads that look at a file.
static PLACES: [Place; 64] = [const {
    Place {
        taken: AtomicUsize::new(0),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        offset: AtomicU64::new(0),
        lost: AtomicPtr::new(null_mut()),
    }
}; 64];

/// What was done on SIGBUS before.
static BEFORE: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// Bytes of a page.
pub fn page_size() -> usize {
    // SAFETY: sysconf has no precondition.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

impl Mapping {
    /// The `len` bytes, at least one, from `offset` on, which is a multiple of
    /// the page's size.
    pub fn new(file: &File, offset: u64, len: usize, lost: &Arc<Lost>) -> io::Result<Mapping> {
        watch()?;
        let place = PLACES
            .iter()
            .find(|place| place.taken.swap(1, Ordering::AcqRel) == 0)
            .ok_or_else(|| io::Error::other("too many mappings"))?;
        let free = |error| {
            place.taken.store(0, Ordering::Release);
            error
        };
        let at = libc::off_t::try_from(offset).map_err(|error| free(io::Error::other(error)))?;
        // SAFETY: the kernel chooses an address where nothing is. Others may
        // write to the file meanwhile: what is read are plain bytes, all of
        // whose values are good.
        let start = unsafe {
            libc::mmap(
                null_mut(),
                len,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                at,
            )
        };
        let start = match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => start,
            _ => return Err(free(io::Error::last_os_error())),
        };
        let address = start.as_ptr() as usize;
        place.start.store(address, Ordering::Relaxed);
        place.offset.store(offset, Ordering::Relaxed);
        place
            .lost
            .store(Arc::as_ptr(lost).cast_mut(), Ordering::Relaxed);
        // From here on the handler looks at it.
        place.end.store(address + len, Ordering::Release);
        Ok(Mapping {
            start,
            len,
            place,
            _lost: lost.clone(),
        })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: so many bytes are mapped from there, until the mapping is
        // dropped; where the file has none, the signal handler maps zeros.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.place.end.store(0, Ordering::Release);
        // SAFETY: these pages were mapped by this mapping, and nobody has a
        // reference to them: they all borrow from it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        self.place.taken.store(0, Ordering::Release);
    }
}

/// From now on a page of a mapping that is gone reads as zeros.
fn watch() -> io::Result<()> {
    let before = BEFORE.get_or_init(|| {
        let mut before = MaybeUninit::zeroed();
        // SAFETY: a sigaction of zeros is a valid value; the handler has the
        // signature that SA_SIGINFO asks for; `before` is written by the call
        // where it succeeds, and valid zeros else.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                page_is_gone;
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            let result = libc::sigaction(libc::SIGBUS, &action, before.as_mut_ptr());
            (result == 0).then(|| before.assume_init())
        }
    });
    match before {
        Some(_) => Ok(()),
        None => Err(io::Error::other("SIGBUS cannot be caught")),
    }
}

/// Puts zeros where a page of a mapping is gone, to the mapping's end, and
/// notes it. Allocates nothing, takes no lock, and calls nothing but the system.
extern "C" fn page_is_gone(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid siginfo_t to a handler with SA_SIGINFO,
    // and SIGBUS has the address in it.
    let address = unsafe { (*info).si_addr() } as usize;
    for place in &PLACES {
        let end = place.end.load(Ordering::Acquire);
        let start = place.start.load(Ordering::Relaxed);
        if !(start..end).contains(&address) {
            continue;
        }
        let from = address - (address - start) % page_size();
        // SAFETY: __errno_location has no precondition; these pages belong to
        // a mapping that is in use, as the thread that was interrupted looks
        // at it, and stay mapped.
        let zeros = unsafe {
            let errno = *libc::__errno_location();
            let zeros = libc::mmap(
                from as *mut libc::c_void,
                end - from,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            );
            *libc::__errno_location() = errno;
            zeros
        };
        // SAFETY: the mapping holds what this points to while its end is there.
        let lost = unsafe { place.lost.load(Ordering::Relaxed).as_ref() };
        if zeros != libc::MAP_FAILED
            && let Some(lost) = lost
        {
            let at = place.offset.load(Ordering::Relaxed) + (from - start) as u64;
            lost.0.fetch_min(at, Ordering::AcqRel);
            return;
        }
    }
    // None of ours: the instruction is tried again, and meets what was done
    // before.
    if let Some(Some(before)) = BEFORE.get() {
        // SAFETY: `before` is what the system said was there.
        unsafe { libc::sigaction(libc::SIGBUS, before, ptr::null_mut()) };
    }
}
