//! What a program that does not go on is doing, in words.

use super::tasks::{Proc, Task};

/// Words for one system call, most telling first; they follow "it was".
const CALLS: &[(&[i64], &str)] = &[
    (
        &[libc::SYS_accept, libc::SYS_accept4],
        "waiting for a client (accept)",
    ),
    (&[libc::SYS_connect], "connecting (connect)"),
    (
        &[libc::SYS_recvfrom, libc::SYS_recvmsg, libc::SYS_recvmmsg],
        "waiting for data (recv)",
    ),
    (
        &[
            libc::SYS_sendto,
            libc::SYS_sendmsg,
            libc::SYS_write,
            libc::SYS_writev,
        ],
        "writing what nobody takes (send, write)",
    ),
    (
        &[
            libc::SYS_ppoll,
            libc::SYS_pselect6,
            libc::SYS_epoll_pwait,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait,
        ],
        "waiting for data or a connection (poll)",
    ),
    (
        &[libc::SYS_nanosleep, libc::SYS_clock_nanosleep],
        "sleeping",
    ),
    (&[libc::SYS_futex], "waiting for one of its own threads"),
    (
        &[libc::SYS_wait4, libc::SYS_waitid],
        "waiting for a program that it started",
    ),
];

const COMPUTING: &str = "computing (an endless loop?)";

/// What the program and all that it forked are doing: "waiting for data
/// (recv)". Of several things the most telling.
pub fn doing(proc: &Proc, pid: u32) -> Option<String> {
    let tasks = proc.tasks(pid);
    let running = |task: &Task| match task {
        Task::Running { pid, thread } => Some((*pid, *thread)),
        Task::Sleeping { .. } | Task::Gone => None,
    };
    let mut runs = tasks.iter().filter_map(running);
    if runs.any(|(pid, thread)| proc.is_insistent(pid, thread)) {
        return Some(COMPUTING.to_owned());
    }
    waiting(proc, &tasks).or_else(|| {
        let runs = tasks.iter().any(|task| running(task).is_some());
        runs.then(|| COMPUTING.to_owned())
    })
}

/// What those that sleep wait for.
fn waiting(proc: &Proc, tasks: &[Task]) -> Option<String> {
    let asleep = |task: &Task| match task {
        Task::Sleeping {
            pid, call, first, ..
        } => Some((*pid, *call, *first)),
        Task::Running { .. } | Task::Gone => None,
    };
    let calls: Vec<_> = tasks.iter().filter_map(asleep).collect();
    let reads = [libc::SYS_read, libc::SYS_readv];
    if let Some((pid, _, fd)) = calls.iter().find(|(_, call, _)| reads.contains(call)) {
        return Some(match (fd, proc.is_socket(*pid, *fd)) {
            (0, _) => "reading its standard input".to_owned(),
            (_, true) => "waiting for data (read)".to_owned(),
            _ => "reading a file or pipe".to_owned(),
        });
    }
    let words = CALLS
        .iter()
        .find(|(numbers, _)| calls.iter().any(|(_, call, _)| numbers.contains(call)));
    words.map(|(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a shell command is doing after a moment.
    fn of(command: &str) -> Option<String> {
        let mut child = std::process::Command::new("sh")
            .args(["-c", command])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let proc = Proc::open().unwrap();
        let mut found = None;
        for _ in 0..200 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            found = doing(&proc, child.id());
            if found.as_deref() != Some(COMPUTING) || command.contains(':') {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        found
    }

    #[test]
    fn what_programs_wait_for_is_named() {
        assert_eq!(of("read line").unwrap(), "reading its standard input");
        assert_eq!(of("while :; do :; done").unwrap(), COMPUTING);
        assert_eq!(of("exec sleep 5").unwrap(), "sleeping");
    }
}
