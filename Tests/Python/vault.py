# SPDX-License-Identifier: Apache-2.0
"""Plays a Vault with a transit engine over HTTPS: FOLDER [PORT]. FOLDER holds server.crt and server.key, keeps the transit
keys, and what may log in: the files `token` and `secret-id`, which it makes. Prints its port, then for each line of its input, which says
how it behaves from then on, the calls so far as JSON.

good             as a Vault does
sealed           503
limited N        the next N calls get 429 with Retry-After: 1
slow             answers nothing
wrong WHAT       html, empty, no-data, numbers, version, no-base64, huge: answers to encrypt and decrypt that say nothing
unbound          passes over associated_data, as old servers do
rotate           the transit key gets another version
revoke           takes all tokens back but the one in the file
lease N          logins give tokens of N seconds
calls            changes nothing
"""
import base64
import http.server
import json
import os
import ssl
import sys
import threading
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

folder = sys.argv[1]
NAMESPACE, ROLE = "teams/farm", "signet-role"


class State:
    lock = threading.Lock()
    mode, detail, limited, lease = "good", "", 0, 3600
    calls, tokens, namespaces, secrets_in_urls = {}, {}, set(), 0


def keys():
    place = os.path.join(folder, "transit.json")
    if not os.path.exists(place):
        with open(place, "w") as file:
            json.dump([os.urandom(32).hex()], file)
    with open(place) as file:
        return [bytes.fromhex(key) for key in json.load(file)]


def rotate():
    now = [key.hex() for key in keys()] + [os.urandom(32).hex()]
    with open(os.path.join(folder, "transit.json"), "w") as file:
        json.dump(now, file)


def secret(name):
    with open(os.path.join(folder, name)) as file:
        return file.read().strip()


def make(name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"hvs.{name}-{os.urandom(16).hex()}\n")


class Fault(Exception):
    def __init__(self, status, *errors, fields=()):
        super().__init__(status)
        self.status, self.errors, self.fields = status, errors, fields


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = self.path.split("?")[0]
        with State.lock:
            State.calls[path] = State.calls.get(path, 0) + 1
            State.namespaces.add(self.headers.get("X-Vault-Namespace", ""))
            State.secrets_in_urls += secret("token") in self.path or secret("secret-id") in self.path
            mode, detail = State.mode, State.detail
        if mode == "slow":
            time.sleep(3600)
        fields = ()
        try:
            status, answer = 200, self.answer(path, json.loads(body or b"{}"), mode, detail)
        except Fault as fault:
            status, answer, fields = fault.status, {"errors": list(fault.errors)}, fault.fields
        if not isinstance(answer, bytes):
            answer = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def answer(self, path, request, mode, detail):
        with State.lock:
            if State.limited > 0:
                State.limited -= 1
                raise Fault(429, "request path: rate limit quota exceeded", fields=[("Retry-After", "1")])
        if mode == "sealed":
            raise Fault(503, "Vault is sealed")
        if path == "/v1/sys/health":
            if self.headers.get("X-Vault-Namespace"):
                raise Fault(400, "unsupported path")
            return {"initialized": True, "sealed": False, "standby": False, "version": "1.15.0"}
        if self.headers.get("X-Vault-Namespace") not in (None, NAMESPACE):
            raise Fault(404)
        if path == "/v1/auth/approle/login":
            if request.get("role_id") != ROLE or request.get("secret_id") != secret("secret-id"):
                raise Fault(400, "invalid role or secret ID")
            token = "hvs." + os.urandom(12).hex()
            with State.lock:
                State.tokens[token] = time.monotonic() + State.lease
            return {
                "request_id": "1", "lease_id": "", "renewable": False, "data": None, "warnings": None,
                "auth": {
                    "client_token": token, "accessor": "a", "policies": ["default", "signet"],
                    "metadata": {"role_name": "signet"}, "lease_duration": State.lease, "renewable": True,
                },
            }
        token = self.headers.get("X-Vault-Token", "")
        with State.lock:
            isStatic = token == secret("token")
            end = State.tokens.get(token, 0)
            if not isStatic and end < time.monotonic():
                raise Fault(403, "permission denied")
            if path == "/v1/auth/token/renew-self":
                State.tokens[token] = time.monotonic() + State.lease
                return {"auth": {"client_token": token, "lease_duration": State.lease, "renewable": True}}
        if path == "/v1/auth/token/lookup-self":
            return {"data": {"ttl": State.lease if isStatic else int(end - time.monotonic()), "renewable": True}}
        if path not in ("/v1/transit/encrypt/signet", "/v1/transit/decrypt/signet"):
            raise Fault(400 if path.startswith("/v1/transit/") else 404, "encryption key not found")
        if mode == "wrong":
            return wrong(detail)
        bound = b"" if mode == "unbound" else base64.b64decode(request.get("associated_data", ""), validate=True)
        if path.endswith("/encrypt/signet"):
            version, nonce = len(keys()), os.urandom(12)
            plain = base64.b64decode(request["plaintext"], validate=True)
            text = base64.b64encode(nonce + AESGCM(keys()[-1]).encrypt(nonce, plain, bound)).decode()
            return {
                "request_id": "2", "warnings": None, "auth": None,
                "data": {"ciphertext": f"vault:v{version}:{text}", "key_version": version},
            }
        head, version, text = request["ciphertext"].split(":")
        if head != "vault" or not 1 <= int(version[1:]) <= len(keys()):
            raise Fault(400, "invalid ciphertext: version is too new")
        sealed = base64.b64decode(text, validate=True)
        try:
            plain = AESGCM(keys()[int(version[1:]) - 1]).decrypt(sealed[:12], sealed[12:], bound)
        except (InvalidTag, ValueError):
            raise Fault(400, "cipher: message authentication failed") from None
        return {"data": {"plaintext": base64.b64encode(plain).decode()}}


def wrong(detail):
    return {
        "html": b"<html>",
        "empty": b"",
        "no-data": {"data": None},
        "numbers": {"data": {"ciphertext": 1, "plaintext": 2}},
        "version": {"data": {"ciphertext": "vault:v01:AAAA", "plaintext": {"a": "b"}}},
        "no-base64": {"data": {"ciphertext": "vault:v1:A", "plaintext": "A"}},
        "huge": b" " * (1 << 20),
    }[detail]


make("token")
make("secret-id")
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.crt", folder + "/server.key")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
for line in sys.stdin:
    mode, _, detail = line.strip().partition(" ")
    with State.lock:
        if mode == "limited":
            State.limited = int(detail)
        elif mode == "rotate":
            rotate()
        elif mode == "revoke":
            State.tokens.clear()
        elif mode == "lease":
            State.lease = int(detail)
        elif mode != "calls":
            State.mode, State.detail = mode, detail
        told = {"calls": State.calls, "namespaces": sorted(State.namespaces), "urls": State.secrets_in_urls}
        print(json.dumps(told), flush=True)
