#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A key service for the provider `socket`, as an example to begin from: key-service.py SOCKET FOLDER

It speaks what docs/reference/kms.md says. Its wrapping keys are files FOLDER/VERSION of 32 bytes; the newest version wraps, all
of them unwrap, and the first is made when there is none. Python's memory cannot be wiped, so a service for real keys is
better written in another language, or asks a machine that keeps the keys to itself.
"""
import base64
import json
import os
import socketserver
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LARGEST = 1 << 16
NAME = "example"


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Keys:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not self.versions():
            file = os.open(os.path.join(folder, "1"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(file, os.urandom(32))
            os.close(file)

    def versions(self):
        return sorted(int(name) for name in os.listdir(self.folder) if name.isdecimal())

    def key(self, version):
        if not version.isdecimal() or int(version) not in self.versions():
            raise Refused("unknown-key", f"there is no version {version[:20]}")
        with open(os.path.join(self.folder, version), "rb") as file:
            return AESGCM(file.read())

    def wrap(self, request):
        version = str(self.versions()[-1])
        nonce = os.urandom(12)
        bound = bind(version, request)
        sealed = self.key(version).encrypt(nonce, field(request, "key"), bound)
        return {"wrapping_key": NAME, "version": version, "ciphertext": text(nonce + sealed)}

    def unwrap(self, request):
        if request.get("wrapping_key") != NAME:
            raise Refused("unknown-key", "there is no such key")
        version = request.get("version", "")
        key = self.key(version)
        sealed = field(request, "ciphertext")
        try:
            return {"key": text(key.decrypt(sealed[:12], sealed[12:], bind(version, request)))}
        except (InvalidTag, ValueError):
            raise Refused("refused", "it was changed, or belongs to something else") from None

    def health(self, _):
        self.key(str(self.versions()[-1]))
        return {"status": "ok"}


def bind(version, request):
    return f"{NAME} {version}\n".encode() + field(request, "associated_data")


def field(request, name):
    value = request.get(name)
    if not isinstance(value, str):
        raise Refused("refused", f"{name} is missing")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise Refused("refused", f"{name} is no base64") from None


def text(value):
    return base64.b64encode(value).decode()


class Handler(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self):
        line = self.rfile.read(LARGEST + 1)
        try:
            request = json.loads(line) if len(line) <= LARGEST else None
            if not isinstance(request, dict):
                raise Refused("refused", "a request is one JSON object of at most 64 KiB")
            methods = {"wrap": keys.wrap, "unwrap": keys.unwrap, "health": keys.health}
            method = methods.get(request.get("method"))
            if method is None:
                raise Refused("refused", "there is no such method")
            answer = method(request)
        except Refused as refusal:
            answer = {"error": refusal.code, "message": str(refusal)}
        except ValueError:
            answer = {"error": "refused", "message": "that is no JSON"}
        except OSError:
            answer = {"error": "unavailable", "message": "the keys cannot be read"}
        self.wfile.write(json.dumps(answer).encode())


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    keys = Keys(sys.argv[2])
    if os.path.exists(sys.argv[1]):
        os.unlink(sys.argv[1])
    os.umask(0o077)
    with Server(sys.argv[1], Handler) as server:
        print("ready", flush=True)
        server.serve_forever()
