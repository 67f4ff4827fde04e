# SPDX-License-Identifier: Apache-2.0
"""Gives out one body over mutual TLS and prints its port: FOLDER MASKED, the body in hexadecimal, each byte xor 0xa5, so
that it stands in no arguments. /whole answers with a length, /parts in chunks of 5 bytes, /late sends the head first.
"""
import http.server
import ssl
import sys
import time

folder = sys.argv[1]
body = bytes(byte ^ 0xA5 for byte in bytes.fromhex(sys.argv[2]))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.send_response(200)
        if self.path == "/parts":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 5):
                part = body[start : start + 5]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path == "/late":
            self.wfile.flush()
            time.sleep(0.05)
        self.wfile.write(body)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.crt", folder + "/server.key")
context.load_verify_locations(folder + "/ca.crt")
context.verify_mode = ssl.CERT_REQUIRED
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
