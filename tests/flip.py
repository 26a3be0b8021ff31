#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Flip single bits of an image and boot it: what the loader says of each.

usage: flip.py MKBOOTIMG IMAGE PART COUNT

PART is "loader" (stage 2), "table", "kernel" (the extents) or "sector0".  COUNT bits
of it, the same ones each time, or all if COUNT is 0.  Each image must boot correctly
(the kernel checks itself and says success) or mkbootimg must say in a sentence what
is wrong.  Prints how many there were of each end, and what went wrong otherwise;
exits with 0 if nothing did.
"""

import collections
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys
import tempfile

# For the kernel; before it, firmware and loader get the same.  Code that is not what was
# written may loop for ever, so of sector 0 many do not come so far.
SECONDS = {"loader": 30, "table": 30, "kernel": 30, "sector0": 3}

# What may be said outside of the loader's own sentences: sector 0 cannot check itself.
SECTOR0 = [
    (126, r"the loader failed: ", "a garbled message"),
    (126, r"'[^']*' is neither an ELF kernel nor a bootable disk image", "refused: no boot signature"),
    (126, r"the machine was reset before the kernel was entered", "reset before the kernel"),
    (126, r"the machine halted before the kernel was entered", "halted before the kernel"),
    (124, r"timed out after .*before the kernel was entered", "timed out before the kernel"),
]


def ranges(mkbootimg, image, part):
    """The parts of the image, as (offset, bytes)."""
    if part == "sector0":
        return [(0, 512)]
    names = {"loader": r"stage 2$", "table": r"boot table$", "kernel": r"extent \d+$"}
    told = json.loads(subprocess.check_output([mkbootimg, "inspect", "--json", image]))
    return [(r["offset"], r["size"]) for r in told["ranges"] if re.match(names[part], r["what"])]


def choose(parts, count):
    """Numbers of bits, counted from the image's start."""
    sizes = [size * 8 for _, size in parts]
    total = sum(sizes)
    if count == 0 or count >= total:
        picks = range(total)
    else:
        picks = sorted(random.Random(5).sample(range(total), count))
    bits, part, before = [], 0, 0
    for pick in picks:
        while pick - before >= sizes[part]:
            before += sizes[part]
            part += 1
        bits.append(parts[part][0] * 8 + pick - before)
    return bits


def boot(mkbootimg, image, part, bit):
    """Boot with one bit flipped; a word for how that ended, or a complaint."""
    with tempfile.NamedTemporaryFile(dir=".", suffix=".img") as copy:
        subprocess.check_call(["cp", "--sparse=always", image, copy.name])
        with open(copy.name, "r+b") as file:
            file.seek(bit // 8)
            old = file.read(1)[0]
            file.seek(bit // 8)
            file.write(bytes([old ^ 1 << bit % 8]))
        try:
            done = subprocess.run([mkbootimg, "run", "--headless", "--timeout", str(SECONDS[part]), copy.name],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            return None, "no end"
    said = done.stderr.decode(errors="replace")
    if done.returncode == 0:
        return "boots", None
    found = re.search(r"the loader failed: .*(E\d\d): ", said)
    if done.returncode == 126 and found:
        return found.group(1), None
    if part == "sector0":
        for status, sentence, word in SECTOR0:
            if done.returncode == status and re.search(sentence, said):
                return word, None
    return None, f"exit status {done.returncode}: {said.strip()[:300]}"


def main():
    mkbootimg, image, part, count = sys.argv[1:5]
    bits = choose(ranges(mkbootimg, image, part), int(count))
    ends, wrong = collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(boot, mkbootimg, image, part, bit): bit for bit in bits}
        for job in concurrent.futures.as_completed(jobs):
            word, complaint = job.result()
            if word is not None:
                ends[word] += 1
                continue
            wrong += 1
            bit = jobs[job]
            print(f"byte 0x{bit // 8:x}, bit {bit % 8}: {complaint}")
    print(f"{len(bits)} bits of {part}: " + ", ".join(f"{word} {n}" for word, n in ends.most_common()))
    return 1 if wrong else 0


sys.exit(main())
