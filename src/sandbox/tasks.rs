//! What the programs are doing, from `/proc`: asleep, and if so in which
//! system call.

use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags};

use super::contain::sys::LookingAs;

/// Threads and processes looked at in one go; a program with more is taken to
/// be busy.
const LIMIT: usize = 512;

/// `/proc` of the recorder's own PID namespace, opened before the programs' own
/// is mounted over it.
pub struct Proc {
    dir: OwnedFd,
}

/// One thread of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Running {
        pid: u32,
        thread: u32,
    },
    /// In a system call of this number, with this first argument; for the
    /// `naps`th time of its life that it sleeps. `timed`: it waits for another
    /// thread, but not for longer than a time of its own choosing.
    Sleeping {
        pid: u32,
        thread: u32,
        call: i64,
        first: i64,
        timed: bool,
        naps: u64,
    },
    /// It has ended, and its parent has not asked for that yet.
    Gone,
}

/// What a program and its descendants are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Some thread runs, or sleeps for a time of its own choosing; or the program
    /// is just ending. A thread that waits for another no longer than a time of its
    /// own makes busy what waits for no input: a Java machine that ends does so for
    /// 10 ms at a time, with all other threads asleep. In one that waits for input
    /// such threads look after the house.
    Busy,
    /// Every thread sleeps until something happens.
    Asleep,
    /// As `Asleep`, and one of them waits for input.
    Receiving,
}

impl Proc {
    pub fn open() -> std::io::Result<Proc> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open("/proc", flags, Mode::empty())?;
        Ok(Proc { dir })
    }

    fn read(&self, path: &str) -> Option<String> {
        let fd = rustix::fs::openat(
            &self.dir,
            path,
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok()?;
        let mut text = String::new();
        std::fs::File::from(fd)
            .take(64 * 1024)
            .read_to_string(&mut text)
            .ok()?;
        Some(text)
    }

    fn threads(&self, pid: u32) -> Vec<u32> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let path = format!("{pid}/task");
        let Ok(dir) = rustix::fs::openat(&self.dir, path.as_str(), flags, Mode::empty()) else {
            return Vec::new();
        };
        let Ok(entries) = rustix::fs::Dir::new(dir) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok())
            .take(LIMIT)
            .collect()
    }

    fn children_of_thread(&self, pid: u32, thread: u32) -> Vec<u32> {
        let children = self.read(&format!("{pid}/task/{thread}/children"));
        let words = children.iter().flat_map(|text| text.split_whitespace());
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// The children of a process.
    pub fn children(&self, pid: u32) -> Vec<u32> {
        let threads = self.threads(pid).into_iter();
        threads
            .flat_map(|thread| self.children_of_thread(pid, thread))
            .collect()
    }

    /// How often our network had no route to an address that was wanted: each
    /// such `connect` or `sendto` failed with ENETUNREACH.
    pub fn unrouted(&self) -> u64 {
        let ipv4 = self.read("self/net/snmp");
        let ipv6 = self.read("self/net/snmp6");
        ipv4.and_then(|text| unrouted_ipv4(&text)).unwrap_or(0)
            + ipv6.and_then(|text| unrouted_ipv6(&text)).unwrap_or(0)
    }

    /// A process and all that it forked, as far as they still have a parent
    /// among them.
    pub fn family(&self, pid: u32) -> Vec<u32> {
        let mut family = vec![pid];
        let mut next = 0;
        while let Some(pid) = family.get(next).copied()
            && family.len() < LIMIT
        {
            family.extend(self.children(pid));
            next += 1;
        }
        family
    }

    /// Bytes of memory that are not also in a file.
    pub fn memory(&self, pid: u32) -> u64 {
        let status = self.read(&format!("{pid}/status")).unwrap_or_default();
        let kibibytes = |line: &str| line.split_whitespace().next()?.parse::<u64>().ok();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(kibibytes).unwrap_or_default()
        };
        (of("RssAnon:") + of("RssShmem:")) << 10
    }

    /// The kernel shows what a process waits in to its user, or to who may trace
    /// others. Root in a container often may not.
    fn looking_as_owner(&self, pid: u32) -> Option<LookingAs> {
        let path = pid.to_string();
        let stat = rustix::fs::statat(&self.dir, path.as_str(), AtFlags::empty()).ok()?;
        let own = rustix::process::geteuid();
        (own.is_root() && stat.st_uid != own.as_raw())
            .then(|| LookingAs::start(stat.st_uid, stat.st_gid))
    }

    /// The activity of a program and all that it forked.
    pub fn activity(&self, pid: u32) -> Activity {
        activity_of_all(&self.tasks(pid))
    }

    /// Do programs and all that they forked sleep, all threads at one and the same
    /// time? They are looked at one after the other, and of two that wake each
    /// other in turn each may be asleep when it is looked at. So they are looked at
    /// twice: who sleeps the same sleep both times has slept all the time between.
    pub fn are_at_rest(&self, pids: &[u32]) -> bool {
        let sleeps = || -> Option<Vec<Vec<Task>>> {
            let each = pids.iter().map(|pid| {
                let tasks = self.tasks(*pid);
                (activity_of_all(&tasks) != Activity::Busy).then_some(tasks)
            });
            each.collect()
        };
        sleeps().is_some_and(|before| sleeps() == Some(before))
    }

    /// The threads of a program and of all that it forked. Of more than a bounded
    /// number the last is taken to be running.
    pub fn tasks(&self, pid: u32) -> Vec<Task> {
        let _looking = self.looking_as_owner(pid);
        let mut pending = vec![pid];
        let mut tasks = Vec::new();
        while let Some(pid) = pending.pop() {
            for thread in self.threads(pid) {
                if tasks.len() == LIMIT {
                    tasks.push(Task::Running { pid, thread });
                    return tasks;
                }
                tasks.push(self.task(pid, thread));
                pending.extend(self.children_of_thread(pid, thread));
            }
        }
        tasks
    }

    /// Is the descriptor of a program a socket?
    pub fn is_socket(&self, pid: u32, descriptor: i64) -> bool {
        let _looking = self.looking_as_owner(pid);
        let path = format!("{pid}/fd/{descriptor}");
        let link = rustix::fs::readlinkat(&self.dir, path.as_str(), Vec::new());
        link.is_ok_and(|link| link.as_bytes().starts_with(b"socket:"))
    }

    /// Has the thread wanted the processor for most of its life? One that is seen
    /// running may only be at its housekeeping, as those of a Java machine are.
    pub fn is_insistent(&self, pid: u32, thread: u32) -> bool {
        let read = |file: &str| self.read(&format!("{pid}/task/{thread}/{file}"));
        let (Some(stat), Some(wanted)) = (read("stat"), read("schedstat")) else {
            return false;
        };
        let up = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let up = up.tv_sec as f64 + up.tv_nsec as f64 / 1e9;
        is_insistent(&stat, &wanted, up).unwrap_or(false)
    }

    fn task(&self, pid: u32, thread: u32) -> Task {
        let Some(stat) = self.read(&format!("{pid}/task/{thread}/stat")) else {
            // Its end, just now, is something that happens.
            return Task::Running { pid, thread };
        };
        // "pid (name) S …": the name may hold anything, also parentheses.
        let state = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.trim_start().chars().next());
        match state {
            // Other threads than a process's first are soon gone from the list.
            Some('Z') if thread == pid => Task::Gone,
            Some('S') => {
                let call = self.read(&format!("{pid}/task/{thread}/syscall"));
                let status = self.read(&format!("{pid}/task/{thread}/status"));
                match (call, status) {
                    (Some(call), Some(status)) => sleeping_in(pid, thread, &call, &status),
                    _ => Task::Gone,
                }
            }
            _ => Task::Running { pid, thread },
        }
    }
}

/// Reads `/proc/net/snmp`: a line of names, then one of values.
fn unrouted_ipv4(text: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Ip:"));
    let mut names = lines.next()?.split_whitespace();
    let position = names.position(|name| name == "OutNoRoutes")?;
    lines.next()?.split_whitespace().nth(position)?.parse().ok()
}

/// Reads `/proc/net/snmp6`: a name and a value on each line.
fn unrouted_ipv6(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix("Ip6OutNoRoutes"));
    line?.trim().parse().ok()
}

/// Of `/proc/PID/task/TID/stat` the start, of `schedstat` the nanoseconds on a
/// processor and in the queue for one (a busy machine makes no difference); `up`
/// in seconds since the machine's start.
fn is_insistent(stat: &str, schedstat: &str, up: f64) -> Option<bool> {
    let ticks_per_second = rustix::param::clock_ticks_per_second();
    // "pid (name) state ppid …": `starttime` is the 22nd field of proc(5).
    let (_, fields) = stat.rsplit_once(')')?;
    let started: u64 = fields.split_whitespace().nth(22 - 3)?.parse().ok()?;
    let lived = up - started as f64 / ticks_per_second as f64;
    let mut times = schedstat.split_whitespace().map(str::parse::<u64>);
    let wanted = times.next()?.ok()?.saturating_add(times.next()?.ok()?);
    Some(lived > 0.1 && wanted as f64 / 1e9 > lived / 2.0)
}

/// Reads `/proc/PID/syscall` of a sleeping thread, "number arg0 arg1 …", and how
/// often it gave the processor away from its `status`.
fn sleeping_in(pid: u32, thread: u32, call: &str, status: &str) -> Task {
    let naps = |line: &str| {
        line.strip_prefix("voluntary_ctxt_switches:")?
            .trim()
            .parse()
            .ok()
    };
    let naps = status.lines().find_map(naps).unwrap_or_default();
    let mut words = call.split_whitespace();
    let Some(call) = words.next().and_then(|w| w.parse::<i64>().ok()) else {
        // "running", or -1 outside of a system call.
        return Task::Running { pid, thread };
    };
    let hexadecimal = |word: &str| i64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let first = words.next().and_then(hexadecimal);
    // futex(2): word, operation, value, timeout.
    let timeout = words.nth(2).and_then(hexadecimal);
    Task::Sleeping {
        pid,
        thread,
        call,
        first: first.unwrap_or(-1),
        timed: call == libc::SYS_futex && timeout.is_some_and(|address| address != 0),
        naps,
    }
}

fn activity_of_all(tasks: &[Task]) -> Activity {
    // About to be heard of as ended.
    if tasks.iter().all(|task| *task == Task::Gone) {
        return Activity::Busy;
    }
    let mut receiving = false;
    for task in tasks {
        match activity(*task) {
            Activity::Busy => return Activity::Busy,
            Activity::Asleep => {}
            Activity::Receiving => receiving = true,
        }
    }
    let timed = |task: &Task| matches!(task, Task::Sleeping { timed: true, .. });
    match receiving {
        true => Activity::Receiving,
        false if tasks.iter().any(timed) => Activity::Busy,
        false => Activity::Asleep,
    }
}

fn activity(task: Task) -> Activity {
    match task {
        Task::Running { .. } => Activity::Busy,
        Task::Gone => Activity::Asleep,
        Task::Sleeping { call, .. } if RECEIVING.contains(&call) => Activity::Receiving,
        Task::Sleeping { call, .. } if NAPPING.contains(&call) => Activity::Busy,
        Task::Sleeping { .. } => Activity::Asleep,
    }
}

/// System calls in which a program waits for input or for a peer.
const RECEIVING: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_pwait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
];

/// System calls that end by themselves: the program will act without being
/// asked.
const NAPPING: &[i64] = &[
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    // It waits for our answer.
    libc::SYS_socket,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syscall_lines() {
        let receive = format!(
            "{} 0x3 0x7ffe 0x800 0x0 0x0 0x0 0x7ffe 0x7f1e",
            libc::SYS_recvfrom
        );
        let of = |line: &str| activity(sleeping_in(1, 1, line, ""));
        assert_eq!(of(&receive), Activity::Receiving);
        let nap = format!("{} 0x0 0x0", libc::SYS_clock_nanosleep);
        assert_eq!(of(&nap), Activity::Busy);
        let futex = format!("{} 0x7f 0x189 0x0 0x0 0x0 0xffffffff", libc::SYS_futex);
        assert_eq!(of(&futex), Activity::Asleep);
        assert_eq!(of("running"), Activity::Busy);
        assert_eq!(of(""), Activity::Busy);
    }

    /// One that ended was taken to be at rest, and told to stop before it was over.
    #[test]
    fn threads_that_wait_for_a_time_are_busy_unless_input_is_waited_for() {
        let of = |lines: &[&str]| {
            let task = |line: &&str| sleeping_in(1, 1, line, "");
            activity_of_all(&lines.iter().map(task).collect::<Vec<_>>())
        };
        let join = format!("{} 0x7f 0x109 0x5 0x0 0x0 0xffffffff", libc::SYS_futex);
        let timed = format!("{} 0x7f 0x89 0x0 0x7f3a 0x0 0xffffffff", libc::SYS_futex);
        let accept = format!("{} 0x4 0x7f 0x7f 0x0 0x0 0x0", libc::SYS_accept);
        assert_eq!(of(&[&join]), Activity::Asleep);
        assert_eq!(of(&[&join, &timed]), Activity::Busy);
        assert_eq!(of(&[&join, &timed, &accept]), Activity::Receiving);
    }

    #[test]
    fn counters_of_what_has_no_route() {
        let snmp = "Ip: Forwarding OutNoRoutes InDelivers\nIp: 1 7 9\nTcp: OutNoRoutes\nTcp: 3\n";
        assert_eq!(unrouted_ipv4(snmp), Some(7));
        assert_eq!(unrouted_ipv4("Ip: Forwarding\nIp: 1\n"), None);
        assert_eq!(unrouted_ipv4(""), None);
        let snmp6 = "Ip6InReceives     \t1\nIp6OutNoRoutes                  \t2\n";
        assert_eq!(unrouted_ipv6(snmp6), Some(2));
        assert_eq!(unrouted_ipv6("x"), None);
    }

    #[test]
    fn a_thread_insists_that_wants_the_processor_half_of_its_life() {
        let stat = "7 (a) b) R 1 7 7 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 1000 0 0";
        let start = 1000.0 / rustix::param::clock_ticks_per_second() as f64;
        let of = |wanted: &str, lived: f64| is_insistent(stat, wanted, start + lived);
        assert_eq!(of("400000000 200000000 9", 1.0), Some(true));
        assert_eq!(of("300000000 100000000 9", 1.0), Some(false));
        assert_eq!(of("20000000 0 1", 0.02), Some(false), "too young to tell");
        assert_eq!(of("", 1.0), None);
        assert_eq!(is_insistent("7 (a", "1 1 1", 9.0), None);
    }

    #[test]
    fn a_program_that_is_just_ending_is_busy() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let proc = Proc::open().unwrap();
        let is_gone = || proc.tasks(child.id()) == [Task::Gone];
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !is_gone() && std::time::Instant::now() < until {
            std::thread::yield_now();
        }
        assert!(is_gone());
        assert_eq!(proc.activity(child.id()), Activity::Busy);
        child.wait().unwrap();
    }

    /// Of two that hand a line to each other one is asleep whenever it is looked at,
    /// then the other. A Java server was stopped while its threads ended each other.
    #[test]
    fn two_that_wake_each_other_are_never_at_rest() {
        use std::io::Write;
        use std::process::Command;

        let (from_second, to_first) = std::io::pipe().unwrap();
        let (from_first, to_second) = std::io::pipe().unwrap();
        let mut seed = to_first.try_clone().unwrap();
        let hand_on = |input: std::io::PipeReader, output: std::io::PipeWriter| {
            let mut shell = Command::new("sh");
            shell.args(["-c", "while read line; do (: $((1 + 1))); echo $line; done"]);
            shell.stdin(input).stdout(output).spawn()
        };
        let mut ring = [
            hand_on(from_second, to_second).unwrap(),
            hand_on(from_first, to_first).unwrap(),
        ];
        let pids = [ring[0].id(), ring[1].id()];
        let proc = Proc::open().unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !proc.are_at_rest(&pids) && std::time::Instant::now() < until {
            std::thread::yield_now();
        }
        assert!(proc.are_at_rest(&pids), "both wait for the first line");
        seed.write_all(b"line\n").unwrap();
        let at_rest = (0..2000).filter(|_| proc.are_at_rest(&pids)).count();
        for child in &mut ring {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(at_rest, 0);
    }

    #[test]
    fn own_process_is_busy() {
        let proc = Proc::open().unwrap();
        assert_eq!(proc.activity(std::process::id()), Activity::Busy);
    }
}
