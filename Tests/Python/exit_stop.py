# SPDX-License-Identifier: Apache-2.0
"""Holds a process at its very end: all it ever does is done, and its memory is still there to be looked at.

usage: exit_stop.py PID

Prints `ready`, then `stopped` when the process is about to be gone; at the next line of input, or at the end of the
input, it lets it go.
"""
import ctypes
import os
import signal
import sys
import time

SEIZE, CONT, LISTEN = 0x4206, 7, 0x4208
TRACE_CLONE, TRACE_EXIT = 0x8, 0x40
EVENT_EXIT, EVENT_STOP = 6, 128
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
process = int(sys.argv[1])


def trace(request, thread, data=0):
    if libc.ptrace(request, thread, None, data) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def fields(thread):
    try:
        with open(f"/proc/{process}/task/{thread}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {"State": "X"}


def lives_on(thread):
    """Whether a thread neither has ended nor is being ended with the whole process."""
    status = fields(thread)
    killed = int(status.get("SigPnd", "0"), 16) >> (signal.SIGKILL - 1) & 1
    return status["State"][0] in "SDtT" and not killed


def is_end(leaving):
    """Whether that thread ends the process and not just itself."""
    others = [thread for thread in os.listdir(f"/proc/{process}/task") if int(thread) != leaving]
    for _ in range(10):
        if not any(lives_on(thread) for thread in others):
            return True
        time.sleep(0.02)
    return False


seen = set()
while True:
    new = {int(thread) for thread in os.listdir(f"/proc/{process}/task")} - seen
    if not new:
        break
    for thread in new:
        seen.add(thread)
        try:
            trace(SEIZE, thread, TRACE_CLONE | TRACE_EXIT)
        except OSError:
            if os.path.exists(f"/proc/{process}/task/{thread}"):
                raise
print("ready", flush=True)
while True:
    try:
        thread, status = os.waitpid(-1, 0x40000000)  # __WALL
    except ChildProcessError:
        break
    if not os.WIFSTOPPED(status):
        continue
    number, event = os.WSTOPSIG(status), status >> 16
    if event == EVENT_EXIT and is_end(thread):
        print("stopped", flush=True)
        sys.stdin.readline()
    # What is no event is a signal for the process.
    try:
        trace(CONT, thread, number if event == 0 else 0)
    except OSError:
        pass
