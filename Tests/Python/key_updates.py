# SPDX-License-Identifier: Apache-2.0
"""Sends KeyUpdate messages over TLS 1.3 without reading a byte: PORT COUNT ASKS, where ASKS is 1 to ask for one in return.

Python's ssl has no call for it, so this drives the library itself. Prints "done" when all were sent, "cut" when the
server ended the connection before. Runs in the folder of the material.
"""
import ctypes
import socket
import sys

tls = ctypes.CDLL("libssl.so.3")
for name in ["TLS_client_method", "SSL_CTX_new", "SSL_new"]:
    getattr(tls, name).restype = ctypes.c_void_p
PEM = 1
port, count, asks = (int(argument) for argument in sys.argv[1:])
context = ctypes.c_void_p(tls.SSL_CTX_new(ctypes.c_void_p(tls.TLS_client_method())))
assert tls.SSL_CTX_use_certificate_file(context, b"client.crt", PEM) == 1
assert tls.SSL_CTX_use_PrivateKey_file(context, b"client.key", PEM) == 1
plain = socket.create_connection(("127.0.0.1", port))
session = ctypes.c_void_p(tls.SSL_new(context))
assert tls.SSL_set_fd(session, plain.fileno()) == 1
assert tls.SSL_connect(session) == 1
for _ in range(count):
    if tls.SSL_key_update(session, asks) != 1 or tls.SSL_do_handshake(session) != 1:
        print("cut")
        sys.exit()
print("done")
