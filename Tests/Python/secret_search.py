# SPDX-License-Identifier: Apache-2.0
"""Prints a line for each secret that stands in a file: as it is, backwards, in hexadecimal, or within base64.

usage: secret_search.py PATH LABEL ...      on stdin `name TAB hexadecimal` lines; 16 bytes are the least that is sought
"""
import base64
import sys


def inner_base64(secret, before):
    """What base64 shows of the secret whatever stands around it, when `before` bytes of a group precede it."""
    text = base64.b64encode(bytes(before) + secret)
    return text[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]


def forms(secret):
    yield secret
    yield secret[::-1]
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for before in range(3):
        text = inner_base64(secret, before)
        yield text
        yield text.translate(bytes.maketrans(b"+/", b"-_"))


secrets = []
for line in sys.stdin:
    name, digits = line.rstrip("\n").split("\t")
    secret = bytes.fromhex(digits)
    if len(secret) < 16:
        sys.exit(f"{name}: {len(secret)} bytes are too few to be sought")
    secrets.append((name, set(forms(secret))))
for path, label in zip(sys.argv[1::2], sys.argv[2::2]):
    with open(path, "rb") as file:
        # Most of a database is nothing.
        content = b"\0".join(piece for piece in file.read().split(bytes(64)) if piece)
    for name, shapes in secrets:
        if any(shape in content for shape in shapes):
            print(name, "is in", label)
