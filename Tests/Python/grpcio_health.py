# SPDX-License-Identifier: Apache-2.0
"""Checks and watches health; prints which grpcio it is, and each state as it comes. The client of grpcio-health-checking
does it where there is one, else a client of the four states by hand: Debian has no package of it."""
import sys

import grpc

try:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    request = health_pb2.HealthCheckRequest
    name = lambda answer: health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    stub = lambda channel: health_pb2_grpc.HealthStub(channel)
except ImportError:
    states = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
    request = lambda service: b"\x0a" + bytes([len(service)]) + service.encode()
    name = lambda answer: states[answer[1] if answer else 0]
    same = lambda data: data

    class stub:
        def __init__(self, channel):
            self.Check = channel.unary_unary("/grpc.health.v1.Health/Check", same, same)
            self.Watch = channel.unary_stream("/grpc.health.v1.Health/Watch", same, same)


health = stub(grpc.insecure_channel(sys.argv[1]))


def check(service):
    try:
        return name(health.Check(request(service=service), timeout=60))
    except grpc.RpcError as error:
        return error.code().name


print("grpcio", grpc.__version__, flush=True)
print("check", check("test.Echo"), flush=True)
print("check", check("nobody"), flush=True)
watch = health.Watch(request(service=sys.argv[2]), timeout=60)
for answer in watch:
    print("watch", name(answer), flush=True)
    if name(answer) == "NOT_SERVING":
        watch.cancel()
        break
