"""Sends what only others could: canaries, and the server's answer."""
import socket

def attempt(what, action):
    try:
        action()
        print(what, "done", flush=True)
    except OSError as error:
        print(what, error.strerror, flush=True)

attempt("raw", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)))
attempt("ip", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))

def from_the_servers_port(address):
    forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    forger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    forger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    forger.bind((address, 12000))
    victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    victim.bind(("127.0.0.1", 0))
    victim.sendto(b"hello", ("127.0.0.1", 9))
    forger.sendto(b"HELLO", victim.getsockname())

attempt("same address", lambda: from_the_servers_port("127.0.0.1"))
attempt("other address", lambda: from_the_servers_port("127.0.0.2"))
print("HELLO", flush=True)
