//! A file that is looked at in place, mapped into memory by whoever may touch
//! files: bytes that nobody asks for are never copied.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

/// Some bytes of a file.
pub trait Window: Debug + Send + Sync {
    fn bytes(&self) -> &[u8];

    /// Were some of its bytes found to be no longer there (the file was cut short
    /// meanwhile, or cannot be read there)?
    fn is_lost(&self) -> bool {
        false
    }
}

/// A file, window by window.
pub trait Windows: Send {
    /// The `len` bytes from `offset` on; fewer where the file ends before.
    fn window(&mut self, offset: u64, len: usize) -> io::Result<Box<dyn Window>>;

    /// All of the file, as long as it is now, of which little will be looked at.
    fn whole(&mut self) -> io::Result<Arc<dyn Window>>;

    /// Where bytes that were in a window are no longer there (the file was cut
    /// short meanwhile, or cannot be read there): from where on. What the
    /// windows showed behind it were no bytes of the file.
    fn lost(&mut self) -> io::Result<Option<u64>>;
}
