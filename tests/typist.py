#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""typist.py COMMAND...: run a program on a terminal, and type.

Each line of standard input is typed once the program shows the prompt "READY> ",
with \\t for the tab key; without a line feed if it ends with \\c.  What the program
writes goes to standard output.  Ends when the program does, or after a minute.
"""
import os
import pty
import select
import sys
import time

PROMPT = b"READY> "
lines = [line.rstrip("\n").replace("\\t", "\t") for line in sys.stdin] if not sys.stdin.isatty() else []

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

end = time.monotonic() + 60
seen = b""
while time.monotonic() < end:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            data = b""
        if not data:
            break
        sys.stdout.buffer.write(data)
        seen += data
    elif lines and PROMPT in seen:
        line = lines.pop(0)
        seen = b"" if not line.endswith("\\c") else PROMPT
        os.write(terminal, line[:-2].encode() if line.endswith("\\c") else line.encode() + b"\r")
sys.stdout.flush()
os.close(terminal)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
