//! The live capture: libpcap on a loopback interface in a thread of its own,
//! from before the first program to behind the last.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Precision};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};

use crate::sandbox::WHOLE_PACKETS;
use crate::savefile::pcapng::Writer;
use crate::savefile::{InterfaceDescription, Timestamp};

use super::canary::Canary;
use super::disk::{self, Chunks, Disk};

/// The kernel's ring, whose blocks have 256 KiB.
#[derive(Clone, Copy)]
pub struct Ring {
    bytes: i32,
    /// How long the kernel may hold back a block that is not full, milliseconds.
    /// While other programs have the processors, so often is a block used up.
    block_timeout: i32,
}

impl Ring {
    /// For what a lab's programs send. The kernel clears the ring while it is made,
    /// and everybody waits for that, 0.4 ms for each MiB. With 4 MiB, 16 blocks, a run
    /// of 10,000 packets in 0.4 s once lost 26, beside tests that had the processors.
    pub const SMALL: Ring = Ring {
        bytes: 8 << 20,
        block_timeout: 1,
    };
    /// For whatever a command may send.
    pub const LARGE: Ring = Ring {
        bytes: 16 << 20,
        block_timeout: 4,
    };
}

/// Packets taken from the ring between two looks at what the owner wants: under
/// a flood the ring is never empty, and canaries must be sent all the same.
const BATCH: usize = 1024;
/// After this a canary that was not seen is sent again.
const CANARY_AGAIN: Duration = Duration::from_millis(50);
const ETHERNET: u16 = 1;

/// How to capture.
pub struct Settings {
    pub interface: String,
    /// A pcap-filter expression, for a network that is not ours alone.
    pub filter: Option<String>,
    /// Bytes of each packet that are kept.
    pub snaplen: u32,
    pub ring: Ring,
}

/// What the thread and its owner tell each other.
struct Shared {
    canary: Canary,
    /// Number of the latest canary that the owner asked for, and that was seen.
    wanted: AtomicU64,
    stop: AtomicBool,
    /// Packets handed to the savefile, canaries left out.
    captured: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    opened: Option<Result<(), String>>,
    /// The latest canary seen, and the packets captured before it.
    seen: Option<(u64, u64)>,
    canaries_sent: u64,
    canaries_seen: u64,
    fault: Option<String>,
}

/// A capture that is running.
pub struct Live {
    shared: Arc<Shared>,
    wake: OwnedFd,
    thread: Option<JoinHandle<Option<Finished>>>,
    disk: Disk,
}

/// What the capture thread leaves.
struct Finished {
    writer: Writer<Chunks>,
    statistics: Option<pcap::Stat>,
    /// Closing the handle costs an RCU grace period, which nobody must wait
    /// for: the end of the process closes it.
    _handle: std::mem::ManuallyDrop<Capture<Active>>,
}

/// A capture that has ended, its savefile not yet closed.
pub struct Ended {
    pub writer: Writer<Chunks>,
    pub disk: Disk,
    pub captured: u64,
    /// Dropped by the kernel's buffer or the interface. None: not known.
    pub dropped: Option<u64>,
    pub canaries_sent: u64,
    pub fault: Option<String>,
}

impl Live {
    /// Starts the thread, which opens the interface: [`Live::opened`] waits for
    /// it. Other work can be done in between, as opening takes most of the time
    /// that a run needs to get ready.
    pub fn start(settings: Settings, savefile: File) -> io::Result<Live> {
        let shared = Arc::new(Shared {
            canary: Canary::new()?,
            wanted: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            captured: AtomicU64::new(0),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let wake = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let (give_chunks, chunks) = sync_channel(1);
        let thread = {
            let shared = Arc::clone(&shared);
            let wake = wake.try_clone()?;
            std::thread::Builder::new()
                .name("capture".into())
                .spawn(move || capture(&settings, &shared, &wake, &chunks))?
        };
        // The buffers are made ready while the kernel makes the ring.
        let (chunks, disk) = disk::start(savefile)?;
        let _ = give_chunks.send(chunks);
        Ok(Live {
            shared,
            wake,
            thread: Some(thread),
            disk,
        })
    }

    /// Waits until the interface is open; libpcap's words where it cannot be.
    pub fn opened(&self) -> Result<(), String> {
        let failed = || "the capture thread failed".to_string();
        let mut state = self.shared.state.lock().map_err(|_| failed())?;
        loop {
            if let Some(opened) = &state.opened {
                return opened.clone();
            }
            state = self.shared.changed.wait(state).map_err(|_| failed())?;
        }
    }

    /// Sends a canary and waits until it has come through the capture; the
    /// number of packets captured before it. None after `deadline`.
    pub fn canary(&self, deadline: Duration) -> Option<u64> {
        let number = self.shared.wanted.fetch_add(1, Ordering::SeqCst) + 1;
        self.wake();
        let until = Instant::now() + deadline;
        let mut state = self.shared.state.lock().ok()?;
        loop {
            if let Some((seen, before)) = state.seen
                && seen >= number
            {
                return Some(before);
            }
            if state.fault.is_some() {
                return None;
            }
            let left = until.checked_duration_since(Instant::now())?;
            state = self.shared.changed.wait_timeout(state, left).ok()?.0;
        }
    }

    /// The disk took no more, or libpcap gave up.
    pub fn failed(&self) -> bool {
        self.disk.fault.lock().is_ok_and(|fault| fault.is_some())
            || self
                .shared
                .state
                .lock()
                .is_ok_and(|state| state.fault.is_some())
    }

    /// Ends the thread after what is already there.
    pub fn end(mut self) -> Option<Ended> {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.wake();
        let finished = self.thread.take()?.join().ok()??;
        let state = self.shared.state.lock().ok()?;
        Some(Ended {
            writer: finished.writer,
            captured: self.shared.captured.load(Ordering::SeqCst),
            dropped: finished
                .statistics
                .map(|s| u64::from(s.dropped) + u64::from(s.if_dropped)),
            canaries_sent: state.canaries_sent,
            fault: state.fault.clone(),
            disk: self.disk,
        })
    }

    fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }
}

fn open(settings: &Settings) -> Result<Capture<Active>, pcap::Error> {
    // Not immediate mode: that forces slots of one packet each, and a ring of
    // megabytes then holds 32 of them.
    let inactive = Capture::from_device(settings.interface.as_str())?
        .snaplen(i32::try_from(settings.snaplen).unwrap_or(i32::MAX))
        .buffer_size(settings.ring.bytes)
        .timeout(settings.ring.block_timeout)
        .promisc(false);
    let mut capture = inactive.precision(Precision::Nano).open()?.setnonblock()?;
    // Each packet on lo reaches the socket twice; the kernel drops the outgoing
    // copy sooner and cheaper than libpcap. Without it libpcap still does.
    let _ = super::sys::ignore_outgoing(descriptor(&capture));
    // It is the filter's program that makes the kernel cut packets, also that of
    // an empty filter: without one the ring gets them whole, and libpcap cuts them.
    let cuts = (settings.snaplen < WHOLE_PACKETS).then_some("");
    if let Some(filter) = settings.filter.as_deref().or(cuts) {
        capture.filter(filter, true)?;
    }
    Ok(capture)
}

fn descriptor(capture: &Capture<Active>) -> BorrowedFd<'_> {
    super::sys::borrow(capture.as_raw_fd(), capture)
}

fn capture(
    settings: &Settings,
    shared: &Shared,
    wake: &OwnedFd,
    chunks: &Receiver<Chunks>,
) -> Option<Finished> {
    let opened = open(settings).and_then(|handle| {
        let chunks = chunks
            .recv()
            .map_err(|_| pcap::Error::PcapError("the savefile could not be opened".into()))?;
        let interface = InterfaceDescription {
            name: settings.interface.clone(),
            link_type: u16::try_from(handle.get_datalink().0).unwrap_or(ETHERNET),
            snaplen: settings.snaplen,
        };
        let writer =
            Writer::new(chunks, &interface).map_err(|e| pcap::Error::PcapError(e.to_string()))?;
        Ok((handle, writer))
    });
    let (mut handle, writer) = match opened {
        Ok(parts) => {
            announce(shared, |state| state.opened = Some(Ok(())));
            parts
        }
        Err(error) => {
            announce(shared, |state| state.opened = Some(Err(error.to_string())));
            return None;
        }
    };
    let mut sink = Sink {
        shared,
        writer,
        gathered: 0,
    };
    if let Err(fault) = pump(&mut handle, &mut sink, shared, wake) {
        announce(shared, |state| state.fault = Some(fault));
    }
    let _ = sink.writer.flush();
    let statistics = handle.stats().ok();
    Some(Finished {
        writer: sink.writer,
        statistics,
        _handle: std::mem::ManuallyDrop::new(handle),
    })
}

fn announce(shared: &Shared, change: impl FnOnce(&mut State)) {
    if let Ok(mut state) = shared.state.lock() {
        change(&mut state);
    }
    shared.changed.notify_all();
}

/// Where the packets go.
struct Sink<'a> {
    shared: &'a Shared,
    writer: Writer<Chunks>,
    gathered: usize,
}

impl Sink<'_> {
    fn packet(&mut self, packet: &pcap::Packet<'_>) {
        if let Some(number) = self.shared.canary.number(packet.data) {
            let before = self.shared.captured.load(Ordering::Relaxed);
            announce(self.shared, |state| {
                state.canaries_seen += 1;
                if state.seen.is_none_or(|(seen, _)| seen < number) {
                    state.seen = Some((number, before));
                }
            });
            return;
        }
        self.shared.captured.fetch_add(1, Ordering::Relaxed);
        // With nanosecond precision the field for microseconds holds them.
        let ts = packet.header.ts;
        let time = Timestamp(ts.tv_sec * 1_000_000_000 + ts.tv_usec);
        // A disk that failed is found and told by its own thread.
        let _ = self
            .writer
            .write_frame(time, packet.header.len, packet.data);
        self.gathered += packet.data.len() + 64;
        if Chunks::is_enough(self.gathered) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let _ = self.writer.flush();
        self.gathered = 0;
    }
}

/// Reads until told to stop, and on until the ring is empty.
fn pump(
    handle: &mut Capture<Active>,
    sink: &mut Sink<'_>,
    shared: &Shared,
    wake: &OwnedFd,
) -> Result<(), String> {
    let mut sent = 0;
    let mut sent_at = Instant::now();
    loop {
        let drained = handle
            .dispatch(Some(BATCH), |packet| sink.packet(&packet))
            .map_err(|e| e.to_string())?;
        if drained == 0 {
            // Nothing is waiting: what was gathered goes to the disk, so that
            // it is there whatever happens next.
            sink.flush();
            if shared.stop.load(Ordering::SeqCst) {
                return Ok(());
            }
        }
        let wanted = shared.wanted.load(Ordering::SeqCst);
        let seen = shared
            .state
            .lock()
            .ok()
            .and_then(|state| state.seen)
            .map_or(0, |(number, _)| number);
        let outstanding = seen < wanted;
        if outstanding && (sent < wanted || sent_at.elapsed() >= CANARY_AGAIN) {
            handle
                .sendpacket(shared.canary.frame(wanted))
                .map_err(|e| format!("the canary could not be sent: {e}"))?;
            announce(shared, |state| state.canaries_sent += 1);
            sent = wanted;
            sent_at = Instant::now();
        }
        if drained > 0 {
            continue;
        }
        let timeout = outstanding.then(|| Timespec {
            tv_sec: 0,
            tv_nsec: CANARY_AGAIN.subsec_nanos().into(),
        });
        let ring = descriptor(handle);
        let mut fds = [
            PollFd::from_borrowed_fd(ring, PollFlags::IN),
            PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN),
        ];
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.to_string()),
        }
        let mut counter = [0u8; 8];
        let _ = rustix::io::read(wake, &mut counter);
    }
}
