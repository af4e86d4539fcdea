"""Takes memory in one process, then in many."""
import os
import sys
import time

try:
    bytearray(int(sys.argv[1]))
    print("granted", flush=True)
except MemoryError:
    print("refused", flush=True)
for _ in range(int(sys.argv[2])):
    if os.fork() == 0:
        # Once, and every page of it touched.
        kept = b"x" * int(sys.argv[3])
        time.sleep(60)
time.sleep(60)
