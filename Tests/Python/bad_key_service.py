# SPDX-License-Identifier: Apache-2.0
"""A key service that plays one fault: SOCKET MODE. Prints "ready"."""
import json
import os
import socket
import sys
import time

path, mode = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(64)
print("ready", flush=True)

ANSWERS = {
    "empty": b"",
    "no-json": b"<html>",
    "a-list": b"[]",
    "a-number": b'{"wrapping_key":1,"version":"1","ciphertext":"AAAA","key":2,"status":3}',
    "missing": b'{"version":"1"}',
    "no-base64": b'{"wrapping_key":"k","version":"1","ciphertext":"A","key":"A","status":"no"}',
    "two-forms": b'{"wrapping_key":"k","version":"1","ciphertext":"AB==","key":"AB==","status":""}',
    "twice": b'{"wrapping_key":"k","wrapping_key":"k","version":"1","ciphertext":"AAAA","key":"AAAA","status":"ok","status":"ok"}',
    "trailing": b'{"wrapping_key":"k","version":"1","ciphertext":"AAAA","key":"AAAA","status":"ok"} x',
    "too-long": b'{"status":"' + b"x" * 70000 + b'"}',
    "unavailable": json.dumps({"error": "unavailable", "message": "sealed"}).encode(),
    "refused": json.dumps({"error": "refused", "message": "no"}).encode(),
    "unknown-key": json.dumps({"error": "unknown-key"}).encode(),
    "unknown-error": json.dumps({"error": "teapot"}).encode(),
}
kept = []
while True:
    connection, _ = listener.accept()
    if mode == "silent":
        kept.append(connection)
        continue
    if mode == "hangs-up":
        connection.close()
        continue
    while connection.recv(65536):
        pass
    if mode == "drips":
        # Never to the end.
        try:
            while True:
                connection.sendall(b" ")
                time.sleep(0.05)
        except OSError:
            continue
    try:
        connection.sendall(ANSWERS[mode])
    except OSError:
        pass
    connection.close()
