"""Writes outside of its folder, and looks for the answer everywhere."""
import os
import sys

for path in ("/escaped", "/usr/escaped", "/etc/escaped", "/bin/escaped", "../../escaped", "/dev/escaped", "/proc/self/oom_score_adj"):
    try:
        with open(path, "w") as file:
            file.write("0")
        print("WROTE", path, flush=True)
    except OSError as error:
        print(path, error.strerror, flush=True)

needle = sys.argv[1].encode()[::-1]
found = [name for name in os.environ if needle in os.environb[name.encode()]]
for root in ("/", "/proc"):
    for folder, folders, files in os.walk(root):
        if folder == "/":
            folders[:] = [f for f in folders if f not in ("usr", "proc")]
        if folder.count("/") > 4:
            folders.clear()
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.isfile(path) or os.path.getsize(path) > 1 << 20:
                continue
            try:
                with open(path, "rb") as file:
                    if needle in file.read(1 << 20):
                        found.append(path)
            except OSError:
                pass
print("found", found, flush=True)
