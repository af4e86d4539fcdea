"""Tries to end or rewrite the program of the other role."""
import os
import signal
import socket
import sys

others = [int(p) for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]
for pid in list(range(1, 50)) + others:
    if pid == os.getpid():
        continue
    for attempt in (lambda: os.kill(pid, signal.SIGKILL), lambda: open(f"/proc/{pid}/mem", "r+b"), lambda: os.listdir(f"/proc/{pid}/root/")):
        try:
            attempt()
            print("reached", pid, flush=True)
        except OSError:
            pass
client = socket.create_connection(("127.0.0.1", 12000))
client.sendall(sys.stdin.buffer.read())
print(client.recv(2048).decode(), end="", flush=True)
