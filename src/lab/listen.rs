//! What the servers share: to listen, to say so, to accept, to end.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::error::{cause, tell};
use super::{Address, LabError};

/// How a server says that it is ready.
#[derive(Clone, Copy, Debug)]
pub struct Announce {
    /// The textbook's line, on stdout.
    pub line: &'static str,
    /// The program's name, for the line on stderr that tells the port which the
    /// system chose for port 0.
    pub program: &'static str,
}

impl Announce {
    /// Says that the socket is open.
    pub(super) fn ready(&self, asked: &Address, bound: SocketAddr) -> Result<(), LabError> {
        if asked.port == 0 {
            tell(format_args!(
                "{}: listening on {} port {}",
                self.program,
                bound.ip(),
                bound.port()
            ));
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{}", self.line)
            .and_then(|()| out.flush())
            .map_err(|error| LabError::output(&error))
    }
}

/// A listening TCP socket, announced. `SO_REUSEADDR` is set by the standard
/// library, so that connections in TIME_WAIT do not block a re-run.
pub(super) fn listen(address: &Address, announce: &Announce) -> Result<TcpListener, LabError> {
    let failed = |error: &io::Error| LabError::listen(address, error);
    let listener = TcpListener::bind(address.resolve()?).map_err(|error| failed(&error))?;
    let bound = listener.local_addr().map_err(|error| failed(&error))?;
    announce.ready(address, bound)?;
    Ok(listener)
}

/// The next connection. A connection that failed while it waited is the
/// client's trouble; a shortage of descriptors or memory passes.
pub(super) fn accept(listener: &TcpListener, program: &str) -> TcpStream {
    loop {
        match listener.accept() {
            Ok((connection, _)) => return connection,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                tell(format_args!(
                    "{program}: cannot accept a connection: {}",
                    cause(&error)
                ));
                // The connection still waits: at once it would fail again. Nothing
                // depends on how long this is.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Reads and throws away what the client still sends until it closes, for
/// `longest` at most. To close a socket that holds unread bytes makes the
/// kernel send RST, and the client may then lose the end of the reply.
pub(super) fn drain(connection: &mut TcpStream, longest: Duration) {
    let deadline = Instant::now() + longest;
    let mut waste = [0; 16 * 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || connection.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match connection.read(&mut waste) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Whether a read ended because its time was over.
pub(super) fn timed_out(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// From here on Ctrl-C (SIGINT) and SIGTERM end the process with code 0: to be
/// ended so is how a server that serves for ever succeeds. Lines are written
/// whole, so none is cut.
///
/// # Errors
/// The system refuses the handler.
pub fn end_on_signals() -> Result<(), LabError> {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let always = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 0, always.clone())
                .map_err(|error| LabError::Signals(cause(&error)))?;
        }
    }
    Ok(())
}
