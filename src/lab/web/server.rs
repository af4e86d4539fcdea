//! Accepts connections and serves each in a thread of its own.

use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::connection::Connection;
use super::site::Site;
use crate::lab::error::{cause, tell};
use crate::lab::listen::{accept, listen};
use crate::lab::{Address, Announce, LabError};

/// The most connections at once. Further ones wait in the kernel's queue until
/// one ends.
const MOST_CONNECTIONS: usize = 256;
const STACK: usize = 256 * 1024;

/// How the server behaves.
#[derive(Debug)]
pub struct Settings {
    pub site: Site,
    /// How long a client may take for a request, or be silent between two.
    pub timeout: Duration,
}

/// Serves for ever.
///
/// # Errors
/// The address cannot be used.
pub fn serve(
    address: &Address,
    announce: &Announce,
    settings: Settings,
) -> Result<Infallible, LabError> {
    let listener = listen(address, announce)?;
    let settings = Arc::new(settings);
    let places = Arc::new(Places::default());
    loop {
        let place = Places::take(&places);
        let connection = accept(&listener, announce.program);
        let settings = Arc::clone(&settings);
        let thread = thread::Builder::new().stack_size(STACK).spawn(move || {
            let _place = place;
            // A client that goes away in the middle is no event for a server.
            let _ = Connection::new(connection, &settings.site, settings.timeout).serve();
        });
        if let Err(error) = thread {
            tell(format_args!(
                "{}: a connection was closed, there is no thread for it: {}",
                announce.program,
                cause(&error)
            ));
        }
    }
}

/// How many connections are served now.
#[derive(Debug, Default)]
struct Places {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// One connection's place, free again when this is dropped.
struct Place(Arc<Places>);

impl Places {
    /// Waits until there is a place.
    fn take(this: &Arc<Self>) -> Place {
        let taken = this.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = this
            .freed
            .wait_while(taken, |taken| *taken >= MOST_CONNECTIONS)
            .unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Place(Arc::clone(this))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(1);
        self.0.freed.notify_one();
    }
}
