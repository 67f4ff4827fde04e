# SPDX-License-Identifier: Apache-2.0
"""Says which grpcio it is, calls every method of the echo service and prints what went wrong, or OK."""
import sys
import threading

import grpc

print("grpcio", grpc.__version__)
target, ca, cert, key = sys.argv[1:5]
many = int(sys.argv[5])
options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
if ca:
    read = lambda path: open(path, "rb").read()
    credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(cert))
    channel = grpc.secure_channel(target, credentials, options)
else:
    channel = grpc.insecure_channel(target, options)

same = lambda data: data
unary = lambda name: channel.unary_unary("/test.Echo/" + name, same, same)
failures = []


def expect(what, condition):
    if not condition:
        failures.append(what)


def status_of(what, call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    failures.append(what + ": no error")


# unary, with metadata both ways
answer, call = unary("Say").with_call(b"hello", metadata=(("echo", "me"), ("trace-bin", b"\x00\xff")), timeout=60)
expect("unary", answer == b"hello")
expect("trailers", ("echoed", "me") in call.trailing_metadata())
expect("empty message", unary("Say")(b"", timeout=60) == b"")

# all other kinds
repeat = channel.unary_stream("/test.Echo/Repeat", same, same)
expect("server stream", list(repeat(b"\x07", timeout=60)) == [b"\x07"] * 7)
count = channel.stream_unary("/test.Echo/Count", same, same)
expect("client stream", count((b"x" * n for n in range(200)), timeout=60) == b"200 19900")
talk = channel.stream_stream("/test.Echo/Talk", same, same)
sent = [b"%d" % n for n in range(500)]
expect("bidi", list(talk(iter(sent), timeout=60)) == sent)

# large messages
large = bytes(range(256)) * (3 << 12)
expect("3 MiB", unary("Say")(large, timeout=60) == large)
error = status_of("too large", lambda: unary("Say")(b"x" * (5 << 20), timeout=60))
expect("too large", error and error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED)

# status, message and details
for code in grpc.StatusCode:
    number = code.value[0]
    if number == 0:
        continue
    error = status_of("status", lambda: unary("Fail")(bytes([number]), timeout=60))
    expect(f"status {code}", error and error.code() == code)
    expect("message", error and error.details() == "as asked: 100 % wörtlich")
    trailers = dict(error.trailing_metadata()) if error else {}
    expect("details", trailers.get("grpc-status-details-bin") == b"\x01\x02\x03")

# unknown method, deadline, cancellation
error = status_of("unknown", lambda: unary("Nothing")(b"", timeout=60))
expect("unimplemented", error and error.code() == grpc.StatusCode.UNIMPLEMENTED)
error = status_of("deadline", lambda: unary("Hang")(b"", timeout=0.3))
expect("deadline", error and error.code() == grpc.StatusCode.DEADLINE_EXCEEDED)
future = unary("Hang").future(b"", timeout=60)
future.cancel()
expect("cancelled", future.cancelled())
stream = talk(iter([b"a"] * 10), timeout=60)
next(stream)
stream.cancel()
error = status_of("cancelled stream", lambda: list(stream))
expect("cancelled stream", error and error.code() == grpc.StatusCode.CANCELLED)

# compression is not offered
error = status_of(
    "gzip", lambda: unary("Say")(b"a" * 4000, timeout=60, compression=grpc.Compression.Gzip)
)
expect("gzip", error and error.code() == grpc.StatusCode.UNIMPLEMENTED)

# many calls on one connection
lock = threading.Lock()
left = [many]


def work():
    call = unary("Say")
    while True:
        with lock:
            if left[0] == 0:
                return
            left[0] -= 1
            number = left[0]
        message = b"%d" % number
        if call(message, timeout=60) != message:
            failures.append("wrong answer")


threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

print("OK" if not failures else "; ".join(failures))
