# SPDX-License-Identifier: Apache-2.0
"""The echo service on grpcio. Prints its port; ends when stdin does."""
import concurrent.futures
import sys
import time

import grpc

same = lambda data: data


def fail(request, context):
    code = next(code for code in grpc.StatusCode if code.value[0] == request[0])
    context.set_trailing_metadata((("grpc-status-details-bin", b"\x01\x02\x03"),))
    context.abort(code, "as asked: 100 % wörtlich")


def hang(request, context):
    while context.is_active():
        time.sleep(0.05)
    return b""


def say(request, context):
    metadata = dict(context.invocation_metadata())
    if "echo" in metadata:
        context.set_trailing_metadata((("echoed", metadata["echo"]), ("raw-bin", b"\x00\xff")))
    return request


def count(requests, context):
    sizes = [len(request) for request in requests]
    return b"%d %d" % (len(sizes), sum(sizes))


def repeat(request, context):
    for _ in range(request[0]):
        yield request


def talk(requests, context):
    yield from requests


handlers = {
    "Say": grpc.unary_unary_rpc_method_handler(say, same, same),
    "Fail": grpc.unary_unary_rpc_method_handler(fail, same, same),
    "Hang": grpc.unary_unary_rpc_method_handler(hang, same, same),
    "Repeat": grpc.unary_stream_rpc_method_handler(repeat, same, same),
    "Count": grpc.stream_unary_rpc_method_handler(count, same, same),
    "Talk": grpc.stream_stream_rpc_method_handler(talk, same, same),
}
options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
server = grpc.server(concurrent.futures.ThreadPoolExecutor(16), options=options)
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
if len(sys.argv) > 1:
    read = lambda path: open(path, "rb").read()
    ca, cert, key = map(read, sys.argv[1:4])
    credentials = grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
for line in sys.stdin:
    if line.strip() == "drain":
        server.stop(grace=10)
server.stop(grace=None)
