# SPDX-License-Identifier: Apache-2.0
"""lost_commit.py HERE THERE LOSSES taken|lost

Passes everything between unix socket HERE and the database server on THERE, but loses the answer to COMMIT that many
times; the last word says whether the server gets to see that COMMIT."""

import socket, sys, threading
here, there, losses, take = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "taken"
lock = threading.Lock()
def lose():
    global losses
    with lock:
        losses -= 1
        return losses >= 0
def back(server, client):
    try:
        while data := server.recv(65536): client.sendall(data)
    except OSError: pass
    for end in (server, client):
        try: end.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(client):
    server = socket.socket(socket.AF_UNIX)
    server.connect(there)
    threading.Thread(target=back, args=(server, client), daemon=True).start()
    try:
        while data := client.recv(65536):
            if data[4:] == b"\x03COMMIT" and lose():
                client.shutdown(socket.SHUT_RDWR)
                if take: server.sendall(data)
                break
            server.sendall(data)
    except OSError: pass
    try: server.shutdown(socket.SHUT_WR)
    except OSError: pass
listener = socket.socket(socket.AF_UNIX)
listener.bind(here)
listener.listen(64)
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
