# SPDX-License-Identifier: Apache-2.0
"""A client of signet.v1.Signing made from the .proto. Reads commands from stdin, prints one line for each answer.

usage: signing_client.py STUBS TARGET [CA CERT KEY]

sign KEY KIND HEX [JOB]    sends a job on the open stream; answers come as `JOB ok HEX stored=0` or `JOB CODE RETRY MESSAGE`
part KEY KIND HEX HEX ...  the same, with the content in parts
stall KEY KIND COUNT       sends so many zeros as the first parts of a job, and no more of it
midstate KEY KIND HEX      a job with the state of a hash function as its claim
image KEY NAME HEX [SBAT]  a job of kind efi with a digest by the function NAME as its claim; SBAT in hexadecimal digits
digest KEY NAME HEX        the same of kind cms, without SBAT
end                        closes the stream; prints `end STATUS`
describe KEY               prints the description, or `failed STATUS MESSAGE`
list [SIZE]                prints the names of all pages
health [SERVICE]           prints its state
"""
import os
import queue
import sys
import threading

sys.path.insert(0, sys.argv[1])
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from signet.v1 import signing_pb2 as pb
from signet.v1 import signing_pb2_grpc

target = sys.argv[2]
if len(sys.argv) > 3:
    read = lambda path: open(path, "rb").read()
    credentials = grpc.ssl_channel_credentials(*(read(path) for path in (sys.argv[3], sys.argv[5], sys.argv[4])))
    channel = grpc.secure_channel(target, credentials)
else:
    channel = grpc.insecure_channel(target)
signing = signing_pb2_grpc.SigningStub(channel)
health = health_pb2_grpc.HealthStub(channel)
output = threading.Lock()


def say(*words):
    with output:
        print(*words, flush=True)


class Stream:
    def __init__(self):
        self.requests = queue.Queue()
        self.call = signing.Sign(iter(self.requests.get, None))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            for reply in self.call:
                if reply.WhichOneof("outcome") == "signature":
                    made = reply.signature
                    say(reply.job.hex(), "ok", made.signature.hex(), f"stored={int(made.stored)}", made.sequence)
                else:
                    failure = reply.failure
                    retry = failure.retry_after_ms if failure.HasField("retry_after_ms") else "-"
                    say(reply.job.hex(), failure.code, retry, failure.message)
            say("end", self.call.code().name)
        except grpc.RpcError as error:
            say("end", error.code().name, error.details())


stream = None
for line in sys.stdin:
    words = line.split()
    command, rest = words[0], words[1:]
    try:
        if command in ("sign", "part"):
            if stream is None:
                stream = Stream()
            key, kind, first, more = rest[0], rest[1], rest[2], rest[3:]
            job = os.urandom(16)
            if command == "sign" and more:
                job, more = bytes.fromhex(more[0]), []
            first = "" if first == "-" else first
            stream.requests.put(
                pb.SignRequest(job=job, key=key, kind=kind, content=bytes.fromhex(first), more=bool(more))
            )
            for index, part in enumerate(more, 1):
                stream.requests.put(
                    pb.SignRequest(job=job, content=bytes.fromhex(part), more=index < len(more))
                )
        elif command == "stall":
            if stream is None:
                stream = Stream()
            job, left = os.urandom(16), int(rest[2])
            request = pb.SignRequest(job=job, key=rest[0], kind=rest[1])
            while True:
                request.content, request.more = bytes(min(left, 1 << 18)), True
                stream.requests.put(request)
                left -= len(request.content)
                if not left:
                    break
                request = pb.SignRequest(job=job)
        elif command == "midstate":
            if stream is None:
                stream = Stream()
            job, state = os.urandom(16), bytes.fromhex(rest[2])
            stream.requests.put(pb.SignRequest(job=job, key=rest[0], kind=rest[1], midstate=state))
        elif command in ("image", "digest"):
            if stream is None:
                stream = Stream()
            value = bytes.fromhex(rest[2])
            request = pb.SignRequest(job=os.urandom(16), key=rest[0], digest="" if rest[1] == "-" else rest[1])
            if command == "image":
                request.kind = "efi"
                request.image.digest = value
                if len(rest) > 3:
                    request.image.sbat = bytes.fromhex(rest[3])
            else:
                request.kind = "cms"
                request.content_digest = value
            stream.requests.put(request)
        elif command == "end":
            stream.requests.put(None)
            stream.reader.join()
            stream = None
        elif command == "describe":
            key = signing.DescribeKey(pb.DescribeKeyRequest(key=rest[0]), timeout=20)
            say(key.name, key.version, key.scheme, key.algorithm, key.state, *key.kinds, key.certificate.hex())
        elif command == "list":
            names, token = [], ""
            while True:
                page = signing.ListKeys(
                    pb.ListKeysRequest(page_size=int(rest[0]) if rest else 0, page_token=token), timeout=20
                )
                names += [key.name for key in page.keys]
                token = page.next_page_token
                if not token:
                    break
            say("keys", *names)
        elif command == "health":
            name = rest[0] if rest else ""
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=20)
            say("health", health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
    except grpc.RpcError as error:
        say("failed", error.code().name, error.details())
