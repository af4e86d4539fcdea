//! Files that an output makes anew. It takes the place of whatever was there but
//! of a capture: `--html *.pcap` gives it the first of them for its name.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::Exit;
use crate::savefile;

/// Creates a file for what is no capture.
pub(super) fn create(path: &Path) -> io::Result<File> {
    spare(path)?;
    File::create(path)
}

/// Fails where a capture would be lost.
pub(super) fn spare(path: &Path) -> io::Result<()> {
    // Of what is no file (a pipe) reading would take something away. What cannot
    // be read is left to who writes it.
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    match is_file && File::open(path).is_ok_and(savefile::is_capture) {
        true => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "it is a capture, which would be lost: name another file for the output, or remove \
             this one first",
        )),
        false => Ok(()),
    }
}

/// What it means that a file cannot be written.
pub(super) fn exit(error: &io::Error) -> Exit {
    match error.kind() {
        ErrorKind::AlreadyExists => Exit::Usage,
        _ => Exit::Environment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_not_overwritten_whatever_it_is_packed_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let pcap = b"\xd4\xc3\xb2\xa1\x02\0\x04\0";
        let pcapng = b"\x0a\x0d\x0d\x0a\x1c\0\0\0";
        // The four bytes of the magic, as they are within one block.
        let zstd = b"\x28\xb5\x2f\xfd\x20\x04\x21\0\0\xd4\xc3\xb2\xa1";
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x04\0\xfb\xff\xd4\xc3\xb2\xa1";
        for capture in [&pcap[..], &pcapng[..], &zstd[..], &gzip[..]] {
            std::fs::write(&path, capture).unwrap();
            let error = create(&path).unwrap_err();
            assert_eq!(exit(&error), Exit::Usage, "{capture:x?}");
            assert_eq!(std::fs::read(&path).unwrap(), capture);
        }
        for other in [&b""[..], b"<!doctype html>", b"\xd4\xc3"] {
            std::fs::write(&path, other).unwrap();
            assert!(create(&path).is_ok(), "{other:x?}");
        }
        assert!(create(&folder.path().join("new")).is_ok());
    }
}
