# SPDX-License-Identifier: Apache-2.0
"""Prints how often each needle stands in the memory of a process, in either order of its bytes.

usage: memory_scan.py PID NEEDLE...      needles in hexadecimal, each byte xor 0xa5, since arguments are memory too
"""
import sys

needles = [bytes(byte ^ 0xA5 for byte in bytes.fromhex(text)) for text in sys.argv[2:]]
forms = [(needle, needle[::-1]) for needle in needles]
counts = [0] * len(needles)
with open(f"/proc/{sys.argv[1]}/maps") as maps, open(f"/proc/{sys.argv[1]}/mem", "rb", 0) as memory:
    for line in maps:
        words = line.split()
        if not words[1].startswith("r") or words[-1] in ("[vvar]", "[vsyscall]"):
            continue
        start, end = (int(place, 16) for place in words[0].split("-"))
        if end - start > 1 << 32:
            continue
        try:
            memory.seek(start)
            content = memory.read(end - start)
        except OSError:
            continue
        for index, both in enumerate(forms):
            counts[index] += sum(content.count(form) for form in both)
print(*counts)
