//! Where the subcommands' text goes.

use std::borrow::Cow;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::ops::ControlFlow;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};

use super::Exit;
use crate::render::text::{ascii, visible};

/// Bytes that are written at a time.
const BUFFER: usize = 64 << 10;

/// Writes text to standard output, without its colours where no terminal reads
/// or `NO_COLOR` is set.
pub(super) fn print(text: &str) -> Exit {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => print_bytes(strip_str(text).to_string().as_bytes()),
        _ => print_bytes(text.as_bytes()),
    }
}

/// Writes to standard output what a program will read, as it is.
pub(super) fn print_bytes(bytes: &[u8]) -> Exit {
    print_with(|out| out.write_all(bytes))
}

/// As [`print_bytes`], what is made while it is written. A reader that has gone away
/// (`| head`) is no failure; a full disk is one of the environment.
pub(super) fn print_with(
    write: impl FnOnce(&mut BufWriter<StdoutLock<'_>>) -> io::Result<()>,
) -> Exit {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Exit::Passed,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Passed,
        Err(error) => cannot_write(&error),
    }
}

/// A system's error in its own words, without Rust's ` (os error 2)`.
pub(super) fn without_number(text: &str) -> &str {
    match text.rfind(" (os error ") {
        Some(at) if text.ends_with(')') => text.get(..at).unwrap_or(text),
        _ => text,
    }
}

/// Does standard output show colours?
pub(super) fn color() -> bool {
    !matches!(AutoStream::choice(&io::stdout()), ColorChoice::Never)
}

/// Standard output, for what is written piece by piece.
#[derive(Debug, Default)]
pub(super) struct Stdout {
    /// How writing ended, where it did: with a reader that has gone away, or
    /// with an error that was told.
    broken: Option<Exit>,
}

impl Stdout {
    /// Writes what the buffer holds, and empties it. Break: nothing more can be
    /// written.
    pub fn write_out(&mut self, buffer: &mut Vec<u8>) -> ControlFlow<()> {
        let flow = self.write(buffer);
        buffer.clear();
        flow
    }

    /// Writes bytes. Break: nothing more can be written.
    pub fn write(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.broken.is_none() && !bytes.is_empty() {
            let mut out = io::stdout().lock();
            match out.write_all(bytes).and_then(|()| out.flush()) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    self.broken = Some(Exit::Passed);
                }
                Err(error) => self.broken = Some(cannot_write(&error)),
            }
        }
        match self.broken {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    pub fn exit(&self) -> Exit {
        self.broken.unwrap_or(Exit::Passed)
    }
}

fn cannot_write(error: &io::Error) -> Exit {
    tell(&format!("cannot write to standard output: {error}"));
    Exit::Environment
}

/// Tells something on a line of standard error. File names and whatever else is in
/// it do nothing to the terminal.
pub(super) fn tell(message: &str) {
    complain(&format!("netlab-capture: {}\n", visible(message)));
}

/// Writes to standard error; nobody is left to tell that it cannot. Colours
/// are left out where no terminal reads, or `NO_COLOR` is set.
pub(super) fn complain(text: &str) {
    let text = in_charset(text);
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// The text in the locale's characters.
pub(super) fn in_charset(text: &str) -> Cow<'_, str> {
    match unicode() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(ascii(text)),
    }
}

/// Has the locale all characters? One that is named and has no UTF-8 gets ASCII.
pub(super) fn unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// The columns of the terminal that standard error goes to; 80 where it goes
/// elsewhere.
pub(super) fn columns() -> usize {
    columns_of(&io::stderr()).unwrap_or(80)
}

/// The columns of the terminal that a stream goes to, if it does.
#[cfg(all(feature = "record", target_os = "linux"))]
pub(super) fn columns_of(stream: &impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

#[cfg(not(all(feature = "record", target_os = "linux")))]
pub(super) fn columns_of<T>(_stream: &T) -> Option<usize> {
    None
}
