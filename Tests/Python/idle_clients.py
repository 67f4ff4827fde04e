# SPDX-License-Identifier: Apache-2.0
"""idle_clients.py FOLDER PORT COUNT: opens as many HTTP/2 connections over mutual TLS, says `ready` and holds them."""

import resource
import socket
import ssl
import sys

folder, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(folder + "/ca.crt")
context.load_cert_chain(folder + "/client.crt", folder + "/client.key")
context.set_alpn_protocols(["h2"])
held = []
for _ in range(count):
    connection = context.wrap_socket(
        socket.create_connection(("127.0.0.1", port)), server_hostname="server.test"
    )
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    head = connection.recv(9)
    assert len(head) == 9 and head[3] == 4, "the server's first frame is not SETTINGS"
    held.append(connection)
print("ready", flush=True)
sys.stdin.read()
