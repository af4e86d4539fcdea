#!/usr/bin/env bash
# Runs once, when Gradescope builds the autograder's image.
set -euo pipefail
apt-get update
# What the submissions are written in, and libpcap for netlab-capture.
apt-get install -y --no-install-recommends python3 libpcap0.8
# The binary is in the zip beside this file.
install -m 0755 /autograder/source/netlab-capture /usr/local/bin/netlab-capture
