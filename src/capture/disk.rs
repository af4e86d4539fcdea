//! From the capture thread to the disk without making it wait: frames are
//! gathered in buffers whose memory was touched beforehand, and a thread of its
//! own writes them.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One buffer, and how many there are: 2 MiB for what the disk has not taken.
const CHUNK: usize = 256 * 1024;
const CHUNKS: usize = 8;

/// The first error of the disk; what came before it is in the file.
pub type DiskFault = Arc<Mutex<Option<io::Error>>>;

/// The writing end. `flush` hands over what was gathered: callers flush only
/// between records, so that the file is cut between records when the disk fails.
pub struct Chunks {
    current: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
}

/// The thread that writes.
pub struct Disk {
    thread: JoinHandle<()>,
    pub fault: DiskFault,
}

/// Starts the writing thread for a file.
pub fn start(file: File) -> io::Result<(Chunks, Disk)> {
    let (full, filled) = sync_channel::<Vec<u8>>(CHUNKS);
    let (give_back, empty) = channel();
    for _ in 0..CHUNKS {
        // Every page is touched now, not while packets arrive.
        let mut chunk = vec![1u8; CHUNK];
        chunk.clear();
        let _ = give_back.send(chunk);
    }
    let fault: DiskFault = Arc::default();
    let told = Arc::clone(&fault);
    let thread = std::thread::Builder::new()
        .name("disk".into())
        .spawn(move || write_all(file, &filled, &give_back, &told))?;
    let current = empty.recv().unwrap_or_default();
    Ok((
        Chunks {
            current,
            full,
            empty,
        },
        Disk { thread, fault },
    ))
}

impl Disk {
    /// Waits until everything handed over is written. The [`Chunks`] must have
    /// been dropped.
    pub fn finish(self) -> Result<(), io::Error> {
        let _ = self.thread.join();
        match self.fault.lock().map(|mut fault| fault.take()) {
            Ok(Some(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.current.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.current.is_empty() {
            return Ok(());
        }
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        // Where the disk is far behind, this waits: the ring then fills, and
        // what it loses is counted and reported.
        let next = self.empty.recv().map_err(|_| gone())?;
        let chunk = std::mem::replace(&mut self.current, next);
        self.full.send(chunk).map_err(|_| gone())
    }
}

impl Chunks {
    /// Enough is gathered to be worth a write.
    pub fn is_enough(gathered: usize) -> bool {
        gathered >= CHUNK * 3 / 4
    }
}

fn write_all(
    mut file: File,
    filled: &Receiver<Vec<u8>>,
    give_back: &Sender<Vec<u8>>,
    fault: &DiskFault,
) {
    let mut written = 0u64;
    let mut failed = false;
    for mut chunk in filled {
        if !failed {
            match file.write_all(&chunk) {
                Ok(()) => written += chunk.len() as u64,
                Err(error) => {
                    failed = true;
                    // A record that was written in part would look like damage.
                    let _ = file.set_len(written);
                    let _ = file.seek(io::SeekFrom::Start(written));
                    if let Ok(mut slot) = fault.lock() {
                        slot.get_or_insert(error);
                    }
                }
            }
        }
        chunk.clear();
        // One frame larger than a chunk must not make all chunks large for good.
        chunk.shrink_to(CHUNK);
        // Nobody takes it back once the capture has ended; what is still queued
        // is written all the same.
        let _ = give_back.send(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (mut chunks, disk) = start(file.reopen().unwrap()).unwrap();
        let mut expected = Vec::new();
        for i in 0..100u8 {
            let record = vec![i; 40_000];
            chunks.write_all(&record).unwrap();
            chunks.flush().unwrap();
            expected.extend_from_slice(&record);
        }
        drop(chunks);
        disk.finish().unwrap();
        assert_eq!(std::fs::read(file.path()).unwrap(), expected);
    }

    /// The writing end was dropped while chunks were still queued, and the
    /// rest of them was lost.
    #[test]
    fn what_is_queued_at_the_end_is_written() {
        for _ in 0..200 {
            let file = tempfile::NamedTempFile::new().unwrap();
            let (mut chunks, disk) = start(file.reopen().unwrap()).unwrap();
            for i in 0..CHUNKS as u8 {
                chunks.write_all(&[i; 64]).unwrap();
                chunks.flush().unwrap();
            }
            drop(chunks);
            disk.finish().unwrap();
            assert_eq!(
                std::fs::metadata(file.path()).unwrap().len(),
                64 * CHUNKS as u64
            );
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let (mut chunks, disk) = start(file).unwrap();
        for _ in 0..20 {
            chunks.write_all(&[0; 1000]).unwrap();
            chunks.flush().unwrap();
        }
        drop(chunks);
        assert_eq!(
            disk.finish().unwrap_err().raw_os_error(),
            Some(libc::ENOSPC)
        );
    }
}
