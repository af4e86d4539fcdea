"""Output that a terminal would act on."""
import sys

sys.stdout.write("\x1b]0;owned\x07\x1b[2J\x1b[31mPASS\x1b[0m\r\u202e\x9b31m\n::error::forged\n")
sys.stdout.flush()
sys.exit(3)
