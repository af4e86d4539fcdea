"""Signals, traces and writes into every process that it can find."""
import ctypes
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)


def attempt(what, action):
    try:
        result = action()
    except OSError as error:
        result = error.strerror
    if result in (-1, None):
        result = os.strerror(ctypes.get_errno())
    print(what, result, flush=True)


signal.signal(signal.SIGTERM, signal.SIG_IGN)
others = [int(p) for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]
print("others", len(others), flush=True)
for pid in [1, os.getppid()] + others:
    attempt("ptrace", lambda: libc.ptrace(16, pid, 0, 0))
    attempt("kill", lambda: os.kill(pid, signal.SIGKILL) if pid else "no pid")
    attempt("memory", lambda: open(f"/proc/{pid}/mem", "r+b"))
    attempt("root", lambda: os.listdir(f"/proc/{pid}/root/"))
attempt("all", lambda: os.kill(-1, signal.SIGTERM))
attempt("unshare", lambda: libc.unshare(0x10000000))
attempt("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
attempt("keyctl", lambda: libc.syscall(250, 0, -3, 0))
attempt("bpf", lambda: libc.syscall(321, 0, 0, 0))
print("still here", flush=True)
