//! Where the subcommands' text goes.

use std::io::{self, Write};

use super::Exit;

/// Writes to standard output. A reader that has gone away (`| head`) is no
/// failure; a full disk is one of the environment.
pub(super) fn print(text: &str) -> Exit {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Passed,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Passed,
        Err(error) => {
            complain(&format!(
                "netlab-capture: cannot write to standard output: {error}\n"
            ));
            Exit::Environment
        }
    }
}

/// Writes to standard error; nobody is left to tell that it cannot. Colours
/// are left out where no terminal reads, or `NO_COLOR` is set.
pub(super) fn complain(text: &str) {
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// The columns of the terminal that standard error goes to; 80 where it goes
/// elsewhere.
pub(super) fn columns() -> usize {
    terminal_columns().filter(|n| *n > 0).unwrap_or(80)
}

#[cfg(all(feature = "record", target_os = "linux"))]
fn terminal_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    Some(size.ws_col.into())
}

#[cfg(not(all(feature = "record", target_os = "linux")))]
fn terminal_columns() -> Option<usize> {
    None
}
